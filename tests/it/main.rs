//! The one integration test binary.

mod cli;
mod config;
mod headers;
mod tidy;
