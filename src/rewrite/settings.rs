//! What SET, RESET, DISCARD, `set_config` and transaction control do to the state that rewriting depends on.

use crate::rewrite::as_of::AsOf;
use crate::rewrite::comment::check_asked;
use crate::rewrite::ddl;
use crate::rewrite::opaque::is_string;
use crate::rewrite::outcome::{Effect, Setting};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::state::{Scope, User};
use crate::rewrite::statement::Statement;
use crate::sql::ident::{plain_string, quote};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;

/// The effect of a statement that is nothing else; `None` for every other statement.
pub(crate) fn effect(statement: &Statement<'_>) -> Result<Option<Effect>, Refusal> {
    let first = statement.piece.first;
    let Some(keyword) = statement.keyword(first) else { return Ok(None) };
    let effect = match keyword {
        Keyword::Begin => Effect::Begin,
        Keyword::Start => Effect::Begin,
        Keyword::Commit | Keyword::End if !is_prepared(statement, first + 1) => {
            Effect::Commit { chain: chains(statement) }
        }
        Keyword::Prepare if prepares_transaction(statement, first + 1) => Effect::Commit { chain: false },
        Keyword::Rollback | Keyword::Abort if !is_prepared(statement, first + 1) => rollback(statement),
        // What another transaction did becomes visible.
        Keyword::Commit | Keyword::End | Keyword::Rollback | Keyword::Abort => ddl::everything(statement),
        Keyword::Savepoint => named(statement, first + 1).map_or(Effect::None, Effect::Savepoint),
        Keyword::Release => {
            named(statement, behind_savepoint(statement, first + 1)).map_or(Effect::None, Effect::Release)
        }
        Keyword::Set => return set(statement).map(Some),
        Keyword::Reset => return reset(statement).map(Some),
        Keyword::Discard => discard(statement),
        Keyword::Deallocate => deallocate(statement),
        _ => return Ok(None),
    };
    Ok(Some(effect))
}

fn named(statement: &Statement<'_>, index: usize) -> Option<String> {
    statement.name_at(index)
}

fn is_prepared(statement: &Statement<'_>, index: usize) -> bool {
    statement.word(index).as_deref() == Some("prepared")
}

/// `PREPARE TRANSACTION 'id'`; without the string it prepares a statement called transaction.
fn prepares_transaction(statement: &Statement<'_>, index: usize) -> bool {
    statement.keyword(index) == Some(Keyword::Transaction) && statement.kind(index + 1).is_some_and(is_string)
}

fn behind_savepoint(statement: &Statement<'_>, index: usize) -> usize {
    // `RELEASE savepoint` alone names a savepoint of that name.
    let has_name = statement.kind(index + 1).is_some();
    index + usize::from(statement.keyword(index) == Some(Keyword::Savepoint) && has_name)
}

fn chains(statement: &Statement<'_>) -> bool {
    let last = statement.piece.end - 1;
    statement.keyword(last) == Some(Keyword::Chain) && statement.keyword(last.saturating_sub(1)) == Some(Keyword::And)
}

fn rollback(statement: &Statement<'_>) -> Effect {
    match statement.outside_groups(statement.piece.first, Keyword::To) {
        Some(to) => named(statement, behind_savepoint(statement, to + 1)).map_or(Effect::None, Effect::RollbackTo),
        None => Effect::Rollback { chain: chains(statement) },
    }
}

fn discard(statement: &Statement<'_>) -> Effect {
    match statement.keyword(statement.piece.first + 1) {
        Some(Keyword::All) => Effect::DiscardAll,
        Some(Keyword::Temp | Keyword::Temporary) => Effect::DiscardTemp,
        _ => Effect::None,
    }
}

fn deallocate(statement: &Statement<'_>) -> Effect {
    let mut index = statement.piece.first + 1;
    if statement.keyword(index) == Some(Keyword::Prepare) && statement.kind(index + 1).is_some() {
        index += 1;
    }
    match statement.keyword(index) {
        Some(Keyword::All) => Effect::Deallocate(None),
        _ => named(statement, index).map_or(Effect::None, |name| Effect::Deallocate(Some(name))),
    }
}

fn set(statement: &Statement<'_>) -> Result<Effect, Refusal> {
    let mut index = statement.piece.first + 1;
    let local = statement.keyword(index) == Some(Keyword::Local);
    let session = statement.keyword(index) == Some(Keyword::Session);
    if session && statement.keyword(index + 1) == Some(Keyword::Authorization) {
        return Ok(Effect::Set { local: false, setting: session_user(statement, index + 2) });
    }
    if local || (session && !matches!(statement.kind(index + 1), Some(Kind::Operator | Kind::Dot))) {
        index += 1;
    }
    let effect = |setting| Ok(Effect::Set { local, setting });
    match statement.keyword(index) {
        Some(Keyword::Session) if statement.keyword(index + 1) == Some(Keyword::Authorization) => {
            return effect(session_user(statement, index + 2));
        }
        // SET ROLE NONE and SET role = none, DEFAULT among their values.
        Some(Keyword::Role) => {
            let equals = matches!(statement.kind(index + 1), Some(Kind::Operator))
                || statement.keyword(index + 1) == Some(Keyword::To);
            return effect(role(statement, index + 1 + usize::from(equals)));
        }
        Some(Keyword::Schema) => {
            let path = search_path(statement, index + 1);
            return effect(path.map_or(Setting::Unsettled, |path| Setting::SearchPath(Some(path))));
        }
        Some(Keyword::Names) => return effect(Setting::ClientEncoding(text_value(statement, index + 1))),
        _ => {}
    }
    let Some((parts, next)) = statement.name_parts(index) else { return Ok(Effect::None) };
    let value = next + 1;
    if statement.keyword(next) == Some(Keyword::From) {
        // SET name FROM CURRENT gives the setting the value it has.
        return Ok(Effect::None);
    }
    match setting_named(&parts) {
        Some(Tracked::SearchPath) => match search_path(statement, value) {
            Some(text) => effect(Setting::SearchPath(Some(text))),
            None if is_default(statement, value) => effect(Setting::SearchPath(None)),
            None => effect(Setting::Unsettled),
        },
        Some(Tracked::Strings) => match text_value(statement, value) {
            Some(text) => effect(Setting::StandardConformingStrings(Some(is_on(&text)))),
            None if is_default(statement, value) => effect(Setting::StandardConformingStrings(None)),
            None => effect(Setting::Unsettled),
        },
        Some(Tracked::Encoding) => effect(Setting::ClientEncoding(text_value(statement, value))),
        Some(Tracked::SessionUser) => effect(session_user(statement, value)),
        Some(Tracked::Role) => effect(role(statement, value)),
        Some(Tracked::Scope) if is_default(statement, value) => effect(Setting::Scope(None)),
        Some(Tracked::Scope) => {
            effect(Setting::Scope(Some(checked_scope(statement, only_value(statement, value), value)?)))
        }
        Some(Tracked::AsOf) if is_default(statement, value) => effect(Setting::AsOf(None)),
        Some(Tracked::AsOf) => {
            effect(Setting::AsOf(Some(checked_as_of(statement, only_value(statement, value), value)?)))
        }
        None => Ok(Effect::None),
    }
}

/// A setting that rewriting depends on.
enum Tracked {
    SearchPath,
    Strings,
    Encoding,
    Role,
    SessionUser,
    Scope,
    AsOf,
}

/// Setting names are compared without regard to case, quoted or not.
fn setting_named(parts: &[String]) -> Option<Tracked> {
    match parts.join(".").to_ascii_lowercase().as_str() {
        "search_path" => Some(Tracked::SearchPath),
        "standard_conforming_strings" => Some(Tracked::Strings),
        "client_encoding" => Some(Tracked::Encoding),
        "role" => Some(Tracked::Role),
        "session_authorization" => Some(Tracked::SessionUser),
        "sexton.scope" => Some(Tracked::Scope),
        "sexton.as_of" => Some(Tracked::AsOf),
        _ => None,
    }
}

/// The role that SET ROLE names; `none` is no role, quoted or not.
fn role(statement: &Statement<'_>, value: usize) -> Setting {
    match only_value(statement, value) {
        Some(name) => Setting::Role(named_user(name)),
        None if is_default(statement, value) => Setting::RoleAtStart,
        None => Setting::Role(Some(User::Unknown)),
    }
}

fn named_user(name: String) -> Option<User> {
    (name != "none").then_some(User::Named(name))
}

fn session_user(statement: &Statement<'_>, value: usize) -> Setting {
    match only_value(statement, value) {
        Some(name) => Setting::SessionUser(Some(User::Named(name))),
        None if is_default(statement, value) => Setting::SessionUser(None),
        None => Setting::SessionUser(Some(User::Unknown)),
    }
}

fn checked_scope(statement: &Statement<'_>, text: Option<String>, token: usize) -> Result<String, Refusal> {
    checked(statement, text, token, Scope::parse, |fault| Reason::ScopeValue { fault })
}

fn checked_as_of(statement: &Statement<'_>, text: Option<String>, token: usize) -> Result<String, Refusal> {
    let past = |text: &str| AsOf::parse(text).map(|as_of| Scope { as_of, ..Scope::default() });
    checked(statement, text, token, past, |fault| Reason::AsOfValue { fault })
}

/// The `text` of a setting, where `read` takes it and the role may have what it asks for.
fn checked(
    statement: &Statement<'_>,
    text: Option<String>,
    token: usize,
    read: impl Fn(&str) -> Result<Scope, String>,
    reason: impl Fn(String) -> Reason,
) -> Result<String, Refusal> {
    let outcome = match text {
        None => Err(reason("only a string constant can be followed".to_owned())),
        Some(text) => match read(&text) {
            Ok(scope) => check_asked(&scope, statement.names).map(|()| text),
            Err(fault) => Err(reason(fault)),
        },
    };
    outcome.or_else(|reason| statement.refuse(reason, token))
}

/// Booleans as the server reads them: unique prefixes of on, yes, true, and 1.
fn is_on(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text == "1" || (!text.is_empty() && ("true".starts_with(&text) || "yes".starts_with(&text))) || text == "on"
}

/// One constant: a string without escapes, or a word.
fn text_value(statement: &Statement<'_>, index: usize) -> Option<String> {
    match statement.kind(index)? {
        Kind::String | Kind::DollarString => {
            plain_string(statement.text, &statement.tokens[index]).and_then(|value| String::from_utf8(value).ok())
        }
        Kind::Word if statement.keyword(index) == Some(Keyword::Default) => None,
        Kind::Word | Kind::QuotedWord => statement.name_at(index),
        Kind::Number => {
            let token = &statement.tokens[index];
            Some(String::from_utf8_lossy(&statement.text[token.start..token.end]).into_owned())
        }
        _ => None,
    }
}

/// The constant that a statement ends with.
fn only_value(statement: &Statement<'_>, index: usize) -> Option<String> {
    text_value(statement, index).filter(|_| statement.kind(index + 1).is_none())
}

fn is_default(statement: &Statement<'_>, index: usize) -> bool {
    statement.keyword(index) == Some(Keyword::Default)
}

/// A list of names as the setting's text, each quoted where it must be.
fn search_path(statement: &Statement<'_>, mut index: usize) -> Option<String> {
    let mut members = Vec::new();
    loop {
        members.push(quote_member(&text_value(statement, index)?));
        index += 1;
        match statement.kind(index) {
            None => return Some(members.join(", ")),
            Some(Kind::Comma) => index += 1,
            Some(_) => return None,
        }
    }
}

fn quote_member(name: &str) -> String {
    if name.is_empty() { "\"\"".to_owned() } else { quote(name) }
}

fn reset(statement: &Statement<'_>) -> Result<Effect, Refusal> {
    let first = statement.piece.first + 1;
    let effect = |setting| Ok(Effect::Set { local: false, setting });
    match statement.keyword(first) {
        Some(Keyword::All) => return Ok(Effect::ResetAll),
        // A setting of one's own may be called session.something.
        Some(Keyword::Session) if statement.keyword(first + 1) == Some(Keyword::Authorization) => {
            return effect(Setting::SessionUser(None));
        }
        _ => {}
    }
    let Some((parts, _)) = statement.name_parts(first) else { return Ok(Effect::None) };
    match setting_named(&parts) {
        Some(Tracked::SearchPath) => effect(Setting::SearchPath(None)),
        Some(Tracked::Strings) => effect(Setting::StandardConformingStrings(None)),
        Some(Tracked::Encoding) => effect(Setting::ClientEncoding(None)),
        Some(Tracked::Role) => effect(Setting::RoleAtStart),
        Some(Tracked::SessionUser) => effect(Setting::SessionUser(None)),
        Some(Tracked::Scope) => effect(Setting::Scope(None)),
        Some(Tracked::AsOf) => effect(Setting::AsOf(None)),
        None => Ok(Effect::None),
    }
}

/// What `SELECT set_config('…', '…', true|false)` sets: on its own it is sure to run exactly once.
pub(crate) fn set_config(statement: &Statement<'_>) -> Result<Option<Effect>, Refusal> {
    let Some(call) = set_config_calls(statement).next() else { return Ok(None) };
    let Some((name, value, local)) = exact_call(statement, call) else { return Ok(None) };
    let setting = match setting_named(&[name]) {
        Some(Tracked::SearchPath) => Setting::SearchPath(Some(value)),
        Some(Tracked::Strings) => Setting::StandardConformingStrings(Some(is_on(&value))),
        Some(Tracked::Encoding) => Setting::ClientEncoding(Some(value)),
        Some(Tracked::Role) => Setting::Role(named_user(value)),
        Some(Tracked::SessionUser) => Setting::SessionUser(Some(User::Named(value))),
        Some(Tracked::Scope) => Setting::Scope(Some(checked_scope(statement, Some(value), call)?)),
        Some(Tracked::AsOf) => Setting::AsOf(Some(checked_as_of(statement, Some(value), call)?)),
        None => return Ok(None),
    };
    Ok(Some(Effect::Set { local, setting }))
}

/// The tokens that name `set_config` where it is called.
pub(crate) fn set_config_calls<'s>(statement: &'s Statement<'_>) -> impl Iterator<Item = usize> + 's {
    (statement.piece.first..statement.piece.end).filter(|&index| {
        statement.kind(index + 1) == Some(Kind::Open) && statement.name_at(index).as_deref() == Some("set_config")
    })
}

/// The setting that the call of `set_config` names, where that is a constant.
pub(crate) fn name_in(statement: &Statement<'_>, call: usize) -> Option<String> {
    let name = call + 2;
    let is_string = matches!(statement.kind(name), Some(Kind::String | Kind::DollarString));
    let is_cast = statement.kind(name + 1) == Some(Kind::Typecast) && statement.kind(name + 2) == Some(Kind::Word);
    let next = name + if is_cast { 3 } else { 1 };
    text_value(statement, name).filter(|_| is_string && statement.kind(next) == Some(Kind::Comma))
}

/// True for a statement, `effect` aside, that may change settings in a way its text does not tell: any other call of
/// `set_config` unless it names another setting, and writing to `pg_settings`.
///
/// # Errors
/// A refusal where it would change the scope.
pub(crate) fn unsettles(statement: &Statement<'_>, effect: &Effect) -> Result<bool, Refusal> {
    if matches!(effect, Effect::Set { .. }) {
        return Ok(false);
    }
    for call in set_config_calls(statement) {
        match name_in(statement, call).map(|name| setting_named(&[name])) {
            Some(None) => {}
            Some(Some(Tracked::Scope)) => {
                checked_scope(statement, None, call)?;
            }
            Some(Some(Tracked::AsOf)) => {
                checked_as_of(statement, None, call)?;
            }
            Some(Some(_)) | None => return Ok(true),
        }
    }
    let mut indexes = statement.piece.first..statement.piece.end;
    let writes =
        indexes.clone().any(|index| matches!(statement.keyword(index), Some(Keyword::Update | Keyword::Merge)));
    Ok((writes || statement.runs_later())
        && indexes.any(|index| statement.name_at(index).as_deref() == Some("pg_settings")))
}

/// `SELECT [pg_catalog.]set_config('name', 'value', true|false)`, and nothing else.
fn exact_call(statement: &Statement<'_>, call: usize) -> Option<(String, String, bool)> {
    let first = statement.piece.first;
    let starts = call == first + 1
        || (call == first + 3
            && statement.name_at(first + 1).as_deref() == Some("pg_catalog")
            && statement.kind(first + 2) == Some(Kind::Dot));
    let shape = [
        (call + 2, Kind::String),
        (call + 3, Kind::Comma),
        (call + 4, Kind::String),
        (call + 5, Kind::Comma),
        (call + 6, Kind::Word),
        (call + 7, Kind::Close),
    ];
    let fits = shape.iter().all(|(index, kind)| statement.kind(*index) == Some(*kind));
    if !starts || !fits || statement.piece.end != call + 8 || statement.keyword(first) != Some(Keyword::Select) {
        return None;
    }
    let local = match statement.keyword(call + 6)? {
        Keyword::True => true,
        Keyword::False => false,
        _ => return None,
    };
    Some((text_value(statement, call + 2)?, text_value(statement, call + 4)?, local))
}
