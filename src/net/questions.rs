//! What is asked of a database's catalog, prepared once a connection.
//!
//! Every name and operator is qualified: nothing a user created can be called in Sexton's name (P8).

use tokio_postgres::{Client, Statement};

/// What is asked about relations, prepared once: every DDL that comes through asks it again.
pub(super) struct Questions {
    pub(super) version: Statement,
    pub(super) relations: Statement,
    pub(super) columns: Statement,
    pub(super) primary_keys: Statement,
    pub(super) parents: Statement,
    pub(super) reads: Statement,
    pub(super) foreign_keys: Statement,
    pub(super) referencing: Statement,
    pub(super) unique_indexes: Statement,
    pub(super) own_triggers: Statement,
    pub(super) own_functions: Statement,
}

impl Questions {
    /// Sends all of them together: a session waits for the first reading.
    pub(super) async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let relations = async {
            tokio::try_join!(
                client.prepare(VERSION),
                client.prepare(RELATIONS),
                client.prepare(COLUMNS),
                client.prepare(PRIMARY_KEYS),
                client.prepare(PARENTS),
                client.prepare(READS),
            )
        };
        let constraints = async {
            tokio::try_join!(
                client.prepare(FOREIGN_KEYS),
                client.prepare(REFERENCING),
                client.prepare(UNIQUE_INDEXES),
                client.prepare(OWN_TRIGGERS),
                client.prepare(OWN_FUNCTIONS),
            )
        };
        let (relations, constraints) = tokio::try_join!(relations, constraints)?;
        let (version, relations, columns, primary_keys, parents, reads) = relations;
        let (foreign_keys, referencing, unique_indexes, own_triggers, own_functions) = constraints;
        Ok(Self {
            version,
            relations,
            columns,
            primary_keys,
            parents,
            reads,
            foreign_keys,
            referencing,
            unique_indexes,
            own_triggers,
            own_functions,
        })
    }
}

/// The relations of interest: those of names `$1` and oids `$2`, their descendants, the ancestors and the views of all of
/// these, and whatever shares a name with any.
///
/// Joined, where `= ANY` would do: the server compares every row of `pg_class` with every name of an array of texts.
const RELATIONS: &str = "
WITH RECURSIVE named AS (
    SELECT c.oid FROM pg_catalog.unnest($1::pg_catalog.text[]) w (name)
    JOIN pg_catalog.pg_class c ON c.relname OPERATOR(pg_catalog.=) w.name::pg_catalog.name
    UNION
    SELECT b.oid FROM pg_catalog.unnest($2::pg_catalog.oid[]) b (oid)
), down AS (
    SELECT oid FROM named
    UNION
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN down ON i.inhparent OPERATOR(pg_catalog.=) down.oid
), up AS (
    SELECT oid FROM down
    UNION
    SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up ON i.inhrelid OPERATOR(pg_catalog.=) up.oid
), views AS (
    SELECT oid FROM up
    UNION
    SELECT r.ev_class FROM views
    JOIN pg_catalog.pg_depend d ON d.refobjid OPERATOR(pg_catalog.=) views.oid
        AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    JOIN pg_catalog.pg_rewrite r ON r.oid OPERATOR(pg_catalog.=) d.objid
), family AS (
    SELECT c.relname FROM views
    JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) views.oid
    GROUP BY c.relname
)
SELECT c.oid, n.nspname::pg_catalog.text, c.relname::pg_catalog.text, c.relkind::pg_catalog.text, c.relowner,
       c.relrowsecurity,
       EXISTS (SELECT FROM pg_catalog.pg_policy y
           WHERE y.polrelid OPERATOR(pg_catalog.=) c.oid AND y.polcmd::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY['d', 'w']))
FROM family
JOIN pg_catalog.pg_class c ON c.relname OPERATOR(pg_catalog.=) family.relname
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relpersistence OPERATOR(pg_catalog.<>) 't'
ORDER BY c.oid";

/// The expression of a generated column, or before PostgreSQL 15 the column itself, depends on the columns that it reads.
const COLUMNS: &str = "
SELECT a.attrelid, a.attname::pg_catalog.text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       CASE WHEN a.attgenerated OPERATOR(pg_catalog.<>) '' THEN ARRAY(
           SELECT DISTINCT r.attname::pg_catalog.text FROM (
               SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, a.attrelid, a.attnum::pg_catalog.int4
               UNION ALL
               SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, e.oid, 0 FROM pg_catalog.pg_attrdef e
               WHERE e.adrelid OPERATOR(pg_catalog.=) a.attrelid AND e.adnum OPERATOR(pg_catalog.=) a.attnum
           ) g (classid, objid, objsubid)
           JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) g.classid
               AND d.objid OPERATOR(pg_catalog.=) g.objid AND d.objsubid OPERATOR(pg_catalog.=) g.objsubid
               AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
               AND d.refobjid OPERATOR(pg_catalog.=) a.attrelid
           JOIN pg_catalog.pg_attribute r ON r.attrelid OPERATOR(pg_catalog.=) a.attrelid
               AND r.attnum OPERATOR(pg_catalog.=) d.refobjsubid AND r.attnum OPERATOR(pg_catalog.<>) a.attnum
           ORDER BY 1) END, a.attidentity OPERATOR(pg_catalog.=) 'a'
FROM pg_catalog.pg_attribute a
WHERE a.attrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
  AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum";

/// A key that is deferrable tells no row from another before COMMIT.
const PRIMARY_KEYS: &str = "
SELECT i.indrelid, a.attname::pg_catalog.text
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k (attnum, place)
JOIN pg_catalog.pg_attribute a
  ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) k.attnum
WHERE i.indisprimary AND i.indimmediate AND i.indrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
ORDER BY i.indrelid, k.place";

const PARENTS: &str = "
SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits
WHERE inhrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
ORDER BY inhrelid, inhseqno";

const READS: &str = "
SELECT DISTINCT r.ev_class, d.refobjid FROM pg_catalog.pg_rewrite r
JOIN pg_catalog.pg_depend d ON d.objid OPERATOR(pg_catalog.=) r.oid
    AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
WHERE r.ev_class OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
  AND r.ev_type OPERATOR(pg_catalog.=) '1'
  AND d.refobjid OPERATOR(pg_catalog.<>) r.ev_class
ORDER BY r.ev_class, d.refobjid";

const FOREIGN_KEYS: &str = "
SELECT c.conrelid, c.conname::pg_catalog.text, c.confrelid,
       ARRAY(SELECT a.attname::pg_catalog.text
             FROM pg_catalog.unnest(c.conkey) WITH ORDINALITY k (attnum, place)
             JOIN pg_catalog.pg_attribute a
               ON a.attrelid OPERATOR(pg_catalog.=) c.conrelid AND a.attnum OPERATOR(pg_catalog.=) k.attnum
             ORDER BY k.place),
       ARRAY(SELECT a.attname::pg_catalog.text
             FROM pg_catalog.unnest(c.confkey) WITH ORDINALITY k (attnum, place)
             JOIN pg_catalog.pg_attribute a
               ON a.attrelid OPERATOR(pg_catalog.=) c.confrelid AND a.attnum OPERATOR(pg_catalog.=) k.attnum
             ORDER BY k.place)
FROM pg_catalog.pg_constraint c
WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND c.conrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
ORDER BY c.conrelid, c.conname";

const VERSION: &str = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4";

/// The tables with foreign keys that point to the relations `$1`; those that the server copies to partitions are left out.
const REFERENCING: &str = "
SELECT k.confrelid, c.oid, n.nspname::pg_catalog.text, c.relname::pg_catalog.text, k.conname::pg_catalog.text
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE k.contype OPERATOR(pg_catalog.=) 'f' AND k.conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid
  AND k.confrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
ORDER BY k.confrelid, c.oid, k.conname";

/// Those over columns alone: no other was ever a constraint. What writes expressions out (`pg_get_expr`, `pg_get_indexdef`)
/// locks the table, and would wait for whoever alters it.
const UNIQUE_INDEXES: &str = "
SELECT i.indrelid, c.relname::pg_catalog.text,
       ARRAY(SELECT pg_catalog.quote_ident(a.attname)
             FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k (attnum, place)
             JOIN pg_catalog.pg_attribute a
               ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) k.attnum
             WHERE k.place OPERATOR(pg_catalog.<=) i.indnkeyatts
             ORDER BY k.place),
       i.indpred IS NOT NULL,
       EXISTS (SELECT FROM pg_catalog.pg_constraint x WHERE x.conindid OPERATOR(pg_catalog.=) i.indexrelid
           AND x.contype OPERATOR(pg_catalog.=) ANY ('{p,u}'::pg_catalog.\"char\"[]))
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
WHERE i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND i.indrelid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[])
ORDER BY i.indrelid, c.relname";

/// The triggers that functions of schema `sexton` serve. These functions run in the name of whoever deletes: only those of
/// a superuser, the database's owner, Sexton's own login or the table's owner are taken for Sexton's (P8).
const OWN_TRIGGERS: &str = "
SELECT g.tgrelid, n.nspname::pg_catalog.text, g.tgname::pg_catalog.text, g.tgdeferrable, c.relname::pg_catalog.text
FROM pg_catalog.pg_namespace s
JOIN pg_catalog.pg_proc p ON p.pronamespace OPERATOR(pg_catalog.=) s.oid
JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) p.proowner
JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
JOIN pg_catalog.pg_trigger g ON g.tgfoid OPERATOR(pg_catalog.=) p.oid
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) g.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE s.nspname OPERATOR(pg_catalog.=) 'sexton'
  AND (r.rolsuper OR r.oid OPERATOR(pg_catalog.=) ANY (ARRAY[d.datdba, c.relowner])
       OR r.rolname OPERATOR(pg_catalog.=) SESSION_USER)
ORDER BY g.tgrelid, g.tgname";

/// The same functions, and whether everybody may be made to call them.
const OWN_FUNCTIONS: &str = "
SELECT pg_catalog.format('%s(%s)', p.proname, pg_catalog.oidvectortypes(p.proargtypes)), r.oid,
       r.rolsuper OR r.oid OPERATOR(pg_catalog.=) d.datdba OR r.rolname OPERATOR(pg_catalog.=) SESSION_USER
FROM pg_catalog.pg_namespace s
JOIN pg_catalog.pg_proc p ON p.pronamespace OPERATOR(pg_catalog.=) s.oid
JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) p.proowner
JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
WHERE s.nspname OPERATOR(pg_catalog.=) 'sexton'
ORDER BY 1, 2";
