//! Several upstream addresses: which of them is taken, and what reaches the others.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sexton::cli::demo::cluster::{Cluster, Options, free_port};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection};

use crate::support::certificates::Authority;
use crate::support::cluster;
use crate::support::raw::{Raw, query};
use crate::support::sexton::{Sexton, refused};

fn start(addresses: &[u16], target: &str) -> Sexton {
    let addresses: Vec<_> = addresses.iter().map(|port| format!("\"127.0.0.1:{port}\"")).collect();
    Sexton::configured(|port| {
        format!(
            "[listen]\naddress = \"127.0.0.1:{port}\"\n\n[upstream]\naddress = [{}]\nuser = \"postgres\"\n\
             target = \"{target}\"\n\n[databases.\"*\"]\n",
            addresses.join(", ")
        )
    })
}

fn port(sexton: &Sexton) -> String {
    sexton.connect("postgres", "postgres").expect("SHOW port")[0].texts()[0][0].clone()
}

#[test]
fn a_standby_is_passed_over_where_a_primary_is_asked_for() {
    let Some(primary) = cluster::shared("upstream::a_standby…").map(Cluster::port) else { return };
    let standby = Cluster::start(&Options { standby: true, ..Options::default() }).expect("a standby");
    let nobody = free_port().expect("a free port");
    let addresses = [nobody, standby.port(), primary];
    assert_eq!(port(&start(&addresses, "any")), standby.port().to_string());
    let sexton = start(&addresses, "primary");
    assert_eq!(port(&sexton), primary.to_string());

    Raw::connect(standby.port(), "postgres", "postgres").expect("it answers").expect("SELECT pg_promote()");
    let deadline = Instant::now() + Duration::from_secs(20);
    while port(&sexton) != standby.port().to_string() {
        assert!(Instant::now() < deadline, "the promoted one comes first");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn every_address_that_does_not_answer_is_named() {
    let nobody = free_port().expect("a free port");
    for target in ["any", "primary"] {
        let said = refused(&format!(
            "[upstream]\naddress = [\"127.0.0.1:{nobody}\", \"nowhere.invalid\"]\nuser = \"postgres\"\n\
             target = \"{target}\"\n[databases.postgres]\n[listen]\naddress = \"127.0.0.1:0\"\n"
        ));
        for address in [format!("127.0.0.1:{nobody}: "), "nowhere.invalid:5432: ".to_owned()] {
            assert!(said.contains(&address), "{said}");
        }
    }
}

#[test]
fn c4_c5_a_cancel_by_another_sexton_passes_a_server_that_does_not_answer() {
    let Some(server) = cluster::shared("upstream::c4_c5…").map(Cluster::port) else { return };
    // Accepts by the system's queue and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let [one, other] = [vec![server], vec![silent.local_addr().expect("bound").port(), server]]
        .map(|addresses| start(&addresses, "any"));
    let mut session = one.connect("postgres", "postgres");
    session.send(&query("SELECT pg_sleep(20)")).expect("sent");
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    let mut cancel = TcpStream::connect((Ipv4Addr::LOCALHOST, other.port)).expect("it listens");
    cancel.write_all(&[&[0, 0, 0, 16, 4, 0xd2, 0x16, 0x2e], &session.key[..]].concat()).expect("sent");
    let error = session.replies("the sleep").remove(0).error.expect("it is cancelled");
    assert_eq!(error.sqlstate, "57014");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn n5_whatever_a_server_answers_to_the_request_for_tls_none_of_it_is_passed_on() {
    if cluster::shared("upstream::n5_whatever…").is_none() {
        return;
    }
    for (answer, why) in [
        (b"E\0\0\0\x26SFATAL\0C28P01\0Mgive me your password\0\0".as_slice(), "neither S nor N"),
        (b"N", "the server has no TLS"),
        (b"S\x15\x03\x01\0\x02\x02\x28", "unencrypted data after its answer"),
        (b"X", "neither S nor N"),
        (b"", "end of file"),
    ] {
        let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = server.local_addr().expect("bound");
        std::thread::spawn(move || {
            for mut socket in server.incoming().flatten() {
                let mut request = [0; 8];
                if socket.read_exact(&mut request).is_ok() {
                    assert_eq!(request, [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]);
                    let _ = socket.write_all(answer);
                }
            }
        });
        let sexton = Sexton::configured(|port| {
            format!(
                "[listen]\naddress = \"127.0.0.1:{port}\"\n\n[upstream]\naddress = \"{address}\"\nuser = \"postgres\"\n\
                 tls = \"require\"\n\n[databases.\"*\"]\n"
            )
        });
        let said = Raw::connect(sexton.port, "postgres", "postgres").expect_err("nobody gets in").to_string();
        assert!(said.starts_with("08001: sexton: the PostgreSQL server cannot be reached"), "{said}");
        assert!(sexton.log().contains(why), "{why}: {}", sexton.log());
    }
}

#[test]
fn a6_a_bearer_token_does_not_travel_in_clear_because_the_server_is_on_tls() {
    let authority = Authority::new();
    let pair = authority.sign("server", "localhost");
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("bound");
    let (certificate, key) = (CertificateDer::from_pem_file(&pair.cert), PrivateKeyDer::from_pem_file(&pair.key));
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("TLS 1.2 and 1.3").with_no_client_auth();
    let mut config = builder.with_single_cert(vec![certificate.expect("PEM")], key.expect("PEM")).expect("a pair");
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for mut socket in server.incoming().flatten() {
            socket.read_exact(&mut [0; 8]).expect("SSLRequest");
            socket.write_all(b"S").expect("sent");
            let mut session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut tls = tokio_rustls::rustls::Stream::new(&mut session, &mut socket);
            tls.read_exact(&mut [0; 8]).expect("a startup packet");
            tls.write_all(b"R\0\0\0\x15\0\0\0\x0aOAUTHBEARER\0\0").expect("sent");
            let _ = tls.read_to_end(&mut Vec::new());
        }
    });
    let sexton = Sexton::configured(|port| {
        format!(
            "[listen]\naddress = \"127.0.0.1:{port}\"\n\n[upstream]\naddress = \"localhost:{}\"\nuser = \"postgres\"\n\
             tls = \"verify-full\"\nca = \"{}\"\n\n[databases.\"*\"]\n",
            address.port(),
            authority.certificate().display()
        )
    });
    let said = Raw::connect(sexton.port, "postgres", "postgres").expect_err("nobody gets in").to_string();
    assert!(said.starts_with("28000: sexton: the server asks for a bearer token"), "{said}");
}

#[test]
fn c1_c7_p10_keys_of_any_length_go_both_ways_and_a_cancel_ends_when_the_server_ends_it() {
    const WAIT: Duration = Duration::from_millis(400);
    let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("bound");
    let (seen, cancels) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut socket in server.incoming().flatten() {
            let mut packet = vec![0; 8];
            socket.read_exact(&mut packet).expect("a packet");
            packet.resize(usize::from(packet[3]) + 256 * usize::from(packet[2]), 0);
            socket.read_exact(&mut packet[8..]).expect("all of it");
            if packet[4..8] == [4, 0xd2, 0x16, 0x2e] {
                std::thread::sleep(WAIT);
                seen.send(packet).expect("the test waits");
                continue;
            }
            let key: Vec<u8> = (0..=255).collect();
            let key = [b"K\0\0\x01\x08\0\0\0\x07".as_slice(), &key].concat();
            socket.write_all(&[b"R\0\0\0\x08\0\0\0\0".as_slice(), &key].concat()).expect("sent");
            std::mem::forget(socket);
        }
    });
    let sexton = start(&[address.port()], "any");
    let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, sexton.port)).expect("it listens");
    let mut session = connect();
    session.write_all(b"\0\0\0\x12\0\x03\0\x02user\0ann\0\0").expect("sent");
    let mut came = vec![0; 9 + 9 + 256];
    session.read_exact(&mut came).expect("the key");
    assert_eq!(came[9..18], *b"K\0\0\x01\x08\0\0\0\x07");
    // 4 bytes as ever, the longest of protocol 3.2, and one with a tail that nobody asked for.
    for key in [&came[18..22], &came[18..], &[&came[18..22], b"\0"].concat()] {
        let length = (12 + key.len() as u32).to_be_bytes();
        let packet = [&length[..], &[4, 0xd2, 0x16, 0x2e, 0, 0, 0, 7], key].concat();
        let (mut cancel, began) = (connect(), Instant::now());
        cancel.write_all(&packet).expect("sent");
        assert_eq!(cancel.read(&mut [0]).expect("a close"), 0);
        assert!(began.elapsed() >= WAIT, "the server's close comes first");
        assert_eq!(cancels.recv_timeout(Duration::from_secs(5)), Ok(packet));
    }
}

#[test]
fn a_new_address_is_for_new_connections() {
    let Some(old) = cluster::shared("upstream::a_new_address…").map(Cluster::port) else { return };
    let other = Cluster::start(&Options::default()).expect("another server");
    let sexton = start(&[old], "any");
    let mut session = sexton.connect("postgres", "postgres");
    let text = |address: u16, more: &str| {
        format!(
            "[listen]\naddress = \"127.0.0.1:{}\"\n{more}\n[upstream]\naddress = \"127.0.0.1:{address}\"\nuser = \"postgres\"\n\n\
             [databases.\"*\"]\n",
            sexton.port
        )
    };
    sexton.reload(&text(other.port(), ""));
    assert_eq!(port(&sexton), other.port().to_string());
    assert_eq!(session.expect("SHOW port")[0].texts(), [[old.to_string()]], "it stays where it is");
    sexton.reload(&text(other.port(), "max_connections = 1"));
    let refused = Raw::connect(sexton.port, "postgres", "postgres").expect_err("the first still counts");
    assert!(refused.to_string().starts_with("53300"), "{refused}");
    drop(session);
}
