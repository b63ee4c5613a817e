//! Privileges that a role needs because of what its statements become, each no more than that.

use std::collections::BTreeSet;

use crate::config::Strategy;
use crate::rewrite::policy::{Policy, quote_name};
use crate::schema::policies::grantee;
use crate::schema::rights::Right;
use crate::schema::survey::Table;
use crate::schema::{Finding, Level, Situation, Step};
use crate::sql::ident::quote;

/// The roles that may DELETE but not do what it becomes, those that may read but not the columns that tell what lives,
/// and Sexton's own login.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (table, policy) in situation.subject.registered() {
        let rights = situation.rights.rights.iter().filter(|right| right.table == table.oid && right.is_named);
        for right in rights {
            findings.extend(predicate(situation, table, policy, right));
            if right.deletes {
                findings.extend(marking(table, policy, right));
                findings.extend(archiving(situation, table, policy, right));
            }
        }
    }
    findings
}

/// The columns of `needed` without the right to them, quoted.
fn lacking<'a>(needed: impl Iterator<Item = &'a str>, has: impl Fn(&str) -> bool) -> String {
    let columns: BTreeSet<String> = needed.filter(|column| !has(column)).map(quote).collect();
    columns.into_iter().collect::<Vec<_>>().join(", ")
}

/// SELECT on what the live predicate reads: every statement on the table tests it.
fn predicate(situation: &Situation<'_>, table: &Table, policy: &Policy, right: &Right) -> Option<Finding> {
    let live = policy.live.as_ref()?;
    let is_own = right.role == situation.subject.own_role;
    let is_user = right.deletes || !right.selects.is_empty() || !right.updates.is_empty();
    if !is_own && !is_user {
        return None;
    }
    let columns = lacking(live.columns(), |column| right.selects(column));
    if columns.is_empty() {
        return None;
    }
    let what = match is_own {
        true => {
            format!("Sexton's own login {} cannot count deleted rows: it may not SELECT {columns}", quote(&right.role))
        }
        false => format!(
            "role {} cannot use it any more (42501): every statement tests {columns}, which it may not SELECT",
            grantee(&right.role)
        ),
    };
    let usage = (is_own && !right.uses_schema).then(|| {
        let sql = format!("GRANT USAGE ON SCHEMA {} TO {}", quote(&table.schema), grantee(&right.role));
        Step::new(format!("{}: let {} look into its schema", table.display(), right.role), sql)
    });
    let grant = step(table, right, &format!("SELECT ({columns})"), "see which rows live");
    Some(finding(table, what, usage.into_iter().chain([grant]).collect()))
}

/// UPDATE on what a soft deletion sets, and SELECT on what it computes that from.
fn marking(table: &Table, policy: &Policy, right: &Right) -> Option<Finding> {
    if policy.strategy != Strategy::Soft {
        return None;
    }
    let set = lacking(policy.marks.iter().map(|mark| mark.column.as_str()), |column| right.updates(column));
    let read = policy.marks.iter().flat_map(|mark| mark.value.columns());
    let read = lacking(read, |column| right.selects(column));
    let steps: Vec<Step> = [("UPDATE", &set), ("SELECT", &read)]
        .into_iter()
        .filter(|(_, columns)| !columns.is_empty())
        .map(|(verb, columns)| step(table, right, &format!("{verb} ({columns})"), "mark the rows it may delete"))
        .collect();
    let lacks = if set.is_empty() { format!("SELECT on {read}") } else { format!("UPDATE on {set}") };
    (!steps.is_empty()).then(|| {
        let what =
            format!("role {} may DELETE, but its deletions fail (42501): it lacks {lacks}", grantee(&right.role));
        finding(table, what, steps)
    })
}

/// What moves a row: SELECT on all of it, and INSERT on the archive.
fn archiving(situation: &Situation<'_>, table: &Table, policy: &Policy, right: &Right) -> Option<Finding> {
    let subject = situation.subject;
    let name = subject.section(policy)?.archive.as_ref().filter(|_| policy.strategy == Strategy::Archive)?;
    // One that is still to be made will be whose schema sexton is.
    let archive = subject.survey.find(&name.schema, &name.relation);
    let mut of_role = situation.rights.rights.iter().filter(|other| other.role == right.role);
    let there = of_role.find(|other| archive.is_some_and(|archive| archive.oid == other.table));
    let mut steps = Vec::new();
    let mut lacks = Vec::new();
    let columns = lacking(table.columns.iter().map(|column| column.name.as_str()), |column| right.selects(column));
    if !columns.is_empty() {
        lacks.push(format!("SELECT on {columns}"));
        steps.push(step(table, right, &format!("SELECT ({columns})"), "move the rows it may delete"));
    }
    let is_owner = archive.map_or(&subject.survey.own_owner, |archive| &archive.owner) == &right.role;
    if !is_owner && !there.is_some_and(|there| there.uses_schema) && name.schema != table.schema {
        lacks.push(format!("USAGE on schema {}", name.schema));
        let sql = format!("GRANT USAGE ON SCHEMA {} TO {}", quote(&name.schema), grantee(&right.role));
        steps.push(Step::new(format!("{}: let {} reach the archive", table.display(), right.role), sql));
    }
    if !is_owner && !there.is_some_and(|there| there.inserts) {
        lacks.push(format!("INSERT on {name}"));
        let role = grantee(&right.role);
        let why = format!("{name}: let {role} move the rows it may delete");
        steps.push(Step::new(why, format!("GRANT INSERT ON {} TO {role}", quote_name(name))));
    }
    (!steps.is_empty()).then(|| {
        let lacks = lacks.join(", ");
        let what =
            format!("role {} may DELETE, but its deletions fail (42501): it lacks {lacks}", grantee(&right.role));
        finding(table, what, steps)
    })
}

fn step(table: &Table, right: &Right, privilege: &str, purpose: &str) -> Step {
    let role = grantee(&right.role);
    let why = format!("{}: let {role} {purpose}", table.display());
    Step::new(why, format!("GRANT {privilege} ON {} TO {role}", table.quoted()))
}

fn finding(table: &Table, what: String, steps: Vec<Step>) -> Finding {
    Finding { level: Level::Warning, kind: "privilege", object: table.display(), what, mend: None, steps }
}
