//! A protocol 3 client that hides nothing: tags, SQLSTATEs, positions, type oids, and bytes for those who want them.
//!
//! Drivers smooth over what these tests are about. Written apart from the product's own frame code, on purpose.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// A reply that takes longer than this fails the test.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// One column of a RowDescription, without the table's oid, which differs from database to database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type's oid.
    pub type_oid: u32,
    /// The type's modifier.
    pub type_modifier: i32,
}

/// The fields of an ErrorResponse that the tests look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerError {
    /// Field `C`.
    pub sqlstate: String,
    /// Field `M`.
    pub message: String,
    /// Field `P`.
    pub position: Option<String>,
    /// Field `H`.
    pub hint: Option<String>,
    /// Field `D`.
    pub detail: Option<String>,
    /// Fields `s`, `t`, `c`, `d` and `n`: schema, table, column, data type and constraint, those that came.
    pub objects: Vec<(char, String)>,
}

impl ServerError {
    /// The name in field `field`, if it came.
    pub fn object(&self, field: char) -> Option<&str> {
        self.objects.iter().find(|(name, _)| *name == field).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.sqlstate, self.message)?;
        if let Some(position) = &self.position {
            write!(f, " (position {position})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}

/// A value as it came, or NULL.
pub type Value = Option<Vec<u8>>;

/// What one statement answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// RowDescription; empty without one.
    pub columns: Vec<Column>,
    /// DataRows; for COPY TO, one value a CopyData message.
    pub rows: Vec<Vec<Value>>,
    /// CommandComplete.
    pub tag: Option<String>,
    /// ErrorResponse.
    pub error: Option<ServerError>,
}

impl Reply {
    /// The rows as text, NULL as `null`.
    pub fn texts(&self) -> Vec<Vec<String>> {
        let text = |value: &Value| match value {
            None => "null".to_owned(),
            Some(bytes) => String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned(),
        };
        self.rows.iter().map(|row| row.iter().map(text).collect()).collect()
    }
}

/// A connection.
#[derive(Debug)]
pub struct Raw {
    stream: BufReader<TcpStream>,
    /// `I` idle, `T` in a transaction, `E` in a failed one.
    pub status: u8,
    /// BackendKeyData: process id and secret key, as they came.
    pub key: Vec<u8>,
    /// What the next COPY FROM STDIN is given; without it, such a COPY fails.
    copied: Option<String>,
}

impl Raw {
    /// Connects to 127.0.0.1 and finishes a startup that asks for no password.
    pub fn connect(port: u16, user: &str, database: &str) -> io::Result<Self> {
        Self::connect_with(port, &[("user", user), ("database", database)])
    }

    /// Connects with startup parameters of the caller's choice.
    pub fn connect_with(port: u16, parameters: &[(&str, &str)]) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        let mut raw = Self { stream: BufReader::new(stream), status: b'I', key: Vec::new(), copied: None };
        raw.send(&startup_packet(parameters))?;
        loop {
            match raw.read_message()? {
                (b'R', body) if body[..4] != [0; 4] => {
                    return Err(io::Error::other("the server wants a password"));
                }
                (b'E', body) => return Err(io::Error::other(error(&body).to_string())),
                (b'K', body) => raw.key = body,
                (b'Z', _) => return Ok(raw),
                _ => {}
            }
        }
    }

    /// Writes bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// The connection once more, for a thread that writes while another reads.
    pub fn second_handle(&self) -> TcpStream {
        self.stream.get_ref().try_clone().expect("a second handle")
    }

    /// Reads one message: its type and its body.
    pub fn read_message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length - 4];
        self.stream.read_exact(&mut body)?;
        if head[0] == b'Z' {
            self.status = body[0];
        }
        Ok((head[0], body))
    }

    /// Sends a simple query; one reply for each statement that was answered. A lost connection fails the test.
    pub fn simple(&mut self, sql: &str) -> Vec<Reply> {
        self.try_simple(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// As [`Raw::simple`], where the connection may be lost.
    pub fn try_simple(&mut self, sql: &str) -> io::Result<Vec<Reply>> {
        self.send(&query(sql))?;
        self.try_replies()
    }

    /// The server's major version.
    pub fn major_version(&mut self) -> u32 {
        let number = self.expect("SHOW server_version_num")[0].texts().concat().concat();
        number.parse::<u32>().expect("a number") / 10_000
    }

    /// As [`Raw::simple`]; an error fails the test.
    pub fn expect(&mut self, sql: &str) -> Vec<Reply> {
        let replies = self.simple(sql);
        if let Some(error) = replies.iter().find_map(|reply| reply.error.as_ref()) {
            panic!("{error}\nfrom: {sql}");
        }
        replies
    }

    /// The server process behind it.
    pub fn process(&self) -> u32 {
        u32_at(&self.key, 0)
    }

    /// As [`Raw::simple`], of a COPY FROM STDIN that is given `data`.
    pub fn copy(&mut self, sql: &str, data: &str) -> Vec<Reply> {
        self.copied = Some(data.to_owned());
        let replies = self.simple(sql);
        self.copied = None;
        replies
    }

    /// Parse, Bind, Describe, Execute, Sync with text parameters; `binary` asks for binary results.
    pub fn extended(&mut self, sql: &str, parameters: &[Option<&str>], binary: bool) -> Reply {
        let mut bytes = parse("", sql);
        bytes.extend(bind("", parameters, binary));
        bytes.extend(describe_portal());
        bytes.extend(execute(0));
        bytes.extend(sync());
        self.send(&bytes).unwrap_or_else(|error| panic!("sending {sql}: {error}"));
        self.replies(sql).pop().unwrap_or_default()
    }

    /// Everything up to ReadyForQuery, cut at each CommandComplete, error or empty statement.
    pub fn replies(&mut self, sql: &str) -> Vec<Reply> {
        self.try_replies().unwrap_or_else(|error| panic!("reading the reply to {sql}: {error}"))
    }

    fn try_replies(&mut self) -> io::Result<Vec<Reply>> {
        let mut replies = Vec::new();
        let mut current = Reply::default();
        loop {
            let (kind, body) = self.read_message()?;
            match kind {
                b'T' => current.columns = columns(&body),
                b'D' => current.rows.push(values(&body)),
                b'd' => current.rows.push(vec![Some(body)]),
                b'C' => {
                    current.tag = Some(cstr(&body).0);
                    replies.push(std::mem::take(&mut current));
                }
                b'E' => {
                    current.error = Some(error(&body));
                    replies.push(std::mem::take(&mut current));
                }
                b'I' | b's' => replies.push(std::mem::take(&mut current)),
                b'G' => {
                    let fail = || message(b'f', b"the tests send no copy data\0");
                    let data = |data: String| [message(b'd', data.as_bytes()), message(b'c', b"")].concat();
                    let answer = self.copied.take().map_or_else(fail, data);
                    self.send(&answer)?;
                }
                b'Z' => return Ok(replies),
                _ => {}
            }
        }
    }
}

/// A startup packet of protocol 3.0.
pub fn startup_packet(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend(zero_ended(name));
        body.extend(zero_ended(value));
    }
    body.push(0);
    framed(&body)
}

/// A message: type, length, body.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(framed(body));
    bytes
}

/// Query.
pub fn query(sql: &str) -> Vec<u8> {
    query_bytes(sql.as_bytes())
}

/// Query, in whatever encoding.
pub fn query_bytes(sql: &[u8]) -> Vec<u8> {
    message(b'Q', &[sql, &[0]].concat())
}

/// Parse, with the parameter types left to the server.
pub fn parse(name: &str, sql: &str) -> Vec<u8> {
    message(b'P', &[zero_ended(name), zero_ended(sql), vec![0, 0]].concat())
}

/// Parse, Bind and Execute of a text without parameters, none of them named.
pub fn run_text(sql: &str) -> Vec<u8> {
    [parse("", sql), bind("", &[], false), execute(0)].concat()
}

/// Bind of a portal with a name, without parameters.
pub fn bind_portal(portal: &str, statement: &str) -> Vec<u8> {
    message(b'B', &[zero_ended(portal), zero_ended(statement), vec![0; 6]].concat())
}

/// Bind of the unnamed portal, with text parameters.
pub fn bind(statement: &str, parameters: &[Option<&str>], binary: bool) -> Vec<u8> {
    let mut body = [vec![0], zero_ended(statement), vec![0, 0]].concat();
    body.extend((parameters.len() as u16).to_be_bytes());
    for parameter in parameters {
        match parameter {
            None => body.extend((-1_i32).to_be_bytes()),
            Some(text) => {
                body.extend((text.len() as i32).to_be_bytes());
                body.extend(text.as_bytes());
            }
        }
    }
    body.extend([0, 1, 0, u8::from(binary)]);
    message(b'B', &body)
}

/// Describe of the unnamed portal.
pub fn describe_portal() -> Vec<u8> {
    message(b'D', b"P\0")
}

/// Execute of the unnamed portal; 0 rows means all.
pub fn execute(rows_max: u32) -> Vec<u8> {
    execute_portal("", rows_max)
}

/// Execute; 0 rows means all.
pub fn execute_portal(portal: &str, rows_max: u32) -> Vec<u8> {
    message(b'E', &[zero_ended(portal), rows_max.to_be_bytes().to_vec()].concat())
}

/// Sync.
pub fn sync() -> Vec<u8> {
    message(b'S', &[])
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 4).to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

fn zero_ended(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

fn cstr(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes.get(end + 1..).unwrap_or_default())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn columns(body: &[u8]) -> Vec<Column> {
    let mut columns = Vec::new();
    let mut rest = &body[2..];
    while !rest.is_empty() {
        let (name, fields) = cstr(rest);
        columns.push(Column { name, type_oid: u32_at(fields, 6), type_modifier: u32_at(fields, 12) as i32 });
        rest = &fields[18..];
    }
    columns
}

fn values(body: &[u8]) -> Vec<Value> {
    let mut values = Vec::new();
    let mut at = 2;
    while at < body.len() {
        let length = u32_at(body, at) as i32;
        at += 4;
        values.push(if length < 0 {
            None
        } else {
            let end = at + length as usize;
            let value = body[at..end].to_vec();
            at = end;
            Some(value)
        });
    }
    values
}

fn error(body: &[u8]) -> ServerError {
    let mut found = ServerError::default();
    let mut rest = body;
    while let [field, text @ ..] = rest
        && *field != 0
    {
        let (value, after) = cstr(text);
        match field {
            b'C' => found.sqlstate = value,
            b'M' => found.message = value,
            b'P' => found.position = Some(value),
            b'H' => found.hint = Some(value),
            b'D' => found.detail = Some(value),
            b's' | b't' | b'c' | b'd' | b'n' => found.objects.push((char::from(*field), value)),
            _ => {}
        }
        rest = after;
    }
    found
}
