//! Strings as logged, each kept once.

use std::hash::{BuildHasher, Hash};
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

/// A string of some [`Names`]. Two are equal exactly where their strings are; their order is that
/// of first sight and must never show in an output.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name(u32);

impl Name {
    /// The empty string: nobody, no device, no server name.
    pub const NONE: Name = Name(0);

    /// Its place among the names, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }

    /// This name among those that [`Names::adopt`] gave.
    pub fn in_terms_of(self, adopted: &[Name]) -> Name {
        adopted[self.index()]
    }
}

/// A set of byte strings, kept as logged.
pub struct Names {
    bytes: Vec<u8>,
    /// Where each string ends; it begins where the one before ends.
    ends: Vec<usize>,
    /// Every name, and where its string stands: who looks for one need not look there first.
    index: HashTable<(Name, Range<usize>)>,
    hasher: DefaultHashBuilder,
}

impl Default for Names {
    fn default() -> Names {
        let mut names = Names {
            bytes: Vec::new(),
            ends: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        };
        names.intern(b"");
        names
    }
}

impl Names {
    /// The name of a string, new or known.
    ///
    /// ```
    /// use calproof::facts::names::{Name, Names};
    /// let mut names = Names::default();
    /// let anna = names.intern(b"CONTOSO\\anna");
    /// assert_eq!(names.intern(b"CONTOSO\\anna"), anna);
    /// assert_eq!(names.get(anna), b"CONTOSO\\anna");
    /// assert_eq!(names.intern(b""), Name::NONE);
    /// ```
    pub fn intern(&mut self, text: &[u8]) -> Name {
        let hash = self.hasher.hash_one(text);
        let Names { bytes, ends, index, hasher } = self;
        if let Some((known, _)) = index.find(hash, |(_, place)| bytes[place.clone()] == *text) {
            return *known;
        }
        let new = Name(ends.len() as u32);
        let place = bytes.len()..bytes.len() + text.len();
        bytes.extend_from_slice(text);
        ends.push(place.end);
        index
            .insert_unique(hash, (new, place), |(_, place)| hasher.hash_one(&bytes[place.clone()]));
        new
    }

    /// The string of a name.
    pub fn get(&self, name: Name) -> &[u8] {
        slice(&self.bytes, &self.ends, name.0)
    }

    /// Takes over every string of `other`; the result maps its names to those of `self`.
    pub fn adopt(&mut self, other: &Names) -> Vec<Name> {
        (0..other.ends.len() as u32)
            .map(|i| self.intern(slice(&other.bytes, &other.ends, i)))
            .collect()
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never: the empty string is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    pub(super) fn hash(&self, key: &impl Hash) -> u64 {
        self.hasher.hash_one(key)
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[usize], i: u32) -> &'a [u8] {
    let i = i as usize;
    let start = if i == 0 { 0 } else { ends[i - 1] };
    &bytes[start..ends[i]]
}
