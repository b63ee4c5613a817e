//! What only the rows themselves or the planner can tell, as SQL for whoever has a connection.

use std::collections::HashMap;

use crate::sql::ident::quote;

/// What the plan of a query says that can have no rows.
pub(crate) const PROVED: &str = "One-Time Filter: false";

const UNDEFINED_COLUMN: &str = "42703";

/// A question in SQL that reads only. It is answered by the text of its rows, one line each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// A query, or an EXPLAIN.
    pub sql: String,
    /// What is asked besides where the answer is `t`.
    pub then: Option<String>,
}

impl Question {
    /// A question without a second one.
    #[must_use]
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), then: None }
    }

    /// Whether there are rows, and how many; `rows`: what follows the select list.
    #[must_use]
    pub(crate) fn of_rows(rows: &str) -> Self {
        Self { sql: format!("SELECT EXISTS (SELECT {rows})"), then: Some(format!("SELECT pg_catalog.count(*) {rows}")) }
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its rows.
    Text(String),
    /// Nothing within the time it may take.
    Late,
    /// Sexton's own login may not ask it.
    Denied,
    /// It cannot be asked.
    Failed {
        /// Why.
        sqlstate: String,
        /// Why, in the server's words.
        message: String,
    },
}

/// The answers by the text of the question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    answers: HashMap<String, Answer>,
}

impl Answers {
    /// Keeps an answer.
    pub fn insert(&mut self, sql: String, answer: Answer) {
        self.answers.insert(sql, answer);
    }

    /// The answer to `sql`, where it was asked.
    #[must_use]
    pub fn get(&self, sql: &str) -> Option<&Answer> {
        self.answers.get(sql)
    }

    /// The rows that answer `sql`.
    #[must_use]
    pub fn text(&self, sql: &str) -> Option<&str> {
        match self.get(sql)? {
            Answer::Text(text) => Some(text),
            Answer::Late | Answer::Denied | Answer::Failed { .. } => None,
        }
    }

    /// Why nothing is known of what `sql` asks, behind the words for it; `None` where something is. `own_role`: who asks.
    #[must_use]
    pub(crate) fn silence(&self, sql: &str, own_role: &str) -> Option<String> {
        match self.get(sql)? {
            Answer::Text(_) => None,
            Answer::Late => Some("could not be seen in time".to_owned()),
            Answer::Denied => Some(format!("is not for {} to see", quote(own_role))),
            // `apply` will add the column, and nothing is in it yet.
            Answer::Failed { sqlstate, .. } if sqlstate == UNDEFINED_COLUMN => None,
            Answer::Failed { sqlstate, message } => Some(format!("cannot be seen: {message} ({sqlstate})")),
        }
    }
}
