//! Rows whose leaving is no deletion: `sexton.exempt` names them, one by one, for the transaction it happens in.
//!
//! A row that a revived one takes the place of is not archived, and neither is what a deletion takes that is only tried.
//! No setting says so, which anybody could set, but a row of a table that nobody but its owner's functions can write. The
//! row's image stays with it until it is known whether anything takes its place (`sexton.settle`).

use crate::schema::objects::keys::key_object;
use crate::schema::objects::scene::{Kept, Scene};
use crate::sql::ident::literal;

/// Holds while a deletion is only tried.
pub(super) const TRIED: &str =
    "EXISTS (SELECT FROM sexton.exempt AS e WHERE e.txid = pg_current_xact_id_if_assigned() AND e.relation = 0)";

/// Says that from here to the end of a subtransaction that is undone, a deletion is only tried.
pub(super) const TRY: &str =
    "INSERT INTO sexton.exempt (txid, relation, key) VALUES (pg_current_xact_id(), 0, 'null');";

/// Holds as well while only what points to the row in question is being cleared away.
pub(super) const CLEARS: &str =
    "NOT EXISTS (SELECT FROM sexton.exempt AS e WHERE e.txid = pg_current_xact_id_if_assigned()
            AND e.relation = 0 AND e.key = 'true')";

/// Says that it is.
pub(super) const CLEARED: &str =
    "INSERT INTO sexton.exempt (txid, relation, key) VALUES (pg_current_xact_id(), 0, 'true');";

/// Holds for a row `alias` of the table that is not let go on purpose. A live row is none of those, though it may have the
/// key of one: it has taken its place.
pub(super) fn stays(scene: &Scene<'_>, kept: &Kept<'_>, alias: &str) -> String {
    let is_dead = kept.dead(alias).map(|dead| format!(" AND {dead}")).unwrap_or_default();
    format!(
        "NOT EXISTS (SELECT FROM sexton.exempt AS e WHERE e.txid = pg_current_xact_id_if_assigned()
        AND (e.relation = 0 OR e.relation = {}::regclass AND e.key = {}{is_dead}))",
        literal(&scene.registered(kept).quoted()),
        key(scene, kept, alias)
    )
}

/// Lets the rows `alias` of a query go on purpose, keeping their image, and which function puts it back.
pub(super) fn let_go(scene: &Scene<'_>, kept: &Kept<'_>, alias: &str, from: &str, back: &str) -> String {
    format!(
        "INSERT INTO sexton.exempt (txid, relation, key, image, back)
            SELECT pg_current_xact_id(), {}::regclass, {}, format('%s', {alias}.*), {} FROM {from};",
        literal(&scene.registered(kept).quoted()),
        key(scene, kept, alias),
        literal(back)
    )
}

/// What tells the row apart, alike in a partition and in the table above.
fn key(scene: &Scene<'_>, kept: &Kept<'_>, alias: &str) -> String {
    key_object(scene.subject.survey, scene.registered(kept), alias)
}
