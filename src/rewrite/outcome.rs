//! What the rules say about one statement.

use crate::rewrite::Refusal;
use crate::rewrite::state::{Changes, Fresh, User};
use crate::sql::edit::Edits;

/// The answer for one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Goes through byte for byte.
    Unchanged,
    /// Goes through with these edits.
    Rewritten {
        /// Over the statement's own bytes.
        edits: Edits,
        /// How the command tag is brought back to what the client asked for.
        tag: Option<TagChange>,
    },
    /// Does not go through.
    Refused(Refusal),
}

impl Outcome {
    /// What these edits make of a statement.
    #[must_use]
    pub fn of(edits: Edits, tag: Option<TagChange>) -> Self {
        if edits.is_empty() { Self::Unchanged } else { Self::Rewritten { edits, tag } }
    }
}

/// Turns the server's command tag into the one the client's statement earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagChange {
    /// `UPDATE n`, `INSERT 0 n` or `SELECT n` becomes `DELETE n`.
    Delete,
    /// Anything becomes `TRUNCATE TABLE`.
    Truncate,
    /// `DO` becomes `DROP TABLE`.
    DropTable,
}

/// What a statement does to the session, once the server has confirmed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that rewriting depends on.
    None,
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT, END, PREPARE TRANSACTION; `chain`: AND CHAIN.
    Commit {
        /// A new transaction starts at once.
        chain: bool,
    },
    /// ROLLBACK, ABORT.
    Rollback {
        /// A new transaction starts at once.
        chain: bool,
    },
    /// SAVEPOINT name.
    Savepoint(String),
    /// RELEASE name.
    Release(String),
    /// ROLLBACK TO name.
    RollbackTo(String),
    /// SET of a setting that rewriting depends on, or `set_config` with constants.
    Set {
        /// SET LOCAL.
        local: bool,
        /// Which one, with its new value.
        setting: Setting,
    },
    /// DISCARD ALL: every setting back to its start, every statement and temporary table gone.
    DiscardAll,
    /// DISCARD TEMP.
    DiscardTemp,
    /// RESET ALL.
    ResetAll,
    /// PREPARE name AS …
    Prepare {
        /// The statement's name as stored.
        name: String,
        /// The tag change of the prepared statement, applied at EXECUTE.
        tag: Option<TagChange>,
        /// Whether its text depends on the session's scope or names (it mentions a registered table).
        mentions: bool,
        /// Executing it is [`Effect::Unsettled`].
        unsettles: bool,
        /// The PREPARE statement as the client wrote it.
        source: Vec<u8>,
        /// What it was sent as.
        sent: Vec<u8>,
    },
    /// EXECUTE name.
    Execute(String),
    /// DEALLOCATE name; `None`: ALL.
    Deallocate(Option<String>),
    /// CREATE TEMPORARY TABLE (or view, or SELECT INTO TEMP) of a name that matters.
    CreateTemporary {
        /// As stored.
        name: String,
        /// ON COMMIT DROP.
        until_commit: bool,
    },
    /// DROP TABLE of temporary tables of such names, and perhaps of others.
    DropTemporary {
        /// As stored.
        names: Vec<String>,
        /// What it changes besides.
        changes: Changes,
    },
    /// DDL after which the catalog must be read again, with what may differ until then.
    Schema(Changes),
    /// The same, with a relation of this name that holds or shows the rows of a registered table.
    SchemaUnder {
        /// As stored.
        name: String,
        /// What it is.
        fresh: Fresh,
        /// What may differ until the catalog is read.
        changes: Changes,
    },
    /// Runs what cannot be read off its text: settings that decide how later statements are read may have changed.
    Unsettled {
        /// And so may the schema.
        schema: bool,
    },
}

/// A session setting that rewriting depends on. `None` stands for its value at session start (RESET, TO DEFAULT).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `sexton.scope`: the setting's text, already checked.
    Scope(Option<String>),
    /// `sexton.as_of`: the setting's text, already checked.
    AsOf(Option<String>),
    /// `search_path`: the setting's text.
    SearchPath(Option<String>),
    /// `search_path` or `standard_conforming_strings` set to something Sexton cannot know.
    Unsettled,
    /// `standard_conforming_strings`
    StandardConformingStrings(Option<bool>),
    /// `client_encoding`, by `SET client_encoding` or `SET NAMES`.
    ClientEncoding(Option<String>),
    /// SET ROLE; `None`: NONE.
    Role(Option<User>),
    /// RESET ROLE
    RoleAtStart,
    /// SET SESSION AUTHORIZATION; `None`: DEFAULT.
    SessionUser(Option<User>),
}
