//! What a proxy can tell about itself at one moment, for whoever shows it.

use std::sync::Arc;

use crate::session::cache::PlanCache;

/// One moment.
#[derive(Debug)]
pub struct Figures {
    /// Sessions that are open, past the checks of their startup packet.
    pub sessions: u32,
    /// `listen.max_connections`
    pub sessions_max: u32,
    /// Connections accepted since the start, refused ones and cancel requests included.
    pub connections: u64,
    /// The databases that have been opened, in order of their names.
    pub databases: Vec<DatabaseFigures>,
}

/// One database.
#[derive(Debug)]
pub struct DatabaseFigures {
    /// Its name.
    pub name: String,
    /// Its decided texts, which count what they are asked, thread by thread.
    pub plans: Vec<Arc<PlanCache>>,
}
