//! calproof: from server logs to the Client Access Licenses that observed usage requires.

pub mod facts;
