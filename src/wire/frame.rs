//! Where one message ends and the next begins: a tag, a length, exactly that many bytes.
//!
//! A header is checked before anything is computed from it (F1), nothing is allocated for what a
//! length claims (F2), and caps are PostgreSQL's own, by tag (F3).

use bytes::BytesMut;

/// Tag and length field.
pub const HEADER_BYTES: usize = 5;
/// `PQ_LARGE_MESSAGE_LIMIT`, which PostgreSQL compares with the length field.
pub const LARGE_LENGTH_MAX: u32 = 0x3fff_fffe;
/// `PQ_SMALL_MESSAGE_LIMIT`
pub const SMALL_LENGTH_MAX: u32 = 10_000;
/// `PG_MAX_AUTH_TOKEN_LENGTH`: passwords and tokens (A5).
pub const AUTH_LENGTH_MAX: u32 = 65_535;
/// The length field of a message without a body.
const BODILESS_LENGTH: u32 = 4;

/// The first five bytes of a message, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What kind of message.
    pub tag: u8,
    /// Bytes that follow the header.
    pub body_bytes: usize,
}

impl Header {
    /// Header and body together.
    #[must_use]
    pub fn frame_bytes(self) -> usize {
        HEADER_BYTES + self.body_bytes
    }
}

/// A length that no message of this tag may have: the stream cannot be followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid message length")]
pub struct LengthFault {
    /// The tag.
    pub tag: u8,
    /// The length field as it came.
    pub length: u32,
}

/// Reads the header of a message from the client; `None` until five bytes are there.
///
/// # Errors
/// [`LengthFault`] where PostgreSQL would end the connection.
pub fn frontend_header(buffer: &[u8]) -> Result<Option<Header>, LengthFault> {
    header(buffer, |tag| match tag {
        b'C' | b'D' | b'E' | b'H' | b'S' | b'X' | b'c' | b'f' => SMALL_LENGTH_MAX,
        b'p' => AUTH_LENGTH_MAX,
        _ => LARGE_LENGTH_MAX,
    })
}

/// Reads the header of a message from the server, whose lengths are bounded by the format alone: ParseComplete and
/// CloseComplete have no body, which lets them be kept back by their header.
///
/// # Errors
/// [`LengthFault`] for a length that is negative or below four, or that the format does not have.
pub fn backend_header(buffer: &[u8]) -> Result<Option<Header>, LengthFault> {
    header(buffer, |tag| match tag {
        b'1' | b'3' => BODILESS_LENGTH,
        _ => i32::MAX.unsigned_abs(),
    })
}

fn header(buffer: &[u8], length_max: impl Fn(u8) -> u32) -> Result<Option<Header>, LengthFault> {
    let Some((&[tag, a, b, c, d], _)) = buffer.split_first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes([a, b, c, d]);
    if length < BODILESS_LENGTH || length > length_max(tag) {
        return Err(LengthFault { tag, length });
    }
    Ok(Some(Header { tag, body_bytes: (length - BODILESS_LENGTH) as usize }))
}

/// Bytes of the messages of this tag that `buffer` starts with, as far as they are whole and their lengths can be.
#[must_use]
pub fn whole_run(buffer: &[u8], tag: u8) -> usize {
    let mut end = 0;
    while let Some((&[next, a, b, c, d], _)) = buffer[end..].split_first_chunk::<HEADER_BYTES>() {
        let length = u32::from_be_bytes([a, b, c, d]);
        if next != tag || length < BODILESS_LENGTH || length as usize >= buffer.len() - end {
            break;
        }
        end += 1 + length as usize;
    }
    end
}

/// Writes the header of a message whose body is about to follow, and far from the format's bound.
pub(super) fn put_header(out: &mut BytesMut, tag: u8, body_bytes: usize) {
    let [a, b, c, d] = u32::try_from(body_bytes + 4).unwrap_or(u32::MAX).to_be_bytes();
    out.reserve(HEADER_BYTES + body_bytes);
    out.extend_from_slice(&[tag, a, b, c, d]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_cut_short_is_no_header_yet() {
        let frame = [b'Q', 0, 0, 0, 9, b'h', b'i'];
        for end in 0..HEADER_BYTES {
            assert_eq!(frontend_header(&frame[..end]), Ok(None));
        }
        assert_eq!(frontend_header(&frame), Ok(Some(Header { tag: b'Q', body_bytes: 5 })));
    }

    #[test]
    fn f1_lengths_below_four_and_negative_ones_are_faults() {
        for length in [0u32, 3, u32::MAX, 0x8000_0000] {
            let mut frame = vec![b'Q'];
            frame.extend(length.to_be_bytes());
            assert!(frontend_header(&frame).is_err());
            assert!(backend_header(&frame).is_err());
        }
    }

    #[test]
    fn a_run_ends_with_the_last_whole_message_of_its_tag() {
        let frames = |tags: &[u8]| tags.iter().flat_map(|&tag| [tag, 0, 0, 0, 6, 1, 2]).collect::<Vec<_>>();
        assert_eq!(whole_run(&frames(b"DDC"), b'D'), 14);
        assert_eq!(whole_run(&frames(b"DD"), b'D'), 14);
        assert_eq!(whole_run(&frames(b"DD")[..13], b'D'), 7);
        assert_eq!(whole_run(&frames(b"CD"), b'D'), 0);
        assert_eq!(whole_run(&[b'D', 0, 0, 0, 3, 0, 0, 0, 4], b'D'), 0);
        assert_eq!(whole_run(&[b'D', 0xff, 0xff, 0xff, 0xff, 0], b'D'), 0);
    }

    #[test]
    fn f3_caps_depend_on_the_tag() {
        let frame = |tag: u8, length: u32| {
            let mut frame = vec![tag];
            frame.extend(length.to_be_bytes());
            frame
        };
        assert!(frontend_header(&frame(b'S', 10_001)).is_err());
        assert!(frontend_header(&frame(b'Q', 0x3fff_fffe)).is_ok());
        assert!(frontend_header(&frame(b'Q', 0x3fff_ffff)).is_err());
        assert!(frontend_header(&frame(b'p', 70_000)).is_err());
        assert!(backend_header(&frame(b'D', 0x7fff_ffff)).is_ok());
    }
}
