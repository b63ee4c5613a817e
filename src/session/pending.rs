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
    /// The batch that has no end yet holds something risky. Answered or not: what it did may be undone at its end.
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
    ///
    /// `risky`: its success decides how later messages are to be read.
    pub(crate) fn push(&mut self, entry: Entry, risky: bool) {
        if self.slots.is_empty() && matches!(entry, Entry::CopyEnd) {
            return;
        }
        self.open_is_risky |= risky;
        let is_end = entry.is_end();
        let holds = is_end && std::mem::take(&mut self.open_is_risky);
        self.ends += usize::from(is_end);
        self.holding_ends += usize::from(holds);
        self.slots.push_back(Slot { entry, holds });
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
        self.uncount(&slot);
        Some(slot.entry)
    }

    /// After an error among extended messages: drops everything up to the next Sync, a Query included (E5).
    /// False where no Sync has been sent yet.
    pub(crate) fn skip_to_sync(&mut self) -> bool {
        while let Some(slot) = self.slots.front_mut() {
            if let Entry::Sync = slot.entry {
                // Whether the transaction is over with it, the end tells: a COMMIT may have failed.
                self.holding_ends += usize::from(!std::mem::replace(&mut slot.holds, true));
                return true;
            }
            if let Some(slot) = self.slots.pop_front() {
                self.uncount(&slot);
            }
        }
        self.open_is_risky = true;
        false
    }

    /// After CopyInResponse: the Syncs sent right behind the copying statement are read as part of the copy (K1).
    /// True where the copy's end has been sent already.
    pub(crate) fn drop_syncs_in_copy(&mut self) -> bool {
        while matches!(self.slots.get(1), Some(Slot { entry: Entry::Sync, .. })) {
            self.remove_behind_head();
        }
        self.copy_end_follows()
    }

    /// The copy is over: its end needs no marker any more.
    pub(crate) fn drop_copy_end(&mut self) {
        if self.copy_end_follows() {
            self.remove_behind_head();
        }
    }

    /// The server took the message behind the copying statement for a violation, and ate it.
    pub(crate) fn drop_offender_in_copy(&mut self) {
        if self.slots.len() > 1 && !self.copy_end_follows() {
            self.remove_behind_head();
        }
    }

    fn copy_end_follows(&self) -> bool {
        matches!(self.slots.get(1), Some(Slot { entry: Entry::CopyEnd, .. }))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().map(|slot| &slot.entry)
    }

    fn uncount(&mut self, slot: &Slot) {
        self.ends -= usize::from(slot.entry.is_end());
        self.holding_ends -= usize::from(slot.holds);
    }

    /// Without an end, its batch is part of the one behind it.
    fn remove_behind_head(&mut self) {
        let Some(removed) = self.slots.remove(1) else { return };
        self.uncount(&removed);
        if removed.holds {
            match self.slots.iter_mut().skip(1).find(|slot| slot.entry.is_end()) {
                Some(end) => self.holding_ends += usize::from(!std::mem::replace(&mut end.holds, true)),
                None => self.open_is_risky = true,
            }
        }
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
        assert!(pending.holds(), "what failed is over with its end");
        pending.pop();
        assert!(!pending.holds());
    }

    #[test]
    fn a_batch_whose_end_is_no_end_holds_with_the_next() {
        let mut pending = Pending::default();
        for (entry, risky) in [(execute(), true), (Entry::Sync, false), (execute(), false), (Entry::Sync, false)] {
            pending.push(entry, risky);
        }
        assert!(!pending.drop_syncs_in_copy());
        assert_eq!(pending.ends(), 1);
        for _ in 0..2 {
            pending.pop();
            assert!(pending.holds());
        }
        pending.pop();
        assert!(!pending.holds());
        pending.push(execute(), true);
        pending.push(Entry::Sync, false);
        pending.drop_syncs_in_copy();
        assert_eq!((pending.ends(), pending.holds()), (0, false));
        pending.push(Entry::Sync, false);
        assert!(pending.holds());
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
