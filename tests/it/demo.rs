//! The demo: its tour checks itself, and nothing is left when it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

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
fn whoever_stops_it_at_once_is_told_so_and_nothing_is_left() {
    if cluster::shared("demo::whoever_stops_it_at_once_is_told_so_and_nothing_is_left").is_none() {
        return;
    }
    let demo =
        Command::new(env!("CARGO_BIN_EXE_sexton")).arg("demo").stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut demo = demo.expect("the binary runs");
    let mut text = String::new();
    let mut out = BufReader::new(demo.stdout.take().expect("it is piped"));
    out.read_line(&mut text).expect("it says that it starts");
    std::thread::sleep(Duration::from_millis(100));
    let process = demo.id();
    assert!(Command::new("kill").args(["-INT", &process.to_string()]).status().expect("kill runs").success());
    out.read_to_string(&mut text).expect("its last words");
    assert!(demo.wait().expect("it ends").success(), "{text}");
    assert!(text.ends_with("\nStopping; nothing is left behind.\n"), "{text}");
    let ours = format!("sexton-{process}-");
    let left = std::fs::read_dir("/tmp").expect("it can be listed").flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with(&ours)).collect();
    assert!(left.is_empty(), "{left:?}");
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
