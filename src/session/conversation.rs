//! The session itself: what it holds, how it starts, and when it must wait.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, BytesMut};

use crate::catalog::RoleFacts;
use crate::rewrite::Registry;
use crate::rewrite::as_of::AsOf;
use crate::rewrite::own_settings;
use crate::rewrite::state::{Changes, Scope, SearchPath, State, User};
use crate::session::cache::{Basis, PlanCache};
use crate::session::names::{Names, Overlay};
use crate::session::pending::Pending;
use crate::session::plan::Plan;
use crate::session::settings::Settings;
use crate::wire::backend::FatalReport;
use crate::wire::frame::LengthFault;
use crate::wire::sqlstate::SqlState;
use crate::wire::startup::{Replication, Startup};

/// Decides one query string; [`Plan::new`] outside of tests.
pub type Planner = fn(&[u8], &Settings, &RoleFacts, &Registry) -> Plan;

/// What became of bytes from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientStep {
    /// More bytes are needed to go on.
    NeedMore,
    /// The next message must wait until the server has answered what is under way.
    Hold,
    /// A message of this tag inside copy data: the server reads nothing else, and ends the connection where it finds one. The
    /// header at the front of the input is enough for it.
    OutOfPlace(u8),
    /// The stream cannot be followed from the header at the front of the input on: the server will say so.
    Fault(LengthFault),
}

/// What became of bytes from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerStep {
    /// More bytes are needed to go on.
    NeedMore,
    /// Nothing more is taken until [`Session::want`] is satisfied.
    Wait,
    /// After [`Session::cut`] the last batch has been cancelled: the connection is to end in place of the server's error.
    Cancelled,
    /// The stream cannot be followed: the connection must end.
    Fault(LengthFault),
}

/// What a session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Authenticated: [`Session::begin`] with the role's facts and the registry.
    Role,
    /// Its DDL is committed, or the configuration is another: [`Session::refreshed`] with a registry read after now.
    Refresh,
}

/// Why a session may not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeginFault {
    /// The startup packet's scope is none.
    #[error("sexton: {0}")]
    Scope(String),
    /// The startup packet's `sexton.as_of` is no time.
    #[error("sexton: {0}")]
    AsOf(String),
    /// The startup packet sets what the objects of schema `sexton` keep for themselves.
    #[error("sexton: permission denied to set parameter \"{0}\", which belongs to the objects of schema sexton")]
    OwnSetting(String),
    /// The role may not leave scope live.
    #[error("sexton: role \"{0}\" may not see deleted rows")]
    Denied(String),
}

impl BeginFault {
    /// Writes the fault as the FATAL that ends the connection.
    pub fn put(&self, out: &mut BytesMut) {
        let (code, hint) = match self {
            Self::Scope(_) => (SqlState::INVALID_PARAMETER_VALUE, "Connect with another sexton.scope."),
            Self::AsOf(_) => (SqlState::INVALID_PARAMETER_VALUE, "Connect with another sexton.as_of."),
            Self::OwnSetting(_) => {
                (SqlState::INSUFFICIENT_PRIVILEGE, "Connect without it, or as a role in access.hard_delete.")
            }
            Self::Denied(_) => (
                SqlState::INSUFFICIENT_PRIVILEGE,
                "Leave sexton.scope and sexton.as_of alone, or add the role to access.see_deleted.",
            ),
        };
        let message = self.to_string();
        FatalReport::new(code, &message).hint(hint).put(out);
    }
}

/// What decisions stand on besides the session's own state.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) role: Arc<RoleFacts>,
    pub(super) registry: Arc<Registry>,
    pub(super) cache: Arc<PlanCache>,
}

/// One client's conversation with its server, from authentication on.
///
/// Two views of its state are kept. *Confirmed* changes by replies alone and explains replies; *predicted* runs ahead
/// with what was sent, and decides what is sent next. After an error, predicted is confirmed with what is still pending.
#[derive(Debug)]
pub struct Session {
    pub(super) planner: Planner,
    /// `None` until the session has begun.
    pub(super) ground: Option<Ground>,
    asked_scope: Option<Vec<u8>>,
    asked_as_of: Option<Vec<u8>>,
    asked_search_path: Option<Vec<u8>>,
    /// A setting that is not for clients.
    asked_own: Option<String>,
    /// The startup packet sets `role`: names resolve as for somebody else.
    asks_role: bool,

    pub(super) confirmed: Settings,
    pub(super) names: Names,
    pub(super) predicted: Settings,
    pub(super) overlay: Overlay,
    /// What texts were last decided on.
    pub(super) basis: Option<Basis>,
    /// The views have been changed since they were last the same.
    pub(super) touched: bool,
    /// The predicted view is another than it was thought to be: it is made anew before anything more is decided by it.
    pub(super) mispredicted: bool,

    pub(super) pending: Pending,
    /// The last ReadyForQuery's status byte.
    pub(super) status: u8,
    /// The batch being answered has failed.
    pub(super) batch_failed: bool,
    /// What failed was a DO or CALL: it may have committed before.
    pub(super) may_have_committed: bool,
    /// The server discards everything up to a Sync that has not been sent yet.
    pub(super) skipping: bool,
    /// The statement being answered is a COPY FROM STDIN.
    pub(super) copying: bool,
    /// The server reads copy data, and its end has not been sent.
    pub(super) copy_in: bool,
    /// The client's next message has been decided, and waits for the answers of all complete batches.
    pub(super) waits_for_answers: bool,
    /// DDL is confirmed that no registry read since has seen, or another configuration is in force.
    pub(super) schema_changed: bool,
    /// Some of that DDL is committed, though a transaction may be open again.
    pub(super) schema_committed: bool,
    /// DDL has been sent that no registry read since has seen.
    pub(super) schema_sent: bool,
    /// A COMMIT of it has been sent, in a batch whose end is not confirmed.
    pub(super) committing_schema: bool,
    pub(super) want: Option<Want>,
    /// A walsender that takes SQL too, or one that takes none.
    pub(super) replication: Option<Replication>,
    /// Authentication is over on a connection of which nothing is read.
    pub(super) is_open: bool,
    /// What BackendKeyData says.
    pub(super) key: Box<[u8]>,
    /// Nothing more is taken from the client.
    pub(super) is_cut: bool,
    /// The client has said that it goes.
    pub(super) is_leaving: bool,

    /// Bytes still to come of a client message that is passed on as it arrives.
    pub(super) client_rest: usize,
    /// The same for the server's.
    pub(super) server_rest: usize,
}

impl Session {
    /// A session whose startup packet has been sent to the server.
    #[must_use]
    pub fn new(startup: &Startup, planner: Planner) -> Self {
        let settings = Settings::new(State::new(None));
        Self {
            planner,
            ground: None,
            asked_scope: startup.setting("sexton.scope"),
            asked_as_of: startup.setting("sexton.as_of"),
            asked_search_path: startup.setting("search_path"),
            asked_own: startup.names().find(|name| own_settings::is_own(name)),
            asks_role: startup.setting("role").is_some(),
            confirmed: settings.clone(),
            names: Names::default(),
            predicted: settings,
            overlay: Overlay::default(),
            basis: None,
            touched: false,
            mispredicted: false,
            pending: Pending::default(),
            status: b'I',
            batch_failed: false,
            may_have_committed: false,
            skipping: false,
            copying: false,
            copy_in: false,
            waits_for_answers: false,
            schema_changed: false,
            schema_committed: false,
            schema_sent: false,
            committing_schema: false,
            want: None,
            replication: startup.replication(),
            is_open: false,
            key: Box::default(),
            is_cut: false,
            is_leaving: false,
            client_rest: 0,
            server_rest: 0,
        }
    }

    /// What the session waits for before it takes anything more from the server.
    #[must_use]
    pub fn want(&self) -> Option<Want> {
        self.want
    }

    /// True where DDL may be committed at any moment, or is already, without that the server has said so: it keeps the
    /// confirmation back until the whole batch is done.
    #[must_use]
    pub fn is_committing_schema(&self) -> bool {
        self.committing_schema && self.want.is_none()
    }

    /// True once authentication is over and the session has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.ground.is_some() || self.is_open
    }

    /// True for physical replication: the server takes no SQL on it, and Sexton reads nothing.
    pub(super) fn is_physical(&self) -> bool {
        self.replication == Some(Replication::Physical)
    }

    /// True between transactions, with nothing owed and no message half done.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.ground.is_some()
            && self.pending.is_empty()
            && self.status == b'I'
            && self.want.is_none()
            && self.client_rest == 0
            && self.server_rest == 0
    }

    /// True while the server may do something for the client that is not known to be undone if the connection ends. A
    /// copy of which the server has not been sent the end is undone.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.pending.is_empty() && !self.copy_in
    }

    /// Has the session end with what it is doing.
    pub fn cut(&mut self) {
        self.is_cut = true;
    }

    /// True where nothing more is to be taken from the client.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// True where the client has said that it goes.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// What the server wants to see in a CancelRequest; empty where it has not said.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// True where nothing more should be read from the client before the server has answered some of what it was asked.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.pending.is_full()
    }

    /// True where what was sent to the client so far ends with a whole message.
    #[must_use]
    pub fn is_at_boundary(&self) -> bool {
        self.server_rest == 0
    }

    /// Satisfies [`Want::Role`]: from here on the client's statements are read.
    ///
    /// # Errors
    /// [`BeginFault`] where the startup packet asks for more than the role may have.
    pub fn begin(&mut self, role: RoleFacts, registry: Arc<Registry>, cache: Arc<PlanCache>) -> Result<(), BeginFault> {
        let scope = self.scope(&role, &registry)?;
        if let Some(name) = self.asked_own.take().filter(|_| !role.hard_deletes) {
            return Err(BeginFault::OwnSetting(name));
        }
        // What the client asked for is what the server set: a value it cannot accept has ended the connection by now.
        let path = match self.asked_search_path.take() {
            Some(text) => String::from_utf8(text).ok(),
            None => role.search_path.clone(),
        };
        let asks_role = self.asks_role;
        self.report(true, move |state| {
            state.scope = scope.clone();
            if asks_role {
                state.role = Some(User::Unknown);
            }
            if let (SearchPath::Unknown, Some(path)) = (&state.search_path, &path) {
                state.search_path = SearchPath::Known(path.clone());
            }
        });
        self.ground = Some(Ground { role: Arc::new(role), registry, cache });
        self.want = None;
        Ok(())
    }

    fn scope(&mut self, role: &RoleFacts, registry: &Registry) -> Result<Scope, BeginFault> {
        let read = |text: Option<Vec<u8>>| text.map(|text| String::from_utf8_lossy(&text).into_owned());
        let mut scope = match read(self.asked_scope.take()) {
            Some(text) => Scope::parse(&text).map_err(BeginFault::Scope)?,
            None => Scope::default(),
        };
        if let Some(text) = read(self.asked_as_of.take()) {
            scope.as_of = AsOf::parse(&text).map_err(BeginFault::AsOf)?;
        }
        if !scope.is_live() && !role.sees_deleted {
            return Err(BeginFault::Denied(role.name.clone()));
        }
        scope.check_tables(registry.configured_tables()).map_err(BeginFault::Scope)?;
        Ok(scope)
    }

    /// Decides from now on by `registry`.
    pub fn set_registry(&mut self, registry: Arc<Registry>) {
        let Some(ground) = &mut self.ground else { return };
        let reconfigured = ground.registry.configuration != registry.configuration;
        ground.registry = registry;
        if reconfigured {
            // What the role may do is configured too.
            self.schema_changed = true;
            if self.is_idle() {
                self.want = Some(Want::Refresh);
            }
        }
    }

    /// Satisfies [`Want::Refresh`]; `None` where the catalog could not be read: until it can, names keep their safe reading.
    pub fn refreshed(&mut self, read: Option<(Arc<Registry>, RoleFacts)>) {
        if let (Some((registry, role)), Some(ground)) = (read, &mut self.ground) {
            ground.registry = Arc::clone(&registry);
            if *ground.role != role {
                ground.role = Arc::new(role);
            }
            // What the open transaction has changed is not in it.
            if self.status == b'I' {
                self.report(true, |state| {
                    state.changes = Changes::default();
                    state.forget_fresh(|name| registry.is_shown(name));
                });
            }
        }
        self.schema_changed &= self.status != b'I';
        self.schema_committed = false;
        self.want = None;
    }

    /// Changes both views as the server reported it.
    pub(super) fn report(&mut self, start: bool, change: impl Fn(&mut State)) {
        for settings in [&mut self.confirmed, &mut self.predicted] {
            if start {
                settings.report_start(&change);
            } else {
                settings.report(&change);
            }
        }
    }
}

/// How far bytes that came have been taken, and what goes on as it came.
///
/// What a session writes itself, and what goes on behind that, it appends to the buffer it is given. Only where it has
/// written nothing, and the buffer is empty, are bytes left to the caller to pass on from where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Bytes taken, from the front.
    pub bytes: usize,
    /// Those of them that go on as they came, and are not in the buffer.
    pub as_is: Range<usize>,
}

impl Taken {
    /// `run`: what goes on as it came and is not in `out` yet, up to where bytes have been taken.
    pub(super) fn up_to(run: Range<usize>, input: &[u8], out: &mut BytesMut) -> Self {
        let bytes = run.end;
        if out.is_empty() {
            return Self { bytes, as_is: run };
        }
        out.extend_from_slice(&input[run]);
        Self { bytes, as_is: bytes..bytes }
    }

    /// Takes the bytes off `input`, and moves what goes on as it came to `out`.
    pub fn settle(self, input: &mut BytesMut, out: &mut BytesMut) {
        out.extend_from_slice(&input[self.as_is]);
        input.advance(self.bytes);
    }
}
