//! Protocol 3 messages over byte buffers. Knows neither SQL nor sockets.

pub mod authentication;
pub mod backend;
pub mod frame;
pub mod frontend;
pub mod options;
pub mod proxy_protocol;
pub mod scram;
pub mod sqlstate;
pub mod startup;
pub mod tag;

/// Splits off a NUL-terminated string: the string without its NUL, and what follows.
#[must_use]
pub fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    // Most names are empty.
    let end = if bytes.first() == Some(&0) { 0 } else { memchr::memchr(0, bytes)? };
    Some((&bytes[..end], &bytes[end + 1..]))
}
