//! The demo: its tour checks itself, and nothing is left when it ends.

use std::process::{Command, Stdio};

use crate::support::cluster;

#[test]
fn the_tour_ends_well_and_leaves_nothing_behind() {
    if cluster::shared("demo::the_tour_ends_well_and_leaves_nothing_behind").is_none() {
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_sexton"))
        .args(["demo", "--once", "--port", "0"])
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("Everything was as it should be."), "{text}");
    let refusal = "ERROR:  public.claims holds 1 deleted row that would become visible";
    assert!(text.contains(refusal) && text.contains("The configuration is in force."), "{text}");
    let configuration = text.split("configured by ").nth(1).and_then(|rest| rest.split(".toml").next());
    let file = format!("{}.toml", configuration.expect("the tour names its configuration"));
    assert!(!std::path::Path::new(&file).exists(), "{file} is still there");
}

#[test]
fn a_port_in_use_is_one_message() {
    if cluster::shared("demo::a_port_in_use_is_one_message").is_none() {
        return;
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("a bound port").port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_sexton"))
        .args(["demo", "--once", "--port", &port])
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    let expected = format!("error: port {port} on 127.0.0.1 is taken\n  mend: choose another with --port\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
}
