//! Sexton's own errors inside a conversation: what replaces the fields of the error that the server was made to raise.

use crate::rewrite::Refusal;
use crate::rewrite::conflict::{DEAD_KEY_PREFIX, DEAD_KEY_SUFFIX};
use crate::session::plan::{CANNOT_PARSE, Plan};
use crate::sql::encoding::Encoding;
use crate::wire::backend::Fields;
use crate::wire::sqlstate::SqlState;

/// Text that no server can parse: sent where Sexton itself refuses, so that the server fails in its place.
pub(crate) const UNPARSABLE: &[u8] = b"sexton refused this statement";
/// A statement name for injected text that cannot parse: a failing unnamed Parse would drop the client's unnamed statement.
pub(crate) const REFUSED_NAME: &[u8] = b"sexton refused";

/// Why a message is refused that the rules themselves have no refusal for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complaint {
    /// The rules refuse the statement.
    Refused(Refusal),
    /// EXECUTE or Bind of a statement that SQL PREPARE made under other settings: its text cannot be made anew.
    StalePrepared {
        /// The statement's name.
        name: String,
    },
    /// EXECUTE of a statement that changes the session, among others that were read without that change.
    HiddenChange {
        /// The statement's name.
        name: String,
    },
    /// A statement for cursors beside a portal of the protocol that does more than read rows.
    HiddenPortal {
        /// The portal's name.
        name: String,
    },
    /// A FunctionCall message for a function that may run SQL.
    FunctionCall,
    /// ON CONFLICT DO UPDATE met a deleted row.
    DeadKey {
        /// The table that holds it.
        table: String,
    },
    /// What the statement was rewritten to does not fit in a message (F5).
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// The texts of an error, ready to be put into fields.
pub(crate) struct Words {
    code: SqlState,
    message: Vec<u8>,
    detail: Option<Vec<u8>>,
    hint: Option<Vec<u8>>,
    position: Option<Vec<u8>>,
}

/// The same before it is put into the client's encoding.
struct Draft {
    code: SqlState,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    position: Option<String>,
}

impl Complaint {
    /// What the guard that Sexton put behind ON CONFLICT says in the server's error, where it is what failed.
    pub(crate) fn dead_key(plan: Option<&Plan>, fields: &Fields<'_>) -> Option<Self> {
        plan.filter(|plan| !plan.edits.is_empty())?;
        let message = std::str::from_utf8(fields.get(b'M')?).ok()?;
        let (_, rest) = message.split_once(DEAD_KEY_PREFIX)?;
        let (table, _) = rest.split_once(DEAD_KEY_SUFFIX)?;
        Some(Self::DeadKey { table: table.to_owned() })
    }

    /// False where the server's syntax error is about the client's own text, which comes before what was put behind it.
    pub(crate) fn is_met(&self, plan: Option<&Plan>, fields: &Fields<'_>, encoding: Encoding) -> bool {
        let Self::Refused(_) = self else { return true };
        let expected = plan.and_then(|plan| {
            let before = plan.upstream_text.as_deref()?.get(..plan.refusal_offset())?;
            Some((encoding.count_characters(before)? + 1).to_string())
        });
        match (expected, fields.get(b'P')) {
            (Some(expected), Some(there)) => expected.as_bytes() == there,
            _ => true,
        }
    }

    pub(crate) fn words(&self, plan: Option<&Plan>, encoding: Encoding) -> Words {
        let Draft { code, message, detail, hint, position } = self.draft(plan, encoding);
        let encoded = |text: Option<String>| text.map(|text| encoding.encode(&text));
        let message = encoding.encode(&message);
        Words { code, message, detail: encoded(detail), hint: encoded(hint), position: encoded(position) }
    }

    fn draft(&self, plan: Option<&Plan>, encoding: Encoding) -> Draft {
        match self {
            Self::Refused(refusal) => Draft {
                code: refusal.sqlstate(),
                message: refusal.message(),
                detail: refusal.detail(),
                hint: refusal.hint(),
                position: plan.and_then(|plan| position(plan, refusal.offset?, encoding)),
            },
            Self::StalePrepared { name } => Draft {
                code: SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                message: format!("sexton: prepared statement \"{name}\" was prepared under other settings"),
                detail: Some("The scope, the search path or the catalog has changed since PREPARE.".to_owned()),
                hint: Some("DEALLOCATE it and PREPARE it again.".to_owned()),
                position: None,
            },
            Self::HiddenChange { name } => Draft {
                code: SqlState::FEATURE_NOT_SUPPORTED,
                message: format!("sexton: prepared statement \"{name}\" changes the session"),
                detail: Some("The statements behind EXECUTE would be read under other settings.".to_owned()),
                hint: Some("Send EXECUTE as a query of its own.".to_owned()),
                position: None,
            },
            Self::HiddenPortal { name } => Draft {
                code: SqlState::FEATURE_NOT_SUPPORTED,
                message: format!("sexton: portal \"{name}\" may change the session"),
                detail: Some("A statement for cursors would run or replace it unseen.".to_owned()),
                hint: Some("Close the portal first, or run it by Execute.".to_owned()),
                position: None,
            },
            Self::FunctionCall => Draft {
                code: SqlState::FEATURE_NOT_SUPPORTED,
                message: "sexton: the function call protocol is limited to large objects".to_owned(),
                detail: Some("A function called by its oid may run SQL that cannot be scoped.".to_owned()),
                hint: Some("Call it in a SELECT, or set unscoped = \"pass\" for the database.".to_owned()),
                position: None,
            },
            Self::DeadKey { table } => Draft {
                code: SqlState::UNIQUE_VIOLATION,
                message: format!("sexton: a deleted row of {table} holds this key"),
                detail: Some("ON CONFLICT DO UPDATE would write into a row that is not there.".to_owned()),
                hint: Some(
                    "Free the key on the deleted row, or make the unique index partial (WHERE live).".to_owned(),
                ),
                position: None,
            },
            Self::TooLong { bytes } => Draft {
                code: SqlState::PROGRAM_LIMIT_EXCEEDED,
                message: "sexton: the rewritten statement is longer than a message may be".to_owned(),
                detail: Some(format!("It is {bytes} bytes long.")),
                hint: Some("Send it in parts.".to_owned()),
                position: None,
            },
        }
    }
}

impl Words {
    /// Puts the words into the server's error: its severity is kept, everything else that it said goes.
    pub(crate) fn put_into<'a>(&'a self, fields: &mut Fields<'a>) {
        for code in *b"DHPpqWstcdnFLR" {
            fields.remove(code);
        }
        fields.set(b'C', self.code.0.as_bytes());
        fields.set(b'M', &self.message);
        for (code, text) in [(b'D', &self.detail), (b'H', &self.hint), (b'P', &self.position)] {
            if let Some(text) = text {
                fields.set(code, text);
            }
        }
    }
}

/// The server's words without what stands behind a refused text, where it quotes the text to its end: an error of the
/// client's own. `None` where there is nothing to leave out.
pub(crate) fn own_message(plan: Option<&Plan>, fields: &Fields<'_>) -> Option<Vec<u8>> {
    plan.filter(|plan| plan.refusal.is_some())?;
    let message = fields.get(b'M')?;
    let put_behind = memchr::memmem::rfind(message, CANNOT_PARSE)?;
    Some([&message[..put_behind], &message[put_behind + CANNOT_PARSE.len()..]].concat())
}

/// The 1-based character that `P` gives for a byte offset of the client's text.
fn position(plan: &Plan, offset: usize, encoding: Encoding) -> Option<String> {
    let before = plan.client_text.get(..offset)?;
    Some((encoding.count_characters(before)? + 1).to_string())
}

/// Carries a `P` of the text the server saw back to the client's text (R1); `None` where nothing needs carrying.
pub(crate) fn original_position(plan: &Plan, position: &[u8], encoding: Encoding) -> Option<String> {
    let upstream = plan.upstream_text.as_deref()?;
    if plan.edits.is_empty() {
        return None;
    }
    let character: usize = std::str::from_utf8(position).ok()?.parse().ok()?;
    let edited = encoding.character_offset(upstream, character.checked_sub(1)?)?;
    let offset = plan.edits.original_offset(edited).min(plan.client_text.len());
    self::position(plan, offset, encoding)
}
