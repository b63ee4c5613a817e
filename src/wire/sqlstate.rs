//! The SQLSTATEs Sexton sends in its own name, each named as PostgreSQL's `errcodes.txt` names it.

/// A five-character error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlState(pub &'static str);

impl SqlState {
    /// Upstream unreachable.
    pub const CLIENT_UNABLE_TO_CONNECT: Self = Self("08001");
    /// A connection that ended too early.
    pub const CONNECTION_FAILURE: Self = Self("08006");
    /// A login that the listener's configuration does not allow.
    pub const INVALID_AUTHORIZATION_SPECIFICATION: Self = Self("28000");
    /// A statement of which it is not known whether it takes effect.
    pub const TRANSACTION_RESOLUTION_UNKNOWN: Self = Self("08007");
    /// Malformed message.
    pub const PROTOCOL_VIOLATION: Self = Self("08P01");
    /// A statement that cannot be scoped.
    pub const FEATURE_NOT_SUPPORTED: Self = Self("0A000");
    /// A setting's value that is none.
    pub const INVALID_PARAMETER_VALUE: Self = Self("22023");
    /// A write by a session that looks at the past.
    pub const READ_ONLY_SQL_TRANSACTION: Self = Self("25006");
    /// A scope or a hard delete that the role may not use.
    pub const INSUFFICIENT_PRIVILEGE: Self = Self("42501");
    /// A rewritten statement that is longer than a message may be.
    pub const PROGRAM_LIMIT_EXCEEDED: Self = Self("54000");
    /// A prepared statement that must be prepared again.
    pub const OBJECT_NOT_IN_PREREQUISITE_STATE: Self = Self("55000");
    /// A key that a deleted row still holds.
    pub const UNIQUE_VIOLATION: Self = Self("23505");
    /// A database that no section of the configuration covers.
    pub const INVALID_CATALOG_NAME: Self = Self("3D000");
    /// More clients than `listen.max_connections`.
    pub const TOO_MANY_CONNECTIONS: Self = Self("53300");
    /// A cancelled statement.
    pub const QUERY_CANCELED: Self = Self("57014");
    /// Sexton is draining.
    pub const ADMIN_SHUTDOWN: Self = Self("57P01");
}
