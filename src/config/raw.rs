//! The TOML tree with every key known, every value of its key's type, and every variable expanded.
//!
//! What does not fit becomes a [`Problem`] and stands in the tree as [`Value::Faulty`], so that the checks
//! that follow neither use it nor call it missing.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::expand::expand;
use crate::config::keys::{self, Kind, Known};
use crate::config::problem::Problem;
use crate::config::value::Fault;

/// A key's value, or a section.
#[derive(Debug)]
pub(super) struct Node {
    /// Line of the key, 1-based.
    pub(super) line: usize,
    /// The key in one piece; a list's entries have their list's.
    pub(super) key: String,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
    List(Vec<Node>),
    /// In file order, under the names as TOML reads them.
    Section(Vec<(String, Node)>),
    /// Reported already.
    Faulty,
}

impl Node {
    /// The node of that name in this section.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.children().find(|(child, _)| *child == name).map(|(_, node)| node)
    }

    /// The nodes of this section with their names, in file order.
    pub(super) fn children(&self) -> impl Iterator<Item = (&str, &Node)> {
        let children = match &self.value {
            Value::Section(children) => children.as_slice(),
            Value::Text(_) | Value::Integer(_) | Value::Flag(_) | Value::List(_) | Value::Faulty => &[],
        };
        children.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// The entries of a list, or this node alone.
    pub(super) fn entries(&self) -> &[Node] {
        match &self.value {
            Value::List(entries) => entries,
            Value::Text(_) | Value::Integer(_) | Value::Flag(_) | Value::Section(_) | Value::Faulty => {
                std::slice::from_ref(self)
            }
        }
    }

    /// The string here; `None` where a fault has been reported.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Integer(_) | Value::Flag(_) | Value::List(_) | Value::Section(_) | Value::Faulty => None,
        }
    }

    /// A problem with this node.
    pub(super) fn problem(&self, message: impl Into<String>, mend: impl Into<String>) -> Problem {
        Problem {
            line: self.line,
            column: None,
            key: Some(self.key.clone()),
            message: message.into(),
            mend: mend.into(),
        }
    }
}

/// Reads `text`.
///
/// # Errors
/// Where it is no TOML at all: every place where it is not. Faults beyond that go to `problems`.
pub(super) fn read(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) -> Result<Node, Vec<Problem>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors.iter().map(|error| syntax_problem(text, error)).collect());
    }
    let mut reader = Reader { text, environment, problems };
    let value = reader.section(root.get_ref(), "", "");
    Ok(Node { line: 1, key: String::new(), value })
}

fn syntax_problem(text: &str, error: &toml::de::Error) -> Problem {
    let offset = error.span().map_or(text.len(), |span| span.start).min(text.len());
    let mend = match error.message() {
        "duplicate key" => "keep one of the two",
        _ => "write key = \"value\" lines under [section] headers; strings stand in quotes",
    };
    let line_start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    Problem {
        line: line_number(text, offset),
        column: Some(text[line_start..offset].chars().count() + 1),
        key: None,
        message: format!("this is no TOML: {}", error.message().replace('\n', ", ")),
        mend: mend.to_owned(),
    }
}

fn line_number(text: &str, offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &text.as_bytes()[..offset.min(text.len())]).count() + 1
}

struct Reader<'a> {
    text: &'a str,
    environment: &'a dyn Fn(&str) -> Option<String>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// The section `table`, which is `key` in the file and `pattern` among the known keys.
    fn section(&mut self, table: &DeTable<'_>, key: &str, pattern: &str) -> Value {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let any = joined(pattern, "*");
        let mut nodes = Vec::new();
        for (name, value) in entries {
            let line = line_number(self.text, name.span().start);
            let name = name.get_ref().as_ref();
            let key = joined(key, &spelled(name));
            let pattern = if keys::known(&any) == Known::Nothing { joined(pattern, name) } else { any.clone() };
            let node = Node { line, key, value: Value::Faulty };
            let node = match keys::known(&pattern) {
                Known::Nothing => {
                    self.unknown(&node, &pattern, name, value.get_ref());
                    continue;
                }
                Known::Section => self.subsection(node, &pattern, value.get_ref()),
                Known::Key(kind) => self.value(node, kind, value),
            };
            self.check_built(&node, &pattern);
            nodes.push((name.to_owned(), node));
        }
        Value::Section(nodes)
    }

    fn subsection(&mut self, node: Node, pattern: &str, value: &DeValue<'_>) -> Node {
        match value {
            DeValue::Table(table) => Node { value: self.section(table, &node.key, pattern), ..node },
            other => {
                let message = format!("must be a section, but is {}", kind_of(other));
                self.problems.push(node.problem(message, format!("write [{}] and its keys below it", node.key)));
                node
            }
        }
    }

    fn value(&mut self, node: Node, kind: Kind, value: &Spanned<DeValue<'_>>) -> Node {
        let read = match (kind, value.get_ref()) {
            (Kind::Text | Kind::Duration | Kind::TextOrList, DeValue::String(text)) => self.text(&node, text, &[]),
            (Kind::Choice(allowed), DeValue::String(text)) => self.text(&node, text, allowed),
            (Kind::Flag, DeValue::Boolean(flag)) => Value::Flag(*flag),
            (Kind::Integer, DeValue::Integer(integer)) => {
                match i64::from_str_radix(integer.as_str(), integer.radix()) {
                    Ok(integer) => Value::Integer(integer),
                    Err(_) => self.wrong_type(&node, kind, value.get_ref()),
                }
            }
            (Kind::List | Kind::TextOrList, DeValue::Array(entries)) => {
                Value::List(entries.iter().map(|entry| self.entry(&node, entry)).collect())
            }
            (_, other) => self.wrong_type(&node, kind, other),
        };
        Node { value: read, ..node }
    }

    fn entry(&mut self, list: &Node, entry: &Spanned<DeValue<'_>>) -> Node {
        let Range { start, .. } = entry.span();
        let node = Node { line: line_number(self.text, start), key: list.key.clone(), value: Value::Faulty };
        let value = match entry.get_ref() {
            DeValue::String(text) => self.text(&node, text, &[]),
            other => {
                let message = format!("every entry must be a string, but one is {}", kind_of(other));
                self.problems.push(node.problem(message, "write it in quotes"));
                Value::Faulty
            }
        };
        Node { value, ..node }
    }

    /// A string with its variables expanded; where `allowed` is not empty, it must be one of those.
    fn text(&mut self, node: &Node, text: &str, allowed: &[&str]) -> Value {
        match expand(text, self.environment) {
            Ok(text) if allowed.is_empty() || allowed.contains(&text.as_str()) => Value::Text(text),
            Ok(text) => {
                let message = format!("\"{text}\" is no value of this key");
                self.problems.push(node.problem(message, format!("write {}", alternatives(allowed))));
                Value::Faulty
            }
            Err(faults) => {
                let problems = faults.into_iter().map(|Fault { message, mend }| node.problem(message, mend));
                self.problems.extend(problems);
                Value::Faulty
            }
        }
    }

    fn wrong_type(&mut self, node: &Node, kind: Kind, value: &DeValue<'_>) -> Value {
        let (expected, mend) = match kind {
            Kind::Text if value.is_array() => ("a string", "write one value in quotes, without a list".to_owned()),
            Kind::Text => ("a string", "write the value in quotes".to_owned()),
            Kind::Duration => {
                ("a string", "write it in quotes with its unit, such as \"10s\" or \"90 days\"".to_owned())
            }
            Kind::Choice(allowed) => ("a string", format!("write {}", alternatives(allowed))),
            Kind::Integer => ("a whole number", "write digits alone, without quotes".to_owned()),
            Kind::Flag => ("true or false", "write true or false without quotes".to_owned()),
            Kind::List => ("a list of strings", "write [\"one\", \"two\"]".to_owned()),
            Kind::TextOrList => ("a string or a list of strings", "write the value in quotes".to_owned()),
        };
        self.problems.push(node.problem(format!("must be {expected}, but is {}", kind_of(value)), mend));
        Value::Faulty
    }

    fn unknown(&mut self, node: &Node, pattern: &str, name: &str, value: &DeValue<'_>) {
        let section = pattern.rsplit_once('.').map_or("", |(section, _)| section);
        let mend = match (value, keys::closest(name, keys::children(section))) {
            (_, Some(closest)) => format!("did you mean {closest}?"),
            (DeValue::Table(_), None) if section == "databases.*.tables.*" => {
                let table = node.key.rsplit_once('.').map_or("", |(table, _)| table);
                let (tables, schema) = table.rsplit_once('.').unwrap_or(("", table));
                format!("for the table {name} in schema {schema} write [{tables}.\"{schema}.{name}\"]")
            }
            (_, None) => {
                let mut known: Vec<_> = keys::children(section).filter(|name| keys::is_built(section, name)).collect();
                known.dedup();
                format!("remove it; known here: {}", known.join(", "))
            }
        };
        self.problems.push(node.problem("unknown key", mend));
    }

    fn check_built(&mut self, node: &Node, pattern: &str) {
        if keys::NOT_BUILT.contains(&pattern) && !matches!(node.value, Value::Faulty) {
            self.problems.push(node.problem("this key is not built into this version yet", "remove the key"));
        }
    }
}

/// `section.name`, or the name alone at the top.
fn joined(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

/// A key as TOML would have it written.
#[must_use]
pub fn spelled(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match name {
        "" => "\"\"".to_owned(),
        _ if name.chars().all(bare) => name.to_owned(),
        _ if name.contains('"') && !name.contains('\'') => format!("'{name}'"),
        _ => format!("\"{}\"", name.escape_debug()),
    }
}

/// `"a"`, `"b"` or `"c"`.
fn alternatives(allowed: &[&str]) -> String {
    let quoted: Vec<_> = allowed.iter().map(|value| format!("\"{value}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}
