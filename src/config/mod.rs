//! TOML text to checked settings. Every fault of a file is reported in one run.

pub mod settings;

pub use settings::{
    Access, Admin, Assignment, Config, Database, Databases, ListenSettings, OnMention, Reinsert, Strategy, Table,
    TableName, Truncate, Unscoped, UpstreamAddress, UpstreamSettings,
};
