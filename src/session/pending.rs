//! The replies that are owed: one entry for each message sent that earns one, in order.
//!
//! Without it no reply can be told to belong to a statement; with several Syncs under way a flag would not do (E2).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::session::complaint::Complaint;
use crate::session::names::Name;
use crate::session::plan::Plan;
use crate::session::prepared::Prepared;

/// One message that earns a reply. Kept small: every message that is sent moves one in and out of the queue.
#[derive(Debug)]
pub(crate) enum Entry {
    Parse {
        name: Name,
        prepared: Arc<Prepared>,
        /// Why it will fail, where Sexton made it fail.
        complaint: Option<Box<Complaint>>,
        /// Sexton sent it: the client must not see its reply.
        swallow: bool,
    },
    Bind {
        portal: Name,
        statement: Name,
    },
    DescribeStatement {
        name: Name,
    },
    DescribePortal {
        portal: Name,
    },
    Execute {
        portal: Name,
    },
    CloseStatement {
        name: Name,
        swallow: bool,
    },
    ClosePortal {
        portal: Name,
    },
    Sync,
    Query(Query),
    FunctionCall,
    /// CopyDone or CopyFail: earns nothing itself, but tells which Syncs the server read as part of the copy (K1).
    CopyEnd,
}

/// A simple Query under way.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) plan: Arc<Plan>,
    pub(crate) complaint: Option<Box<Complaint>>,
    /// The statement whose reply comes next.
    pub(crate) next: usize,
    /// The registry's generation that it was decided under.
    pub(crate) generation: u64,
}

impl Entry {
    /// True for messages answered by ReadyForQuery: they end a batch.
    pub(crate) fn is_end(&self) -> bool {
        match self {
            Self::Sync | Self::Query(_) | Self::FunctionCall => true,
            Self::Parse { .. }
            | Self::Bind { .. }
            | Self::DescribeStatement { .. }
            | Self::DescribePortal { .. }
            | Self::Execute { .. }
            | Self::CloseStatement { .. }
            | Self::ClosePortal { .. }
            | Self::CopyEnd => false,
        }
    }
}

#[derive(Debug)]
struct Slot {
    entry: Entry,
    /// Its success decides how later messages are to be read.
    risky: bool,
    /// The end of a batch that holds something risky.
    holds: bool,
}

/// Replies that may be owed before nothing more is asked for. A server keeps back fewer than that: 8 KiB of five bytes each.
const OWED_MAX: usize = 16 * 1024;

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    slots: VecDeque<Slot>,
    ends: usize,
    holding_ends: usize,
    open_is_risky: bool,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// True where so much is owed that the server is to answer first: a message of five bytes takes an entry of many.
    pub(crate) fn is_full(&self) -> bool {
        self.slots.len() >= OWED_MAX
    }

    /// Batches that are complete and not yet answered.
    pub(crate) fn ends(&self) -> usize {
        self.ends
    }

    /// True while a complete, unanswered batch may change what decides rewriting: nothing may be decided before it is answered.
    pub(crate) fn holds(&self) -> bool {
        self.holding_ends > 0
    }

    /// Queues an entry; the end of a copy says nothing in front of all others.
    pub(crate) fn push(&mut self, entry: Entry, risky: bool) {
        if self.slots.is_empty() && matches!(entry, Entry::CopyEnd) {
            return;
        }
        let mut slot = Slot { entry, risky, holds: false };
        self.count(&mut slot);
        self.slots.push_back(slot);
    }

    fn count(&mut self, slot: &mut Slot) {
        self.open_is_risky |= slot.risky;
        if slot.entry.is_end() {
            slot.holds = self.open_is_risky;
            self.open_is_risky = false;
            self.ends += 1;
            self.holding_ends += usize::from(slot.holds);
        }
    }

    /// The entry that the next reply belongs to.
    pub(crate) fn head(&mut self) -> Option<&mut Entry> {
        self.slots.front_mut().map(|slot| &mut slot.entry)
    }

    pub(crate) fn pop(&mut self) -> Option<Entry> {
        let slot = self.slots.pop_front()?;
        while let Some(Slot { entry: Entry::CopyEnd, .. }) = self.slots.front() {
            self.slots.pop_front();
        }
        self.ends -= usize::from(slot.entry.is_end());
        self.holding_ends -= usize::from(slot.holds);
        if self.slots.is_empty() {
            self.open_is_risky = false;
        }
        Some(slot.entry)
    }

    /// After an error among extended messages: drops everything up to the next Sync, a Query included (E5).
    /// False where no Sync has been sent yet.
    pub(crate) fn skip_to_sync(&mut self) -> bool {
        let found = self.slots.iter().position(|slot| matches!(slot.entry, Entry::Sync));
        self.slots.drain(..found.unwrap_or(self.slots.len()));
        self.recount();
        found.is_some()
    }

    /// After CopyInResponse: the Syncs sent right behind the copying statement are read as part of the copy (K1).
    /// True where the copy's end has been sent already.
    pub(crate) fn drop_syncs_in_copy(&mut self) -> bool {
        while matches!(self.slots.get(1), Some(Slot { entry: Entry::Sync, .. })) {
            self.slots.remove(1);
        }
        self.recount();
        self.copy_end_follows()
    }

    /// The copy is over: its end needs no marker any more.
    pub(crate) fn drop_copy_end(&mut self) {
        if self.copy_end_follows() {
            self.slots.remove(1);
        }
    }

    /// The server took the message behind the copying statement for a violation, and ate it.
    pub(crate) fn drop_offender_in_copy(&mut self) {
        if self.slots.len() > 1 && !self.copy_end_follows() {
            self.slots.remove(1);
            self.recount();
        }
    }

    fn copy_end_follows(&self) -> bool {
        matches!(self.slots.get(1), Some(Slot { entry: Entry::CopyEnd, .. }))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().map(|slot| &slot.entry)
    }

    fn recount(&mut self) {
        (self.ends, self.holding_ends, self.open_is_risky) = (0, 0, false);
        let mut slots = std::mem::take(&mut self.slots);
        for slot in &mut slots {
            self.count(slot);
        }
        self.slots = slots;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execute() -> Entry {
        Entry::Execute { portal: Name::new() }
    }

    #[test]
    fn a_risky_batch_holds_until_its_end_is_popped() {
        let mut pending = Pending::default();
        pending.push(execute(), true);
        assert!(!pending.holds(), "within one batch prediction is exact");
        pending.push(Entry::Sync, false);
        assert!(pending.holds());
        pending.pop();
        assert!(pending.holds());
        pending.pop();
        assert!(!pending.holds());
        pending.push(Entry::Sync, false);
        assert!(!pending.holds(), "a new batch starts without risk");
    }

    #[test]
    fn e5_an_error_drops_everything_up_to_the_sync() {
        let mut pending = Pending::default();
        pending.push(execute(), false);
        pending.push(Entry::FunctionCall, false);
        assert_eq!(pending.ends(), 1);
        assert!(!pending.skip_to_sync());
        assert!(pending.is_empty());
        assert_eq!(pending.ends(), 0);
        pending.push(execute(), true);
        pending.push(Entry::Sync, false);
        pending.push(execute(), false);
        pending.push(Entry::Sync, false);
        assert!(pending.skip_to_sync());
        assert_eq!(pending.ends(), 2);
        assert!(!pending.holds(), "what failed holds nothing");
    }

    #[test]
    fn k1_syncs_inside_a_copy_earn_nothing() {
        let mut pending = Pending::default();
        for entry in [execute(), Entry::Sync, Entry::CopyEnd, Entry::Sync] {
            pending.push(entry, false);
        }
        assert!(pending.drop_syncs_in_copy());
        assert_eq!(pending.ends(), 1);
        assert!(matches!(pending.pop(), Some(Entry::Execute { .. })));
        assert!(matches!(pending.pop(), Some(Entry::Sync)), "the marker is passed over");
    }
}
