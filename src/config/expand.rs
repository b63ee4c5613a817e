//! `${NAME}` in a string value becomes the environment variable NAME.
//!
//! Only `${` is special, so that a password with a `$` and a dollar-quoted SQL string stand as they are;
//! `$${` is a literal `${`. A variable that is not set is a fault, never an empty string. What a variable
//! holds is not expanded again.

use crate::config::value::Fault;

/// Expands `text`.
pub(super) fn expand(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, Vec<Fault>> {
    let mut out = String::with_capacity(text.len());
    let mut faults = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, after) = (&rest[..start], &rest[start + 2..]);
        if let Some(literal) = before.strip_suffix('$') {
            out.push_str(literal);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let Some(end) = after.find('}') else {
            faults.push(Fault::new("\"${\" is never closed", "write ${NAME}, or $${ for a literal ${"));
            rest = "";
            break;
        };
        let name = &after[..end];
        rest = &after[end + 1..];
        if !is_variable_name(name) {
            faults.push(Fault::new(
                format!("\"{name}\" is no name of an environment variable"),
                "write ${NAME} with letters, digits and underscores, or $${ for a literal ${",
            ));
        } else if let Some(value) = environment(name) {
            out.push_str(&value);
        } else {
            faults.push(Fault::new(
                format!("the environment variable {name} is not set"),
                format!("set {name} where sexton is started, or write $${{{name}}} if that text is meant"),
            ));
        }
    }
    out.push_str(rest);
    if faults.is_empty() { Ok(out) } else { Err(faults) }
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, usize> {
        expand(text, &|name| (name == "HOME_DIR").then(|| "/home/${X}".to_owned())).map_err(|faults| faults.len())
    }

    #[test]
    fn only_dollar_brace_is_special() {
        for (text, expected) in [
            ("a${HOME_DIR}b", Ok("a/home/${X}b")),
            ("$${HOME_DIR}", Ok("${HOME_DIR}")),
            ("pa$$word $1 $", Ok("pa$$word $1 $")),
            ("${NOT_SET} and ${NEITHER}", Err(2)),
            ("${HOME_DIR:-x}", Err(1)),
            ("${HOME_DIR", Err(1)),
        ] {
            assert_eq!(expanded(text), expected.map(str::to_owned), "{text}");
        }
    }
}
