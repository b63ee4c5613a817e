//! Which relation a name means, as the server would find it; where that cannot be known, the safe reading.

use crate::catalog::role::Rights;
use crate::catalog::{Relation, RoleFacts};
use crate::rewrite::refusal::Reason;
use crate::rewrite::registry::{Entry, Registry};
use crate::rewrite::search_path::{Member, members};
use crate::rewrite::state::{SearchPath, State};

/// What names are resolved under.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The registered relations.
    pub registry: &'a Registry,
    /// The session's settings.
    pub state: &'a State,
    /// The login role.
    pub role: &'a RoleFacts,
}

/// What a name means.
#[derive(Debug, Clone, Copy)]
pub enum Meaning<'a> {
    /// An entry, or a relation that is none.
    Relation(Option<&'a Entry>),
    /// A temporary table of this session, under the name of an entry. It must be written with `pg_temp` in front: should
    /// it be gone without Sexton's knowledge, the server then says so, and does not read the registered table.
    Temporary,
}

impl<'a> Names<'a> {
    /// What a name with these parts means.
    ///
    /// # Errors
    /// A reason to refuse, where it may be one entry or another relation.
    pub fn resolve(&self, parts: &[String]) -> Result<Meaning<'a>, Reason> {
        let Some((name, qualifiers)) = parts.split_last() else { return Ok(Meaning::Relation(None)) };
        if !self.registry.is_watched(name) {
            return Ok(Meaning::Relation(None));
        }
        match qualifiers.last() {
            Some(schema) if schema == "pg_temp" || schema.starts_with("pg_temp_") => Ok(Meaning::Relation(None)),
            Some(schema) => self.qualified(schema, name).map(Meaning::Relation),
            None if self.state.temporary.contains(name) => self.temporary(name),
            None => self.unqualified(name).map(Meaning::Relation),
        }
    }

    /// The relation that a name means, where it can mean no other; `None` where that is not certain.
    #[must_use]
    pub fn certain(&self, parts: &[String]) -> Option<&'a Relation> {
        let (name, qualifiers) = parts.split_last()?;
        let (snapshot, state) = (self.registry.snapshot(), self.state);
        if state.schema_changed {
            return None;
        }
        if let Some(schema) = qualifiers.last() {
            return snapshot.find(schema, name);
        }
        let SearchPath::Known(path) = &state.search_path else { return None };
        if state.temporary.contains(name) || !self.registry.is_followed(name) {
            return None;
        }
        let mut found: Option<&Relation> = None;
        for member in members(path)? {
            let schema = match &member {
                // Some other role's own schema, which may hold any relation of that name.
                Member::User if state.role_changed && snapshot.named(name).nth(1).is_some() => return None,
                Member::User if state.role_changed => continue,
                Member::User => &self.role.name,
                Member::Schema(schema) => schema,
            };
            let Some(relation) = snapshot.find(schema, name) else { continue };
            if found.is_some_and(|found| found.oid != relation.oid) {
                return None;
            }
            found = Some(relation);
            let known = self.role.usable_schemas.as_ref().filter(|_| !state.role_changed);
            if known.is_some_and(|schemas| schemas.contains(schema)) {
                break;
            }
        }
        found
    }

    /// Temporary tables come first, unless the search path itself gives them another place.
    fn temporary(&self, name: &str) -> Result<Meaning<'a>, Reason> {
        let path = match &self.state.search_path {
            SearchPath::Known(text) => members(text),
            SearchPath::Unknown => None,
        };
        let placed = |member: &Member| matches!(member, Member::Schema(schema) if schema.starts_with("pg_temp"));
        match path {
            Some(path) if !path.iter().any(placed) => Ok(Meaning::Temporary),
            _ => Err(Reason::TemporaryShadow { name: name.to_owned() }),
        }
    }

    /// True where the current user is known to have the privilege to delete from the relation.
    #[must_use]
    pub fn may_delete(&self, entry: &Entry) -> bool {
        self.has_right(|rights| rights.delete.contains(&entry.relation.oid))
    }

    /// The same for TRUNCATE.
    #[must_use]
    pub fn may_truncate(&self, entry: &Entry) -> bool {
        self.has_right(|rights| rights.truncate.contains(&entry.relation.oid))
    }

    fn has_right(&self, known: impl Fn(&Rights) -> bool) -> bool {
        self.role.rights.as_ref().is_none_or(|rights| !self.state.role_changed && known(rights))
    }

    fn qualified(&self, schema: &str, name: &str) -> Result<Option<&'a Entry>, Reason> {
        let entry = self.registry.find(schema, name);
        if entry.is_none() && self.state.schema_changed && !self.registry.is_unregistered(schema, name) {
            // It may be a schema renamed in this very transaction.
            return self.safe_reading(name);
        }
        Ok(entry)
    }

    fn unqualified(&self, name: &str) -> Result<Option<&'a Entry>, Reason> {
        let SearchPath::Known(text) = &self.state.search_path else { return self.safe_reading(name) };
        let Some(path) = members(text) else { return self.safe_reading(name) };
        if self.state.schema_changed {
            return self.safe_reading(name);
        }
        let mut doubtful = false;
        for member in &path {
            let schema = match member {
                Member::User if self.state.role_changed => {
                    // Some role's own schema may hold another relation of that name.
                    if self.registry.has_unregistered(name) {
                        return Err(Reason::Ambiguous { name: name.to_owned() });
                    }
                    continue;
                }
                Member::User => &self.role.name,
                Member::Schema(schema) => schema,
            };
            let usable = match &self.role.usable_schemas {
                Some(schemas) if !self.state.role_changed => Some(schemas.contains(schema)),
                _ => None,
            };
            let entry = self.registry.find(schema, name);
            if entry.is_none() && !self.registry.is_unregistered(schema, name) {
                continue;
            }
            match usable {
                Some(true) if doubtful => return self.safe_reading(name),
                Some(true) => return Ok(entry),
                // The server passes over a schema the role may not use, and a right may have been granted since:
                // this relation may be meant, or the next.
                None if entry.is_some() && !doubtful => return Ok(entry),
                Some(false) | None => doubtful = true,
            }
        }
        if doubtful { self.safe_reading(name) } else { Ok(None) }
    }

    /// Every registered table of that name is taken to be meant; more than one is a refusal.
    fn safe_reading(&self, name: &str) -> Result<Option<&'a Entry>, Reason> {
        let mut entries = self.registry.named(name);
        match (entries.next(), entries.next()) {
            (Some(entry), None) => Ok(Some(entry)),
            _ => Err(Reason::Ambiguous { name: name.to_owned() }),
        }
    }
}
