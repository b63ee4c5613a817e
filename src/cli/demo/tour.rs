//! The tour: what an application sees through Sexton, what the server really holds, each step checked.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::client::{Answer, Client};
use super::front::Front;

/// The job that once released a seat which had been sold again.
const RELEASE_JOB: &str = "SELECT id, seat_id FROM claims WHERE expires_at < now() ORDER BY id";

/// Why the tour ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum TourError {
    /// The connection failed.
    #[error("{0}")]
    Connection(#[from] io::Error),
    /// Something came back that should not have.
    #[error("wrong result of: {sql}\n  expected: {expected}\n  found:    {found}")]
    Wrong {
        /// What was asked.
        sql: String,
        /// What a real DELETE would have led to.
        expected: String,
        /// What came.
        found: String,
    },
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Side {
    /// The application, through Sexton.
    App,
    /// A role in `see_deleted`, through Sexton.
    Support,
    /// The superuser, past Sexton.
    Direct,
}

impl Side {
    fn prompt(self) -> &'static str {
        match self {
            Self::App => "app, through Sexton",
            Self::Support => "support, through Sexton",
            Self::Direct => "directly",
        }
    }
}

/// What must come back.
enum Expected<'a> {
    /// These rows, NULL written as an empty text.
    Rows(&'a [&'a [&'a str]]),
    /// This command tag.
    Tag(&'a str),
    /// An error with this SQLSTATE.
    Error(&'a str),
}

/// The connections of the tour.
#[derive(Debug)]
pub(super) struct Tour {
    app: Client,
    support: Client,
    direct: Client,
    step: usize,
}

impl Tour {
    /// Connects through Sexton and past it.
    pub(super) fn connect(sexton_port: u16, server_port: u16) -> Result<Self, TourError> {
        Ok(Self {
            app: Client::connect(sexton_port, "app", super::DATABASE)?,
            support: Client::connect(sexton_port, "support", super::DATABASE)?,
            direct: Client::connect(server_port, super::cluster::Cluster::SUPERUSER, super::DATABASE)?,
            step: 0,
        })
    }

    /// Walks through it.
    pub(super) fn walk(&mut self, front: &Front) -> Result<(), TourError> {
        self.claims()?;
        self.reports()?;
        self.orders()?;
        self.scopes()?;
        self.careless_change(front)
    }

    fn claims(&mut self) -> Result<(), TourError> {
        self.say("The release job asks for the claims on seats that have run out.");
        self.check(Side::App, RELEASE_JOB, Expected::Rows(&[&["1", "1"], &["2", "2"]]))?;
        self.say("It releases the first one. The application writes DELETE and gets DELETE's answer.");
        self.check(Side::App, "DELETE FROM claims WHERE id = 1", Expected::Tag("DELETE 1"))?;
        self.say("From now on no query sees that claim, and a second DELETE finds nothing.");
        self.check(Side::App, RELEASE_JOB, Expected::Rows(&[&["2", "2"]]))?;
        self.check(Side::App, "DELETE FROM claims WHERE id = 1", Expected::Tag("DELETE 0"))?;
        self.say("The row is still there: past Sexton it can be seen, with its marker.");
        let sql = "SELECT id, customer_id, deleted_at IS NOT NULL AS deleted FROM claims ORDER BY id";
        self.check(Side::Direct, sql, Expected::Rows(&[&["1", "1", "t"], &["2", "2", "f"], &["3", "3", "f"]]))
    }

    fn reports(&mut self) -> Result<(), TourError> {
        self.say("A report with joins counts neither the released claim nor seat A4, which was taken out of sale.");
        let sql = "SELECT e.title, count(DISTINCT s.id) AS seats, count(c.id) AS claims FROM events e \
                   LEFT JOIN seats s ON s.event_id = e.id LEFT JOIN claims c ON c.seat_id = s.id GROUP BY e.id ORDER BY e.id";
        let rows: &[&[&str]] = &[&["Night of the Organ", "3", "1"], &["Spring Requiem", "2", "1"]];
        self.check(Side::App, sql, Expected::Rows(rows))
    }

    fn orders(&mut self) -> Result<(), TourError> {
        self.say("Orders are archived. DELETE … RETURNING gives the row that leaves.");
        let sql = "DELETE FROM orders WHERE id = 1 RETURNING id, cents";
        self.check(Side::App, sql, Expected::Rows(&[&["1", "4500"]]))?;
        self.check(Side::App, "SELECT id, cents FROM orders", Expected::Rows(&[&["2", "3900"]]))?;
        self.say("The table itself no longer holds the order; the archive does, with who deleted it.");
        self.check(Side::Direct, "SELECT id, cents FROM orders", Expected::Rows(&[&["2", "3900"]]))?;
        let sql = "SELECT id, cents, archived_by, deletion_id IS NOT NULL AS has_event FROM archive.orders";
        self.check(Side::Direct, sql, Expected::Rows(&[&["1", "4500", "app", "t"]]))?;
        self.check(Side::App, "DELETE FROM orders WHERE id = 1", Expected::Tag("DELETE 0"))
    }

    fn scopes(&mut self) -> Result<(), TourError> {
        self.say("Support may look at deleted rows.");
        self.check(Side::Support, "SET sexton.scope = 'all'", Expected::Tag("SET"))?;
        let sql = "SELECT id, deleted_at IS NOT NULL AS deleted FROM claims ORDER BY id";
        self.check(Side::Support, sql, Expected::Rows(&[&["1", "t"], &["2", "f"], &["3", "f"]]))?;
        self.say("The application may not.");
        self.check(Side::App, "SET sexton.scope = 'all'", Expected::Error("42501"))
    }

    fn careless_change(&mut self, front: &Front) -> Result<(), TourError> {
        const ARCHIVED: &str = "[databases.shop.tables.claims]\ndelete = \"archive\"\narchive = \"archive.claims\"\n";
        self.say(
            "Claims are to be archived from now on, too. But the released one is still in the table, and nothing would \
             hide it:\n   the job would release its seat once more, whoever has it by now. Sexton does not take the change.",
        );
        let refusal = "public.claims holds 1 deleted row that would become visible";
        check_change(front, ARCHIVED, &Err(vec![refusal.to_owned()]))?;
        self.check(Side::App, RELEASE_JOB, Expected::Rows(&[&["2", "2"]]))?;
        self.say("With the row moved first, the same change passes, and the job sees what it saw before.");
        let sql = "WITH moved AS (DELETE FROM claims WHERE deleted_at IS NOT NULL RETURNING *) \
                   INSERT INTO archive.claims SELECT *, deleted_at FROM moved";
        self.check(Side::Direct, sql, Expected::Tag("INSERT 0 1"))?;
        check_change(front, ARCHIVED, &Ok(()))?;
        self.check(Side::App, RELEASE_JOB, Expected::Rows(&[&["2", "2"]]))
    }

    fn say(&mut self, what: &str) {
        self.step += 1;
        print(&format!("\n{}. {what}\n", self.step));
    }

    fn check(&mut self, side: Side, sql: &str, expected: Expected<'_>) -> Result<(), TourError> {
        let client = match side {
            Side::App => &mut self.app,
            Side::Support => &mut self.support,
            Side::Direct => &mut self.direct,
        };
        let answer = client.query(sql)?;
        print(&format!("\n   -- {}\n   {sql};\n{}", side.prompt(), shown(&answer)));
        let (expected, found) = match expected {
            Expected::Rows(rows) => {
                let found = answer.rows.iter().map(|row| row.iter().map(|value| value.as_deref().unwrap_or("")));
                (format!("{rows:?}"), format!("{:?}", found.map(Vec::from_iter).collect::<Vec<_>>()))
            }
            Expected::Tag(tag) => (tag.to_owned(), answer.tag.clone().unwrap_or_default()),
            Expected::Error(sqlstate) => {
                (sqlstate.to_owned(), answer.error.as_ref().map(|error| error.0.clone()).unwrap_or_default())
            }
        };
        let found = match &answer.error {
            Some((sqlstate, message)) if found != expected => format!("{sqlstate}: {message}"),
            _ => found,
        };
        if found == expected { Ok(()) } else { Err(TourError::Wrong { sql: sql.to_owned(), expected, found }) }
    }
}

/// Changes the configuration and shows what comes of it.
fn check_change(front: &Front, section: &str, expected: &Result<(), Vec<String>>) -> Result<(), TourError> {
    let found = front.change_claims(section);
    let lines = section.lines().fold(String::new(), |text, line| text + "   " + line + "\n");
    let outcome = match &found {
        Ok(()) => "   The configuration is in force.\n".to_owned(),
        Err(refusals) => refusals.iter().map(|refusal| format!("   ERROR:  {refusal}\n")).collect(),
    };
    print(&format!("\n   -- in {}, and SIGHUP\n{lines}{outcome}", front.config().display()));
    match found == *expected {
        true => Ok(()),
        false => Err(TourError::Wrong {
            sql: section.to_owned(),
            expected: format!("{expected:?}"),
            found: format!("{found:?}"),
        }),
    }
}

/// The answer as psql shows it.
fn shown(answer: &Answer) -> String {
    if let Some((sqlstate, message)) = &answer.error {
        return format!("   ERROR:  {sqlstate}: {message}\n");
    }
    if answer.columns.is_empty() {
        return format!("   {}\n", answer.tag.as_deref().unwrap_or_default());
    }
    let mut out = table(answer);
    match answer.tag.as_deref() {
        Some(tag) if !tag.starts_with("SELECT") => {
            let _ = writeln!(out, "   {tag}");
        }
        _ => {}
    }
    out
}

fn table(answer: &Answer) -> String {
    let cells: Vec<Vec<&str>> =
        answer.rows.iter().map(|row| row.iter().map(|value| value.as_deref().unwrap_or("")).collect()).collect();
    let width = |column: usize| {
        let values = cells.iter().filter_map(|row| row.get(column)).map(|value| value.chars().count());
        values.chain([answer.columns[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..answer.columns.len()).map(width).collect();
    let line = |values: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = values.zip(&widths).map(|(value, width)| format!(" {value:width$} ")).collect();
        format!("   {}\n", padded.join("|").trim_end())
    };
    let mut out = line(&mut answer.columns.iter().map(String::as_str));
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let _ = writeln!(out, "   {}", rules.join("+"));
    for row in &cells {
        out.push_str(&line(&mut row.iter().copied()));
    }
    let rows = if cells.len() == 1 { "row" } else { "rows" };
    let _ = writeln!(out, "   ({} {rows})", cells.len());
    out
}

/// To stdout; a closed pipe is nobody's fault.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_as_psql_shows_it() {
        let answer = Answer {
            columns: vec!["id".to_owned(), "title".to_owned()],
            rows: vec![vec![Some("1".to_owned()), None]],
            tag: Some("DELETE 1".to_owned()),
            error: None,
        };
        assert_eq!(shown(&answer), "    id | title\n   ----+-------\n    1  |\n   (1 row)\n   DELETE 1\n");
    }
}
