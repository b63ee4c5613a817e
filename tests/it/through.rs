//! Random joins through Sexton, over a table with `visible_through`: a deleted row never stands in a result without the
//! row that points to it.
//!
//! The queries show the key of every row they join. `SEXTON_THROUGH` sets their number, `SEXTON_SEED` the seed.

use crate::support::cluster;
use crate::support::database::Database;
use crate::support::offline::number;
use crate::support::random::Random;
use crate::support::sexton::Sexton;

/// Queries of a run when `SEXTON_THROUGH` does not say otherwise.
const QUERIES: u64 = 400;

/// Queries that must have run without an error, in percent: aliases out of sight are part of the matter.
const SUCCEEDED_PERCENT_MIN: u64 = 25;

const CONFIG: &str = "
[databases.\"*\".tables.items]
delete = \"soft\"
visible_through = [\"lines.item_id\", \"items.parent_id\"]

[databases.\"*\".tables.lines]
delete = \"soft\"
column = \"deleted\"
";

/// Items from 5 on are deleted; lines from 5 on too. Items 9 and 10 point to each other, 11 to itself, 8 to nothing.
const SCHEMA: &str = "
    CREATE TABLE items (id int PRIMARY KEY, parent_id int REFERENCES items, deleted_at timestamptz);
    INSERT INTO items VALUES (1, NULL, NULL), (2, 5, NULL), (3, 1, NULL), (4, 6, NULL), (5, 1, now()), (6, 7, now()),
        (7, NULL, now()), (8, NULL, now()), (9, 10, now()), (10, 9, now()), (11, 11, now());
    CREATE TABLE lines (id int PRIMARY KEY, item_id int REFERENCES items, parent_id int, deleted boolean NOT NULL DEFAULT false);
    INSERT INTO lines VALUES (1, 1, 8, false), (2, 5, 9, false), (3, 6, 11, false), (4, NULL, 8, false), (5, 8, 1, true), (6, 9, 1, true), (7, 11, 1, true)";

/// One thing in a FROM list, and what the select list shows of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// An item: `i` and its key.
    Item,
    /// A line: `l` and what it points to.
    Line,
    Nothing,
}

struct Queries {
    random: Random,
    /// The aliases so far, some of them out of sight.
    near: Vec<(String, Shown)>,
}

impl Queries {
    /// An alias that is, or is not, an item's; now and then any other.
    fn alias(&mut self, item: bool) -> String {
        let fitting: Vec<String> = self
            .near
            .iter()
            .filter(|(_, shown)| (*shown == Shown::Item) == item)
            .map(|(alias, _)| alias.clone())
            .collect();
        if fitting.is_empty() || self.random.chance(4) {
            return format!("a{}", self.random.below(4));
        }
        self.random.pick(&fitting).clone()
    }

    /// A condition over aliases that may or may not be in sight, one of them mostly `own`.
    fn condition(&mut self, own: &str) -> String {
        let item = if self.random.chance(50) { own.to_owned() } else { self.alias(true) };
        let (other, column) = match self.random.below(4) {
            0 => (self.alias(true), "parent_id"),
            1 => (self.alias(false), "parent_id"),
            _ => (self.alias(false), "item_id"),
        };
        let equal = match self.random.below(8) {
            0 => format!("{item}.id = {column}"),
            1..=3 => format!("{other}.{column} = {item}.id"),
            _ => format!("{item}.id = {other}.{column}"),
        };
        match self.random.below(16) {
            0 => "true".to_owned(),
            1 => format!("{equal} OR {item}.id > 4"),
            2 => format!("NOT {equal}"),
            3 => format!("{item}.id > 0 AND ({equal})"),
            4 => format!("({equal} AND {})", self.condition(own)),
            5 => format!("true BETWEEN false AND {item}.id > 4 AND {equal}"),
            6 => format!("{equal} AND {other}.id BETWEEN 0 AND 99"),
            7 => format!("CASE WHEN true AND {equal} THEN false ELSE true END"),
            8 => format!("({equal}) IS NOT TRUE"),
            9 => format!("EXISTS (SELECT 1 FROM items {item} WHERE {equal})"),
            10 => format!("{item}.id >= {other}.{column}"),
            _ => equal,
        }
    }

    fn source(&mut self, alias: &str) -> (String, Shown) {
        match self.random.below(11) {
            0..=3 => (format!("items {alias}"), Shown::Item),
            4..=6 => (format!("lines {alias}"), Shown::Line),
            7 => (format!("(VALUES (8, 8, 8), (9, 9, 10)) AS {alias} (id, item_id, parent_id)"), Shown::Nothing),
            8 => (format!("(SELECT * FROM lines) {alias}"), Shown::Line),
            9 => (format!("LATERAL (SELECT x.* FROM items x WHERE {}) {alias}", self.condition("x")), Shown::Item),
            _ => (format!("(SELECT x.* FROM items x WHERE {}) {alias}", self.condition("x")), Shown::Item),
        }
    }

    /// A FROM list; what it holds stands in `near` from then on.
    fn from(&mut self) -> String {
        let mut from = String::new();
        for index in 0..2 + self.random.below(2) {
            let alias = format!("a{index}");
            let (source, shown) = self.source(&alias);
            self.near.push((alias.clone(), shown));
            if index == 0 {
                from = source;
                continue;
            }
            let condition = self.condition(&alias);
            from = match self.random.below(12) {
                0..=1 => format!("{from}, {source}"),
                2..=4 => format!("{from} JOIN {source} ON {condition}"),
                5..=6 => format!("{from} LEFT JOIN {source} ON {condition}"),
                7 => format!("{from} RIGHT JOIN {source} ON {condition}"),
                8 => format!("{from} FULL JOIN {source} ON {condition}"),
                9 if !from.contains(", ") => format!("{source} LEFT JOIN ({from}) ON {condition}"),
                10 => format!("{from} JOIN {source} USING (parent_id)"),
                _ => format!("{from} CROSS JOIN {source}"),
            };
        }
        from
    }

    fn block(&mut self) -> String {
        let outer = self.near.len();
        let from = self.from();
        let keys: Vec<String> = self.near[outer..]
            .iter()
            .map(|(alias, shown)| match shown {
                Shown::Item => format!("'i' || {alias}.id || ' p' || coalesce({alias}.parent_id, 0)"),
                Shown::Line => format!("'l' || {alias}.item_id"),
                Shown::Nothing => "''".to_owned(),
            })
            .collect();
        let filter = if self.random.chance(40) { format!(" WHERE {}", self.condition("a1")) } else { String::new() };
        let scalar = format!("(SELECT string_agg('s' || y.id, ' ') FROM items y WHERE {})", self.condition("y"));
        format!("SELECT concat_ws(' ', {}), {scalar} FROM {from}{filter}", keys.join(", "))
    }

    fn query(&mut self) -> String {
        self.near.clear();
        if self.random.chance(70) {
            return self.block();
        }
        // Inside a block whose alias the inner one may hide or not.
        let alias = format!("a{}", self.random.below(4));
        self.near.push((alias.clone(), Shown::Line));
        let inner = self.block();
        format!("SELECT 'l' || {alias}.item_id, q.* FROM lines {alias}, LATERAL ({inner}) q")
    }
}

/// The keys behind `letter` in a row.
fn keys(row: &str, letter: char) -> Vec<u32> {
    row.split([' ', '|']).filter_map(|word| word.strip_prefix(letter)?.parse().ok()).collect()
}

#[test]
fn no_deleted_row_without_the_row_that_points_to_it() {
    let Some(cluster) = cluster::shared("through::no_deleted_row_without_the_row_that_points_to_it") else { return };
    let database = Database::create(cluster, "through");
    database.run(SCHEMA);
    let sexton = Sexton::start(cluster.port(), CONFIG);
    let mut through = sexton.connect("postgres", &database.name);
    let seed = number("SEXTON_SEED").unwrap_or(1);
    let queries = number("SEXTON_THROUGH").unwrap_or(QUERIES);
    let mut generator = Queries { random: Random::new(seed), near: Vec::new() };
    let (mut succeeded, mut kept) = (0, 0);
    for _ in 0..queries {
        let sql = generator.query();
        let reply = through.simple(&sql).pop().expect("a reply");
        if reply.error.is_some() {
            continue;
        }
        succeeded += 1;
        for row in reply.texts() {
            let row = row.join("|");
            let (items, lines, parents) = (keys(&row, 'i'), keys(&row, 'l'), keys(&row, 'p'));
            // A subquery's rows may also be seen from the items that the row shows.
            for item in items.iter().chain(&keys(&row, 's')).filter(|item| **item > 4) {
                kept += 1;
                let pointed = lines.contains(item) || parents.contains(item);
                assert!(
                    pointed,
                    "seed {seed}: item {item} is deleted, and nothing in the row points to it: {row}\n{sql}"
                );
                // What nothing living leads to is never seen.
                assert!(*item < 8, "seed {seed}: nothing that lives leads to item {item}: {row}\n{sql}");
            }
            assert!(!lines.iter().any(|item| *item > 7), "seed {seed}: a deleted line in {row}\n{sql}");
        }
    }
    eprintln!("through: seed {seed}, {queries} queries, {succeeded} without error, {kept} deleted rows kept");
    assert!(succeeded * 100 >= queries * SUCCEEDED_PERCENT_MIN, "only {succeeded} of {queries} succeeded");
    assert!(kept > 0, "no deleted row was kept at all");
}
