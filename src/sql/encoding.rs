//! What a client encoding means for reading SQL bytes and for counting characters.
//!
//! The server converts a whole message before it reads it. Sexton does not convert: it reads a shadow of the text, in which
//! every byte of a character that is not ASCII is a stand-in (R7). So a byte that looks like a quote or a backslash inside a
//! character is none to the lexer either, and whatever is copied from the text comes back as the bytes it was.

use crate::sql::edit::{Edit, Edits};

/// A client encoding, by how wide its characters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// One byte a character.
    SingleByte,
    /// EUC_JP, EUC_JIS_2004, EUC_KR: two bytes, or three behind the byte 0x8F.
    Euc,
    /// EUC_CN, BIG5, GBK, UHC: two bytes. But for EUC_CN the second may look like ASCII.
    DoubleByte,
    /// EUC_TW: two bytes, or four behind the byte 0x8E.
    EucTw,
    /// SJIS: two bytes, or one for a half-width kana. The second may look like ASCII.
    ShiftJis,
    /// GB18030: two bytes, or four where the second is a digit. The second may look like ASCII.
    Gb18030,
    /// SQL_ASCII (the server's own encoding, whatever it is) and MULE_INTERNAL: of unknown width, but nothing in a character
    /// looks like ASCII.
    Opaque,
    /// JOHAB, SHIFT_JIS_2004 (two bytes of which may become an ASCII backslash), and what is not known: it cannot be read.
    Unknown,
}

/// The character that stands for the byte 0; the others follow. They are for private use: no text means anything by them.
const STAND_IN: u32 = 0xF700;
/// How long a stand-in is in UTF-8.
const STAND_IN_BYTES: usize = 3;

impl Encoding {
    /// The encoding PostgreSQL means by `name`, spelled with any case and punctuation as the server allows.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let clean: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        match clean.as_str() {
            "utf8" | "unicode" => Self::Utf8,
            "eucjp" | "eucjis2004" | "euckr" => Self::Euc,
            "euctw" => Self::EucTw,
            "euccn" | "big5" | "win950" | "windows950" | "gbk" | "win936" | "windows936" | "uhc" | "win949"
            | "windows949" => Self::DoubleByte,
            "sjis" | "shiftjis" | "mskanji" | "win932" | "windows932" => Self::ShiftJis,
            "gb18030" => Self::Gb18030,
            "sqlascii" | "muleinternal" => Self::Opaque,
            _ if ["latin", "iso8859", "win", "windows", "koi8", "abc", "tcvn", "alt", "vscii"]
                .iter()
                .any(|family| clean.starts_with(family)) =>
            {
                Self::SingleByte
            }
            _ => Self::Unknown,
        }
    }

    /// The bytes of the character that `text` starts with; `None` where they are not known.
    fn width(self, text: &[u8]) -> Option<usize> {
        let (first, second) = (*text.first()?, text.get(1).copied().unwrap_or_default());
        let width = match (self, first) {
            (_, 0..=0x7F) | (Self::SingleByte, _) | (Self::ShiftJis, 0xA1..=0xDF) => 1,
            (Self::Utf8, 0xC0..=0xDF) => 2,
            (Self::Utf8, 0xE0..=0xEF) | (Self::Euc, 0x8F) | (Self::EucTw, 0x8F) => 3,
            (Self::Utf8, 0xF0..) | (Self::EucTw, 0x8E) => 4,
            (Self::Utf8, _) => 1,
            (Self::Gb18030, _) if second.is_ascii_digit() => 4,
            (Self::Euc | Self::EucTw | Self::DoubleByte | Self::ShiftJis | Self::Gb18030, _) => 2,
            (Self::Opaque | Self::Unknown, _) => return None,
        };
        Some(width.min(text.len()))
    }

    /// How many characters PostgreSQL counts in `text`, or `None` where the encoding's widths are not known here.
    #[must_use]
    pub fn count_characters(self, text: &[u8]) -> Option<usize> {
        self.walk(text, usize::MAX).map(|(characters, _)| characters)
    }

    /// The byte offset of the 0-based character `index` in `text` (its length where the text is shorter).
    #[must_use]
    pub fn character_offset(self, text: &[u8], index: usize) -> Option<usize> {
        self.walk(text, index).map(|(_, offset)| offset)
    }

    /// Goes over at most `most` characters; how many there were, and how many bytes they take.
    fn walk(self, text: &[u8], most: usize) -> Option<(usize, usize)> {
        let (mut characters, mut offset) = (0, 0);
        while characters < most && offset < text.len() {
            offset += self.width(&text[offset..])?;
            characters += 1;
        }
        Some((characters, offset))
    }

    /// `text`, of which only stand-ins are not ASCII, as bytes of this encoding; what is neither becomes a question mark.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u8> {
        if self == Self::Utf8 {
            return text.into();
        }
        text.chars().map(|character| original_byte(character).unwrap_or(b'?')).collect()
    }

    /// The text to read in place of `text`; `None` where that is the text itself, or where it cannot be read.
    #[must_use]
    pub fn shadow(self, text: &[u8]) -> Option<Shadow> {
        if matches!(self, Self::Utf8 | Self::Unknown) || text.is_ascii() {
            return None;
        }
        let mut shadow =
            Shadow { text: Vec::with_capacity(text.len() * 2), origins: Vec::with_capacity(text.len() * 2) };
        let mut at = 0;
        while at < text.len() {
            let width = self.width(&text[at..]).unwrap_or(1);
            for (offset, byte) in (at..).zip(&text[at..at + width]) {
                let before = shadow.text.len();
                match byte {
                    byte if width == 1 && byte.is_ascii() => shadow.text.push(*byte),
                    byte => {
                        let stand_in = char::from_u32(STAND_IN + u32::from(*byte))?;
                        shadow.text.extend(stand_in.encode_utf8(&mut [0; STAND_IN_BYTES]).bytes());
                    }
                }
                shadow.origins.resize(shadow.origins.len() + shadow.text.len() - before, offset);
            }
            at += width;
        }
        shadow.origins.push(text.len());
        Some(shadow)
    }
}

/// The byte that a character of a shadow stands for.
fn original_byte(character: char) -> Option<u8> {
    if character.is_ascii() {
        return u8::try_from(character).ok();
    }
    u8::try_from(u32::from(character).checked_sub(STAND_IN)?).ok()
}

/// What a piece of a shadow was, or a text with such pieces; `None` where it holds a character that neither is ASCII nor
/// comes from the original.
#[must_use]
pub fn original_bytes(shadow: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(shadow).ok()?.chars().map(original_byte).collect()
}

/// A text in which stand-ins take the place of what is not ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// UTF-8.
    pub text: Vec<u8>,
    /// For each of its bytes the offset of the original's byte.
    origins: Vec<usize>,
}

impl Shadow {
    /// The offset in the original of an offset in the shadow.
    #[must_use]
    pub fn origin(&self, offset: usize) -> usize {
        self.origins.get(offset).or(self.origins.last()).copied().unwrap_or_default()
    }

    /// The edits of the shadow as edits of the original; `None` where one puts in a character that neither is ASCII nor comes
    /// from the original.
    #[must_use]
    pub fn originals(&self, edits: &Edits) -> Option<Edits> {
        let original = |edit: &Edit| {
            Some(Edit {
                start: self.origin(edit.start),
                end: self.origin(edit.end),
                text: original_bytes(&edit.text)?.into(),
                cause: self.origin(edit.cause),
            })
        };
        Edits::new(edits.iter().map(original).collect::<Option<Vec<_>>>()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT_ONLY: [&str; 7] = ["SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"];

    #[test]
    fn r7_a_second_byte_that_looks_like_ascii_is_none_to_a_reader() {
        for name in CLIENT_ONLY {
            let encoding = Encoding::from_name(name);
            let text = b"SELECT E'\x95\\' || \"\x95|\"";
            let Some(shadow) = encoding.shadow(text) else {
                assert_eq!(encoding, Encoding::Unknown, "{name}");
                continue;
            };
            let read = String::from_utf8(shadow.text.clone()).expect("UTF-8");
            assert!(
                !read.contains('\\') && read.contains("' || \"") && read.matches('|').count() == 2,
                "{name}: {read}"
            );
            assert_eq!(original_bytes(&shadow.text).as_deref(), Some(text.as_slice()));
            assert_eq!(shadow.origin(shadow.text.len()), text.len());
        }
    }

    #[test]
    fn characters_are_as_wide_as_the_server_counts_them() {
        for (name, text, characters) in [
            ("UTF8", "añ☂😀".as_bytes(), 4),
            ("LATIN1", b"a\xf1", 2),
            ("SJIS", b"\x95\\\xb1a", 3),
            ("GB18030", b"\x810\x810a\x95\\", 3),
            ("EUC_JP", b"\x8e\xb1\x8f\xb0\xa1\xa4\xa2", 3),
            ("EUC_TW", b"\x8e\xa1\xa1\xa1a", 2),
            ("BIG5", b"\xa5@a", 2),
        ] {
            let encoding = Encoding::from_name(name);
            assert_eq!(encoding.count_characters(text), Some(characters), "{name}");
            assert_eq!(encoding.character_offset(text, characters), Some(text.len()), "{name}");
        }
        assert_eq!(Encoding::from_name("SQL_ASCII").count_characters(b"abc"), Some(3));
        assert_eq!(Encoding::from_name("SQL_ASCII").count_characters(b"\xff"), None);
    }
}
