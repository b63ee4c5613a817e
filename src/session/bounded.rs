//! A map by hash that is shared by threads and bounded in bytes.
//!
//! What is found under a hash is a guess: whoever looks compares. Two values of one hash take turns.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dashmap::DashMap;

/// The map.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    slots: DashMap<u64, Slot<T>, BuildHasherDefault<AsItIs>>,
    bytes: AtomicUsize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Slot<T> {
    value: T,
    bytes: usize,
    /// Found since the last clearing out.
    used: AtomicBool,
}

/// The keys are hashes already.
#[derive(Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl<T> Bounded<T> {
    /// An empty map of at most about `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { slots: DashMap::default(), bytes: AtomicUsize::new(0), bytes_max }
    }

    /// What `pick` makes of the value under `hash`.
    pub(super) fn get<U>(&self, hash: u64, pick: impl FnOnce(&T) -> Option<U>) -> Option<U> {
        let slot = self.slots.get(&hash)?;
        let picked = pick(&slot.value)?;
        if !slot.used.load(Ordering::Relaxed) {
            slot.used.store(true, Ordering::Relaxed);
        }
        Some(picked)
    }

    /// Holds `value`, which takes `bytes`.
    pub(super) fn insert(&self, hash: u64, value: T, bytes: usize) {
        let removed = self.slots.insert(hash, Slot { value, bytes, used: AtomicBool::new(false) });
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_sub(removed.map_or(0, |old| old.bytes).min(before + bytes), Ordering::Relaxed);
        if before + bytes > self.bytes_max {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_bytes() {
        let map = Bounded::new(64 * 1024);
        for number in 0..2_000 {
            map.insert(number, number, 512);
            assert!(map.bytes.load(Ordering::Relaxed) <= 64 * 1024);
        }
        assert!(map.slots.len() < 200);
        assert_eq!(map.get(1_999, |number| Some(*number)), Some(1_999));
    }
}
