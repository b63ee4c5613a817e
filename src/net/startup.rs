//! A client's way in: the PROXY header of a load balancer, encryption, cancel requests told apart, and the startup
//! packet read from a copy.
//!
//! No byte is read that belongs to what follows: what arrives before a handshake must not count as encrypted (N4).

use std::io::ErrorKind;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::config::Network;
use crate::net::stream::Stream;
use crate::net::tls::ClientLeg;
use crate::wire::backend::FatalReport;
use crate::wire::proxy_protocol;
use crate::wire::sqlstate::SqlState;
use crate::wire::startup::{First, Startup, StartupFault, first};

/// What a TLS connection begins with: the content type of a handshake record.
const TLS_HANDSHAKE: u8 = 0x16;
/// The length field.
const LENGTH_BYTES: usize = 4;

const INJECTED: &str =
    "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.";

/// What a client wants.
pub(crate) enum Opening {
    /// A session: the startup packet as it came, and what it says.
    Session { client: Stream, packet: Bytes, startup: Startup },
    /// To cancel a statement.
    Cancel { client: Stream, packet: Bytes },
    /// Nothing, or nothing that can be understood; it has been told so.
    Nothing,
}

/// Ends a connection that has no session yet; `startup`: what it asked for, which may earn it a word on the protocol (P1).
pub(crate) async fn refuse(client: &mut Stream, report: FatalReport<'_>, startup: Option<&Startup>) {
    let mut bytes = BytesMut::new();
    if let Some(startup) = startup {
        startup.put_negotiation(&mut bytes);
    }
    report.put(&mut bytes);
    let sent = async {
        client.write_all(&bytes).await?;
        client.shutdown().await
    };
    if let Err(error) = sent.await {
        tracing::debug!(%error, "a refused client left before it was told");
    }
}

/// Reads the PROXY header where `peer` is one that sends it (N14), and answers with the client's own address; `None`
/// where the connection must end.
pub(crate) async fn origin(client: &mut Stream, peer: SocketAddr, trusted: &[Network]) -> Option<SocketAddr> {
    if !trusted.iter().any(|network| network.contains(peer.ip())) {
        return Some(peer);
    }
    let mut buffer = Vec::with_capacity(proxy_protocol::LINE_BYTES_MAX);
    loop {
        match proxy_protocol::header(&buffer) {
            Ok(Some((source, _))) => return Some(source.unwrap_or(peer)),
            Ok(None) => {
                let start = buffer.len();
                buffer.resize(start + proxy_protocol::bytes_wanted(&buffer), 0);
                client.read_exact(&mut buffer[start..]).await.ok()?;
            }
            Err(error) => {
                tracing::warn!(%peer, %error, "a trusted proxy's connection is closed");
                return None;
            }
        }
    }
}

/// Reads up to the packet that says what the client wants; `tls`: what the listener has, if it has.
pub(crate) async fn read(mut client: Stream, tls: Option<&ClientLeg>) -> Opening {
    // A unix socket needs no TLS, and the server never offers it there (N7).
    let tls = tls.filter(|_| matches!(client, Stream::Tcp(_)));
    if begins_with_tls(&client).await {
        return match (tls, client) {
            (Some(tls), Stream::Tcp(socket)) => encrypted(tls, socket, true).await,
            _ => Opening::Nothing,
        };
    }
    let (mut ssl_asked, mut gss_asked) = (false, false);
    loop {
        let asked = match packet(&mut client).await {
            Ok(Some((asked @ (First::Ssl | First::GssEncryption), _))) => asked,
            other => return decide(client, other, tls).await,
        };
        let again = std::mem::replace(if asked == First::Ssl { &mut ssl_asked } else { &mut gss_asked }, true);
        if again {
            return decide(client, Err(StartupFault::repeated(&asked)), tls).await;
        }
        let name = if asked == First::Ssl { "SSL" } else { "GSSAPI encryption" };
        if client.has_unread().await {
            return injected(client, name).await;
        }
        let accepted = tls.filter(|_| asked == First::Ssl);
        if client.write_all(if accepted.is_some() { b"S" } else { b"N" }).await.is_err() {
            return Opening::Nothing;
        }
        client = match (accepted, client) {
            (Some(tls), Stream::Tcp(socket)) => return encrypted(tls, socket, false).await,
            (_, client) => client,
        };
    }
}

/// Sent before the answer: had it been taken after the handshake, it would count as encrypted (N4).
async fn injected(mut client: Stream, name: &str) -> Opening {
    let message = format!("received unencrypted data after {name} request");
    tracing::warn!("{message}");
    let report = FatalReport { detail: Some(INJECTED), ..FatalReport::new(SqlState::PROTOCOL_VIOLATION, &message) };
    refuse(&mut client, report, None).await;
    Opening::Nothing
}

async fn begins_with_tls(client: &Stream) -> bool {
    let Stream::Tcp(socket) = client else { return false };
    let mut byte = [0];
    matches!(socket.peek(&mut byte).await, Ok(1)) && byte[0] == TLS_HANDSHAKE
}

/// Shakes hands and reads the packet behind it, where no encryption can be asked for any more.
async fn encrypted(tls: &ClientLeg, socket: tokio::net::TcpStream, direct: bool) -> Opening {
    let mut client = match tls.accept(socket, direct).await {
        Ok(client) => client,
        Err(error) => {
            match error.kind() {
                ErrorKind::UnexpectedEof => tracing::debug!("a client left before its TLS handshake"),
                _ => tracing::info!(%error, "a TLS handshake failed"),
            }
            return Opening::Nothing;
        }
    };
    let read = match packet(&mut client).await {
        Ok(Some((asked @ (First::Ssl | First::GssEncryption), _))) => Err(StartupFault::repeated(&asked)),
        other => other,
    };
    decide(client, read, Some(tls)).await
}

async fn decide(
    mut client: Stream,
    read: Result<Option<(First, Bytes)>, StartupFault>,
    tls: Option<&ClientLeg>,
) -> Opening {
    match read {
        // In clear also where TLS is required: libpq before 17 and many drivers know no other way (C2).
        Ok(Some((First::Cancel, packet))) => Opening::Cancel { client, packet },
        Ok(Some((First::Startup(startup), packet))) => {
            if !client.is_tls() && tls.is_some_and(|tls| tls.required) {
                let message = "sexton: this listener takes encrypted connections only";
                let report = FatalReport::new(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message)
                    .hint("Connect with sslmode=require, or stricter.");
                refuse(&mut client, report, Some(&startup)).await;
                return Opening::Nothing;
            }
            Opening::Session { client, packet, startup }
        }
        // Health checks connect and leave: no reason for a line in the log (N13).
        Ok(None | Some((First::Ssl | First::GssEncryption, _))) => Opening::Nothing,
        // As the server does: whoever sends this speaks another protocol.
        Err(StartupFault::Length) => Opening::Nothing,
        Err(fault) => {
            refuse(&mut client, FatalReport::new(fault.code(), &fault.to_string()), None).await;
            Opening::Nothing
        }
    }
}

/// One packet and not a byte more; `None` where the client has gone.
async fn packet(client: &mut Stream) -> Result<Option<(First, Bytes)>, StartupFault> {
    let mut buffer = vec![0; LENGTH_BYTES];
    if client.read_exact(&mut buffer).await.is_err() {
        return Ok(None);
    }
    // Checks the length before anything is made as long as it says (F2).
    first(&buffer)?;
    let length = u32::from_be_bytes([buffer[0], buffer[1], buffer[2], buffer[3]]) as usize;
    buffer.resize(length, 0);
    if client.read_exact(&mut buffer[LENGTH_BYTES..]).await.is_err() {
        return Ok(None);
    }
    Ok(first(&buffer)?.map(|(first, _)| (first, Bytes::from(buffer))))
}
