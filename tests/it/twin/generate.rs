//! Random statements over the twin schema, most of them valid, all of them with one right answer.
//!
//! What would leave the answer open is not generated: LIMIT without a total order, an UPDATE joined to several rows,
//! order of rows without ORDER BY (compared as multisets), clocks, random().

use super::harness::Makes;
use super::query::Scope;
use crate::support::random::Random;
use crate::support::raw::ServerError;

/// A table of the twin schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Integer columns; the first is the primary key.
    pub(crate) ints: &'static [&'static str],
    /// A text column that nothing depends on.
    pub(crate) text: &'static str,
}

/// The tables, the registered ones first.
pub(crate) const TABLES: [Table; 5] = [
    Table { name: "users", ints: &["id", "age"], text: "name" },
    Table { name: "posts", ints: &["id", "user_id", "score"], text: "title" },
    Table { name: "seats", ints: &["id", "user_id", "price"], text: "label" },
    Table { name: "orders", ints: &["id", "user_id", "cents"], text: "note" },
    Table { name: "items", ints: &["id", "user_id", "size"], text: "name" },
];

/// How a statement is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Query.
    Simple,
    /// Parse, Bind, Describe, Execute, Sync.
    Extended {
        /// Text parameters.
        parameters: Vec<Option<String>>,
        /// Ask for binary results.
        binary: bool,
    },
    /// Query, of a COPY FROM STDIN that is given this.
    Copy(String),
}

/// One statement of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its text.
    pub(crate) sql: String,
    /// Rows come in one possible order only.
    pub(crate) ordered: bool,
    /// How it is sent.
    pub(crate) sending: Sending,
}

impl Statement {
    /// The statement as one would try it again.
    pub(super) fn spelled(&self) -> String {
        match &self.sending {
            Sending::Simple => self.sql.clone(),
            Sending::Copy(data) => format!("{} /* {data:?} */", self.sql),
            Sending::Extended { parameters, binary } => {
                let binary = if *binary { ", binary" } else { "" };
                let parameters = if parameters.is_empty() { String::new() } else { format!(", {parameters:?}") };
                format!("{} /* extended{binary}{parameters} */", self.sql)
            }
        }
    }

    /// It is one that changes rows.
    pub(super) fn changes_rows(&self) -> bool {
        let word = self.sql.split_whitespace().next().unwrap_or_default();
        ["INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "COPY"].contains(&word)
    }
}

/// Makes transaction commands.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    savepoints: usize,
}

impl Transactions {
    /// A command for a session of that status.
    pub(super) fn next(&mut self, random: &mut Random, status: u8) -> Statement {
        let sql = match (status, random.below(10)) {
            (b'I', _) => {
                self.savepoints = 0;
                random.pick(&["BEGIN", "START TRANSACTION", "BEGIN ISOLATION LEVEL REPEATABLE READ"])
            }
            (_, 0..=2) => {
                self.savepoints += 1;
                &"SAVEPOINT s"
            }
            (_, 3..=4) if self.savepoints > 0 => &"ROLLBACK TO SAVEPOINT s",
            (_, 5) if self.savepoints > 0 => {
                self.savepoints -= 1;
                &"RELEASE s"
            }
            (_, 6) => &"ROLLBACK",
            (_, 7) => &"COMMIT AND CHAIN",
            _ => &"COMMIT",
        };
        simple(sql)
    }

    /// The way out of a failed transaction.
    pub(super) fn recover(&self, random: &mut Random) -> Statement {
        simple(if self.savepoints > 0 && random.chance(50) { "ROLLBACK TO s" } else { "ROLLBACK" })
    }
}

/// Makes statements.
#[derive(Debug)]
pub(crate) struct Generator {
    pub(crate) random: Random,
    /// Keys from here on were never used.
    next_id: usize,
    pub(crate) aliases: usize,
    prepared: usize,
    transactions: Transactions,
}

/// Keys set aside for one INSERT … SELECT, whose source has smaller keys than that.
const KEYS_A_SELECT: usize = 1_000;

impl Generator {
    /// The same seed makes the same statements.
    pub(crate) fn new(seed: u64) -> Self {
        let (random, transactions) = (Random::new(seed), Transactions::default());
        Self { random, next_id: KEYS_A_SELECT, aliases: 0, prepared: 0, transactions }
    }

    /// A query that changes nothing.
    pub(crate) fn query(&mut self) -> Statement {
        self.aliases = 0;
        let ordered = self.random.chance(25);
        Statement { ordered, ..simple(&if ordered { self.total_order() } else { self.select() }) }
    }

    /// A statement of `kind`, sent in one of the ways there are.
    fn sent(&mut self, kind: fn(&mut Self) -> String, ordered: bool) -> Statement {
        let sql = kind(self);
        let sending = match self.random.below(10) {
            0..=4 => Sending::Simple,
            5..=8 => Sending::Extended { parameters: Vec::new(), binary: self.random.chance(40) },
            _ => return self.parameterised(),
        };
        Statement { sql, ordered, sending }
    }

    /// A statement with parameters; none of them orders its rows.
    fn parameterised(&mut self) -> Statement {
        let table = *self.random.pick(&TABLES);
        let Table { name, ints, text } = table;
        let column = self.random.pick(ints);
        let (sql, count) = match self.random.below(5) {
            0 => (format!("SELECT * FROM {name} WHERE {column} = $1 OR id = $2"), 2),
            1 => (format!("UPDATE {name} SET {text} = {text} || '+' WHERE id = $1 RETURNING id"), 1),
            2 => (format!("DELETE FROM {name} WHERE id = $1"), 1),
            3 => (format!("DELETE FROM {name} WHERE id = $1 OR id = $2 RETURNING *"), 2),
            _ => (format!("SELECT count(*), $1::int FROM {name} t LEFT JOIN users u ON u.id = t.id AND u.age > $2"), 2),
        };
        let value = |random: &mut Random| (!random.chance(8)).then(|| (random.below(45) + 1).to_string());
        let parameters = (0..count).map(|_| value(&mut self.random)).collect();
        Statement { sql, ordered: false, sending: Sending::Extended { parameters, binary: self.random.chance(40) } }
    }

    fn sql_prepared(&mut self) -> Vec<Statement> {
        self.prepared += 1;
        let name = format!("p{}", self.prepared);
        let table = self.random.pick(&TABLES).name;
        let body = match self.random.below(3) {
            0 => format!("DELETE FROM {table} WHERE id = $1 RETURNING id"),
            1 => format!("SELECT * FROM {table} WHERE id <> $1"),
            _ => format!("UPDATE {table} SET user_id = $1 WHERE id = $1"),
        };
        let mut statements = vec![simple(&format!("PREPARE {name} (int) AS {body}"))];
        for _ in 0..2 {
            statements.push(simple(&format!("EXECUTE {name} ({})", self.random.below(45))));
        }
        statements.push(simple(&format!("DEALLOCATE {name}")));
        statements
    }

    fn cursor(&mut self, status: u8) -> Vec<Statement> {
        let query = self.total_order();
        let mut statements = vec![
            simple(&format!("DECLARE c CURSOR FOR {query}")),
            Statement { ordered: true, ..simple("FETCH 3 FROM c") },
            Statement { ordered: true, ..simple("FETCH ALL FROM c") },
            simple("CLOSE c"),
        ];
        if status == b'I' {
            statements.insert(0, simple("BEGIN"));
            statements.push(simple("COMMIT"));
        }
        statements
    }

    fn copy(&mut self) -> Statement {
        let table = *self.random.pick(&TABLES);
        match self.random.below(3) {
            0 => simple(&format!("COPY {} TO STDOUT", table.name)),
            1 => simple(&format!("COPY {} ({}, id) TO STDOUT (FORMAT csv)", table.name, table.text)),
            _ => simple(&format!("COPY ({}) TO STDOUT", self.select())),
        }
    }

    /// A statement that fails, for the error's code and position.
    fn broken(&mut self) -> Statement {
        let table = self.random.pick(&TABLES).name;
        let sql = match self.random.below(7) {
            0 => format!("SELECT id, nosuch FROM {table}"),
            1 => format!("DELETE FROM {table} WHERE id = 1 AND nosuch = 2"),
            2 => format!("SELECT u.id FROM {table} u LEFT JOIN users v ON v.id = u.id WHERE w.id = 1"),
            3 => format!("UPDATE {table} SET nosuch = 1 WHERE id = 1"),
            4 => format!("SELECT id FROM {table} WHERE id = 'x'"),
            5 => format!("SELECT id FROM {table} GROUP BY user_id"),
            _ => format!("DELETE FROM {table} WHERE id = 1 RETURNING nosuch"),
        };
        let sending = match self.random.chance(50) {
            true => Sending::Simple,
            false => Sending::Extended { parameters: Vec::new(), binary: false },
        };
        Statement { sql, ordered: false, sending }
    }

    fn changing(&mut self) -> String {
        match self.random.below(3) {
            0 => self.insert(),
            1 => self.update(),
            _ => self.delete(),
        }
    }

    fn fresh_id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    fn insert(&mut self) -> String {
        let table = *self.random.pick(&TABLES);
        let Table { name, ints, text } = table;
        let columns = format!("{}, {text}", ints.join(", "));
        if self.random.chance(15) {
            // The source's keys are below KEYS_A_SELECT, so the new ones are fresh.
            self.next_id += KEYS_A_SELECT;
            let (base, source) = (self.next_id, self.random.pick(&TABLES));
            self.next_id += KEYS_A_SELECT;
            let nulls = "NULL, ".repeat(ints.len() - 1);
            let filter = self.random.below(30);
            return format!(
                "INSERT INTO {name} ({columns}) SELECT {base} + s.id, {nulls}s.{} FROM {} s \
                 WHERE s.id < {KEYS_A_SELECT} AND s.id % 30 = {filter} RETURNING id",
                source.text, source.name
            );
        }
        let rows: Vec<String> = (0..=self.random.below(4))
            .map(|_| {
                let id = self.fresh_id();
                let others: Vec<String> = ints[1..].iter().map(|_| self.small_or_null()).collect();
                format!("({id}, {}, 'new {}')", others.join(", "), self.random.below(20))
            })
            .collect();
        let conflict = if self.random.chance(10) { " ON CONFLICT (id) DO NOTHING" } else { "" };
        let returning = *self.random.pick(&["", "", " RETURNING *", " RETURNING id"]);
        format!("INSERT INTO {name} ({columns}) VALUES {}{conflict}{returning}", rows.join(", "))
    }

    fn small_or_null(&mut self) -> String {
        if self.random.chance(12) { "NULL".to_owned() } else { self.random.below(60).to_string() }
    }

    fn update(&mut self) -> String {
        let table = *self.random.pick(&TABLES);
        let Table { name, ints, text } = table;
        let column = ints[1 + self.random.below(ints.len() - 1)];
        let mut scope = Scope::default();
        if self.random.chance(25) && ints.contains(&"user_id") {
            // Joined on a primary key: one source row a target row, so there is one right answer.
            let other = if name == "users" { "items" } else { "users" };
            scope.add("t", table);
            let condition = self.condition(&scope, 1);
            return format!(
                "UPDATE {name} t SET {text} = o.name, {column} = o.id FROM {other} o WHERE o.id = t.user_id \
                 AND t.id % 7 = {} AND ({condition}) RETURNING t.id, o.id",
                self.random.below(7)
            );
        }
        scope.add(name, table);
        let condition = self.condition(&scope, 1);
        let value = match self.random.below(4) {
            0 => "NULL".to_owned(),
            1 => format!("{column} + 1"),
            2 => "(SELECT count(*) FROM posts)".to_owned(),
            _ => self.random.below(60).to_string(),
        };
        let few = self.random.below(9);
        let returning = *self.random.pick(&["", " RETURNING *", " RETURNING id"]);
        format!("UPDATE {name} SET {column} = {value} WHERE id % 9 = {few} AND ({condition}){returning}")
    }

    fn delete(&mut self) -> String {
        let table = *self.random.pick(&TABLES);
        let name = table.name;
        let mut scope = Scope::default();
        let few = format!("id % 23 = {}", self.random.below(23));
        match self.random.below(10) {
            0..=1 => format!("DELETE FROM {name} WHERE id = {}", self.random.below(40)),
            2..=3 => {
                let other = self.random.pick(&TABLES).name;
                format!("DELETE FROM {name} t USING {other} o WHERE o.id = t.id AND t.{few} RETURNING t.*, o.id")
            }
            4 => format!(
                "DELETE FROM {name} USING users o, posts p WHERE o.id = {name}.id AND p.user_id = o.id AND {name}.{few}"
            ),
            5 => {
                let other = self.random.pick(&TABLES).name;
                format!(
                    "WITH gone AS (DELETE FROM {name} WHERE {few} RETURNING id, {}) SELECT gone.*, o.id FROM gone \
                     LEFT JOIN {other} o ON o.id = gone.id",
                    table.text
                )
            }
            6 => format!(
                "WITH d AS (SELECT id FROM posts WHERE {few}) DELETE FROM {name} WHERE id IN (SELECT id FROM d)"
            ),
            7 => {
                scope.add("t", table);
                let condition = self.condition(&scope, 1);
                format!("DELETE FROM {name} AS t WHERE t.{few} AND ({condition}) RETURNING t.*")
            }
            _ => {
                scope.add(name, table);
                let condition = self.condition(&scope, 2);
                let returning = *self.random.pick(&["", " RETURNING *", " RETURNING id + 1 AS next"]);
                format!("DELETE FROM {name} WHERE {few} AND ({condition}){returning}")
            }
        }
    }
}

impl Makes for Generator {
    fn next(&mut self, status: u8) -> Vec<Statement> {
        self.aliases = 0;
        if status == b'E' && self.random.chance(70) {
            return vec![self.transactions.recover(&mut self.random)];
        }
        match self.random.below(100) {
            0..=9 => vec![self.transactions.next(&mut self.random, status)],
            10..=12 => self.sql_prepared(),
            13..=14 => vec![self.broken()],
            15..=16 => vec![simple(&format!("{}; {}", self.changing(), self.changing()))],
            17..=19 => vec![self.copy()],
            20..=21 => self.cursor(status),
            22..=36 => vec![self.sent(Self::insert, false)],
            37..=48 => vec![self.sent(Self::update, false)],
            49..=62 => vec![self.sent(Self::delete, false)],
            63..=70 => vec![self.sent(Self::total_order, true)],
            _ => vec![self.sent(Self::select, false)],
        }
    }

    fn contents(&self) -> Vec<String> {
        TABLES.iter().map(|table| format!("SELECT * FROM {} ORDER BY id", table.name)).collect()
    }

    /// No two constraints of these tables can be violated at once.
    fn claim(&self, _: &ServerError, _: &str) -> Option<String> {
        None
    }
}

/// A statement sent as a simple query.
pub(crate) fn simple(sql: &str) -> Statement {
    Statement { sql: sql.to_owned(), ordered: false, sending: Sending::Simple }
}
