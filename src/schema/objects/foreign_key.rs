//! Foreign keys as if dead rows were gone. The constraint itself stays; triggers complete it.

use crate::schema::objects::scene::{Reference, qualified};
use crate::sql::ident::quote;

impl Reference<'_> {
    /// `public.orders: orders_user_id_fkey`, for findings.
    pub(super) fn object(&self) -> String {
        format!("{}: {}", qualified(self.child.table), quote(&self.key.name))
    }

    /// The constraint's own deferrability, for a constraint trigger.
    pub(super) fn deferrability(&self) -> &'static str {
        match (self.key.is_deferrable, self.key.is_deferred) {
            (false, _) => "NOT DEFERRABLE",
            (true, false) => "DEFERRABLE INITIALLY IMMEDIATE",
            (true, true) => "DEFERRABLE INITIALLY DEFERRED",
        }
    }
}
