//! Every key a configuration file may hold, and those this version knows but does not act on yet.

/// What may stand behind a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string.
    Text,
    /// A string that holds numbers with units of time.
    Duration,
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A list of strings.
    List,
    /// A string, or a list of strings.
    TextOrList,
}

/// The keys, `*` standing for a name the file chooses. What is not here is an unknown key.
pub(super) const KEYS: &[(&str, Kind)] = &[
    ("listen.address", Kind::Text),
    ("listen.unix_socket_dir", Kind::Text),
    ("listen.max_connections", Kind::Integer),
    ("listen.startup_timeout", Kind::Duration),
    ("listen.replication", Kind::Flag),
    ("listen.trusted_proxies", Kind::List),
    ("listen.tls.mode", Kind::Choice(&["prefer", "require"])),
    ("listen.tls.cert", Kind::Text),
    ("listen.tls.key", Kind::Text),
    ("listen.tls.client_ca", Kind::Text),
    ("upstream.address", Kind::TextOrList),
    ("upstream.user", Kind::Text),
    ("upstream.password", Kind::Text),
    ("upstream.target", Kind::Choice(&["any", "primary"])),
    ("upstream.tls", Kind::Choice(&["disable", "prefer", "require", "verify-ca", "verify-full"])),
    ("upstream.ca", Kind::Text),
    ("admin.address", Kind::Text),
    ("purge.every", Kind::Duration),
    ("access.see_deleted", Kind::List),
    ("access.hard_delete", Kind::List),
    ("databases.*.unscoped", Kind::Choice(&["refuse", "pass"])),
    ("databases.*.tables.*.delete", Kind::Choice(&["soft", "archive", "hard"])),
    ("databases.*.tables.*.column", Kind::Text),
    ("databases.*.tables.*.live", Kind::Text),
    ("databases.*.tables.*.mark.*", Kind::Text),
    ("databases.*.tables.*.archive", Kind::Text),
    ("databases.*.tables.*.retain", Kind::Duration),
    ("databases.*.tables.*.retain_then", Kind::Choice(&["purge", "archive"])),
    ("databases.*.tables.*.reinsert", Kind::Choice(&["supersede", "revive", "error"])),
    ("databases.*.tables.*.truncate", Kind::Choice(&["rewrite", "refuse", "pass"])),
    ("databases.*.tables.*.audit", Kind::Flag),
    ("databases.*.tables.*.visible_through", Kind::List),
    ("databases.*.tables.*.on_mention", Kind::Choice(&["enforce", "respect"])),
    ("databases.*.tables.*.erase.set.*", Kind::Text),
];

/// Keys that are not built yet: writing one would promise what does not happen. To build one, delete its row.
pub(super) const NOT_BUILT: &[&str] = &["purge", "databases.*.tables.*.retain_then", "databases.*.tables.*.erase"];

/// True where the key or section `name` in the section `pattern` is acted on.
pub(super) fn is_built(pattern: &str, name: &str) -> bool {
    let path = if pattern.is_empty() { name.to_owned() } else { format!("{pattern}.{name}") };
    !NOT_BUILT.contains(&path.as_str())
}

/// The patterns of all keys, such as `databases.*.tables.*.live`: the reference file is held against them.
pub fn patterns() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(pattern, _)| *pattern)
}

/// What a pattern is: a key with a value, a section with keys of its own, or nothing known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// A key.
    Key(Kind),
    /// A section.
    Section,
    /// Neither.
    Nothing,
}

/// Looks `pattern` up.
pub(super) fn known(pattern: &str) -> Known {
    match KEYS.iter().find(|(key, _)| *key == pattern) {
        Some((_, kind)) => Known::Key(*kind),
        None if children(pattern).next().is_some() => Known::Section,
        None => Known::Nothing,
    }
}

/// The names that may stand directly in the section `pattern` (empty: the file itself), repeats included.
pub(super) fn children(pattern: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(move |(key, _)| {
        let rest = if pattern.is_empty() { key } else { key.strip_prefix(pattern)?.strip_prefix('.')? };
        rest.split('.').next()
    })
}

/// The name among `candidates` that `typed` was probably meant to be: at most a third of it is different.
pub(super) fn closest(typed: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    candidates
        .map(|candidate| (distance(&typed.to_lowercase().replace('-', "_"), candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, delete or replace to turn `left` into `right`.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, letter) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (index, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_key_and_strangers_do_not() {
        assert_eq!(closest("adress", children("listen")), Some("address"));
        assert_eq!(closest("max-connections", children("listen")), Some("max_connections"));
        assert_eq!(closest("colour", children("listen")), None);
    }

    #[test]
    fn every_row_of_not_built_names_a_key() {
        for pattern in NOT_BUILT {
            assert!(known(pattern) != Known::Nothing, "{pattern} is no key");
        }
    }
}
