//! Timers for threads that keep none themselves.
//!
//! A runtime that keeps time reads the clock whenever it waits for bytes, and is woken for its timers. The threads that
//! serve clients set few timers and wait for bytes all the time: one other thread keeps time for them all.

use std::cell::OnceCell;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::{Instant, Sleep, Timeout};

use crate::net::own_thread::OwnThread;

thread_local! {
    static KEEPER: OnceCell<Clock> = const { OnceCell::new() };
}

/// The thread that keeps time; it ends when nobody holds this any more.
#[derive(Debug, Clone)]
pub(super) struct Clock(Arc<OwnThread>);

impl Clock {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let thread = thread::Builder::new().name("sexton-clock".to_owned());
        Ok(Self(Arc::new(OwnThread::start(thread, runtime, || ())?)))
    }

    /// Has the timers of the calling thread kept here from now on.
    pub(super) fn keep_for_this_thread(self) {
        KEEPER.with(|keeper| drop(keeper.set(self)));
    }
}

/// Makes a timer where it is kept.
fn kept<T>(make: impl FnOnce() -> T) -> T {
    KEEPER.with(|keeper| {
        let _entered = keeper.get().map(|clock| clock.0.runtime.enter());
        make()
    })
}

/// [`tokio::time::sleep`] on any thread.
pub(super) fn sleep(duration: Duration) -> Sleep {
    kept(|| tokio::time::sleep(duration))
}

/// [`tokio::time::sleep_until`] on any thread.
pub(super) fn sleep_until(deadline: Instant) -> Sleep {
    kept(|| tokio::time::sleep_until(deadline))
}

/// [`tokio::time::timeout`] on any thread.
pub(super) fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    kept(|| tokio::time::timeout(duration, future))
}

/// [`tokio::time::timeout_at`] on any thread.
pub(super) fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    kept(|| tokio::time::timeout_at(deadline, future))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_without_timers_has_them_kept() {
        let clock = Clock::start().expect("a thread");
        let waited = thread::spawn(move || {
            clock.keep_for_this_thread();
            let runtime = Builder::new_current_thread().enable_io().build().expect("a runtime");
            runtime.block_on(async {
                sleep(Duration::from_millis(5)).await;
                timeout(Duration::from_millis(5), std::future::pending::<()>()).await.is_err()
            })
        });
        assert!(waited.join().expect("no panic"));
    }
}
