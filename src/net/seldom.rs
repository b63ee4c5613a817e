//! A future that is polled only when it has something to say, beside one that is woken all the time.
//!
//! A relay's task wakes for every message. Timers and channels, polled along with it each time, would take their locks
//! for nothing; this keeps them asleep behind a waker of their own.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The future, and whether it wants to be polled.
pub(crate) struct Seldom<'a, F> {
    future: Pin<&'a mut F>,
    alarm: Arc<Alarm>,
    waker: Waker,
    /// The task's waker as the alarm has it.
    task: Option<Waker>,
}

struct Alarm {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<'a, F: Future> Seldom<'a, F> {
    /// A future that has not been polled yet.
    pub(crate) fn new(future: Pin<&'a mut F>) -> Self {
        let alarm = Arc::new(Alarm { rung: AtomicBool::new(true), task: Mutex::new(None) });
        let waker = Waker::from(Arc::clone(&alarm));
        Self { future, alarm, waker, task: None }
    }

    /// Polls the future where it has asked for it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        if !self.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            self.task = Some(cx.waker().clone());
            *self.alarm.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        }
        if !self.alarm.rung.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        self.alarm.rung.swap(false, Ordering::AcqRel);
        self.future.as_mut().poll(&mut Context::from_waker(&self.waker))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_is_polled_once_and_then_when_it_is_woken() {
        let mut polls = 0;
        let mut sleep = std::pin::pin!(tokio::time::sleep(Duration::from_millis(20)));
        let mut counted = std::pin::pin!(std::future::poll_fn(|cx| {
            polls += 1;
            sleep.as_mut().poll(cx)
        }));
        let mut seldom = Seldom::new(counted.as_mut());
        let mut wakes = 0;
        std::future::poll_fn(|cx| {
            let polled = seldom.poll(cx);
            wakes += 1;
            if wakes < 100 {
                cx.waker().wake_by_ref();
            }
            polled
        })
        .await;
        assert!(wakes >= 100, "the task was awake all the time: {wakes}");
        assert_eq!(polls, 2);
    }
}
