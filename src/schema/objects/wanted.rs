//! A trigger with its function as they should be, held against what is there.

use sha2::{Digest, Sha256};

use crate::schema::objects::scene::{literal, qualified};
use crate::schema::survey::{Routine, Survey, Table, Trigger};
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
    /// The functions to create; empty where the function is one of the base.
    pub(super) functions: Vec<Function>,
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
        let has_functions = self
            .functions
            .iter()
            .all(|function| survey.own_routines.iter().any(|own| function.is(own) && !own.is_public));
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
        for function in &self.functions {
            steps.push(Step::new(format!("what {} does", self.name), function.create(self.table)));
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
        for function in &self.functions {
            hash.update(function.create(self.table));
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

impl Returns {
    /// Parameters as they are declared, their types as `oidvectortypes` writes them, and the result.
    fn signature(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Trigger => ("", "", "trigger"),
            Self::Work => ("text[]", "text[]", "void"),
        }
    }
}

/// A plpgsql function of schema `sexton`.
#[derive(Debug, Clone)]
pub(super) struct Function {
    name: String,
    returns: Returns,
    search_path: String,
    body: String,
}

/// The function `name`. It runs as its owner, as the server's own actions run as the table's.
pub(super) fn function(name: String, returns: Returns, search_path: &str, body: &str) -> Function {
    Function { name, returns, search_path: search_path.to_owned(), body: body.to_owned() }
}

impl Function {
    /// True where `routine` has its name and parameters.
    pub(super) fn is(&self, routine: &Routine) -> bool {
        routine.name == self.name && routine.arguments == self.returns.signature().1
    }

    /// Creates or replaces it, so that nobody else may call it at any time. `table` is what its trigger is on: anybody's
    /// table could have a trigger that calls it, if it was ever open to everybody.
    fn create(&self, table: &Table) -> String {
        let (parameters, types, result) = self.returns.signature();
        let name = quote(&self.name);
        let body = match self.returns {
            Returns::Trigger => {
                let table = literal(&qualified(table));
                let body = &self.body;
                format!(
                    "BEGIN\n    IF TG_RELID <> {table}::regclass THEN\n        PERFORM \
                     sexton.expect_partition(TG_RELID, {table}::regclass);\n    END IF;\n{body};\nEND"
                )
            }
            Returns::Work => self.body.clone(),
        };
        let create = format!(
            "CREATE OR REPLACE FUNCTION sexton.{name}({parameters}) RETURNS {result}\nLANGUAGE plpgsql SECURITY DEFINER SET \
             search_path = {} AS {};",
            self.search_path,
            dollar_quoted(&body)
        );
        format!(
            "DO {}",
            dollar_quoted(&format!("BEGIN\n{create}\nREVOKE ALL ON FUNCTION sexton.{name}({types}) FROM PUBLIC;\nEND"))
        )
    }
}

/// A string constant that needs no escapes.
fn dollar_quoted(body: &str) -> String {
    let mut tag = "$sexton$".to_owned();
    while body.contains(&tag) {
        tag.insert(1, '_');
    }
    format!("{tag}\n{body}\n{tag}")
}
