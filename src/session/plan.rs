//! What becomes of one query string: the statements in it, the text that goes upstream, what each reply owes the client.

use std::sync::Arc;

use crate::catalog::RoleFacts;
use crate::rewrite::outcome::{Effect, Outcome, TagChange};
use crate::rewrite::{Names, Reason, Refusal, Registry, decide};
use crate::session::settings::Settings;
use crate::sql::constants::Constants;
use crate::sql::edit::Edits;
use crate::sql::encoding::{Encoding, Shadow, original_bytes};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::lex;
use crate::sql::split::statements;

/// Behind any text this cannot be parsed: no statement starts with a closing parenthesis. The server therefore reports
/// either an error of the client's own, as it would without Sexton, or one at this very place, which is the refusal's.
pub(crate) const CANNOT_PARSE: &[u8] = b"\n;)";

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
    pub statements: Arc<[StatementPlan]>,
    /// The answer depends on scope, names or registry: it must be made again when one of them changes.
    pub depends: bool,
    /// One statement that reads or writes rows, by rules that look at no constant.
    pub is_blind_to_constants: bool,
    /// The names in it are looked up at Bind, where it is planned. Those of COPY, TRUNCATE and their like are when it runs.
    pub is_planned: bool,
}

impl Plan {
    /// A plan that changes nothing and knows of no statement.
    #[must_use]
    pub fn unchanged(text: &[u8]) -> Self {
        Self {
            client_text: text.to_vec(),
            upstream_text: None,
            edits: Edits::default(),
            refusal: None,
            statements: Arc::default(),
            depends: false,
            is_blind_to_constants: false,
            is_planned: false,
        }
    }

    /// Decides `text` as the session stands at `settings`, which are left untouched.
    ///
    /// The server converts the whole of it from the encoding that the client has now, a SET in it or not.
    #[must_use]
    pub fn new(text: &[u8], settings: &Settings, role: &RoleFacts, registry: &Registry) -> Self {
        let state = settings.current();
        let encoding = state.client_encoding;
        if encoding == Encoding::Utf8 || registry.is_empty() {
            return Self::read(text, settings, role, registry);
        }
        if let Some(first) = text.iter().position(|byte| !byte.is_ascii())
            && (encoding == Encoding::Unknown
                || registry.has_non_ascii_names()
                || (state.strings_unknown && registry.may_mention(text)))
        {
            return Self::unchanged(text).refused(Refusal::at(Reason::Encoding, first));
        }
        match encoding.shadow(text) {
            Some(shadow) => Self::read(&shadow.text, settings, role, registry).of_original(text, &shadow),
            None => {
                let plan = Self::read(text, settings, role, registry);
                let cause = plan.edits.iter().find(|edit| !edit.text.is_ascii()).map(|edit| edit.cause);
                match cause {
                    Some(cause) => plan.refused(Refusal::at(Reason::Encoding, cause)),
                    None => plan,
                }
            }
        }
    }

    /// The plan of a shadow as that of the text it was made of.
    fn of_original(mut self, text: &[u8], shadow: &Shadow) -> Self {
        self.client_text = text.to_vec();
        if let Some(mut refusal) = self.refusal.take() {
            refusal.offset = refusal.offset.map(|offset| shadow.origin(offset));
            return self.refused(refusal);
        }
        let first = text.iter().position(|byte| !byte.is_ascii()).unwrap_or_default();
        for statement in Arc::make_mut(&mut self.statements) {
            // A name is compared with those of protocol messages, which are the client's bytes.
            let (name, texts) = match &mut statement.effect {
                Effect::Prepare { name, source, sent, .. } => (name, vec![source, sent]),
                Effect::Execute(name) | Effect::Deallocate(Some(name)) => (name, Vec::new()),
                _ => continue,
            };
            if !name.is_ascii() {
                return self.refused(Refusal::at(Reason::Encoding, first));
            }
            for text in texts {
                *text = original_bytes(text).unwrap_or_default();
            }
        }
        match shadow.originals(&self.edits) {
            Some(edits) => self.edits = edits,
            None => return self.refused(Refusal::at(Reason::Encoding, first)),
        }
        self.upstream_text = (!self.edits.is_empty()).then(|| self.edits.apply(text));
        self
    }

    fn read(text: &[u8], settings: &Settings, role: &RoleFacts, registry: &Registry) -> Self {
        let mut plan = Self::unchanged(text);
        let tokens = match lex(text, settings.current().standard_conforming_strings) {
            Ok(tokens) => tokens,
            // What cannot be cut into tokens the server cannot parse either: its own error is the right one.
            Err(_) if !registry.may_concern(text) => return plan,
            Err(fault) => {
                let reason = Reason::Unreadable { what: fault.what };
                return plan.refused(Refusal::at(reason, fault.start));
            }
        };
        let mut settings = settings.clone();
        let pieces = statements(&tokens);
        let mut decided = Vec::with_capacity(pieces.len());
        for piece in &pieces {
            let names = Names { registry, state: settings.current(), role };
            let decision = decide(text, &tokens, *piece, names);
            plan.depends |= decision.depends;
            let tag = match decision.outcome {
                Outcome::Unchanged => None,
                Outcome::Rewritten { edits, tag } => {
                    // Statements follow one another, so do their edits.
                    if let Err(overlap) = plan.edits.append(edits) {
                        let reason = Reason::Unreadable { what: "two rules claim the same words" };
                        return plan.refused(Refusal::at(reason, overlap.0));
                    }
                    tag
                }
                Outcome::Refused(refusal) => return plan.refused(refusal),
            };
            if pieces.len() > 1 {
                settings.apply(&decision.effect);
            }
            decided.push(StatementPlan { tag, effect: decision.effect });
        }
        plan.is_planned = pieces.iter().all(|piece| tokens[piece.first].keyword.is_some_and(Keyword::starts_query));
        plan.is_blind_to_constants = match decided.as_slice() {
            [StatementPlan { effect: Effect::None, tag: _ }] => plan.is_planned && !registry.reads_constants(text),
            _ => false,
        };
        plan.statements = decided.into();
        if !plan.edits.is_empty() {
            plan.upstream_text = Some(plan.edits.apply(text));
        }
        plan
    }

    /// The plan for `text`, which differs from this plan's in its constants alone; `None` where an edit touches one.
    #[must_use]
    pub fn carried(&self, constants: &Constants, text: &[u8], others: &Constants) -> Option<Self> {
        let edits = self.edits.carried(|offset| constants.carried(offset, others))?;
        let upstream_text = (!edits.is_empty()).then(|| edits.apply(text));
        let (client_text, statements) = (text.to_vec(), Arc::clone(&self.statements));
        Some(Self { client_text, upstream_text, edits, refusal: self.refusal.clone(), statements, ..*self })
    }

    /// The plan that makes the server fail in the statement's place.
    #[must_use]
    pub fn refused(mut self, refusal: Refusal) -> Self {
        self.edits = Edits::default();
        self.statements = Arc::default();
        self.depends = true;
        self.upstream_text = Some([self.client_text.as_slice(), CANNOT_PARSE].concat());
        self.refusal = Some(refusal);
        self
    }

    /// The byte offset in the upstream text of a refused string where the server's own error stands when the client's
    /// text has none.
    #[must_use]
    pub fn refusal_offset(&self) -> usize {
        self.client_text.len() + CANNOT_PARSE.len() - 1
    }
}
