//! Decided texts, shared by the sessions of one database and bounded in bytes.
//!
//! The key holds everything a decision depends on (R13): the text, the registry's generation, the session's state and
//! the role. An entry is found by a hash and believed only when all four are equal.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dashmap::DashMap;

use crate::catalog::RoleFacts;
use crate::rewrite::state::State;
use crate::session::plan::Plan;

/// Longer texts are decided anew each time: they are rarely sent twice.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// What one database's cache may take.
pub const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// What an entry takes beside its texts.
const ENTRY_BYTES: usize = 512;

#[derive(Debug)]
struct Slot {
    generation: u64,
    state: Arc<State>,
    role: Arc<RoleFacts>,
    plan: Arc<Plan>,
    bytes: usize,
    /// Found since the last clearing out.
    used: AtomicBool,
}

/// The cache.
#[derive(Debug)]
pub struct PlanCache {
    slots: DashMap<u64, Slot>,
    hasher: RandomState,
    bytes: AtomicUsize,
    bytes_max: usize,
}

impl Default for PlanCache {
    fn default() -> Self {
        Self::new(CACHE_BYTES_MAX)
    }
}

impl PlanCache {
    /// An empty cache of at most about `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { slots: DashMap::new(), hasher: RandomState::new(), bytes: AtomicUsize::new(0), bytes_max }
    }

    /// The plan for `text` under these circumstances, made by `make` where it is not held.
    pub fn plan(
        &self,
        text: &[u8],
        generation: u64,
        state: &Arc<State>,
        role: &Arc<RoleFacts>,
        make: impl FnOnce() -> Plan,
    ) -> Arc<Plan> {
        if text.len() > TEXT_BYTES_MAX {
            return Arc::new(make());
        }
        let key = self.key(text, generation, state, role);
        if let Some(slot) = self.slots.get(&key)
            && slot.holds(text, generation, state, role)
        {
            slot.used.store(true, Ordering::Relaxed);
            return Arc::clone(&slot.plan);
        }
        let plan = Arc::new(make());
        // A string of several statements may depend on more than the state: on savepoints, for one.
        if plan.statements.len() <= 1 {
            self.insert(key, Slot::new(&plan, generation, state, role));
        }
        plan
    }

    fn key(&self, text: &[u8], generation: u64, state: &State, role: &RoleFacts) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        text.hash(&mut hasher);
        generation.hash(&mut hasher);
        state.hash(&mut hasher);
        role.name.hash(&mut hasher);
        hasher.finish()
    }

    fn insert(&self, key: u64, slot: Slot) {
        let added = slot.bytes;
        let removed = self.slots.insert(key, slot).map_or(0, |old| old.bytes);
        let before = self.bytes.fetch_add(added, Ordering::Relaxed);
        self.bytes.fetch_sub(removed.min(before + added), Ordering::Relaxed);
        if before + added > self.bytes_max {
            self.clear_out();
        }
    }

    /// Second chance: what was not found since the last time goes; where that is too little, everything goes.
    fn clear_out(&self) {
        self.slots.retain(|_, slot| slot.used.swap(false, Ordering::Relaxed));
        let mut kept = self.slots.iter().map(|slot| slot.bytes).sum();
        if kept > self.bytes_max / 4 * 3 {
            self.slots.clear();
            kept = 0;
        }
        self.bytes.store(kept, Ordering::Relaxed);
    }
}

impl Slot {
    fn new(plan: &Arc<Plan>, generation: u64, state: &Arc<State>, role: &Arc<RoleFacts>) -> Self {
        let edits: usize = plan.edits.iter().map(|edit| edit.text.len() + std::mem::size_of_val(edit)).sum();
        let texts = plan.client_text.len() + plan.upstream_text.as_ref().map_or(0, Vec::len);
        Self {
            generation,
            state: Arc::clone(state),
            role: Arc::clone(role),
            plan: Arc::clone(plan),
            bytes: texts + edits + ENTRY_BYTES,
            used: AtomicBool::new(false),
        }
    }

    fn holds(&self, text: &[u8], generation: u64, state: &Arc<State>, role: &Arc<RoleFacts>) -> bool {
        self.generation == generation
            && self.plan.client_text == text
            && (Arc::ptr_eq(&self.state, state) || self.state == *state)
            && (Arc::ptr_eq(&self.role, role) || self.role == *role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r13_a_plan_is_found_only_under_the_same_circumstances() {
        let cache = PlanCache::default();
        let (state, role) = (Arc::new(State::new(Some("a"))), Arc::new(RoleFacts::ordinary("ann")));
        let first = cache.plan(b"select", 1, &state, &role, || Plan::unchanged(b"select"));
        let found = |generation: u64, state: &Arc<State>, role: &Arc<RoleFacts>| {
            Arc::ptr_eq(&first, &cache.plan(b"select", generation, state, role, || Plan::unchanged(b"select")))
        };
        assert!(found(1, &Arc::new((*state).clone()), &role));
        assert!(!found(2, &state, &role));
        assert!(!found(1, &Arc::new(State::new(Some("b"))), &role));
        assert!(!found(1, &state, &Arc::new(RoleFacts { hard_deletes: true, ..RoleFacts::ordinary("ann") })));
    }

    #[test]
    fn the_cache_stays_within_its_bytes() {
        let cache = PlanCache::new(64 * 1024);
        let (state, role) = (Arc::new(State::new(None)), Arc::new(RoleFacts::ordinary("ann")));
        for number in 0..2_000 {
            let text = format!("select {number}").into_bytes();
            cache.plan(&text, 1, &state, &role, || Plan::unchanged(&text));
        }
        assert!(cache.bytes.load(Ordering::Relaxed) <= 64 * 1024);
        assert!(cache.slots.len() < 200);
    }
}
