//! A runtime on a thread of its own.

use std::io;
use std::thread;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct OwnThread {
    pub(super) runtime: Handle,
    /// Dropped, it ends the thread, which is all it is for.
    _running: oneshot::Sender<()>,
}

impl OwnThread {
    /// Starts `thread`, which does what is to be done `first` and then drives `runtime`.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn start(
        thread: thread::Builder,
        runtime: Runtime,
        first: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let handle = runtime.handle().clone();
        let (running, stopped) = oneshot::channel::<()>();
        thread.spawn(move || {
            first();
            drop(runtime.block_on(stopped));
            // What still blocks a thread, such as a host name's resolution, is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, _running: running })
    }
}
