//! The rewriter without a server: the tables of the cases as a catalog snapshot, and the statements of the cases.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use sexton::catalog::{Column, ForeignKey, Relation, RelationKind, RoleFacts, Snapshot};
use sexton::config;
use sexton::rewrite::Registry;
use sexton::rewrite::registry::Bound;
use sexton::rewrite::state::State;
use sexton::session::plan::Plan;
use sexton::session::settings::Settings;

use super::case::{Case, CaseFile};

/// What every configuration starts with.
const HEAD: &str =
    "[listen]\naddress = \"127.0.0.1:6432\"\n\n[upstream]\naddress = \"127.0.0.1:5432\"\nuser = \"sexton\"\n";

/// A snapshot of one version of PostgreSQL; nothing here depends on which.
const SERVER_VERSION: u32 = 150_000;

/// The relations of `tests/cases/schema.sql`: schema, name, parent's place in this list, columns (`!`: NOT NULL).
const RELATIONS: &[(&str, &str, Option<usize>, &str)] = &[
    ("public", "users", None, "id integer!, name text!, email text, deleted_at timestamp with time zone"),
    ("public", "posts", None, "id integer!, user_id integer, title text!, deleted boolean!"),
    ("public", "seats", None, "id integer!, label text!, state text!, voided_by text"),
    ("public", "orders", None, "id integer!, user_id integer, cents integer!"),
    ("public", "items", None, "id integer!, name text!, deleted_at timestamp with time zone"),
    ("public", "Users", None, "id integer!, deleted_at timestamp with time zone"),
    ("public", "notes", None, "id integer!, user_id integer, body text, gone boolean"),
    ("public", "measurements", None, "id integer, taken date!, reading integer, deleted_at timestamp with time zone"),
    (
        "public",
        "measurements_2025",
        Some(7),
        "id integer, taken date!, reading integer, deleted_at timestamp with time zone",
    ),
    (
        "public",
        "measurements_2026",
        Some(7),
        "id integer, taken date!, reading integer, deleted_at timestamp with time zone",
    ),
    ("billing", "invoices", None, "id integer!, user_id integer, cents integer, deleted_at timestamp with time zone"),
    ("billing", "users", None, "id integer!, deleted_at timestamp with time zone"),
    (
        "archive",
        "orders",
        None,
        "id integer!, user_id integer, cents integer!, archived_at timestamp with time zone, archived_by text, \
         archive_reason text, archive_txid bigint, deletion_id uuid",
    ),
    ("public", "products", None, "id integer!, name text, parent_id integer, deleted_at timestamp with time zone"),
    ("public", "lines", None, "id integer!, product_id integer, gift_id integer, qty integer"),
    ("public", "rooms", None, "building integer!, room integer!, name text, deleted_at timestamp with time zone"),
    ("public", "bookings", None, "id integer!, building integer, room integer, deleted boolean!"),
    ("public", "drafts", None, "id integer!, line_id integer, title text, deleted_at timestamp with time zone"),
    (
        "public",
        "accounts",
        None,
        "id integer!, email text, tenant integer, handle text, deleted_at timestamp with time zone, deletion_id uuid",
    ),
    ("public", "logins", None, "id integer!, account_id integer, gone boolean"),
    ("public", "tickets", None, "id integer!, draft_id integer, state text!, voided_at timestamp with time zone"),
];

/// The foreign keys that the configuration of the cases names: a table, its columns, what they point to.
const FOREIGN_KEYS: &[(&str, &[&str], &str, &[&str])] = &[
    ("lines", &["product_id"], "products", &["id"]),
    ("products", &["parent_id"], "products", &["id"]),
    ("bookings", &["building", "room"], "rooms", &["building", "room"]),
];

/// The first oid that a database gives to its own objects.
const FIRST_OID: u32 = 16_384;

fn snapshot() -> Snapshot {
    let relations = RELATIONS.iter().zip(FIRST_OID..).map(|((schema, name, parent, columns), oid)| Relation {
        columns: columns.split(", ").map(column).collect(),
        primary_key: if name.starts_with("measurements") { Vec::new() } else { vec!["id".to_owned()] },
        parents: parent.iter().map(|&place| FIRST_OID + place as u32).collect(),
        foreign_keys: foreign_keys(name),
        ..Relation::named(oid, schema, name, kind(name))
    });
    Snapshot::new(SERVER_VERSION, relations.collect())
}

fn kind(name: &str) -> RelationKind {
    if name == "measurements" { RelationKind::PartitionedTable } else { RelationKind::Table }
}

fn foreign_keys(table: &str) -> Vec<ForeignKey> {
    let oid = |name: &str| RELATIONS.iter().zip(FIRST_OID..).find(|(relation, _)| relation.1 == name);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    FOREIGN_KEYS
        .iter()
        .filter(|(referencing, ..)| *referencing == table)
        .map(|(referencing, columns, target, referenced)| ForeignKey {
            name: format!("{referencing}_fkey"),
            columns: names(columns),
            references: oid(target).expect("it is listed").1,
            referenced: names(referenced),
        })
        .collect()
}

fn column(text: &str) -> Column {
    let (name, type_name) = text.split_once(' ').expect("a name and a type");
    Column {
        name: name.to_owned(),
        type_name: type_name.trim_end_matches('!').to_owned(),
        not_null: type_name.ends_with('!'),
        ..Column::default()
    }
}

/// A registry, and a session in front of it.
#[derive(Debug)]
pub struct Offline {
    /// What is registered.
    pub registry: Arc<Registry>,
    /// The session as it starts.
    pub settings: Settings,
    /// Who it belongs to.
    pub role: RoleFacts,
}

impl Offline {
    /// The tables and the configuration of the cases.
    pub fn cases() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/sexton.toml");
        Self::new(&fs::read_to_string(path).expect("it can be read"), "cases")
    }

    /// The tables of the cases, none of them registered.
    pub fn nothing_registered() -> Self {
        Self::new("[databases.empty]\n", "empty")
    }

    /// These tables (schema and name), which the catalog does not know, all configured by these lines.
    pub fn registering(tables: &BTreeSet<(String, String)>, rule: &str) -> Self {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut text = String::new();
        for (schema, table) in tables {
            // A table's key is SQL: a name quoted where it needs to be.
            let name = format!("\"{}\".\"{}\"", schema.replace('"', "\"\""), table.replace('"', "\"\""));
            text += &format!("[databases.corpus.tables.{}]\n{rule}\n\n", quoted(&name));
        }
        let config = config::parse(&format!("{HEAD}\n[databases.corpus]\n{text}"), &|_| None);
        let config = config.unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
        let (registry, _) = Registry::offline(config.databases.find("corpus").expect("it is configured"));
        Self::with(registry)
    }

    fn new(rest: &str, database: &str) -> Self {
        let config = config::parse(&format!("{HEAD}\n{rest}"), &|_| None).expect("the configuration is good");
        let database = config.databases.find(database).expect("it is configured");
        let (registry, _) = Registry::build(database, Arc::new(snapshot()), &Bound::default(), 1);
        Self::with(registry)
    }

    fn with(registry: Registry) -> Self {
        let role = RoleFacts { search_path: Some("public".to_owned()), ..RoleFacts::ordinary("app") };
        let settings = Settings::new(State::new(role.search_path.as_deref()));
        Self { registry: Arc::new(registry), settings, role }
    }

    /// The plan for `text`.
    pub fn plan(&self, text: &[u8]) -> Plan {
        Plan::new(text, &self.settings, &self.role, &self.registry)
    }
}

/// Every case of `tests/cases`.
pub fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    CaseFile::all(&root).into_iter().flat_map(|file| file.cases).collect()
}

/// The number in an environment variable, which says how long a run is or where it starts.
pub fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}
