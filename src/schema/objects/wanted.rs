//! A trigger with its function as they should be, held against what is there.

use sha2::{Digest, Sha256};

use crate::schema::objects::routines::enclosing;
use crate::schema::plan::SEARCH_PATH;
use crate::schema::survey::{Routine, Survey, Table, Trigger};
use crate::schema::{Finding, Level, Step};
use crate::sql::ident::{dollar_quotes, literal, quote};

/// What is said of functions that are right but for their search path.
const ELSEWHERE: &str = "its functions look for names in other schemas than they should: who may create objects there has \
                         changed since sexton apply";

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

impl<'a> Wanted<'a> {
    /// A trigger that calls the last of `functions`.
    pub(super) fn new(
        table: &'a Table,
        name: impl Into<String>,
        event: impl Into<String>,
        clauses: impl Into<String>,
        functions: Vec<Function>,
    ) -> Self {
        let function = functions.last().map(|function| function.name.clone()).unwrap_or_default();
        let (name, event, clauses) = (name.into(), event.into(), clauses.into());
        Self { table, name, create: "CREATE TRIGGER", event, clauses, function, functions }
    }

    /// One that calls a function of the base.
    pub(super) fn of_base(
        table: &'a Table,
        name: impl Into<String>,
        event: impl Into<String>,
        clauses: impl Into<String>,
        function: &str,
    ) -> Self {
        Self { function: function.to_owned(), ..Self::new(table, name, event, clauses, Vec::new()) }
    }

    /// The same as a constraint trigger.
    pub(super) fn constraint(self) -> Self {
        Self { create: "CREATE CONSTRAINT TRIGGER", ..self }
    }
}

impl Wanted<'_> {
    /// The trigger as it is in the survey, whatever it looks like.
    pub(super) fn existing<'s>(&self, survey: &'s Survey) -> Option<&'s Trigger> {
        survey.triggers.iter().find(|trigger| trigger.table == self.table.oid && trigger.name == self.name)
    }

    /// What is wrong with it, if anything is.
    pub(super) fn finding(&self, survey: &Survey, words: &Words) -> Option<Finding> {
        let digest = self.digest();
        let is_current = self.existing(survey).is_some_and(|trigger| {
            trigger.is_enabled
                && trigger.comment.as_deref() == Some(digest.as_str())
                && trigger.function == self.function
        });
        let has_functions = self
            .functions
            .iter()
            .all(|function| survey.own_routines.iter().any(|own| self.is_as_it_should_be(function, own, survey)));
        let (kind, object, what) = match is_current && has_functions {
            true if self.functions.iter().all(|function| function.has_its_path(survey)) => return None,
            true => ("function-path", "schema sexton", ELSEWHERE),
            false => (words.kind, &*words.object, &*words.what),
        };
        let (object, what) = (object.to_owned(), what.to_owned());
        Some(Finding { level: Level::Warning, kind, object, what, mend: None, steps: self.steps() })
    }

    /// `routine` is `function`, and who is to call it may, and nobody else.
    fn is_as_it_should_be(&self, function: &Function, routine: &Routine, survey: &Survey) -> bool {
        let may_be_copied = self.copier(function).is_none_or(|owner| routine.callers.contains(owner));
        function.is(routine) && function.is_safe(routine, self.copier(function), survey) && may_be_copied
    }

    /// Who makes and attaches partitions: the server copies a row trigger to them for whoever may call its function.
    fn copier(&self, function: &Function) -> Option<&String> {
        let is_copied = self.table.kind == 'p' && self.clauses.contains("FOR EACH ROW");
        (is_copied && function.name == self.function).then_some(&self.table.owner)
    }

    fn create_function(&self, function: &Function) -> String {
        function.create(self.table, self.copier(function))
    }

    /// Creates or replaces function and trigger.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for function in &self.functions {
            steps.push(Step::new(format!("what {} does", self.name), self.create_function(function)));
        }
        steps.push(Step::new(format!("the trigger {} on {}", self.name, self.table.quoted()), self.trigger_step()));
        steps
    }

    fn trigger(&self) -> String {
        let (create, name, event) = (self.create, quote(&self.name), &self.event);
        let (table, clauses) = (self.table.quoted(), &self.clauses);
        format!("{create} {name} {event} ON {table} {clauses} EXECUTE FUNCTION sexton.{}()", quote(&self.function))
    }

    fn trigger_step(&self) -> String {
        let (name, table) = (quote(&self.name), self.table.quoted());
        // Its condition finds the operators that its function finds.
        let own = self.functions.iter().find(|function| function.name == self.function);
        let path = own.map(|own| own.search_path.as_str()).filter(|path| *path != SEARCH_PATH);
        let (before, after) = match path {
            None => (String::new(), ""),
            Some(path) => (
                format!("    PERFORM set_config('search_path', {}, true);\n", literal(path)),
                "    PERFORM set_config('search_path', before, true);\n",
            ),
        };
        let body = format!(
            "DECLARE\n    before constant text := current_setting('search_path');\nBEGIN\n{before}    DROP TRIGGER IF EXISTS {name} ON {table};\n    {};\n    COMMENT ON TRIGGER {name} ON {table} IS {};\n{after}END",
            self.trigger(),
            literal(&self.digest())
        );
        format!("DO {}", dollar_quoted(&body))
    }

    /// Tells what was generated from anything else, but for the search path, which follows from who may create objects where.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for function in &self.functions {
            hash.update(self.create_function(function).replace(&function.search_path, ""));
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
    /// One that works on the key of a row, a record with the columns' names, in the table `here`.
    Work,
    /// One that changes the children of such a row.
    Action,
    /// The same, with their keys as objects.
    Keys,
    /// One that deletes, and tells whether all is gone.
    Attempt,
    /// One that puts a row back, out of its text.
    Image,
    /// The key as texts, that any session reads alike.
    Texts,
    /// The key out of such texts.
    Row,
    /// One that works on the key out of such texts: the queue names it.
    Later,
}

/// What a value's text depends on, but for the value.
const TEXTS: &str =
    "SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET extra_float_digits = 1 SET timezone = 'UTC'";

impl Returns {
    /// Parameters as they are declared, their types as `oidvectortypes` writes them, and the result.
    fn signature(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Trigger => ("", "", "trigger"),
            Self::Work => ("gone record, here oid", "record, oid", "void"),
            Self::Action => ("gone record", "record", "void"),
            Self::Keys => ("gone record", "record", "SETOF jsonb"),
            Self::Attempt => ("gone record", "record", "boolean"),
            Self::Image => ("image text", "text", "void"),
            Self::Texts => ("gone record", "record", "text[]"),
            Self::Row => ("text[]", "text[]", "record"),
            Self::Later => ("key text[], here oid", "text[], oid", "void"),
        }
    }

    /// Settings beside the search path. Row security is an error where it would hide a row; the triggers of a table that is
    /// written have it as they are used to.
    fn settings(self) -> &'static str {
        match self {
            Self::Trigger | Self::Work | Self::Later => "SET row_security = off",
            Self::Action | Self::Keys | Self::Attempt | Self::Image => "SET row_security = on",
            Self::Texts | Self::Row => TEXTS,
        }
    }
}

/// A plpgsql function of schema `sexton`.
#[derive(Debug, Clone)]
pub(super) struct Function {
    name: String,
    returns: Returns,
    search_path: String,
    /// What it sets besides: ` SET a = b …`, or nothing.
    settings: &'static str,
    body: String,
    /// The table that it writes as its owner.
    writes: Option<Written>,
}

/// A table that a function writes as the table's owner.
#[derive(Debug, Clone)]
struct Written {
    oid: u32,
    name: String,
    /// The owner, where the function can belong to it.
    owner: Option<String>,
}

/// The function `name`. It runs as its owner.
pub(super) fn function(name: String, returns: Returns, search_path: &str, body: &str) -> Function {
    Function { name, returns, search_path: search_path.to_owned(), settings: "", body: body.to_owned(), writes: None }
}

/// What stands behind a statement that has fired other people's triggers, in a function with the search path `path`: a SET
/// in one of them outlasts the settings of the function that has run the statement.
pub(super) fn back(path: &str) -> String {
    let path = literal(path);
    format!(
        "IF pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.<>) {path}
        OR pg_catalog.current_setting('row_security') OPERATOR(pg_catalog.<>) 'off' THEN
        PERFORM pg_catalog.set_config('search_path', {path}, true), pg_catalog.set_config('row_security', 'off', true);
    END IF;"
    )
}

impl Function {
    /// The same, with settings of its own besides the path.
    pub(super) fn with_settings(self, settings: &'static str) -> Self {
        Self { settings, ..self }
    }

    /// It writes `table`, and runs as the owner of that: so do the server's own actions, and the table's triggers and
    /// expressions are that role's. Forced row security hides rows from the owner, but not from the server's actions.
    pub(super) fn run_as(self, table: &Table) -> Self {
        let owner = (!table.forces_row_security).then(|| table.owner.clone());
        Self { writes: Some(Written { oid: table.oid, name: table.quoted(), owner }), ..self }
    }

    /// The table that it writes as its owner.
    pub(super) fn written<'s>(&self, survey: &'s Survey) -> Option<&'s Table> {
        survey.table(self.writes.as_ref()?.oid)
    }

    /// True where `routine` has its name and parameters.
    pub(super) fn is(&self, routine: &Routine) -> bool {
        routine.name == self.name && routine.arguments == self.returns.signature().1
    }

    /// Nobody but `caller` may call `routine`, and it belongs to whom it should, as far as whoever asks may give it away.
    fn is_safe(&self, routine: &Routine, caller: Option<&String>, survey: &Survey) -> bool {
        let is_meant = |role: &String| *role == routine.owner || Some(role) == caller;
        let is_owned = match self.owner() {
            Some(owner) => routine.owner == owner || !survey.is_superuser && survey.is_ours(&routine.owner),
            None => survey.is_ours(&routine.owner),
        };
        !routine.is_public && routine.callers.iter().all(is_meant) && routine.is_definer && is_owned
    }

    /// The function that is there looks for names where this one does.
    fn has_its_path(&self, survey: &Survey) -> bool {
        let plain = |path: &str| path.replace('"', "");
        let there = survey.own_routines.iter().filter(|routine| self.is(routine));
        there.filter_map(|routine| routine.search_path.as_deref()).any(|path| plain(path) == plain(&self.search_path))
    }

    /// The role that it is to belong to, where not to that of the schema.
    fn owner(&self) -> Option<&str> {
        self.writes.as_ref()?.owner.as_deref()
    }

    /// Creates or replaces it, so that nobody but `caller` may call it at any time. `table` is what its trigger is on:
    /// anybody's table could have a trigger that calls it, if it was ever open to everybody, and so could another of `caller`'s.
    fn create(&self, table: &Table, caller: Option<&String>) -> String {
        let (parameters, types, result) = self.returns.signature();
        let name = format!("sexton.{}({types})", quote(&self.name));
        let body = &self.body;
        let when = |condition: String, call: String| {
            format!("    IF {condition} THEN\n        PERFORM {call};\n    END IF;\n")
        };
        let guard = match (self.returns, &self.writes) {
            (Returns::Trigger, _) => {
                let table = format!("{}::regclass", literal(&table.quoted()));
                when(format!("TG_RELID <> {table}"), format!("sexton.expect_partition(TG_RELID, {table})"))
            }
            (_, Some(written)) => {
                let written = format!("{}::regclass", literal(&written.name));
                let refuse = format!("sexton.refuse_row_security({written})");
                runs_as_owner(&name) + &when(format!("row_security_active({written})"), refuse)
            }
            (_, None) => String::new(),
        };
        let body = match guard.is_empty() {
            true => body.clone(),
            false => format!("BEGIN\n{guard}{body};\nEND"),
        };
        let create = format!(
            "CREATE OR REPLACE FUNCTION sexton.{}({parameters}) RETURNS {result}\nLANGUAGE plpgsql SECURITY DEFINER SET \
             search_path = {} {}{} AS {};\n{}",
            quote(&self.name),
            self.search_path,
            self.returns.settings(),
            self.settings,
            dollar_quoted(&body),
            enclosing("pg_proc", &name)
        );
        let own = self.owner().map(|owner| {
            format!(
                "\nIF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN\n    ALTER FUNCTION \
                 {name} OWNER TO {};\nEND IF;",
                quote(owner)
            )
        });
        let grant = caller.map(|role| format!("\nGRANT EXECUTE ON FUNCTION {name} TO {};", quote(role)));
        let body = [Some(create), grant, own].into_iter().flatten().collect::<String>();
        format!("DO {}", dollar_quoted(&format!("BEGIN\n{body}\nEND")))
    }
}

/// A role that a function was given to may make it run as whoever calls it, and what it fires with it. No name in this is
/// looked up on a path that the role might have set.
fn runs_as_owner(name: &str) -> String {
    format!(
        "    IF current_user OPERATOR(pg_catalog.<>) (SELECT pg_catalog.pg_get_userbyid(p.proowner) FROM pg_catalog.pg_proc AS p
        WHERE p.oid OPERATOR(pg_catalog.=) {}::pg_catalog.regprocedure) THEN
        RAISE insufficient_privilege USING
            MESSAGE = {},
            HINT = 'Run sexton apply.';
    END IF;
",
        literal(name),
        literal(&format!("sexton: {name} was altered, and no longer runs as its owner"))
    )
}

/// A string constant that needs no escapes.
fn dollar_quoted(body: &str) -> String {
    let quotes = dollar_quotes(body.as_bytes());
    format!("{quotes}\n{body}\n{quotes}")
}
