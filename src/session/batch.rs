//! The two views of a session's state: how messages sent move the predicted one, and replies the confirmed one.

use std::sync::Arc;

use crate::rewrite::outcome::Effect;
use crate::session::cache::Basis;
use crate::session::circumstances::Circumstances;
use crate::session::conversation::Session;
use crate::session::pending::Entry;
use crate::session::prepared::{Origin, Portal, Prepared};
use crate::session::settings::Settings;

/// True where the effect decides how later messages are to be read.
pub(super) fn is_risky(effect: &Effect) -> bool {
    !matches!(effect, Effect::None | Effect::Execute(_))
}

fn changes_schema(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Schema(_)
            | Effect::SchemaUnder { .. }
            | Effect::DropTemporary { .. }
            | Effect::Unsettled { schema: true }
    )
}

/// How far EXECUTE of EXECUTE is followed.
const EXECUTE_DEPTH_MAX: usize = 8;

/// The statement that `EXECUTE` comes down to: Parse takes any statement, so that may be SET, or EXECUTE again.
fn inner(effect: &Effect, find: impl Fn(&[u8]) -> Option<Arc<Prepared>>) -> Option<Arc<Prepared>> {
    let Effect::Execute(name) = effect else { return None };
    let mut prepared = find(name.as_bytes())?;
    for _ in 0..EXECUTE_DEPTH_MAX {
        let Effect::Execute(name) = prepared.effect() else { break };
        prepared = find(name.as_bytes())?;
    }
    Some(prepared)
}

impl Session {
    /// What an EXECUTE sent now will run.
    pub(super) fn predicted_inner(&self, effect: &Effect) -> Option<Arc<Prepared>> {
        inner(effect, |name| self.overlay.statement(&self.names, name).cloned())
    }

    /// What an EXECUTE answered now has run.
    pub(super) fn confirmed_inner(&self, effect: &Effect) -> Option<Arc<Prepared>> {
        inner(effect, |name| self.names.statements.get(name).cloned())
    }

    /// True where the effect, or that of what it executes, decides how later messages are to be read.
    pub(super) fn predicts_risk(&self, effect: &Effect) -> bool {
        is_risky(effect) || self.predicted_inner(effect).is_some_and(|prepared| is_risky(prepared.effect()))
    }

    /// What a message sent now is decided under; `None` before the session has begun.
    pub(super) fn circumstances(&mut self) -> Option<Circumstances> {
        self.basis().map(|basis| basis.circumstances().clone())
    }

    pub(super) fn generation(&self) -> u64 {
        self.ground.as_ref().map_or(0, |ground| ground.registry.generation)
    }

    /// What a text sent now is decided on: sessions that stand on the same share one.
    pub(super) fn basis(&mut self) -> Option<&Basis> {
        let ground = self.ground.as_mut()?;
        let (generation, state) = (ground.registry.generation, self.predicted.current());
        let holds = |basis: &Basis| basis.circumstances().are(generation, state, &ground.role);
        if !self.basis.as_ref().is_some_and(holds) {
            let basis = ground.cache.basis(generation, state, &ground.role);
            let Circumstances { generation: _, state, role } = basis.circumstances();
            ground.role = Arc::clone(role);
            self.predicted.share(state);
            self.confirmed.share(state);
            self.basis = Some(basis);
        }
        self.basis.as_ref()
    }

    /// Queues what was sent, and moves the predicted view past it.
    pub(super) fn push(&mut self, entry: Entry, risky: bool) {
        if self.skipping {
            return;
        }
        self.predict(&entry);
        self.pending.push(entry, risky);
    }

    fn predict(&mut self, entry: &Entry) {
        match entry {
            Entry::Parse { name, prepared, .. } => self.overlay.set_statement(name, Some(Arc::clone(prepared))),
            Entry::Bind { portal, statement } => {
                let prepared = self.overlay.statement(&self.names, statement).cloned();
                self.overlay.set_portal(portal, prepared.map(Portal::new));
            }
            Entry::CloseStatement { name, .. } => self.overlay.set_statement(name, None),
            Entry::ClosePortal { portal } => self.overlay.set_portal(portal, None),
            Entry::Execute { portal: name } => {
                if let Some(portal) = self.overlay.portal(&self.names, name)
                    && !matches!(portal.effect(), Effect::None)
                {
                    let portal = portal.clone();
                    self.predict_effect(portal.effect(), Some(&portal.prepared.made));
                    if self.predicts_risk(portal.effect()) {
                        self.overlay.set_portal(name, Some(portal.after_run()));
                    }
                }
            }
            Entry::Query(query) => {
                for statement in query.plan.statements.iter() {
                    self.predict_effect(&statement.effect, None);
                }
                // A simple Query drops the unnamed statement (E8).
                if self.overlay.statement(&self.names, b"").is_some() {
                    self.overlay.set_statement(b"", None);
                }
                self.predicted_end();
            }
            Entry::Sync | Entry::FunctionCall => self.predicted_end(),
            Entry::DescribeStatement { .. } | Entry::DescribePortal { .. } | Entry::CopyEnd => {}
        }
    }

    fn predicted_end(&mut self) {
        if self.touched {
            self.predicted.end_batch(true);
        }
    }

    fn predict_effect(&mut self, effect: &Effect, made: Option<&Circumstances>) {
        match effect {
            Effect::None => return,
            Effect::Execute(_) => {
                if let Some(inner) = self.predicted_inner(effect)
                    && is_risky(inner.effect())
                {
                    self.predict_effect(inner.effect(), Some(&inner.made));
                }
                return;
            }
            Effect::Prepare { name, .. } => {
                let made = made.cloned().or_else(|| self.circumstances());
                self.overlay.set_statement(name.as_bytes(), made.and_then(|made| prepared_by_sql(effect, made)));
            }
            Effect::Deallocate(Some(name)) => self.overlay.set_statement(name.as_bytes(), None),
            Effect::Deallocate(None) | Effect::DiscardAll => self.overlay.forget_statements(),
            _ => {}
        }
        self.committing_schema |=
            self.schema_sent && matches!(effect, Effect::Commit { .. }) && !self.predicted.has_failed();
        self.schema_sent |= changes_schema(effect);
        self.predicted.apply(effect);
        self.touched = true;
    }

    /// The server has confirmed a statement, by this tag. `made`: what its text was decided under, where that is not now.
    pub(super) fn confirm_effect(&mut self, effect: &Effect, tag: &[u8], made: &Circumstances) {
        match effect {
            Effect::None | Effect::Execute(_) => return,
            Effect::Prepare { name, .. } => {
                if let Some(prepared) = prepared_by_sql(effect, made.clone()) {
                    self.names.statements.insert(name.as_bytes(), prepared);
                }
            }
            Effect::Deallocate(Some(name)) => {
                self.names.statements.remove(name.as_bytes());
            }
            Effect::Deallocate(None) => self.names.statements.clear_named(),
            Effect::DiscardAll => {
                self.names.statements.clear_named();
                self.names.portals.clear();
            }
            effect => self.schema_changed |= changes_schema(effect),
        }
        match effect {
            Effect::Commit { chain } if tag == b"ROLLBACK" => {
                self.confirmed.apply(&Effect::Rollback { chain: *chain });
            }
            _ => {
                self.schema_committed |= self.schema_changed && matches!(effect, Effect::Commit { .. });
                self.confirmed.apply(effect);
            }
        }
        self.touched = true;
    }

    /// What a simple Query's next statement is confirmed under.
    pub(super) fn confirmed_circumstances(&self, generation: u64) -> Option<Circumstances> {
        let ground = self.ground.as_ref()?;
        Some(Circumstances::new(generation, self.confirmed.current(), &ground.role))
    }

    /// ReadyForQuery: the batch is over, and the status byte has the last word.
    pub(super) fn ready(&mut self, status: u8) {
        while let Some(entry) = self.pending.pop() {
            if let Entry::Query(_) = entry {
                self.names.statements.remove(b"");
            }
            if entry.is_end() {
                break;
            }
        }
        self.confirmed.end_batch(!std::mem::take(&mut self.batch_failed));
        if std::mem::take(&mut self.may_have_committed) && status == b'I' {
            self.confirmed.apply(&Effect::Unsettled { schema: true });
            self.confirmed.end_batch(true);
            self.schema_changed = true;
        }
        if self.confirmed.current().strings_unknown {
            // What changed has been reported by now (PostgreSQL 14 and later report before ReadyForQuery).
            self.report(false, |state| state.strings_unknown = false);
        }
        let mut strayed = false;
        match (status, self.confirmed.in_block()) {
            (b'I', true) => {
                self.confirmed.abort();
                strayed = true;
            }
            (b'T' | b'E', false) => {
                self.confirmed.enter_block();
                strayed = true;
            }
            _ => {}
        }
        if status == b'I' {
            self.names.portals.clear();
        }
        self.status = status;
        self.confirmed.set_failed(status == b'E');
        self.copying = false;
        self.copy_in = false;
        if self.pending.is_empty() {
            self.schema_sent = self.schema_changed;
            self.committing_schema = false;
            self.overlay.clear();
            let touched = std::mem::take(&mut self.touched);
            if std::mem::take(&mut self.mispredicted) || touched || strayed {
                self.predicted.clone_from(&self.confirmed);
            }
        } else {
            self.mispredicted |= strayed || status == b'E';
        }
    }

    /// Predicted is confirmed, and what is still pending on top of it.
    ///
    /// That takes as long as much is pending: it is done once the client has said more, not for every error.
    #[cold]
    pub(super) fn predict_again(&mut self) {
        self.mispredicted = false;
        let mut settings: Settings = self.confirmed.clone();
        // What the failed batch did outside a block is undone at its end.
        if self.batch_failed {
            settings.end_batch(false);
        }
        self.predicted = settings;
        self.overlay.clear();
        self.touched = true;
        let pending = std::mem::take(&mut self.pending);
        for entry in pending.iter() {
            self.predict(entry);
        }
        self.pending = pending;
    }
}

pub(super) fn prepared_by_sql(effect: &Effect, made: Circumstances) -> Option<Arc<Prepared>> {
    let Effect::Prepare { tag, mentions, unsettles, source, sent, name: _ } = effect else { return None };
    Some(Arc::new(Prepared {
        origin: Origin::Sql {
            tag: *tag,
            mentions: *mentions,
            unsettles: *unsettles,
            source: source.as_slice().into(),
            sent: sent.as_slice().into(),
        },
        made,
        absent: false,
    }))
}
