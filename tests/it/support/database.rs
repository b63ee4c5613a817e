//! A fresh database per test.

use std::sync::atomic::{AtomicU32, Ordering};

use sexton::cli::demo::cluster::Cluster;

use super::raw::Raw;

/// A database nobody else uses. It is dropped with its server.
#[derive(Debug)]
pub struct Database {
    /// Its name, unique in this run.
    pub name: String,
    /// The server's port.
    pub port: u16,
}

impl Database {
    /// Creates an empty database whose name starts with `prefix`.
    pub fn create(cluster: &Cluster, prefix: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self::named(cluster, &format!("{prefix}_{}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Creates an empty database of that name, which only one test may use.
    pub fn named(cluster: &Cluster, name: &str) -> Self {
        let database = Self { name: name.to_owned(), port: cluster.port() };
        let mut server = Raw::connect(database.port, Cluster::SUPERUSER, "postgres").expect("the server answers");
        server.expect(&format!("CREATE DATABASE {}", database.name));
        database
    }

    /// A connection to the server itself, past Sexton, as superuser.
    pub fn direct(&self) -> Raw {
        self.direct_as(Cluster::SUPERUSER)
    }

    /// A connection to the server itself, past Sexton, as `user`.
    pub fn direct_as(&self, user: &str) -> Raw {
        Raw::connect(self.port, user, &self.name).expect("the server answers")
    }

    /// Runs a script as superuser; any error fails the test.
    pub fn run(&self, script: &str) {
        self.direct().expect(script);
    }
}
