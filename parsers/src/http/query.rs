//! What a query says beside what it asks for, found in one pass.

use std::borrow::Cow;

use crate::activesync;
use crate::service::starts_with_ignore_case;
use crate::simd;

/// Marks that the server put into a query.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct QueryMarks {
    /// OWA forms logon without a valid cookie: the row reads 302 or 440 and carries the typed name.
    ///
    /// Source: Exchange's FbaModule appends `LogoffReason=NoCookies…`; see the format reference.
    pub(super) no_cookies: bool,
    /// A front end handed the request on to a back end: `&FrontEnd=` or `PrxFrom:`.
    pub(super) handed_on: bool,
}

/// The marks of any query.
#[inline]
pub(super) fn marks(query: &[u8]) -> QueryMarks {
    let mut marks = QueryMarks::default();
    if !query.is_empty() {
        simd::each_pair(query, [*b"fr"], &mut |at| marks.look(query, at));
    }
    marks
}

/// The marks of an ActiveSync query, and what it says of the device: as [`activesync::query`] does,
/// which reads whatever is not plain.
#[inline]
pub(super) fn of_device(query: &[u8]) -> (QueryMarks, activesync::Query<'_>) {
    let mut marks = QueryMarks::default();
    let mut pairs = Pairs::default();
    pairs.begin(query, 0);
    simd::each_pair(query, [*b"fr", *b"&d", *b"s:"], &mut |at| match query.get(at) {
        Some(b'&') => pairs.begin(query, at + 1),
        Some(b's' | b'S') => pairs.colon(query, at + 1),
        _ => marks.look(query, at),
    });
    (marks, pairs.query(query).unwrap_or_else(|| activesync::query(query)))
}

impl QueryMarks {
    /// Looks at a pair that all marks have: the `fR` of the first, the `Fr` of the others.
    fn look(&mut self, query: &[u8], at: usize) {
        const NO_COOKIES: &[u8] = b"LogoffReason=NoCookies";
        let around =
            |back: usize, mark: &[u8]| query.get(at.checked_sub(back)?..)?.get(..mark.len());
        self.no_cookies |=
            around(5, NO_COOKIES).is_some_and(|text| text.eq_ignore_ascii_case(NO_COOKIES));
        self.handed_on |= [(1, &b"&FrontEnd="[..]), (3, b"PrxFrom:")]
            .iter()
            .any(|(back, mark)| around(*back, mark) == Some(mark));
    }
}

/// Where the values of the keys begin that tell the device; of a key that stands twice, the last one
/// counts.
#[derive(Default)]
struct Pairs {
    device_id: Option<usize>,
    device_type: Option<usize>,
    /// There may be a token that blocks.
    block: bool,
}

impl Pairs {
    /// A pair begins at `at`.
    fn begin(&mut self, query: &[u8], at: usize) {
        let pair = query.get(at..).unwrap_or_default();
        // Of letters, the bit of case alone makes the difference.
        match pair.first_chunk::<8>().map(|begin| begin.map(|byte| byte | 0x20)).as_ref() {
            Some(b"deviceid") if pair.get(8) == Some(&b'=') => {
                self.device_id = Some(at + 9);
            }
            Some(b"devicety") if starts_with_ignore_case(pair, b"DeviceType=") => {
                self.device_type = Some(at + 11);
            }
            _ => {}
        }
    }

    /// A colon behind an `s` stands at `at`.
    fn colon(&mut self, query: &[u8], at: usize) {
        self.block |= matches!(query.get(at + 1), Some(b'B' | b'b' | b'Q' | b'q'));
    }

    /// What the pairs say of the device; `None` where the query has to be read more closely: where it may
    /// block, names no device in plain words, or a kind of device that may be none.
    #[inline]
    fn query<'q>(&self, query: &'q [u8]) -> Option<activesync::Query<'q>> {
        let id = query.get(self.device_id.filter(|_| !self.block)?..)?;
        let id = match memchr::memchr2(b'&', b'%', id) {
            Some(end) if id[end] == b'&' => &id[..end],
            Some(_) => return None,
            None => id,
        };
        // How the names of what is no device begin, perhaps with an escape.
        let kind = self.device_type.and_then(|at| query.get(at..)?.first_chunk::<2>());
        if let Some(
            [b'T' | b't', b'E' | b'e' | b'%'] | [b'E' | b'e', b'A' | b'a' | b'%'] | [b'%', _],
        ) = kind
        {
            return None;
        }
        let device_id = Some(Cow::Borrowed(id)).filter(|id| activesync::is_device(id, b""));
        Some(activesync::Query { device_id, blocked: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plainly(query: &[u8]) -> QueryMarks {
        let has = |mark: &[u8]| query.windows(mark.len()).any(|window| window == mark);
        let lower = query.to_ascii_lowercase();
        let mark = b"logoffreason=nocookies";
        QueryMarks {
            no_cookies: lower.windows(mark.len()).any(|window| window == mark),
            handed_on: has(b"&FrontEnd=") || has(b"PrxFrom:"),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever a query is made of, it reads as it does piece by piece.
        #[test]
        fn one_pass_is_as_good_as_many(pieces in prop::collection::vec(
            prop::sample::select(vec![
                "&", "DeviceId=", "deviceid=A%42c", "DeviceType=", "TestActiveSyncConnectivity", "EasProbe%44eviceType",
                "Cmd=Sync", "Log=", "As:BlockedP", "_As:QuarantinedG", "_as:AllowedG", "LogoffReason=NoCookies",
                "logoffreason=nocookies", "&FrontEnd=EX1", "PrxFrom:10.0.0.1", "&frontend=", "validate", "=", "?", "x",
                "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", "0123456789012345678901234567890123456789", "%",
            ]), 0..14))
        {
            let query = pieces.concat();
            let query = query.as_bytes();
            prop_assert_eq!(marks(query), plainly(query));
            prop_assert_eq!(of_device(query), (plainly(query), activesync::query(query)));
        }
    }
}
