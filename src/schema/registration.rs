//! What the registry found when it was built: tables, markers, archives and foreign keys that are not there.

use crate::schema::presume::missing_marker;
use crate::schema::{Finding, Level, Situation, Step};
use crate::sql::ident::quote;

/// One finding for each of the registry's, which alone decides what is wrong; archives are [`super::objects::archive`]'s.
pub(crate) fn findings(situation: &Situation<'_>) -> Vec<Finding> {
    let own = situation.unfit.iter().filter(|unfit| !unfit.key.ends_with(": archive"));
    own.map(|unfit| finding(situation, unfit)).collect()
}

fn finding(situation: &Situation<'_>, unfit: &crate::rewrite::Finding) -> Finding {
    let subject = situation.subject;
    let (object, key) = unfit.key.rsplit_once(": ").unwrap_or((&unfit.key, "table"));
    let section = subject.database.tables.iter().find(|table| table.line == unfit.line);
    let marker = section.filter(|_| key == "column").and_then(|section| {
        let table = subject.survey.find(&section.name.schema, &section.name.relation)?;
        let marker = missing_marker(section, situation.before)?;
        let sql = format!("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} timestamptz", table.quoted(), quote(marker));
        Some(Step::new(format!("{object}: the column that marks a deleted row"), sql))
    });
    Finding {
        level: if unfit.fatal { Level::Error } else { Level::Warning },
        kind: match key {
            "column" => "marker-column",
            "live" => "live-predicate",
            "mark" => "mark",
            "visible_through" => "visible-through",
            _ => "table",
        },
        object: object.to_owned(),
        what: unfit.message.clone(),
        mend: marker.is_none().then(|| unfit.mend.clone()),
        steps: marker.into_iter().collect(),
    }
}
