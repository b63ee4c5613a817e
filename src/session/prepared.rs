//! A prepared statement as Sexton remembers it: what was decided for it, and under which circumstances.

use std::sync::Arc;

use crate::rewrite::outcome::{Effect, TagChange};
use crate::session::circumstances::Circumstances;
use crate::session::plan::Plan;

/// A statement made by Parse or by SQL PREPARE.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) origin: Origin,
    pub(crate) made: Circumstances,
    /// The server has lost it: an injected Close went through, the Parse behind it did not.
    pub(crate) absent: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// Parse: the plan, and the parameter types as the client gave them.
    Message { plan: Arc<Plan>, types: Box<[u8]> },
    /// PREPARE name AS …
    Sql { tag: Option<TagChange>, mentions: bool, unsettles: bool, source: Arc<[u8]>, sent: Arc<[u8]> },
}

impl Prepared {
    pub(crate) fn plan(&self) -> Option<&Arc<Plan>> {
        match &self.origin {
            Origin::Message { plan, .. } => Some(plan),
            Origin::Sql { .. } => None,
        }
    }

    /// How the tag of executing it is brought back.
    pub(crate) fn tag(&self) -> Option<TagChange> {
        match &self.origin {
            Origin::Message { plan, .. } => plan.statements.first().and_then(|statement| statement.tag),
            Origin::Sql { tag, .. } => *tag,
        }
    }

    /// What executing it does to the session.
    pub(crate) fn effect(&self) -> &Effect {
        match &self.origin {
            Origin::Message { plan, .. } => {
                plan.statements.first().map_or(&Effect::None, |statement| &statement.effect)
            }
            Origin::Sql { unsettles: true, .. } => &Effect::Unsettled { schema: true },
            Origin::Sql { unsettles: false, .. } => &Effect::None,
        }
    }

    /// True where the names in it are looked up when it runs, and mean something to it.
    pub(crate) fn looks_up_late(&self) -> bool {
        self.plan().is_some_and(|plan| plan.depends && !plan.is_planned)
    }

    /// True where a Parse of these would make the very same.
    pub(crate) fn is_made_of(&self, plan: &Arc<Plan>, types: &[u8], made: &Circumstances) -> bool {
        let Origin::Message { plan: held, types: held_types } = &self.origin else { return false };
        Arc::ptr_eq(held, plan) && **held_types == *types && self.made.is(made) && !self.absent
    }

    /// True where it was decided under circumstances that no longer hold and that matter to it.
    pub(crate) fn is_stale(&self, now: &Circumstances) -> bool {
        let depends = match &self.origin {
            Origin::Message { plan, .. } => plan.depends,
            Origin::Sql { mentions, .. } => *mentions,
        };
        if self.made.is(now) {
            return self.absent;
        }
        // What a name meant nothing to may be registered by now: another registry is a reason for every text.
        self.absent
            || self.made.generation != now.generation
            || self.made.state.fresh != now.state.fresh
            || (depends && self.made != *now)
    }
}

/// A portal: what it was bound to, and whether it has run since.
#[derive(Debug, Clone)]
pub(crate) struct Portal {
    pub(crate) prepared: Arc<Prepared>,
    has_run: bool,
}

impl Portal {
    pub(crate) fn new(prepared: Arc<Prepared>) -> Self {
        Self { prepared, has_run: false }
    }

    pub(crate) fn after_run(self) -> Self {
        Self { has_run: true, ..self }
    }

    /// What executing it does to the session. Once it has run, only the server knows whether more of it comes, and does it
    /// all again.
    pub(crate) fn effect(&self) -> &Effect {
        if self.has_run { &Effect::Unsettled { schema: true } } else { self.prepared.effect() }
    }
}
