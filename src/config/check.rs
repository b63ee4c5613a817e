//! From the tree of known keys to the checked settings: defaults, meaning, and what keys ask of each other.
//!
//! Every function here answers with something usable and leaves what is wrong in `problems`; a configuration
//! with problems is thrown away by its caller.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::problem::Problem;
use crate::config::raw::{Node, Value};
use crate::config::value::{self, Fault};
use crate::config::{
    Access, Admin, Assignment, ClientTls, Config, Database, Databases, FileName, ListenSettings, Network, NoNetwork,
    OnMention, Reference, Reinsert, Strategy, Table, TableName, Target, Truncate, Unscoped, UpstreamSettings,
    UpstreamTls,
};
use crate::sql::predicate::Predicate;

/// Where Sexton listens when the file does not say.
const LISTEN_ADDRESS: &str = "127.0.0.1:6432";

/// Clients served at once when the file does not say.
const MAX_CONNECTIONS: u32 = 10_000;

/// Where metrics and health are when the section does not say.
const ADMIN_ADDRESS: &str = "127.0.0.1:9432";

/// Time for a client's startup when the file does not say.
const STARTUP_TIMEOUT_MS: u64 = 10_000;

/// What the default name of an archive table ends with.
const ARCHIVE_SUFFIX: &str = "_archive";

/// The configuration `root` stands for.
pub(super) fn config(root: &Node, problems: &mut Vec<Problem>) -> Config {
    let listen = listen(root.get("listen"), problems);
    Config {
        admin: admin(root.get("admin"), &listen.address, problems),
        listen,
        upstream: upstream(root, problems),
        access: access(root.get("access"), problems),
        databases: databases(root, problems),
    }
}

fn listen(section: Option<&Node>, problems: &mut Vec<Problem>) -> ListenSettings {
    let get = |name| section.and_then(|section| section.get(name));
    ListenSettings {
        address: read(get("address"), |text| value::listen_address(text, LISTEN_ADDRESS), problems)
            .unwrap_or_else(|| LISTEN_ADDRESS.to_owned()),
        unix_socket_dir: read(get("unix_socket_dir"), directory, problems),
        max_connections: get("max_connections").and_then(|node| count(node, problems)).unwrap_or(MAX_CONNECTIONS),
        startup_timeout_ms: read(get("startup_timeout"), value::milliseconds, problems).unwrap_or(STARTUP_TIMEOUT_MS),
        trusted_proxies: get("trusted_proxies")
            .into_iter()
            .flat_map(Node::entries)
            .filter_map(|node| read(Some(node), network, problems))
            .collect(),
        tls: get("tls").and_then(|section| client_tls(section, problems)),
        replication: is_on(get("replication")),
    }
}

/// `taken`: where clients connect.
fn admin(section: Option<&Node>, taken: &str, problems: &mut Vec<Problem>) -> Option<Admin> {
    let node = section?.get("address");
    let address = read(node, |text| value::listen_address(text, ADMIN_ADDRESS), problems);
    let address = address.unwrap_or_else(|| ADMIN_ADDRESS.to_owned());
    if let Some(node) = node.or(section).filter(|_| address == taken && !address.ends_with(":0")) {
        problems.push(
            node.problem(format!("{address} is where clients connect"), "choose another port for one of the two"),
        );
    }
    Some(Admin { address })
}

fn is_on(flag: Option<&Node>) -> bool {
    matches!(flag.map(|node| &node.value), Some(Value::Flag(true)))
}

fn client_tls(section: &Node, problems: &mut Vec<Problem>) -> Option<ClientTls> {
    let mut required = |name: &str, mend: &str| {
        let node = section.get(name);
        if node.is_none() && matches!(section.value, Value::Section(_)) {
            problems.push(missing(section.line, format!("listen.tls.{name}"), mend));
        }
        node
    };
    let mode = required("mode", "write mode = \"require\", or \"prefer\" to take clients without TLS as well");
    let cert = required("cert", "write the file with the certificate chain, such as cert = \"server.crt\"");
    let key = required("key", "write the file with its private key, such as key = \"server.key\"");
    let required = mode.and_then(Node::text) == Some("require");
    let client_ca = section.get("client_ca");
    if let (Some(node), false, Some(_)) = (client_ca, required, mode.and_then(Node::text)) {
        problems.push(node.problem(
            "a client without TLS would need no certificate",
            "write mode = \"require\", or remove client_ca",
        ));
    }
    let [cert, key, client_ca] = [cert, key, client_ca].map(|node| file(node, problems));
    Some(ClientTls { required, cert: cert?, key: key?, client_ca })
}

fn upstream_tls(section: Option<&Node>, problems: &mut Vec<Problem>) -> (UpstreamTls, Option<FileName>) {
    let get = |name| section.and_then(|section| section.get(name));
    let tls = match get("tls").and_then(Node::text) {
        Some("prefer") => UpstreamTls::Prefer,
        Some("require") => UpstreamTls::Require,
        Some("verify-ca") => UpstreamTls::VerifyCa,
        Some("verify-full") => UpstreamTls::VerifyFull,
        _ => UpstreamTls::Disable,
    };
    let verified = tls >= UpstreamTls::VerifyCa;
    match (get("tls"), get("ca")) {
        (Some(node), None) if verified => problems.push(node.problem(
            "nothing says which authority to verify against",
            "add ca = \"ca.crt\"; for a public authority name the system's own bundle",
        )),
        // Not taken for verify-ca, as libpq does: what is verified should be written down.
        (tls, Some(node)) if !verified && tls.is_none_or(|node| node.text().is_some()) => {
            problems.push(node.problem(
                "nothing is verified against it",
                "write tls = \"verify-full\" or \"verify-ca\", or remove ca",
            ))
        }
        _ => {}
    }
    (tls, file(get("ca"), problems))
}

fn upstream(root: &Node, problems: &mut Vec<Problem>) -> UpstreamSettings {
    let section = root.get("upstream");
    let mut required = |name: &str, mend: &str| {
        let node = section.and_then(|section| section.get(name));
        if node.is_none() && section.is_none_or(|section| matches!(section.value, Value::Section(_))) {
            let line = section.map_or(1, |section| section.line);
            problems.push(missing(line, format!("upstream.{name}"), mend));
        }
        node
    };
    let address =
        required("address", "write where PostgreSQL listens, such as address = \"127.0.0.1:5432\" under [upstream]");
    let user = required("user", "write Sexton's own login, such as user = \"sexton\" under [upstream]");
    let mut addresses = Vec::new();
    for node in address.into_iter().flat_map(Node::entries) {
        addresses.extend(read(Some(node), value::upstream_address, problems));
    }
    if let Some(node) = address.filter(|node| node.entries().is_empty()) {
        problems.push(node.problem("the list is empty", "write at least one address"));
    }
    let (tls, ca) = upstream_tls(section, problems);
    UpstreamSettings {
        addresses,
        user: read(user, |text| value::stored(text.to_owned()), problems).unwrap_or_default(),
        password: section.and_then(|section| section.get("password")).and_then(Node::text).map(str::to_owned),
        target: match section.and_then(|section| section.get("target")).and_then(Node::text) {
            Some("primary") => Target::Primary,
            _ => Target::Any,
        },
        tls,
        ca,
    }
}

fn access(section: Option<&Node>, problems: &mut Vec<Problem>) -> Access {
    let mut roles = |name| {
        let mut roles = Vec::new();
        for node in section.and_then(|section| section.get(name)).into_iter().flat_map(Node::entries) {
            roles.extend(read(Some(node), |text| value::stored(text.to_owned()), problems));
        }
        roles
    };
    Access { see_deleted: roles("see_deleted"), hard_delete: roles("hard_delete") }
}

fn databases(root: &Node, problems: &mut Vec<Problem>) -> Databases {
    let mut databases = Databases::default();
    let Some(section) = root.get("databases") else {
        problems.push(missing(1, "databases".to_owned(), "write a section [databases.NAME] for each database served"));
        return databases;
    };
    for (name, node) in section.children() {
        let database = Arc::new(database(node, problems));
        match value::stored(name.to_owned()) {
            Ok(name) if name == "*" => databases.any = Some(database),
            Ok(name) => {
                databases.named.insert(name, database);
            }
            Err(fault) => problems.push(node.problem(fault.message, fault.mend)),
        }
    }
    if matches!(&section.value, Value::Section(children) if children.is_empty()) {
        problems
            .push(section.problem("names no database", "write a section [databases.NAME] for each database served"));
    }
    databases
}

fn database(section: &Node, problems: &mut Vec<Problem>) -> Database {
    let unscoped = match section.get("unscoped").and_then(Node::text) {
        Some("pass") => Unscoped::Pass,
        _ => Unscoped::Refuse,
    };
    let mut tables: Vec<Table> = Vec::new();
    for (name, node) in section.get("tables").into_iter().flat_map(Node::children) {
        let name = match value::table_name(name) {
            Ok(name) => name,
            Err(fault) => {
                problems.push(node.problem(fault.message, fault.mend));
                continue;
            }
        };
        if let Some(first) = tables.iter().find(|table| table.name == name) {
            problems.push(node.problem(
                format!("the table {name} has a section already, on line {}", first.line),
                "merge the two sections into one",
            ));
        }
        tables.push(table(node, name, problems));
    }
    Database { unscoped, tables }
}

fn table(section: &Node, name: TableName, problems: &mut Vec<Problem>) -> Table {
    let delete = strategy(section, problems);
    let column = read(section.get("column"), value::column_name, problems);
    let live = read(section.get("live"), expression, problems);
    let mark = mark(section, problems);
    let table = Table {
        column,
        live,
        mark,
        archive: archive(section, delete, &name, problems),
        retain: read(section.get("retain"), value::interval, problems),
        reinsert: match section.get("reinsert").and_then(Node::text) {
            Some("revive") => Reinsert::Revive,
            Some("error") => Reinsert::Error,
            _ => Reinsert::Supersede,
        },
        truncate: match section.get("truncate").and_then(Node::text) {
            Some("refuse") => Truncate::Refuse,
            Some("pass") => Truncate::Pass,
            _ => Truncate::Rewrite,
        },
        audit: is_on(section.get("audit")),
        visible_through: visible_through(section, problems),
        on_mention: match section.get("on_mention").and_then(Node::text) {
            Some("respect") => OnMention::Respect,
            _ => OnMention::Enforce,
        },
        name,
        delete: delete.unwrap_or(Strategy::Hard),
        line: section.line,
    };
    if let Some(delete) = delete {
        check_marker(section, delete, &table, problems);
        check_kept(section, delete, &table, problems);
    }
    table
}

fn visible_through(section: &Node, problems: &mut Vec<Problem>) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    for node in section.get("visible_through").into_iter().flat_map(Node::entries) {
        match read(Some(node), value::reference, problems) {
            Some(reference) if references.contains(&reference) => {
                problems.push(node.problem(format!("{reference} is named twice"), "remove one of the two"));
            }
            reference => references.extend(reference),
        }
    }
    references
}

/// Some keys say what becomes of deleted rows that are in the table, and of references to them.
fn check_kept(section: &Node, delete: Strategy, table: &Table, problems: &mut Vec<Problem>) {
    if table.marker().is_some() || table.live.is_some() {
        return;
    }
    let respect = section.get("on_mention").filter(|_| table.on_mention == OnMention::Respect);
    let through = section.get("visible_through").filter(|_| !table.visible_through.is_empty());
    // Where deletions move rows, they say what becomes of those.
    let moved = ["archive", "retain"].map(|name| section.get(name).filter(|_| delete == Strategy::Hard));
    for node in [respect, through, section.get("reinsert")].into_iter().chain(moved).flatten() {
        problems.push(node.problem(
            format!("means nothing: delete = \"{}\" leaves no deleted row in the table", delete.word()),
            "remove the key, or name the marker of rows deleted earlier with column = \"…\"",
        ));
    }
}

/// `None` where `delete` is missing or faulty: what depends on it is then not judged.
fn strategy(section: &Node, problems: &mut Vec<Problem>) -> Option<Strategy> {
    let Some(node) = section.get("delete") else {
        if matches!(section.value, Value::Section(_)) {
            let mend = "write delete = \"soft\", \"archive\" or \"hard\"";
            problems.push(missing(section.line, format!("{}.delete", section.key), mend));
        }
        return None;
    };
    match node.text()? {
        "soft" => Some(Strategy::Soft),
        "archive" => Some(Strategy::Archive),
        _ => Some(Strategy::Hard),
    }
}

fn archive(
    section: &Node,
    delete: Option<Strategy>,
    name: &TableName,
    problems: &mut Vec<Problem>,
) -> Option<TableName> {
    let Some(node) = section.get("archive") else {
        if delete != Some(Strategy::Archive) {
            return None;
        }
        let relation = value::stored(format!("{}{ARCHIVE_SUFFIX}", name.relation));
        if let Err(fault) = &relation {
            let message = format!("the archive table's default name is too long: {}", fault.message);
            problems.push(section.problem(message, "name the archive table with archive = \"…\""));
        }
        return relation.ok().map(|relation| TableName { schema: name.schema.clone(), relation });
    };
    let archive = read(Some(node), value::table_name, problems)?;
    if archive == *name {
        problems.push(node.problem("the table would be its own archive", "name another table"));
    }
    Some(archive)
}

fn mark(section: &Node, problems: &mut Vec<Problem>) -> Vec<Assignment> {
    let Some(node) = section.get("mark") else { return Vec::new() };
    let mut mark: Vec<Assignment> = Vec::new();
    for (column, assigned) in node.children() {
        let expression = read(Some(assigned), expression, problems);
        match value::column_name(column) {
            Ok(column) if mark.iter().any(|other| other.column == column) => {
                problems.push(assigned.problem("the column is set twice", "remove one of the two"));
            }
            Ok(column) => mark.extend(expression.map(|expression| Assignment { column, expression })),
            Err(fault) => problems.push(assigned.problem(fault.message, fault.mend)),
        }
    }
    if matches!(&node.value, Value::Section(children) if children.is_empty()) {
        problems.push(node.problem("sets no column", "write mark = { column = \"expression\" }, or remove it"));
    }
    mark
}

/// `column`, `live` and `mark` must say together how a deleted row is told and made.
/// Which of them the marker's type fills in is known only with the database at hand.
fn check_marker(section: &Node, delete: Strategy, table: &Table, problems: &mut Vec<Problem>) {
    let (column, live, mark) = (section.get("column"), section.get("live"), section.get("mark"));
    if let (Strategy::Hard, Some(node)) = (delete, mark) {
        problems.push(node.problem(
            "delete = \"hard\" marks nothing",
            "remove mark, or write delete = \"soft\"; live or column alone hide rows marked earlier",
        ));
        return;
    }
    match (live, mark, column) {
        (Some(live), None, None) if delete == Strategy::Soft => problems.push(live.problem(
            "says which rows live, but nothing says how DELETE marks one",
            "add mark = { column = \"expression\" }, or column = \"name\" for a marker whose type decides",
        )),
        (None, Some(mark), None) => problems.push(mark.problem(
            "says how DELETE marks a row, but nothing says which rows live",
            "add live = \"predicate\", or column = \"name\" for a marker whose type decides",
        )),
        (None, Some(mark), Some(_)) => {
            let complete = mark.children().count() == table.mark.len();
            if let Some(column) = table.column.as_ref().filter(|_| complete)
                && !table.mark.iter().any(|assignment| assignment.column == *column)
            {
                problems.push(mark.problem(
                    format!("does not set {column}, so that a deleted row would stay visible"),
                    format!("add {column} = \"expression\" to mark, or say with live which rows live"),
                ));
            }
        }
        _ => {}
    }
}

fn missing(line: usize, key: String, mend: &str) -> Problem {
    Problem { line, column: None, key: Some(key), message: "is required".to_owned(), mend: mend.to_owned() }
}

/// The string of `node` read by `reader`; `None` without a node, and after a fault.
fn read<T>(node: Option<&Node>, reader: impl Fn(&str) -> Result<T, Fault>, problems: &mut Vec<Problem>) -> Option<T> {
    let node = node?;
    match reader(node.text()?) {
        Ok(value) => Some(value),
        Err(fault) => {
            problems.push(node.problem(fault.message, fault.mend));
            None
        }
    }
}

fn count(node: &Node, problems: &mut Vec<Problem>) -> Option<u32> {
    let Value::Integer(number) = node.value else { return None };
    let count = u32::try_from(number).ok().filter(|count| *count > 0);
    if count.is_none() {
        problems
            .push(node.problem(format!("{number} is out of range"), format!("write a number from 1 to {}", u32::MAX)));
    }
    count
}

fn file(node: Option<&Node>, problems: &mut Vec<Problem>) -> Option<FileName> {
    let (node, path) = (node?, read(node, path, problems)?);
    Some(FileName { path, key: node.key.clone(), line: node.line })
}

fn path(text: &str) -> Result<PathBuf, Fault> {
    if text.is_empty() { Err(Fault::new("the path is empty", "write a file")) } else { Ok(PathBuf::from(text)) }
}

fn network(text: &str) -> Result<Network, Fault> {
    Network::read(text).map_err(|why| match why {
        NoNetwork::Unreadable => {
            Fault::new(format!("\"{text}\" is no network"), "write one such as \"10.0.0.0/8\" or \"fd00::/8\"")
        }
        NoNetwork::Host { network, address } => Fault::new(
            format!("\"{text}\" is an address within a network"),
            format!("write \"{network}\" for the network, or \"{address}\" for the address alone"),
        ),
    })
}

fn directory(text: &str) -> Result<PathBuf, Fault> {
    if text.is_empty() { Err(Fault::new("the path is empty", "write a directory")) } else { Ok(PathBuf::from(text)) }
}

fn expression(text: &str) -> Result<Predicate, Fault> {
    Predicate::compile(text).map_err(|why| {
        Fault::new(
            format!("this is no SQL expression: {why}"),
            "write it as it would stand in a WHERE clause or behind SET column =",
        )
    })
}
