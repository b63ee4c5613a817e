//! SCRAM-SHA-256 (RFC 5802, 7677) from both ends: verifying a client by the server's own verifier, which yields the
//! client's key, and logging in to the server with that key. Pure: randomness comes in as an argument.
//!
//! Both ends read bytes of a peer that has not been authenticated (A3): everything here is total.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// SHA-256's output, and so every key's length.
const KEY_BYTES: usize = 32;

/// A key that is wiped when it is dropped.
type Key = Zeroizing<[u8; KEY_BYTES]>;

/// A message that is none; the server calls it "malformed SCRAM message".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed SCRAM message")]
pub struct Malformed;

/// What PostgreSQL keeps of a password: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
pub struct Verifier {
    iterations: String,
    salt: String,
    stored_key: Key,
    server_key: Key,
}

impl std::fmt::Debug for Verifier {
    /// No keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { iterations, salt: _, stored_key: _, server_key: _ } = self;
        f.debug_struct("Verifier").field("iterations", iterations).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Reads `pg_authid.rolpassword`; `None` for a password kept in another way.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("SCRAM-SHA-256$")?;
        let (salting, keys) = rest.split_once('$')?;
        let (iterations, salt) = salting.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        Some(Self {
            iterations: iterations.to_owned(),
            salt: salt.to_owned(),
            stored_key: key(stored_key)?,
            server_key: key(server_key)?,
        })
    }
}

/// What a client says about channel binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// `n`: it cannot.
    Unable,
    /// `y`: it could, but believes that the server cannot.
    NotOffered,
    /// `p=tls-server-end-point`: it does.
    EndPoint,
}

/// A client's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFirst {
    /// Channel binding.
    pub binding: Binding,
    gs2_header: String,
    bare: String,
    nonce: String,
}

impl ClientFirst {
    /// Reads it. The user name in it is passed over, as the server does: the startup message's is the one (A2).
    ///
    /// # Errors
    /// [`Malformed`], also for an authorization identity, for mandatory extensions and for other channel bindings.
    pub fn read(message: &[u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(message).map_err(|_| Malformed)?;
        let (flag, rest) = text.split_once(',').ok_or(Malformed)?;
        let binding = match flag {
            "n" => Binding::Unable,
            "y" => Binding::NotOffered,
            "p=tls-server-end-point" => Binding::EndPoint,
            _ => return Err(Malformed),
        };
        let bare = rest.strip_prefix(',').ok_or(Malformed)?;
        let mut attributes = bare.split(',');
        attributes.next().and_then(|user| user.strip_prefix("n=")).ok_or(Malformed)?;
        let nonce = attributes.next().and_then(|nonce| nonce.strip_prefix("r=")).ok_or(Malformed)?;
        if !is_nonce(nonce) {
            return Err(Malformed);
        }
        let (nonce, bare) = (nonce.to_owned(), bare.to_owned());
        Ok(Self { binding, gs2_header: format!("{flag},,"), bare, nonce })
    }

    /// The server's first message, with `nonce` behind the client's.
    #[must_use]
    pub fn challenge(self, nonce: &str, asked: &Asked) -> Challenge {
        let nonce = format!("{}{nonce}", self.nonce);
        let message = format!("r={nonce},s={},i={}", asked.salt, asked.iterations);
        Challenge { first: self, nonce, message }
    }
}

/// A client that has been asked for its proof.
#[derive(Debug)]
pub struct Challenge {
    first: ClientFirst,
    nonce: String,
    message: String,
}

/// A client that knows the password: its key, and the answer that shows it that we know the verifier.
pub struct Proven {
    client_key: Key,
    server_final: String,
}

impl Proven {
    /// The server's final message.
    #[must_use]
    pub fn server_final(&self) -> &str {
        &self.server_final
    }
}

impl Challenge {
    /// The server's first message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Checks the client's final message; `Ok(None)` where the proof is wrong. `end_point` is the hash of the
    /// certificate the client was shown.
    ///
    /// # Errors
    /// [`Malformed`], also for a channel binding that is not the one announced, or another than `end_point`.
    pub fn verify(
        &self,
        message: &[u8],
        end_point: &[u8],
        verifier: Option<&Verifier>,
    ) -> Result<Option<Proven>, Malformed> {
        let text = std::str::from_utf8(message).map_err(|_| Malformed)?;
        let (unproven, proof) = text.rsplit_once(",p=").ok_or(Malformed)?;
        let proof = key(proof).ok_or(Malformed)?;
        let mut attributes = unproven.split(',');
        let bound = attributes.next().and_then(|bound| bound.strip_prefix("c=")).ok_or(Malformed)?;
        let nonce = attributes.next().and_then(|nonce| nonce.strip_prefix("r=")).ok_or(Malformed)?;
        let mut binding = self.first.gs2_header.clone().into_bytes();
        if self.first.binding == Binding::EndPoint {
            binding.extend_from_slice(end_point);
        }
        if nonce != self.nonce || !equal(bound.as_bytes(), BASE64.encode(binding).as_bytes()) {
            return Err(Malformed);
        }
        let Some(verifier) = verifier else { return Ok(None) };
        let signed = format!("{},{},{unproven}", self.first.bare, self.message);
        let client_key = xor(&proof, &mac(&verifier.stored_key[..], signed.as_bytes()));
        if !equal(&Sha256::digest(&client_key[..]), &verifier.stored_key[..]) {
            return Ok(None);
        }
        let server_final = format!("v={}", BASE64.encode(&mac(&verifier.server_key[..], signed.as_bytes())[..]));
        Ok(Some(Proven { client_key, server_final }))
    }
}

/// What the server asks a password to be salted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    salt: String,
    iterations: String,
}

impl Asked {
    /// True where `verifier` was made with the same salt: the server makes salts up for roles without a verifier.
    #[must_use]
    pub fn fits(&self, verifier: &Verifier) -> bool {
        self.salt == verifier.salt && self.iterations == verifier.iterations
    }
}

/// A login at the server, begun.
#[derive(Debug)]
pub struct Login {
    nonce: String,
    bare: String,
}

impl Login {
    /// Begins with a nonce.
    #[must_use]
    pub fn new(nonce: &str) -> Self {
        Self { nonce: nonce.to_owned(), bare: format!("n=,r={nonce}") }
    }

    /// The client's first message, which the server lets stand for the user of the startup message.
    #[must_use]
    pub fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// Reads the server's first message.
    ///
    /// # Errors
    /// [`Malformed`], also for a nonce that is not ours continued.
    pub fn challenged(self, message: &[u8]) -> Result<Challenged, Malformed> {
        let text = std::str::from_utf8(message).map_err(|_| Malformed)?;
        let mut attributes = text.split(',');
        let mut attribute = |name| attributes.next().and_then(|it| it.strip_prefix(name)).ok_or(Malformed);
        let (nonce, salt, iterations) = (attribute("r=")?, attribute("s=")?, attribute("i=")?);
        let continued = nonce.strip_prefix(&self.nonce).is_some_and(|rest| !rest.is_empty());
        let counts = iterations.parse::<u32>().is_ok_and(|iterations| iterations > 0);
        if !continued || !is_nonce(nonce) || !counts || BASE64.decode(salt).is_err() {
            return Err(Malformed);
        }
        let unproven = format!("c=biws,r={nonce}");
        let signed = format!("{},{text},{unproven}", self.bare);
        let asked = Asked { salt: salt.to_owned(), iterations: iterations.to_owned() };
        Ok(Challenged { asked, unproven, signed })
    }
}

/// A login of which the server wants a proof.
#[derive(Debug)]
pub struct Challenged {
    /// What it asks for.
    pub asked: Asked,
    unproven: String,
    signed: String,
}

impl Challenged {
    /// The client's final message, proving the key that `proven` showed to be the role's.
    #[must_use]
    pub fn prove(&self, proven: &Proven) -> String {
        let stored_key = Sha256::digest(&proven.client_key[..]);
        let proof = xor(&proven.client_key, &mac(&stored_key, self.signed.as_bytes()));
        format!("{},p={}", self.unproven, BASE64.encode(&proof[..]))
    }

    /// A final message that the server will refuse, so that it says so in its own words and in its own log.
    #[must_use]
    pub fn fail(&self, random: [u8; KEY_BYTES]) -> String {
        format!("{},p={}", self.unproven, BASE64.encode(random))
    }

    /// True where the server's final message shows that it has the verifier too.
    #[must_use]
    pub fn is_server(&self, message: &[u8], verifier: &Verifier) -> bool {
        let signature = BASE64.encode(&mac(&verifier.server_key[..], self.signed.as_bytes())[..]);
        message.strip_prefix(b"v=").is_some_and(|shown| equal(shown, signature.as_bytes()))
    }
}

/// A nonce of printable characters, made of random bytes.
#[must_use]
pub fn nonce(random: [u8; 18]) -> String {
    BASE64.encode(random)
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn key(text: &str) -> Option<Key> {
    let bytes = Zeroizing::new(BASE64.decode(text).ok()?);
    <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
}

fn mac(key: &[u8], message: &[u8]) -> Key {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => Zeroizing::new(mac.chain_update(message).finalize().into_bytes().into()),
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}

fn xor(left: &Key, right: &Key) -> Key {
    Zeroizing::new(std::array::from_fn(|index| left[index] ^ right[index]))
}

fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That of RFC 7677's example, as PostgreSQL writes it.
    const VERIFIER: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    fn asked() -> Asked {
        Asked { salt: "W22ZaJ0SNY7soEsUEjb6gQ==".to_owned(), iterations: "4096".to_owned() }
    }

    fn challenge(flag: &str) -> Challenge {
        let first = ClientFirst::read(format!("{flag},,n=user,r={NONCE}").as_bytes()).expect("well formed");
        first.challenge(SERVER_NONCE, &asked())
    }

    #[test]
    fn the_example_of_rfc_7677_is_verified_and_yields_a_key_that_logs_in() {
        let verifier = Verifier::read(VERIFIER).expect("a verifier");
        let challenge = challenge("n");
        assert_eq!(challenge.message(), format!("r={NONCE}{SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        let last = format!("c=biws,r={NONCE}{SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let proven = challenge.verify(last.as_bytes(), b"", Some(&verifier)).expect("well formed").expect("right");
        assert_eq!(proven.server_final(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");

        let login = Login::new("abc");
        let theirs =
            ClientFirst::read(login.first().as_bytes()).expect("ours is well formed").challenge("def", &asked());
        let challenged = login.challenged(theirs.message().as_bytes()).expect("well formed");
        assert!(challenged.asked.fits(&verifier));
        let accepted = theirs.verify(challenged.prove(&proven).as_bytes(), b"", Some(&verifier));
        let accepted = accepted.expect("well formed").expect("the key proves itself");
        assert!(challenged.is_server(accepted.server_final().as_bytes(), &verifier));
        assert!(!challenged.is_server(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", &verifier));
        let refused = theirs.verify(challenged.fail([7; 32]).as_bytes(), b"", Some(&verifier));
        assert!(refused.expect("well formed").is_none());
    }

    #[test]
    fn a_proof_without_a_verifier_or_with_another_nonce_or_binding_proves_nothing() {
        let proof = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let last = format!("c=biws,r={NONCE}{SERVER_NONCE},{proof}");
        assert!(challenge("n").verify(last.as_bytes(), b"", None).expect("well formed").is_none());
        let verifier = Verifier::read(VERIFIER).expect("a verifier");
        for message in [
            format!("c=biws,r={NONCE},{proof}"),
            format!("c=eSws,r={NONCE}{SERVER_NONCE},{proof}"),
            format!("c=biws,r={NONCE}{SERVER_NONCE},p=dHzb"),
            format!("c=biws,r={NONCE}{SERVER_NONCE}"),
            format!("r={NONCE}{SERVER_NONCE},{proof}"),
        ] {
            assert!(challenge("n").verify(message.as_bytes(), b"", Some(&verifier)).is_err(), "{message}");
        }
        assert!(challenge("p=tls-server-end-point").verify(last.as_bytes(), b"hash", Some(&verifier)).is_err());
    }

    #[test]
    fn a3_messages_that_are_none_are_malformed() {
        for message in [
            "",
            "n",
            "n,",
            "n,,",
            "n,a=x,n=,r=x",
            "x,,n=,r=x",
            "p=tls-unique,,n=,r=x",
            "n,,m=x,n=,r=x",
            "n,,n=,r=",
            "n,,n=,r=a b",
            "n,,r=x,n=",
        ] {
            assert_eq!(ClientFirst::read(message.as_bytes()), Err(Malformed), "{message}");
        }
        for message in [
            "",
            "r=abc,s=AAAA,i=1",
            "r=abcd,s=AAAA,i=0",
            "r=abcd,s=AAAA,i=99999999999",
            "r=abcd,s=A,i=1",
            "r=xabcd,s=AAAA,i=1",
            "e=other-error",
        ] {
            assert!(Login::new("abc").challenged(message.as_bytes()).is_err(), "{message}");
        }
        for text in ["", "md5abc", "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA", "SCRAM-SHA-256$4096"] {
            assert!(Verifier::read(text).is_none());
        }
    }
}
