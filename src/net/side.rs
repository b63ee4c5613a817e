//! One side of a relay: a socket that is read and written as far as it goes without waiting, encrypted or not.
//!
//! The thread's event queue says once when there is more to read or room to write again. Until it does the system is not
//! asked, and while it need not be, nothing else is.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};

use mio::event::{Event, Source};
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use rustix::net::{RecvFlags, SendFlags};
use tokio_rustls::TlsStream;
use tokio_rustls::rustls::Connection;

use crate::net::stream::Stream;

/// As much is encrypted at once (N9): eight records, one write.
const ENCRYPTED_BYTES_MAX: usize = 64 * 1024;

/// The socket, and what is known of it.
#[derive(Debug)]
pub(super) struct Side {
    socket: Socket,
    tls: Option<Box<Tls>>,
    /// There may be something to read.
    readable: bool,
    /// There may be room to write.
    writable: bool,
    /// The other side will send no more than what has arrived: its end is found by reading on.
    ends: bool,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

#[derive(Debug)]
struct Tls {
    connection: Connection,
    /// Bytes that are encrypted and not all sent: they are not taken from the caller yet, who knows so from its own
    /// buffer that nothing is left here.
    unsent: usize,
    /// There may be decrypted bytes that nobody has read.
    decrypted: bool,
}

impl Side {
    /// Takes the socket away from the runtime that has watched it.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn new(stream: Stream) -> io::Result<Self> {
        let tcp = |stream: tokio::net::TcpStream| stream.into_std().map(TcpStream::from_std).map(Socket::Tcp);
        let (socket, connection) = match stream {
            Stream::Tcp(stream) => (tcp(stream)?, None),
            Stream::Unix(stream) => (Socket::Unix(UnixStream::from_std(stream.into_std()?)), None),
            Stream::Tls(stream) => match *stream {
                TlsStream::Client(stream) => {
                    let (stream, connection) = stream.into_inner();
                    (tcp(stream)?, Some(Connection::from(connection)))
                }
                TlsStream::Server(stream) => {
                    let (stream, connection) = stream.into_inner();
                    (tcp(stream)?, Some(Connection::from(connection)))
                }
            },
        };
        let tls = connection.map(|connection| Box::new(Tls { connection, unsent: 0, decrypted: true }));
        Ok(Self { socket, tls, readable: true, writable: true, ends: false })
    }

    /// True where it is encrypted.
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Has `registry` tell of the socket by `token`.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let source: &mut dyn Source = match &mut self.socket {
            Socket::Tcp(stream) => stream,
            Socket::Unix(stream) => stream,
        };
        registry.register(source, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Takes note of what the event queue says.
    pub(super) fn note(&mut self, event: &Event) {
        self.ends |= event.is_read_closed() || event.is_error();
        self.readable |= event.is_readable() || self.ends;
        self.writable |= event.is_writable() || event.is_write_closed() || event.is_error();
    }

    /// Forgets what the system has said: what it has said since was missed.
    pub(super) fn ask_again(&mut self) {
        (self.readable, self.writable, self.ends) = (true, true, true);
    }

    /// False where a read would find nothing.
    #[inline]
    pub(super) fn is_readable(&self) -> bool {
        self.readable || self.tls.as_ref().is_some_and(|tls| tls.decrypted)
    }

    /// Reads into `space` what there is: the number of bytes, 0 for the end, or `None` where there is nothing yet.
    ///
    /// # Errors
    /// The system's, and those of TLS.
    pub(super) fn read(&mut self, space: &mut [u8]) -> io::Result<Option<usize>> {
        match self.read_decrypted(space) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends what it can of `bytes`: the number of those that went.
    ///
    /// The rest is to be offered again before any others.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sent = 0;
        while self.writable && (sent < bytes.len() || self.wants_write()) {
            let rest = &bytes[sent..];
            let written = match &mut self.tls {
                None => self.socket.write(rest),
                Some(tls) => tls.write(&mut self.socket, rest),
            };
            match written {
                Ok(0) if !rest.is_empty() => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => sent += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }

    /// Ends what is sent; the other direction goes on. False where it is to be tried again.
    pub(super) fn shut(&mut self) -> bool {
        if let Some(tls) = &mut self.tls {
            tls.connection.send_close_notify();
            if self.send(&[]).is_ok() && self.wants_write() {
                return false;
            }
        }
        let shut = match &self.socket {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Socket::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
        if let Err(error) = shut {
            tracing::debug!(%error, "an end could not be passed on");
        }
        true
    }

    /// True where bytes of TLS's own, or encrypted ones, are to be sent.
    #[inline]
    pub(super) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.connection.wants_write())
    }

    fn read_clear(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if !self.readable {
            return Err(ErrorKind::WouldBlock.into());
        }
        loop {
            match self.socket.read(space) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => {
                    self.readable = self.is_more_likely(&read, space.len());
                    return read;
                }
            }
        }
    }

    /// Reads what comes in clear, and what does not once it is decrypted.
    fn read_decrypted(&mut self, space: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(tls) = &mut self.tls else { return self.read_clear(space) };
            match tls.connection.reader().read(space) {
                // Without close_notify, as libpq leaves: an end like any other, as no half message is ever taken for a
                // whole one (N10).
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.readable => {}
                read => {
                    tls.decrypted = matches!(read, Ok(bytes) if bytes == space.len());
                    return read;
                }
            }
            let mut metered = Metered { socket: &mut self.socket, bytes: 0, room: 0 };
            let taken = tls.connection.read_tls(&mut metered);
            let Metered { bytes, room, .. } = metered;
            match taken {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    (self.readable, self.ends) = (false, false);
                    return Err(error);
                }
            }
            let processed = tls.connection.process_new_packets();
            self.readable = self.is_more_likely(&Ok(bytes), room);
            if let Err(error) = processed {
                // The other side is told why, as far as that can be done without waiting.
                let _ = self.send(&[]);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }

    /// Whether a read has left anything: not where it has found less than there was room for, which the queue tells of
    /// when it comes. An end that has come already it does not tell of again.
    fn is_more_likely(&mut self, read: &io::Result<usize>, room: usize) -> bool {
        // Had it come, it would have been found.
        self.ends &= read.is_ok();
        matches!(read, Ok(bytes) if self.ends || *bytes == room || *bytes == 0)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

// The C library's calls make every thread ready to be cancelled, and unready again, around the system's.
impl Read for Socket {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let (bytes, _) = rustix::net::recv(&*self, space, RecvFlags::empty())?;
        Ok(bytes)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Rust's runtime has SIGPIPE ignored.
        Ok(rustix::net::send(&*self, bytes, SendFlags::empty())?)
    }

    fn write_vectored(&mut self, bytes: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(bytes),
            Self::Unix(stream) => stream.write_vectored(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sees how much is read into how much room.
struct Metered<'a> {
    socket: &'a mut Socket,
    bytes: usize,
    room: usize,
}

impl Read for Metered<'_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        (self.bytes, self.room) = (self.socket.read(space)?, space.len());
        Ok(self.bytes)
    }
}

impl Tls {
    /// Encrypts some of `bytes` and sends it: the number of them that are sent.
    fn write(&mut self, socket: &mut Socket, bytes: &[u8]) -> io::Result<usize> {
        if self.unsent == 0 {
            self.unsent = self.connection.writer().write(&bytes[..bytes.len().min(ENCRYPTED_BYTES_MAX)])?;
        }
        while self.connection.wants_write() {
            if self.connection.write_tls(socket)? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        // The caller offers the same bytes again until they are taken; one that gave up in the middle offers none.
        Ok(std::mem::take(&mut self.unsent).min(bytes.len()))
    }
}

impl Drop for Side {
    /// A close_notify as far as it can be sent without waiting: clients tell by it that nothing was cut off.
    fn drop(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.connection.send_close_notify();
            let _ = tls.write(&mut self.socket, &[]);
        }
    }
}
