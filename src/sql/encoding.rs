//! What a client encoding means for reading SQL bytes and for counting characters.

/// A client encoding, by what it does to a lexer that reads bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// One byte a character, ASCII below 0x80.
    SingleByte,
    /// Several bytes a character, none of them ASCII: the EUC family and MULE_INTERNAL.
    MultiByte,
    /// A character's later bytes may look like ASCII (SJIS, BIG5, GBK, UHC, GB18030, JOHAB, SHIFT_JIS_2004):
    /// bytes cannot be lexed before the server has converted them.
    Unsafe,
}

impl Encoding {
    /// The encoding PostgreSQL means by `name`, spelled with any case and punctuation as the server allows.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let clean: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        match clean.as_str() {
            "utf8" | "unicode" => Self::Utf8,
            "euccn" | "eucjp" | "euckr" | "euctw" | "eucjis2004" | "muleinternal" => Self::MultiByte,
            "sqlascii" => Self::SingleByte,
            _ if ["latin", "iso8859", "win", "windows", "koi8", "abc", "tcvn", "alt", "vscii"]
                .iter()
                .any(|family| clean.starts_with(family))
                && ![
                    "win932",
                    "win936",
                    "win949",
                    "win950",
                    "windows932",
                    "windows936",
                    "windows949",
                    "windows950",
                ]
                .contains(&clean.as_str()) =>
            {
                Self::SingleByte
            }
            _ => Self::Unsafe,
        }
    }

    /// How many characters PostgreSQL counts in `text`, or `None` where the encoding's widths are not known here.
    #[must_use]
    pub fn count_characters(self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Utf8 => Some(text.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()),
            Self::SingleByte => Some(text.len()),
            Self::MultiByte | Self::Unsafe => text.is_ascii().then_some(text.len()),
        }
    }

    /// The byte offset of the 0-based character `index` in `text` (its length where the text is shorter).
    #[must_use]
    pub fn character_offset(self, text: &[u8], index: usize) -> Option<usize> {
        match self {
            Self::Utf8 => Some(
                text.iter()
                    .enumerate()
                    .filter(|(_, byte)| (**byte & 0xC0) != 0x80)
                    .nth(index)
                    .map_or(text.len(), |(offset, _)| offset),
            ),
            Self::SingleByte => Some(index.min(text.len())),
            Self::MultiByte | Self::Unsafe => text.is_ascii().then_some(index.min(text.len())),
        }
    }
}
