//! The server's messages that Sexton reads or changes, and the errors it sends in its own name.

use bytes::{BufMut, BytesMut};

use crate::wire::frame::put_header;
use crate::wire::split_string;
use crate::wire::sqlstate::SqlState;

/// The fields of an ErrorResponse or a NoticeResponse, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    fields: Vec<(u8, &'a [u8])>,
}

impl<'a> Fields<'a> {
    /// Reads a body; `None` where it does not end as it should (F6).
    #[must_use]
    pub fn read(mut body: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::with_capacity(8);
        loop {
            let (&code, rest) = body.split_first()?;
            if code == 0 {
                return rest.is_empty().then_some(Self { fields });
            }
            let (value, rest) = split_string(rest)?;
            fields.push((code, value));
            body = rest;
        }
    }

    /// The first field of that code.
    #[must_use]
    pub fn get(&self, code: u8) -> Option<&'a [u8]> {
        self.fields.iter().find(|(other, _)| *other == code).map(|(_, value)| *value)
    }

    /// Gives the field a value in its place, or at the end where it is missing.
    pub fn set(&mut self, code: u8, value: &'a [u8]) {
        match self.fields.iter_mut().find(|(other, _)| *other == code) {
            Some(field) => field.1 = value,
            None => self.fields.push((code, value)),
        }
    }

    /// Drops the field.
    pub fn remove(&mut self, code: u8) {
        self.fields.retain(|(other, _)| *other != code);
    }

    /// Writes the message: tag `E` or `N`.
    pub fn put(&self, out: &mut BytesMut, tag: u8) {
        let body_bytes: usize = self.fields.iter().map(|(_, value)| value.len() + 2).sum::<usize>() + 1;
        put_header(out, tag, body_bytes);
        for (code, value) in &self.fields {
            out.put_u8(*code);
            out.put_slice(value);
            out.put_u8(0);
        }
        out.put_u8(0);
    }
}

/// An error in Sexton's own name that ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FatalReport<'a> {
    /// SQLSTATE.
    pub code: SqlState,
    /// What happened.
    pub message: &'a str,
    /// The facts behind it.
    pub detail: Option<&'a str>,
    /// How to do it instead.
    pub hint: Option<&'a str>,
}

impl<'a> FatalReport<'a> {
    /// One without detail or hint.
    #[must_use]
    pub fn new(code: SqlState, message: &'a str) -> Self {
        Self { code, message, detail: None, hint: None }
    }

    /// The same, with a hint.
    #[must_use]
    pub fn hint(self, hint: &'a str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// Writes an ErrorResponse.
    pub fn put(&self, out: &mut BytesMut) {
        let mut fields = Fields::default();
        fields.set(b'S', b"FATAL");
        fields.set(b'V', b"FATAL");
        fields.set(b'C', self.code.0.as_bytes());
        fields.set(b'M', self.message.as_bytes());
        for (code, text) in [(b'D', self.detail), (b'H', self.hint)] {
            if let Some(text) = text {
                fields.set(code, text.as_bytes());
            }
        }
        fields.put(out, b'E');
    }
}

/// The tag of a CommandComplete.
#[must_use]
pub fn command_tag(body: &[u8]) -> Option<&[u8]> {
    match split_string(body)? {
        (tag, []) => Some(tag),
        _ => None,
    }
}

/// Writes a CommandComplete.
pub fn put_command_complete(out: &mut BytesMut, tag: &[u8]) {
    put_header(out, b'C', tag.len() + 1);
    out.put_slice(tag);
    out.put_u8(0);
}

/// Name and value of a ParameterStatus.
#[must_use]
pub fn parameter_status(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = split_string(body)?;
    let (value, _) = split_string(rest)?;
    Some((name, value))
}

/// Writes a NegotiateProtocolVersion: the newest version spoken, and the options that are not (P1).
pub fn put_negotiate_protocol_version(out: &mut BytesMut, version: (u16, u16), options: &[&[u8]]) {
    put_header(out, b'v', 8 + options.iter().map(|option| option.len() + 1).sum::<usize>());
    out.put_u16(version.0);
    out.put_u16(version.1);
    // As many as fit into a startup packet.
    out.put_u32(u32::try_from(options.len()).unwrap_or(u32::MAX));
    for option in options {
        out.put_slice(option);
        out.put_u8(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_changed_and_written_in_their_places() {
        let body = b"SERROR\0C42601\0Msyntax error\0P7\0Fscan.l\0\0";
        let mut fields = Fields::read(body).expect("well formed");
        assert_eq!(fields.get(b'P'), Some(b"7".as_slice()));
        fields.set(b'P', b"12");
        fields.remove(b'F');
        let mut out = BytesMut::new();
        fields.put(&mut out, b'E');
        assert_eq!(&out[5..], b"SERROR\0C42601\0Msyntax error\0P12\0\0");
        assert_eq!(out[4] as usize, out.len() - 1);
    }

    #[test]
    fn f6_bodies_without_their_terminators_are_no_fields() {
        for body in [b"".as_slice(), b"SERROR", b"SERROR\0", b"SERROR\0\0x"] {
            assert_eq!(Fields::read(body), None);
        }
        assert_eq!(command_tag(b"SELECT 1"), None);
    }
}
