//! The `calproof` command.
fn main() {}
