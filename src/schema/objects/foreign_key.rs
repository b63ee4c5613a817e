//! Foreign keys as if dead rows were gone. The constraint itself stays; triggers complete it.
//!
//! | part | where | what |
//! | --- | --- | --- |
//! | `child` | the referencing table | a live row must point to a live one |
//! | `parent` | the referenced table | a row that turns dead takes its children along, or is refused |
//! | `action` | inside `parent` | what ON DELETE says |
//! | `lock` | the referenced table | a mark locks its row as a DELETE does |
//! | `probe` | inside `parent` | children that the transaction's snapshot does not show |
//! | `leave` | the referenced table | a row that really leaves makes dead rows give way |
//!
//! What it costs, in one run of PostgreSQL 15 on a busy machine with two cores, the least of five; as a multiple of the
//! same with the server's own foreign keys and DELETE, 20,000 rows at a time:
//!
//! | statement | multiple |
//! | --- | --- |
//! | INSERT of a child | 2.2 to 2.5 |
//! | UPDATE of a child that changes no reference | 0.9 |
//! | UPDATE of a parent that deletes nothing | 1.2 to 1.5 |
//! | INSERT of a parent, with `reinsert` looking for its key | 8 |
//! | mark of a parent of two foreign keys, without children | 1.1 to 2.7 |
//! | mark of a parent with ten children, ON DELETE CASCADE | 3.8 to 4.3 |
//!
//! An UPDATE of a parent that deletes nothing waits for no child in flight, and a session may update the parent that
//! another waits to delete: `lock` says where that is not so, `tests/it/keys/races.rs` shows both.

use crate::schema::objects::scene::{Reference, function_name};
use crate::sql::ident::{literal, quote};

impl Reference<'_> {
    /// `public.orders: orders_user_id_fkey`, for findings.
    pub(super) fn object(&self) -> String {
        format!("{}: {}", self.child.table.quoted(), quote(&self.key.name))
    }

    /// The name of the function that does `what` for it.
    pub(super) fn function_name(&self, what: &str) -> String {
        function_name(self.child.table, &format!("{}_{what}", self.key.name))
    }

    /// Statements that refuse to go on where the constraint is not there any more: it was dropped or renamed, another does
    /// something else under its name, another table has taken the child's name, or another column that of one of its own.
    pub(super) fn expected(&self) -> String {
        let (name, child) = (literal(&self.key.name), literal(&self.child.table.quoted()));
        let (parent, action) = (literal(&self.parent.table.quoted()), self.key.on_delete.letter());
        let number = |table: &str, column: &String| {
            let column = literal(column);
            format!("(SELECT attnum FROM pg_attribute WHERE attrelid = {table}::regclass AND attname = {column})")
        };
        let numbers = |table: &str, columns: &[String]| {
            columns.iter().map(|column| number(table, column)).collect::<Vec<_>>().join(", ")
        };
        let (columns, referenced) = (numbers(&child, &self.key.columns), numbers(&parent, &self.key.referenced));
        format!(
            "    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = {child}::regclass AND contypid = 0
        AND conname = {name} AND confrelid = {parent}::regclass AND confdeltype = '{action}'
        AND conkey = ARRAY[{columns}] AND confkey = ARRAY[{referenced}]) THEN
        PERFORM sexton.refuse_key({name}, {child}::regclass, {parent}::regclass);
    END IF;
"
        )
    }

    /// The constraint's own deferrability, for a constraint trigger.
    pub(super) fn deferrability(&self) -> &'static str {
        match (self.key.is_deferrable, self.key.is_deferred) {
            (false, _) => "NOT DEFERRABLE",
            (true, false) => "DEFERRABLE INITIALLY IMMEDIATE",
            (true, true) => "DEFERRABLE INITIALLY DEFERRED",
        }
    }
}
