//! Decided texts, shared by the sessions that one thread serves in one database, and bounded in bytes.
//!
//! A text goes the first way that knows it: **exact**, it has been decided before; **shape**, a text that differs from
//! it in its constants alone has, and its edits are carried across; **parse**, it is read and decided. A shape is looked
//! for twice: the one that a text of the same beginning had last is compared with it as it stands, before the text is cut
//! into tokens.
//!
//! The key holds everything a decision depends on (R13): the text, the registry's generation, the session's state and
//! the role. An entry is found by a hash and believed only when all of it is equal.

use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::{FoldHasher, RandomState};

use crate::catalog::RoleFacts;
use crate::rewrite::state::State;
use crate::session::bounded::Bounded;
use crate::session::circumstances::Circumstances;
use crate::session::plan::Plan;
use crate::session::tally::{Path, Tally};
use crate::sql::constants::Constants;
use crate::sql::encoding::Encoding;

/// Longer texts are not remembered as they are: they are rarely sent twice.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Longer texts are not remembered by their shape either.
pub const SHAPE_BYTES_MAX: usize = 64 * 1024;
/// What one database's caches may take together, for each of the two ways.
pub const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// What a database's sessions may stand on at once.
const BASES_BYTES_MAX: usize = 1024 * 1024;
/// What an entry takes beside its texts.
const ENTRY_BYTES: usize = 512;
/// Hashes of texts that went by lately.
const SEEN: usize = 4096;
/// Beginnings of texts of which the last shape is kept.
const GUESSES: usize = 256;
/// Longer texts are not compared with the last one of their beginning. What is kept for that comes on top of
/// [`CACHE_BYTES_MAX`]: a few megabytes for a thread at most.
const GUESS_BYTES_MAX: usize = 4 * 1024;

/// Everything but its text that a decision depends on; equal ones are mostly one and the same.
#[derive(Debug, Clone)]
pub struct Basis(Arc<Facts>);

#[derive(Debug)]
struct Facts {
    circumstances: Circumstances,
    /// Of them, by the cache's own keys.
    hash: u64,
}

impl Basis {
    pub(super) fn circumstances(&self) -> &Circumstances {
        &self.0.circumstances
    }
}

impl PartialEq for Basis {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.circumstances == other.0.circumstances
    }
}

#[derive(Debug)]
struct Exact {
    basis: Basis,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Shape {
    basis: Basis,
    /// Of the first text of this shape.
    plan: Arc<Plan>,
    constants: Constants,
    /// The decision is the same for other constants.
    is_carried: bool,
}

/// The cache.
#[derive(Debug)]
pub struct PlanCache {
    hasher: RandomState,
    /// It is one thread's, which waits for nobody, but for the rare long statement that is decided elsewhere together
    /// with what came behind it.
    held: Mutex<Held>,
    /// How the texts went so far.
    pub tally: Tally,
}

#[derive(Debug)]
struct Held {
    bases: Bounded<Basis>,
    exact: Bounded<Exact>,
    shapes: Bounded<Arc<Shape>>,
    /// By the hash of a beginning.
    guesses: Box<[Option<Arc<Shape>>]>,
    /// A text with constants is remembered as it is once it comes again: most never do.
    seen: Box<[u64]>,
}

impl Default for PlanCache {
    fn default() -> Self {
        Self::new(CACHE_BYTES_MAX)
    }
}

impl PlanCache {
    /// An empty cache of at most about `bytes_max` bytes for each of the two ways.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        let held = Held {
            bases: Bounded::new(BASES_BYTES_MAX),
            exact: Bounded::new(bytes_max),
            shapes: Bounded::new(bytes_max),
            guesses: vec![None; GUESSES].into_boxed_slice(),
            seen: vec![0; SEEN].into_boxed_slice(),
        };
        Self { hasher: RandomState::default(), held: Mutex::new(held), tally: Tally::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the texts of a session are decided on; sessions that stand on the same get the same.
    #[must_use]
    pub fn basis(&self, generation: u64, state: &Arc<State>, role: &Arc<RoleFacts>) -> Basis {
        let hash = self.hasher.hash_one((generation, state, &role.name));
        let basis = Basis(Arc::new(Facts { circumstances: Circumstances::new(generation, state, role), hash }));
        let bases = &mut self.held().bases;
        bases.get(hash, |held| (*held == basis).then(|| held.clone())).unwrap_or_else(|| {
            bases.insert(hash, basis.clone(), ENTRY_BYTES);
            basis
        })
    }

    /// The plan for `text`, made by `make` where no way knows it; `make` decides any text on `basis`.
    pub fn plan(&self, text: &[u8], basis: &Basis, make: impl Fn(&[u8]) -> Plan) -> Arc<Plan> {
        if text.len() > SHAPE_BYTES_MAX {
            return Arc::new(self.parsed(text, &make));
        }
        let hash = self.hash(basis, |hasher| hasher.write(text));
        let held = &mut *self.held();
        let holds = |held: &Exact| held.plan.client_text == text && held.basis == *basis;
        if text.len() <= TEXT_BYTES_MAX
            && let Some(plan) = held.exact.get(hash, |held| holds(held).then(|| Arc::clone(&held.plan)))
        {
            self.tally.count(Path::Exact, &plan);
            return plan;
        }
        let (plan, comes_again) = match self.by_shape(held, text, basis, &make) {
            Some(plan) => {
                let seen = &mut held.seen[hash as usize % SEEN];
                (plan, std::mem::replace(seen, hash) == hash)
            }
            None => (Arc::new(self.parsed(text, &make)), true),
        };
        // A string of several statements may depend on more than the state: on savepoints, for one.
        if comes_again && text.len() <= TEXT_BYTES_MAX && plan.statements.len() <= 1 {
            let exact = Exact { basis: basis.clone(), plan: Arc::clone(&plan) };
            held.exact.insert(hash, exact, plan_bytes(&plan));
        }
        plan
    }

    fn hash(&self, basis: &Basis, write: impl FnOnce(&mut FoldHasher<'_>)) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(basis.0.hash);
        write(&mut hasher);
        hasher.finish()
    }

    fn parsed(&self, text: &[u8], make: &impl Fn(&[u8]) -> Plan) -> Plan {
        let plan = make(text);
        self.tally.count(if plan.depends { Path::Parse } else { Path::Negative }, &plan);
        plan
    }

    /// `None` for a text that cannot be known by its shape.
    fn by_shape(
        &self,
        held: &mut Held,
        text: &[u8],
        basis: &Basis,
        make: &impl Fn(&[u8]) -> Plan,
    ) -> Option<Arc<Plan>> {
        let state = &basis.circumstances().state;
        // Where characters may hold quotes, tokens cannot be told from bytes.
        if (state.client_encoding != Encoding::Utf8 && !text.is_ascii()) || state.strings_unknown {
            return None;
        }
        let guess = (text.len() <= GUESS_BYTES_MAX)
            .then(|| self.hash(basis, |hasher| hasher.write(beginning(text))) as usize % GUESSES);
        if let Some((shape, constants)) = guess.and_then(|guess| guessed(held.guesses[guess].as_ref()?, text, basis)) {
            return Some(self.carried(&shape, text, &constants, make));
        }
        let constants = Constants::find(text, state.standard_conforming_strings)?;
        let hash = self.hash(basis, |hasher| constants.hash_rest(text, hasher));
        let known = held.shapes.get(hash, |shape| {
            let holds =
                shape.constants.is_rest_equal(&shape.plan.client_text, &constants, text) && shape.basis == *basis;
            holds.then(|| Arc::clone(shape))
        });
        let (shape, plan) = match known {
            Some(shape) => {
                let plan = self.carried(&shape, text, &constants, make);
                (shape, plan)
            }
            None => {
                let plan = Arc::new(self.parsed(text, make));
                let bytes = plan_bytes(&plan) + constants.bytes();
                let shape = Arc::new(Shape::new(&plan, basis, constants, make));
                held.shapes.insert(hash, Arc::clone(&shape), bytes);
                (shape, plan)
            }
        };
        if let Some(guess) = guess
            && shape.plan.client_text.len() <= GUESS_BYTES_MAX
        {
            held.guesses[guess] = Some(shape);
        }
        Some(plan)
    }

    /// The plan for a text of that shape.
    fn carried(&self, shape: &Shape, text: &[u8], constants: &Constants, make: &impl Fn(&[u8]) -> Plan) -> Arc<Plan> {
        let carried = shape.is_carried.then(|| shape.plan.carried(&shape.constants, text, constants));
        Arc::new(match carried.flatten() {
            Some(plan) => {
                self.tally.count(Path::Shape, &plan);
                plan
            }
            None => self.parsed(text, make),
        })
    }
}

impl Shape {
    fn new(plan: &Arc<Plan>, basis: &Basis, constants: Constants, make: &impl Fn(&[u8]) -> Plan) -> Self {
        let depends = depends_of_shape(plan, &constants, make);
        let plan = match depends {
            Some(depends) if depends != plan.depends => Arc::new(Plan { depends, ..Plan::clone(plan) }),
            _ => Arc::clone(plan),
        };
        Self { basis: basis.clone(), plan, constants, is_carried: depends.is_some() }
    }
}

/// What texts of one shape mostly begin with: all in front of the first place where a constant is usual.
fn beginning(text: &[u8]) -> &[u8] {
    &text[..memchr::memchr3(b'=', b'(', b'\'', text).unwrap_or(text.len())]
}

/// The shape, where it can be seen at once that `text` is of it, and the constants of `text`.
fn guessed(shape: &Arc<Shape>, text: &[u8], basis: &Basis) -> Option<(Arc<Shape>, Constants)> {
    let constants = shape.constants.found_alike(&shape.plan.client_text, text)?;
    (shape.basis == *basis).then(|| (Arc::clone(shape), constants))
}

fn plan_bytes(plan: &Plan) -> usize {
    let edits: usize = plan.edits.iter().map(|edit| edit.text.len() + std::mem::size_of_val(edit)).sum();
    plan.client_text.len() + plan.upstream_text.as_ref().map_or(0, Vec::len) + edits + ENTRY_BYTES
}

/// What `depends` is for every text of the shape of `plan`'s; `None` where the constants have a say in the plan. They have
/// none where it decides one statement that only reads or writes rows, no rule looks at constants, and a text with
/// others gets the very same edits.
fn depends_of_shape(plan: &Plan, constants: &Constants, make: &impl Fn(&[u8]) -> Plan) -> Option<bool> {
    if !plan.is_blind_to_constants {
        return None;
    }
    let other = constants.replaced(&plan.client_text);
    // They hold no backslash.
    let others = Constants::find(&other, true)?;
    // Constants that touch may be others once they say something else.
    if !constants.is_rest_equal(&plan.client_text, &others, &other) {
        return None;
    }
    let decided = make(&other);
    let carried = plan.carried(constants, &other, &others)?;
    // A constant that looks like a name makes a text depend on what names mean: the safe answer is that all do.
    let depends = plan.depends || decided.depends;
    let is_blind_to_constants = true;
    let same = Plan { depends, ..carried } == Plan { depends, is_blind_to_constants, ..decided };
    same.then_some(depends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basis(cache: &PlanCache, generation: u64, state: &State, role: &RoleFacts) -> Basis {
        cache.basis(generation, &Arc::new(state.clone()), &Arc::new(role.clone()))
    }

    #[test]
    fn r13_a_plan_is_found_only_under_the_same_circumstances() {
        let cache = PlanCache::default();
        let (state, role) = (State::new(Some("a")), RoleFacts::ordinary("ann"));
        let plan = |basis: Basis| cache.plan(b"select", &basis, Plan::unchanged);
        let first = plan(basis(&cache, 1, &state, &role));
        let found = |basis| Arc::ptr_eq(&first, &plan(basis));
        assert!(found(basis(&cache, 1, &state, &role)));
        assert!(!found(basis(&cache, 2, &state, &role)));
        assert!(!found(basis(&cache, 1, &State::new(Some("b")), &role)));
        assert!(!found(basis(&cache, 1, &state, &RoleFacts { hard_deletes: true, ..role.clone() })));
    }
}
