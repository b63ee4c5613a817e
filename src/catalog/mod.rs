//! What the server says its relations are: a snapshot, and how a name as written finds a relation.

pub mod column_type;
pub mod role;
pub mod snapshot;

pub use role::RoleFacts;
pub use snapshot::{
    Column, ForeignKey, OwnFunction, OwnObjects, OwnTrigger, Referencing, Relation, RelationKind, RowSecurity,
    Snapshot, UniqueIndex,
};
