//! All that the rules look at, and the tables they are about.

use crate::config::{self, Strategy, spelled};
use crate::rewrite;
use crate::rewrite::policy::Policy;
use crate::schema::Subject;
use crate::schema::question::Answers;
use crate::schema::readers::Readers;
use crate::schema::rights::Rights;
use crate::schema::survey::{Survey, Table};
use crate::sql::predicate::Predicate;

/// One database with all that is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The database's name in the configuration, as TOML spells it: `shop`, `"*"`.
    pub section: &'a str,
    /// Configuration and tables.
    pub subject: Subject<'a>,
    /// The triggers that refuse deletions past Sexton are wanted.
    pub with_guard: bool,
    /// What there is, where `subject` has the columns that `apply` will add.
    pub before: &'a Survey,
    /// What the configuration lacks in it.
    pub unfit: &'a [rewrite::Finding],
    /// Views, rules, functions.
    pub readers: &'a Readers,
    /// Privileges and policies.
    pub rights: &'a Rights,
    /// The answers to [`crate::schema::questions`].
    pub answers: &'a Answers,
}

/// A table that statements read through a live predicate.
#[derive(Debug, Clone, Copy)]
pub struct Scoped<'a> {
    /// The table: registered, or below one that is.
    pub table: &'a Table,
    /// Its policy.
    pub policy: &'a Policy,
    /// Holds for live rows.
    pub live: &'a Predicate,
    /// Holds for deleted rows.
    pub deleted: &'a Predicate,
}

impl<'a> Scoped<'a> {
    /// `table` under `policy`; `None` where every row is live.
    #[must_use]
    pub fn new(table: &'a Table, policy: &'a Policy) -> Option<Self> {
        Some(Self { table, policy, live: policy.live.as_ref()?, deleted: policy.deleted.as_ref()? })
    }
}

impl<'a> Subject<'a> {
    /// The policy of a table, where it has one with an effect: its own, or that of a registered table above it.
    #[must_use]
    pub fn policy_of(self, table: &Table) -> Option<&'a Policy> {
        Some(&**self.registry.find(&table.schema, &table.name)?.policy()?)
    }

    /// Every table with such a policy.
    pub fn with_policy(self) -> impl Iterator<Item = (&'a Table, &'a Policy)> {
        self.survey.tables.iter().filter_map(move |table| Some((table, self.policy_of(table)?)))
    }

    /// Those of them that stand in the configuration themselves.
    pub fn registered(self) -> impl Iterator<Item = (&'a Table, &'a Policy)> {
        self.with_policy().filter(|(table, policy)| policy.oid == table.oid)
    }

    /// Every table that may hold deleted rows.
    pub fn scoped(self) -> impl Iterator<Item = Scoped<'a>> {
        self.with_policy().filter_map(|(table, policy)| Scoped::new(table, policy))
    }

    /// Those of them where DELETE becomes UPDATE, and that stand in the configuration themselves.
    pub fn soft(self) -> impl Iterator<Item = Scoped<'a>> {
        self.scoped().filter(|scoped| scoped.policy.strategy == Strategy::Soft && scoped.policy.oid == scoped.table.oid)
    }

    /// What the configuration says of a policy's table.
    #[must_use]
    pub fn section(self, policy: &Policy) -> Option<&'a config::Table> {
        self.database.tables.iter().find(|table| table.name == policy.table)
    }
}

impl Situation<'_> {
    /// The head of a table's section, such as `[databases.shop.tables.users]`.
    #[must_use]
    pub fn section_of(&self, schema: &str, table: &str) -> String {
        let name = match schema {
            "public" => table.to_owned(),
            schema => format!("{schema}.{table}"),
        };
        format!("[databases.{}.tables.{}]", self.section, spelled(&name))
    }
}
