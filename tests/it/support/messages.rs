//! Protocol messages written as lines of text, in libpq's trace style: `Parse "s" "SELECT 1"`.

use bytes::BufMut;

/// Message names with their tags, and how their arguments are laid out.
pub type Vocabulary = [(&'static str, u8, Layout)];

/// How the arguments of a message make its body.
#[derive(Clone, Copy)]
pub enum Layout {
    /// Each argument as a string with its NUL.
    Strings,
    /// Each argument as it is.
    Raw,
    /// Strings, and behind them bytes that are the same every time.
    Tail(&'static [u8]),
    /// Portal, statement, and parameters as text.
    Bind,
    /// A portal, and how many rows at most (all).
    Limit,
    /// A kind letter, then a string.
    Kind,
    /// Pairs of a field's letter and its value.
    Fields,
}

/// What a client sends.
pub const FRONTEND: [(&str, u8, Layout); 12] = [
    ("Query", b'Q', Layout::Strings),
    ("Parse", b'P', Layout::Tail(&[0, 0])),
    ("Bind", b'B', Layout::Bind),
    ("Describe", b'D', Layout::Kind),
    ("Execute", b'E', Layout::Limit),
    ("Close", b'C', Layout::Kind),
    ("Sync", b'S', Layout::Raw),
    ("Flush", b'H', Layout::Raw),
    ("CopyData", b'd', Layout::Raw),
    ("CopyDone", b'c', Layout::Raw),
    ("CopyFail", b'f', Layout::Strings),
    ("FunctionCall", b'F', Layout::Raw),
];

/// What a server sends.
pub const BACKEND: [(&str, u8, Layout); 18] = [
    ("ParseComplete", b'1', Layout::Raw),
    ("BindComplete", b'2', Layout::Raw),
    ("CloseComplete", b'3', Layout::Raw),
    ("NoData", b'n', Layout::Raw),
    ("ParameterDescription", b't', Layout::Tail(&[0, 0])),
    ("RowDescription", b'T', Layout::Tail(&[0, 0])),
    ("DataRow", b'D', Layout::Raw),
    ("CommandComplete", b'C', Layout::Strings),
    ("EmptyQueryResponse", b'I', Layout::Raw),
    ("PortalSuspended", b's', Layout::Raw),
    ("ReadyForQuery", b'Z', Layout::Raw),
    ("ErrorResponse", b'E', Layout::Fields),
    ("NoticeResponse", b'N', Layout::Fields),
    ("ParameterStatus", b'S', Layout::Strings),
    ("CopyInResponse", b'G', Layout::Tail(&[0, 0, 0])),
    ("CopyOutResponse", b'H', Layout::Tail(&[0, 0, 0])),
    ("NotificationResponse", b'A', Layout::Raw),
    ("FunctionCallResponse", b'V', Layout::Raw),
];

/// The bytes of the message that `text` names. `Frame TAG "body"` is any message, `Raw "bytes"` need not be one.
pub fn message(text: &str, vocabulary: &Vocabulary) -> Result<Vec<u8>, String> {
    let words = words(text)?;
    let (name, arguments) = words.split_first().ok_or("a message is missing")?;
    match (name.as_slice(), arguments) {
        (b"Raw", [bytes]) => return Ok(bytes.clone()),
        (b"Frame", [tag, body]) if tag.len() == 1 => return Ok(frame(tag[0], body)),
        _ => {}
    }
    let found = vocabulary.iter().find(|(other, _, _)| other.as_bytes() == name);
    let (_, tag, layout) = found.ok_or_else(|| format!("no such message: {}", String::from_utf8_lossy(name)))?;
    Ok(frame(*tag, &body(arguments, *layout)?))
}

fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![tag];
    frame.put_u32(u32::try_from(body.len() + 4).expect("short"));
    frame.extend(body);
    frame
}

fn body(arguments: &[Vec<u8>], layout: Layout) -> Result<Vec<u8>, String> {
    let strings =
        |some: &[Vec<u8>]| some.iter().flat_map(|text| [text, b"\0".as_slice()].concat()).collect::<Vec<u8>>();
    let pairs = || arguments.chunks(2).flat_map(|pair| [&pair[0], strings(&pair[1..]).as_slice()].concat()).collect();
    Ok(match layout {
        Layout::Raw => arguments.concat(),
        Layout::Strings => strings(arguments),
        Layout::Tail(tail) => [&strings(arguments), tail].concat(),
        Layout::Kind => pairs(),
        Layout::Fields => [pairs(), vec![0]].concat(),
        Layout::Limit => {
            let (portal, rows) = arguments.split_at(1.min(arguments.len()));
            let rows = rows.first().map_or("0".into(), |rows| String::from_utf8_lossy(rows));
            let rows: u32 = rows.parse().map_err(|_| format!("no number: {rows}"))?;
            [strings(portal), rows.to_be_bytes().to_vec()].concat()
        }
        Layout::Bind => {
            let (names, parameters) = arguments.split_at(2.min(arguments.len()));
            let mut body = strings(names);
            body.put_u16(0);
            body.put_u16(u16::try_from(parameters.len()).expect("few"));
            for parameter in parameters {
                body.put_u32(u32::try_from(parameter.len()).expect("short"));
                body.extend(parameter);
            }
            body.put_u16(0);
            body
        }
    })
}

/// Words, and texts in double quotes, or in tildes where they hold a double quote; `\n`, `\t`, `\0` to `\7` and `\xHH` are bytes.
fn words(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if let Some(quote @ ('"' | '~')) = rest.chars().next() {
            let quoted = &rest[1..];
            let end = quoted.find(quote).ok_or("a quote is missing")?;
            words.push(unescaped(&quoted[..end])?);
            rest = quoted[end + 1..].trim_start();
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            words.push(rest.as_bytes()[..end].to_vec());
            rest = rest[end..].trim_start();
        }
    }
    Ok(words)
}

fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        let (byte, taken) = match after.as_bytes().first() {
            Some(b'n') => (b'\n', 1),
            Some(b't') => (b'\t', 1),
            Some(digit @ b'0'..=b'7') => (digit - b'0', 1),
            Some(b'\\') => (b'\\', 1),
            Some(b'x') => {
                let digits = after.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                (digits.ok_or_else(|| format!("\\x needs two digits: {text}"))?, 3)
            }
            _ => return Err(format!("no such escape: {text}")),
        };
        bytes.push(byte);
        rest = &after[taken..];
    }
    bytes.extend(rest.as_bytes());
    Ok(bytes)
}
