//! Replication commands, which are no SQL: what a walsender reads with a grammar of its own.

/// The first words of replication commands but SHOW, which is SQL as well and the same.
const REPLICATION_COMMANDS: [&[u8]; 9] = [
    b"IDENTIFY_SYSTEM",
    b"READ_REPLICATION_SLOT",
    b"CREATE_REPLICATION_SLOT",
    b"ALTER_REPLICATION_SLOT",
    b"DROP_REPLICATION_SLOT",
    b"START_REPLICATION",
    b"TIMELINE_HISTORY",
    b"BASE_BACKUP",
    b"UPLOAD_MANIFEST",
];

/// True for what a walsender does not take for SQL: it looks at the first word alone.
pub(super) fn is_replication_command(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let end = text.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_')).unwrap_or(text.len());
    REPLICATION_COMMANDS.contains(&text[..end].to_ascii_uppercase().as_slice())
}
