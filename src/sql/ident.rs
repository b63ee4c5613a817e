//! Identifiers as the server stores them: folding, unquoting, Unicode escapes, the 63-byte limit; and quoting again.

use sha2::{Digest, Sha256};

use crate::sql::keyword::{Category, Keyword};
use crate::sql::lexer::{Kind, Token};

/// Bytes of an identifier that the server keeps (`NAMEDATALEN` - 1).
pub const IDENTIFIER_BYTES_MAX: usize = 63;

/// The identifier a word token names, as bytes in the client's encoding; `None` for other tokens
/// and for `U&"…"` that holds a bad escape.
///
/// `U&"…"` is decoded with the default escape character; [`escaped_identifier`] is for a UESCAPE clause.
#[must_use]
pub fn identifier(text: &[u8], token: &Token) -> Option<Vec<u8>> {
    escaped_identifier(text, token, b'\\')
}

/// The identifier of `U&"…" UESCAPE 'escape'`.
#[must_use]
pub fn escaped_identifier(text: &[u8], token: &Token, escape: u8) -> Option<Vec<u8>> {
    let source = &text[token.start..token.end];
    let mut name = match token.kind {
        Kind::Word => source.to_ascii_lowercase(),
        Kind::QuotedWord => unquote(&source[1..source.len() - 1]),
        Kind::UnicodeWord => decode_unicode(&unquote(&source[3..source.len() - 1]), escape)?,
        _ => return None,
    };
    truncate(&mut name);
    Some(name)
}

/// Cuts a name to [`IDENTIFIER_BYTES_MAX`] at a UTF-8 character boundary, as the server does.
fn truncate(name: &mut Vec<u8>) {
    if name.len() > IDENTIFIER_BYTES_MAX {
        let mut end = IDENTIFIER_BYTES_MAX;
        while end > 0 && (name[end] & 0xC0) == 0x80 {
            end -= 1;
        }
        name.truncate(end);
    }
}

fn unquote(inner: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        name.push(*byte);
        if *byte == b'"' {
            bytes.next();
        }
    }
    name
}

/// Decodes `\XXXX`, `\+XXXXXX` and `\\`, where `\` is `escape`; surrogate pairs are joined.
fn decode_unicode(source: &[u8], escape: u8) -> Option<Vec<u8>> {
    let mut name = Vec::with_capacity(source.len());
    let mut at = 0;
    let mut high: Option<u32> = None;
    while at < source.len() {
        if source[at] != escape {
            name.push(source[at]);
            at += 1;
            continue;
        }
        if source.get(at + 1) == Some(&escape) {
            name.push(escape);
            at += 2;
            continue;
        }
        let (first, digits) = if source.get(at + 1) == Some(&b'+') { (at + 2, 6) } else { (at + 1, 4) };
        let hex = std::str::from_utf8(source.get(first..first + digits)?).ok()?;
        let code = u32::from_str_radix(hex, 16).ok()?;
        at = first + digits;
        let code = match (high.take(), code) {
            (None, 0xD800..=0xDBFF) => {
                high = Some(code);
                continue;
            }
            (Some(high), 0xDC00..=0xDFFF) => 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00),
            (Some(_), _) => return None,
            (None, code) => code,
        };
        let mut buffer = [0; 4];
        name.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut buffer).as_bytes());
    }
    high.is_none().then_some(name)
}

/// Quotes `name` where the server would not read it back unquoted.
#[must_use]
pub fn quote(name: &str) -> String {
    let plain = name.bytes().enumerate().all(|(index, byte)| {
        byte.is_ascii_lowercase() || byte == b'_' || (index > 0 && (byte.is_ascii_digit() || byte == b'$'))
    });
    let keyword = Keyword::lookup(name.as_bytes()).is_some_and(|keyword| keyword.category() != Category::Unreserved);
    if plain && !keyword && !name.is_empty() { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// `schema.name`, each quoted where needed.
#[must_use]
pub fn quote_qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote(schema), quote(name))
}

/// A string constant with the value `text`, whatever the session takes backslashes for.
#[must_use]
pub fn literal(text: &str) -> String {
    let quoted = format!("'{}'", text.replace('\'', "''"));
    if text.contains('\\') { format!("E{}", quoted.replace('\\', "\\\\")) } else { quoted }
}

/// The quotes of a string constant that `text` can stand between as it is: `$sexton$`, or longer.
#[must_use]
pub fn dollar_quotes(text: &[u8]) -> String {
    let mut quotes = "$sexton$".to_owned();
    while memchr::memmem::find(text, quotes.as_bytes()).is_some() {
        quotes.insert(1, '_');
    }
    quotes
}

/// `name` with `suffix`; where both together are longer than the server keeps, the name is cut, and a digest of it takes
/// the place of what was.
#[must_use]
pub fn suffixed(name: &str, suffix: &str) -> String {
    if name.len() + suffix.len() <= IDENTIFIER_BYTES_MAX {
        return format!("{name}{suffix}");
    }
    let digest = digest(name);
    let mut end = IDENTIFIER_BYTES_MAX.saturating_sub(suffix.len() + 1 + digest.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{digest}{suffix}", &name[..end])
}

/// Eight hexadecimal digits that tell `text` from others.
#[must_use]
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a string constant without escapes (`'…'` in one piece, or `$$…$$`); `None` for every other form.
#[must_use]
pub fn plain_string(text: &[u8], token: &Token) -> Option<Vec<u8>> {
    let source = &text[token.start..token.end];
    match token.kind {
        Kind::String if source[0] == b'\'' && !source.contains(&b'\\') => {
            let inner = &source[1..source.len() - 1];
            let mut value = Vec::with_capacity(inner.len());
            let mut at = 0;
            while at < inner.len() {
                value.push(inner[at]);
                at += match (inner[at], inner.get(at + 1)) {
                    (b'\'', Some(b'\'')) => 2,
                    // A quote that is not doubled closes one part of a continued string.
                    (b'\'', _) => return None,
                    _ => 1,
                };
            }
            Some(value)
        }
        Kind::DollarString => {
            let tag = source[1..].iter().position(|byte| *byte == b'$')? + 2;
            Some(source[tag..source.len() - tag].to_vec())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::lexer::lex;

    fn name(text: &str) -> Option<String> {
        let tokens = lex(text.as_bytes(), true).expect("lexes");
        identifier(text.as_bytes(), &tokens[0]).map(|bytes| String::from_utf8(bytes).expect("UTF-8"))
    }

    #[test]
    fn names_fold_and_unquote_as_the_server_does() {
        assert_eq!(name("Users").as_deref(), Some("users"));
        assert_eq!(name("\"Us\"\"ers\"").as_deref(), Some("Us\"ers"));
        assert_eq!(name(r#"U&"\0075s\+000065rs""#).as_deref(), Some("users"));
        assert_eq!(name(&"é".repeat(40)).map(|name| name.len()), Some(62));
    }

    #[test]
    fn long_names_keep_their_suffix_and_stay_apart() {
        assert_eq!(suffixed("orders_user_id_fkey", "_sexton_c"), "orders_user_id_fkey_sexton_c");
        let (one, two) = (suffixed(&"é".repeat(31), "_sexton_c"), suffixed(&("é".repeat(30) + "x"), "_sexton_c"));
        assert!(one.len() <= IDENTIFIER_BYTES_MAX && one.ends_with("_sexton_c") && one != two, "{one} {two}");
    }

    #[test]
    fn only_what_needs_quotes_gets_them() {
        assert_eq!(quote("users"), "users");
        assert_eq!(quote("Users"), "\"Users\"");
        assert_eq!(quote("order"), "\"order\"");
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    }
}
