//! The functions of schema `sexton` that are the same everywhere.

use crate::schema::Step;
use crate::schema::plan::SEARCH_PATH;
use crate::schema::survey::{Routine, Survey};

/// A function of the schema: name, what it is for, DDL. Each that is not [`PRIVATE`] may be called by everybody.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("event", "the event of a deletion", include_str!("sql/event.sql")),
    ("has_event", "whether this client message deletes through Sexton", include_str!("sql/has_event.sql")),
    ("tag", "tags in a statement's comments", include_str!("sql/tag.sql")),
    ("actor", "who deletes", include_str!("sql/actor.sql")),
    ("reason", "why", include_str!("sql/reason.sql")),
    ("caller", "the role that the client acts as", include_str!("sql/caller.sql")),
    ("fingerprint", "what statements of one shape share", include_str!("sql/fingerprint.sql")),
    ("shown_key", "a key as error details show it", include_str!("sql/shown_key.sql")),
    ("constraint_name", "a constraint's name between partitions", include_str!("sql/constraint_name.sql")),
    ("expect_partition", "the table that a trigger was made for", include_str!("sql/expect_partition.sql")),
    ("refuse_row_security", "the error where rows are hidden", include_str!("sql/refuse_row_security.sql")),
    ("refuse_key", "the error of a foreign key that is gone", include_str!("sql/refuse_key.sql")),
    ("refuse_absent", "the error of a row that points to none", include_str!("sql/refuse_absent.sql")),
    ("refuse_referenced", "the error of a row that others point to", include_str!("sql/refuse_referenced.sql")),
    ("take", "what is in the queue", include_str!("sql/take.sql")),
    ("drain_all", "does what cascades have left to do", include_str!("sql/drain_all.sql")),
    ("drain", "the same at the end of a statement", include_str!("sql/drain.sql")),
    ("drain_late", "the same at COMMIT", include_str!("sql/drain_late.sql")),
    ("settle", "gives a dead row its place back that nothing has taken", include_str!("sql/settle.sql")),
];

/// The one that the steps call which make anything else: its name, what it is for, DDL.
const ENCLOSE: (&str, &str, &str) =
    ("enclose", "keeps what is made in the schema to its owner", include_str!("sql/enclose.sql"));

/// The functions that only triggers and the steps of `apply` call.
const PRIVATE: &[&str] = &["enclose", "take", "drain_all", "drain", "drain_late", "settle"];

/// The types of the parameters, as `oidvectortypes` writes them.
fn arguments(sql: &str) -> String {
    let list = sql.split_once('(').and_then(|(_, rest)| rest.split_once(") RETURNS")).map_or("", |(list, _)| list);
    let types =
        list.split(',').filter_map(|parameter| parameter.trim().split_once(' ')).map(|(_, type_name)| type_name);
    types.collect::<Vec<_>>().join(", ")
}

/// True where `routine` is one of these, in whatever version.
pub(super) fn is_of_base(routine: &Routine) -> bool {
    FUNCTIONS
        .iter()
        .chain([&ENCLOSE])
        .any(|(name, _, sql)| routine.name == *name && routine.arguments == arguments(sql))
}

/// True where it has a name of one of these: it may be called in that one's place.
pub(super) fn is_named_so(routine: &Routine) -> bool {
    FUNCTIONS.iter().chain([&ENCLOSE]).any(|(name, ..)| routine.name == *name)
}

/// A call that keeps the object `name` of the catalog `kind` to the owner of the schema, as a statement of PL/pgSQL.
pub(super) fn enclosing(kind: &str, name: &str) -> String {
    let cast = match kind {
        "pg_proc" => "regprocedure",
        "pg_class" => "regclass",
        _ => "regnamespace",
    };
    format!(
        "PERFORM sexton.enclose('pg_catalog.{kind}'::pg_catalog.regclass, {}::pg_catalog.{cast}::pg_catalog.oid);",
        crate::sql::ident::literal(name)
    )
}

/// The step that makes the function which all others call, where it is missing or not as it should be.
pub(super) fn first(survey: &Survey) -> Option<Step> {
    step(survey, &ENCLOSE)
}

/// The steps for the other functions that are.
pub(super) fn others(survey: &Survey) -> impl Iterator<Item = Step> {
    FUNCTIONS.iter().filter_map(|function| step(survey, function))
}

fn step(survey: &Survey, (name, why, sql): &(&str, &str, &str)) -> Option<Step> {
    let is_private = PRIVATE.contains(name);
    let is_right = |own: &Routine| {
        let is_kept = match is_private {
            true => !own.is_public && own.callers.iter().all(|caller| *caller == own.owner),
            false => own.is_public,
        };
        is_kept
            && (own.name == *name && own.arguments == arguments(sql))
            && Some(own.source.as_str()) == sql.split("$sexton$").nth(1)
            && own.is_definer == sql.contains("SECURITY DEFINER")
            && own.search_path.as_deref() == Some(SEARCH_PATH)
            && survey.is_ours(&own.owner)
    };
    if survey.own_routines.iter().any(is_right) {
        return None;
    }
    let (create, signature) = (sql.trim_end(), format!("sexton.{name}({})", arguments(sql)));
    // Nobody else may call it at any time.
    let enclose = enclosing("pg_proc", &signature);
    let grant = match is_private {
        true => String::new(),
        false => format!("GRANT EXECUTE ON FUNCTION {signature} TO PUBLIC;\n"),
    };
    Some(Step::new(*why, format!("DO $step$\nBEGIN\n{create};\n{enclose}\n{grant}END\n$step$")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_types() {
        let of = |name: &str| FUNCTIONS.iter().find(|(other, ..)| *other == name).map(|(_, _, sql)| arguments(sql));
        assert_eq!(of("actor").as_deref(), Some(""));
        assert_eq!(of("event").as_deref(), Some("boolean"));
        assert_eq!(of("take").as_deref(), Some("bigint"));
        assert_eq!(of("shown_key").as_deref(), Some("oid, text[], text[]"));
        assert_eq!(arguments(ENCLOSE.2), "regclass, oid");
    }
}
