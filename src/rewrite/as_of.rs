//! The value of `sexton.as_of`: the times that may be asked for, as they are written.

/// The value of `sexton.as_of`: a time in ISO form, which holds nothing that a literal could not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AsOf(String);

impl AsOf {
    /// Reads the setting's text; `None` where it is empty, which is the present.
    ///
    /// `YYYY-MM-DD [HH:MM[:SS[.ffffff]]] [Z | ±HH[:MM] | zone]`, with `T` for the space if so wished. Words such as
    /// `now`, `yesterday` and `infinity` are no points in time that stay, and are not taken.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let faulty = || format!("\"{text}\" is no time");
        let rest = date(text).ok_or_else(faulty)?;
        let rest = match rest.strip_prefix(['T', 't', ' ']).and_then(|rest| time(rest.trim_start())) {
            Some(rest) => rest,
            None => rest,
        };
        if is_zone(rest.trim_start(), rest.starts_with(' ')) { Ok(Some(Self(text.to_owned()))) } else { Err(faulty()) }
    }

    /// The time as an expression.
    #[must_use]
    pub fn literal(&self) -> String {
        format!("timestamptz '{}'", self.0.replace('\'', "''"))
    }
}

/// The number in the first `count` bytes of `text`, all digits, and what follows them.
fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| plain)?, rest))
}

/// What follows a date of the calendar.
fn date(text: &str) -> Option<&str> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 31,
    };
    ((1..=12).contains(&month) && (1..=days).contains(&day) && year > 0).then_some(rest)
}

/// What follows a time of the day.
fn time(text: &str) -> Option<&str> {
    let (hours, rest) = digits(text, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (seconds, rest) = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2)?,
        None => (0, rest),
    };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        None => rest,
    };
    (hours < 24 && minutes < 60 && seconds < 60).then_some(rest)
}

/// Nothing, an offset, or the name of a time zone, which the server knows.
fn is_zone(text: &str, spaced: bool) -> bool {
    match text.strip_prefix(['+', '-']) {
        _ if text.is_empty() || text.eq_ignore_ascii_case("z") => true,
        Some(offset) => {
            let (hours, rest) = offset.split_at_checked(2).unwrap_or((offset, ""));
            let numbers = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            numbers(hours) && (rest.is_empty() || numbers(rest.strip_prefix(':').unwrap_or(rest)))
        }
        None => {
            let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_/+-".contains(&byte);
            spaced
                && text.as_bytes()[0].is_ascii_alphabetic()
                && text.bytes().all(word)
                && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        }
    }
}

/// Words that the server would read as part of the time itself.
const WORDS: &[&str] =
    &["bc", "ad", "am", "pm", "allballs", "now", "today", "tomorrow", "yesterday", "epoch", "infinity"];

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Option<String> {
        AsOf::parse(text).ok().map(|as_of| as_of.map_or_else(|| "the present".to_owned(), |as_of| as_of.literal()))
    }

    #[test]
    fn times_in_iso_form_are_taken_as_they_are() {
        for text in [
            "2026-01-31",
            "2026-01-31Z",
            "2026-01-31 12:00",
            "2026-01-31 12:00Z",
            "2026-01-31T12:00:59.123456z",
            "2026-01-31 12:00:00+02",
            "2026-01-31 12:00 -0330",
            "2026-01-31 12:00 -03:30",
            "2026-01-31 12:00 Europe/Berlin",
            "2026-01-31 CET",
            "2024-02-29",
        ] {
            assert_eq!(literal(text), Some(format!("timestamptz '{text}'")));
        }
        assert_eq!(literal(" 2026-01-31 "), Some("timestamptz '2026-01-31'".to_owned()));
        assert_eq!(literal(""), Some("the present".to_owned()));
        assert_eq!(literal("  "), Some("the present".to_owned()));
    }

    #[test]
    fn what_is_no_point_in_time_is_not() {
        for text in [
            "now",
            "today",
            "yesterday",
            "infinity",
            "-infinity",
            "epoch",
            "2026",
            "2026-1-31",
            "31.01.2026",
            "2026-02-30",
            "2025-02-29",
            "2026-13-01",
            "2026-00-10",
            "0000-01-01",
            "2026-01-31 24:00",
            "2026-01-31 12",
            "2026-01-31 12:60",
            "2026-01-31 12:00 BC",
            "2026-01-31 12:00 pm",
            "2026-01-31 allballs",
            "2026-01-31x",
            "2026-01-31 12:00'",
            "2026-01-31 12:00\\",
            "2026-01-31 12:00 Z) OR (true",
            "2026-01-31 12:00 +2",
            "2026-01-31 12:00 --",
            "2026-01-31 ü",
            "+12026-01-31",
            "2026-01-31\n12:00;",
            "２０２６-01-31",
        ] {
            assert_eq!(literal(text), None, "{text}");
        }
    }
}
