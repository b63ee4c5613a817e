//! The client's messages that Sexton reads: strings and names, always within their own frame.
//!
//! A reader answers `None` for a body that is not consumed exactly (F4). PostgreSQL refuses such a message before it
//! acts on any part of it, so it may be relayed as it is.

use bytes::{BufMut, BytesMut};

use crate::wire::frame::{self, LARGE_LENGTH_MAX};
use crate::wire::split_string;

/// A message would be longer than PostgreSQL accepts (F5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message of {0} bytes is too long")]
pub struct TooLong(pub usize);

/// The body of a Parse message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parse<'a> {
    /// Statement name; empty for the unnamed one.
    pub name: &'a [u8],
    /// The statement.
    pub query: &'a [u8],
    /// Parameter types as they stand in the message: a count and that many oids.
    pub types: &'a [u8],
}

/// What Describe and Close are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// A prepared statement.
    Statement(&'a [u8]),
    /// A portal.
    Portal(&'a [u8]),
}

/// The text of a Query.
#[must_use]
pub fn query(body: &[u8]) -> Option<&[u8]> {
    match split_string(body)? {
        (text, []) => Some(text),
        _ => None,
    }
}

/// Name, text and types of a Parse.
#[must_use]
pub fn parse(body: &[u8]) -> Option<Parse<'_>> {
    let (name, rest) = split_string(body)?;
    let (query, types) = split_string(rest)?;
    let (count, oids) = types.split_first_chunk::<2>()?;
    (oids.len() == usize::from(u16::from_be_bytes(*count)) * 4).then_some(Parse { name, query, types })
}

/// The function that a FunctionCall names, from as much of its body as is there.
#[must_use]
pub fn function_oid(prefix: &[u8]) -> Option<u32> {
    prefix.first_chunk::<4>().map(|oid| u32::from_be_bytes(*oid))
}

/// Portal and statement of a Bind, from as much of its body as is there.
#[must_use]
pub fn bind_names(prefix: &[u8]) -> Option<(&[u8], &[u8])> {
    let (portal, rest) = split_string(prefix)?;
    let (statement, _) = split_string(rest)?;
    Some((portal, statement))
}

/// What a Describe or a Close names.
#[must_use]
pub fn target(body: &[u8]) -> Option<Target<'_>> {
    let (kind, rest) = body.split_first()?;
    match (kind, split_string(rest)?) {
        (b'S', (name, [])) => Some(Target::Statement(name)),
        (b'P', (name, [])) => Some(Target::Portal(name)),
        _ => None,
    }
}

/// The portal of an Execute.
#[must_use]
pub fn execute(body: &[u8]) -> Option<&[u8]> {
    let (portal, rows) = split_string(body)?;
    (rows.len() == 4).then_some(portal)
}

/// Writes a Query.
///
/// # Errors
/// [`TooLong`], with nothing written.
pub fn put_query(out: &mut BytesMut, text: &[u8]) -> Result<(), TooLong> {
    put_header(out, b'Q', text.len() + 1)?;
    put_string(out, text);
    Ok(())
}

/// Writes a Parse.
///
/// # Errors
/// [`TooLong`], with nothing written.
pub fn put_parse(out: &mut BytesMut, parse: Parse<'_>) -> Result<(), TooLong> {
    let types: &[u8] = if parse.types.is_empty() { &[0, 0] } else { parse.types };
    put_header(out, b'P', parse.name.len() + parse.query.len() + 2 + types.len())?;
    put_string(out, parse.name);
    put_string(out, parse.query);
    out.put_slice(types);
    Ok(())
}

/// Writes a Close of a prepared statement.
///
/// # Errors
/// [`TooLong`], with nothing written.
pub fn put_close_statement(out: &mut BytesMut, name: &[u8]) -> Result<(), TooLong> {
    put_header(out, b'C', name.len() + 2)?;
    out.put_u8(b'S');
    put_string(out, name);
    Ok(())
}

fn put_header(out: &mut BytesMut, tag: u8, body_bytes: usize) -> Result<(), TooLong> {
    if body_bytes > LARGE_LENGTH_MAX as usize - 4 {
        return Err(TooLong(body_bytes));
    }
    frame::put_header(out, tag, body_bytes);
    Ok(())
}

fn put_string(out: &mut BytesMut, text: &[u8]) {
    out.put_slice(text);
    out.put_u8(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f4_a_body_is_consumed_exactly_or_not_read_at_all() {
        assert_eq!(query(b"select 1\0"), Some(b"select 1".as_slice()));
        assert_eq!(query(b"select 1\0select 2\0"), None);
        assert_eq!(query(b"select 1"), None);
        assert_eq!(parse(b"s\0select 1\0\0\x01\0\0\0\x17").map(|p| p.query), Some(b"select 1".as_slice()));
        assert_eq!(parse(b"s\0select 1\0\0\x02\0\0\0\x17"), None);
        assert_eq!(parse(b"s\0select 1\0\0\0x"), None);
        assert_eq!(execute(b"p\0\0\0\0\0"), Some(b"p".as_slice()));
        assert_eq!(execute(b"p\0\0\0\0\0\0"), None);
        assert_eq!(target(b"Sname\0"), Some(Target::Statement(b"name")));
        assert_eq!(target(b"Xname\0"), None);
    }

    #[test]
    fn a_parse_written_is_the_parse_read() {
        let mut out = BytesMut::new();
        let before = Parse { name: b"s", query: b"select $1", types: &[0, 1, 0, 0, 0, 23] };
        put_parse(&mut out, before).expect("short");
        assert_eq!(parse(&out[5..]), Some(before));
        assert_eq!(u32::from_be_bytes([out[1], out[2], out[3], out[4]]) as usize, out.len() - 1);
    }
}
