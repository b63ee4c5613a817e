//! Statement and portal names: what the server has confirmed, and what the messages under way will have made of it.
//!
//! The two namespaces differ (E9); Parse, SQL PREPARE and their opposites share the one of statements (E10).

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::session::prepared::Prepared;

/// A statement's or portal's name; drivers keep them short.
pub(crate) type Name = SmallVec<[u8; 24]>;

type Map<T> = HashMap<Name, T, RandomState>;

/// The names as the server's replies have confirmed them (E7).
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) statements: Map<Arc<Prepared>>,
    pub(crate) portals: Map<Arc<Prepared>>,
}

/// Changes to [`Names`] by messages that are sent and not yet answered.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// `None`: will be gone.
    statements: Map<Option<Arc<Prepared>>>,
    portals: Map<Option<Arc<Prepared>>>,
    /// Every confirmed statement will be gone (DEALLOCATE ALL).
    forgets_statements: bool,
}

impl Overlay {
    /// The statement a message sent now will meet.
    pub(crate) fn statement<'a>(&'a self, names: &'a Names, name: &[u8]) -> Option<&'a Arc<Prepared>> {
        match self.statements.get(name) {
            Some(change) => change.as_ref(),
            None if self.forgets_statements => None,
            None => names.statements.get(name),
        }
    }

    /// The portal a message sent now will meet, by the statement it was bound to.
    pub(crate) fn portal<'a>(&'a self, names: &'a Names, name: &[u8]) -> Option<&'a Arc<Prepared>> {
        match self.portals.get(name) {
            Some(change) => change.as_ref(),
            None => names.portals.get(name),
        }
    }

    pub(crate) fn set_statement(&mut self, name: &[u8], prepared: Option<Arc<Prepared>>) {
        self.statements.insert(Name::from_slice(name), prepared);
    }

    pub(crate) fn set_portal(&mut self, name: &[u8], prepared: Option<Arc<Prepared>>) {
        self.portals.insert(Name::from_slice(name), prepared);
    }

    pub(crate) fn forget_statements(&mut self) {
        self.statements.clear();
        self.forgets_statements = true;
    }

    /// Everything sent has been answered.
    pub(crate) fn clear(&mut self) {
        self.statements.clear();
        self.portals.clear();
        self.forgets_statements = false;
    }
}
