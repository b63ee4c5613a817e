//! libpg_query's parse trees as JSON, which can be walked and edited without naming five hundred node types.

use serde_json::{Map, Value};

/// The statements of `text`, each one tree; `None` where PostgreSQL refuses it.
pub(crate) fn parse(text: &str) -> Option<Vec<Value>> {
    let parsed = pg_query::parse(text, 0).ok()?;
    let statements = parsed.protobuf.stmts.iter().map(|statement| {
        let node = statement.stmt.as_ref().expect("a statement");
        serde_json::to_value(node).expect("a tree is JSON")
    });
    Some(statements.collect())
}

/// The tree without what says where in the text its nodes stood.
pub(crate) fn without_places(mut tree: Value) -> Value {
    remove_places(&mut tree);
    tree
}

fn remove_places(tree: &mut Value) {
    match tree {
        Value::Array(values) => values.iter_mut().for_each(remove_places),
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !name.contains("location") && !name.contains("list_start") && !name.contains("list_end")
            });
            fields.values_mut().for_each(remove_places);
        }
        _ => {}
    }
}

/// The kind of a node and its fields.
pub(crate) fn node(value: &Value) -> Option<(&str, &Map<String, Value>)> {
    let (kind, fields) = value.get("node")?.as_object()?.iter().next()?;
    Some((kind, fields.as_object()?))
}

/// The fields of a node of this kind.
pub(crate) fn fields_mut<'a>(value: &'a mut Value, kind: &str) -> Option<&'a mut Map<String, Value>> {
    value.get_mut("node")?.get_mut(kind)?.as_object_mut()
}

/// Calls `see` for the fields of every table name in the tree, those of FOR UPDATE OF left out.
pub(crate) fn range_vars(tree: &Value, see: &mut impl FnMut(&Map<String, Value>)) {
    match tree {
        Value::Array(values) => values.iter().for_each(|value| range_vars(value, see)),
        Value::Object(fields) => {
            if is_range_var(fields) {
                see(fields);
            }
            for (name, value) in fields.iter().filter(|(name, _)| *name != "locked_rels") {
                let _ = name;
                range_vars(value, see);
            }
        }
        _ => {}
    }
}

/// True for the fields of a RangeVar.
pub(crate) fn is_range_var(fields: &Map<String, Value>) -> bool {
    fields.contains_key("relname") && fields.contains_key("relpersistence")
}

/// A text field.
pub(crate) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}
