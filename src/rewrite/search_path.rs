//! Reads the text of the `search_path` setting as the server does (`SplitIdentifierString`).

/// One member of a search path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// `"$user"`: the schema named like the current user.
    User,
    /// A schema as stored.
    Schema(String),
}

/// Longer names are cut off by the server (`NAMEDATALEN`).
const NAME_BYTES_MAX: usize = 63;

/// The members of a search path, or `None` where the text is no list of names.
#[must_use]
pub fn members(text: &str) -> Option<Vec<Member>> {
    let mut members = Vec::new();
    let mut rest = text.trim_start();
    if rest.is_empty() {
        return Some(members);
    }
    loop {
        let (name, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_name(quoted)?
        } else {
            let end = rest.find([',', ' ', '\t', '\n', '\r', '\x0b', '\x0c']).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            (rest[..end].to_ascii_lowercase(), &rest[end..])
        };
        members.push(if name == "$user" { Member::User } else { Member::Schema(cut(name)) });
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return rest.is_empty().then_some(members),
        }
    }
}

/// The characters of `name` that the server keeps.
fn cut(mut name: String) -> String {
    let end = (0..=NAME_BYTES_MAX).rev().find(|end| name.is_char_boundary(*end));
    name.truncate(end.unwrap_or_default());
    name
}

fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names() {
        let schema = |name: &str| Member::Schema(name.to_owned());
        assert_eq!(members("\"$user\", public"), Some(vec![Member::User, schema("public")]));
        assert_eq!(members("Shop,\"A\"\"b\""), Some(vec![schema("shop"), schema("A\"b")]));
        assert_eq!(members(""), Some(vec![]));
        assert_eq!(members("\"\""), Some(vec![schema("")]));
        let long = "s".repeat(62);
        assert_eq!(members(&format!("{long}abc")), Some(vec![schema(&format!("{long}a"))]));
        assert_eq!(members(&format!("\"{long}éa\"")), Some(vec![schema(&long)]));
        assert_eq!(members("a,,b"), None);
        assert_eq!(members("a b"), None);
    }
}
