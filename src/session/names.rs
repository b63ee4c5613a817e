//! Statement and portal names: what the server has confirmed, and what the messages under way will have made of it.
//!
//! The two namespaces differ (E9); Parse, SQL PREPARE and their opposites share the one of statements (E10).

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::session::prepared::{Portal, Prepared};

/// A statement's or portal's name; drivers keep them short.
pub(crate) type Name = SmallVec<[u8; 16]>;

/// What stands under each name. The unnamed one, which most messages mean, has a place of its own and needs no hash.
#[derive(Debug)]
pub(crate) struct Named<T> {
    unnamed: Option<T>,
    named: HashMap<Name, T, RandomState>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { unnamed: None, named: HashMap::default() }
    }
}

impl<T> Named<T> {
    pub(crate) fn get(&self, name: &[u8]) -> Option<&T> {
        if name.is_empty() { self.unnamed.as_ref() } else { self.named.get(name) }
    }

    pub(crate) fn get_mut(&mut self, name: &[u8]) -> Option<&mut T> {
        if name.is_empty() { self.unnamed.as_mut() } else { self.named.get_mut(name) }
    }

    pub(crate) fn insert(&mut self, name: &[u8], value: T) {
        if name.is_empty() {
            self.unnamed = Some(value);
        } else {
            self.named.insert(Name::from_slice(name), value);
        }
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        if name.is_empty() {
            self.unnamed = None;
        } else {
            self.named.remove(name);
        }
    }

    /// What stands under a name.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&Name, &T)> {
        self.named.iter()
    }

    /// All but the unnamed one, which DEALLOCATE ALL and DISCARD ALL leave where it is.
    pub(crate) fn clear_named(&mut self) {
        if !self.named.is_empty() {
            self.named.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.unnamed = None;
        self.clear_named();
    }
}

/// The names as the server's replies have confirmed them (E7).
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) statements: Named<Arc<Prepared>>,
    pub(crate) portals: Named<Portal>,
}

/// Changes to [`Names`] by messages that are sent and not yet answered.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// `None`: will be gone.
    statements: Named<Option<Arc<Prepared>>>,
    portals: Named<Option<Portal>>,
    /// Every confirmed statement with a name will be gone (DEALLOCATE ALL).
    forgets_statements: bool,
}

impl Overlay {
    /// The statement a message sent now will meet.
    pub(crate) fn statement<'a>(&'a self, names: &'a Names, name: &[u8]) -> Option<&'a Arc<Prepared>> {
        match self.statements.get(name) {
            Some(change) => change.as_ref(),
            None if self.forgets_statements && !name.is_empty() => None,
            None => names.statements.get(name),
        }
    }

    /// The portal a message sent now will meet.
    pub(crate) fn portal<'a>(&'a self, names: &'a Names, name: &[u8]) -> Option<&'a Portal> {
        match self.portals.get(name) {
            Some(change) => change.as_ref(),
            None => names.portals.get(name),
        }
    }

    /// All portals with a name that a message sent now may meet.
    pub(crate) fn named_portals<'a>(&'a self, names: &'a Names) -> impl Iterator<Item = (&'a Name, &'a Portal)> {
        let sent = self.portals.named().filter_map(|(name, change)| Some((name, change.as_ref()?)));
        names.portals.named().chain(sent)
    }

    pub(crate) fn set_statement(&mut self, name: &[u8], prepared: Option<Arc<Prepared>>) {
        self.statements.insert(name, prepared);
    }

    pub(crate) fn set_portal(&mut self, name: &[u8], portal: Option<Portal>) {
        self.portals.insert(name, portal);
    }

    pub(crate) fn forget_statements(&mut self) {
        self.statements.clear_named();
        self.forgets_statements = true;
    }

    /// Everything sent has been answered.
    pub(crate) fn clear(&mut self) {
        self.statements.clear();
        self.portals.clear();
        self.forgets_statements = false;
    }
}
