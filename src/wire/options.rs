//! The startup packet's `options`: settings given as a server's command line (P4).

/// The settings in `options`, in the order given, so that a later one wins: `-c a=b`, `-ca=b`, `--a=b`.
///
/// Words are split at white space, a backslash taking the next byte as it is; other switches are passed over as
/// `getopt` would.
#[must_use]
pub fn settings(options: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut settings = Vec::new();
    let mut words = split(options).into_iter();
    while let Some(word) = words.next() {
        if word == b"--" {
            break;
        }
        let Some(flags) = word.strip_prefix(b"-") else { break };
        if let Some((flag, attached)) = switch_with_value(flags) {
            let value = if attached.is_empty() { words.next().unwrap_or_default() } else { attached.to_vec() };
            match flag {
                b'c' | b'-' => settings.extend(assignment(&value)),
                _ => continue,
            }
        }
    }
    settings
}

/// Splits as the server's `pg_split_opts` does.
fn split(options: &[u8]) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = options.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => words.extend(word.take()),
            b'\\' => {
                let word = word.get_or_insert_default();
                word.extend(bytes.next());
            }
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

/// The first flag of a bundle that takes a value, with what is attached to it.
fn switch_with_value(flags: &[u8]) -> Option<(u8, &[u8])> {
    // The server's own list of switches with a value, in PostgreSQL 15's process_postgres_switches; `--a=b` is the
    // switch `-` with a value, and may stand at the end of a bundle like any other.
    let index = flags.iter().position(|flag| b"BcCDdfhkNprStvW-".contains(flag))?;
    Some((flags[index], &flags[index + 1..]))
}

/// `name=value`, with `-` for `_` in the name as the server allows.
fn assignment(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let name = text[..equals].iter().map(|byte| if *byte == b'-' { b'_' } else { *byte }).collect();
    Some((name, text[equals + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> String {
        let all = settings(options.as_bytes());
        let words: Vec<String> = all
            .iter()
            .map(|(name, value)| format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
            .collect();
        words.join(";")
    }

    #[test]
    fn p4_every_spelling_of_a_setting_is_read() {
        assert_eq!(read("-c a=b"), "a=b");
        assert_eq!(read("-ca=b --c-d=e"), "a=b;c_d=e");
        assert_eq!(read(r"-c search_path=a,\ b  -c x=y"), "search_path=a, b;x=y");
        assert_eq!(read("-c sexton.scope=all -c sexton.scope=live"), "sexton.scope=all;sexton.scope=live");
        assert_eq!(read("-S 100 -e -c a=b"), "a=b");
        assert_eq!(read("-Fc a=b"), "a=b");
        assert_eq!(read("-c a+b=c+d"), "a+b=c+d");
        assert_eq!(read("-c"), "");
        assert_eq!(read("-c a=b -e-a=c"), "a=b;a=c");
        assert_eq!(read("-c a=b -- -c a=c"), "a=b");
    }
}
