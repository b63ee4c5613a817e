//! Cancel requests: clients', passed on as they came and answered by a close and nothing else (C1), and Sexton's own.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::net::stream::Stream;
use crate::net::upstream::{Place, Upstream, places};

/// How long a cancel may take in all, its wait for a turn included (C4).
const CANCEL_TIMEOUT: Duration = Duration::from_secs(10);
/// Cancel requests under way at once (C4).
pub(crate) const CANCELS_MAX: usize = 64;

/// Passes on a client's request. The client is closed when the servers have closed, as libpq relies on.
pub(crate) async fn relay(packet: &[u8], mut client: Stream, upstream: &Arc<Upstream>, turns: &Semaphore) {
    request(packet, upstream, turns).await;
    if let Err(error) = client.shutdown().await {
        tracing::debug!(%error, "a client left before its cancel was passed on");
    }
}

/// Sends `packet` to every place the upstream addresses stand for, as any of them may hold the session: the key is the
/// server's own, so no other can take it for one of its sessions (C5, C8). Ends when the servers have closed.
pub(crate) async fn request(packet: &[u8], upstream: &Arc<Upstream>, turns: &Semaphore) {
    let sending = async {
        let Ok(_turn) = turns.acquire().await else { return };
        let mut servers = JoinSet::new();
        for address in &upstream.settings.addresses {
            // At the same time: a server that is down must not hold up the cancel of a session on the next.
            for place in places(address).await.unwrap_or_default() {
                servers.spawn(send(packet.to_vec(), place, Arc::clone(upstream)));
            }
        }
        servers.join_all().await;
    };
    if timeout(CANCEL_TIMEOUT, sending).await.is_err() {
        tracing::warn!("a cancel request timed out");
    }
}

async fn send(packet: Vec<u8>, place: Place, upstream: Arc<Upstream>) {
    match upstream.reach(&place).await {
        Ok(mut stream) => {
            if stream.write_all(&packet).await.is_ok() {
                let mut nothing = [0; 16];
                while matches!(stream.read(&mut nothing).await, Ok(1..)) {}
            }
        }
        Err(error) => tracing::debug!(%error, ?place, "a cancel request could not be passed on"),
    }
}
