//! What a database should hold for a configuration, and the difference to what it holds: as findings and as DDL.

pub mod finding;
pub mod objects;
pub mod survey;

pub use finding::{Finding, Level, Step};
pub use survey::Survey;

use crate::config::Database;
use crate::rewrite::Registry;

/// What the rules of this room look at: one database, what the configuration says of it, and what it holds.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its section.
    pub database: &'a Database,
    /// The section resolved against the catalog.
    pub registry: &'a Registry,
    /// What is there.
    pub survey: &'a Survey,
    /// Sexton's own login: `upstream.user`.
    pub own_role: &'a str,
}
