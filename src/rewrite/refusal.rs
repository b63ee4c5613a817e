//! Why a statement is refused: a closed list, and the one place that turns it, by its words, into what the client is told.

use crate::wire::sqlstate::SqlState;

/// A refusal, and the place in the statement that caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Byte offset in the client's text, where there is one.
    pub offset: Option<usize>,
}

/// The reasons. A `table` is written `schema.name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// DDL that would take the table, or its marker, out of Sexton's sight.
    Alter {
        /// The table.
        table: String,
    },
    /// A name that may mean more than one relation.
    Ambiguous {
        /// As written.
        name: String,
    },
    /// A table that a registered one inherits from or is a partition of.
    Ancestor {
        /// The one mentioned.
        table: String,
        /// The registered one below it.
        registered: String,
    },
    /// The database lacks what the configuration asks for.
    Broken {
        /// The table.
        table: String,
        /// What is missing.
        fault: String,
    },
    /// A value of `sexton.as_of` that is no time, or one that is not a constant.
    AsOfValue {
        /// What is wrong with it.
        fault: String,
    },
    /// A form of COPY that cannot be turned into COPY (query).
    Copy {
        /// The table.
        table: String,
    },
    /// DROP TABLE of a registered table by a role outside `access.hard_delete`.
    Drop {
        /// The table.
        table: String,
    },
    /// Bytes that only the server can read, in an encoding whose characters may hold ASCII bytes.
    Encoding,
    /// A relation that was put under or over a registered table in this transaction, or a temporary one in this session.
    Fresh {
        /// Its name.
        name: String,
    },
    /// DELETE in scope `deleted` by a role outside `access.hard_delete`.
    HardDelete {
        /// The table.
        table: String,
    },
    /// A MERGE whose DELETE cannot be done by marking in place.
    Merge {
        /// The table.
        table: String,
    },
    /// SQL in a string or body that Sexton cannot look into.
    Opaque {
        /// What holds it, such as `DO` or a function's name.
        holder: String,
    },
    /// A row lock asked for with `sexton.as_of`.
    PastLock,
    /// An archive table that cannot be read as of another time.
    PastArchive {
        /// The table.
        table: String,
        /// Its archive.
        archive: String,
        /// What is missing.
        fault: &'static str,
    },
    /// A table whose deletions leave no time behind.
    PastUnknown {
        /// The table.
        table: String,
    },
    /// A write with `sexton.as_of`.
    PastWrite {
        /// The table.
        table: String,
    },
    /// The role is not known to have a privilege that the server would not ask for in the statement's new form.
    Privilege {
        /// The privilege.
        verb: &'static str,
        /// The table.
        table: String,
    },
    /// A table whose columns the same transaction has changed.
    Reshaped {
        /// The table.
        table: String,
    },
    /// A write to the row that a cursor is on, which may be deleted since.
    Cursor {
        /// The table.
        table: String,
    },
    /// A foreign key that was made after `sexton apply` was run would not notice a mark.
    KeyIncomplete {
        /// The table it points to.
        table: String,
        /// The constraint.
        key: String,
        /// The table that has it.
        by: String,
    },
    /// Row-level security holds the statement's new form to other policies than the statement.
    Policies {
        /// What the client wants to do.
        verb: &'static str,
        /// The table.
        table: String,
    },
    /// DDL would take away what keeps deleted rows inside the server.
    OwnObjects {
        /// The object.
        what: String,
    },
    /// A setting that the objects of schema `sexton` keep for themselves.
    OwnSetting {
        /// The setting; `None` where its name is computed.
        name: Option<String>,
    },
    /// RETURNING needs values as they were before the mark, and they cannot be known.
    ReturningOld {
        /// The table.
        table: String,
    },
    /// RETURNING of a DELETE with a USING list that cannot be carried over.
    ReturningUsing {
        /// The table.
        table: String,
    },
    /// RETURNING of a DELETE inside a CTE that reads what the DELETE's own WITH brings.
    ReturningWith {
        /// The table.
        table: String,
    },
    /// RETURNING of a DELETE that names the rows OLD and NEW, where there are no such rows.
    ReturningVersions {
        /// The table.
        table: String,
    },
    /// TABLESAMPLE where the table must become a derived one.
    Sampled {
        /// The table.
        table: String,
    },
    /// Leaving scope `live` by a role outside `access.see_deleted`.
    Scope,
    /// A comment to Sexton that asks for nothing it knows.
    Comment {
        /// What it asks for.
        asked: String,
    },
    /// A value that is no scope, or one that is not a constant.
    ScopeValue {
        /// What is wrong with it.
        fault: String,
    },
    /// A temporary table hides a registered one, or did.
    TemporaryShadow {
        /// The name.
        name: String,
    },
    /// TRUNCATE under `truncate = "refuse"`.
    Truncate {
        /// The table.
        table: String,
    },
    /// A form of TRUNCATE that cannot be turned into deletions.
    TruncateForm {
        /// The form.
        form: &'static str,
    },
    /// TRUNCATE of a table whose rows leave it, while marked rows of another go on referring to them.
    TruncateLeaves {
        /// The table.
        table: String,
        /// The one that refers to it.
        by: String,
    },
    /// TRUNCATE … CASCADE that would empty a table that is not registered.
    TruncateReach {
        /// A table that is emptied.
        table: String,
        /// The one that refers to it.
        by: String,
    },
    /// TRUNCATE of a table that another refers to: the server's own refusal, which must not depend on what it finds.
    TruncateReferenced {
        /// The table, without its schema.
        table: String,
        /// The one that refers to it, likewise.
        by: String,
    },
    /// A write through a view that shows a registered table.
    View {
        /// What the client wants to do.
        what: &'static str,
        /// What it would do.
        does: &'static str,
        /// The view.
        view: String,
        /// The table.
        table: String,
    },
    /// The statement's structure cannot be read.
    Unreadable {
        /// Where reading stopped.
        what: &'static str,
    },
    /// A kind of statement that no rule covers.
    Utility {
        /// Its first word.
        verb: String,
    },
    /// The two readings of the statement differ.
    Witness {
        /// The name they differ about.
        name: String,
    },
}

impl Reason {
    /// The reason's name, as cases and `--format json` give it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.words().name
    }
}

impl Refusal {
    /// A refusal caused at byte `offset` of the client's text.
    #[must_use]
    pub fn at(reason: Reason, offset: usize) -> Self {
        Self { reason, offset: Some(offset) }
    }

    /// The SQLSTATE the client gets.
    #[must_use]
    pub fn sqlstate(&self) -> SqlState {
        self.reason.words().sqlstate
    }

    /// What happened; starts with `sexton:`, unless the server would say the same.
    #[must_use]
    pub fn message(&self) -> String {
        let message = self.reason.words().message;
        match &self.reason {
            Reason::TruncateReferenced { .. } => message,
            _ => format!("sexton: {message}"),
        }
    }

    /// The facts behind it.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        let words = self.reason.words();
        if let Reason::TruncateReferenced { table, by } = &self.reason {
            return Some(format!("Table \"{by}\" references \"{table}\"."));
        }
        (words.sqlstate == SqlState::FEATURE_NOT_SUPPORTED)
            .then(|| "A statement that cannot be scoped with certainty is not passed on.".to_owned())
    }

    /// How to write it instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(self.reason.words().hint.into_owned())
    }
}
