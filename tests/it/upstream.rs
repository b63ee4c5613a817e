//! Several upstream addresses: which of them is taken, and what reaches the others.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use sexton::cli::demo::cluster::{Cluster, Options, free_port};

use crate::support::cluster;
use crate::support::raw::{Raw, query};
use crate::support::sexton::Sexton;

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
