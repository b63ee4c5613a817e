//! The smallest PostgreSQL client that shows what psql shows: column names, values as text, command tags, errors.
//!
//! Client libraries keep the command tag to themselves, and the tag is half of what the tour is about.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Protocol 3.0.
const PROTOCOL: u32 = 3 << 16;

/// A reply that takes longer than this ends the tour.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// A message longer than this is none that the shop can cause.
const MESSAGE_BYTES_MAX: usize = 1 << 24;

/// What one query string answered: the last result, or the error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Column names; empty where no rows can come.
    pub(super) columns: Vec<String>,
    /// Values as text; `None` is NULL.
    pub(super) rows: Vec<Vec<Option<String>>>,
    /// The command tag, such as `DELETE 1`.
    pub(super) tag: Option<String>,
    /// The error's SQLSTATE and message.
    pub(super) error: Option<(String, String)>,
}

/// A connection that needs no password.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
}

impl Client {
    /// Connects to 127.0.0.1.
    ///
    /// # Errors
    /// The socket's, or the server's own words.
    pub(super) fn connect(port: u16, user: &str, database: &str) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        let mut client = Self { stream };
        let mut body = PROTOCOL.to_be_bytes().to_vec();
        for text in ["user", user, "database", database, "application_name", "sexton demo", ""] {
            body.extend_from_slice(text.as_bytes());
            body.push(0);
        }
        client.send(None, &body)?;
        loop {
            match client.read_message()? {
                (b'E', body) => {
                    let (sqlstate, message) = error(&body);
                    return Err(io::Error::other(format!("{sqlstate}: {message}")));
                }
                (b'R', body) if body.first_chunk() != Some(&[0; 4]) => {
                    return Err(io::Error::other("the server asks for a password"));
                }
                (b'Z', _) => return Ok(client),
                _ => {}
            }
        }
    }

    /// Sends a query string and reads everything up to the server's readiness for the next.
    ///
    /// # Errors
    /// The socket's. An error of the server is part of the answer.
    pub(super) fn query(&mut self, sql: &str) -> io::Result<Answer> {
        self.send(Some(b'Q'), &[sql.as_bytes(), &[0]].concat())?;
        self.answer()
    }

    fn send(&mut self, kind: Option<u8>, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).map_err(io::Error::other)?;
        let mut bytes: Vec<u8> = kind.into_iter().collect();
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(body);
        self.stream.write_all(&bytes)
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let (kind, body) = self.read_message()?;
            match kind {
                b'T' => answer = Answer { columns: columns(&body).ok_or_else(malformed)?, ..Answer::default() },
                b'D' => answer.rows.push(values(&body).ok_or_else(malformed)?),
                b'C' => answer.tag = body.split(|byte| *byte == 0).next().map(text),
                b'E' => answer.error = Some(error(&body)),
                b'Z' => return Ok(answer),
                _ => {}
            }
        }
    }

    fn read_message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if !(4..=MESSAGE_BYTES_MAX).contains(&length) {
            return Err(malformed());
        }
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body)?;
        Ok((kind, body))
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message that is not PostgreSQL's")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Names end with a zero byte and are followed by 18 bytes about the column.
fn columns(body: &[u8]) -> Option<Vec<String>> {
    let mut rest = body.get(2..)?;
    let mut names = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == 0)?;
        names.push(text(&rest[..end]));
        rest = rest.get(end + 19..)?;
    }
    Some(names)
}

fn values(body: &[u8]) -> Option<Vec<Option<String>>> {
    let mut rest = body.get(2..)?;
    let mut values = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        match usize::try_from(i32::from_be_bytes(*length)) {
            Err(_) => {
                values.push(None);
                rest = after;
            }
            Ok(length) => {
                values.push(Some(text(after.get(..length)?)));
                rest = &after[length..];
            }
        }
    }
    Some(values)
}

fn error(body: &[u8]) -> (String, String) {
    let field = |name: u8| {
        let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&name));
        found.map(|field| text(&field[1..])).unwrap_or_default()
    };
    (field(b'C'), field(b'M'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_empty_are_two_values() {
        let body = [0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
        assert_eq!(values(&body), Some(vec![None, Some(String::new())]));
    }

    #[test]
    fn a_cut_message_is_malformed() {
        assert_eq!(values(&[0, 1, 0, 0, 0, 5, b'a']), None);
        assert_eq!(columns(&[0, 1, b'a', 0, 0]), None);
    }

    #[test]
    fn an_error_gives_its_code_and_its_words() {
        assert_eq!(error(b"SERROR\0C42501\0Mno\0\0"), ("42501".to_owned(), "no".to_owned()));
    }
}
