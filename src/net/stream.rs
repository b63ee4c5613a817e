//! A byte stream to a client or to PostgreSQL, whatever it runs over.

use std::future::Future;
use std::io;
use std::net::TcpStream as StdTcpStream;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BufMut;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;
use tokio_rustls::rustls::ConnectionCommon;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// A silent peer is asked for a sign of life after this long (X5), which is below the idle cuts of load balancers.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
/// And again after this long.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
/// This many questions unanswered end the connection.
const KEEPALIVE_PROBES: u32 = 6;
/// As much is encrypted at once (N9): eight records, one write.
const ENCRYPTED_BYTES_MAX: usize = 64 * 1024;

/// A client's socket that no runtime watches yet.
#[derive(Debug)]
pub(crate) enum Accepted {
    Tcp(StdTcpStream),
    Unix(StdUnixStream),
}

impl Accepted {
    /// The stream, watched by the runtime this is called on.
    pub(crate) fn watched(self) -> io::Result<Stream> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).and_then(Stream::tcp),
            Self::Unix(stream) => UnixStream::from_std(stream).map(Stream::Unix),
        }
    }
}

/// One connected socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<Tls>),
}

/// An encrypted connection.
#[derive(Debug)]
pub(crate) struct Tls {
    stream: TlsStream<TcpStream>,
    /// Bytes that are encrypted and not all sent: they are not reported as written yet, so that whoever writes knows
    /// from its own buffer that nothing is left here.
    unsent: usize,
}

impl Stream {
    /// Small messages at once, and dead peers found (X5).
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive.with_retries(KEEPALIVE_PROBES))?;
        Ok(Self::Tcp(stream))
    }

    /// A connection whose handshake is done.
    pub(crate) fn tls(stream: impl Into<TlsStream<TcpStream>>) -> Self {
        Self::Tls(Box::new(Tls { stream: stream.into(), unsent: 0 }))
    }

    /// True where it is encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The certificate the other side has shown.
    pub(crate) fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        match self {
            Self::Tls(tls) => tls.stream.get_ref().1.peer_certificates()?.first(),
            Self::Tcp(_) | Self::Unix(_) => None,
        }
    }

    /// Ready where a read may find something; a read may still have to wait.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
            // What is decrypted already makes no socket ready.
            Self::Tls(_) => Poll::Ready(Ok(())),
        }
    }

    /// Reads into `buf` once, where [`Self::poll_read_ready`] says that there may be something.
    pub(crate) fn poll_read_buf(&mut self, cx: &mut Context<'_>, buf: &mut impl BufMut) -> Poll<io::Result<usize>> {
        if let Self::Tcp(stream) = self
            && let Some(read) = read_at_once(stream, buf)
        {
            return Poll::Ready(read);
        }
        // Stateless between polls: what it has read is in the buffer.
        pin!(self.read_buf(buf)).poll(cx)
    }

    /// True where bytes have arrived that nobody has read (N4).
    pub(crate) async fn has_unread(&self) -> bool {
        let Self::Tcp(stream) = self else { return false };
        let mut byte = [0];
        std::future::poll_fn(|cx| {
            let peeked = stream.poll_peek(cx, &mut ReadBuf::new(&mut byte));
            Poll::Ready(matches!(peeked, Poll::Ready(Ok(1..))))
        })
        .await
    }
}

/// What one call of the system's finds; `None` where that is nothing.
///
/// Where it finds less than there is room for nothing is left: told that the call would have blocked, tokio waits for more
/// before it lets the next one through, as its own `poll_read` does.
fn read_at_once(stream: &TcpStream, buf: &mut impl BufMut) -> Option<io::Result<usize>> {
    let room = buf.remaining_mut();
    let mut read = None;
    let outcome = stream.try_io(Interest::READABLE, || {
        let bytes = stream.try_read_buf(buf)?;
        read = Some(bytes);
        if bytes > 0 && bytes < room { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match (read, outcome) {
        (Some(bytes), _) => Some(Ok(bytes)),
        (None, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => None,
        (None, outcome) => Some(outcome.map(|()| 0)),
    }
}

impl Tls {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.unsent == 0 {
            let some = &buf[..buf.len().min(ENCRYPTED_BYTES_MAX)];
            self.unsent = ready!(Pin::new(&mut self.stream).poll_write(cx, some))?;
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        // The caller offers the same bytes again until they are taken; one that gave up in the middle may offer fewer.
        Poll::Ready(Ok(std::mem::take(&mut self.unsent).min(buf.len())))
    }
}

impl Drop for Tls {
    /// A close_notify as far as it can be sent without waiting: clients tell by it that nothing was cut off.
    fn drop(&mut self) {
        let mut alert = Vec::new();
        let socket = match &mut self.stream {
            TlsStream::Client(stream) => {
                let (socket, session) = stream.get_mut();
                put_close_notify(session, &mut alert);
                socket
            }
            TlsStream::Server(stream) => {
                let (socket, session) = stream.get_mut();
                put_close_notify(session, &mut alert);
                socket
            }
        };
        let _ = socket.try_write(&alert);
    }
}

fn put_close_notify<D>(session: &mut ConnectionCommon<D>, out: &mut Vec<u8>) {
    session.send_close_notify();
    while session.wants_write() && session.write_tls(out).is_ok() {}
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(tls) => match Pin::new(&mut tls.stream).poll_read(cx, buf) {
                // Without close_notify, as libpq leaves: an end like any other, as no half message is ever taken for
                // a whole one (N10).
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
                read => read,
            },
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(tls) => tls.poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_shutdown(cx),
        }
    }
}
