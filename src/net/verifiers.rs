//! The verifiers that SCRAM with TLS on both legs needs, read over Sexton's own connection.

use tokio_postgres::error::SqlState;
use zeroize::Zeroizing;

use crate::net::catalog::{CatalogError, Reader};
use crate::net::login::Unverifiable;
use crate::net::setup::Setup;
use crate::rewrite::Finding;
use crate::wire::scram::Verifier;

/// What `$1` logs in with, unless it has run out: the server then treats it as if there were none.
const VERIFIER: &str = "
SELECT a.rolpassword FROM pg_catalog.pg_authid a
WHERE a.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.text AND a.rolpassword IS NOT NULL
  AND (a.rolvaliduntil IS NULL OR a.rolvaliduntil OPERATOR(pg_catalog.>) pg_catalog.now())";

const MAY_READ: &str = "
SELECT pg_catalog.has_column_privilege('pg_catalog.pg_authid'::pg_catalog.regclass, a.name, 'SELECT')
FROM pg_catalog.unnest(ARRAY['rolname', 'rolpassword', 'rolvaliduntil']) a (name)";

impl Reader {
    /// The SCRAM verifier of `role`, read anew each time: nothing is kept that a changed password would leave behind (A2).
    /// Whether the role may log in is the server's to say when it does.
    pub(super) async fn verifier(&self, role: &str) -> Result<Result<Option<Verifier>, Unverifiable>, CatalogError> {
        match self.client.query_opt(VERIFIER, &[&role]).await {
            Ok(row) => Ok(Ok(row.and_then(|row| Verifier::read(&Zeroizing::new(row.get::<_, String>(0)))))),
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(Err(Unverifiable::Denied)),
            Err(error) => Err(error.into()),
        }
    }

    /// What is to be said before the first client finds out: that verifiers are needed and cannot be read.
    pub(super) async fn verifiers_missed(
        &self,
        setup: &Setup,
        database: &str,
    ) -> Result<Option<Finding>, CatalogError> {
        let (Some(tls), Some(settings)) = (&setup.client_tls, &setup.config.listen.tls) else { return Ok(None) };
        let relayed =
            self.certificate.as_ref().is_none_or(|shown| tls.end_point.is_some() && *shown == tls.certificate);
        if relayed || self.client.query(MAY_READ, &[]).await?.iter().all(|row| row.get(0)) {
            return Ok(None);
        }
        let user = &setup.config.upstream.user;
        Ok(Some(Finding {
            fatal: false,
            line: settings.cert.line,
            key: settings.cert.key.clone(),
            message: format!(
                "SCRAM with TLS on both sides needs pg_authid, which \"{user}\" may not read in database \"{database}\""
            ),
            mend: format!(
                "let a superuser run there: GRANT SELECT (rolname, rolpassword, rolvaliduntil) ON pg_authid TO \"{user}\"; \
                 or use the server's own certificate"
            ),
        }))
    }
}
