//! TLS on both legs, with psql and a real server: who is let in, who is not, and what is said about it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};

use crate::support::certificates::{Authority, Pair};
use crate::support::raw::{message, startup_packet};
use crate::support::secure::{PASSWORD, Secure};
use crate::support::sexton::{self, Sexton};

/// `[listen]` and `[upstream]` with what each test is about.
struct Setting<'a> {
    client: Option<&'a Pair>,
    mode: &'a str,
    upstream: &'a str,
    host: &'a str,
    user: &'a str,
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self { client: None, mode: "prefer", upstream: "tls = \"disable\"", host: "localhost", user: "postgres" }
    }
}

impl Setting<'_> {
    fn text(&self, secure: &Secure, port: u16) -> String {
        let tls = self.client.map_or(String::new(), |pair| {
            let (cert, key) = (pair.cert.display(), pair.key.display());
            format!("[listen.tls]\nmode = \"{}\"\ncert = \"{cert}\"\nkey = \"{key}\"\n", self.mode)
        });
        format!(
            "[listen]\naddress = \"127.0.0.1:{port}\"\n{tls}\n\
             [upstream]\naddress = \"{}:{}\"\nuser = \"{}\"\npassword = \"s3cret\"\n{}\n\
             [databases.postgres]\n",
            self.host,
            secure.cluster.port(),
            self.user,
            self.upstream
        )
    }

    fn start(&self, secure: &Secure) -> Sexton {
        Sexton::configured(|port| self.text(secure, port))
    }
}

const SHOWN: &str = "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

fn log_in(secure: &Secure, sexton: &Sexton, user: &str, how: &str) -> Result<String, String> {
    let place = format!("host=localhost hostaddr=127.0.0.1 port={} dbname=postgres", sexton.port);
    secure.psql(&format!("{place} user={user} {how}"), SHOWN)
}

#[test]
fn a1_the_matrix_of_authentication_holds() {
    let Some(secure) = Secure::start("tls::a1_the_matrix…") else { return };
    let own = Authority::new();
    let pair = own.sign("sexton", "localhost");
    for (upstream, server_leg) in [("disable", "f"), ("require", "t")] {
        let upstream = format!("tls = \"{upstream}\"");
        let setting = Setting { client: Some(&pair), upstream: &upstream, ..Setting::default() };
        let sexton = setting.start(&secure);
        for client in ["disable", "require"] {
            let both = client == "require" && server_leg == "t";
            for (user, binding, works) in [
                ("scram", "prefer", true),
                ("scram", "disable", true),
                ("scram", "require", both),
                ("hashed", "prefer", true),
                ("clear", "prefer", true),
                ("trusted", "prefer", true),
            ] {
                let how = format!("sslmode={client} channel_binding={binding}");
                let came = log_in(&secure, &sexton, user, &how);
                match works {
                    true => assert_eq!(came, Ok(format!("{user}|{server_leg}")), "{how}, upstream {server_leg}"),
                    false => {
                        assert!(came.as_ref().is_err_and(|it| it.contains("channel binding")), "{came:?}")
                    }
                }
            }
        }
    }
}

/// `tests/drivers/run` asks for it, once it has installed them.
#[test]
fn drivers_log_in_by_their_default_settings() {
    if std::env::var_os("SEXTON_TLS_DRIVERS").is_none() {
        return;
    }
    let Some(secure) = Secure::start("tls::drivers…") else { return };
    let pair = secure.authority.sign("sexton", "localhost");
    let sexton = Setting { client: Some(&pair), upstream: "tls = \"require\"", ..Setting::default() }.start(&secure);
    let status = Command::new("tests/drivers/tls/run")
        .env("SEXTON_PORT", sexton.port.to_string())
        .env("SEXTON_USER", "scram")
        .env("SEXTON_PASSWORD", PASSWORD)
        .env("SEXTON_CA", secure.authority.certificate())
        .status();
    assert!(status.expect("it runs").success(), "{}", sexton.log());
}

#[test]
fn a2_whoever_the_server_turns_away_is_turned_away_in_its_words() {
    let Some(secure) = Secure::start("tls::a2_whoever…") else { return };
    let own = Authority::new();
    let pair = own.sign("sexton", "localhost");
    let sexton = Setting { client: Some(&pair), upstream: "tls = \"require\"", ..Setting::default() }.start(&secure);
    let direct = format!("host=localhost hostaddr=127.0.0.1 port={} dbname=postgres", secure.cluster.port());
    for (user, how) in [
        ("scram", "password=wrong"),
        ("nobody_at_all", ""),
        ("expired", ""),
        ("barred", ""),
        ("scram", "options='-c nosuch=1'"),
        // As long as the tokens of some clouds (A5).
        ("clear", &format!("password={}", "x".repeat(20_000))),
    ] {
        let how = format!("sslmode=require {how}");
        let wrong = |said: Result<String, String>| {
            let said = said.expect_err("nobody gets in");
            said.rsplit_once("FATAL:").map(|(_, words)| words.trim().to_owned()).unwrap_or(said)
        };
        let past = wrong(secure.psql(&format!("{direct} user={user} {how}"), SHOWN));
        assert_eq!(wrong(log_in(&secure, &sexton, user, &how)), past, "{user} {how}");
    }
}

#[test]
fn a_login_without_the_right_to_read_verifiers_says_what_to_do() {
    let Some(secure) = Secure::start("tls::a_login_without…") else { return };
    let own = Authority::new();
    let pair = own.sign("sexton", "localhost");
    let both = Setting { client: Some(&pair), upstream: "tls = \"require\"", user: "plain", ..Setting::default() };
    let sexton = both.start(&secure);
    let said = log_in(&secure, &sexton, "scram", "sslmode=require").expect_err("the right is missing");
    assert!(said.contains("needs the right to read the roles' verifiers"), "{said}");
    assert!(said.contains("GRANT SELECT (rolname, rolpassword, rolvaliduntil) ON pg_authid"), "{said}");
    assert!(sexton.log().contains("which \"plain\" may not read in database \"postgres\""), "{}", sexton.log());
    let unbound = log_in(&secure, &sexton, "scram", "sslmode=require channel_binding=disable");
    assert_eq!(unbound.as_deref(), Ok("scram|t"), "what can be relayed is");
    secure.directly("GRANT SELECT (rolname, rolpassword, rolvaliduntil) ON pg_authid TO plain");
    assert_eq!(log_in(&secure, &sexton, "scram", "sslmode=require").as_deref(), Ok("scram|t"));
    secure.directly("REVOKE SELECT (rolname, rolpassword, rolvaliduntil) ON pg_authid FROM plain");
    drop(sexton);

    let shared = Setting { client: Some(&secure.pair), ..both }.start(&secure);
    for binding in ["prefer", "require", "disable"] {
        let how = format!(
            "sslmode=verify-full sslrootcert={} channel_binding={binding}",
            secure.authority.certificate().display()
        );
        assert_eq!(log_in(&secure, &shared, "scram", &how).as_deref(), Ok("scram|t"), "{how}");
    }
    assert!(!shared.log().contains("may not read"), "{}", shared.log());
}

/// A client that could bind, and is offered no binding because it is in clear, says so. The server has offered it on its own
/// leg, and would take that for a break-in.
#[test]
fn a_client_in_clear_that_could_bind_comes_in() {
    let Some(secure) = Secure::start("tls::a_client_in_clear…") else { return };
    let sexton = Setting { upstream: "tls = \"require\"", ..Setting::default() }.start(&secure);
    for port in [secure.cluster.port(), sexton.port] {
        for binding in [ChannelBinding::unsupported, ChannelBinding::unrequested] {
            assert_eq!(log_in_clear(port, PASSWORD, binding()), Ok(()));
            let refused = log_in_clear(port, "wrong", binding());
            assert!(refused.as_ref().is_err_and(|said| said.contains("password authentication failed")), "{refused:?}");
        }
    }
}

/// Logs in with SCRAM-SHA-256 on a connection in clear; the server's error where it does not let us in.
fn log_in_clear(port: u16, password: &str, binding: ChannelBinding) -> Result<(), String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut scram = ScramSha256::new(password.as_bytes(), binding);
    stream.write_all(&startup_packet(&[("user", "scram"), ("database", "postgres")])).expect("it is read");
    loop {
        let mut header = [0; 5];
        stream.read_exact(&mut header).expect("a message");
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let mut body = vec![0; length - 4];
        stream.read_exact(&mut body).expect("its body");
        let mut say = |bytes: &[u8]| stream.write_all(&message(b'p', bytes)).expect("it is read");
        match (header[0], &body[..4.min(body.len())]) {
            (b'R', [0, 0, 0, 10]) => {
                assert_eq!(&body[4..], b"SCRAM-SHA-256\0\0", "what is offered in clear");
                let first = scram.message();
                let length = u32::try_from(first.len()).expect("it is short").to_be_bytes();
                say(&[b"SCRAM-SHA-256\0".as_slice(), &length, first].concat());
            }
            (b'R', [0, 0, 0, 11]) => {
                scram.update(&body[4..]).expect("a challenge");
                say(scram.message());
            }
            (b'R', [0, 0, 0, 12]) => scram.finish(&body[4..]).expect("the server knows the password"),
            (b'E', _) => return Err(String::from_utf8_lossy(&body).into_owned()),
            (b'Z', _) => return Ok(()),
            _ => {}
        }
    }
}

#[test]
fn a4_a_certificate_without_a_hash_serves_without_binding() {
    let Some(secure) = Secure::start("tls::a4_a_certificate…") else { return };
    let pair = secure.authority.ed25519("ed");
    let sexton = Setting { client: Some(&pair), upstream: "tls = \"require\"", ..Setting::default() }.start(&secure);
    assert!(sexton.log().contains("no hash for SCRAM to bind to"), "{}", sexton.log());
    assert_eq!(log_in(&secure, &sexton, "scram", "sslmode=require").as_deref(), Ok("scram|t"));
    assert!(log_in(&secure, &sexton, "scram", "sslmode=require channel_binding=require").is_err());
}

#[test]
fn the_upstream_leg_believes_what_it_is_told_to_believe() {
    let Some(secure) = Secure::start("tls::the_upstream_leg…") else { return };
    let (right, wrong) = (secure.authority.certificate(), Authority::new());
    let tls = |mode: &str, ca: &std::path::Path| format!("tls = \"{mode}\"\nca = \"{}\"", ca.display());
    let started = |upstream: &str, host: &str| {
        let sexton = Setting { upstream, host, ..Setting::default() }.start(&secure);
        assert_eq!(log_in(&secure, &sexton, "scram", "sslmode=disable").as_deref(), Ok("scram|t"), "{upstream}");
    };
    let refused = |upstream: &str, host: &str| {
        sexton::refused(&Setting { upstream, host, ..Setting::default() }.text(&secure, 1))
    };
    started(&tls("verify-full", &right), "localhost");
    started(&tls("verify-ca", &right), "127.0.0.1");
    started("tls = \"prefer\"", "127.0.0.1");
    started("tls = \"require\"", "127.0.0.1");
    started(&tls("verify-full", &secure.pair.cert), "localhost");
    assert!(refused(&tls("verify-full", &right), "127.0.0.1").contains("not valid for name"), "another name");
    for mode in ["verify-ca", "verify-full"] {
        assert!(refused(&tls(mode, &wrong.certificate()), "localhost").contains("UnknownIssuer"), "{mode}");
    }
    let missing = refused(&tls("verify-full", std::path::Path::new("/nonexistent/ca.crt")), "localhost");
    assert!(missing.contains(": upstream.ca: /nonexistent/ca.crt cannot be read"), "{missing}");

    secure.show(&secure.authority.sign_until("old", "localhost", 2001));
    for mode in ["verify-ca", "verify-full"] {
        assert!(refused(&tls(mode, &right), "localhost").contains("expired"), "{mode}");
    }
    started("tls = \"require\"", "localhost");

    secure.set("ssl", "off");
    assert!(refused("tls = \"require\"", "localhost").contains("the server has no TLS"));
    let sexton = Setting { upstream: "tls = \"prefer\"", ..Setting::default() }.start(&secure);
    assert_eq!(log_in(&secure, &sexton, "scram", "sslmode=disable").as_deref(), Ok("scram|f"));
}

#[test]
fn clients_verify_sexton_and_sexton_verifies_clients() {
    let Some(secure) = Secure::start("tls::clients_verify…") else { return };
    let own = Authority::new();
    let (pair, client) = (own.sign("sexton", "localhost"), own.sign("client", "app"));
    let setting = Setting { client: Some(&pair), mode: "require", ..Setting::default() };
    let sexton = setting.start(&secure);
    let root = format!("sslmode=verify-full sslrootcert={}", own.certificate().display());
    assert_eq!(log_in(&secure, &sexton, "scram", &root).as_deref(), Ok("scram|f"));
    let stranger = format!("sslmode=verify-ca sslrootcert={}", secure.authority.certificate().display());
    assert!(log_in(&secure, &sexton, "scram", &stranger).is_err_and(|said| said.contains("certificate verify failed")));
    let clear = log_in(&secure, &sexton, "scram", "sslmode=disable").expect_err("TLS is required");
    assert!(clear.contains("takes encrypted connections only"), "{clear}");

    let with_ca = format!("client_ca = \"{}\"\n\n[upstream]", own.certificate().display());
    let text = setting.text(&secure, sexton.port).replace("\n[upstream]", &with_ca);
    let log = sexton.reload(&text);
    assert!(log.contains("are read again"), "{log}");
    assert!(log_in(&secure, &sexton, "scram", &root).is_err(), "a certificate is asked for now");
    let shown = format!("{root} sslcert={} sslkey={}", client.cert.display(), client.key.display());
    assert_eq!(log_in(&secure, &sexton, "scram", &shown).as_deref(), Ok("scram|f"));
}

#[test]
fn a_configuration_whose_files_do_not_fit_is_refused() {
    let Some(secure) = Secure::start("tls::a_configuration…") else { return };
    let own = Authority::new();
    let (one, other) = (own.sign("one", "localhost"), own.sign("other", "localhost"));
    let mixed = Pair { cert: one.cert.clone(), key: other.key };
    let said = sexton::refused(&Setting { client: Some(&mixed), ..Setting::default() }.text(&secure, 1));
    assert!(said.contains(": listen.tls.key: ") && said.contains("cannot be used with the certificate"), "{said}");
    let swapped = Pair { cert: one.key, key: one.cert };
    let said = sexton::refused(&Setting { client: Some(&swapped), ..Setting::default() }.text(&secure, 1));
    assert!(said.contains(": listen.tls.cert: ") && said.contains("holds no certificate"), "{said}");
}
