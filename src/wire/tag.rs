//! Command tags as texts: the tag of the statement that ran, turned into the one the client's statement earns (R2).

/// `DELETE n` for a tag that ends in a row count (`UPDATE n`, `INSERT 0 n`, `SELECT n`); any other tag as it is.
#[must_use]
pub fn delete(tag: &[u8]) -> Vec<u8> {
    match rows(tag) {
        Some(rows) => [b"DELETE ", rows].concat(),
        None => tag.to_vec(),
    }
}

/// `TRUNCATE TABLE`, whatever ran in its place.
#[must_use]
pub fn truncate() -> Vec<u8> {
    b"TRUNCATE TABLE".to_vec()
}

/// `DROP TABLE`, for the block that ran in its place.
#[must_use]
pub fn drop_table() -> Vec<u8> {
    b"DROP TABLE".to_vec()
}

fn rows(tag: &[u8]) -> Option<&[u8]> {
    let rows = tag.rsplit(|byte| *byte == b' ').next()?;
    (rows.len() < tag.len() && !rows.is_empty() && rows.iter().all(u8::is_ascii_digit)).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counted_tag_becomes_a_delete() {
        for (before, after) in [
            ("UPDATE 3", "DELETE 3"),
            ("INSERT 0 3", "DELETE 3"),
            ("SELECT 0", "DELETE 0"),
            ("MERGE 12", "DELETE 12"),
            ("DELETE 7", "DELETE 7"),
            ("EXPLAIN", "EXPLAIN"),
            ("7", "7"),
        ] {
            assert_eq!(String::from_utf8_lossy(&delete(before.as_bytes())), after);
        }
    }
}
