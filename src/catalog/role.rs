//! What one login role may do and how its names resolve, as far as rewriting depends on it.

use std::collections::HashSet;

/// Facts about a login role in one database, read over Sexton's own connection when the session starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// The role's name, as the startup packet gives it.
    pub name: String,
    /// The `search_path` a new session of this role starts with, as the setting's text;
    /// `None` where Sexton cannot know it.
    pub search_path: Option<String>,
    /// Schemas the role has USAGE on; the server skips all others in a search path.
    /// `None`: not known, so any schema may be skipped.
    pub usable_schemas: Option<HashSet<String>>,
    /// Member of a role in `access.see_deleted`: may leave scope `live`.
    pub sees_deleted: bool,
    /// Member of a role in `access.hard_delete`: may really delete.
    pub hard_deletes: bool,
    /// What the role may do to the relations whose DELETE becomes something else; `None`: everything (without a server).
    pub rights: Option<Rights>,
}

/// The relations, by oid, for which a role is known to have a privilege. Of others the server must be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// DELETE
    pub delete: HashSet<u32>,
    /// TRUNCATE
    pub truncate: HashSet<u32>,
    /// No policy has a say: the role owns the relation, or policies do not hold for it anywhere.
    pub every_row: HashSet<u32>,
}

impl RoleFacts {
    /// A role with PostgreSQL's default search path and no rights beyond scope `live`.
    #[must_use]
    pub fn ordinary(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            search_path: Some("\"$user\", public".to_owned()),
            usable_schemas: None,
            sees_deleted: false,
            hard_deletes: false,
            rights: None,
        }
    }
}
