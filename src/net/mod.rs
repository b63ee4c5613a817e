//! Sockets and time: listener, relay, upstream, cancel, catalog loading.
