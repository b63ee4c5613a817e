//! The text of an index made again with another name, table and condition.
//!
//! ```sql
//! -- before
//! CREATE UNIQUE INDEX users_email_key ON public.users USING btree (lower(email)) INCLUDE (id) WHERE (id > 0)
//! -- after
//! CREATE UNIQUE INDEX CONCURRENTLY users_email_key_sexton_new ON public.users USING btree (lower(email)) INCLUDE (id) WHERE (id > 0) AND deleted_at IS NULL
//! ```

use crate::schema::survey::Index;
use crate::sql::ident::quote;
use crate::sql::lexer::{Kind, lex};

/// The end of the name of an index that is not finished.
pub(crate) const NEW: &str = "_sexton_new";
/// The end of the name of an index that has been replaced.
pub(crate) const OLD: &str = "_sexton_old";

/// How an index is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its table, quoted.
    pub(crate) table: &'a str,
    /// What its rows must fulfil besides what the old one asks of them.
    pub(crate) live: &'a str,
    /// CONCURRENTLY.
    pub(crate) concurrently: bool,
    /// ON ONLY: without the partitions.
    pub(crate) only: bool,
}

/// The statement that makes an index like `index`; `None` where its definition cannot be read.
#[must_use]
pub(crate) fn like(index: &Index, made: Made<'_>) -> Option<String> {
    let Made { name, table, live, concurrently, only } = made;
    let concurrently = if concurrently { "CONCURRENTLY " } else { "" };
    let only = if only { "ONLY " } else { "" };
    let tablespace =
        index.tablespace.as_ref().map(|tablespace| format!(" TABLESPACE {}", quote(tablespace))).unwrap_or_default();
    let condition = match &index.predicate {
        Some(predicate) => format!("{predicate} AND {live}"),
        None => live.to_owned(),
    };
    let (name, body) = (quote(name), body(&index.definition)?);
    Some(format!("CREATE UNIQUE INDEX {concurrently}{name} ON {only}{table} {body}{tablespace} WHERE {condition}"))
}

/// What `pg_get_indexdef` writes from USING up to WHERE.
fn body(definition: &str) -> Option<&str> {
    let tokens = lex(definition.as_bytes(), true).ok()?;
    let mut depth = 0_usize;
    let mut start = None;
    for token in &tokens {
        let text = &definition[token.start..token.end];
        match token.kind {
            Kind::Open | Kind::OpenBracket => depth += 1,
            Kind::Close | Kind::CloseBracket => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && text == "USING" && start.is_none() => start = Some(token.start),
            Kind::Word if depth == 0 && text == "WHERE" => return Some(definition[start?..token.start].trim_end()),
            _ => {}
        }
    }
    Some(&definition[start?..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tablespace_stands_before_the_condition() {
        let index: Index = serde_json::from_value(serde_json::json!({
            "oid": 2, "table": 1, "name": "a", "keys": ["a"], "columns": ["a"], "is_unique": true, "is_primary": false,
            "is_valid": true, "nulls_not_distinct": false, "predicate": "(a > 0)", "is_constraint": false,
            "constraint_definition": null, "is_deferrable": false, "is_exclusion": false, "is_referenced": false,
            "is_replica_identity": false, "is_partition": false, "tablespace": "Fast disk", "comment": null,
            "definition": "CREATE UNIQUE INDEX a ON public.t USING btree (a) WHERE (a > 0)",
        }))
        .expect("an index");
        let made = Made { name: "b", table: "public.t", live: "NOT deleted", concurrently: true, only: false };
        let expected = "CREATE UNIQUE INDEX CONCURRENTLY b ON public.t USING btree (a) TABLESPACE \"Fast disk\" \
                        WHERE (a > 0) AND NOT deleted";
        assert_eq!(like(&index, made).as_deref(), Some(expected));
    }

    #[test]
    fn everything_between_the_table_and_the_condition_stays() {
        for (definition, expected) in [
            ("CREATE UNIQUE INDEX i ON public.t USING btree (a)", "USING btree (a)"),
            (
                "CREATE UNIQUE INDEX \"WHERE\" ON ONLY public.\"USING\" USING btree (lower((a)::text) text_pattern_ops, b DESC NULLS LAST) INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor='70') WHERE (a > 0)",
                "USING btree (lower((a)::text) text_pattern_ops, b DESC NULLS LAST) INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor='70')",
            ),
        ] {
            assert_eq!(body(definition), Some(expected));
        }
    }
}
