//! What becomes of one query string: the statements in it, the text that goes upstream, what each reply owes the client.

use crate::catalog::RoleFacts;
use crate::rewrite::outcome::{Effect, TagChange};
use crate::rewrite::{Refusal, Registry};
use crate::session::settings::Settings;
use crate::sql::edit::Edits;

/// One statement of a query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementPlan {
    /// How its command tag is brought back.
    pub tag: Option<TagChange>,
    /// What it does to the session when it succeeds.
    pub effect: Effect,
}

/// A query string, decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What the client sent, without the terminating NUL.
    pub client_text: Vec<u8>,
    /// What goes upstream in its place; `None`: the client's own bytes.
    /// For a refused string, text that the server cannot parse, so that the server itself fails.
    pub upstream_text: Option<Vec<u8>>,
    /// The edits between the two; empty when unchanged or refused.
    pub edits: Edits,
    /// Why the whole string is refused.
    pub refusal: Option<Refusal>,
    /// The statements in order, empty ones (between two semicolons) left out.
    pub statements: Vec<StatementPlan>,
    /// The answer depends on scope, names or registry: it must be made again when one of them changes.
    pub depends: bool,
}

impl Plan {
    /// Decides `text` as the session stands at `settings`, which are left untouched.
    #[must_use]
    pub fn new(text: &[u8], _settings: &Settings, _role: &RoleFacts, _registry: &Registry) -> Self {
        Self {
            client_text: text.to_vec(),
            upstream_text: None,
            edits: Edits::default(),
            refusal: None,
            statements: Vec::new(),
            depends: false,
        }
    }
}
