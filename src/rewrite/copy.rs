//! COPY: a table read by COPY TO becomes a query over its live rows; COPY FROM writes and passes.
//!
//! ```sql
//! -- before
//! COPY users (id, name) TO STDOUT WITH (FORMAT csv);
//! -- after
//! COPY (SELECT id, name FROM ONLY users WHERE users.deleted_at IS NULL) TO STDOUT WITH (FORMAT csv);
//! ```

use crate::catalog::{Column, RelationKind};
use crate::rewrite::outcome::{Effect, Outcome};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::registry::Entry;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::statement::{Decision, Statement};
use crate::sql::ident::quote;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::tree::{Name, TableRef};

/// Decides a COPY.
pub(crate) fn copy(statement: &Statement<'_>) -> Result<Decision, Refusal> {
    let first = statement.piece.first + 1;
    if statement.kind(first) == Some(Kind::Open) {
        let close = statement.behind_group(first) - 1;
        let inner = statement.part(first + 1, close);
        if close <= first + 1 {
            return Ok(Decision::unchanged(Effect::None));
        }
        let decision = inner.query()?;
        let outcome = match decision.outcome {
            Outcome::Rewritten { edits, tag: _ } => Outcome::Rewritten { edits, tag: None },
            other => other,
        };
        return Ok(Decision::new(outcome, decision.effect));
    }
    let Some(mention) = statement.mention() else { return Ok(Decision::unchanged(Effect::None)) };
    if statement.outside_groups(first, Keyword::From).is_some() {
        let (parts, _) = statement.name_parts(first).unwrap_or_default();
        return statement.rewriter().check_present(&parts, mention).map(|()| Decision::unchanged(Effect::None));
    }
    let binary = statement.word(first).as_deref() == Some("binary");
    let Some(table) = table(statement, first + usize::from(binary)) else {
        return statement.refuse(Reason::Unreadable { what: "a form of COPY" }, mention);
    };
    copy_table(statement, &table, binary)
}

/// `COPY name [(columns)] TO`, with the name's tokens and the columns' parentheses in `last`.
fn table(statement: &Statement<'_>, first: usize) -> Option<TableRef> {
    let (_, next) = statement.name_parts(first)?;
    let parts: Vec<usize> = (first..next).step_by(2).collect();
    let last = if statement.kind(next) == Some(Kind::Open) { statement.behind_group(next) - 1 } else { next - 1 };
    (statement.keyword(last + 1) == Some(Keyword::To)).then(|| TableRef {
        first,
        name_last: next - 1,
        last,
        name: Name { parts },
        // COPY leaves children out.
        only: true,
        alias: None,
        sampled: false,
        subqueries: Vec::new(),
    })
}

/// What stands between `token` and the next one, unless it is white space alone.
fn comment_behind(statement: &Statement<'_>, token: usize) -> String {
    let gap = &statement.text[statement.tokens[token].end..statement.tokens[token + 1].start];
    if gap.iter().all(u8::is_ascii_whitespace) {
        return String::new();
    }
    format!("{} ", String::from_utf8_lossy(gap))
}

/// `binary`: by the syntax of PostgreSQL 7.2, `COPY BINARY t`, which a query cannot have; behind TO it can.
fn copy_table(statement: &Statement<'_>, table: &TableRef, binary: bool) -> Result<Decision, Refusal> {
    let mut rewriter = statement.rewriter();
    let Some(entry) = rewriter.reference(&table.name)? else { return finish(statement, rewriter, table) };
    // The server refuses to copy from a partitioned table, and says so best itself.
    if entry.relation.kind == RelationKind::PartitionedTable {
        return Ok(Decision::unchanged(Effect::None));
    }
    // An empty list of columns is a syntax error, the server's own.
    if table.last == table.name_last + 2 {
        return Ok(Decision::unchanged(Effect::None));
    }
    let cause = table.name.relation();
    rewriter.check_readable(entry, cause)?;
    let past = rewriter.past_rows(entry, table)?;
    let limit = rewriter.limit(entry, rewriter.rows(entry), table);
    if past.is_none() && limit.is_none() {
        return Ok(Decision::unchanged(Effect::None));
    }
    let columns = if table.last > table.name_last {
        // Between name, parentheses and columns only comments are kept; each stands before the columns.
        let comments: String = [table.name_last, table.name_last + 1, table.last - 1]
            .map(|token| comment_behind(statement, token))
            .concat();
        format!("{comments}{}", rewriter.source(table.name_last + 2, table.last - 1))
    } else {
        match columns(statement, entry) {
            Some(columns) => columns,
            None => return statement.refuse(Reason::Copy { table: entry.display() }, cause),
        }
    };
    let name = rewriter.source(table.first, table.name_last);
    if binary {
        rewriter.replace(table.first - 1, table.first - 1, "", cause);
        rewriter.insert_after(statement.piece.end - 1, " BINARY", cause);
    }
    let rows = match (past, limit) {
        (Some(past), _) => format!("{past} AS {}", quote(&entry.relation.name)),
        (None, Some(limit)) => format!("ONLY {name} WHERE {limit}"),
        (None, None) => format!("ONLY {name}"),
    };
    rewriter.replace(table.first, table.last, &format!("(SELECT {columns} FROM {rows})"), cause);
    finish(statement, rewriter, table)
}

/// The columns that COPY gives without a list of them: all but generated ones; `None` where they are not known.
fn columns(statement: &Statement<'_>, entry: &Entry) -> Option<String> {
    let columns = &entry.relation.columns;
    let is_generated = columns.iter().any(Column::is_generated);
    match statement.names.state.changes.columns.get(&entry.relation.name) {
        // Made or altered since the catalog was read, without generated columns before or after.
        Some(false) if !is_generated => return Some("*".to_owned()),
        Some(_) => return None,
        None => {}
    }
    let names: Vec<String> =
        columns.iter().filter(|column| !column.is_generated()).map(|column| quote(&column.name)).collect();
    // Unless the table is not there at all.
    (entry.relation.oid != 0 || !names.is_empty()).then(|| names.join(", "))
}

fn finish(statement: &Statement<'_>, rewriter: Rewriter<'_>, table: &TableRef) -> Result<Decision, Refusal> {
    Ok(Decision::new(statement.outcome(rewriter, table.name.relation())?, Effect::None))
}
