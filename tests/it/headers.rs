//! Every file of `src/rewrite` that opens with a *before* and an *after* says what the rules really do.

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

/// The tables the headers speak of.
const CONFIG: &str = r#"
[listen]
address = "127.0.0.1:6432"
[upstream]
address = "127.0.0.1:5432"
user = "sexton"
[databases.shop.tables.users]
delete = "soft"
[databases.shop.tables.posts]
delete = "soft"
column = "deleted"
[databases.shop.tables.notes]
delete = "soft"
column = "deleted"
[databases.shop.tables.orders]
delete = "soft"
[databases.shop.tables.invoices]
delete = "archive"
[databases.shop.tables.drafts]
delete = "soft"
on_mention = "respect"
[databases.shop.tables.items]
delete = "soft"
visible_through = ["lines.item_id"]
"#;

const TIME: &str = "timestamp with time zone";

fn relation(oid: u32, schema: &str, name: &str, columns: &[(&str, &str, bool)]) -> Relation {
    Relation {
        columns: columns
            .iter()
            .map(|(name, type_name, not_null)| Column {
                name: (*name).to_owned(),
                type_name: (*type_name).to_owned(),
                not_null: *not_null,
                ..Column::default()
            })
            .collect(),
        primary_key: vec!["id".to_owned()],
        ..Relation::named(oid, schema, name, RelationKind::Table)
    }
}

fn registry() -> Registry {
    let id = ("id", "integer", true);
    let mut lines = relation(9, "public", "lines", &[id, ("item_id", "integer", false)]);
    lines.foreign_keys.push(ForeignKey {
        name: "lines_item_id_fkey".to_owned(),
        columns: vec!["item_id".to_owned()],
        references: 8,
        referenced: vec!["id".to_owned()],
    });
    let relations = vec![
        relation(
            1,
            "public",
            "users",
            &[id, ("name", "text", false), ("age", "integer", false), ("deleted_at", TIME, false)],
        ),
        relation(2, "public", "posts", &[id, ("user_id", "integer", false), ("deleted", "boolean", true)]),
        relation(3, "public", "notes", &[id, ("deleted", "boolean", false)]),
        relation(4, "public", "orders", &[id, ("user_id", "integer", false), ("deleted_at", TIME, false)]),
        relation(6, "public", "invoices", &[id, ("total", "numeric", false)]),
        relation(5, "public", "invoices_archive", &[id, ("total", "numeric", false), ("archived_at", TIME, false)]),
        relation(7, "public", "drafts", &[id, ("line_id", "integer", false), ("deleted_at", TIME, false)]),
        relation(8, "public", "items", &[id, ("name", "text", false), ("deleted_at", TIME, false)]),
        lines,
    ];
    let config = config::parse(CONFIG, &|_| None).expect("the configuration is good");
    let database = config.databases.find("shop").expect("it is configured");
    let (registry, findings) =
        Registry::build(database, Arc::new(Snapshot::new(150_000, relations)), &Bound::default(), 1);
    assert_eq!(findings, [], "the tables fit the configuration");
    registry
}

/// The *before* and *after* of a file's `//!` lines, where it has them.
fn example(text: &str) -> Option<(String, String)> {
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let section = |from: &str, to: &str| {
        let start = header.iter().position(|line| *line == from)? + 1;
        let end = start + header[start..].iter().position(|line| *line == to)?;
        Some(header[start..end].join("\n"))
    };
    Some((section("-- before", "-- after")?, section("-- after", "```")?))
}

#[test]
fn rule_headers_are_true() {
    let registry = registry();
    let role = RoleFacts { sees_deleted: true, ..RoleFacts::ordinary("app") };
    let settings = Settings::new(State::new(role.search_path.as_deref()));
    let mut checked = 0;
    let mut wrong = String::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rewrite")).expect("the room is there") {
        let path = entry.expect("it can be listed").path();
        let Some((before, after)) = example(&fs::read_to_string(&path).expect("it can be read")) else { continue };
        let plan = Plan::new(before.as_bytes(), &settings, &role, &registry);
        let got = plan.upstream_text.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        if plan.refusal.is_some() || got != after {
            wrong += &format!("{}\n  says {after}\n  does {got}\n  {:?}\n", path.display(), plan.refusal);
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(checked >= 9, "only {checked} rule files open with an example");
}
