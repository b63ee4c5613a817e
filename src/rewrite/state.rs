//! What a session has set that decides how its statements are read and scoped.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::config::TableName;
use crate::rewrite::as_of::AsOf;
use crate::rewrite::outcome::Setting;
use crate::sql::encoding::Encoding;

/// Which rows of a soft table a reference sees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Rows {
    /// Only live rows.
    #[default]
    Live,
    /// Live and deleted rows.
    All,
    /// Only deleted rows.
    Deleted,
}

/// The value of `sexton.scope`, a default and tables named apart (`'live, items=all'`), together with `sexton.as_of`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// For every table not named.
    pub default: Rows,
    /// By table as named in the setting, `name` or `schema.name`, in lower case.
    pub tables: BTreeMap<String, Rows>,
    /// What tables in scope `live` are read as of: the present where there is none.
    pub as_of: Option<AsOf>,
}

impl Scope {
    /// Reads the setting's text.
    ///
    /// # Errors
    /// A sentence that says which part is no scope.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut scope = Self::default();
        for (index, part) in text.split(',').map(str::trim).enumerate() {
            let (table, rows) = match part.split_once('=') {
                Some((table, rows)) => (Some(table.trim()), rows.trim()),
                None => (None, part),
            };
            let rows = match rows {
                "live" => Rows::Live,
                "all" => Rows::All,
                "deleted" => Rows::Deleted,
                _ => return Err(format!("\"{rows}\" is no scope: write live, all or deleted, or table=scope")),
            };
            match table {
                None if index == 0 => scope.default = rows,
                None => {
                    return Err(format!("\"{part}\" must stand first: later parts name a table, such as items=all"));
                }
                Some(table) => {
                    scope.tables.insert(table.to_ascii_lowercase(), rows);
                }
            }
        }
        Ok(scope)
    }

    /// True where nothing beyond the rows that live now is asked for.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.as_of.is_none() && self.default == Rows::Live && self.tables.values().all(|rows| *rows == Rows::Live)
    }

    /// The rows that references to the configured `table` see.
    #[must_use]
    pub fn rows(&self, table: &TableName) -> Rows {
        let named = Self::keys(table).into_iter().find_map(|key| self.tables.get(&key));
        named.copied().unwrap_or(self.default)
    }

    /// Holds the tables that it names against the `configured` ones.
    ///
    /// # Errors
    /// A sentence that says which is none of them.
    pub fn check_tables<'a>(&self, configured: impl Iterator<Item = &'a TableName>) -> Result<(), String> {
        if self.tables.is_empty() {
            return Ok(());
        }
        let known: HashSet<String> = configured.flat_map(Self::keys).collect();
        match self.tables.keys().find(|table| !known.contains(*table)) {
            Some(table) => Err(format!("no table \"{table}\" is registered")),
            None => Ok(()),
        }
    }

    /// What `table` may be called in the setting, the narrower first; letters are compared without regard to case.
    fn keys(table: &TableName) -> [String; 2] {
        let relation = table.relation.to_ascii_lowercase();
        [format!("{}.{relation}", table.schema.to_ascii_lowercase()), relation]
    }
}

/// The session's `search_path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SearchPath {
    /// The setting's text.
    Known(String),
    /// Set by something Sexton cannot read: every registered table of a name is taken to be meant.
    Unknown,
}

/// A relation that holds or shows rows of a registered table, and is not in the catalog snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fresh {
    /// A view: its rows may be read, but not deleted.
    pub view: bool,
    /// It is temporary, or may be: the snapshot never shows it, and it stays so to the end of the session.
    pub temporary: bool,
}

/// The role that names and privileges are judged for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum User {
    /// The one that logged in.
    #[default]
    Login,
    /// Another, by its name as stored.
    Named(String),
    /// Set by something Sexton cannot read.
    Unknown,
}

/// What DDL has changed that the catalog snapshot and the role's facts do not show yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Changes {
    /// Any name may mean another relation.
    pub everything: bool,
    /// Privileges, memberships and schemas may be others.
    pub rights: bool,
    /// Watched names that a relation may have lost or taken, as stored.
    pub names: BTreeSet<String>,
    /// Relations made under watched names: schema and name.
    pub made: BTreeSet<(String, String)>,
    /// Relations of watched names whose columns may be others; true where a generated one may be among the new.
    pub columns: BTreeMap<String, bool>,
    /// Foreign keys may have been made that point to a relation of the snapshot.
    pub keys: bool,
}

impl Changes {
    /// What no reading of the statement tells.
    #[must_use]
    pub fn of_everything() -> Self {
        Self { everything: true, rights: true, keys: true, ..Self::default() }
    }

    /// Privileges, memberships or schemas alone.
    #[must_use]
    pub fn of_rights() -> Self {
        Self { rights: true, ..Self::default() }
    }

    /// Adds what another statement has changed.
    pub fn add(&mut self, other: &Self) {
        let Self { everything, rights, names, made, columns, keys } = other;
        self.everything |= everything;
        self.rights |= rights;
        self.keys |= keys;
        self.names.extend(names.iter().cloned());
        self.made.extend(made.iter().cloned());
        for (name, generated) in columns {
            *self.columns.entry(name.clone()).or_default() |= generated;
        }
    }

    /// True where `name` may mean another relation than the snapshot says.
    #[must_use]
    pub fn doubts(&self, name: &str) -> bool {
        self.everything || self.names.contains(name)
    }
}

/// The settings, temporary tables and role state that one statement is read under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// `sexton.scope`
    pub scope: Scope,
    /// `search_path`
    pub search_path: SearchPath,
    /// `standard_conforming_strings`
    pub standard_conforming_strings: bool,
    /// `client_encoding`
    pub client_encoding: Encoding,
    /// SET SESSION AUTHORIZATION
    pub session_user: User,
    /// SET ROLE, while it holds.
    pub role: Option<User>,
    /// Temporary relations this session created under names that matter, as stored.
    pub temporary: BTreeSet<String>,
    /// DDL has run that the catalog snapshot does not show yet.
    pub changes: Changes,
    /// Relations that DDL put under or over a registered table and that the snapshot does not show, or never will.
    pub fresh: BTreeMap<String, Fresh>,
    /// `standard_conforming_strings` may have changed; the server reports it before the next batch.
    pub strings_unknown: bool,
}

impl State {
    /// A session as it starts, for a role whose search path is `search_path` (`None`: not known).
    #[must_use]
    pub fn new(search_path: Option<&str>) -> Self {
        Self {
            scope: Scope::default(),
            search_path: search_path.map_or(SearchPath::Unknown, |path| SearchPath::Known(path.to_owned())),
            standard_conforming_strings: true,
            client_encoding: Encoding::Utf8,
            session_user: User::Login,
            role: None,
            temporary: BTreeSet::new(),
            changes: Changes::default(),
            fresh: BTreeMap::new(),
            strings_unknown: false,
        }
    }

    /// Forgets what a new snapshot shows; temporary relations it never does. A relation may be one without saying so:
    /// what is not among the names `shown` stays.
    pub fn forget_fresh(&mut self, shown: impl Fn(&str) -> bool) {
        self.fresh.retain(|name, fresh| fresh.temporary || !shown(name));
    }

    /// Forgets the temporary relations.
    pub fn discard_temporary(&mut self) {
        self.temporary.clear();
        self.fresh.retain(|_, fresh| !fresh.temporary);
    }

    /// Takes the settings of `start`; what DDL has done stays.
    pub fn reset(&mut self, start: Self) {
        let (changes, fresh) = (std::mem::take(&mut self.changes), std::mem::take(&mut self.fresh));
        *self = Self { changes, fresh, ..start };
    }

    /// Forgets the settings that a function, a procedure or a computed value may have changed.
    pub fn unsettle(&mut self) {
        self.search_path = SearchPath::Unknown;
        self.role = Some(User::Unknown);
        self.session_user = User::Unknown;
        self.strings_unknown = true;
    }

    /// The role that names and privileges are judged for now.
    #[must_use]
    pub fn user(&self) -> &User {
        self.role.as_ref().unwrap_or(&self.session_user)
    }

    /// Gives one setting its new value; `start` holds the values that RESET goes back to.
    pub fn set(&mut self, setting: &Setting, start: &Self) {
        match setting {
            Setting::Scope(text) => {
                let scope = match text.as_deref().map(Scope::parse) {
                    Some(Ok(scope)) => scope,
                    Some(Err(_)) | None => start.scope.clone(),
                };
                self.scope = Scope { as_of: self.scope.as_of.take(), ..scope };
            }
            Setting::AsOf(text) => {
                self.scope.as_of = match text.as_deref().map(AsOf::parse) {
                    Some(Ok(as_of)) => as_of,
                    Some(Err(_)) | None => start.scope.as_of.clone(),
                };
            }
            Setting::SearchPath(Some(text)) => self.search_path = SearchPath::Known(text.clone()),
            Setting::SearchPath(None) => self.search_path = start.search_path.clone(),
            Setting::Unsettled => self.unsettle(),
            Setting::StandardConformingStrings(on) => {
                self.standard_conforming_strings = on.unwrap_or(start.standard_conforming_strings);
            }
            Setting::ClientEncoding(name) => {
                self.client_encoding = name.as_deref().map_or(start.client_encoding, Encoding::from_name);
            }
            Setting::Role(user) => self.role = user.clone(),
            Setting::RoleAtStart => self.role = start.role.clone(),
            // The server leaves the role it was in.
            Setting::SessionUser(user) => {
                self.session_user = user.clone().unwrap_or_else(|| start.session_user.clone());
                self.role = None;
            }
        }
    }
}
