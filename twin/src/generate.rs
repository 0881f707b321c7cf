//! A made-up organisation: its logs, and the truth that was planted in them.
//!
//! People, devices and everybody who has to be left out are decided first; the rows follow from that. So
//! the truth does not come from reading the rows, and [`crate::count()`] can be held against it.

mod cast;
mod file;
mod mail;
mod random;
mod sip;
mod truth;
mod web;
mod web_file;
mod world;

pub use truth::Truth;

use crate::config::Config;
use std::collections::BTreeMap;

/// How large the organisation is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Size {
    /// 12 people, 2 days.
    Small,
    /// 60 people, 7 days.
    Medium,
    /// 400 people, 30 days.
    Large,
}

/// Logs, the configuration that belongs to them, and what is true.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Path and bytes, sorted by path.
    pub files: Vec<(String, Vec<u8>)>,
    /// What the user of this organisation would configure.
    pub config: Config,
    /// What was planted.
    pub truth: Truth,
}

/// Writes the logs of an organisation; the same seed and size give the same bytes.
///
/// ```
/// use calproof_twin::generate::{Size, fleet};
/// let fleet = fleet(7, Size::Small);
/// let tally = calproof_twin::count(&fleet.files, &fleet.config);
/// assert!(tally.people.keys().eq(&fleet.truth.people));
/// ```
pub fn fleet(seed: u64, size: Size) -> Fleet {
    let mut world = world::World::new(seed, size);
    let people = cast::people(&mut world);
    for person in &people {
        cast::live(&mut world, person);
    }
    web::strangers(&mut world);
    mail::strangers(&mut world);
    sip::strangers(&mut world);
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    web_file::write(&mut world, &mut files);
    mail::write(&mut world, &mut files);
    sip::write(&mut world, &mut files);
    file::odds_and_ends(&mut world, &mut files);
    world.truth.settle();
    Fleet { files: files.into_iter().collect(), config: world.config, truth: world.truth }
}

/// Bytes as base64 with the standard alphabet and padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = 0u32;
        for i in 0..3 {
            word = word << 8 | u32::from(*chunk.get(i).unwrap_or(&0));
        }
        for i in 0..4 {
            let six = (word >> (18 - 6 * i)) & 63;
            out.push(if i <= chunk.len() { char::from(alphabet[six as usize]) } else { '=' });
        }
    }
    out
}
