//! `sexton demo`: a database, sample data, the proxy and a guided tour, with nothing else installed.

pub mod binaries;
pub mod cluster;
