//! Entra's token endpoint, `POST /{tenant}/oauth2/v2.0/token`, for applications: client credentials by
//! secret, and by the token of another issuer (workload identity).

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use super::{Application, Directory, Principal};
use crate::form::Form;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long a token of an application lives: an hour, and the second that Entra takes off.
const LONGEST_LIFE: Duration = Duration::seconds(3_599);

/// Entra's number for a failure, its OAuth word, and the text after the number.
struct Failure {
    number: u32,
    error: &'static str,
    status: StatusCode,
    text: String,
}

impl Failure {
    fn new(number: u32, error: &'static str, text: &str) -> Self {
        let status =
            if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        Self { number, error, status, text: text.to_owned() }
    }
}

impl Directory {
    /// Answers a token request: the status and the JSON body, and who was let in.
    pub(crate) fn entra(&self, tenant: &str, form: &Form) -> (Option<Principal>, StatusCode, Value) {
        match self.client_credentials(tenant, form) {
            Ok((principal, audience)) => {
                let lifetime = self.lifetime().min(LONGEST_LIFE);
                let issued = self.issue(&principal, &audience, lifetime);
                let seconds = lifetime.whole_seconds();
                let body = json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
                                  "access_token": issued.token});
                (Some(principal), StatusCode::OK, body)
            }
            Err(failure) => (None, failure.status, self.failure_body(&failure)),
        }
    }

    fn failure_body(&self, failure: &Failure) -> Value {
        let (trace, correlation) = (self.0.ids.guid(), self.0.ids.guid());
        let at = self.now().replace_nanosecond(0).unwrap_or_else(|_| self.now());
        let at = at.format(&Rfc3339).unwrap_or_default().replace('T', " ");
        let text = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
            failure.number, failure.text
        );
        json!({"error": failure.error, "error_description": text, "error_codes": [failure.number],
               "timestamp": at, "trace_id": trace, "correlation_id": correlation,
               "error_uri": format!("https://login.microsoftonline.com/error?code={}", failure.number)})
    }

    fn client_credentials(&self, tenant: &str, form: &Form) -> Result<(Principal, String), Failure> {
        if !tenant.eq_ignore_ascii_case(self.tenant()) {
            let text =
                format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
            return Err(Failure::new(90002, "invalid_request", &text));
        }
        if form.get("grant_type") != Some("client_credentials") {
            let text = "The app requested an unsupported grant type.";
            return Err(Failure::new(70003, "unsupported_grant_type", text));
        }
        let client_id = form.get("client_id").unwrap_or_default();
        let known = self.applications().into_iter().find(|known| known.principal.client_id == client_id);
        let application = known.ok_or_else(|| {
            let text = format!("Application with identifier '{client_id}' was not found in the directory.");
            Failure::new(700016, "unauthorized_client", &text)
        })?;
        prove(&application, form)?;
        Ok((application.principal, self.scope(form)?))
    }

    /// The resource in `scope`, which must be that resource's `.default`.
    fn scope(&self, form: &Form) -> Result<String, Failure> {
        let scope = form.get("scope").unwrap_or_default();
        let Some(resource) = scope.strip_suffix("/.default") else {
            let text = format!(
                "The provided value for scope {scope} is not valid: client credential flows must have a scope value with /.default suffixed to the resource identifier."
            );
            return Err(Failure::new(1002012, "invalid_scope", &text));
        };
        if !self.knows_audience(resource) {
            let text = format!("The resource principal named {resource} was not found in the tenant.");
            return Err(Failure::new(500011, "invalid_resource", &text));
        }
        Ok(resource.to_owned())
    }
}

/// Whether the request proves to come from `application`.
fn prove(application: &Application, form: &Form) -> Result<(), Failure> {
    if let Some(secret) = form.get("client_secret") {
        let text = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.";
        return if secret == application.secret {
            Ok(())
        } else {
            Err(Failure::new(7000215, "invalid_client", text))
        };
    }
    let Some(assertion) = form.get("client_assertion") else {
        let text =
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(Failure::new(7000218, "invalid_client", text));
    };
    if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(Failure::new(
            900144,
            "invalid_request",
            "The client_assertion_type is missing or not known.",
        ));
    }
    let claims = claims(assertion)
        .ok_or_else(|| Failure::new(50027, "invalid_request", "JWT token is invalid or malformed."))?;
    let for_entra = claims["aud"].to_string().contains("api://AzureADTokenExchange");
    if for_entra && claims["sub"] == application.subject.as_str() {
        return Ok(());
    }
    let text = format!(
        "No matching federated identity record found for presented assertion subject '{}'.",
        claims["sub"]
    );
    Err(Failure::new(700213, "invalid_client", &text))
}

fn claims(jwt: &str) -> Option<Value> {
    let payload = jwt.split('.').nth(1)?;
    serde_json::from_slice(&BASE64.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::clock::Clock;
    use crate::ids::Ids;

    fn directory() -> Directory {
        let clock = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        let directory = Directory::new(clock, Ids::new(1), "header".to_owned());
        directory.add_audience("https://arm.example");
        directory
    }

    fn ask(directory: &Directory, change: &[(&str, &str)]) -> (StatusCode, Value) {
        let application = &directory.applications()[0];
        let mut form = Form::of(&[
            ("grant_type", "client_credentials"),
            ("client_id", &application.principal.client_id),
            ("client_secret", &application.secret),
            ("scope", "https://arm.example/.default"),
        ]);
        change.iter().for_each(|(name, value)| form.set(name, value));
        let (_, status, body) = directory.entra(directory.tenant(), &form);
        (status, body)
    }

    #[test]
    fn a_secret_buys_a_token_for_the_scope() {
        let directory = directory();
        let (status, body) = ask(&directory, &[]);
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!((&body["expires_in"], &body["ext_expires_in"]), (&json!(3_599), &json!(3_599)));
        let header = format!("Bearer {}", body["access_token"].as_str().unwrap());
        let principal = directory.verify(Some(&header), &["https://arm.example/"]).unwrap();
        assert_eq!(principal, directory.applications()[0].principal);
    }

    #[test]
    fn failures_carry_entras_numbers() {
        let directory = directory();
        let number = |change: &[(&str, &str)]| ask(&directory, change).1["error_codes"][0].clone();
        assert_eq!(number(&[("client_secret", "wrong")]), 7000215);
        assert_eq!(number(&[("client_id", "nobody")]), 700016);
        assert_eq!(number(&[("scope", "https://arm.example")]), 1002012);
        assert_eq!(number(&[("scope", "https://other.example/.default")]), 500011);
        assert_eq!(number(&[("grant_type", "password")]), 70003);
        let (_, status, body) = directory.entra("elsewhere", &Form::of(&[]));
        assert_eq!((status, &body["error_codes"][0]), (StatusCode::BAD_REQUEST, &json!(90002)));
    }

    #[test]
    fn another_issuers_token_is_taken_for_its_subject_only() {
        let directory = directory();
        let subject = directory.applications()[0].subject.clone();
        let by_assertion = |subject: &str| {
            let mut form = Form::of(&[
                ("grant_type", "client_credentials"),
                ("client_id", &directory.applications()[0].principal.client_id),
                ("client_assertion_type", ASSERTION_TYPE),
                ("scope", "https://arm.example/.default"),
            ]);
            form.set("client_assertion", &directory.workload_token(subject));
            directory.entra(directory.tenant(), &form).1
        };
        assert_eq!(by_assertion(&subject), StatusCode::OK);
        assert_eq!(by_assertion("system:serviceaccount:other"), StatusCode::UNAUTHORIZED);
    }
}
