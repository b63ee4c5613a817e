//! Random statements over the twin schema with keys: references, keys that are used again, and what refuses both.
//!
//! Keys come from a small range, so that they meet. What would leave the answer open is not generated: several keys
//! changed by one statement, rows in an order of the server's own.

use super::generate::{Sending, Statement, Transactions, simple};
use super::harness::Makes;
use super::tables::{Kind, TABLES, Table};
use crate::support::random::Random;
use crate::support::raw::ServerError;

/// Keys are at most that.
const KEYS: usize = 16;

/// Different texts in unique columns.
const CODES: usize = 20;

/// Constraints that can be deferred.
const DEFERRABLE: &[&str] = &[
    "ALL",
    "ALL",
    "teams_lead_id_fkey",
    "badges_person_id_fkey",
    "grants_badge_id_fkey",
    "badges_code_key",
    "public.grants_org_id_fkey, badges_person_id_fkey",
];

/// Makes the statements.
#[derive(Debug)]
pub(super) struct Keyed {
    pub(super) random: Random,
    transactions: Transactions,
    /// The server knows MERGE.
    knows_merge: bool,
    /// The tables it plays on.
    tables: Vec<Table>,
    /// Keys are at most that.
    keys: usize,
    /// How many of them are 1, in percent, beyond what chance brings.
    hot_percent: usize,
}

impl Keyed {
    /// The same seed and server version make the same statements.
    pub(super) fn new(seed: u64, major_version: u32) -> Self {
        let (random, transactions) = (Random::new(seed), Transactions::default());
        Self {
            random,
            transactions,
            knows_merge: major_version >= 15,
            tables: TABLES.to_vec(),
            keys: KEYS,
            hot_percent: 0,
        }
    }

    /// From now on it plays on a few tables and keys, and mostly on one.
    pub(super) fn narrow(&mut self, tables: &[&str], keys: usize, hot_percent: usize) {
        self.tables = TABLES.iter().filter(|table| tables.contains(&table.name)).copied().collect();
        (self.keys, self.hot_percent) = (keys, hot_percent);
    }

    /// Statements that try to insert a row for most keys, parents first.
    pub(super) fn stock(&mut self) -> Vec<Statement> {
        let tables = self.tables.clone();
        let all = tables.iter().flat_map(|table| (1..=self.keys).map(move |key| (*table, key))).collect::<Vec<_>>();
        all.into_iter()
            .filter_map(|(table, key)| {
                let mut row = self.row(&table);
                row[0] = key.to_string();
                self.random.chance(60).then(|| {
                    simple(&format!("INSERT INTO {} ({}) VALUES ({})", table.name, table.names(), row.join(", ")))
                })
            })
            .collect()
    }

    fn table(&mut self) -> Table {
        *self.random.pick(&self.tables)
    }

    /// A statement that changes rows, or reads some.
    pub(super) fn statement(&mut self) -> Statement {
        let table = self.table();
        let sql = match self.random.below(100) {
            0..=19 => self.insert(&table),
            20..=29 => self.upsert(&table),
            30..=33 if self.hot_percent == 0 => return self.copy(&table),
            34..=39 if self.knows_merge => self.merge(&table),
            30..=54 => self.update(&table),
            55..=59 => self.update_key(&table),
            60..=90 => self.delete(&table),
            _ => self.select(&table),
        };
        let sending = match self.random.chance(40) {
            true => Sending::Extended { parameters: Vec::new(), binary: self.random.chance(40) },
            false => Sending::Simple,
        };
        Statement { sql, ordered: false, sending }
    }

    fn value(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Key | Kind::Number | Kind::Reference if self.random.chance(self.hot_percent) => "1".to_owned(),
            Kind::Key => (self.random.below(self.keys) + 1).to_string(),
            Kind::Number => (self.random.below(3) + 1).to_string(),
            Kind::Reference if self.random.chance(30) => "NULL::int".to_owned(),
            // The first keys are those most tables have.
            Kind::Reference => (self.random.below(self.keys).min(self.random.below(self.keys)) + 1).to_string(),
            Kind::Code if self.random.chance(35) => "NULL".to_owned(),
            Kind::Code => format!("'c{}'", self.random.below(CODES)),
            Kind::Text => format!("'t{}'", self.random.below(50)),
        }
    }

    fn row(&mut self, table: &Table) -> Vec<String> {
        let mut row: Vec<String> = table.columns.iter().map(|(_, kind)| self.value(*kind)).collect();
        if self.hot_percent > 0 && self.random.chance(60) {
            // Rows that nothing else is about, whose references are what counts.
            row[0] = (self.random.below(3 * self.keys) + 1).to_string();
        }
        row
    }

    /// Values whose keys differ from one another.
    fn rows(&mut self, table: &Table) -> Vec<Vec<String>> {
        let count = if self.random.chance(70.max(self.hot_percent)) { 1 } else { self.random.below(3) + 2 };
        let mut rows: Vec<Vec<String>> = Vec::new();
        for _ in 0..count {
            let row = self.row(table);
            if rows.iter().all(|other| other[..table.key] != row[..table.key]) {
                rows.push(row);
            }
        }
        rows
    }

    fn listed(rows: &[Vec<String>]) -> String {
        rows.iter().map(|row| format!("({})", row.join(", "))).collect::<Vec<_>>().join(", ")
    }

    fn returning(&mut self, table: &Table) -> String {
        match self.random.below(4) {
            0 => format!(" RETURNING {}", table.names()),
            1 => " RETURNING *".to_owned(),
            _ => String::new(),
        }
    }

    fn insert(&mut self, table: &Table) -> String {
        let (name, columns) = (table.name, table.names());
        let returning = self.returning(table);
        if self.random.chance(20) {
            // Rows of the table itself under other keys, or of another one.
            let source = if self.random.chance(50) { *table } else { self.table() };
            let (base, rest) = (self.random.below(6), self.random.below(4));
            let from = source.columns[0].0;
            let values: Vec<String> = table.columns[1..].iter().map(|(_, kind)| self.value(*kind)).collect();
            return format!(
                "INSERT INTO {name} ({columns}) SELECT DISTINCT s.{from} + {base}, {} FROM {} s \
                 WHERE s.{from} % 4 = {rest} ORDER BY 1{returning}",
                values.join(", "),
                source.name
            );
        }
        let rows = self.rows(table);
        if self.random.chance(10) {
            let row: Vec<&str> = rows[0].iter().map(String::as_str).collect();
            return format!(
                "WITH new AS (INSERT INTO {name} VALUES ({}) RETURNING *) SELECT * FROM new",
                row.join(", ")
            );
        }
        format!("INSERT INTO {name} ({columns}) VALUES {}{returning}", Self::listed(&rows))
    }

    /// INSERT … ON CONFLICT.
    fn upsert(&mut self, table: &Table) -> String {
        let (rows, returning) = (self.rows(table), self.returning(table));
        let name = table.name;
        let target = match (self.random.below(6), table.unique) {
            (0..=1, Some((_, columns))) => format!(" ({columns})"),
            (2, Some((constraint, _))) => format!(" ON CONSTRAINT {constraint}"),
            (3, _) => format!(" ON CONSTRAINT {name}_pkey"),
            _ => format!(" ({})", table.key().join(", ")),
        };
        let action = match self.random.below(5) {
            0 => {
                return format!(
                    "INSERT INTO {name} AS t ({}) VALUES {} ON CONFLICT DO NOTHING{returning}",
                    table.names(),
                    Self::listed(&rows)
                );
            }
            1 => "DO NOTHING".to_owned(),
            2 => format!("DO UPDATE SET {}", self.set(table, "excluded.")),
            3 => format!("DO UPDATE SET name = t.name || excluded.name WHERE t.{} % 2 = 0", table.columns[0].0),
            _ => "DO UPDATE SET name = excluded.name".to_owned(),
        };
        format!(
            "INSERT INTO {name} AS t ({}) VALUES {} ON CONFLICT{target} {action}{returning}",
            table.names(),
            Self::listed(&rows)
        )
    }

    /// A SET list without the key; `from` is where values may come from.
    fn set(&mut self, table: &Table, from: &str) -> String {
        let (column, kind) = *self.random.pick(&table.columns[table.key..]);
        let value =
            if from.is_empty() || self.random.chance(30) { self.value(kind) } else { format!("{from}{column}") };
        if self.random.chance(30) && column != "name" {
            return format!("{column} = {value}, name = {}", self.value(Kind::Text));
        }
        format!("{column} = {value}")
    }

    fn merge(&mut self, table: &Table) -> String {
        let name = table.name;
        let mut rows = self.rows(table);
        let on: Vec<String> = table.key().iter().map(|column| format!("t.{column} = s.{column}")).collect();
        let condition = format!("s.{} % 3 = {}", table.columns[0].0, self.random.below(3));
        let matched = match self.random.below(4) {
            0 if !table.is_archive => format!("WHEN MATCHED AND {condition} THEN DELETE WHEN MATCHED THEN DO NOTHING"),
            1 if !table.is_archive => "WHEN MATCHED THEN DELETE".to_owned(),
            _ => {
                // One row may take what another gives up: then the order of rows, which the plan chooses, decides.
                rows.truncate(if table.unique.is_some() { 1 } else { rows.len() });
                format!("WHEN MATCHED THEN UPDATE SET {}", self.set(table, "s."))
            }
        };
        let values: Vec<String> = table.columns.iter().map(|(column, _)| format!("s.{column}")).collect();
        let values = values.join(", ");
        // The types of the constants are those of the table's columns.
        format!(
            "MERGE INTO {name} t USING (SELECT {0} FROM {name} WHERE false UNION ALL VALUES {1}) s ON {2} {matched} \
             WHEN NOT MATCHED THEN INSERT ({0}) VALUES ({values})",
            table.names(),
            Self::listed(&rows),
            on.join(" AND ")
        )
    }

    fn copy(&mut self, table: &Table) -> Statement {
        let mut data = String::new();
        for row in self.rows(table) {
            let values: Vec<&str> = row
                .iter()
                .map(|value| if value.starts_with("NULL") { "\\N" } else { value.trim_matches('\'') })
                .collect();
            data.push_str(&values.join("\t"));
            data.push('\n');
        }
        let sql = format!("COPY {} ({}) FROM STDIN", table.name, table.names());
        Statement { sending: Sending::Copy(data), ..simple(&sql) }
    }

    fn where_one(&mut self, table: &Table) -> String {
        let test = |(column, kind): &(&str, Kind), random: &mut Self| format!("{column} = {}", random.value(*kind));
        let tests: Vec<String> = table.columns[..table.key].iter().map(|column| test(column, self)).collect();
        tests.join(" AND ")
    }

    fn where_some(&mut self, table: &Table) -> String {
        let first = table.columns[0].0;
        if self.random.chance(self.hot_percent) {
            return self.where_one(table);
        }
        match self.random.below(6) {
            0 => format!("{first} IN ({}, {})", self.value(Kind::Key), self.value(Kind::Key)),
            1 => format!("{first} % 5 = {}", self.random.below(5)),
            2 => {
                let (column, kind) = *self.random.pick(table.columns);
                format!("{column} = {}", self.value(kind))
            }
            3 => format!("{first} = (SELECT max({first}) FROM {})", table.name),
            _ => self.where_one(table),
        }
    }

    fn update(&mut self, table: &Table) -> String {
        let (set, returning) = (self.set(table, ""), self.returning(table));
        let condition = if self.random.chance(60) { self.where_one(table) } else { self.where_some(table) };
        format!("UPDATE {} SET {set} WHERE {condition}{returning}", table.name)
    }

    fn update_key(&mut self, table: &Table) -> String {
        let (column, kind) = table.columns[self.random.below(table.key)];
        let (value, condition) = (self.value(kind), self.where_one(table));
        // An UPDATE that assigns a key the value it has locks the row as one that changes it, where a BEFORE trigger looks
        // at the key; sessions would wait behind Sexton alone.
        let is_same = self.hot_percent > 0 && condition.contains(&format!("{column} = {value}"));
        let value = if is_same { (self.keys + self.random.below(self.keys) + 1).to_string() } else { value };
        // One row, however many lines an order has.
        format!("UPDATE {} SET {column} = {value} WHERE {condition}{}", table.name, self.returning(table))
    }

    fn delete(&mut self, table: &Table) -> String {
        let (name, returning) = (table.name, self.returning(table));
        match self.random.below(10) {
            0..=4 => format!("DELETE FROM {name} WHERE {}{returning}", self.where_one(table)),
            5 => {
                let (first, other) = (table.columns[0].0, self.table());
                let condition =
                    format!("o.{} = t.{first} AND t.{first} % 6 = {}", other.columns[0].0, self.random.below(6));
                format!("DELETE FROM {name} t USING {} o WHERE {condition}", other.name)
            }
            6 => {
                let (condition, other) = (self.where_one(table), self.table().name);
                format!(
                    "WITH gone AS (DELETE FROM {name} WHERE {condition} RETURNING *) \
                     SELECT gone.*, (SELECT count(*) FROM {other}) FROM gone"
                )
            }
            7 if !table.of(Kind::Reference).is_empty() => {
                let column = *self.random.pick(&table.of(Kind::Reference));
                format!("DELETE FROM {name} WHERE {column} = {}", self.value(Kind::Key))
            }
            _ => format!("DELETE FROM {name} WHERE {}{returning}", self.where_some(table)),
        }
    }

    fn select(&mut self, table: &Table) -> String {
        let (first, other) = (table.columns[0].0, self.table());
        match self.random.below(4) {
            0 => format!("TABLE {}", table.name),
            1 => {
                // KEY SHARE is for foreign keys: a mark waits for it only where one points to the table.
                let strengths = ["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"];
                let strength = *self.random.pick(&strengths[..if self.hot_percent > 0 { 3 } else { 4 }]);
                format!("SELECT * FROM {} WHERE {} FOR {strength}", table.name, self.where_one(table))
            }
            2 => format!("SELECT * FROM {} WHERE {}", table.name, self.where_some(table)),
            _ => format!(
                "SELECT t.*, o.name FROM {} t LEFT JOIN {} o ON o.{} = t.{first}",
                table.name, other.name, other.columns[0].0
            ),
        }
    }

    fn set_constraints(&mut self) -> Statement {
        let when = self.random.pick(&["DEFERRED", "IMMEDIATE"]);
        simple(&format!("SET CONSTRAINTS {} {when}", self.random.pick(DEFERRABLE)))
    }
}

impl Makes for Keyed {
    fn next(&mut self, status: u8) -> Vec<Statement> {
        if status == b'E' && self.random.chance(85) {
            return vec![self.transactions.recover(&mut self.random)];
        }
        match self.random.below(100) {
            0..=13 => vec![self.transactions.next(&mut self.random, status)],
            14..=17 if status == b'T' => vec![self.set_constraints()],
            18..=20 => {
                let both = format!("{}; {}", self.statement().sql, self.statement().sql);
                vec![simple(&both)].into_iter().filter(|statement| !statement.sql.contains("STDIN")).collect()
            }
            _ => vec![self.statement()],
        }
    }

    fn contents(&self) -> Vec<String> {
        let query = |table: &Table| format!("SELECT * FROM {} ORDER BY {}", table.name, table.key().join(", "));
        TABLES.iter().map(query).collect()
    }

    fn claim(&self, error: &ServerError, sql: &str) -> Option<String> {
        claim(error, sql)
    }
}

/// `Key (a, b)=(1, 2) is still referenced from table "c".` as a question about the constraint's columns.
fn claim(error: &ServerError, sql: &str) -> Option<String> {
    let detail = error.detail.as_deref()?;
    let (columns, rest) = detail.strip_prefix("Key (")?.split_once(")=(")?;
    let (values, said) = rest.split_once(") ")?;
    let (table, constraint) = (error.object('t')?, error.object('n')?);
    let quoted: Vec<String> = values.split(", ").map(|value| format!("'{value}'")).collect();
    let quoted = quoted.join(", ");
    let exists = |table: &str, columns: &str| format!("EXISTS (SELECT FROM {table} WHERE ({columns}) = ({quoted}))");
    if said.starts_with("already exists") {
        return Some(format!("SELECT {}", exists(table, columns)));
    }
    if let Some(parent) = said.strip_prefix("is not present in table \"") {
        let key = if parent.starts_with("lines") { "order_id, no" } else { "id" };
        let parent = parent.trim_end_matches("\".\n").trim_end_matches("\".");
        // A MERGE that inserts the child may delete the parent, in whatever order its rows come.
        let merges = sql.contains(&format!("MERGE INTO {parent} ")) && sql.contains("THEN DELETE");
        let is_source = sql.contains(&format!("({values}, "));
        return Some(format!("SELECT NOT {} OR {}", exists(parent, key), merges && is_source));
    }
    said.starts_with("is still referenced").then(|| {
        let child = constraint.trim_start_matches(table).trim_start_matches('_').trim_end_matches("_fkey");
        let child = if constraint.ends_with("line_no_fkey") { "order_id, line_no" } else { child };
        format!("SELECT {}", exists(table, child))
    })
}
