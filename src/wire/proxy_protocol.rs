//! The PROXY protocol's header, versions 1 and 2: where a client behind a load balancer really comes from (N14).
//!
//! <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest version 1 header, its line end included.
pub const LINE_BYTES_MAX: usize = 107;
/// The fixed part of a version 2 header.
pub const FIXED_BYTES: usize = 16;
/// More than this after the fixed part is refused: addresses and every extension known take less.
const REST_BYTES_MAX: usize = 4096;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes that are no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PROXY protocol header")]
pub struct NoHeader;

/// Reads the header at the start of `buffer`: the client's address, if it names one, and the header's length; `None`
/// until it is all there.
///
/// # Errors
/// [`NoHeader`] as soon as it cannot become one.
pub fn header(buffer: &[u8]) -> Result<Option<(Option<SocketAddr>, usize)>, NoHeader> {
    let same = buffer.len().min(SIGNATURE.len());
    if buffer[..same] == SIGNATURE[..same] {
        return binary(buffer);
    }
    let start = b"PROXY ";
    let same = buffer.len().min(start.len());
    if buffer[..same] != start[..same] {
        return Err(NoHeader);
    }
    match buffer.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n') {
        Some(end) => Ok(Some((line(&buffer[..end])?, end + 1))),
        None if buffer.len() >= LINE_BYTES_MAX => Err(NoHeader),
        None => Ok(None),
    }
}

/// How many bytes may be read without reading past the header, given what is there; never 0 before its end.
#[must_use]
pub fn bytes_wanted(buffer: &[u8]) -> usize {
    if buffer.len() >= SIGNATURE.len() && buffer.starts_with(SIGNATURE) {
        return match buffer.get(14..16) {
            Some(length) => FIXED_BYTES + usize::from(u16::from_be_bytes([length[0], length[1]])) - buffer.len(),
            None => FIXED_BYTES - buffer.len(),
        };
    }
    // The shortest line has 15 bytes and the shortest binary header 16; a line's end is looked for byte by byte.
    SIGNATURE.len().saturating_sub(buffer.len()).max(1)
}

fn line(line: &[u8]) -> Result<Option<SocketAddr>, NoHeader> {
    let line = line.strip_suffix(b"\r").and_then(|line| std::str::from_utf8(line).ok()).ok_or(NoHeader)?;
    let words: Vec<&str> = line.split(' ').collect();
    let (address, port) = match words[..] {
        ["PROXY", "UNKNOWN", ..] => return Ok(None),
        ["PROXY", "TCP4", source, _, port, _] => (source.parse::<Ipv4Addr>().map(IpAddr::from), port),
        ["PROXY", "TCP6", source, _, port, _] => (source.parse::<Ipv6Addr>().map(IpAddr::from), port),
        _ => return Err(NoHeader),
    };
    match (address, port.parse()) {
        (Ok(address), Ok(port)) => Ok(Some(SocketAddr::new(address, port))),
        _ => Err(NoHeader),
    }
}

fn binary(buffer: &[u8]) -> Result<Option<(Option<SocketAddr>, usize)>, NoHeader> {
    let Some((fixed, rest)) = buffer.split_first_chunk::<FIXED_BYTES>() else { return Ok(None) };
    let (command, family) = (fixed[12], fixed[13]);
    let length = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if command >> 4 != 2 || length > REST_BYTES_MAX {
        return Err(NoHeader);
    }
    let Some(rest) = rest.get(..length) else { return Ok(None) };
    let source = match (command & 0xf, family) {
        // LOCAL: the balancer's own health check.
        (0, _) => None,
        (1, 0x11) => {
            let addresses: &[u8; 12] = rest.first_chunk().ok_or(NoHeader)?;
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *addresses;
            Some(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
        }
        (1, 0x21) => {
            let source: &[u8; 16] = rest.first_chunk().ok_or(NoHeader)?;
            let port = rest.get(32..34).ok_or(NoHeader)?;
            Some(SocketAddr::new(Ipv6Addr::from(*source).into(), u16::from_be_bytes([port[0], port[1]])))
        }
        (1, _) => None,
        _ => return Err(NoHeader),
    };
    Ok(Some((source, FIXED_BYTES + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([command, family]);
        bytes.extend(u16::try_from(rest.len()).expect("short").to_be_bytes());
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn n14_addresses_of_both_versions_are_read_at_every_cut() {
        let four = [10, 1, 2, 3, 127, 0, 0, 1, 0x1f, 0x90, 0x15, 0x38];
        let mut six = [0; 36];
        six[15] = 1;
        six[33] = 9;
        for (bytes, expected) in [
            (b"PROXY TCP4 10.1.2.3 127.0.0.1 8080 5432\r\n".to_vec(), Some("10.1.2.3:8080")),
            (b"PROXY TCP6 ::1 ::1 9 5432\r\n".to_vec(), Some("[::1]:9")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (v2(0x21, 0x11, &four), Some("10.1.2.3:8080")),
            (v2(0x21, 0x11, &[&four[..], &[3, 0, 1, 0]].concat()), Some("10.1.2.3:8080")),
            (v2(0x21, 0x21, &six), Some("[::1]:9")),
            (v2(0x20, 0, &[]), None),
        ] {
            let expected = expected.map(|text| text.parse().expect("an address"));
            for end in 0..bytes.len() {
                assert_eq!(header(&bytes[..end]), Ok(None));
                let wanted = bytes_wanted(&bytes[..end]);
                assert!(wanted > 0 && end + wanted <= bytes.len());
            }
            assert_eq!(header(&bytes), Ok(Some((expected, bytes.len()))));
        }
    }

    #[test]
    fn n14_anything_else_is_no_header() {
        for bytes in [
            b"\0\0\0\x08\x04\xd2\x16\x2f".to_vec(),
            b"PROXY TCP4 10.1.2.3\r\n".to_vec(),
            b"PROXY TCP4 10.1.2.3 127.0.0.1 8080 5432\n".to_vec(),
            b"PROXY TCP4 ::1 127.0.0.1 8080 5432\r\n".to_vec(),
            [b"PROXY TCP4 ".as_slice(), &[b'1'; 100]].concat(),
            v2(0x11, 0x11, &[0; 12]),
            v2(0x22, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; 11]),
        ] {
            assert_eq!(header(&bytes), Err(NoHeader), "{}", bytes.escape_ascii());
        }
    }
}
