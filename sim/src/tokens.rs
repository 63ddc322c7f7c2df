//! Who may ask for tokens, the tokens that were issued, and the two endpoints that issue them: App Service's
//! managed identity endpoint ([`identity_router`]) and Entra's, which Resource Manager's router answers beside itself.
//!
//! Tokens look like Entra's (a JWT with `aud`, `iss`, `iat`, `nbf`, `exp`, `oid`), so that a storage emulator
//! that reads the claims takes them. They carry no real signature: one is good if this directory issued it.

mod entra;
mod identity;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::clock::Clock;
use crate::ids::{Ids, guid_of};

pub use identity::{PATH as IDENTITY_PATH, identity_router};

/// The audience of tokens for storage, in every cloud.
pub const STORAGE_AUDIENCE: &str = "https://storage.azure.com";

/// Somebody that tokens are issued to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The client (application) id.
    pub client_id: String,
    /// The object id in the tenant: who it is in role assignments and in the journal.
    pub object_id: String,
}

impl Principal {
    /// A principal whose ids follow from `name`.
    pub fn named(name: &str) -> Self {
        Self { client_id: guid_of(&format!("client {name}")), object_id: guid_of(&format!("object {name}")) }
    }
}

/// An application in the tenant that proves itself by a secret or by another issuer's token.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its ids.
    pub principal: Principal,
    /// The client secret.
    pub secret: String,
    /// The `sub` of the workload identity tokens that are taken for it.
    pub subject: String,
}

/// What the clock of a token is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenTime {
    /// The real time. A client judges expiry by its own clock, which no simulator can move.
    #[default]
    Wall,
    /// The simulated time: a token taken an hour ago in the simulation may have expired.
    Simulated,
}

/// Why a bearer token was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There was no `Authorization: Bearer`.
    Missing,
    /// It was not issued here, or was revoked.
    Invalid,
    /// It had expired at the first time, at the second.
    Expired(OffsetDateTime, OffsetDateTime),
    /// It is for another audience, this one.
    Audience(String),
}

/// A tenant. Clones share it.
#[derive(Clone)]
pub struct Directory(Arc<Shared>);

struct Shared {
    tenant: String,
    identity_header: String,
    clock: Clock,
    ids: Ids,
    state: Mutex<State>,
}

struct State {
    system: Option<Principal>,
    user_assigned: Vec<Principal>,
    applications: Vec<Application>,
    audiences: Vec<String>,
    issued: HashMap<String, Grant>,
    lifetime: Duration,
    time: TokenTime,
}

struct Grant {
    principal: Principal,
    audience: String,
    expires: OffsetDateTime,
}

/// A token and when it expires.
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) expires: OffsetDateTime,
}

impl Directory {
    pub(crate) fn new(clock: Clock, ids: Ids, identity_header: String) -> Self {
        let state = State {
            system: Some(Principal::named("function app")),
            user_assigned: vec![Principal::named("user-assigned identity")],
            applications: vec![Application {
                principal: Principal::named("service principal"),
                secret: format!("s.{}", ids.short()),
                subject: "system:serviceaccount:apim-dr:handler".to_owned(),
            }],
            audiences: vec![STORAGE_AUDIENCE.to_owned()],
            issued: HashMap::new(),
            lifetime: Duration::hours(24),
            time: TokenTime::default(),
        };
        let tenant = guid_of("tenant");
        let state = Mutex::new(state);
        Self(Arc::new(Shared { tenant, identity_header, clock, ids, state }))
    }

    /// The tenant's id.
    pub fn tenant(&self) -> &str {
        &self.0.tenant
    }

    /// The secret that the managed identity endpoint wants in `X-IDENTITY-HEADER`.
    pub fn identity_header(&self) -> &str {
        &self.0.identity_header
    }

    /// The function app's system-assigned identity, if it has one.
    pub fn system_assigned(&self) -> Option<Principal> {
        self.state().system.clone()
    }

    /// Gives the function app a system-assigned identity, or takes it away.
    pub fn set_system_assigned(&self, principal: Option<Principal>) {
        self.state().system = principal;
    }

    /// The function app's user-assigned identities.
    pub fn user_assigned(&self) -> Vec<Principal> {
        self.state().user_assigned.clone()
    }

    /// The applications of the tenant. There is one to begin with.
    pub fn applications(&self) -> Vec<Application> {
        self.state().applications.clone()
    }

    /// Lets tokens be issued for `audience`, for example the URL of Resource Manager.
    pub fn add_audience(&self, audience: &str) {
        self.state().audiences.push(trimmed(audience));
    }

    /// How long tokens live that are issued from now on. A day to begin with, as App Service's do; those that
    /// Entra issues live an hour at most.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state().lifetime = lifetime;
    }

    /// By which clock tokens are issued and expire from now on.
    pub fn set_time(&self, time: TokenTime) {
        self.state().time = time;
    }

    /// Makes every token that was issued so far invalid.
    pub fn revoke_all(&self) {
        self.state().issued.clear();
    }

    /// Issues a token to `principal` without being asked over HTTP.
    pub fn token(&self, principal: &Principal, audience: &str) -> String {
        self.issue(principal, audience, self.lifetime()).token
    }

    /// A token as Kubernetes would project it for workload identity; `subject` is the service account.
    pub fn workload_token(&self, subject: &str) -> String {
        let now = self.now();
        let exp = (now + Duration::hours(1)).unix_timestamp();
        self.jwt(&json!({
            "iss": "https://oidc.example/cluster/", "sub": subject, "aud": ["api://AzureADTokenExchange"],
            "iat": now.unix_timestamp(), "nbf": now.unix_timestamp(), "exp": exp,
        }))
    }

    /// Who an `Authorization` header speaks for, if it is good for one of `audiences`.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] that says what is wrong with it.
    pub fn verify(&self, authorization: Option<&str>, audiences: &[&str]) -> Result<Principal, Refusal> {
        let token = authorization.and_then(bearer).ok_or(Refusal::Missing)?;
        let now = self.now();
        let state = self.state();
        let grant = state.issued.get(token).ok_or(Refusal::Invalid)?;
        if grant.expires <= now {
            return Err(Refusal::Expired(grant.expires, now));
        }
        if !audiences.iter().any(|audience| trimmed(audience) == grant.audience) {
            return Err(Refusal::Audience(grant.audience.clone()));
        }
        Ok(grant.principal.clone())
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.state().lifetime
    }

    pub(crate) fn issue(&self, principal: &Principal, audience: &str, lifetime: Duration) -> Issued {
        let now = self.now();
        let audience = trimmed(audience);
        let expires = now + lifetime;
        let token = self.jwt(&json!({
            "aud": audience, "iss": format!("https://sts.windows.net/{}/", self.0.tenant),
            "iat": now.unix_timestamp(), "nbf": now.unix_timestamp(), "exp": expires.unix_timestamp(),
            "appid": principal.client_id, "oid": principal.object_id, "sub": principal.object_id,
            "tid": self.0.tenant, "ver": "1.0",
        }));
        let grant = Grant { principal: principal.clone(), audience, expires };
        self.state().issued.insert(token.clone(), grant);
        Issued { token, expires }
    }

    /// Whether there is a resource of this name that tokens can be for.
    pub(crate) fn knows_audience(&self, audience: &str) -> bool {
        let audience = trimmed(audience);
        let of_storage = audience.ends_with(".blob.core.windows.net");
        of_storage || self.state().audiences.contains(&audience)
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        match self.state().time {
            TokenTime::Wall => OffsetDateTime::now_utc(),
            TokenTime::Simulated => self.0.clock.now(),
        }
    }

    fn jwt(&self, claims: &serde_json::Value) -> String {
        let header = BASE64.encode(json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"}).to_string());
        let claims = BASE64.encode(claims.to_string());
        format!("{header}.{claims}.{}", BASE64.encode(self.0.ids.bytes()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows the tenant and no token.
impl std::fmt::Debug for Directory {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Directory").field("tenant", &self.0.tenant).finish_non_exhaustive()
    }
}

/// Audiences differ by a slash at the end and by case in practice; Azure takes them all.
fn trimmed(audience: &str) -> String {
    audience.trim_end_matches('/').to_lowercase()
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(clock: &Clock) -> Directory {
        Directory::new(clock.clone(), Ids::new(1), "header".to_owned())
    }

    #[test]
    fn a_token_is_good_for_its_audience_until_it_expires() {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        let directory = directory(&clock);
        directory.set_time(TokenTime::Simulated);
        let who = Principal::named("somebody");
        let token = directory.token(&who, "https://Arm.example/");
        let header = format!("Bearer {token}");
        let verify = |audience| directory.verify(Some(&header), &[audience]);
        assert_eq!(verify("https://arm.example"), Ok(who));
        let elsewhere = Refusal::Audience("https://arm.example".to_owned());
        assert_eq!(verify("https://storage.azure.com"), Err(elsewhere));
        clock.advance(Duration::hours(25));
        assert!(matches!(verify("https://arm.example"), Err(Refusal::Expired(..))));
    }

    #[test]
    fn strangers_and_revoked_tokens_are_refused() {
        let directory = directory(&Clock::manual(OffsetDateTime::UNIX_EPOCH));
        let token = directory.token(&Principal::named("somebody"), "https://arm.example");
        assert_eq!(directory.verify(None, &["https://arm.example"]), Err(Refusal::Missing));
        assert_eq!(directory.verify(Some("Basic abc"), &["https://arm.example"]), Err(Refusal::Missing));
        directory.revoke_all();
        let header = format!("Bearer {token}");
        assert_eq!(directory.verify(Some(&header), &["https://arm.example"]), Err(Refusal::Invalid));
    }
}
