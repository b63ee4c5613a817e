//! The tables of the twin schema with keys, as the statements over them need to know them.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number from a small range.
    Key,
    /// A number from 1 to 3, the second half of a key.
    Number,
    /// A key of another table, or NULL.
    Reference,
    /// One of a few texts, mostly unique, or NULL.
    Code,
    /// A text that nothing depends on.
    Text,
}

/// A table of the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// How many columns, from the first on, are its key.
    pub(super) key: usize,
    /// Its unique constraint beside the key, with its columns.
    pub(super) unique: Option<(&'static str, &'static str)>,
    /// DELETE marks or archives, but MERGE cannot.
    pub(super) is_archive: bool,
}

const PLAIN: Table = Table { name: "", columns: &[], key: 1, unique: None, is_archive: false };

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "orgs",
        columns: &[("id", Kind::Key), ("code", Kind::Code), ("name", Kind::Text)],
        unique: Some(("orgs_code_key", "code")),
        ..PLAIN
    },
    Table {
        name: "teams",
        columns: &[
            ("id", Kind::Key),
            ("org_id", Kind::Reference),
            ("lead_id", Kind::Reference),
            ("slug", Kind::Code),
            ("name", Kind::Text),
        ],
        unique: Some(("teams_org_id_slug_key", "org_id, slug")),
        ..PLAIN
    },
    Table {
        name: "people",
        columns: &[
            ("id", Kind::Key),
            ("team_id", Kind::Reference),
            ("boss_id", Kind::Reference),
            ("email", Kind::Code),
            ("name", Kind::Text),
        ],
        unique: Some(("people_email_key", "email")),
        ..PLAIN
    },
    Table {
        name: "places",
        columns: &[("id", Kind::Key), ("code", Kind::Code), ("name", Kind::Text)],
        unique: Some(("places_code_key", "code")),
        ..PLAIN
    },
    Table {
        name: "orders",
        columns: &[
            ("id", Kind::Key),
            ("person_id", Kind::Reference),
            ("place_id", Kind::Reference),
            ("code", Kind::Code),
            ("name", Kind::Text),
        ],
        unique: Some(("orders_code_key", "code")),
        is_archive: true,
        ..PLAIN
    },
    Table {
        name: "lines",
        columns: &[("order_id", Kind::Key), ("no", Kind::Number), ("name", Kind::Text)],
        key: 2,
        ..PLAIN
    },
    Table {
        name: "parts",
        columns: &[("id", Kind::Key), ("order_id", Kind::Reference), ("line_no", Kind::Number), ("name", Kind::Text)],
        ..PLAIN
    },
    Table {
        name: "bookings",
        columns: &[
            ("id", Kind::Key),
            ("place_id", Kind::Reference),
            ("person_id", Kind::Reference),
            ("seat", Kind::Code),
            ("name", Kind::Text),
        ],
        unique: Some(("bookings_place_id_seat_key", "place_id, seat")),
        ..PLAIN
    },
    Table {
        name: "notes",
        columns: &[("id", Kind::Key), ("org_id", Kind::Reference), ("order_id", Kind::Reference), ("name", Kind::Text)],
        ..PLAIN
    },
    Table {
        name: "badges",
        columns: &[("id", Kind::Key), ("person_id", Kind::Reference), ("code", Kind::Code), ("name", Kind::Text)],
        unique: Some(("badges_code_key", "code")),
        ..PLAIN
    },
    Table {
        name: "grants",
        columns: &[("id", Kind::Key), ("badge_id", Kind::Reference), ("org_id", Kind::Reference), ("name", Kind::Text)],
        ..PLAIN
    },
    Table {
        name: "invoices",
        columns: &[("id", Kind::Key), ("org_id", Kind::Reference), ("code", Kind::Code), ("name", Kind::Text)],
        unique: Some(("invoices_code_key", "code")),
        is_archive: true,
        ..PLAIN
    },
    Table {
        name: "pieces",
        columns: &[("id", Kind::Key), ("order_id", Kind::Reference), ("line_no", Kind::Number), ("name", Kind::Text)],
        ..PLAIN
    },
];

impl Table {
    pub(super) fn key(&self) -> Vec<&'static str> {
        self.columns[..self.key].iter().map(|(name, _)| *name).collect()
    }

    pub(super) fn of(&self, kind: Kind) -> Vec<&'static str> {
        self.columns.iter().filter(|(_, other)| *other == kind).map(|(name, _)| *name).collect()
    }

    pub(super) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}
