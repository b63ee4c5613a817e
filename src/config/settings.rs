//! The checked settings: what a configuration means, where every value is already valid.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Network;
use crate::sql::predicate::Predicate;

/// A whole configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[listen]`
    pub listen: ListenSettings,
    /// `[upstream]`
    pub upstream: UpstreamSettings,
    /// `[admin]`
    pub admin: Option<Admin>,
    /// `[access]`
    pub access: Access,
    /// `[databases.…]`
    pub databases: Databases,
}

impl Config {
    /// Takes the names of files and directories as seen from `directory`.
    pub fn seen_from(&mut self, directory: &Path) {
        let tls = self.listen.tls.iter_mut();
        let files = tls.flat_map(|tls| [Some(&mut tls.cert), Some(&mut tls.key), tls.client_ca.as_mut()]);
        for file in files.chain([self.upstream.ca.as_mut()]).flatten() {
            file.path = directory.join(&file.path);
        }
        if let Some(socket) = &mut self.listen.unix_socket_dir {
            *socket = directory.join(&socket);
        }
    }
}

/// A file that the configuration names, and where it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// The file.
    pub path: PathBuf,
    /// The key that names it.
    pub key: String,
    /// The key's line, 1-based.
    pub line: usize,
}

/// Where Sexton listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenSettings {
    /// `host:port`; a host name is resolved when the listener starts.
    pub address: String,
    /// Directory for a socket `.s.PGSQL.<port>`.
    pub unix_socket_dir: Option<PathBuf>,
    /// Clients served at once.
    pub max_connections: u32,
    /// How long a client may take to finish its startup and authentication.
    pub startup_timeout_ms: u64,
    /// From these networks connections open with a PROXY protocol header.
    pub trusted_proxies: Vec<Network>,
    /// `[listen.tls]`
    pub tls: Option<ClientTls>,
    /// Replication connections are let through.
    pub replication: bool,
}

/// TLS towards clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientTls {
    /// Sessions over TCP must be encrypted.
    pub required: bool,
    /// Certificate chain, PEM.
    pub cert: FileName,
    /// Its private key, PEM.
    pub key: FileName,
    /// Authorities of which clients must present a certificate.
    pub client_ca: Option<FileName>,
}

/// TLS towards PostgreSQL: `upstream.tls`, with libpq's meanings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpstreamTls {
    /// Never.
    #[default]
    Disable,
    /// Where the server has it; not verified.
    Prefer,
    /// Always; not verified.
    Require,
    /// Always, with a certificate that the authority signed.
    VerifyCa,
    /// Always, with a certificate that the authority signed for the host's name.
    VerifyFull,
}

/// One place where PostgreSQL listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamAddress {
    /// `host:port`
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A directory that holds `.s.PGSQL.<port>`.
    Unix {
        /// The directory.
        directory: PathBuf,
        /// The port in the socket's name.
        port: u16,
    },
}

/// Which of several addresses will do: `target`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Target {
    /// The first that answers.
    #[default]
    Any,
    /// The first that is no standby.
    Primary,
}

/// How Sexton reaches PostgreSQL.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// Tried in order; never empty.
    pub addresses: Vec<UpstreamAddress>,
    /// Sexton's own login.
    pub user: String,
    /// Its password, if one is needed.
    pub password: Option<String>,
    /// `target`
    pub target: Target,
    /// `tls`
    pub tls: UpstreamTls,
    /// `ca`: there under `verify-ca` and `verify-full`.
    pub ca: Option<FileName>,
}

impl std::fmt::Debug for UpstreamSettings {
    /// Everything but the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { addresses, user, password: _, target, tls, ca } = self;
        let mut shown = f.debug_struct("UpstreamSettings");
        shown
            .field("addresses", addresses)
            .field("user", user)
            .field("target", target)
            .field("tls", tls)
            .field("ca", ca);
        shown.finish_non_exhaustive()
    }
}

/// The metrics and health endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// `host:port`
    pub address: String,
}

/// Roles with rights beyond scope `live`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// May leave scope `live`.
    pub see_deleted: Vec<String>,
    /// May really delete.
    pub hard_delete: Vec<String>,
}

/// Which databases are served, by the name clients connect with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Databases {
    /// `[databases.NAME]`
    pub named: BTreeMap<String, Arc<Database>>,
    /// `[databases."*"]`
    pub any: Option<Arc<Database>>,
}

impl Databases {
    /// The section that covers the database `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Database>> {
        self.named.get(name).or(self.any.as_ref())
    }
}

/// What a statement meets that mentions a registered table where Sexton cannot look: `unscoped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unscoped {
    /// 0A000.
    #[default]
    Refuse,
    /// Goes through as it came.
    Pass,
}

/// One `[databases.NAME]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// `unscoped`
    pub unscoped: Unscoped,
    /// `[databases.NAME.tables.…]`, in file order.
    pub tables: Vec<Table>,
}

impl Database {
    /// The names, without schemas, of all tables it speaks of; some perhaps more than once.
    pub fn relation_names(&self) -> impl Iterator<Item = &str> {
        let tables = self.tables.iter().map(|table| &table.name);
        let archives = self.tables.iter().filter_map(|table| table.archive.as_ref());
        let through = self.tables.iter().flat_map(|table| &table.visible_through).map(|reference| &reference.table);
        tables.chain(archives).chain(through).map(|name| name.relation.as_str())
    }
}

/// A relation as the configuration names it, both parts as stored (unquoted).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// `public` where the file gives none.
    pub schema: String,
    /// The relation.
    pub relation: String,
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.relation)
    }
}

/// What DELETE means: `delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// DELETE marks the row.
    Soft,
    /// DELETE moves the row to the archive table.
    Archive,
    /// DELETE stays DELETE.
    Hard,
}

impl Strategy {
    /// Its word in the configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Archive => "archive",
            Self::Hard => "hard",
        }
    }
}

/// What an INSERT meets when a deleted row holds its key: `reinsert`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reinsert {
    /// The deleted row gives way.
    #[default]
    Supersede,
    /// The deleted row comes back with the new values.
    Revive,
    /// 23505 goes through.
    Error,
}

/// What TRUNCATE means: `truncate`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Truncate {
    /// Every live row is deleted as `delete` says.
    #[default]
    Rewrite,
    /// 0A000.
    Refuse,
    /// A real TRUNCATE.
    Pass,
}

/// What a statement meets that tests the marker itself: `on_mention`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnMention {
    /// The live predicate is added all the same.
    #[default]
    Enforce,
    /// The statement has chosen its own scope for that reference.
    Respect,
}

/// One entry of `visible_through`: the column of a foreign key that points to the table it stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The referencing table.
    pub table: TableName,
    /// The column as stored.
    pub column: String,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

/// One `column = "expression"` of `mark`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Column name as stored.
    pub column: String,
    /// SQL expression.
    pub expression: Predicate,
}

/// One registered table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// `delete`
    pub delete: Strategy,
    /// `column`: the marker, where the file names it.
    pub column: Option<String>,
    /// `live`: the predicate.
    pub live: Option<Predicate>,
    /// `mark`: what a deletion sets; empty where the file leaves it to the marker's type.
    pub mark: Vec<Assignment>,
    /// `archive`, or its default for `delete = "archive"`; `None` under the other strategies unless named.
    pub archive: Option<TableName>,
    /// `retain`: an interval as PostgreSQL reads it.
    pub retain: Option<String>,
    /// `reinsert`
    pub reinsert: Reinsert,
    /// `truncate`
    pub truncate: Truncate,
    /// `audit`
    pub audit: bool,
    /// `visible_through`
    pub visible_through: Vec<Reference>,
    /// `on_mention`
    pub on_mention: OnMention,
    /// Line of the table's section, 1-based, for findings that only the database can tell.
    pub line: usize,
}

impl Table {
    /// The marker column a soft table has when the file names none.
    pub const DEFAULT_MARKER: &'static str = "deleted_at";

    /// The marker column: as named, or the default for a soft table that gives no `live` of its own.
    #[must_use]
    pub fn marker(&self) -> Option<&str> {
        match (&self.column, self.delete, &self.live) {
            (Some(column), _, _) => Some(column),
            (None, Strategy::Soft, None) => Some(Self::DEFAULT_MARKER),
            (None, _, _) => None,
        }
    }
}
