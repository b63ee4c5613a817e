//! The rules of SPEC §4 once more, applied to PostgreSQL's own parse tree: what the edited text must parse to.
//!
//! Written apart from the rewriter, over another tree. Every table is taken for registered with `delete = "hard"` and
//! the live predicate `sexton_live IS NULL`, so that reads, targets and ON CONFLICT change and nothing else does.

use serde_json::{Map, Value, json};

use crate::grammar::{fields_mut, is_range_var, node, parse, text, without_places};

/// The column that the live predicate tests.
pub(crate) const COLUMN: &str = "sexton_live";

type Fields = Map<String, Value>;

/// Why there is no expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    /// MERGE: its rules are not written down here.
    Merge,
    /// TABLESAMPLE of a table that must become a derived one: a refusal.
    Sampled,
}

/// Where the conditions of a reference go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Up to the next join or block that takes them.
    Up,
    /// Nowhere: the table becomes a derived one.
    Derive,
}

/// Turns `tree` into what it must become.
pub(crate) fn edit(tree: &mut Value) -> Result<(), Open> {
    Editor { ctes: Vec::new() }.value(tree)
}

struct Editor {
    /// CTE names in scope.
    ctes: Vec<String>,
}

impl Editor {
    fn value(&mut self, value: &mut Value) -> Result<(), Open> {
        match value {
            Value::Array(values) => values.iter_mut().try_for_each(|value| self.value(value)),
            Value::Object(fields) => self.fields(fields),
            _ => Ok(()),
        }
    }

    fn fields(&mut self, fields: &mut Fields) -> Result<(), Open> {
        if fields.contains_key("merge_when_clauses") {
            return Err(Open::Merge);
        }
        let outer = self.ctes.len();
        self.with(fields)?;
        let from = if fields.contains_key("using_clause") && fields.contains_key("returning_clause") {
            "using_clause"
        } else {
            "from_clause"
        };
        let mut limits = Vec::new();
        // UPDATE and DELETE: the target's own condition stands first.
        if fields.contains_key(from) && fields.contains_key("relation") {
            limits.extend(fields["relation"].as_object().and_then(|target| self.limit(target, false)));
        }
        if fields.contains_key(from) && fields.contains_key("where_clause") {
            // Nothing can be added to CURRENT OF.
            let is_cursor = node(&fields["where_clause"]).is_some_and(|(kind, _)| kind == "CurrentOfExpr");
            let place = if is_cursor { Place::Derive } else { Place::Up };
            for item in fields.get_mut(from).and_then(Value::as_array_mut).into_iter().flatten() {
                limits.extend(self.item(item, place)?);
            }
        }
        let target = fields.get("relation").and_then(Value::as_object).cloned();
        for (name, value) in fields.iter_mut() {
            match name.as_str() {
                "with_clause" => {}
                _ if name == from => {}
                "on_conflict_clause" => self.conflict(value, target.as_ref())?,
                _ => self.value(value)?,
            }
        }
        if fields.contains_key(from) && fields.contains_key("where_clause") {
            and(&mut fields["where_clause"], limits);
        }
        self.ctes.truncate(outer);
        Ok(())
    }

    fn with(&mut self, fields: &mut Fields) -> Result<(), Open> {
        let Some(with) = fields.get_mut("with_clause").and_then(Value::as_object_mut) else { return Ok(()) };
        let recursive = with["recursive"] == json!(true);
        let Some(ctes) = with["ctes"].as_array_mut() else { return Ok(()) };
        let names: Vec<String> = ctes.iter().filter_map(|cte| Some(text(node(cte)?.1, "ctename").to_owned())).collect();
        if recursive {
            self.ctes.extend(names.iter().cloned());
        }
        for (cte, name) in ctes.iter_mut().zip(names) {
            if let Some(query) = fields_mut(cte, "CommonTableExpr").and_then(|cte| cte.get_mut("ctequery")) {
                self.value(query)?;
            }
            if !recursive {
                self.ctes.push(name);
            }
        }
        Ok(())
    }

    /// One FROM item; the conditions that go further up.
    fn item(&mut self, item: &mut Value, place: Place) -> Result<Vec<Value>, Open> {
        if let Some(join) = fields_mut(item, "JoinExpr") {
            return self.join(join, place);
        }
        if let Some(sample) = fields_mut(item, "RangeTableSample") {
            for part in ["args", "repeatable"] {
                self.value(&mut sample[part])?;
            }
            let Some(table) = fields_mut(&mut sample["relation"], "RangeVar") else { return Ok(Vec::new()) };
            let Some(limit) = self.limit(table, true) else { return Ok(Vec::new()) };
            return if place == Place::Derive || has_columns(table) { Err(Open::Sampled) } else { Ok(vec![limit]) };
        }
        let Some(table) = fields_mut(item, "RangeVar") else {
            self.value(item)?;
            return Ok(Vec::new());
        };
        if place == Place::Up && !has_columns(table) {
            return Ok(self.limit(table, true).into_iter().collect());
        }
        let Some(limit) = self.limit(table, true) else { return Ok(Vec::new()) };
        let alias = match table["alias"].clone() {
            Value::Null => json!({"aliasname": table["relname"], "colnames": []}),
            alias => {
                // Inside, the columns keep their names.
                table["alias"]["colnames"] = json!([]);
                alias
            }
        };
        *item = derived(item.take(), limit, alias);
        Ok(Vec::new())
    }

    fn join(&mut self, join: &mut Fields, place: Place) -> Result<Vec<Value>, Open> {
        let place = if join["alias"].is_null() { place } else { Place::Derive };
        let has_condition = !join["quals"].is_null();
        let nullable = if has_condition { Place::Up } else { Place::Derive };
        let kind = join["jointype"].as_i64().expect("a join type");
        let full = kind == pg_query::protobuf::JoinType::JoinFull as i64;
        let left = kind == pg_query::protobuf::JoinType::JoinLeft as i64;
        let right = kind == pg_query::protobuf::JoinType::JoinRight as i64;
        let side = |is_nullable: bool| match () {
            () if full => Place::Derive,
            () if is_nullable => nullable,
            () => place,
        };
        let first = self.item(&mut join["larg"], side(right))?;
        let second = self.item(&mut join["rarg"], side(left))?;
        self.value(&mut join["quals"])?;
        let (up, here) = match () {
            () if left => (first, second),
            () if right => (second, first),
            () => ([first, second].concat(), Vec::new()),
        };
        if has_condition {
            and(&mut join["quals"], here);
        }
        Ok(up)
    }

    /// ON CONFLICT finds its index among live rows, and DO UPDATE fails where the row in the way is a deleted one.
    fn conflict(&mut self, clause: &mut Value, target: Option<&Fields>) -> Result<(), Open> {
        self.value(clause)?;
        let Some(target) = target else { return Ok(()) };
        let update = pg_query::protobuf::OnConflictAction::OnconflictUpdate as i64;
        let Some(limit) = self.limit(target, false) else { return Ok(()) };
        if let Some(infer) = clause.get_mut("infer")
            && infer.get("conname").and_then(Value::as_str) == Some("")
        {
            let own = Some(infer["where_clause"].take()).filter(|own| !own.is_null());
            // No name may stand before the columns here.
            let mut live = condition("x IS NULL");
            fields_mut(&mut live, "NullTest").expect("a test")["arg"] = column(&[]);
            and(&mut infer["where_clause"], own.into_iter().chain([live]).collect());
        }
        if clause.get("action").and_then(Value::as_i64) != Some(update) {
            return Ok(());
        }
        let schema = if text(target, "schemaname").is_empty() { "public" } else { text(target, "schemaname") };
        let message = format!("sexton: a deleted row of {schema}.{} holds this key", text(target, "relname"));
        let mut guard = condition(&format!(
            "(CASE WHEN x IS NULL THEN 'true' ELSE '{}' END)::boolean",
            message.replace('\'', "''")
        ));
        // In ON CONFLICT the target is known by its bare name.
        let mut limit = limit;
        if target["alias"].is_null()
            && let Some(test) = fields_mut(&mut limit, "NullTest")
        {
            test["arg"] = column(&[text(target, "relname")]);
        }
        let case = fields_mut(&mut guard, "TypeCast").and_then(|cast| fields_mut(cast.get_mut("arg")?, "CaseExpr"));
        let when = case.and_then(|case| fields_mut(case.get_mut("args")?.get_mut(0)?, "CaseWhen"));
        *when.expect("the guard's shape").get_mut("expr").expect("a condition") = limit;
        and(&mut clause["where_clause"], vec![guard]);
        Ok(())
    }

    /// The condition for a reference; `None` for a CTE (targets never are) and for the system's own schemas.
    fn limit(&self, table: &Fields, may_be_cte: bool) -> Option<Value> {
        if !is_range_var(table) {
            return None;
        }
        let (catalog, schema, name) = (text(table, "catalogname"), text(table, "schemaname"), text(table, "relname"));
        if (may_be_cte && schema.is_empty() && self.ctes.iter().any(|cte| cte == name)) || !is_registered(schema) {
            return None;
        }
        let parts: Vec<&str> = match table["alias"].as_object() {
            Some(alias) => vec![text(alias, "aliasname")],
            None => [catalog, schema, name].into_iter().filter(|part| !part.is_empty()).collect(),
        };
        let mut limit = condition("x IS NULL");
        fields_mut(&mut limit, "NullTest").expect("a test")["arg"] = column(&parts);
        Some(limit)
    }
}

/// True for schemas whose tables are registered here.
pub(crate) fn is_registered(schema: &str) -> bool {
    !schema.starts_with("pg_") && schema != "information_schema"
}

fn has_columns(table: &Fields) -> bool {
    table["alias"]["colnames"].as_array().is_some_and(|names| !names.is_empty())
}

fn column(qualifier: &[&str]) -> Value {
    let fields: Vec<Value> =
        qualifier.iter().chain([&COLUMN]).map(|part| json!({"node": {"String": {"sval": part}}})).collect();
    json!({"node": {"ColumnRef": {"fields": fields}}})
}

fn select(from_and_where: &str) -> Value {
    let mut trees = parse(&format!("SELECT * FROM {from_and_where}")).expect("it parses");
    without_places(trees.remove(0))
}

/// The tree of an expression.
fn condition(text: &str) -> Value {
    let mut select = select(&format!("t WHERE {text}"));
    fields_mut(&mut select, "SelectStmt").expect("a SELECT")["where_clause"].take()
}

/// `(SELECT * FROM table WHERE limit) AS alias`
fn derived(table: Value, limit: Value, alias: Value) -> Value {
    let mut outer = select("(SELECT * FROM t WHERE x) AS y");
    let mut item = fields_mut(&mut outer, "SelectStmt").expect("a SELECT")["from_clause"][0].take();
    let derived = fields_mut(&mut item, "RangeSubselect").expect("a derived table");
    derived["alias"] = alias;
    let inner = fields_mut(&mut derived["subquery"], "SelectStmt").expect("a SELECT");
    inner["from_clause"][0] = table;
    inner["where_clause"] = limit;
    item
}

/// `limit AND … AND (condition)`, as PostgreSQL's grammar builds it: AND on the left is flattened.
fn and(condition: &mut Value, limits: Vec<Value>) {
    if limits.is_empty() || node(condition).is_some_and(|(kind, _)| kind == "CurrentOfExpr") {
        return;
    }
    let mut arms = limits;
    if !condition.is_null() {
        arms.push(condition.take());
    }
    let mut arms = arms.into_iter();
    let first = arms.next().expect("there is one");
    *condition = arms.fold(first, |left, right| {
        let and = pg_query::protobuf::BoolExprType::AndExpr as i64;
        let mut args = match fields_mut(&mut left.clone(), "BoolExpr") {
            Some(bool) if bool["boolop"] == json!(and) => bool["args"].as_array().cloned().unwrap_or_default(),
            _ => vec![left],
        };
        args.push(right);
        json!({"node": {"BoolExpr": {"xpr": null, "boolop": and, "args": args}}})
    });
}
