//! What a string of the file stands for: durations, addresses, names of tables and columns.

use std::path::PathBuf;

use crate::config::{Reference, TableName, UpstreamAddress};

/// Bytes of a PostgreSQL name; the server cuts longer ones off.
const NAME_BYTES_MAX: usize = 63;

/// The port of an upstream address that gives none.
const POSTGRESQL_PORT: u16 = 5432;

/// The file name of a PostgreSQL socket, up to its port.
const SOCKET_PREFIX: &str = ".s.PGSQL.";

/// Why a string does not stand for what its key needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) mend: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { message: message.into(), mend: mend.into() }
    }
}

/// Spellings of a unit of time that PostgreSQL's interval reads too, and its milliseconds
/// (`None`: as long as the calendar makes it).
const UNITS: &[(&[&str], Option<u64>)] = &[
    (&["ms", "millisecond", "milliseconds"], Some(1)),
    (&["s", "sec", "secs", "second", "seconds"], Some(1_000)),
    (&["m", "min", "mins", "minute", "minutes"], Some(60_000)),
    (&["h", "hr", "hrs", "hour", "hours"], Some(3_600_000)),
    (&["d", "day", "days"], Some(86_400_000)),
    (&["w", "week", "weeks"], Some(604_800_000)),
    (&["mon", "mons", "month", "months"], None),
    (&["y", "year", "years"], None),
];

/// Milliseconds of a duration such as `10s` or `1h 30m`.
pub(super) fn milliseconds(text: &str) -> Result<u64, Fault> {
    let mut sum: u64 = 0;
    for (number, unit) in terms(text)? {
        let unit_ms = unit.ok_or_else(|| {
            Fault::new(format!("\"{text}\" has no fixed length: months and years differ"), "write weeks or days")
        })?;
        sum = number
            .checked_mul(unit_ms)
            .and_then(|ms| sum.checked_add(ms))
            .ok_or_else(|| Fault::new(format!("\"{text}\" is too long"), "write a shorter duration"))?;
    }
    if sum == 0 {
        return Err(Fault::new(format!("\"{text}\" is no time at all"), "write a duration such as \"10s\""));
    }
    Ok(sum)
}

/// A duration of calendar length such as `90 days` or `1 year`, as PostgreSQL's interval reads it.
pub(super) fn interval(text: &str) -> Result<String, Fault> {
    terms(text).map(|_| text.trim().to_owned())
}

fn terms(text: &str) -> Result<Vec<(u64, Option<u64>)>, Fault> {
    let fault = || {
        Fault::new(
            format!("\"{text}\" is no duration"),
            "write whole numbers with a unit, such as \"10s\", \"1h\", \"90 days\" or \"1 year 6 months\"",
        )
    };
    let mut terms = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(fault)?;
        let number = rest[..digits].parse().map_err(|_| fault())?;
        let after = rest[digits..].trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let name = after[..letters].to_ascii_lowercase();
        let (_, unit) = UNITS.iter().find(|(names, _)| names.contains(&name.as_str())).ok_or_else(fault)?;
        terms.push((number, *unit));
        rest = after[letters..].trim_start();
    }
    if terms.is_empty() { Err(fault()) } else { Ok(terms) }
}

/// `host:port` to listen on; port 0 lets the system choose. `usual`: what the key is where it is left out.
pub(super) fn listen_address(text: &str, usual: &str) -> Result<String, Fault> {
    let (host, port) = host_and_port(text)?;
    if host == "*" {
        return Err(Fault::new("\"*\" is no host", "write 0.0.0.0 for every IPv4 address, [::] for IPv6"));
    }
    match port {
        Some(_) => Ok(text.to_owned()),
        None => {
            let port = usual.rsplit_once(':').map_or(usual, |(_, port)| port);
            Err(Fault::new(format!("\"{text}\" names no port"), format!("write \"{text}:{port}\"")))
        }
    }
}

/// `host`, `host:port`, `[v6]:port`, or the directory of a Unix socket with or without `:port`.
pub(super) fn upstream_address(text: &str) -> Result<UpstreamAddress, Fault> {
    if text.starts_with('/') {
        return unix_address(text);
    }
    match host_and_port(text)? {
        (_, Some(0)) => Err(Fault::new(format!("\"{text}\" has port 0"), "write the port PostgreSQL listens on")),
        (host, port) => Ok(UpstreamAddress::Tcp { host: host.to_owned(), port: port.unwrap_or(POSTGRESQL_PORT) }),
    }
}

fn unix_address(text: &str) -> Result<UpstreamAddress, Fault> {
    let path = PathBuf::from(text);
    let socket = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(SOCKET_PREFIX));
    if let (Some(port), Some(directory)) = (socket, path.parent()) {
        return Ok(UpstreamAddress::Unix { directory: directory.to_owned(), port: port_number(text, port)? });
    }
    match text.rsplit_once(':') {
        Some((directory, port)) => {
            Ok(UpstreamAddress::Unix { directory: directory.into(), port: port_number(text, port)? })
        }
        None => Ok(UpstreamAddress::Unix { directory: path, port: POSTGRESQL_PORT }),
    }
}

/// The host without the brackets of an IPv6 address, and the port if there is one.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), Fault> {
    if text.contains("://") {
        // Not quoted: a connection URL may hold a password.
        return Err(Fault::new("a URL is no address", "write \"host:port\"; user and password have keys of their own"));
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
        None if text.matches(':').count() > 1 => {
            return Err(Fault::new(
                format!("\"{text}\" has too many colons for host:port"),
                "write an IPv6 address in brackets, such as \"[::1]:5432\"",
            ));
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || host.contains(char::is_whitespace) || host.contains(['/', '[', ']']) {
        return Err(Fault::new(format!("\"{text}\" names no host"), "write \"host:port\", such as \"127.0.0.1:5432\""));
    }
    Ok((host, port.map(|port| port_number(text, port)).transpose()?))
}

fn port_number(text: &str, port: &str) -> Result<u16, Fault> {
    let plain = port.chars().all(|c| c.is_ascii_digit());
    port.parse().ok().filter(|_| plain).ok_or_else(|| {
        Fault::new(format!("\"{port}\" in \"{text}\" is no port"), "write a number from 1 to 65535 behind the colon")
    })
}

/// A relation as SQL would name it: `users` (in schema public) or `billing.invoices`, each part quoted
/// where SQL would need quotes.
///
/// Capitals outside quotes are refused rather than folded: `Users` may be meant for the table `"Users"`,
/// and reading it as `users` would leave that table unguarded.
pub(super) fn table_name(text: &str) -> Result<TableName, Fault> {
    let mut parts = name_parts(text)?.into_iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(relation), None, None) => Ok(TableName { schema: "public".to_owned(), relation }),
        (Some(schema), Some(relation), None) => Ok(TableName { schema, relation }),
        _ => Err(Fault::new(
            format!("\"{text}\" has too many parts for a table name"),
            "write schema.table; the database is named by the section [databases.NAME]",
        )),
    }
}

/// A column with its table: `order_items.item_id` (in schema public) or `shop.order_items.item_id`.
pub(super) fn reference(text: &str) -> Result<Reference, Fault> {
    let mut parts = name_parts(text)?;
    let schema = if parts.len() > 2 { parts.remove(0) } else { "public".to_owned() };
    match <[String; 2]>::try_from(parts) {
        Ok([relation, column]) => Ok(Reference { table: TableName { schema, relation }, column }),
        Err(_) => Err(Fault::new(
            format!("\"{text}\" does not name a column with its table"),
            "write table.column or schema.table.column: the column of the foreign key that points here",
        )),
    }
}

/// The parts between the dots, as stored.
fn name_parts(text: &str) -> Result<Vec<String>, Fault> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = name_part(text, rest)?;
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(parts),
            None => {
                return Err(Fault::new(
                    format!("\"{text}\" is no name: \"{after}\" follows a closing quote"),
                    "write each part between the dots wholly in quotes or wholly without",
                ));
            }
        }
    }
}

/// One part as stored, and what follows it.
fn name_part<'a>(whole: &str, text: &'a str) -> Result<(String, &'a str), Fault> {
    if text.starts_with('"') {
        return quoted_part(whole, text);
    }
    let (part, rest) = text.split_at(text.find(['.', '"']).unwrap_or(text.len()));
    let letter = |c: char| c.is_alphabetic() || c == '_' || !c.is_ascii();
    let quoted = whole.replace(part, &format!("\"{part}\""));
    let quoting = format!("write it in SQL's quotes inside TOML's single quotes, '{quoted}'");
    if part.chars().any(|c| c.is_ascii_uppercase()) {
        return Err(Fault::new(
            format!("\"{whole}\" has capitals, which PostgreSQL drops from a name without quotes"),
            format!("write \"{}\" if that is the table; if the capitals are meant, {quoting}", whole.to_lowercase()),
        ));
    }
    if !part.starts_with(letter) || !part.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '$') {
        return Err(match part {
            "" => Fault::new(format!("\"{whole}\" is no name"), "write every part, as in schema.table"),
            _ => Fault::new(format!("\"{part}\" is no SQL name without quotes"), quoting),
        });
    }
    stored(part.to_owned()).map(|part| (part, rest))
}

/// One part in double quotes, which stand doubled inside it.
fn quoted_part<'a>(whole: &str, text: &'a str) -> Result<(String, &'a str), Fault> {
    let mut part = String::new();
    let mut rest = &text[1..];
    while let Some(quote) = rest.find('"') {
        part.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                part.push('"');
                rest = next;
            }
            None => return stored(part).map(|part| (part, rest)),
        }
    }
    Err(Fault::new(format!("{whole}: the quote is never closed"), "close it; a quote inside a name is doubled"))
}

/// A column's name: as stored, or in SQL's quotes.
pub(super) fn column_name(text: &str) -> Result<String, Fault> {
    if !text.starts_with('"') {
        return stored(text.to_owned());
    }
    match quoted_part(text, text)? {
        (name, "") => Ok(name),
        _ => Err(Fault::new(format!("{text} is no column name"), "write the name alone, without its table")),
    }
}

/// A name as stored, if the server could store it.
pub(super) fn stored(name: String) -> Result<String, Fault> {
    if name.is_empty() {
        return Err(Fault::new("the name is empty", "write a name"));
    }
    if name.contains('\0') {
        return Err(Fault::new("a name cannot hold a zero byte", "write the name without it"));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Fault::new(
            format!("\"{name}\" is {} bytes long; PostgreSQL cuts names off at {NAME_BYTES_MAX}", name.len()),
            "write the name as the server stores it",
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("10s", Some(10_000)),
            ("1h 30m", Some(5_400_000)),
            ("1h30m", Some(5_400_000)),
            ("2 Days", Some(172_800_000)),
            ("500ms", Some(500)),
            ("0s", None),
            ("10", None),
            ("s", None),
            ("", None),
            ("-1s", None),
            ("1.5h", None),
            ("1 month", None),
            ("99999999999999999999s", None),
            ("9999999999999999 weeks", None),
        ] {
            assert_eq!(milliseconds(text).ok(), expected, "{text}");
        }
        assert_eq!(interval(" 1 year 6 months "), Ok("1 year 6 months".to_owned()));
        assert!(interval("soon").is_err());
    }

    #[test]
    fn upstream_addresses() {
        let tcp = |host: &str, port| Some(UpstreamAddress::Tcp { host: host.into(), port });
        let unix = |directory: &str, port| Some(UpstreamAddress::Unix { directory: directory.into(), port });
        for (text, expected) in [
            ("db.example:5433", tcp("db.example", 5433)),
            ("db.example", tcp("db.example", 5432)),
            ("[::1]:5433", tcp("::1", 5433)),
            ("[::1]", tcp("::1", 5432)),
            ("/run/postgresql", unix("/run/postgresql", 5432)),
            ("/run/postgresql:5433", unix("/run/postgresql", 5433)),
            ("/run/postgresql/.s.PGSQL.5434", unix("/run/postgresql", 5434)),
            ("::1", None),
            (":5432", None),
            ("db:", None),
            ("db:+1", None),
            ("db:0", None),
            ("db:70000", None),
            ("postgres://u:secret@db", None),
        ] {
            assert_eq!(upstream_address(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn listen_addresses() {
        for (text, good) in
            [("0.0.0.0:6432", true), ("[::]:0", true), ("localhost:1", true), ("*:6432", false), ("127.0.0.1", false)]
        {
            assert_eq!(listen_address(text, "127.0.0.1:1").is_ok(), good, "{text}");
        }
    }

    #[test]
    fn table_names() {
        for (text, expected) in [
            ("users", Some(("public", "users"))),
            ("billing.invoices", Some(("billing", "invoices"))),
            ("billing.\"Odd \"\"Name\"\".\"", Some(("billing", "Odd \"Name\"."))),
            ("\"A\".b$1", Some(("A", "b$1"))),
            ("größe", Some(("public", "größe"))),
            ("Users", None),
            ("my-table", None),
            ("1st", None),
            ("a.b.c", None),
            ("a.", None),
            ("", None),
            ("\"a", None),
            ("\"a\"b", None),
        ] {
            let expected =
                expected.map(|(schema, relation)| TableName { schema: schema.into(), relation: relation.into() });
            assert_eq!(table_name(text).ok(), expected, "{text}");
        }
    }
}
