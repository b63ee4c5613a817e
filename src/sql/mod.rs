//! How SQL is spelled: tokens, clause structure and text edits. Knows nothing of soft deletion.

pub mod constants;
pub mod edit;
pub mod encoding;
pub mod ident;
pub mod keyword;
pub mod lexer;
pub mod predicate;
pub mod reader;
pub mod scan;
pub mod second_parser;
pub mod split;
pub mod token;
pub mod tree;
