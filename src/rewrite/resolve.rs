//! Which relation a name means, as the server would find it; where that cannot be known, the safe reading.

use crate::catalog::role::Rights;
use crate::catalog::{Relation, RoleFacts, RowSecurity};
use crate::rewrite::refusal::Reason;
use crate::rewrite::registry::{Entry, Registry};
use crate::rewrite::search_path::{Member, members};
use crate::rewrite::state::{Changes, SearchPath, State, User};

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
        if state.changes != Changes::default() {
            return None;
        }
        if let Some(schema) = qualifiers.last() {
            return snapshot.find(schema, name);
        }
        if state.temporary.contains(name) || !self.registry.is_followed(name) {
            return None;
        }
        let mut found: Option<&Relation> = None;
        for member in self.path()? {
            let schema = match &member {
                Member::User => match self.user() {
                    Some(user) => user,
                    // Some other role's own schema, which may hold any relation of that name.
                    None if snapshot.named(name).nth(1).is_some() => return None,
                    None => continue,
                },
                Member::Schema(schema) => schema,
            };
            let Some(relation) = snapshot.find(schema, name) else { continue };
            if found.is_some_and(|found| found.oid != relation.oid) {
                return None;
            }
            found = Some(relation);
            if self.is_usable(schema) == Some(true) {
                break;
            }
        }
        found
    }

    /// Temporary tables come first, unless the search path itself gives them another place.
    fn temporary(&self, name: &str) -> Result<Meaning<'a>, Reason> {
        let placed = |member: &Member| matches!(member, Member::Schema(schema) if schema.starts_with("pg_temp"));
        match self.path() {
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

    /// True where row-level security is known to let the current user mark the very rows that it may delete.
    #[must_use]
    pub fn marks_what_it_deletes(&self, entry: &Entry) -> bool {
        entry.relation.row_security != RowSecurity::Apart || self.sees_every_row(entry)
    }

    /// True where no policy keeps the current user from a row of the relation.
    #[must_use]
    pub fn sees_every_row(&self, entry: &Entry) -> bool {
        entry.relation.row_security == RowSecurity::Off
            || self.has_right(|rights| rights.every_row.contains(&entry.relation.oid))
    }

    fn has_right(&self, known: impl Fn(&Rights) -> bool) -> bool {
        self.role.rights.as_ref().is_none_or(|rights| self.rights_hold() && known(rights))
    }

    /// True where what is known of the login role's rights is true of the current user now.
    fn rights_hold(&self) -> bool {
        !self.state.changes.rights && self.user() == Some(self.role.name.as_str())
    }

    /// The current user, where it is known.
    pub(crate) fn user(&self) -> Option<&str> {
        match self.state.user() {
            User::Login => Some(&self.role.name),
            User::Named(name) => Some(name),
            User::Unknown => None,
        }
    }

    /// Whether the current user may use the schema; `None` where that is not known.
    fn is_usable(&self, schema: &str) -> Option<bool> {
        let usable = self.role.usable_schemas.as_ref().filter(|_| self.rights_hold())?;
        Some(usable.contains(schema))
    }

    /// The members of the search path, where that is known.
    pub(crate) fn path(&self) -> Option<Vec<Member>> {
        match &self.state.search_path {
            SearchPath::Known(text) => members(text),
            SearchPath::Unknown => None,
        }
    }

    /// The schema in which the server makes what is named without one, where that is known.
    #[must_use]
    pub fn first_schema(&self) -> Option<String> {
        for member in self.path()? {
            match member {
                Member::User if self.is_usable(&self.role.name)? => return Some(self.role.name.clone()),
                Member::Schema(schema) if self.is_usable(&schema)? => return Some(schema),
                // It would be a temporary relation.
                Member::Schema(schema) if schema.starts_with("pg_temp") => return None,
                Member::User | Member::Schema(_) => {}
            }
        }
        None
    }

    fn qualified(&self, schema: &str, name: &str) -> Result<Option<&'a Entry>, Reason> {
        let entry = self.registry.find(schema, name);
        if entry.is_none() && self.state.changes.doubts(name) && !self.registry.is_unregistered(schema, name) {
            // It may be a schema renamed in this very transaction.
            return self.safe_reading(name);
        }
        Ok(entry)
    }

    fn unqualified(&self, name: &str) -> Result<Option<&'a Entry>, Reason> {
        if self.state.changes.doubts(name) {
            return self.safe_reading(name);
        }
        let Some(path) = self.path() else { return self.safe_reading(name) };
        let mut perhaps = Perhaps::default();
        for member in &path {
            let schema = match member {
                Member::User => match self.user() {
                    Some(user) => user,
                    // Some role's own schema may hold another relation of that name.
                    None if self.registry.has_unregistered(name) => {
                        return Err(Reason::Ambiguous { name: name.to_owned() });
                    }
                    None => continue,
                },
                Member::Schema(schema) => schema,
            };
            let entry = self.registry.find(schema, name);
            if entry.is_none() && !self.holds_unregistered(schema, name) {
                continue;
            }
            match self.is_usable(schema) {
                Some(true) => return perhaps.or(entry, name),
                // The server passes over a schema the role may not use, and a right may have been granted since:
                // this relation may be meant, or the next.
                Some(false) | None => perhaps.add(entry),
            }
        }
        perhaps.or(None, name)
    }

    /// True where `schema.name` is a relation that is no entry.
    fn holds_unregistered(&self, schema: &str, name: &str) -> bool {
        self.registry.is_unregistered(schema, name)
            || self.state.changes.made.iter().any(|(in_schema, made)| in_schema == schema && made == name)
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

/// The relations that a name may mean, in the order of the search path.
#[derive(Default)]
struct Perhaps<'a> {
    entry: Option<&'a Entry>,
    /// Another entry that statements would have to treat otherwise.
    differs: bool,
}

impl<'a> Perhaps<'a> {
    fn add(&mut self, entry: Option<&'a Entry>) {
        match (self.entry, entry) {
            (Some(first), Some(other)) => self.differs |= !first.is_like(other),
            (None, other) => self.entry = other,
            (Some(_), None) => {}
        }
    }

    /// What is meant, where `last` is what the name means if it means none of the others: an entry wherever it may be one.
    fn or(mut self, last: Option<&'a Entry>, name: &str) -> Result<Option<&'a Entry>, Reason> {
        self.add(last);
        if self.differs { Err(Reason::Ambiguous { name: name.to_owned() }) } else { Ok(self.entry) }
    }
}
