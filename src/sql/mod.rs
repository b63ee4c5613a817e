//! How SQL is spelled: tokens, clause structure and text edits. Knows nothing of soft deletion.

pub mod edit;
pub mod encoding;
