//! Every pair of statements that can race along a foreign key, at every isolation level, on both twins.
//!
//! A child is born, pointed or lost while its parent is deleted, changed, renamed, locked or replaced. Two sessions, each with
//! one statement: both before either commits, or the second with a snapshot from before the first. Each race has rows of
//! its own. `SEXTON_RACES=all` plays every one; otherwise a part of them, chosen by `SEXTON_SEED`.

use super::generate::{Statement, simple};
use super::harness::{differing, number};
use super::interleaving::{Interleaving, Summary};
use super::keys::Pair;
use super::lockstep::ISOLATIONS;
use super::steps::Side;

/// One race in so many is played by default.
const PART: usize = 101;

/// A foreign key, and how to make a row of its child.
struct Key {
    child: &'static str,
    column: &'static str,
    parent: &'static str,
}

const FOREIGN_KEYS: &[Key] = &[
    // CASCADE, soft to soft, then to an archive.
    Key { child: "teams", column: "org_id", parent: "orgs" },
    Key { child: "invoices", column: "org_id", parent: "orgs" },
    // SET NULL, at once and deferred.
    Key { child: "people", column: "team_id", parent: "teams" },
    Key { child: "teams", column: "lead_id", parent: "people" },
    // To itself.
    Key { child: "people", column: "boss_id", parent: "people" },
    // NO ACTION, RESTRICT, NO ACTION deferred.
    Key { child: "orders", column: "person_id", parent: "people" },
    Key { child: "bookings", column: "person_id", parent: "people" },
    Key { child: "badges", column: "person_id", parent: "people" },
    // Children that nobody registered: NO ACTION, CASCADE, SET DEFAULT.
    Key { child: "grants", column: "badge_id", parent: "badges" },
    Key { child: "notes", column: "org_id", parent: "orgs" },
    Key { child: "grants", column: "org_id", parent: "orgs" },
    // A parent whose rows really leave: an archive, an unregistered one.
    Key { child: "notes", column: "order_id", parent: "orders" },
    Key { child: "bookings", column: "place_id", parent: "places" },
    Key { child: "orders", column: "place_id", parent: "places" },
];

/// What a session does. `{p}` is the parent all is about, `{q}` another one, `{r}` a key that nobody has; `{c}` is a child
/// of `{p}`, `{d}` one of `{q}`, `{n}` a child to be.
const DEEDS: &[&str] = &[
    "INSERT INTO {child} (id, {column}) VALUES ({n}, {p})",
    "UPDATE {child} SET {column} = {p} WHERE id = {d}",
    "UPDATE {child} SET {column} = {q} WHERE id = {c}",
    "UPDATE {child} SET name = 'other' WHERE id = {c}",
    "DELETE FROM {child} WHERE id = {c}",
    "DELETE FROM {parent} WHERE id = {p}",
    "UPDATE {parent} SET name = 'other' WHERE id = {p}",
    "UPDATE {parent} SET id = {r} WHERE id = {p}",
    "DELETE FROM {child} WHERE {column} = {p}; DELETE FROM {parent} WHERE id = {p}; INSERT INTO {parent} (id) VALUES ({p})",
    "SELECT id, {column} FROM {child} WHERE id = {c} FOR UPDATE",
    "SELECT id FROM {parent} WHERE id = {p} FOR NO KEY UPDATE",
    "INSERT INTO {parent} (id) VALUES ({p})",
];

/// When the second session's statement comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Before the first commits.
    Overlapping,
    /// After the first has committed, with a snapshot from before.
    OldSnapshot,
}

/// One race.
struct Race {
    key: &'static Key,
    deeds: [&'static str; 2],
    isolation: &'static str,
    order: Order,
    /// `{p}` and `{q}` have no children: nothing but the race decides.
    is_childless: bool,
}

fn races() -> Vec<Race> {
    let mut races = Vec::new();
    for key in FOREIGN_KEYS {
        for first in DEEDS {
            for second in DEEDS {
                for isolation in ISOLATIONS {
                    for order in [Order::Overlapping, Order::OldSnapshot] {
                        for is_childless in [true, false] {
                            races.push(Race { key, deeds: [first, second], isolation, order, is_childless });
                        }
                    }
                }
            }
        }
    }
    races
}

impl Race {
    /// Its statements, with the rows whose keys start at `base`.
    fn told(&self, sql: &str, base: usize) -> String {
        let mut told = sql.replace("{child}", self.key.child).replace("{column}", self.key.column);
        told = told.replace("{parent}", self.key.parent);
        for (at, name) in ["{p}", "{q}", "{r}", "{c}", "{d}", "{n}"].into_iter().enumerate() {
            told = told.replace(name, &(base + at).to_string());
        }
        told
    }

    fn setup(&self, base: usize) -> Vec<Statement> {
        let mut lines = vec!["INSERT INTO {parent} (id) VALUES ({p}), ({q})"];
        if !self.is_childless {
            lines.push("INSERT INTO {child} (id, {column}) VALUES ({c}, {p})");
        }
        lines.push("INSERT INTO {child} (id, {column}) VALUES ({d}, {q})");
        lines.into_iter().map(|line| simple(&self.told(line, base))).collect()
    }

    /// The statements of both sessions, last first, and the order in which the sessions go.
    fn scripts(&self, base: usize) -> (Vec<Vec<Statement>>, Vec<usize>) {
        let deeds = self.deeds.map(|deed| self.told(deed, base));
        let begin = format!("BEGIN ISOLATION LEVEL {}", self.isolation);
        let mut scripts = deeds.map(|deed| vec![begin.clone(), deed, "COMMIT".to_owned()]);
        let order = match self.order {
            Order::Overlapping => vec![0, 1, 0, 1],
            Order::OldSnapshot => {
                scripts[1].insert(1, "SELECT 1 FROM pg_class LIMIT 1".to_owned());
                vec![1, 0, 0, 1, 1]
            }
        };
        let last_first = |script: Vec<String>| script.iter().rev().map(|sql| simple(sql)).collect();
        (scripts.map(last_first).into(), order)
    }

    /// What tells whether both sides hold the same rows of this race.
    fn contents(&self, base: usize) -> Vec<String> {
        let of = |table: &str| format!("SELECT * FROM {table} WHERE id >= {base} ORDER BY id");
        vec![of(self.key.parent), of(self.key.child)]
    }
}

/// Plays one race in so many, on the pair that `create` makes.
fn run(part: usize, pair: &Pair) {
    let seed = number("SEXTON_SEED").unwrap_or(1) as usize;
    let twins = pair.twins();
    let mut sides = [Side::start(2, &*twins.a, pair.a.direct()), Side::start(2, &*twins.b, pair.b.direct())];
    let (mut a, mut b) = ((twins.a)(), (twins.b)());
    let mut summary = Summary::default();
    for (number, race) in races().iter().enumerate().filter(|(number, _)| number % part == seed % part) {
        let base = 1_000 + number * 10;
        for statement in race.setup(base) {
            a.expect(&statement.sql);
            b.expect(&statement.sql);
        }
        let (scripts, mut order) = race.scripts(base);
        let mut choose = |ready: &[usize]| {
            let at = order.iter().position(|session| ready.contains(session));
            at.map_or(ready[0], |at| order.remove(at))
        };
        let mut contents = || differing(race.contents(base), &mut a, &mut b);
        if !Interleaving::new(&mut sides, race.isolation, scripts).strict().run(
            &mut choose,
            &mut contents,
            &mut summary,
        ) {
            pair.forget(base..=base + 9);
        }
    }
    pair.check_kept_rows();
    summary.check(seed as u64);
}

#[test]
fn races_along_foreign_keys_end_as_with_real_deletes() {
    let Some(pair) = Pair::create("twin::races::races_along_foreign_keys…", "races") else { return };
    run(if std::env::var_os("SEXTON_RACES").is_some() { 1 } else { PART }, &pair);
}

/// The harness itself: a database must agree with another that is the same.
#[test]
fn two_equal_databases_agree_about_races() {
    let Some(pair) = Pair::equal("twin::races::two_equal_databases…", "equal") else { return };
    run(PART, &pair);
}
