//! The state that rewriting depends on, followed through transactions and savepoints as PostgreSQL scopes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::rewrite::outcome::Effect;
use crate::rewrite::state::{Changes, State};

/// One transaction or savepoint that may still be rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Level {
    /// `None` for the transaction itself.
    savepoint: Option<String>,
    current: Arc<State>,
    at_commit: Arc<State>,
}

/// A session's state with what every open transaction and savepoint would bring back.
///
/// States are shared as long as they are the same: a transaction that sets nothing costs no copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    start: Arc<State>,
    current: Arc<State>,
    /// The state once the transaction commits: SET LOCAL has no part in it.
    at_commit: Arc<State>,
    levels: Vec<Level>,
    in_block: bool,
    /// The block has failed: its COMMIT rolls back.
    has_failed: bool,
}

impl Settings {
    /// A session that starts with `start`, which RESET and DISCARD ALL go back to.
    #[must_use]
    pub fn new(start: State) -> Self {
        let start = Arc::new(start);
        let (current, at_commit) = (Arc::clone(&start), Arc::clone(&start));
        Self { start, current, at_commit, levels: Vec::new(), in_block: false, has_failed: false }
    }

    /// The state the next statement is read under.
    #[must_use]
    pub fn current(&self) -> &Arc<State> {
        &self.current
    }

    /// Holds `state` in place of states that are equal to it: what is one and the same is compared at once.
    pub fn share(&mut self, state: &Arc<State>) {
        for held in [&mut self.start, &mut self.current, &mut self.at_commit] {
            if *held == *state {
                *held = Arc::clone(state);
            }
        }
    }

    /// True inside BEGIN … COMMIT.
    #[must_use]
    pub fn in_block(&self) -> bool {
        self.in_block
    }

    /// True where COMMIT will roll back.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Takes the block as failed, or not, as the server has reported it.
    pub fn set_failed(&mut self, has_failed: bool) {
        self.has_failed = has_failed;
    }

    /// Changes the state outside any transaction's reach, as a ParameterStatus report does.
    pub fn report(&mut self, change: impl Fn(&mut State)) {
        self.both(change);
    }

    /// Changes the values that RESET goes back to as well: for what the server reports before the session starts.
    pub fn report_start(&mut self, change: impl Fn(&mut State)) {
        change(Arc::make_mut(&mut self.start));
        self.report(change);
    }

    /// Applies what one successful statement did. `effect` is what its command tag confirms.
    pub fn apply(&mut self, effect: &Effect) {
        if self.levels.is_empty() {
            self.push(None);
        }
        match effect {
            Effect::None | Effect::Prepare { .. } | Effect::Execute(_) | Effect::Deallocate(_) => {}
            Effect::Schema(changes) => self.both(|state| state.changes.add(changes)),
            Effect::SchemaUnder { name, fresh, changes } => self.both(|state| {
                state.changes.add(changes);
                state.fresh.insert(name.clone(), *fresh);
            }),
            Effect::Unsettled { schema } => self.both(|state| {
                state.unsettle();
                if *schema {
                    state.changes.add(&Changes::of_everything());
                }
            }),
            Effect::Begin => self.in_block = true,
            Effect::Commit { chain } => self.finish(!self.has_failed, *chain),
            Effect::Rollback { chain } => self.finish(false, *chain),
            Effect::Savepoint(name) => self.push(Some(name.clone())),
            Effect::Release(name) => {
                if let Some(index) = self.savepoint(name) {
                    self.levels.truncate(index);
                }
            }
            Effect::RollbackTo(name) => {
                if let Some(index) = self.savepoint(name) {
                    self.has_failed = false;
                    self.levels.truncate(index + 1);
                    self.restore(index);
                }
            }
            Effect::Set { local, setting } => {
                Arc::make_mut(&mut self.current).set(setting, &self.start);
                if !local {
                    Arc::make_mut(&mut self.at_commit).set(setting, &self.start);
                }
            }
            Effect::DiscardAll => {
                let start = Arc::clone(&self.start);
                self.both(|state| {
                    state.discard_temporary();
                    state.reset(State { temporary: BTreeSet::new(), ..State::clone(&start) });
                });
            }
            Effect::DiscardTemp => self.both(State::discard_temporary),
            // The server leaves role and session_authorization as they are.
            Effect::ResetAll => {
                let start = Arc::clone(&self.start);
                self.both(|state| {
                    let temporary = std::mem::take(&mut state.temporary);
                    let (session_user, role) = (state.session_user.clone(), state.role.clone());
                    state.reset(State { temporary, session_user, role, ..State::clone(&start) });
                });
            }
            Effect::CreateTemporary { name, until_commit } => {
                Arc::make_mut(&mut self.current).temporary.insert(name.clone());
                if !until_commit {
                    Arc::make_mut(&mut self.at_commit).temporary.insert(name.clone());
                }
            }
            Effect::DropTemporary { names, changes } => self.both(|state| {
                state.temporary.retain(|name| !names.contains(name));
                state.changes.add(changes);
            }),
        }
    }

    /// Ends a simple query or a batch up to Sync outside a transaction block: what it did is kept, or undone after an error.
    pub fn end_batch(&mut self, succeeded: bool) {
        // Without a level nothing has been applied: the common case, which must not cost a copy.
        if !self.in_block && !self.levels.is_empty() {
            self.finish(succeeded, false);
        }
    }

    /// Takes the state as rolled back: the server reported that no transaction is open any more after a failure.
    pub fn abort(&mut self) {
        self.finish(false, false);
    }

    /// Takes a transaction block as open: the server reported one that no statement's effect had announced.
    pub fn enter_block(&mut self) {
        if self.levels.is_empty() {
            self.push(None);
        }
        self.in_block = true;
    }

    fn finish(&mut self, succeeded: bool, chain: bool) {
        if succeeded {
            self.current = Arc::clone(&self.at_commit);
        } else if !self.levels.is_empty() {
            self.restore(0);
        }
        self.levels.clear();
        self.has_failed = false;
        self.in_block = chain;
        if chain {
            self.push(None);
        }
    }

    fn push(&mut self, savepoint: Option<String>) {
        let (current, at_commit) = (Arc::clone(&self.current), Arc::clone(&self.at_commit));
        self.levels.push(Level { savepoint, current, at_commit });
    }

    fn restore(&mut self, index: usize) {
        self.current = Arc::clone(&self.levels[index].current);
        self.at_commit = Arc::clone(&self.levels[index].at_commit);
    }

    fn savepoint(&self, name: &str) -> Option<usize> {
        self.levels.iter().rposition(|level| level.savepoint.as_deref() == Some(name))
    }

    fn both(&mut self, change: impl Fn(&mut State)) {
        let is_one = Arc::ptr_eq(&self.current, &self.at_commit);
        change(Arc::make_mut(&mut self.current));
        if is_one {
            self.at_commit = Arc::clone(&self.current);
        } else {
            change(Arc::make_mut(&mut self.at_commit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::outcome::Setting;
    use crate::rewrite::state::SearchPath;

    fn path(settings: &Settings) -> &str {
        match &settings.current().search_path {
            SearchPath::Known(text) => text,
            SearchPath::Unknown => "?",
        }
    }

    fn set(local: bool, text: &str) -> Effect {
        Effect::Set { local, setting: Setting::SearchPath(Some(text.into())) }
    }

    fn started() -> Settings {
        Settings::new(State::new(Some("start")))
    }

    #[test]
    fn set_local_ends_with_the_transaction() {
        let mut settings = started();
        for effect in [Effect::Begin, set(false, "a"), set(true, "b")] {
            settings.apply(&effect);
        }
        assert_eq!(path(&settings), "b");
        settings.apply(&Effect::Commit { chain: false });
        assert_eq!(path(&settings), "a");
    }

    #[test]
    fn rollback_to_a_savepoint_brings_its_state_back() {
        let mut settings = started();
        for effect in [Effect::Begin, set(false, "a"), Effect::Savepoint("s".into()), set(false, "b")] {
            settings.apply(&effect);
        }
        settings.apply(&Effect::RollbackTo("s".into()));
        assert_eq!(path(&settings), "a");
        settings.apply(&Effect::Rollback { chain: false });
        assert_eq!(path(&settings), "start");
    }

    #[test]
    fn a_failed_batch_outside_a_block_undoes_its_settings() {
        let mut settings = started();
        settings.apply(&set(false, "a"));
        settings.end_batch(false);
        assert_eq!(path(&settings), "start");
        settings.apply(&set(false, "b"));
        settings.end_batch(true);
        assert_eq!(path(&settings), "b");
    }

    #[test]
    fn a_block_survives_the_end_of_a_batch() {
        let mut settings = started();
        settings.apply(&Effect::Begin);
        settings.apply(&set(true, "a"));
        settings.end_batch(true);
        assert_eq!(path(&settings), "a");
    }
}
