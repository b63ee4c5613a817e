//! A trigger with its function as they should be, held against what is there.

use sha2::{Digest, Sha256};

use crate::schema::objects::scene::{literal, qualified};
use crate::schema::survey::{Survey, Table, Trigger};
use crate::schema::{Finding, Level, Step};
use crate::sql::ident::quote;

/// A trigger and the function it calls.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    /// The table it is on.
    pub(super) table: &'a Table,
    /// Its name.
    pub(super) name: String,
    /// `CREATE …` up to the name: `CREATE TRIGGER` or `CREATE CONSTRAINT TRIGGER`.
    pub(super) create: &'static str,
    /// When it fires: `AFTER INSERT OR UPDATE`.
    pub(super) event: String,
    /// What stands between the table and EXECUTE: deferrability, FOR EACH ROW, WHEN.
    pub(super) clauses: String,
    /// The function it calls, in schema `sexton`.
    pub(super) function: String,
    /// The functions to create: names with their statements; empty where the function is one of the base.
    pub(super) functions: Vec<(String, String)>,
}

/// What a finding says of a trigger that is not as it should be.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// The kind of finding.
    pub(super) kind: &'static str,
    /// What it is about.
    pub(super) object: String,
    /// What happens without it.
    pub(super) what: String,
}

impl Wanted<'_> {
    /// The trigger as it is in the survey, whatever it looks like.
    pub(super) fn existing<'s>(&self, survey: &'s Survey) -> Option<&'s Trigger> {
        survey.triggers.iter().find(|trigger| trigger.table == self.table.oid && trigger.name == self.name)
    }

    /// What is wrong with it, if anything is.
    pub(super) fn finding(&self, survey: &Survey, words: Words) -> Option<Finding> {
        let digest = self.digest();
        let is_current = self.existing(survey).is_some_and(|trigger| {
            trigger.is_enabled
                && trigger.comment.as_deref() == Some(digest.as_str())
                && trigger.function == self.function
        });
        let has_functions =
            self.functions.iter().all(|(name, _)| survey.own_routines.iter().any(|own| own.name == *name));
        if is_current && has_functions {
            return None;
        }
        Some(Finding {
            level: Level::Warning,
            kind: words.kind,
            object: words.object,
            what: words.what,
            mend: None,
            steps: self.steps(),
        })
    }

    /// Creates or replaces function and trigger.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (name, sql) in &self.functions {
            steps.push(Step::new(format!("what {} does", self.name), sql));
            if sql.contains("RETURNS void") {
                let why = "only triggers call it";
                steps
                    .push(Step::new(why, format!("REVOKE ALL ON FUNCTION sexton.{}(text[]) FROM PUBLIC", quote(name))));
            }
        }
        steps.push(Step::new(format!("the trigger {} on {}", self.name, qualified(self.table)), self.trigger_step()));
        steps
    }

    fn trigger(&self) -> String {
        let (create, name, event) = (self.create, quote(&self.name), &self.event);
        let (table, clauses) = (qualified(self.table), &self.clauses);
        format!("{create} {name} {event} ON {table} {clauses} EXECUTE FUNCTION sexton.{}()", quote(&self.function))
    }

    fn trigger_step(&self) -> String {
        let (name, table) = (quote(&self.name), qualified(self.table));
        let body = format!(
            "BEGIN\n    DROP TRIGGER IF EXISTS {name} ON {table};\n    {};\n    COMMENT ON TRIGGER {name} ON {table} IS {};\nEND",
            self.trigger(),
            literal(&self.digest())
        );
        format!("DO {}", dollar_quoted(&body))
    }

    /// Tells what was generated from anything else.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (_, sql) in &self.functions {
            hash.update(sql);
        }
        hash.update(self.trigger());
        let hex: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sexton {hex}")
    }
}

/// What a generated function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    /// A trigger function.
    Trigger,
    /// One that works on the key of a row, given as texts.
    Work,
}

/// A plpgsql function of schema `sexton`, with the name it has there. It runs as its owner, as the server's own actions
/// run as the table's.
pub(super) fn function(name: String, returns: Returns, search_path: &str, body: &str) -> (String, String) {
    let (parameters, result) = match returns {
        Returns::Trigger => ("", "trigger"),
        Returns::Work => ("text[]", "void"),
    };
    let body = dollar_quoted(body);
    let sql = format!(
        "CREATE OR REPLACE FUNCTION sexton.{}({parameters}) RETURNS {result}\nLANGUAGE plpgsql SECURITY DEFINER SET \
         search_path = {search_path} AS {body}",
        quote(&name)
    );
    (name, sql)
}

/// A string constant that needs no escapes.
fn dollar_quoted(body: &str) -> String {
    let mut tag = "$sexton$".to_owned();
    while body.contains(&tag) {
        tag.insert(1, '_');
    }
    format!("{tag}\n{body}\n{tag}")
}
