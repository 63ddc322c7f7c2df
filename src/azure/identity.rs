//! Tokens: where they come from, and how a request gets one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::AUTHORIZATION;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{ClientOptions, Context, Request, StatusCode};
use azure_identity::{
    AzureCliCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::wall_clock;
use crate::config::{Cloud, Credential};

/// The audience of storage tokens, the same in every cloud.
pub(super) const STORAGE_SCOPE: &str = "https://storage.azure.com/.default";

/// A token is renewed when less than this is left of it, so that none expires on its way.
const MARGIN: time::Duration = time::Duration::minutes(5);

/// One of which no more is left than this may expire before it arrives.
const SHORTEST: time::Duration = time::Duration::seconds(30);

/// The platform keeps tokens as well, and may give out one that ends soon again and again. It is not asked before each of
/// many requests.
const PAUSE: Duration = Duration::from_secs(10);

/// The platform, Entra and `az` answer within seconds. Longer would use up an invocation.
const LONGEST_FETCH: Duration = Duration::from_secs(30);

/// The tokens of one credential for one audience. Many may ask at once; one fetches.
///
/// The SDK's credentials keep tokens too (but for the Azure CLI's) and cannot be told to forget one that
/// Azure refuses, so each is built for one token only and what is kept is kept here.
pub(super) struct Tokens {
    credential: Credential,
    scope: String,
    options: ClientOptions,
    state: Mutex<State>,
}

/// What is known of tokens.
#[derive(Default)]
struct State {
    kept: Option<Kept>,
    /// When the last fetch failed, and what was said.
    failed: Option<(Instant, String)>,
}

/// A token, and when another was last asked for.
struct Kept {
    token: AccessToken,
    asked: Instant,
}

impl Tokens {
    /// `options` carry the transport and the retry of token requests.
    pub(super) fn new(credential: Credential, cloud: &Cloud, scope: String, options: ClientOptions) -> Self {
        let mut custom = CustomConfiguration::default();
        custom.authority_host = cloud.authority.to_string();
        let cloud = Some(Arc::new(CloudConfiguration::from(custom)));
        let options = ClientOptions { cloud, ..options };
        Self { credential, scope, options, state: Mutex::default() }
    }

    /// A token that is valid for a while.
    async fn get(&self) -> azure_core::Result<Secret> {
        let began = Instant::now();
        let mut state = self.state.lock().await;
        let now = wall_clock();
        if let Some(kept) = state.kept.as_ref().filter(|kept| kept.is_good(now)) {
            return Ok(kept.token.token.clone());
        }
        match self.fetch_unless_in_vain(&mut state, began).await {
            Ok(token) => Ok(token),
            // Who gives out tokens may be down for as long as the old one is good.
            Err(error) => match state.kept.as_mut().filter(|kept| kept.token.expires_on > now) {
                Some(kept) => {
                    kept.asked = Instant::now();
                    Ok(kept.token.token.clone())
                }
                None => Err(error),
            },
        }
    }

    /// Another token than the one that was refused; one that somebody else has fetched since will do.
    async fn renew(&self, refused: &Secret) -> azure_core::Result<Secret> {
        let began = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(kept) = state.kept.as_ref().filter(|kept| kept.token.token != *refused) {
            return Ok(kept.token.token.clone());
        }
        state.kept = None;
        self.fetch_unless_in_vain(&mut state, began).await
    }

    /// Whoever has waited since `began` while another asked in vain does not ask once more: each would take as long.
    async fn fetch_unless_in_vain(&self, state: &mut State, began: Instant) -> azure_core::Result<Secret> {
        if let Some((at, why)) = &state.failed
            && *at > began
        {
            return Err(Error::with_message(ErrorKind::Credential, why.clone()));
        }
        match self.fetch().await {
            Ok(token) => Ok(state.kept.insert(Kept { token, asked: Instant::now() }).token.token.clone()),
            Err(error) => {
                state.failed = Some((Instant::now(), error.to_string()));
                Err(error)
            }
        }
    }

    async fn fetch(&self) -> azure_core::Result<AccessToken> {
        let fetched = match self.build() {
            Ok(credential) => {
                let scopes = [self.scope.as_str()];
                let fetch = credential.get_token(&scopes, None);
                tokio::time::timeout(LONGEST_FETCH, fetch).await.unwrap_or_else(|_| Err(silence()))
            }
            Err(error) => Err(error),
        };
        fetched.map_err(|error| self.explain(&error))
    }

    fn build(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let client_options = self.options.clone();
        Ok(match &self.credential {
            // The SDK takes IDENTITY_ENDPOINT and IDENTITY_HEADER from the environment by itself; the
            // settings have been refused if they are not there.
            Credential::ManagedIdentity { client_id } => {
                let user_assigned_id = client_id.clone().map(UserAssignedId::ClientId);
                let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
                ManagedIdentityCredential::new(Some(options))?
            }
            Credential::ClientSecret { tenant, client_id, secret } => ClientSecretCredential::new(
                tenant,
                client_id.clone(),
                Secret::new(secret.expose().to_owned()),
                Some(ClientSecretCredentialOptions { client_options }),
            )?,
            Credential::WorkloadIdentity { tenant, client_id, token_file } => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options },
                    client_id: Some(client_id.clone()),
                    tenant_id: Some(tenant.clone()),
                    token_file_path: Some(token_file.clone()),
                }))?
            }
            Credential::AzureCli => AzureCliCredential::new(None)?,
        })
    }

    /// The SDK's words in one line, after what was asked for and by whom.
    fn explain(&self, error: &Error) -> Error {
        let said = error.to_string();
        let said = said.split("To troubleshoot, visit").next().unwrap_or_default();
        let said = match &self.credential {
            Credential::ClientSecret { secret, .. } => said.replace(secret.expose(), "(the client secret)"),
            _ => said.to_owned(),
        };
        let said = super::words::one_line(&said);
        let audience = self.scope.trim_end_matches("/.default");
        let by = match &self.credential {
            Credential::ManagedIdentity { client_id: None } => "the system-assigned identity".to_owned(),
            Credential::ManagedIdentity { client_id: Some(id) } => format!("the user-assigned identity {id}"),
            Credential::ClientSecret { client_id, .. } | Credential::WorkloadIdentity { client_id, .. } => {
                format!("the service principal {client_id}")
            }
            Credential::AzureCli => "the Azure CLI".to_owned(),
        };
        Error::with_message(ErrorKind::Credential, format!("no token for {audience} from {by}: {said}"))
    }
}

impl Kept {
    /// Whether it lasts for a while, or another was asked for in vain just now.
    fn is_good(&self, now: time::OffsetDateTime) -> bool {
        let lasts = self.token.expires_on > now + MARGIN;
        lasts || self.token.expires_on > now + SHORTEST && self.asked.elapsed() < PAUSE
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("scope", &self.scope).finish_non_exhaustive()
    }
}

fn silence() -> Error {
    let what = format!("no answer within {} s", LONGEST_FETCH.as_secs());
    Error::with_message(ErrorKind::Credential, what)
}

/// Gives every request a token, over TLS only. A 401 leads to one new token and one more try; a second 401
/// is the answer.
#[derive(Debug)]
pub(super) struct Bearer(pub(super) Arc<Tokens>);

#[async_trait]
impl Policy for Bearer {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if request.url().scheme() != "https" {
            return Err(Error::with_message(ErrorKind::Other, "a token is sent over https only"));
        }
        let token = self.0.get().await?;
        authorize(request, &token);
        let answer = next[0].send(context, request, &next[1..]).await?;
        if answer.status() != StatusCode::Unauthorized {
            return Ok(answer);
        }
        authorize(request, &self.0.renew(&token).await?);
        request.body_mut().reset().await?;
        next[0].send(context, request, &next[1..]).await
    }
}

fn authorize(request: &mut Request, token: &Secret) {
    request.insert_header(AUTHORIZATION, format!("Bearer {}", token.secret()));
}
