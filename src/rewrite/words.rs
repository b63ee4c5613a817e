//! Each refusal's words: its name, SQLSTATE, message and hint.

use std::borrow::Cow;

use crate::rewrite::refusal::Reason;
use crate::wire::sqlstate::SqlState;

/// What is said of one reason.
pub(super) struct Words {
    pub(super) name: &'static str,
    pub(super) sqlstate: SqlState,
    pub(super) message: String,
    pub(super) hint: Cow<'static, str>,
}

fn words(name: &'static str, sqlstate: SqlState, message: String, hint: impl Into<Cow<'static, str>>) -> Words {
    Words { name, sqlstate, message, hint: hint.into() }
}

impl Reason {
    pub(super) fn words(&self) -> Words {
        let unscoped = SqlState::FEATURE_NOT_SUPPORTED;
        let forbidden = SqlState::INSUFFICIENT_PRIVILEGE;
        let past = SqlState::READ_ONLY_SQL_TRANSACTION;
        match self {
            Self::Alter { table } => words(
                "alter",
                forbidden,
                format!("this would take {table} out of Sexton's sight"),
                "A role in access.hard_delete may run it; change the configuration together with it.",
            ),
            Self::Ambiguous { name } => words(
                "ambiguous",
                unscoped,
                format!("\"{name}\" may mean more than one table, and one of them is registered"),
                "Write the table with its schema.",
            ),
            Self::Ancestor { table, registered } => words(
                "ancestor",
                unscoped,
                format!("{table} holds the rows of {registered}, which is registered, but is not registered itself"),
                "Register the parent table in the configuration instead of its child.",
            ),
            Self::AsOfValue { fault } => words(
                "as-of-value",
                SqlState::INVALID_PARAMETER_VALUE,
                format!("invalid value for sexton.as_of: {fault}"),
                "Write a time in ISO form, such as '2026-01-31 12:00Z' or '2026-01-31'; RESET sexton.as_of goes back to the present.",
            ),
            Self::Broken { table, fault } => words(
                "broken",
                unscoped,
                format!("{table} cannot be scoped: {fault}"),
                "Add what is missing, or correct the table's section in the configuration.",
            ),
            Self::Copy { table } => words(
                "copy",
                unscoped,
                format!("this form of COPY cannot be limited to the live rows of {table}"),
                "Write COPY (SELECT …) TO.",
            ),
            Self::Drop { table } => words(
                "drop",
                forbidden,
                format!("dropping {table} would destroy rows that are kept"),
                "A role in access.hard_delete may drop it.",
            ),
            Self::Encoding => words(
                "encoding",
                unscoped,
                "the statement cannot be read in this client_encoding".to_owned(),
                "SET client_encoding TO 'UTF8'.",
            ),
            Self::Fresh { name } => words(
                "fresh",
                unscoped,
                format!("\"{name}\" holds or shows rows of a registered table, and the catalog does not say so yet"),
                "Name the registered table itself. What is not temporary can be used after COMMIT.",
            ),
            Self::HardDelete { table } => words(
                "hard-delete",
                forbidden,
                format!("permission denied to remove deleted rows of {table} for good"),
                "The role must be in access.hard_delete of the configuration.",
            ),
            Self::Merge { table } => words(
                "merge",
                unscoped,
                format!("DELETE in this MERGE INTO {table} cannot keep the rows"),
                "Write the deletion as a DELETE statement.",
            ),
            Self::Opaque { holder } => words(
                "opaque",
                unscoped,
                format!("{holder} holds SQL that cannot be scoped and may read a registered table"),
                "Run the SQL as a statement of its own, or set unscoped = \"pass\" for the database.",
            ),
            Self::PastArchive { table, archive, fault } => words(
                "past-archive",
                unscoped,
                format!("{table} cannot be read as of another time from its archive {archive}: {fault}"),
                "Read it in the present: RESET sexton.as_of, or name the table apart with sexton.scope.",
            ),
            Self::PastLock => words(
                "past-lock",
                past,
                "rows as they were cannot be locked while sexton.as_of is set".to_owned(),
                "Leave out FOR UPDATE or FOR SHARE, or RESET sexton.as_of.",
            ),
            Self::PastUnknown { table } => words(
                "past-unknown",
                unscoped,
                format!("{table} cannot be read as of another time: its marker does not say when a row was deleted"),
                "Give it a marker of type timestamptz, or a mark that sets such a column to now().",
            ),
            Self::PastWrite { table } => words(
                "past-write",
                past,
                format!("cannot write to {table} while sexton.as_of is set"),
                "RESET sexton.as_of first.",
            ),
            Self::Privilege { verb, table } => words(
                "privilege",
                forbidden,
                format!("permission denied for table {table}: the role is not known to have the {verb} privilege"),
                "GRANT it; a privilege granted or a role changed during the session counts from the next one on.",
            ),
            Self::Reshaped { table } => words(
                "reshaped",
                unscoped,
                format!("the columns of {table} are changed in this transaction, and the catalog does not say so yet"),
                "COMMIT first.",
            ),
            Self::Cursor { table } => words(
                "cursor",
                unscoped,
                format!("UPDATE {table} WHERE CURRENT OF may write into a row that is deleted since"),
                "Name the row by its key.",
            ),
            Self::KeyIncomplete { table, key, by } => words(
                "key-incomplete",
                SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("the foreign key {key} of {by} does not see deletions from {table}, as it was made since"),
                "Run sexton apply; what is running takes note within half a minute, or at SIGHUP.",
            ),
            Self::Policies { verb, table } => words(
                "policies",
                unscoped,
                format!("{verb} on {table} falls under other policies than the UPDATE or DELETE that it becomes"),
                "Write the table's policies FOR ALL instead of FOR DELETE and FOR UPDATE, or let a role do it that they do not hold for.",
            ),
            Self::OwnObjects { what } => words(
                "own-objects",
                forbidden,
                format!("this would take {what} away, which keeps deleted rows where the server cascades"),
                "A role in access.hard_delete may run it; sexton check tells what is missing then.",
            ),
            Self::OwnSetting { name: Some(name) } => words(
                "own-setting",
                forbidden,
                format!("permission denied to set parameter \"{name}\", which belongs to the objects of schema sexton"),
                "Set sexton.scope, sexton.as_of, sexton.actor and sexton.reason alone; a role in access.hard_delete may set it.",
            ),
            Self::OwnSetting { name: None } => words(
                "own-setting",
                forbidden,
                "permission denied to set a parameter that is not named by a constant: it may belong to the objects of schema sexton".to_owned(),
                "Write the name in set_config() as a string constant; a role in access.hard_delete may compute it.",
            ),
            Self::ReturningOld { table } => words(
                "returning-old",
                unscoped,
                format!("RETURNING cannot give the columns that the mark of {table} changes as they were before"),
                "Return columns that the mark leaves alone, or give the table a primary key.",
            ),
            Self::ReturningUsing { table } => words(
                "returning-using",
                unscoped,
                format!("RETURNING of this DELETE FROM {table} cannot be carried past its USING list"),
                "Give each item of USING an alias, and name the returned columns with their tables.",
            ),
            Self::ReturningVersions { table } => words(
                "returning-versions",
                unscoped,
                format!("RETURNING of this DELETE FROM {table} cannot name OLD and NEW rows"),
                "Name the columns plainly: they are returned as they were before.",
            ),
            Self::ReturningWith { table } => words(
                "returning-with",
                unscoped,
                format!("subqueries in RETURNING of this DELETE FROM {table} cannot be carried past its own WITH"),
                "Write the members of that WITH before the one that holds the DELETE.",
            ),
            Self::Sampled { table } => words(
                "sampled",
                unscoped,
                format!("TABLESAMPLE of {table} cannot be limited to live rows at this place of the join"),
                "Sample in a subquery: (SELECT * FROM t TABLESAMPLE …) AS t.",
            ),
            Self::Scope => words(
                "scope",
                forbidden,
                "permission denied to leave scope \"live\"".to_owned(),
                "The role must be in access.see_deleted of the configuration.",
            ),
            Self::Comment { asked } => words(
                "comment",
                SqlState::INVALID_PARAMETER_VALUE,
                format!("a comment asks sexton for \"{asked}\", which it does not know"),
                "Write /* sexton: scope=all */ or /* sexton: as_of=2026-01-31 12:00Z */.",
            ),
            Self::ScopeValue { fault } => words(
                "scope-value",
                SqlState::INVALID_PARAMETER_VALUE,
                format!("invalid value for sexton.scope: {fault}"),
                "Write one of 'live', 'all', 'deleted', with tables apart as in 'live, items=all'.",
            ),
            Self::TemporaryShadow { name } => words(
                "temporary-shadow",
                unscoped,
                format!("\"{name}\" may mean the temporary table of this session or the registered table"),
                "Write pg_temp or the table's own schema in front of it.",
            ),
            Self::Truncate { table } => words(
                "truncate",
                unscoped,
                format!("TRUNCATE of {table} is refused by its configuration"),
                "DELETE FROM it, or set truncate = \"rewrite\".",
            ),
            Self::TruncateForm { form } => words(
                "truncate-form",
                unscoped,
                format!("TRUNCATE {form} cannot be turned into deletions that keep the rows"),
                "Truncate or delete from each table in a statement of its own, without further options.",
            ),
            Self::TruncateLeaves { table, by } => words(
                "truncate-leaves",
                unscoped,
                format!("the rows of {table} cannot leave it while {by} keeps its deleted rows, which refer to them"),
                "Delete from each table in a statement of its own.",
            ),
            Self::TruncateReach { table, by } => words(
                "truncate-reach",
                unscoped,
                format!("TRUNCATE … CASCADE of {table} would also empty {by}, which is not registered"),
                "Register that table too, or delete from each table in a statement of its own.",
            ),
            Self::TruncateReferenced { table: _, by } => words(
                "truncate-referenced",
                unscoped,
                "cannot truncate a table referenced in a foreign key constraint".to_owned(),
                format!("Truncate table \"{by}\" at the same time, or use TRUNCATE ... CASCADE."),
            ),
            Self::View { what, does, view, table } => words(
                "view",
                unscoped,
                format!("{what} through the view {view} {does} of {table}"),
                "Write to the table itself.",
            ),
            Self::Unreadable { what } => words(
                "unreadable",
                unscoped,
                format!("the statement mentions a registered table and its structure cannot be read: {what}"),
                "If PostgreSQL accepts it, please report it; SELECT from a subquery often says the same.",
            ),
            Self::Utility { verb } => words(
                "utility",
                unscoped,
                format!("{verb} on a registered table is not supported"),
                "Run it on a direct connection to PostgreSQL if it is meant.",
            ),
            Self::Witness { name } => words(
                "witness",
                unscoped,
                format!("two readings of the statement differ about \"{name}\""),
                "Please report the statement; writing the table with an alias often helps.",
            ),
        }
    }
}
