//! The messages of an authentication exchange that Sexton reads or writes itself; all others pass as they came (A6).

use bytes::{BufMut, BytesMut};

use crate::wire::frame::put_header;
use crate::wire::split_string;

/// SCRAM without channel binding.
pub const SCRAM: &[u8] = b"SCRAM-SHA-256";
/// SCRAM with channel binding.
pub const SCRAM_PLUS: &[u8] = b"SCRAM-SHA-256-PLUS";

/// A token that is as good as its bearer.
pub const BEARER: &[u8] = b"OAUTHBEARER";

const SASL: u32 = 10;
const SASL_CONTINUE: u32 = 11;
const SASL_FINAL: u32 = 12;

/// What the server asks for with an Authentication message, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// AuthenticationSASL: the mechanisms, in the server's order.
    Sasl(Vec<&'a [u8]>),
    /// AuthenticationSASLContinue.
    SaslContinue(&'a [u8]),
    /// AuthenticationSASLFinal.
    SaslFinal(&'a [u8]),
    /// Anything else, malformed messages included.
    Other,
}

impl<'a> Request<'a> {
    /// Reads the body of a message with tag `R`.
    #[must_use]
    pub fn read(body: &'a [u8]) -> Self {
        let Some((code, rest)) = body.split_first_chunk::<4>() else { return Self::Other };
        match u32::from_be_bytes(*code) {
            SASL => mechanisms(rest).map_or(Self::Other, Self::Sasl),
            SASL_CONTINUE => Self::SaslContinue(rest),
            SASL_FINAL => Self::SaslFinal(rest),
            _ => Self::Other,
        }
    }
}

fn mechanisms(mut list: &[u8]) -> Option<Vec<&[u8]>> {
    let mut mechanisms = Vec::new();
    loop {
        match split_string(list)? {
            (b"", rest) => return rest.is_empty().then_some(mechanisms),
            (mechanism, rest) => {
                mechanisms.push(mechanism);
                list = rest;
            }
        }
    }
}

/// Writes an AuthenticationSASL.
pub fn put_sasl(out: &mut BytesMut, mechanisms: &[&[u8]]) {
    put_header(out, b'R', 4 + mechanisms.iter().map(|mechanism| mechanism.len() + 1).sum::<usize>() + 1);
    out.put_u32(SASL);
    for mechanism in mechanisms {
        out.put_slice(mechanism);
        out.put_u8(0);
    }
    out.put_u8(0);
}

/// Writes an AuthenticationSASLContinue.
pub fn put_sasl_continue(out: &mut BytesMut, data: &[u8]) {
    put_request(out, SASL_CONTINUE, data);
}

/// Writes an AuthenticationSASLFinal.
pub fn put_sasl_final(out: &mut BytesMut, data: &[u8]) {
    put_request(out, SASL_FINAL, data);
}

fn put_request(out: &mut BytesMut, code: u32, data: &[u8]) {
    put_header(out, b'R', 4 + data.len());
    out.put_u32(code);
    out.put_slice(data);
}

/// The mechanism and the data of a SASLInitialResponse; `None` where the body is none.
#[must_use]
pub fn sasl_initial_response(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mechanism, rest) = split_string(body)?;
    let (length, data) = rest.split_first_chunk::<4>()?;
    let none = u32::from_be_bytes(*length) == u32::MAX && data.is_empty();
    (none || u32::from_be_bytes(*length) as usize == data.len()).then_some((mechanism, data))
}

/// Writes a SASLInitialResponse.
pub fn put_sasl_initial_response(out: &mut BytesMut, mechanism: &[u8], data: &[u8]) {
    put_header(out, b'p', mechanism.len() + 1 + 4 + data.len());
    out.put_slice(mechanism);
    out.put_u8(0);
    // Our own message, a few dozen bytes.
    out.put_u32(u32::try_from(data.len()).unwrap_or(u32::MAX));
    out.put_slice(data);
}

/// Writes a SASLResponse.
pub fn put_sasl_response(out: &mut BytesMut, data: &[u8]) {
    put_header(out, b'p', data.len());
    out.put_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_are_read_as_they_are_written() {
        let mut out = BytesMut::new();
        put_sasl(&mut out, &[SCRAM_PLUS, SCRAM]);
        assert_eq!(Request::read(&out[5..]), Request::Sasl(vec![SCRAM_PLUS, SCRAM]));
        for end in 9..out.len() {
            assert_eq!(Request::read(&out[5..end]), Request::Other);
        }
        assert_eq!(Request::read(b"\0\0\0\x0b!"), Request::SaslContinue(b"!"));
        assert_eq!(Request::read(b"\0\0\0\x05salt"), Request::Other);
        assert_eq!(Request::read(b"\0\0"), Request::Other);
    }

    #[test]
    fn an_initial_response_must_be_as_long_as_it_says() {
        let mut out = BytesMut::new();
        put_sasl_initial_response(&mut out, SCRAM, b"n,,n=,r=x");
        assert_eq!(sasl_initial_response(&out[5..]), Some((SCRAM, b"n,,n=,r=x".as_slice())));
        assert_eq!(sasl_initial_response(b"X\0\xff\xff\xff\xff"), Some((b"X".as_slice(), b"".as_slice())));
        for body in [b"X".as_slice(), b"X\0\0\0\0", b"X\0\0\0\0\x02a", b"X\0\0\0\0\x00a", b"X\0\xff\xff\xff\xffa"] {
            assert_eq!(sasl_initial_response(body), None);
        }
    }
}
