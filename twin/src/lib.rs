//! The slow, obvious second reading: plain splitting and `HashSet`, no code shared with calproof.
