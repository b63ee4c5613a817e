//! Conversations that nobody thought of: messages in any order, few enough names that they meet.

use super::Conversation;
use crate::support::random::Random;

const MESSAGES_MAX: usize = 14;

/// Nothing here leaves a trace for the next conversation: deletions find no row, all else is rolled back or the session's own.
const STATEMENTS: &[&str] = &[
    "SELECT id, name FROM users ORDER BY id",
    "SELECT n FROM generate_series(1, 5) n",
    "DELETE FROM users WHERE id = 99",
    "DELETE FROM orders WHERE id = 99 RETURNING id",
    "UPDATE users SET name = 'x' WHERE id = 99",
    "SELECT nosuch FROM users",
    "SELECT 1 / 0 FROM users",
    "SELEC",
    "",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "ROLLBACK TO s",
    "PREPARE a AS DELETE FROM users WHERE id = 99",
    "EXECUTE a",
    "EXECUTE b",
    "DEALLOCATE a",
    "DEALLOCATE ALL",
    "DISCARD ALL",
    "SET search_path = pg_catalog",
    "SET LOCAL search_path = public",
    "SET search_path = public, pg_catalog",
    "RESET search_path",
    "SET app.note = 'x'",
    "COPY users TO STDOUT",
    "DECLARE c CURSOR FOR SELECT id FROM users ORDER BY id",
    "FETCH 2 FROM c",
    "CREATE TEMP TABLE own AS SELECT id FROM users",
    "SELECT count(*) FROM own",
    "DROP TABLE IF EXISTS nosuch",
];

/// Of several statements, for Query alone.
const STRINGS: &[&str] = &[
    "DELETE FROM users WHERE id = 99; SELECT 1; DELETE FROM orders WHERE id = 99",
    "BEGIN; DELETE FROM users WHERE id = 99; ROLLBACK",
    "DELETE FROM users WHERE id = 99; SELECT nosuch; SELECT 1",
    ";; SELECT id FROM users WHERE id = 1;",
    "BEGIN; COPY copied FROM STDIN; DELETE FROM users WHERE id = 99; ROLLBACK",
    "BEGIN; COPY copied FROM STDIN",
];

pub(super) fn conversation(seed: u64) -> Conversation {
    let mut random = Random::new(seed);
    let lines: Vec<String> = (0..=random.below(MESSAGES_MAX)).map(|_| line(&mut random)).collect();
    let title = format!("seed {seed}\n   {}", lines.join("\n   "));
    let mut conversation = Conversation {
        title,
        startup: Vec::new(),
        steps: Vec::new(),
        only_unregistered: false,
        may_refuse: Some(b"was prepared under other settings"),
    };
    for line in lines {
        conversation.line(&line).unwrap_or_else(|fault| panic!("{line}: {fault}"));
    }
    conversation
}

fn line(random: &mut Random) -> String {
    let name = *random.pick(&["", "", "a", "b"]);
    let portal = *random.pick(&["", "", "p"]);
    match random.below(24) {
        0..=4 => format!("Query \"{}\"", random.pick(STATEMENTS)),
        5 => format!("Query \"{}\"", random.pick(STRINGS)),
        6..=9 => format!("Parse \"{name}\" \"{}\"", random.pick(STATEMENTS)),
        10..=12 => format!("Bind \"{portal}\" \"{name}\""),
        13..=15 => format!("Execute \"{portal}\" {}", random.pick(&["0", "0", "2"])),
        16 => format!("Describe {} \"{}\"", random.pick(&["S", "P"]), random.pick(&[name, portal])),
        17 => format!("Close {} \"{}\"", random.pick(&["S", "P"]), random.pick(&[name, portal])),
        18 => (*random.pick(&["CopyData \"1\\tx\\n\"", "CopyData \"x\"", "CopyDone", "CopyFail \"no\""])).to_owned(),
        19 => (*random.pick(&["Flush", "Frame H \"x\"", "Frame S \"x\"", "Frame E \"x\""])).to_owned(),
        _ => "Sync".to_owned(),
    }
}
