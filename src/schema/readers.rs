//! What reads tables inside the server, where no proxy looks: views, rules, policies, functions and procedures.

use serde::Deserialize;

/// The query. Its one row has one column of type `text`, for [`Readers::parse`].
pub const QUERY: &str = include_str!("readers.sql");

/// Everything of that kind outside the system's schemas and extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readers {
    /// Views and materialized views.
    pub views: Vec<View>,
    /// Rules that are enabled, those that make a view a view left out.
    pub rules: Vec<Rule>,
    /// Policies of tables with row-level security.
    pub policies: Vec<TablePolicy>,
    /// Functions and procedures in SQL and PL/pgSQL.
    pub routines: Vec<Routine>,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Schema name.
    pub schema: String,
    /// View name.
    pub name: String,
    /// It is a materialized one.
    pub is_materialized: bool,
    /// The relations its query reads.
    pub reads: Vec<u32>,
    /// `pg_class.reloptions`, such as `security_barrier=true`.
    pub options: Vec<String>,
    /// `pg_get_viewdef`
    pub definition: String,
}

/// A rule on a table or view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The relation it is on.
    pub relation: u32,
    /// That relation's schema.
    pub schema: String,
    /// That relation's name.
    pub relation_name: String,
    /// The rule's name.
    pub name: String,
    /// It is ON DELETE.
    pub on_delete: bool,
    /// It is ON UPDATE.
    pub on_update: bool,
    /// `pg_get_ruledef`
    pub definition: String,
}

/// A policy of row-level security.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePolicy {
    /// The table's schema.
    pub schema: String,
    /// The table's name.
    pub table: String,
    /// The policy's name.
    pub name: String,
    /// USING and WITH CHECK, with a semicolon between them.
    pub conditions: String,
}

/// A function or procedure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routine {
    /// Schema name.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `pg_get_function_identity_arguments`
    pub arguments: String,
    /// It is a procedure.
    pub is_procedure: bool,
    /// `sql` or `plpgsql`
    pub language: String,
    /// Its body.
    pub source: String,
    /// The triggers that call it, such as `touch on public.users`.
    pub triggers: Vec<String>,
}

impl Readers {
    /// Reads the answer to [`QUERY`].
    ///
    /// # Errors
    /// The text is not what the query gives.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
