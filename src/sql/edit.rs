//! Disjoint edits over a text, and positions carried across them in both directions.

use std::sync::Arc;

use smallvec::SmallVec;

/// One replacement of `start..end` (byte offsets into the original text) by `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// First byte replaced.
    pub start: usize,
    /// One past the last byte replaced; equal to `start` for an insertion.
    pub end: usize,
    /// What stands there afterwards; shared by the texts that one answer serves.
    pub text: Arc<[u8]>,
    /// Byte offset in the original that caused the edit: a server error inside `text` is reported there.
    pub cause: usize,
}

/// A set of edits, sorted and disjoint. Insertions at one offset keep the order they were added in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    edits: SmallVec<[Edit; 2]>,
}

/// Two edits claim the same bytes: the rules that made them contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("two edits overlap at byte {0}")]
pub struct Overlap(pub usize);

impl Edits {
    /// Sorts `edits` by start, keeping the given order among insertions at one offset.
    ///
    /// # Errors
    /// [`Overlap`] where two edits replace the same byte or one inserts inside what another replaces.
    pub fn new(mut edits: Vec<Edit>) -> Result<Self, Overlap> {
        edits.sort_by_key(|edit| (edit.start, edit.end));
        for pair in edits.windows(2) {
            if pair[0].end > pair[1].start {
                return Err(Overlap(pair[1].start));
            }
        }
        Ok(Self { edits: edits.into() })
    }

    /// True where nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The edits, in text order.
    pub fn iter(&self) -> impl Iterator<Item = &Edit> {
        self.edits.iter()
    }

    /// The same edits for a text in which `bytes` bytes stand in front of this one.
    #[must_use]
    pub fn shifted(mut self, bytes: usize) -> Self {
        for edit in &mut self.edits {
            edit.start += bytes;
            edit.end += bytes;
            edit.cause += bytes;
        }
        self
    }

    /// The same edits with every offset carried to where `carry` says; `None` where it says nothing.
    #[must_use]
    pub fn carried(&self, carry: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let mut edits = SmallVec::with_capacity(self.edits.len());
        for edit in &self.edits {
            let start = carry(edit.start)?;
            // Mostly one and the same.
            let carry = |offset| if offset == edit.start { Some(start) } else { carry(offset) };
            let (end, cause) = (carry(edit.end)?, carry(edit.cause)?);
            edits.push(Edit { start, end, cause, text: Arc::clone(&edit.text) });
        }
        Some(Self { edits })
    }

    /// Appends edits that all lie behind these.
    ///
    /// # Errors
    /// [`Overlap`] where they do not.
    pub fn append(&mut self, later: Self) -> Result<(), Overlap> {
        if let (Some(last), Some(first)) = (self.edits.last(), later.edits.first())
            && last.end > first.start
        {
            return Err(Overlap(first.start));
        }
        // Both are sorted: a string of many statements must not be sorted again for each of them.
        self.edits.extend(later.edits);
        Ok(())
    }

    /// The edited text.
    #[must_use]
    pub fn apply(&self, original: &[u8]) -> Vec<u8> {
        let grown: usize = self.edits.iter().map(|edit| edit.text.len()).sum();
        let mut out = Vec::with_capacity(original.len() + grown);
        let mut at = 0;
        for edit in &self.edits {
            out.extend_from_slice(&original[at..edit.start]);
            out.extend_from_slice(&edit.text);
            at = edit.end;
        }
        out.extend_from_slice(&original[at..]);
        out
    }

    /// The edited text of the range `start..end`, where all edits lie in it.
    #[must_use]
    pub fn apply_within(&self, original: &[u8], start: usize, end: usize) -> Vec<u8> {
        let edited = self.apply(&original[..end]);
        edited[start..].to_vec()
    }

    /// Carries a byte offset of the edited text back to the original.
    ///
    /// Outside inserted text the answer is exact; inside it is the edit's `cause`.
    #[must_use]
    pub fn original_offset(&self, edited: usize) -> usize {
        let mut grown: usize = 0;
        let mut removed: usize = 0;
        for edit in &self.edits {
            let start = edit.start + grown - removed;
            if edited < start {
                break;
            }
            if edited < start + edit.text.len() {
                return edit.cause;
            }
            grown += edit.text.len();
            removed += edit.end - edit.start;
        }
        edited + removed - grown
    }

    /// Carries a byte offset of the original into the edited text; an offset inside a replaced
    /// range goes to the end of what replaced it.
    #[must_use]
    pub fn edited_offset(&self, original: usize) -> usize {
        let mut grown: usize = 0;
        let mut removed: usize = 0;
        for edit in &self.edits {
            if edit.start > original || (edit.start == original && edit.end > original) {
                break;
            }
            grown += edit.text.len();
            removed += edit.end.min(original) - edit.start;
        }
        original + grown - removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit { start, end, text: text.as_bytes().into(), cause: start }
    }

    #[test]
    fn positions_survive_a_round_trip() {
        let original = b"DELETE FROM t WHERE id = 1";
        let edits = Edits::new(vec![
            edit(0, 11, "UPDATE"),
            edit(13, 13, " SET d = now()"),
            edit(20, 20, "t.d IS NULL AND ("),
            edit(26, 26, ")"),
        ])
        .expect("disjoint");
        let edited = edits.apply(original);
        assert_eq!(String::from_utf8_lossy(&edited), "UPDATE t SET d = now() WHERE t.d IS NULL AND (id = 1)");
        for offset in [12, 14, 18, 20, 23, 25] {
            let there = edits.edited_offset(offset);
            assert_eq!(edited[there], original[offset]);
            assert_eq!(edits.original_offset(there), offset);
        }
        assert_eq!(edits.original_offset(9), 13, "inside an insertion: its cause");
    }

    #[test]
    fn overlapping_edits_are_refused() {
        assert_eq!(Edits::new(vec![edit(0, 5, "x"), edit(4, 6, "y")]), Err(Overlap(4)));
    }
}
