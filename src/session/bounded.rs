//! A map by hash that is bounded in bytes.
//!
//! What is found under a hash is a guess: whoever looks compares. Two values of one hash take turns.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The map.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    slots: HashMap<u64, Slot<T>, BuildHasherDefault<AsItIs>>,
    bytes: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Slot<T> {
    value: T,
    bytes: usize,
    /// Found since the last clearing out.
    used: bool,
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
        Self { slots: HashMap::default(), bytes: 0, bytes_max }
    }

    /// What `pick` makes of the value under `hash`.
    pub(super) fn get<U>(&mut self, hash: u64, pick: impl FnOnce(&T) -> Option<U>) -> Option<U> {
        let slot = self.slots.get_mut(&hash)?;
        let picked = pick(&slot.value)?;
        slot.used = true;
        Some(picked)
    }

    /// Holds `value`, which takes `bytes`.
    pub(super) fn insert(&mut self, hash: u64, value: T, bytes: usize) {
        let removed = self.slots.insert(hash, Slot { value, bytes, used: false });
        self.bytes += bytes;
        self.bytes -= removed.map_or(0, |old| old.bytes);
        if self.bytes > self.bytes_max {
            self.clear_out();
        }
    }

    /// Second chance: what was not found since the last time goes; where that is too little, everything goes.
    fn clear_out(&mut self) {
        self.slots.retain(|_, slot| std::mem::take(&mut slot.used));
        self.bytes = self.slots.values().map(|slot| slot.bytes).sum();
        if self.bytes > self.bytes_max / 4 * 3 {
            self.slots.clear();
            self.bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_bytes() {
        let mut map = Bounded::new(64 * 1024);
        for number in 0..2_000 {
            map.insert(number, number, 512);
            assert!(map.bytes <= 64 * 1024);
        }
        assert!(map.slots.len() < 200);
        assert_eq!(map.get(1_999, |number| Some(*number)), Some(1_999));
    }
}
