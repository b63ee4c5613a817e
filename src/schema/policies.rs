//! Row-level security on tables where a deletion is an UPDATE: other policies decide it, and see the marked row.

use crate::schema::mention::names_column;
use crate::schema::rights::RowPolicy;
use crate::schema::situation::Scoped;
use crate::schema::{Finding, Level, Situation};
use crate::sql::ident::quote;

/// Policies that a marked row cannot pass, policies for DELETE that decide nothing any more, and Sexton's own login
/// where it does not see every row.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for scoped in situation.subject.soft().filter(|scoped| scoped.table.row_security) {
        let policies: Vec<&RowPolicy> =
            situation.rights.policies.iter().filter(|policy| policy.table == scoped.table.oid).collect();
        findings.extend(policies.iter().filter_map(|policy| blocking(scoped, policy)));
        let updates = |policy: &&&RowPolicy| matches!(policy.command, 'w' | '*');
        for policy in policies.iter().filter(|policy| policy.command == 'd') {
            let using = policy.using.as_deref().unwrap_or("true");
            let (what, mend) = match policies.iter().find(updates) {
                None => (
                    "it decides nothing: a deletion is an UPDATE, and as no policy allows that, no row can be deleted"
                        .to_owned(),
                    format!(
                        "CREATE POLICY {} ON {} FOR UPDATE TO {} USING ({using}) WITH CHECK (true)",
                        quote(&format!("{}_when_marked", policy.name)),
                        scoped.table.quoted(),
                        roles(policy),
                    ),
                ),
                Some(other) => (
                    format!("it decides nothing: a deletion is an UPDATE, on which {} decides", quote(&other.name)),
                    format!("let {} allow what this one allows, and nothing else", quote(&other.name)),
                ),
            };
            findings.push(finding(scoped, policy, what, mend));
        }
    }
    let rights = situation.rights;
    let secured = situation.subject.scoped().filter(|scoped| scoped.table.row_security && !rights.own_role_bypasses);
    findings.extend(secured.filter(|scoped| scoped.table.owner != situation.subject.own_role).map(|scoped| Finding {
        level: Level::Warning,
        kind: "own-login",
        object: scoped.table.display(),
        what: format!(
            "Sexton's own login {} sees only what row-level security shows it, and may overlook deleted rows",
            quote(situation.subject.own_role)
        ),
        mend: Some(format!("ALTER ROLE {} BYPASSRLS", quote(situation.subject.own_role))),
        steps: Vec::new(),
    }));
    findings
}

/// A policy that asks for what a deletion changes: the new row would not pass it, and the deletion fails.
fn blocking(scoped: Scoped<'_>, policy: &RowPolicy) -> Option<Finding> {
    let marked = || scoped.policy.marks.iter().map(|mark| mark.column.as_str());
    let names_mark =
        |expression: &Option<String>| expression.as_ref().is_some_and(|expression| names_column(expression, marked()));
    let (blocks, clause) = match policy.command {
        // A SELECT policy must hold for the new row as well, since the statement reads the table.
        'r' => (names_mark(&policy.using), "USING"),
        'w' | '*' if policy.check.is_some() => {
            (names_mark(&policy.check) || policy.command == '*' && names_mark(&policy.using), "WITH CHECK")
        }
        'w' | '*' => (names_mark(&policy.using), "USING"),
        _ => (false, ""),
    };
    blocks.then(|| {
        finding(
            scoped,
            policy,
            format!(
                "it asks for {}, so the marked row does not pass it and a DELETE fails (42501)",
                marked().collect::<Vec<_>>().join(", ")
            ),
            format!(
                "take the marker out of its {clause}, as Sexton hides deleted rows, or DROP POLICY {} ON {}",
                quote(&policy.name),
                scoped.table.quoted()
            ),
        )
    })
}

fn roles(policy: &RowPolicy) -> String {
    let quoted: Vec<String> = policy.roles.iter().map(|role| grantee(role)).collect();
    quoted.join(", ")
}

/// A role as GRANT and CREATE POLICY name it.
pub(crate) fn grantee(role: &str) -> String {
    if role == "public" { "PUBLIC".to_owned() } else { quote(role) }
}

fn finding(scoped: Scoped<'_>, policy: &RowPolicy, what: String, mend: String) -> Finding {
    Finding {
        level: Level::Warning,
        kind: "policy",
        object: format!("policy {} on {}", quote(&policy.name), scoped.table.display()),
        what,
        mend: Some(mend),
        steps: Vec::new(),
    }
}
