//! A recording TCP relay that stands between Sexton and PostgreSQL: what reaches the server, byte for byte.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The length that marks an SSLRequest, GSSENCRequest or CancelRequest with their codes.
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// One frontend message that reached the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The startup packet's `user` of its connection.
    pub user: String,
    /// The message, type and length included.
    pub bytes: Vec<u8>,
}

impl Recorded {
    /// The text of a Query.
    pub fn query(&self) -> Option<String> {
        (self.bytes[0] == b'Q').then(|| String::from_utf8_lossy(&self.bytes[5..self.bytes.len() - 1]).into_owned())
    }
}

/// The relay. Its threads end with the connections they carry.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    recorded: Arc<Mutex<Vec<Recorded>>>,
}

impl Relay {
    /// Listens on a free port and relays to `server_port`.
    pub fn start(server_port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let recorded = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&recorded);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let record = Arc::clone(&record);
                std::thread::spawn(move || {
                    if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)) {
                        let _ = carry(client, server, &record);
                    }
                });
            }
        });
        Self { port, recorded }
    }

    /// Everything `user` has sent since the last call with that user.
    pub fn take(&self, user: &str) -> Vec<Recorded> {
        let mut recorded = self.recorded.lock().expect("no panic while recording");
        let (taken, kept) = recorded.drain(..).partition(|message| message.user == user);
        *recorded = kept;
        taken
    }
}

fn carry(client: TcpStream, server: TcpStream, record: &Mutex<Vec<Recorded>>) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
    });
    let outcome = forward(client, &server, record);
    let _ = server.shutdown(Shutdown::Write);
    outcome
}

fn forward(mut client: TcpStream, mut server: &TcpStream, record: &Mutex<Vec<Recorded>>) -> io::Result<()> {
    let user = loop {
        let packet = read(&mut client, &[])?;
        server.write_all(&packet)?;
        let code = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        if code != SSL_REQUEST && code != GSS_REQUEST {
            break startup_user(&packet[8..]);
        }
    };
    loop {
        let mut kind = [0];
        client.read_exact(&mut kind)?;
        let bytes = read(&mut client, &kind)?;
        // Recorded before it is sent: whoever has the reply finds the request.
        record.lock().expect("no panic while recording").push(Recorded { user: user.clone(), bytes: bytes.clone() });
        server.write_all(&bytes)?;
    }
}

/// A length and what it covers, after `head`.
fn read(from: &mut TcpStream, head: &[u8]) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut bytes = [head, &length].concat();
    let start = bytes.len();
    bytes.resize(start + u32::from_be_bytes(length) as usize - 4, 0);
    from.read_exact(&mut bytes[start..])?;
    Ok(bytes)
}

fn startup_user(parameters: &[u8]) -> String {
    let texts: Vec<&[u8]> = parameters.split(|&byte| byte == 0).collect();
    let (pairs, _) = texts.as_chunks::<2>();
    let user = pairs.iter().find(|[name, _]| *name == b"user").map(|[_, value]| *value).unwrap_or_default();
    String::from_utf8_lossy(user).into_owned()
}
