//! A server without anything behind it: it says one thing to one role, and then nothing more.
//!
//! For as many connections as no real server would take, and for what no real server would say.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::raw::message;

/// The role that meets it. The real server must have it as well: Sexton asks about whoever has logged in.
pub const HOLLOW: &str = "hollow";

/// Makes the role, unless a test beside has made it.
pub const HOLLOW_ROLE: &str =
    "DO $$BEGIN CREATE ROLE hollow LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END$$";

/// What a server says to whoever needs no password.
pub fn welcome() -> Vec<u8> {
    welcome_into(b"I")
}

/// The same with this transaction status, which no real server begins with.
pub fn welcome_into(status: &[u8]) -> Vec<u8> {
    [message(b'R', &[0, 0, 0, 0]), message(b'K', &[0; 8]), message(b'Z', status)].concat()
}

/// Starts one on a free port, which it gives: it answers the role [`HOLLOW`] with `answer`, and passes everybody else on to
/// the server.
pub fn hollow_server(server_port: u16, answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for mut client in listener.incoming().flatten() {
            let mut packet = [0; 1024];
            let Ok(bytes) = client.read(&mut packet) else { continue };
            if packet[..bytes].windows(HOLLOW.len()).any(|word| word == HOLLOW.as_bytes()) {
                let _ = client.write_all(&answer);
                silent.push(client);
                continue;
            }
            let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)) else { continue };
            let _ = server.write_all(&packet[..bytes]);
            let (Ok(mut from_server), Ok(mut to_client)) = (server.try_clone(), client.try_clone()) else { continue };
            thread::spawn(move || io::copy(&mut from_server, &mut to_client));
            thread::spawn(move || io::copy(&mut client, &mut server));
        }
    });
    port
}
