//! Cancel requests: passed on as they came, answered by a close and nothing else (C1).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::config::UpstreamSettings;
use crate::net::stream::Stream;
use crate::net::upstream;

/// How long a cancel may take in all (C4).
const CANCEL_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends `packet` to every upstream address, as any of them may hold the session: the key is the server's own, so no
/// other can take it for one of its sessions (C5). The client is closed when the servers have closed, as libpq relies on.
pub(crate) async fn relay(packet: &[u8], client: Stream, settings: &UpstreamSettings) {
    let sending = async {
        for address in &settings.addresses {
            let Ok(mut stream) = upstream::connect_to(address).await else { continue };
            if stream.write_all(packet).await.is_ok() {
                let mut nothing = [0; 16];
                while matches!(stream.read(&mut nothing).await, Ok(1..)) {}
            }
        }
    };
    if timeout(CANCEL_TIMEOUT, sending).await.is_err() {
        tracing::warn!("a cancel request timed out");
    }
    drop(client);
}
