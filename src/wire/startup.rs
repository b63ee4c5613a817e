//! A client's first bytes: a request for encryption, a cancel request, or a startup message, of which a copy is read
//! while the bytes themselves go to the server as they came (P1, P3).

use bytes::BytesMut;

use crate::wire::backend::put_negotiate_protocol_version;
use crate::wire::options;
use crate::wire::split_string;
use crate::wire::sqlstate::SqlState;

/// `MAX_STARTUP_PACKET_LENGTH`, which the server compares with the length less its own four bytes (P2).
pub const STARTUP_LENGTH_MAX: u32 = 10_000 + 4;
/// Names are cut here by the server (`NAMEDATALEN` - 1; P6).
pub const NAME_BYTES_MAX: usize = 63;
/// The newest minor version of protocol 3 there is.
const NEWEST_MINOR: u16 = 2;

/// Opens names of protocol options.
const OPTION_PREFIX: &[u8] = b"_pq_.";

const CANCEL_CODE: u32 = 80_877_102;
const SSL_CODE: u32 = 80_877_103;
const GSSENC_CODE: u32 = 80_877_104;

/// An SSLRequest, for the server.
pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A CancelRequest for the session to which the server has given `key` by BackendKeyData.
#[must_use]
pub fn cancel_request(key: &[u8]) -> Vec<u8> {
    // No key is longer than a message may be.
    let length = u32::try_from(8 + key.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), &CANCEL_CODE.to_be_bytes(), key].concat()
}

/// What a client opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum First {
    /// SSLRequest.
    Ssl,
    /// GSSENCRequest.
    GssEncryption,
    /// CancelRequest, with keys of any length (P10, C7).
    Cancel,
    /// StartupMessage.
    Startup(Startup),
}

/// The parameters of a StartupMessage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Startup {
    /// Major and minor version.
    pub version: (u16, u16),
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What a replication connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// Replication commands alone.
    Physical,
    /// Replication commands, and SQL in a database.
    InDatabase,
}

/// First bytes that no server would accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartupFault {
    /// Length below 8 or above 10 004; the server closes without a word.
    #[error("invalid length of startup packet")]
    Length,
    /// The list of parameters does not end where the packet does.
    #[error("invalid startup packet layout: expected terminator as last byte")]
    Layout,
    /// Not protocol 3.
    #[error("unsupported frontend protocol {0}.{1}: server supports 3.0 to 3.{NEWEST_MINOR}")]
    Version(u16, u16),
}

impl StartupFault {
    /// The code the server gives it.
    #[must_use]
    pub fn code(self) -> SqlState {
        match self {
            Self::Length | Self::Layout => SqlState::PROTOCOL_VIOLATION,
            Self::Version(..) => SqlState::FEATURE_NOT_SUPPORTED,
        }
    }

    /// A request for encryption where it cannot be asked for any more: the server then takes it for a version.
    #[must_use]
    pub fn repeated(request: &First) -> Self {
        let code = if *request == First::Ssl { SSL_CODE } else { GSSENC_CODE };
        Self::Version((code >> 16) as u16, (code & 0xffff) as u16)
    }
}

/// Reads the first packet from `buffer` and says how many bytes it takes; `None` until it is all there.
///
/// # Errors
/// [`StartupFault`] where the connection must end.
pub fn first(buffer: &[u8]) -> Result<Option<(First, usize)>, StartupFault> {
    let Some((length, rest)) = buffer.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length);
    if !(8..=STARTUP_LENGTH_MAX).contains(&length) {
        return Err(StartupFault::Length);
    }
    let Some(packet) = rest.get(..length as usize - 4) else { return Ok(None) };
    let Some((code, body)) = packet.split_first_chunk::<4>() else { return Ok(None) };
    let first = match u32::from_be_bytes(*code) {
        CANCEL_CODE => First::Cancel,
        SSL_CODE if body.is_empty() => First::Ssl,
        GSSENC_CODE if body.is_empty() => First::GssEncryption,
        SSL_CODE | GSSENC_CODE => return Err(StartupFault::Length),
        _ => First::Startup(Startup::read(*code, body)?),
    };
    Ok(Some((first, length as usize)))
}

impl Startup {
    fn read(version: [u8; 4], mut body: &[u8]) -> Result<Self, StartupFault> {
        let [a, b, c, d] = version;
        let version = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        if version.0 != 3 {
            return Err(StartupFault::Version(version.0, version.1));
        }
        let mut parameters = Vec::new();
        loop {
            match body {
                [0] => return Ok(Self { version, parameters }),
                [] | [0, ..] => return Err(StartupFault::Layout),
                _ => {
                    let (name, rest) = split_string(body).ok_or(StartupFault::Layout)?;
                    let (value, rest) = split_string(rest).ok_or(StartupFault::Layout)?;
                    parameters.push((name.to_vec(), value.to_vec()));
                    body = rest;
                }
            }
        }
    }

    /// The parameter's value; the last of several wins, as in the server (P5).
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters.iter().rev().find(|(other, _)| other == name.as_bytes()).map(|(_, value)| value.as_slice())
    }

    /// The login role, cut as the server cuts it.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        cut(self.parameter("user").unwrap_or_default())
    }

    /// The database: the role's name where none is given.
    #[must_use]
    pub fn database(&self) -> &[u8] {
        match self.parameter("database") {
            Some(name) if !name.is_empty() => cut(name),
            _ => self.user(),
        }
    }

    /// The kind of replication connection that the client asks for (P12).
    #[must_use]
    pub fn replication(&self) -> Option<Replication> {
        let value = self.parameter("replication")?.to_ascii_lowercase();
        let off = |word: &[u8], least: usize| value.len() >= least && word.starts_with(&value);
        if value == b"0" || off(b"false", 1) || off(b"no", 1) || off(b"off", 2) {
            return None;
        }
        // Of several values the last says whether, but any of them says that there is a database, as in the server.
        let in_database = self.parameters.iter().any(|(name, value)| name == b"replication" && value == b"database");
        Some(if in_database { Replication::InDatabase } else { Replication::Physical })
    }

    /// Writes the NegotiateProtocolVersion that a client is owed which asks for more than there is (P1): only for
    /// answers that no server has a part in.
    pub fn put_negotiation(&self, out: &mut BytesMut) {
        let names = self.parameters.iter().map(|(name, _)| name.as_slice());
        let options: Vec<&[u8]> = names.filter(|name| name.starts_with(OPTION_PREFIX)).collect();
        if self.version.1 > NEWEST_MINOR || !options.is_empty() {
            let version = (self.version.0, self.version.1.min(NEWEST_MINOR));
            put_negotiate_protocol_version(out, version, &options);
        }
    }

    /// A setting, from its own parameter or from `options`; the server applies the parameters last.
    /// Setting names know no case.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<Vec<u8>> {
        let same = |other: &[u8]| other.eq_ignore_ascii_case(name.as_bytes());
        let own = self.parameters.iter().rev().find(|(other, _)| same(other)).map(|(_, value)| value.clone());
        own.or_else(|| self.options().into_iter().rev().find(|(other, _)| same(other)).map(|(_, value)| value))
    }

    /// The names of all parameters and of the settings in `options`, as written.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        let parameters = self.parameters.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned());
        parameters.chain(self.options().into_iter().map(|(name, _)| String::from_utf8_lossy(&name).into_owned()))
    }

    fn options(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.parameter("options").map(options::settings).unwrap_or_default()
    }
}

/// Cuts a name to the server's length without splitting a UTF-8 character.
fn cut(name: &[u8]) -> &[u8] {
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    let mut end = NAME_BYTES_MAX;
    while end > 0 && name[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(code: u32, body: &[u8]) -> Vec<u8> {
        let mut packet = u32::try_from(body.len() + 8).expect("short").to_be_bytes().to_vec();
        packet.extend(code.to_be_bytes());
        packet.extend(body);
        packet
    }

    fn startup(body: &[u8]) -> Startup {
        match first(&packet(3 << 16, body)) {
            Ok(Some((First::Startup(startup), _))) => startup,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_prefix_of_a_packet_is_not_yet_a_packet() {
        let packet = packet(3 << 16, b"user\0ann\0\0");
        for end in 0..packet.len() {
            assert_eq!(first(&packet[..end]), Ok(None));
        }
        assert!(matches!(first(&packet), Ok(Some((_, taken))) if taken == packet.len()));
    }

    #[test]
    fn n1_c7_the_requests_are_told_apart_by_their_code() {
        assert_eq!(first(&packet(SSL_CODE, b"")), Ok(Some((First::Ssl, 8))));
        assert_eq!(first(&packet(GSSENC_CODE, b"")), Ok(Some((First::GssEncryption, 8))));
        assert_eq!(first(&packet(CANCEL_CODE, &[7; 260])), Ok(Some((First::Cancel, 268))));
        assert_eq!(first(&packet(SSL_CODE, b"x")), Err(StartupFault::Length));
    }

    #[test]
    fn p2_lengths_and_layout_are_the_servers() {
        assert_eq!(first(&[0, 0, 0, 7, 0, 0, 0, 0]), Err(StartupFault::Length));
        assert_eq!(first(&[0, 0, 0x27, 0x15]), Err(StartupFault::Length));
        assert_eq!(first(&packet(3 << 16, b"user\0ann\0")), Err(StartupFault::Layout));
        assert_eq!(first(&packet(3 << 16, b"user\0ann\0\0x")), Err(StartupFault::Layout));
        assert_eq!(first(&packet(2 << 16, b"")), Err(StartupFault::Version(2, 0)));
    }

    #[test]
    fn p5_the_last_duplicate_wins_and_the_database_defaults_to_the_user() {
        let read = startup(b"user\0ann\0user\0bob\0\0");
        assert_eq!(read.user(), b"bob");
        assert_eq!(read.database(), b"bob");
    }

    #[test]
    fn p6_names_are_cut_at_a_character() {
        let mut body = b"user\0".to_vec();
        body.extend([b'a'; 62]);
        body.extend("é".as_bytes());
        body.extend(b"\0\0");
        assert_eq!(startup(&body).user(), [b'a'; 62]);
    }

    #[test]
    fn p1_what_is_asked_for_beyond_what_there_is_is_named() {
        let negotiated = |version: u32, body: &[u8]| {
            let mut out = BytesMut::new();
            match first(&packet(version, body)) {
                Ok(Some((First::Startup(startup), _))) => startup.put_negotiation(&mut out),
                other => panic!("{other:?}"),
            }
            out.to_vec()
        };
        assert_eq!(negotiated(3 << 16, b"user\0a\0\0"), b"");
        assert_eq!(negotiated((3 << 16) + 2, b"user\0a\0\0"), b"");
        assert_eq!(negotiated((3 << 16) + 9999, b"user\0a\0\0"), b"v\0\0\0\x0c\0\x03\0\x02\0\0\0\0");
        let named = negotiated(3 << 16, b"user\0a\0_pq_.x\0y\0\0");
        assert_eq!(named, b"v\0\0\0\x13\0\x03\0\0\0\0\0\x01_pq_.x\0");
    }

    #[test]
    fn settings_come_from_parameters_before_options() {
        let read = startup(b"user\0a\0options\0-c search_path=x -c sexton.scope=all\0Search_Path\0y\0\0");
        assert_eq!(read.setting("search_path").as_deref(), Some(b"y".as_slice()));
        assert_eq!(read.setting("sexton.scope").as_deref(), Some(b"all".as_slice()));
    }

    #[test]
    fn p12_replication_is_anything_but_a_clear_no() {
        for (value, asked) in
            [("true", true), ("database", true), ("1", true), ("off", false), ("f", false), ("0", false)]
        {
            let read = startup(format!("user\0a\0replication\0{value}\0\0").as_bytes());
            assert_eq!(read.replication().is_some(), asked);
        }
        let read = startup(b"user\0a\0replication\0database\0replication\0true\0\0");
        assert_eq!(read.replication(), Some(Replication::InDatabase), "it takes SQL");
    }
}
