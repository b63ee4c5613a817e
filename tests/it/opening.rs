//! A client's first bytes, sent by hand: requests for encryption, direct TLS, PROXY headers, versions, cancels.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::certificates::Authority;
use crate::support::cluster;
use crate::support::database::Database;
use crate::support::raw::{Raw, message, query};
use crate::support::sexton::Sexton;

const SSL: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];
const GSS: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x30];

struct Ground {
    database: Database,
    authority: Authority,
    sexton: Sexton,
}

fn ground(test: &str, mode: &str, listen: &str) -> Option<Ground> {
    let database = Database::create(cluster::shared(test)?, "opening");
    let authority = Authority::new();
    let pair = authority.sign("sexton", "localhost");
    let (cert, key) = (pair.cert.display(), pair.key.display());
    let sexton = Sexton::configured(|port| {
        format!(
            "[listen]\naddress = \"127.0.0.1:{port}\"\n{listen}\n\
             [listen.tls]\nmode = \"{mode}\"\ncert = \"{cert}\"\nkey = \"{key}\"\n\n\
             [upstream]\naddress = \"127.0.0.1:{}\"\nuser = \"postgres\"\n\n[databases.\"*\"]\n",
            database.port
        )
    });
    Some(Ground { database, authority, sexton })
}

/// A startup packet of this version.
fn startup(minor: u16, parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = [[0, 3], minor.to_be_bytes()].concat();
    for (name, value) in parameters {
        body.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
    }
    body.push(0);
    [&(body.len() as u32 + 4).to_be_bytes(), &body[..]].concat()
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    socket.set_nodelay(true).expect("no delay");
    socket
}

fn read(stream: &mut impl Read, bytes: usize) -> Vec<u8> {
    let mut read = vec![0; bytes];
    stream.read_exact(&mut read).expect("an answer");
    read
}

/// Everything up to the close.
fn rest(stream: &mut impl Read) -> String {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Err(error) if !matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof) => {
            panic!("{error}")
        }
        _ => rest.escape_ascii().to_string(),
    }
}

/// Reads messages up to ReadyForQuery.
fn until_ready(stream: &mut impl Read) -> Vec<u8> {
    let mut tags = Vec::new();
    loop {
        let head = read(stream, 5);
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let body = read(stream, length - 4);
        assert_ne!(head[0], b'E', "{}", body.escape_ascii());
        tags.push(head[0]);
        if head[0] == b'Z' {
            return tags;
        }
    }
}

impl Ground {
    fn parameters(&self) -> [(&str, &str); 2] {
        [("user", "postgres"), ("database", &self.database.name)]
    }

    fn tls(&self, alpn: &[&str]) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.authority.certificate()).expect("ca.crt")).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("TLS 1.2 and 1.3");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        ClientConnection::new(Arc::new(config), "localhost".try_into().expect("a name")).expect("a session")
    }

    /// A client that has asked for TLS and sent its startup message over it.
    fn encrypted(&self) -> StreamOwned<ClientConnection, TcpStream> {
        self.encrypted_on(connect(self.sexton.port))
    }

    fn encrypted_on(&self, mut socket: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        socket.write_all(&SSL).expect("sent");
        assert_eq!(read(&mut socket, 1), b"S");
        let mut tls = StreamOwned::new(self.tls(&[]), socket);
        tls.write_all(&startup(0, &self.parameters())).expect("sent");
        tls
    }
}

#[test]
fn n1_requests_for_encryption_are_answered_once_each_in_any_order() {
    let Some(ground) = ground("opening::n1_requests…", "prefer", "") else { return };
    let mut socket = connect(ground.sexton.port);
    socket.write_all(&GSS).expect("sent");
    assert_eq!(read(&mut socket, 1), b"N");
    let mut tls = ground.encrypted_on(socket);
    assert_eq!(until_ready(&mut tls).first(), Some(&b'R'));

    let mut socket = connect(ground.sexton.port);
    for answer in [b"N".as_slice(), b"E"] {
        socket.write_all(&GSS).expect("sent");
        assert_eq!(read(&mut socket, 1), answer);
    }
    assert!(rest(&mut socket).contains("C0A000\\x00Munsupported frontend protocol 1234.5680"));
}

#[test]
fn n4_what_comes_before_the_handshake_is_not_taken_for_encrypted() {
    let Some(ground) = ground("opening::n4_what_comes…", "prefer", "") else { return };
    for (request, name) in [(SSL, "SSL"), (GSS, "GSSAPI encryption")] {
        let mut socket = connect(ground.sexton.port);
        socket.write_all(&[&request[..], &startup(0, &ground.parameters())].concat()).expect("sent");
        let said = rest(&mut socket);
        assert!(said.contains(&format!("C08P01\\x00Mreceived unencrypted data after {name} request")), "{said}");
    }
}

#[test]
fn n3_direct_tls_wants_the_protocols_name() {
    let Some(ground) = ground("opening::n3_direct_tls…", "require", "") else { return };
    for (alpn, served) in
        [(["postgresql"].as_slice(), true), (&["http/1.1", "postgresql"], true), (&[], false), (&["http/1.1"], false)]
    {
        let mut socket = connect(ground.sexton.port);
        let mut session = ground.tls(alpn);
        let mut tls = tokio_rustls::rustls::Stream::new(&mut session, &mut socket);
        let sent = tls.write_all(&startup(0, &ground.parameters())).and_then(|()| tls.flush());
        if served {
            sent.expect("it is taken");
            assert_eq!(until_ready(&mut tls).first(), Some(&b'R'));
        } else {
            let mut byte = [0];
            assert!(sent.is_err() || !matches!(tls.read(&mut byte), Ok(1)), "{alpn:?}");
        }
    }
}

#[test]
fn n7_a_unix_socket_has_no_tls_and_needs_none() {
    let sockets = Authority::new();
    let listen = format!("unix_socket_dir = \"{}\"", sockets.directory.display());
    let Some(ground) = ground("opening::n7_a_unix_socket…", "require", &listen) else { return };
    let path = sockets.directory.join(format!(".s.PGSQL.{}", ground.sexton.port));
    // Whoever is answered finds it listening on both.
    let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, ground.sexton.port)).expect("it listens");
    tcp.write_all(&GSS).expect("sent");
    assert_eq!(read(&mut tcp, 1), b"N");
    let mut socket = UnixStream::connect(path).expect("it listens there too");
    for request in [SSL, GSS] {
        socket.write_all(&request).expect("sent");
        assert_eq!(read(&mut socket, 1), b"N");
    }
    socket.write_all(&startup(0, &ground.parameters())).expect("sent");
    assert_eq!(until_ready(&mut socket).first(), Some(&b'R'));
}

#[test]
fn n8_records_hold_no_more_than_the_oldest_client_can_take() {
    let Some(ground) = ground("opening::n8_records…", "prefer", "") else { return };
    let mut tls = ground.encrypted();
    until_ready(&mut tls);
    tls.write_all(&query("SELECT repeat('x', 6000) FROM generate_series(1, 200)")).expect("sent");
    tls.flush().expect("sent");
    let (mut wire, mut plain) = (Vec::new(), Vec::new());
    while !plain.ends_with(b"Z\0\0\0\x05I") {
        let mut some = vec![0; 65536];
        let bytes = tls.sock.read(&mut some).expect("more");
        wire.extend_from_slice(&some[..bytes]);
        let mut cut = &some[..bytes];
        while !cut.is_empty() {
            tls.conn.read_tls(&mut cut).expect("records");
            let state = tls.conn.process_new_packets().expect("good records");
            let start = plain.len();
            plain.resize(start + state.plaintext_bytes_to_read(), 0);
            tls.conn.reader().read_exact(&mut plain[start..]).expect("it is there");
        }
    }
    assert!(plain.len() > 1_200_000);
    let mut at = 0;
    while at < wire.len() {
        let length = usize::from(u16::from_be_bytes([wire[at + 3], wire[at + 4]]));
        assert!(length <= 8192 + 1 + 16, "a record of {length} bytes");
        at += 5 + length;
    }
}

#[test]
fn n9_a_client_that_reads_late_gets_everything_over_tls() {
    let Some(ground) = ground("opening::n9_a_client…", "prefer", "") else { return };
    let mut tls = ground.encrypted();
    until_ready(&mut tls);
    tls.write_all(&query("SELECT repeat('x', 100000) FROM generate_series(1, 200)")).expect("sent");
    tls.flush().expect("sent");
    std::thread::sleep(Duration::from_millis(500));
    let mut rows = 0;
    loop {
        let head = read(&mut tls, 5);
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        read(&mut tls, length - 4);
        match head[0] {
            b'D' => rows += 1,
            b'Z' => break,
            _ => {}
        }
    }
    assert_eq!(rows, 200);
    tls.write_all(&message(b'X', &[])).expect("sent");
    tls.flush().expect("sent");
    assert_eq!(tls.read(&mut [0]).expect("close_notify, not a cut"), 0);
}

#[test]
fn n6_c2_a_clear_session_is_refused_where_a_clear_cancel_is_not() {
    let Some(ground) = ground("opening::n6_c2…", "require", "") else { return };
    let mut socket = connect(ground.sexton.port);
    socket.write_all(&startup(9999, &[("user", "postgres"), ("_pq_.more", "1")])).expect("sent");
    let said = rest(&mut socket);
    assert!(
        said.starts_with("v\\x00\\x00\\x00\\x16\\x00\\x03\\x00\\x02\\x00\\x00\\x00\\x01_pq_.more\\x00E"),
        "P1: {said}"
    );
    assert!(said.contains("C28000"), "{said}");

    let mut tls = ground.encrypted();
    let mut key = Vec::new();
    loop {
        let head = read(&mut tls, 5);
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let body = read(&mut tls, length - 4);
        match head[0] {
            b'K' => key = body,
            b'Z' => break,
            _ => {}
        }
    }
    tls.write_all(&query("SELECT pg_sleep(20)")).expect("sent");
    tls.flush().expect("sent");
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    let mut cancel = connect(ground.sexton.port);
    cancel.write_all(&[&[0, 0, 0, 16, 4, 0xd2, 0x16, 0x2e], &key[..]].concat()).expect("sent");
    assert_eq!(rest(&mut cancel), "", "C1: a close and nothing else");
    while read(&mut tls, 1) != b"E" {
        let head = read(&mut tls, 4);
        read(&mut tls, u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize - 4);
    }
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn c7_a_cancel_storm_with_malformed_tails_leaves_room_for_sessions() {
    let Some(ground) = ground("opening::c7_a_cancel_storm…", "prefer", "max_connections = 5") else { return };
    let storm: Vec<TcpStream> = (0..300_u32)
        .map(|number| {
            let mut socket = connect(ground.sexton.port);
            let tail = vec![7; (number % 9) as usize];
            let length = (16 + tail.len() as u32).to_be_bytes();
            let packet = [&length[..], &[4, 0xd2, 0x16, 0x2e], &number.to_be_bytes(), &[1, 2, 3, 4], &tail].concat();
            socket.write_all(&packet).expect("sent");
            socket
        })
        .collect();
    let mut session = ground.sexton.connect("postgres", &ground.database.name);
    session.expect("SELECT 1");
    for mut socket in storm {
        assert_eq!(rest(&mut socket), "");
    }
}

#[test]
fn p1_versions_and_options_are_negotiated_by_the_server_itself() {
    let Some(ground) = ground("opening::p1_versions…", "prefer", "") else { return };
    for (minor, more) in [
        (0, None),
        (2, None),
        (9999, None),
        (9999, Some(("_pq_.test_protocol_negotiation", ""))),
        (0, Some(("_pq_.x", "y"))),
    ] {
        let mut parameters = ground.parameters().to_vec();
        parameters.extend(more);
        let packet = startup(minor, &parameters);
        let answers = [ground.database.port, ground.sexton.port].map(|port| {
            let mut socket = connect(port);
            // In pieces, as a slow network would bring them (P2).
            for piece in packet.chunks(7) {
                socket.write_all(piece).expect("sent");
                std::thread::sleep(Duration::from_millis(1));
            }
            let head = read(&mut socket, 5);
            let body = read(&mut socket, u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4);
            if head[0] == b'v' {
                until_ready(&mut socket);
            }
            (head, body)
        });
        assert_eq!(answers[0], answers[1], "3.{minor} {more:?}");
    }
}

#[test]
fn p5_p6_duplicates_and_long_names_are_read_as_the_server_reads_them() {
    let Some(ground) = ground("opening::p5_p6…", "prefer", "") else { return };
    let long = format!("{}é", "o".repeat(62));
    for parameters in [
        vec![
            ("user", "nobody_here"),
            ("user", "postgres"),
            ("database", "nosuch"),
            ("database", &ground.database.name),
        ],
        vec![("user", "postgres"), ("database", &long)],
        vec![("user", &long), ("database", &ground.database.name)],
        vec![("database", &ground.database.name)],
        vec![
            ("user", "postgres"),
            ("database", &ground.database.name),
            ("options", "-c search_path=a\\ b -cwork_mem=4MB --jit=off"),
        ],
    ] {
        let answers = [ground.database.port, ground.sexton.port].map(|port| {
            let mut socket = connect(port);
            socket.write_all(&startup(0, &parameters)).expect("sent");
            let head = read(&mut socket, 5);
            (head[0], read(&mut socket, u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4))
        });
        assert_eq!(answers[0], answers[1], "{parameters:?}");
    }
}

#[test]
fn p2_lengths_no_server_takes_end_the_connection_without_a_word() {
    let Some(ground) = ground("opening::p2_lengths…", "prefer", "") else { return };
    for packet in [[0, 0, 0, 7, 0, 3, 0, 0], [0, 0, 0x27, 0x15, 0, 3, 0, 0], *b"GET / HT", [0xff; 8]] {
        for port in [ground.database.port, ground.sexton.port] {
            let mut socket = connect(port);
            socket.write_all(&packet).expect("sent");
            assert_eq!(rest(&mut socket), "", "{}", packet.escape_ascii());
        }
    }
}

#[test]
fn whoever_is_slow_in_the_middle_of_an_opening_is_let_go() {
    let listen = "startup_timeout = \"500ms\"\ntrusted_proxies = [\"127.0.0.1\"]";
    let Some(ground) = ground("opening::whoever_is_slow…", "prefer", listen) else { return };
    let header = b"PROXY UNKNOWN\r\n".as_slice();
    for opening in [
        b"".as_slice(),
        b"PROXY TC",
        header,
        &[header, &SSL[..5]].concat(),
        &[header, &SSL].concat(),
        &[header, &GSS].concat(),
    ] {
        let mut socket = connect(ground.sexton.port);
        socket.write_all(opening).expect("sent");
        let began = Instant::now();
        rest(&mut socket);
        assert!(began.elapsed() < Duration::from_secs(10), "{}", opening.escape_ascii());
    }
}

#[test]
fn n14_a_proxy_header_is_read_from_trusted_networks_only() {
    let trusted = "trusted_proxies = [\"127.0.0.0/8\"]";
    let Some(ground) = ground("opening::n14_a_proxy_header…", "prefer", trusted) else { return };
    let v2 = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice(), &[10, 9, 8, 7, 127, 0, 0, 1, 1, 1, 2, 2]].concat();
    for header in [b"PROXY TCP4 10.9.8.7 127.0.0.1 257 5432\r\n".to_vec(), b"PROXY UNKNOWN\r\n".to_vec(), v2] {
        let mut socket = connect(ground.sexton.port);
        socket.write_all(&[&header[..], &startup(0, &ground.parameters())].concat()).expect("sent");
        assert_eq!(until_ready(&mut socket).first(), Some(&b'R'));
        let mut socket = connect(ground.sexton.port);
        socket.write_all(&[&header[..], &SSL].concat()).expect("sent");
        assert_eq!(read(&mut socket, 1), b"S");
    }
    let mut socket = connect(ground.sexton.port);
    socket.write_all(&startup(0, &ground.parameters())).expect("sent");
    assert_eq!(rest(&mut socket), "", "a trusted proxy always sends one");
    let Some(untrusting) = self::ground("opening::n14", "prefer", "trusted_proxies = [\"10.0.0.0/8\"]") else { return };
    let mut socket = connect(untrusting.sexton.port);
    socket.write_all(b"PROXY TCP4 10.9.8.7 127.0.0.1 257 5432\r\n").expect("sent");
    assert_eq!(rest(&mut socket), "", "it is no startup packet");
    assert!(Raw::connect(untrusting.sexton.port, "postgres", &untrusting.database.name).is_ok());
}
