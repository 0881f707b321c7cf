//! Parsers for the access logs of Microsoft servers: bytes in, borrowed records out.
