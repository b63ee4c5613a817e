//! The settings by which the objects of schema `sexton` tell one another what goes on are not for clients to set: with them
//! a session could silence what keeps deleted rows. Those that clients may set are named here.

use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::settings::{name_in, set_config_calls};
use crate::rewrite::statement::Statement;
use crate::sql::keyword::Keyword;
use crate::sql::split::Piece;

const PREFIX: &str = "sexton.";
/// What stands behind [`PREFIX`] in the settings for clients.
const FREE: &[&str] = &["actor", "as_of", "reason", "scope"];

/// True for a setting of the objects of schema `sexton`; setting names know no case.
#[must_use]
pub fn is_own(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_prefix(PREFIX).is_some_and(|rest| !FREE.contains(&rest))
}

/// Refuses what would set one of them: SET, ALTER … SET, a function's SET, and `set_config`. RESET is nothing but what
/// the end of the transaction does.
pub(crate) fn check(statement: &Statement<'_>) -> Result<(), Refusal> {
    if statement.names.role.hard_deletes {
        return Ok(());
    }
    let Piece { first, end } = statement.piece;
    let sets = |index: &usize| match statement.keyword(first) {
        Some(Keyword::Set) => *index == first,
        Some(Keyword::Alter | Keyword::Create) => statement.keyword(*index) == Some(Keyword::Set),
        _ => false,
    };
    (first..end).filter(sets).try_for_each(|index| check_set(statement, index))?;
    for call in set_config_calls(statement) {
        check_call(statement, call)?;
    }
    // Only the clause behind it tells what the function is called.
    let escaped = |index: &usize| {
        let name = statement.has_unicode_escape_at(*index).then(|| statement.unicode_name(*index));
        name.is_some_and(|name| name.is_none_or(|name| name == "set_config"))
    };
    (first..end).find(escaped).map_or(Ok(()), |index| refuse_unknown(statement, index))
}

/// `SET [LOCAL | SESSION] name`, whose SET stands at `index`.
fn check_set(statement: &Statement<'_>, index: usize) -> Result<(), Refusal> {
    let has_word = matches!(statement.keyword(index + 1), Some(Keyword::Local | Keyword::Session));
    let name = index + 1 + usize::from(has_word);
    match statement.name_parts(name).map(|(parts, _)| parts.join(".")) {
        Some(setting) if is_own(&setting) => statement.refuse(Reason::OwnSetting { name: Some(setting) }, name),
        _ => Ok(()),
    }
}

/// A call of `set_config`; where there are such objects its setting must be known.
fn check_call(statement: &Statement<'_>, call: usize) -> Result<(), Refusal> {
    match name_in(statement, call) {
        Some(name) if is_own(&name) => statement.refuse(Reason::OwnSetting { name: Some(name) }, call + 2),
        Some(_) => Ok(()),
        None => refuse_unknown(statement, call),
    }
}

/// Refuses to set what is not known, where anything minds.
fn refuse_unknown(statement: &Statement<'_>, token: usize) -> Result<(), Refusal> {
    match statement.names.registry.snapshot().own.is_empty() {
        true => Ok(()),
        false => statement.refuse(Reason::OwnSetting { name: None }, token),
    }
}
