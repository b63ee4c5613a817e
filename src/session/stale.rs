//! Prepared statements that were decided under other circumstances than they would meet: made anew, or refused.

use std::sync::Arc;

use crate::rewrite::outcome::Effect;
use crate::session::batch::prepared_by_sql;
use crate::session::cache::Basis;
use crate::session::circumstances::Circumstances;
use crate::session::client::{Outlet, Take};
use crate::session::complaint::{Complaint, REFUSED_NAME, UNPARSABLE};
use crate::session::conversation::Session;
use crate::session::names::Name;
use crate::session::pending::Entry;
use crate::session::plan::{Plan, StatementPlan};
use crate::session::prepared::{Origin, Portal, Prepared};
use crate::session::settings::Settings;
use crate::wire::frontend::{self, TooLong};

/// What statements for cursors begin with.
const CURSOR_WORDS: [&[u8]; 4] = [b"fetch", b"move", b"close", b"declare"];

impl Session {
    /// True where a statement that is about to go must not be run unseen. An error in front of what makes it go has the
    /// server skip that, and then it is still there.
    pub(super) fn may_leave(&mut self, name: &[u8]) -> bool {
        // Finds the one of this moment.
        self.basis();
        let is_current = |it: &Prepared| self.basis.as_ref().is_some_and(|now| !it.is_stale(now.circumstances()));
        let left = self.overlay.statement(&self.names, name);
        left.is_some_and(|left| !matches!(left.effect(), Effect::None) || !is_current(left))
    }

    /// Makes a statement anew whose text was decided under other circumstances, unless the text would be the same.
    pub(super) fn freshen(&mut self, name: &[u8], out: &mut Outlet<'_>) -> Take {
        // Finds the one of this moment.
        self.basis();
        let Some(now) = self.basis.as_ref().map(Basis::circumstances) else { return Take::Hold };
        match self.overlay.statement(&self.names, name) {
            Some(prepared) if !self.skipping && prepared.is_stale(now) => {
                let (prepared, made) = (Arc::clone(prepared), now.clone());
                self.make_anew(name, &prepared, made, out)
            }
            _ => Take::Stream,
        }
    }

    #[cold]
    fn make_anew(&mut self, name: &[u8], prepared: &Arc<Prepared>, made: Circumstances, out: &mut Outlet<'_>) -> Take {
        let (old, types) = match &prepared.origin {
            Origin::Message { plan, types } => (plan, types),
            Origin::Sql { .. } if !self.differs(prepared, &self.predicted) => return Take::Stream,
            Origin::Sql { .. } => return self.fail_stale(name, prepared, out),
        };
        // The server holds it as it was read then; sent again it would be read as strings and characters are now.
        if prepared.made.reads_otherwise(&made, &old.client_text) {
            return self.fail_stale(name, prepared, out);
        }
        let plan = self.decide(&old.client_text);
        let origin = Origin::Message { plan: Arc::clone(&plan), types: types.clone() };
        let anew = Arc::new(Prepared { origin, made, absent: false });
        if let Some(refusal) = &plan.refusal {
            let text = plan.upstream_text.as_deref().unwrap_or(UNPARSABLE);
            return self.fail_here(text, anew, Complaint::Refused(refusal.clone()), out);
        }
        if !prepared.absent && plan.upstream_text == old.upstream_text {
            if let Some(confirmed) = self.names.statements.get_mut(name)
                && Arc::ptr_eq(confirmed, prepared)
            {
                *confirmed = anew;
            }
            return Take::Stream;
        }
        self.prepare_anew(name, &plan, types, anew, out)
    }

    #[cold]
    fn prepare_anew(
        &mut self,
        name: &[u8],
        plan: &Plan,
        types: &[u8],
        anew: Arc<Prepared>,
        out: &mut Outlet<'_>,
    ) -> Take {
        let query = plan.upstream_text.as_deref().unwrap_or(&plan.client_text);
        let written = out.write(query.len(), |out| {
            if !name.is_empty() {
                frontend::put_close_statement(out, name)?;
            }
            frontend::put_parse(out, frontend::Parse { name, query, types })
        });
        if let Err(TooLong(bytes)) = written {
            return self.fail_here(UNPARSABLE, anew, Complaint::TooLong { bytes }, out);
        }
        // Behind an error they are skipped, and the old one stays.
        if !name.is_empty() {
            self.push(Entry::CloseStatement { name: Name::from_slice(name), swallow: true }, true);
        }
        self.push(Entry::Parse { name: Name::from_slice(name), prepared: anew, complaint: None, swallow: true }, true);
        Take::Stream
    }

    /// Why a query string may not be run as things stand.
    pub(super) fn hindrance(&self, plan: &Plan) -> Option<Complaint> {
        self.stale_execute(&plan.statements).or_else(|| self.hidden_portal(&plan.client_text))
    }

    /// What an Execute of that portal would run, and why it may not.
    pub(super) fn portal_hindrance(&self, name: &[u8]) -> Option<(Arc<Prepared>, Complaint)> {
        let prepared = &self.overlay.portal(&self.names, name)?.prepared;
        let is_late = || prepared.looks_up_late() && self.now().is_some_and(|now| prepared.is_stale(&now));
        let complaint = self.hindrance(prepared.plan()?).or_else(|| is_late().then(|| stale(name)))?;
        Some((Arc::clone(prepared), complaint))
    }

    fn now(&self) -> Option<Circumstances> {
        let ground = self.ground.as_ref()?;
        Some(Circumstances::new(ground.registry.generation, self.predicted.current(), &ground.role))
    }

    /// FETCH and MOVE run portals of the protocol, too, CLOSE and DECLARE take their names: refused where one may do more
    /// than read rows that were planned at Bind.
    fn hidden_portal(&self, text: &[u8]) -> Option<Complaint> {
        let reads = |it: &Portal| matches!(it.effect(), Effect::None) && !it.prepared.looks_up_late();
        let (name, _) = self.overlay.named_portals(&self.names).find(|(_, portal)| !reads(portal))?;
        let is_for_cursors = |word: &[u8]| CURSOR_WORDS.iter().any(|it| word.eq_ignore_ascii_case(it));
        text.split(|byte| !byte.is_ascii_alphabetic())
            .any(is_for_cursors)
            .then(|| Complaint::HiddenPortal { name: String::from_utf8_lossy(name).into_owned() })
    }

    /// Has the server fail where a statement that cannot be made anew would be used.
    #[cold]
    fn fail_stale(&mut self, name: &[u8], prepared: &Arc<Prepared>, out: &mut Outlet<'_>) -> Take {
        self.fail_here(UNPARSABLE, Arc::clone(prepared), stale(name), out)
    }

    /// Has the server fail in front of the message at hand, which it will then discard.
    #[cold]
    pub(super) fn fail_here(
        &mut self,
        text: &[u8],
        prepared: Arc<Prepared>,
        complaint: Complaint,
        out: &mut Outlet<'_>,
    ) -> Take {
        if self.skipping {
            return Take::Stream;
        }
        if out.parse(frontend::Parse { name: REFUSED_NAME, query: text, types: &[] }).is_err() {
            return self.fail_here(UNPARSABLE, prepared, complaint, out);
        }
        let name = Name::from_slice(REFUSED_NAME);
        self.push(Entry::Parse { name, prepared, complaint: Some(Box::new(complaint)), swallow: true }, false);
        Take::Stream
    }

    /// True where the text of a statement that is stale would not be sent as it was.
    fn differs(&self, prepared: &Prepared, settings: &Settings) -> bool {
        let (Origin::Sql { source, sent, .. }, Some(ground)) = (&prepared.origin, &self.ground) else { return true };
        let plan = (self.planner)(source, settings, &ground.role, &ground.registry);
        plan.refusal.is_some() || plan.upstream_text.as_deref().unwrap_or(source) != &**sent
    }

    /// The first EXECUTE among the statements whose prepared text was decided under other circumstances than it would meet.
    fn stale_execute(&self, statements: &[StatementPlan]) -> Option<Complaint> {
        if !statements.iter().any(|statement| matches!(statement.effect, Effect::Execute(_))) {
            return None;
        }
        let ground = self.ground.as_ref()?;
        let mut settings = self.predicted.clone();
        let mut made_here: Vec<(&str, Arc<Prepared>)> = Vec::new();
        for statement in statements {
            let now = Circumstances::new(ground.registry.generation, settings.current(), &ground.role);
            match &statement.effect {
                Effect::Execute(name) => {
                    let here = made_here.iter().rev().find(|(other, _)| other == name).map(|(_, prepared)| prepared);
                    let prepared = here.or_else(|| self.overlay.statement(&self.names, name.as_bytes()));
                    let stale = prepared.is_some_and(|it| it.is_stale(&now) && self.differs(it, &settings));
                    if stale {
                        return Some(Complaint::StalePrepared { name: name.clone() });
                    }
                    // The statements behind it were decided without what it changes.
                    if statements.len() > 1 && self.predicts_risk(&statement.effect) {
                        return Some(Complaint::HiddenChange { name: name.clone() });
                    }
                }
                effect @ Effect::Prepare { name, .. } => {
                    made_here.extend(prepared_by_sql(effect, now).map(|prepared| (name.as_str(), prepared)));
                }
                effect => settings.apply(effect),
            }
        }
        None
    }
}

fn stale(name: &[u8]) -> Complaint {
    Complaint::StalePrepared { name: String::from_utf8_lossy(name).into_owned() }
}
