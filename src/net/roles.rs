//! What one login role may do, asked over Sexton's own connection when a session starts.

use std::collections::HashSet;

use tokio_postgres::Statement;

use crate::catalog::RoleFacts;
use crate::catalog::role::Rights;
use crate::config::Access;
use crate::net::catalog::{CatalogError, Reader};

/// Rights and settings of `$1`: `$2` and `$3` are the role names of `access.see_deleted` and `access.hard_delete`.
///
/// Settings follow the server's precedence: role in database, role, database, all. What none of them sets is the
/// server's default, which Sexton's own session shows unless its own login has a setting of its own.
const FACTS: &str = "
SELECT
    r.oid,
    EXISTS (SELECT FROM pg_catalog.pg_roles g
        WHERE g.rolname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.text[])
          AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')),
    EXISTS (SELECT FROM pg_catalog.pg_roles g
        WHERE g.rolname OPERATOR(pg_catalog.=) ANY ($3::pg_catalog.text[])
          AND pg_catalog.pg_has_role(r.oid, g.oid, 'MEMBER')),
    (SELECT pg_catalog.substr(c.setting, 13)
        FROM pg_catalog.pg_db_role_setting s
        CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c (setting)
        WHERE s.setrole OPERATOR(pg_catalog.=) ANY (ARRAY[r.oid, 0::pg_catalog.oid])
          AND s.setdatabase OPERATOR(pg_catalog.=) ANY (ARRAY[d.oid, 0::pg_catalog.oid])
          AND pg_catalog.starts_with(c.setting, 'search_path=')
        ORDER BY s.setrole OPERATOR(pg_catalog.=) r.oid DESC, s.setdatabase OPERATOR(pg_catalog.=) d.oid DESC
        LIMIT 1),
    (SELECT g.reset_val FROM pg_catalog.pg_settings g
        WHERE g.name OPERATOR(pg_catalog.=) 'search_path'
          AND NOT EXISTS (SELECT
            FROM pg_catalog.pg_db_role_setting s
            JOIN pg_catalog.pg_roles me ON me.oid OPERATOR(pg_catalog.=) s.setrole
            CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c (setting)
            WHERE me.rolname OPERATOR(pg_catalog.=) SESSION_USER
              AND s.setdatabase OPERATOR(pg_catalog.=) ANY (ARRAY[d.oid, 0::pg_catalog.oid])
              AND pg_catalog.starts_with(c.setting, 'search_path='))),
    EXISTS (SELECT
        FROM pg_catalog.pg_db_role_setting s
        CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c (setting)
        WHERE s.setrole OPERATOR(pg_catalog.=) ANY (ARRAY[r.oid, 0::pg_catalog.oid])
          AND s.setdatabase OPERATOR(pg_catalog.=) ANY (ARRAY[d.oid, 0::pg_catalog.oid])
          AND pg_catalog.starts_with(c.setting, 'role='))
FROM pg_catalog.pg_roles r
JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
WHERE r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.text";

const USABLE_SCHEMAS: &str = "
SELECT n.nspname::pg_catalog.text FROM pg_catalog.pg_namespace n
WHERE pg_catalog.has_schema_privilege($1::pg_catalog.oid, n.oid, 'USAGE')";

/// Of the relations `$2`, those that `$1` may delete from and truncate, and those whose policies do not hold for it.
const DELETABLE: &str = "
SELECT c.oid, pg_catalog.has_table_privilege($1::pg_catalog.oid, c.oid, 'DELETE'),
       pg_catalog.has_table_privilege($1::pg_catalog.oid, c.oid, 'TRUNCATE'),
       r.rolsuper OR r.rolbypassrls
           OR NOT c.relforcerowsecurity AND pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
WHERE c.oid OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.oid[])";

/// What is asked about a role, prepared once a connection.
#[derive(Clone)]
pub(super) struct RoleQuestions {
    facts: Statement,
    usable_schemas: Statement,
    deletable: Statement,
}

impl Reader {
    async fn role_questions(&mut self) -> Result<RoleQuestions, CatalogError> {
        if let Some(prepared) = &self.role_questions {
            return Ok(prepared.clone());
        }
        let prepared = RoleQuestions {
            facts: self.client.prepare(FACTS).await?,
            usable_schemas: self.client.prepare(USABLE_SCHEMAS).await?,
            deletable: self.client.prepare(DELETABLE).await?,
        };
        Ok(self.role_questions.insert(prepared).clone())
    }

    /// The facts about `role`, its name as the server stores it; `relations`: the oids of those that keep deleted rows.
    ///
    /// # Errors
    /// The server's, or that there is no such role.
    pub async fn role_facts(
        &mut self,
        role: &str,
        access: &Access,
        relations: &[u32],
    ) -> Result<RoleFacts, CatalogError> {
        let questions = self.role_questions().await?;
        let rows = self.client.query(&questions.facts, &[&role, &access.see_deleted, &access.hard_delete]).await?;
        let Some(row) = rows.first() else {
            return Err(CatalogError::new(format!("role \"{role}\" does not exist")));
        };
        let oid: u32 = row.try_get(0)?;
        let own_path: Option<String> = row.try_get(3)?;
        let default_path: Option<String> = row.try_get(4)?;
        // ALTER ROLE … SET role: the session runs as another role from its first statement on.
        let becomes_another: bool = row.try_get(5)?;
        let mut usable = HashSet::new();
        for schema in self.client.query(&questions.usable_schemas, &[&oid]).await? {
            usable.insert(schema.try_get::<_, String>(0)?);
        }
        let mut rights = Rights::default();
        for relation in self.client.query(&questions.deletable, &[&oid, &relations]).await? {
            let oid: u32 = relation.try_get(0)?;
            rights.delete.extend(Some(oid).filter(|_| relation.get(1)));
            rights.truncate.extend(Some(oid).filter(|_| relation.get(2)));
            rights.every_row.extend(Some(oid).filter(|_| relation.get(3)));
        }
        Ok(RoleFacts {
            name: role.to_owned(),
            search_path: own_path.or(default_path).filter(|_| !becomes_another),
            usable_schemas: Some(usable).filter(|_| !becomes_another),
            sees_deleted: row.try_get(1)?,
            hard_deletes: row.try_get(2)?,
            rights: Some(if becomes_another { Rights::default() } else { rights }),
        })
    }
}
