//! Authentication where the server is reached over TLS. The server asks and decides as always; what cannot be relayed
//! as it is, is changed no more than needed.
//!
//! Over TLS the server offers SCRAM with channel binding. A client in clear may not see that offer; if it says that it
//! could have bound, the server takes that for a break-in. A client on TLS binds to the certificate that Sexton shows,
//! which the server takes for one as well, unless it has the same. In both cases Sexton verifies the client by the
//! server's own verifier, which yields the client's key, and logs in with that.

use std::future::Future;
use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::net::catalog::CatalogError;
use crate::net::stream::Stream;
use crate::net::tls::{ClientLeg, random};
use crate::wire::authentication::{
    BEARER, Request, SCRAM, SCRAM_PLUS, put_sasl, put_sasl_continue, put_sasl_final, put_sasl_initial_response,
    put_sasl_response, sasl_initial_response,
};
use crate::wire::frame::{HEADER_BYTES, Header, LengthFault, backend_header, frontend_header};
use crate::wire::scram::{Binding, ClientFirst, Login, Malformed, Verifier, nonce};
use crate::wire::sqlstate::SqlState;

/// No message of the server is longer before it has let a client in.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Why a verifier is not at hand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unverifiable {
    /// Sexton's own login may not read `pg_authid`.
    #[error("permission denied for pg_authid")]
    Denied,
    /// The database cannot be asked.
    #[error(transparent)]
    Unread(#[from] CatalogError),
}

/// How a login ended that was not left to the server to end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginFault {
    #[error("the client has gone: {0}")]
    Client(io::Error),
    #[error("the server has gone: {0}")]
    Upstream(io::Error),
    #[error("{0}")]
    Random(io::Error),
    #[error("{0}")]
    Length(#[from] LengthFault),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("expected SASL response, got message type 0x{0:02X}")]
    Unexpected(u8),
    #[error("the server asks for a bearer token, and the client is not on TLS")]
    BearerInClear,
    #[error("SCRAM channel binding negotiation error")]
    Downgraded,
    #[error("the server does not prove that it knows the role's password")]
    Impostor,
    #[error("the server's answer is no SCRAM message")]
    Server,
    #[error("the role's verifier cannot be read: {0}")]
    Unverifiable(#[from] Unverifiable),
}

impl LoginFault {
    /// SQLSTATE, message and hint for the client; `None` where nobody is left to be told.
    pub(crate) fn words(&self) -> Option<(SqlState, String, Option<&'static str>)> {
        let protocol = SqlState::PROTOCOL_VIOLATION;
        let denied = "Let a superuser run, in each database served, GRANT SELECT (rolname, rolpassword, rolvaliduntil) ON \
            pg_authid TO Sexton's login; or give Sexton the certificate and key of the server; or connect either side \
            without TLS; or connect with channel_binding=disable.";
        Some(match self {
            Self::Client(_) => return None,
            Self::Length(_) | Self::Malformed(_) | Self::Unexpected(_) | Self::Downgraded => {
                (protocol, self.to_string(), None)
            }
            Self::Upstream(_) | Self::Random(_) | Self::Impostor | Self::Server => {
                let message = "sexton: the login at the PostgreSQL server has failed";
                (SqlState::CONNECTION_FAILURE, message.to_owned(), Some("Look into Sexton's log."))
            }
            Self::BearerInClear => {
                let message = "sexton: the server asks for a bearer token, which does not travel in clear";
                let hint = "Connect with sslmode=require, or stricter.";
                (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message.to_owned(), Some(hint))
            }
            Self::Unverifiable(Unverifiable::Denied) => {
                let message = "sexton: SCRAM beside TLS to the server needs the right to read the roles' verifiers";
                (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message.to_owned(), Some(denied))
            }
            Self::Unverifiable(Unverifiable::Unread(_)) => {
                let message = "sexton: the role's verifier cannot be read";
                (SqlState::CLIENT_UNABLE_TO_CONNECT, message.to_owned(), Some("Look into Sexton's log."))
            }
        })
    }
}

/// Both connections, with what has been read from them and is not used up.
pub(crate) struct Legs {
    pub(crate) client: Stream,
    pub(crate) server: Stream,
    pub(crate) from_client: BytesMut,
    pub(crate) from_server: BytesMut,
}

impl Legs {
    /// Begins the login with the startup `packet`, and carries it to where all the rest can be relayed: `from_client`
    /// and `from_server` hold what the relay takes up first.
    ///
    /// # Errors
    /// [`LoginFault`]; the server's own refusals are left in `from_server`.
    pub(crate) async fn begin<V>(
        &mut self,
        packet: &[u8],
        tls: Option<&ClientLeg>,
        verifier: V,
    ) -> Result<(), LoginFault>
    where
        V: Future<Output = Result<Option<Verifier>, Unverifiable>>,
    {
        self.tell_server(packet).await?;
        // What comes before the first request, such as NegotiateProtocolVersion or a notice, goes first (P1, P9).
        let mut before = BytesMut::new();
        let request = loop {
            let header = server_header(&mut self.server, &mut self.from_server).await?;
            if header.tag == b'R' || header.tag == b'E' {
                break header;
            }
            before.extend_from_slice(&self.from_server.split_to(header.frame_bytes()));
        };
        let body = &self.from_server[HEADER_BYTES..request.frame_bytes()];
        let offer = match Request::read(body) {
            Request::Sasl(offer) if request.tag == b'R' => offer.into_iter().map(Bytes::copy_from_slice).collect(),
            _ => Vec::new(),
        };
        let clear = !self.client.is_tls();
        if matches!(self.client, Stream::Tcp(_)) && offer.iter().any(|mechanism| mechanism == BEARER) {
            // The server asks because its own leg is encrypted (A6).
            return Err(LoginFault::BearerInClear);
        }
        let same =
            tls.is_some_and(|tls| tls.end_point.is_some() && self.server.peer_certificate() == Some(&tls.certificate));
        if !offer.iter().any(|mechanism| mechanism == SCRAM) || (!clear && same) {
            return self.leave_to_relay(before);
        }
        self.from_server.advance(request.frame_bytes());
        let end_point = tls.filter(|_| !clear).and_then(|tls| tls.end_point.as_deref());
        let offered = |mechanism: &&[u8]| *mechanism != SCRAM_PLUS || end_point.is_some();
        let mut offer: Vec<&[u8]> = offer.iter().map(|mechanism| &mechanism[..]).filter(offered).collect();
        if end_point.is_some() && !offer.contains(&SCRAM_PLUS) {
            offer.insert(0, SCRAM_PLUS);
        }
        put_sasl(&mut before, &offer);
        self.tell_client(&before).await?;
        self.mediate(end_point, verifier).await
    }

    fn leave_to_relay(&mut self, mut before: BytesMut) -> Result<(), LoginFault> {
        before.extend_from_slice(&self.from_server);
        self.from_server = before;
        Ok(())
    }

    /// From the client's first message on: relayed where the client does not care for channel binding.
    async fn mediate<V>(&mut self, end_point: Option<&[u8]>, verifier: V) -> Result<(), LoginFault>
    where
        V: Future<Output = Result<Option<Verifier>, Unverifiable>>,
    {
        let header = client_header(&mut self.client, &mut self.from_client).await?;
        let body = &self.from_client[HEADER_BYTES..header.frame_bytes()];
        let (mechanism, data) = sasl_initial_response(body).ok_or(Malformed)?;
        if mechanism != SCRAM && mechanism != SCRAM_PLUS {
            return Ok(());
        }
        let first = ClientFirst::read(data)?;
        match first.binding {
            // With n it could be relayed, but not where the mechanism contradicts it.
            Binding::Unable if mechanism == SCRAM => return Ok(()),
            Binding::EndPoint if mechanism == SCRAM_PLUS && end_point.is_some() => {}
            Binding::NotOffered if mechanism == SCRAM && end_point.is_none() => {}
            // Somebody has taken the offer of channel binding away.
            Binding::NotOffered if mechanism == SCRAM => return Err(LoginFault::Downgraded),
            Binding::Unable | Binding::NotOffered | Binding::EndPoint => return Err(Malformed.into()),
        }
        self.from_client.advance(header.frame_bytes());
        let verifier = verifier.await?;

        let login = Login::new(&nonce(random().map_err(LoginFault::Random)?));
        let mut out = BytesMut::new();
        put_sasl_initial_response(&mut out, SCRAM, login.first().as_bytes());
        self.tell_server(&out).await?;
        let Some(message) = self.server_says().await? else { return Ok(()) };
        let Request::SaslContinue(data) = Request::read(&message) else { return Err(LoginFault::Server) };
        let server = login.challenged(data).map_err(|_| LoginFault::Server)?;
        // A role without a verifier is asked like any other: the server has made up a salt for it (A2).
        let verifier = verifier.filter(|verifier| server.asked.fits(verifier));

        let challenge = first.challenge(&nonce(random().map_err(LoginFault::Random)?), &server.asked);
        out.clear();
        put_sasl_continue(&mut out, challenge.message().as_bytes());
        self.tell_client(&out).await?;
        let header = client_header(&mut self.client, &mut self.from_client).await?;
        let body = self.from_client.split_to(header.frame_bytes()).split_off(HEADER_BYTES);
        let proven = challenge.verify(&body, end_point.unwrap_or_default(), verifier.as_ref())?;

        let proof = match &proven {
            Some(proven) => server.prove(proven),
            // The server refuses it, in its own words, after its own delay and in its own log.
            None => server.fail(random().map_err(LoginFault::Random)?),
        };
        out.clear();
        put_sasl_response(&mut out, proof.as_bytes());
        self.tell_server(&out).await?;
        let Some(message) = self.server_says().await? else { return Ok(()) };
        let (Some(proven), Some(verifier)) = (&proven, &verifier) else { return Err(LoginFault::Impostor) };
        match Request::read(&message) {
            Request::SaslFinal(data) if server.is_server(data, verifier) => {}
            Request::SaslFinal(_) => return Err(LoginFault::Impostor),
            _ => return Err(LoginFault::Server),
        }
        out.clear();
        put_sasl_final(&mut out, proven.server_final().as_bytes());
        self.leave_to_relay(out)
    }

    /// The body of the server's next request; `None` for an error, which stays for the relay.
    async fn server_says(&mut self) -> Result<Option<BytesMut>, LoginFault> {
        loop {
            let header = server_header(&mut self.server, &mut self.from_server).await?;
            match header.tag {
                b'R' => return Ok(Some(self.from_server.split_to(header.frame_bytes()).split_off(HEADER_BYTES))),
                b'E' => return Ok(None),
                // A notice (P9).
                _ => {
                    let notice = self.from_server.split_to(header.frame_bytes());
                    self.tell_client(&notice).await?;
                }
            }
        }
    }

    async fn tell_server(&mut self, bytes: &[u8]) -> Result<(), LoginFault> {
        tell(&mut self.server, bytes).await.map_err(LoginFault::Upstream)
    }

    async fn tell_client(&mut self, bytes: &[u8]) -> Result<(), LoginFault> {
        tell(&mut self.client, bytes).await.map_err(LoginFault::Client)
    }
}

/// Waits for a whole message of the client, which must be an answer, and leaves it in the buffer.
async fn client_header(client: &mut Stream, buffer: &mut BytesMut) -> Result<Header, LoginFault> {
    loop {
        if let Some(header) = frontend_header(buffer)? {
            if header.tag != b'p' {
                return Err(LoginFault::Unexpected(header.tag));
            }
            if buffer.len() >= header.frame_bytes() {
                return Ok(header);
            }
        }
        more(client, buffer).await.map_err(LoginFault::Client)?;
    }
}

/// The same for the server, whatever it says.
async fn server_header(server: &mut Stream, buffer: &mut BytesMut) -> Result<Header, LoginFault> {
    loop {
        if let Some(header) = backend_header(buffer)? {
            if header.body_bytes > MESSAGE_BYTES_MAX {
                return Err(LoginFault::Server);
            }
            if buffer.len() >= header.frame_bytes() {
                return Ok(header);
            }
        }
        more(server, buffer).await.map_err(LoginFault::Upstream)?;
    }
}

async fn tell(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    // What is encrypted is not sent yet.
    stream.flush().await
}

async fn more(stream: &mut Stream, buffer: &mut BytesMut) -> io::Result<()> {
    match stream.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
