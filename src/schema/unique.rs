//! Unique indexes that count deleted rows, and how they are made partial while the system runs.
//!
//! The new index is built CONCURRENTLY under another name and then takes the old one's, which error messages name. A
//! plain index is renamed away and dropped CONCURRENTLY, so that no lock is taken that a query would wait for; one that
//! stands for a constraint goes with the constraint in a transaction of two statements, both under `lock_timeout`.
//! Whether an index's condition leaves deleted rows out is for the planner to prove, not for a comparison of texts.

use crate::config::Reinsert;
use crate::schema::index::{self, Made, NEW, OLD};
use crate::schema::objects::lock::is_lock;
use crate::schema::question::PROVED;
use crate::schema::situation::Scoped;
use crate::schema::survey::{Index, Table};
use crate::schema::{Answers, Finding, Level, Question, Situation, Step, Subject};
use crate::sql::ident::{digest, literal, quote, quote_qualified, suffixed};

/// Why an index stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is the primary key's.
    PrimaryKey,
    /// A foreign key points to it.
    Referenced,
    /// Its constraint is DEFERRABLE.
    Deferrable,
    /// REPLICA IDENTITY USING INDEX names it.
    ReplicaIdentity,
    /// It is an exclusion constraint's: it can be made again, but only while nobody writes.
    Exclusion,
    /// The live predicate changes by itself with time.
    Volatile,
}

/// Words in a live predicate that an index's condition may not hold.
const VOLATILE: &[&str] = &[
    "now",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "current_user",
    "session_user",
    "current_setting",
];

impl Obstacle {
    fn words(self) -> &'static str {
        match self {
            Self::PrimaryKey => "a primary key cannot be partial",
            Self::Referenced => "a foreign key points to it, which takes a full index",
            Self::Deferrable => "its constraint is DEFERRABLE, which takes a full index",
            Self::ReplicaIdentity => "it is the table's replica identity, which takes a full index",
            Self::Exclusion => "an exclusion constraint cannot be built while others write",
            Self::Volatile => "the live predicate depends on time or session, which no index can follow",
        }
    }
}

/// Why `index` cannot be made partial while the system runs; `None` where it can.
#[must_use]
pub fn obstacle(scoped: Scoped<'_>, index: &Index) -> Option<Obstacle> {
    let words = scoped.live.plain().to_ascii_lowercase();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_volatile = words.split(|c| !is_word(c)).any(|word| VOLATILE.contains(&word));
    [
        (index.is_primary, Obstacle::PrimaryKey),
        (index.is_referenced, Obstacle::Referenced),
        (index.is_deferrable, Obstacle::Deferrable),
        (index.is_replica_identity, Obstacle::ReplicaIdentity),
        (is_volatile, Obstacle::Volatile),
        (index.is_exclusion, Obstacle::Exclusion),
    ]
    .into_iter()
    .find_map(|(holds, obstacle)| holds.then_some(obstacle))
}

/// The unique indexes and exclusion constraints of tables that may hold deleted rows, those of partitions left to their
/// partitioned table's.
fn candidates<'a>(subject: Subject<'a>) -> impl Iterator<Item = (Scoped<'a>, &'a Index)> {
    subject.scoped().flat_map(move |scoped| {
        let own = subject.survey.indexes.iter().filter(move |index| index.table == scoped.table.oid);
        own.filter(|index| (index.is_unique || index.is_exclusion) && !index.is_partition)
            // Sexton's own counts deleted rows on purpose.
            .filter(move |index| !is_lock(scoped.table, index))
            .map(move |index| (scoped, index))
    })
}

/// Asks the planner whether a row of a partial index can be a deleted one.
fn proof(scoped: Scoped<'_>, index: &Index) -> Option<Question> {
    let predicate = index.predicate.as_ref()?;
    // The planner sees that `x IS NOT TRUE` contradicts `x`, but not that it contradicts `x IS TRUE`.
    let deleted = scoped.deleted.plain();
    let deleted = deleted.strip_suffix(" IS TRUE").unwrap_or(&deleted);
    let table = scoped.table.quoted();
    Some(Question::new(format!("EXPLAIN (COSTS OFF) SELECT FROM {table} WHERE ({predicate}) AND ({deleted})")))
}

/// What has to be asked of the planner.
#[must_use]
pub(crate) fn questions(subject: Subject<'_>) -> Vec<Question> {
    candidates(subject).filter_map(|(scoped, index)| proof(scoped, index)).collect()
}

fn counts_deleted(scoped: Scoped<'_>, index: &Index, answers: &Answers) -> bool {
    let Some(question) = proof(scoped, index) else { return true };
    match answers.text(&question.sql) {
        Some(plan) => !plan.contains(PROVED),
        // It may not be asked: the usual form, as the server writes it back.
        None => !index.predicate.as_ref().is_some_and(|predicate| predicate.contains(&scoped.live.plain())),
    }
}

/// The indexes that count deleted rows, with the steps that change it where it can be changed; and what an interrupted
/// run has left.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let subject = situation.subject;
    let mut findings = Vec::new();
    for (scoped, index) in candidates(subject) {
        let counts = counts_deleted(scoped, index, situation.answers);
        if index.name.ends_with(NEW) || index.name.ends_with(OLD) {
            if !is_cleared(situation, index) {
                findings.push(left_over(scoped.table, index));
            }
            continue;
        }
        if !counts || is_free(scoped, index) {
            continue;
        }
        match obstacle(scoped, index) {
            None => findings.push(partial(situation, scoped, index)),
            Some(obstacle) => findings.extend(stays(situation, scoped, index, obstacle)),
        }
    }
    findings
}

/// True where the key holds a marker that a deletion gives another value each time: no deleted row is in the way.
fn is_free(scoped: Scoped<'_>, index: &Index) -> bool {
    let Some(marker) = marker_in_key(scoped, index) else { return false };
    let is_flag = scoped.table.column(marker).is_some_and(|column| column.type_name == "boolean");
    scoped.policy.time.as_deref() == Some(marker) && !is_flag && !index.nulls_not_distinct
}

/// The column of the key that a deletion sets.
fn marker_in_key<'a>(scoped: Scoped<'_>, index: &'a Index) -> Option<&'a str> {
    let marks = &scoped.policy.marks;
    let mut columns = index.columns.iter().flatten();
    columns.find(|column| marks.iter().any(|mark| mark.column == **column)).map(String::as_str)
}

/// True where the steps that replace some other index begin by removing this one, or go on with it.
fn is_cleared(situation: &Situation<'_>, left: &Index) -> bool {
    candidates(situation.subject).any(|(scoped, other)| {
        other.table == left.table
            && [NEW, OLD].iter().any(|end| suffixed(&other.name, end) == left.name)
            && obstacle(scoped, other).is_none()
            && counts_deleted(scoped, other, situation.answers)
    })
}

fn object(table: &Table, index: &Index) -> String {
    let noun = match (index.is_primary, index.is_constraint, index.is_exclusion) {
        (true, _, _) => "primary key",
        (_, _, true) => "exclusion constraint",
        (_, true, _) => "unique constraint",
        (_, false, _) => "index",
    };
    format!("{noun} {}.{}", table.schema, index.name)
}

fn keys(index: &Index) -> String {
    index.keys.join(", ")
}

fn qualified(table: &Table, name: &str) -> String {
    quote_qualified(&table.schema, name)
}

fn left_over(table: &Table, index: &Index) -> Finding {
    let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(table, &index.name));
    Finding {
        level: Level::Warning,
        kind: "left-over-index",
        object: object(table, index),
        what: "an interrupted run of sexton apply has left it; it costs writes and serves nobody".to_owned(),
        mend: None,
        steps: vec![Step::alone(format!("{}: drop what an interrupted run has left", index.name), sql)],
    }
}

fn partial(situation: &Situation<'_>, scoped: Scoped<'_>, index: &Index) -> Finding {
    let steps = match scoped.table.kind {
        'p' => partitioned_steps(situation.subject, scoped, index),
        _ => plain_steps(situation, scoped, index),
    };
    let what = match marker_in_key(scoped, index) {
        None => format!("it counts deleted rows: a freed {} cannot be used again", keys(index)),
        Some(_) => {
            "it counts deleted rows: the second deletion of a key that was used again is refused (23505)".to_owned()
        }
    };
    Finding {
        level: Level::Warning,
        kind: "unique-index",
        object: object(scoped.table, index),
        what,
        mend: steps.is_none().then(|| format!("make it partial: … WHERE {}", scoped.live.plain())),
        steps: steps.unwrap_or_default(),
    }
}

fn plain_steps(situation: &Situation<'_>, scoped: Scoped<'_>, index: &Index) -> Option<Vec<Step>> {
    let table = scoped.table;
    let (new, old) = (suffixed(&index.name, NEW), suffixed(&index.name, OLD));
    let clear = |name: &str| {
        let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(table, name));
        Step::alone(format!("{}: clear what an interrupted run may have left", index.name), sql)
    };
    let made = Made { name: &new, table: &table.quoted(), live: &scoped.live.plain(), concurrently: true, only: false };
    let build = index::like(index, made)?;
    let mut steps = Vec::new();
    // What a run has finished building before it was interrupted need not be built again.
    let is_built = situation.subject.survey.indexes.iter().any(|other| {
        (other.table, &other.name, &other.keys) == (table.oid, &new, &index.keys)
            && other.is_valid
            && !counts_deleted(scoped, other, situation.answers)
    });
    if !is_built {
        steps.push(clear(&new));
        steps.push(Step::alone(format!("{}: build it for live rows only, beside the old one", index.name), build));
    }
    if index.is_constraint {
        steps.extend(swap_constraint(table, index, &new));
    } else {
        steps.push(clear(&old));
        let rename = |from: &str, to: &str| format!("ALTER INDEX {} RENAME TO {}", qualified(table, from), quote(to));
        steps.push(Step::new(format!("{}: the old one gives up its name", index.name), rename(&index.name, &old)));
        steps.push(Step::new(format!("{}: the new one takes it", index.name), rename(&new, &index.name)));
        steps.extend(comment(table, index));
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(table, &old));
        steps.push(Step::alone(format!("{}: drop the old one", index.name), drop));
    }
    Some(steps)
}

/// The steps, of one transaction, that put the index `new` in the place of a constraint.
fn swap_constraint(table: &Table, index: &Index, new: &str) -> Vec<Step> {
    let name = quote(&index.name);
    let mut steps = vec![
        Step::new(
            format!("{}: the constraint goes; a partial index cannot stand for one", index.name),
            format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {name}", table.quoted()),
        ),
        Step::new(
            format!("{}: likewise an index of that name, should this run twice", index.name),
            format!("DROP INDEX IF EXISTS {}", qualified(table, &index.name)),
        ),
        Step::new(
            format!("{}: the new index takes its name", index.name),
            format!("ALTER INDEX {} RENAME TO {name}", qualified(table, new)),
        ),
    ];
    steps.extend(comment(table, index));
    steps
}

fn comment(table: &Table, index: &Index) -> Option<Step> {
    let comment = index.comment.as_ref()?;
    let sql = format!("COMMENT ON INDEX {} IS {}", qualified(table, &index.name), literal(comment));
    Some(Step::new(format!("{}: keep its comment", index.name), sql))
}

/// CONCURRENTLY is not to be had for a partitioned table: an index of its own without partitions, one for each
/// partition, built CONCURRENTLY and attached; with the last one it becomes valid.
fn partitioned_steps(subject: Subject<'_>, scoped: Scoped<'_>, index: &Index) -> Option<Vec<Step>> {
    let (table, live) = (scoped.table, scoped.live.plain());
    let new = suffixed(&index.name, NEW);
    let sql = format!("DROP INDEX IF EXISTS {}", qualified(table, &new));
    let mut steps = vec![Step::new(format!("{}: clear what an interrupted run may have left", index.name), sql)];
    let mut attach = Vec::new();
    let mut open = vec![(table, new.clone())];
    while let Some((parent, parent_index)) = open.pop() {
        let made = Made { name: &parent_index, table: &parent.quoted(), live: &live, concurrently: false, only: true };
        steps.push(Step::new(
            format!("{}: for {}, still without its partitions", index.name, parent.display()),
            index::like(index, made)?,
        ));
        for partition in subject.survey.tables.iter().filter(|table| table.parents.contains(&parent.oid)) {
            // It keeps this name, under which another predicate's index must have room beside it.
            let name = suffixed(&format!("{}_{}", partition.name, index.name), &format!("_{}", digest(&live)));
            attach.push((parent, parent_index.clone(), partition, name.clone()));
            match partition.kind {
                'p' => open.push((partition, name)),
                _ => {
                    let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {}", qualified(partition, &name));
                    steps.push(Step::alone(format!("{name}: clear what an interrupted run may have left"), sql));
                    let made =
                        Made { name: &name, table: &partition.quoted(), live: &live, concurrently: true, only: false };
                    steps.push(Step::alone(
                        format!("{}: for live rows of {}", index.name, partition.display()),
                        index::like(index, made)?,
                    ));
                }
            }
        }
    }
    // From the leaves up.
    for (parent, parent_index, partition, name) in attach.into_iter().rev() {
        let sql = format!(
            "ALTER INDEX {} ATTACH PARTITION {}",
            qualified(parent, &parent_index),
            qualified(partition, &name)
        );
        steps.push(Step::new(format!("{}: take in the index of {}", index.name, partition.display()), sql));
    }
    steps.extend(swap_constraint(table, index, &new));
    Some(steps)
}

/// An index that stays full: what an INSERT meets then. `None` where nobody reuses the key.
fn stays(situation: &Situation<'_>, scoped: Scoped<'_>, index: &Index, obstacle: Obstacle) -> Option<Finding> {
    let section = situation.subject.section(scoped.policy)?;
    let generated = |name: &String| {
        scoped.table.column(name).is_some_and(|column| {
            let default = column.default.as_deref().unwrap_or_default();
            // Whoever makes up a uuid makes up another one next time.
            column.identity || column.type_name == "uuid" || default.starts_with("nextval(")
        })
    };
    if obstacle == Obstacle::PrimaryKey && index.columns.as_ref().is_some_and(|columns| columns.iter().all(generated)) {
        return None;
    }
    let key = keys(index);
    let (level, then, mend) = match (section.reinsert, &section.archive) {
        _ if obstacle == Obstacle::Exclusion => {
            (Level::Warning, "a row that collides with a deleted one is refused".to_owned(), exclusion(scoped, index))
        }
        (Reinsert::Error, _) => {
            (Level::Note, format!("a freed {key} cannot be used again, as reinsert = \"error\" says"), None)
        }
        (Reinsert::Revive, _) => (
            Level::Note,
            format!("an INSERT with the {key} of a deleted row takes that row's place, as reinsert = \"revive\" says"),
            None,
        ),
        (Reinsert::Supersede, Some(archive)) => {
            (Level::Note, format!("an INSERT with the {key} of a deleted row moves that row to {archive}"), None)
        }
        (Reinsert::Supersede, None) => (
            Level::Warning,
            match &section.retain {
                Some(retain) => format!("an INSERT with the {key} of a row deleted less than {retain} ago is refused"),
                None => format!("an INSERT with the {key} of a deleted row is refused"),
            },
            Some(format!(
                "add to the configuration:\n{}\narchive = \"{}_archive\"  # or reinsert = \"revive\"",
                situation.section_of(&section.name.schema, &section.name.relation),
                section.name
            )),
        ),
    };
    Some(Finding {
        level,
        kind: "full-unique-index",
        object: object(scoped.table, index),
        what: format!("it counts deleted rows and stays so ({}): {then}", obstacle.words()),
        mend,
        steps: Vec::new(),
    })
}

/// What makes an exclusion constraint again for live rows.
fn exclusion(scoped: Scoped<'_>, index: &Index) -> Option<String> {
    let definition = index.constraint_definition.as_ref().filter(|_| index.predicate.is_none())?;
    Some(format!(
        "while nobody writes: ALTER TABLE {0} DROP CONSTRAINT {1}, ADD CONSTRAINT {1} {definition} WHERE ({2})",
        scoped.table.quoted(),
        quote(&index.name),
        scoped.live.plain()
    ))
}
