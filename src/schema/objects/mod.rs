//! What a database should hold beside its own tables: schema `sexton`, archive tables, and the triggers that complete
//! what constraints mean once deleted rows stay.
//!
//! Each rule looks at the subject and gives findings whose steps install, replace or drop what is not as it should be.
//! Functions and triggers are generated, one set of static SQL for each table or foreign key; the comment on a trigger
//! holds a digest of what was generated, so that a changed configuration or table is noticed.

pub mod base;
mod scene;
pub mod stale;
mod wanted;

use crate::schema::objects::wanted::Wanted;
use crate::schema::{Finding, Subject};

/// Everything that is missing or different, in the order in which it is to be mended. With `with_guard` also the
/// triggers that refuse deletions past Sexton; without, those that are there are kept up to date.
#[must_use]
pub fn findings(subject: &Subject<'_>, with_guard: bool) -> Vec<Finding> {
    [base::findings(subject), stale::findings(subject, with_guard)].concat()
}

/// Every trigger that should be there.
fn wanted_triggers<'a>(subject: &'a Subject<'a>, with_guard: bool) -> Vec<Wanted<'a>> {
    let _ = (subject, with_guard);
    Vec::new()
}
