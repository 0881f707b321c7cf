//! Names replaced by keyed pseudonyms, before any writer sees them.
//!
//! One place: [`census()`] maps every value of a [`Census`] that can hold the name of a person, an
//! account, a device or an address, field by field. It names every field of every struct, so that a
//! new one does not compile until somebody decides what it holds. Reports and bundles are written
//! from the mapped census and know no other names. Text that is not known to be free of names is
//! withheld: it becomes a pseudonym as well.
//!
//! A pseudonym is the kind of the name and 26 hexadecimal digits:
//! HMAC-SHA-256(salt, name), where the salt is HMAC-SHA-256(key, `calproof/1 name`, a zero byte,
//! name). The same key gives the same pseudonyms in every run. The salt of one name opens that name
//! and no other.
//!
//! [`Census`]: crate::census::Census

mod census;
pub(crate) mod configuration;
mod enabled;
mod input;
mod key;
mod licences;
mod map;
mod names;
mod path;

pub use census::{Mapped, census};
pub use key::{Key, KeyFileError, commitment, opened};
pub use names::{Clash, Kind, Pseudonyms};

/// How pseudonyms, salts and commitments are made, by name and version.
pub const SCHEME: &str = "calproof.pseudonym/1";

/// What single names and rows are opened in, by name and version.
pub const DISCLOSED: &str = "calproof.disclosed/1";
