//! What may happen many times a second, and is logged once a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

/// How long it is counted before it is told.
const PAUSE: Duration = Duration::from_secs(1);

/// One such thing.
#[derive(Debug)]
pub(crate) struct Seldom {
    count: Arc<AtomicU64>,
    tell: fn(u64),
}

impl Seldom {
    /// A thing that `tell` logs, given how often it has happened.
    pub(crate) fn new(tell: fn(u64)) -> Self {
        Self { count: Arc::default(), tell }
    }

    /// It has happened.
    pub(crate) fn happens(&self, runtime: &Handle) {
        if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
            let (count, tell) = (Arc::clone(&self.count), self.tell);
            runtime.spawn(async move {
                sleep(PAUSE).await;
                tell(count.swap(0, Ordering::Relaxed));
            });
        }
    }
}
