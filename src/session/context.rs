//! Errors from inside schema `sexton`: what its triggers raise in a constraint's place reads as the constraint's own error.
//!
//! The context of an error lists, innermost first, what the server was doing. Items are lines; an SQL statement may
//! hold line ends of its own.

use std::borrow::Cow;

use crate::wire::backend::Fields;

/// What an item that tells of one of our functions starts with.
const OWN_FUNCTION: &str = "PL/pgSQL function sexton.";
/// What it starts with where a statement runs inside a block of ours.
const OWN_BLOCK: &str = "PL/pgSQL function inline_code_block ";
/// What items start with that say which statement or expression of a function failed.
const PARTS: &[&str] = &["SQL statement \"", "SQL expression \"", "PL/pgSQL assignment \""];
/// What other items start with.
const OTHERS: &[&str] = &["PL/pgSQL function ", "SQL function ", "COPY ", "while "];

/// Where the server itself raises what these triggers raise.
const FOREIGN_KEY_FILE: &[u8] = b"ri_triggers.c";
const FOREIGN_KEY_ROUTINE: &[u8] = b"ri_ReportViolation";

/// The changed fields of an error or a notice that schema `sexton` has a part in; `None` for every other.
pub(super) struct OwnContext {
    context: Option<Vec<u8>>,
    is_foreign_key: bool,
    is_refusal: bool,
}

impl OwnContext {
    /// What is to be changed in `fields`; `in_block`: the client's statement runs inside a block of ours.
    pub(super) fn of(fields: &Fields<'_>, in_block: bool) -> Option<Self> {
        let own = if in_block { OWN_BLOCK } else { OWN_FUNCTION };
        let (context, is_raised) = without_own(fields.get(b'W')?, own)?;
        let message = fields.get(b'M').unwrap_or_default();
        let is_foreign_key =
            is_raised && matches!(fields.get(b'C'), Some(b"23503" | b"23001")) && !message.starts_with(b"sexton:");
        let is_refusal = in_block && is_raised && message.starts_with(b"sexton:");
        Some(Self { context: (!context.is_empty()).then_some(context), is_foreign_key, is_refusal })
    }

    /// Changes them.
    pub(super) fn put_into<'a>(&'a self, fields: &mut Fields<'a>) {
        match &self.context {
            Some(context) => fields.set(b'W', context),
            None => fields.remove(b'W'),
        }
        if self.is_foreign_key {
            fields.set(b'F', FOREIGN_KEY_FILE);
            fields.set(b'R', FOREIGN_KEY_ROUTINE);
            fields.remove(b'L');
        }
        if self.is_refusal {
            for place in *b"FLR" {
                fields.remove(place);
            }
        }
    }
}

/// The context without what starts with `own` and its statements, and whether the innermost item was such a one;
/// `None` where none of the items is.
fn without_own(context: &[u8], own: &str) -> Option<(Vec<u8>, bool)> {
    memchr::memmem::find(context, own.as_bytes())?;
    let mut items: Vec<Cow<'_, [u8]>> = Vec::new();
    for line in context.split(|byte| *byte == b'\n') {
        let starts = PARTS.iter().chain(OTHERS).any(|start| line.starts_with(start.as_bytes()));
        match items.last_mut() {
            Some(item) if !starts => {
                item.to_mut().push(b'\n');
                item.to_mut().extend_from_slice(line);
            }
            _ => items.push(Cow::Borrowed(line)),
        }
    }
    let is_own = |item: &[u8]| item.starts_with(own.as_bytes());
    let is_part = |item: &[u8]| PARTS.iter().any(|start| item.starts_with(start.as_bytes()));
    let drops =
        |at: usize| is_own(&items[at]) || (is_part(&items[at]) && items.get(at + 1).is_some_and(|next| is_own(next)));
    let kept: Vec<&[u8]> = (0..items.len()).filter(|at| !drops(*at)).map(|at| items[at].as_ref()).collect();
    (kept.len() < items.len()).then(|| (kept.join(&b'\n'), is_own(&items[0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(context: &str) -> Option<(String, bool)> {
        let (context, is_raised) = without_own(context.as_bytes(), OWN_FUNCTION)?;
        Some((String::from_utf8(context).expect("it was UTF-8"), is_raised))
    }

    #[test]
    fn our_functions_go_with_their_statements() {
        let all = "PL/pgSQL function sexton.a() line 3 at RAISE\nSQL statement \"UPDATE c\n  SET x = 1\"\nPL/pgSQL function \
                   sexton.b(integer) line 9 at SQL statement";
        assert_eq!(kept(all), Some((String::new(), true)));
    }

    #[test]
    fn what_others_do_inside_stays() {
        let audit = "PL/pgSQL function audit() line 3 at RAISE";
        let context =
            format!("{audit}\nSQL statement \"UPDATE c\"\nPL/pgSQL function sexton.b() line 9 at SQL statement");
        assert_eq!(kept(&context), Some((audit.to_owned(), false)));
        let around = "SQL statement \"DELETE FROM p\"\nPL/pgSQL function purge() line 1 at SQL statement";
        let context = format!("PL/pgSQL function sexton.a() line 3 at RAISE\n{around}");
        assert_eq!(kept(&context), Some((around.to_owned(), true)));
        let locking = "while locking tuple (0,1) in relation \"p\"";
        let context = format!("{locking}\nSQL statement \"SELECT 1\"\nPL/pgSQL function sexton.a() line 2 at PERFORM");
        assert_eq!(kept(&context), Some((locking.to_owned(), false)));
    }

    #[test]
    fn contexts_of_others_are_left_alone() {
        assert_eq!(kept("PL/pgSQL function audit() line 3 at RAISE"), None);
        assert_eq!(kept("SQL statement \"SELECT 'PL/pgSQL function sexton.a()'\"\nPL/pgSQL function b() line 1"), None);
    }
}
