//! The command line where it needs no database: what it prints, and its exit codes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A directory of its own for each test, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sexton-cli-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory can be made");
        Self(path)
    }

    fn with(self, file: &str, text: &str) -> Self {
        fs::write(self.0.join(file), text).expect("a file can be written");
        self
    }

    fn sexton(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sexton"));
        command.args(arguments).current_dir(&self.0).env_clear().env("RUST_BACKTRACE", "1").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(&self.sexton(arguments).output().expect("sexton runs"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<&Output> for Ran {
    fn from(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("messages are UTF-8");
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

const MINIMAL: &str = "\
[upstream]
address = '127.0.0.1:5432'
user = 'sexton'
[databases.shop.tables.users]
delete = 'soft'
";

#[test]
fn a_missing_file_is_one_message_that_names_the_places() {
    let ran = Folder::new("missing").run(&["rewrite", "--offline", "SELECT 1"]);
    if Path::new("/etc/sexton/sexton.toml").exists() {
        return;
    }
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    let expected = "error: there is no configuration file at ./sexton.toml or at /etc/sexton/sexton.toml\n  mend: ";
    assert!(ran.err.starts_with(expected), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
}

#[test]
fn a_file_that_is_gone_when_it_is_read_again_is_to_be_put_back() {
    let failure = sexton::cli::load::reload(Path::new("/nonexistent/sexton.toml")).expect_err("it is not there");
    assert!(failure.to_string().ends_with("\n  mend: put it back"), "{failure}");
}

#[test]
fn a_file_named_is_the_only_place() {
    let folder = Folder::new("named").with("sexton.toml", MINIMAL);
    let ran = folder.run(&["rewrite", "--offline", "--config", "other.toml", "SELECT 1"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.starts_with("error: there is no configuration file at other.toml\n"), "{}", ran.err);
    let by_variable = folder.sexton(&["rewrite", "--offline", "SELECT 1"]).env("SEXTON_CONFIG", "other.toml").output();
    assert_eq!(Ran::from(&by_variable.expect("sexton runs")).err, ran.err);
}

#[test]
fn a_wrong_key_is_told_with_its_line_and_mend() {
    let folder = Folder::new("wrong-key").with("sexton.toml", &format!("{MINIMAL}colum = 'gone_at'\n"));
    let ran = folder.run(&["rewrite", "--offline", "SELECT 1"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert_eq!(
        ran.err,
        "error: the configuration cannot be used: 1 problem\n\
         ./sexton.toml:6: databases.shop.tables.users.colum: unknown key\n  mend: did you mean column?\n"
    );
}

#[test]
fn a_program_that_asks_for_json_gets_the_failure_as_json() {
    let folder = Folder::new("json-failure").with("sexton.toml", "upstream = 1");
    let ran = folder.run(&["rewrite", "--offline", "--format", "json", "SELECT 1"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(2), ""));
    let failure: serde_json::Value = serde_json::from_str(&ran.out).expect("it is JSON");
    assert_eq!(failure["error"]["message"], "the configuration cannot be used: 2 problems");
}

#[test]
fn an_unset_variable_is_told_by_name() {
    let text = MINIMAL.replace("user = 'sexton'", "user = '${SEXTON_USER}'");
    let folder = Folder::new("variable").with("sexton.toml", &text);
    let ran = folder.run(&["rewrite", "--offline", "SELECT 1"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("upstream.user: the environment variable SEXTON_USER is not set"), "{}", ran.err);
    let set = folder.sexton(&["rewrite", "--offline", "SELECT 1"]).env("SEXTON_USER", "sexton").output();
    assert_eq!(Ran::from(&set.expect("sexton runs")).code, Some(0));
}

#[test]
fn help_goes_to_stdout_and_is_fine() {
    let folder = Folder::new("help");
    let ran = folder.run(&["rewrite", "--help"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    for option in ["--offline", "--scope", "--as-of", "--role", "--database", "--search-path", "--config", "--format"] {
        assert!(ran.out.contains(option), "{option} is not in\n{}", ran.out);
    }
    let all = folder.run(&["--help"]).out;
    for command in ["serve", "demo", "check", "apply", "rewrite"] {
        assert!(all.contains(&format!("  {command} ")), "{command} is not in\n{all}");
    }
    for option in ["--execute", "--guard", "--user", "--database"] {
        assert!(folder.run(&["apply", "--help"]).out.contains(option), "{option}");
    }
    assert!(folder.run(&["check", "--help"]).out.contains("Exit codes: 0 nothing but notes, 1 errors or warnings"));
}

#[test]
fn help_is_a_command_with_help_of_its_own() {
    let folder = Folder::new("help-command");
    assert_eq!(folder.run(&["help"]).out, folder.run(&["--help"]).out);
    assert_eq!(folder.run(&["help", "rewrite"]).out, folder.run(&["rewrite", "--help"]).out);
    let ran = folder.run(&["help", "--help"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(folder.run(&["help", "bury"]).code, Some(2));
}

#[test]
fn the_demo_takes_no_configuration() {
    let folder = Folder::new("demo").with("sexton.toml", MINIMAL);
    for option in ["--config=sexton.toml", "--format=json"] {
        let ran = folder.run(&["demo", option]);
        assert_eq!(ran.code, Some(2), "{}", ran.out);
        assert!(ran.err.contains("unexpected argument"), "{}", ran.err);
    }
    assert!(!folder.run(&["demo", "--help"]).out.contains("--config"));
}

#[test]
fn wrong_arguments_exit_with_2() {
    let folder = Folder::new("arguments").with("sexton.toml", MINIMAL);
    for arguments in [
        vec!["bury"],
        vec!["rewrite", "--offline", "--scope", "dead", "SELECT 1"],
        vec!["rewrite", "--offline", "--as-of", "yesterday", "SELECT 1"],
        vec!["rewrite", "--offline", "--database", "other", "SELECT 1"],
    ] {
        let ran = folder.run(&arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
        assert!(ran.err.contains("\n  mend: ") || arguments.len() == 1, "{}", ran.err);
    }
}

#[test]
fn a_time_in_the_past_is_shown() {
    let folder = Folder::new("as-of").with("sexton.toml", MINIMAL);
    let run = |more: &[&str]| {
        let arguments = ["rewrite", "--offline", "--as-of", "2026-01-31", "TABLE users"];
        folder.run(&[&arguments, more].concat())
    };
    let shown = "SELECT * FROM users WHERE (users.deleted_at IS NULL OR users.deleted_at > timestamptz '2026-01-31')\n";
    assert_eq!(run(&[]).out, shown);
    let refused = run(&["--role", "app"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("42501: sexton: permission denied to leave scope"), "{}", refused.err);
}

#[test]
fn several_databases_want_a_choice() {
    let folder = Folder::new("choice").with("sexton.toml", &format!("{MINIMAL}[databases.other]\n"));
    let ran = folder.run(&["rewrite", "--offline", "SELECT 1"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--database: other, shop"), "{}", ran.err);
    assert_eq!(folder.run(&["rewrite", "--offline", "--database", "shop", "SELECT 1"]).code, Some(0));
}

#[test]
fn what_mentions_no_table_comes_out_as_it_went_in() {
    let folder = Folder::new("unchanged").with("sexton.toml", MINIMAL);
    let ran = folder.run(&["rewrite", "--offline", "SELECT", "1"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "SELECT 1\n", ""));

    let mut child = folder.sexton(&["rewrite", "--offline", "--format", "json"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sexton runs");
    child.stdin.take().expect("it is piped").write_all(b"SELECT 1\n").expect("it can be written");
    let ran = Ran::from(&child.wait_with_output().expect("sexton ends"));
    let answer: serde_json::Value = serde_json::from_str(&ran.out).expect("it is JSON");
    assert_eq!((&answer["outcome"], &answer["text"]), (&"unchanged".into(), &"SELECT 1\n".into()));
    assert_eq!(answer["refusal"], serde_json::Value::Null);
}
