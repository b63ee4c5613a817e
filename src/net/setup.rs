//! What one configuration file makes, with the files it names read: swapped as a whole when it is read again.

use std::sync::Arc;

use crate::config::Config;
use crate::net::tls::ClientLeg;
use crate::net::upstream::Upstream;
use crate::rewrite::Finding;

/// A configuration that can be served.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) client_tls: Option<ClientLeg>,
    pub(crate) upstream: Arc<Upstream>,
    /// Counts the configurations.
    pub(crate) number: u64,
}

impl Setup {
    /// Reads the files that `config` names.
    ///
    /// # Errors
    /// All that cannot be used.
    pub(crate) fn new(config: Config, number: u64) -> Result<Self, Vec<Finding>> {
        let client_tls = config.listen.tls.as_ref().map(ClientLeg::read).transpose();
        let database = config.databases.named.keys().next().map_or("postgres", String::as_str);
        match (client_tls, Upstream::new(&config.upstream, database)) {
            (Ok(client_tls), Ok(upstream)) => Ok(Self { config, client_tls, upstream: Arc::new(upstream), number }),
            (client_tls, upstream) => Err(client_tls.err().into_iter().chain(upstream.err()).collect()),
        }
    }

    /// The keys in which `self` asks for what only a new start can give; `started`: by what there is now.
    pub(crate) fn needs_restart(&self, started: &Config) -> Vec<&'static str> {
        let (new, old) = (&self.config.listen, &started.listen);
        let admin = self.config.admin != started.admin;
        let changed = [
            ("listen.address", new.address != old.address),
            ("listen.unix_socket_dir", new.unix_socket_dir != old.unix_socket_dir),
            ("admin.address", admin),
        ];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
    }
}
