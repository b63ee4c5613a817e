//! A client's way in: encryption declined, cancel requests told apart, the startup packet read from a copy.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::net::stream::Stream;
use crate::wire::backend::ErrorReport;
use crate::wire::sqlstate::SqlState;
use crate::wire::startup::{First, Startup, first};

/// What a client wants.
pub(crate) enum Opening {
    /// A session: the startup packet as it came, what it says, and bytes that arrived behind it.
    Session { packet: Bytes, startup: Startup, rest: BytesMut },
    /// To cancel a statement.
    Cancel(Bytes),
    /// Nothing, or nothing that can be understood; it has been told so.
    Nothing,
}

/// Reads up to the packet that says what the client wants.
pub(crate) async fn read(client: &mut Stream) -> Opening {
    let mut buffer = BytesMut::with_capacity(1024);
    let (mut ssl_asked, mut gss_asked) = (false, false);
    loop {
        match first(&buffer) {
            Ok(None) => match client.read_buf(&mut buffer).await {
                // Health checks connect and leave: no reason for a line in the log (N13).
                Ok(0) | Err(_) => return Opening::Nothing,
                Ok(_) => {}
            },
            Ok(Some((asked @ (First::Ssl | First::GssEncryption), bytes))) => {
                let again = std::mem::replace(if asked == First::Ssl { &mut ssl_asked } else { &mut gss_asked }, true);
                if buffer.len() > bytes {
                    // Sent before the answer: had it been S, they would count as encrypted (N4).
                    return refuse(client, "received unencrypted data after encryption request").await;
                }
                if again {
                    return refuse(client, "encryption was asked for twice").await;
                }
                buffer.clear();
                if client.write_all(b"N").await.is_err() {
                    return Opening::Nothing;
                }
            }
            Ok(Some((First::Cancel, bytes))) => return Opening::Cancel(buffer.split_to(bytes).freeze()),
            Ok(Some((First::Startup(startup), bytes))) => {
                let packet = buffer.split_to(bytes).freeze();
                return Opening::Session { packet, startup, rest: buffer };
            }
            Err(fault) => return refuse(client, &fault.to_string()).await,
        }
    }
}

async fn refuse(client: &mut Stream, message: &str) -> Opening {
    fatal(client, SqlState::PROTOCOL_VIOLATION, message, None).await;
    Opening::Nothing
}

/// Ends a connection that has no session yet with an error.
pub(crate) async fn fatal(client: &mut Stream, code: SqlState, message: &str, hint: Option<&str>) {
    let mut bytes = BytesMut::new();
    ErrorReport { severity: "FATAL", code: code.0, message, detail: None, hint }.put(&mut bytes);
    let sent = async {
        client.write_all(&bytes).await?;
        client.shutdown().await
    };
    if let Err(error) = sent.await {
        tracing::debug!(%error, "a refused client left before it was told");
    }
}
