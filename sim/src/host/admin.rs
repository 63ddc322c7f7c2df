//! Runs by hand: the admin API, which the portal uses too.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use super::function::Trigger;
use super::invocation::Invocation;
use super::record::Level;
use super::{Host, Inner, envelope};

impl Host {
    /// Runs a function by hand and waits for its end, which the admin API does not. `input` lands in the
    /// metadata under the binding's name; a blob function takes it as `container/path/name`.
    pub async fn manual(&self, function: &str, input: Option<&str>) -> Invocation {
        self.inner.manual(function, input).await
    }

    /// The admin API: `POST /admin/functions/<name>` with `{"input": "…"}` is answered with 202 at once and
    /// runs the function. It asks for no key, as under `func start`.
    pub fn admin(&self) -> Router {
        Router::new().route("/admin/functions/{name}", post(run)).with_state(self.inner.clone())
    }
}

async fn run(
    State(inner): State<Arc<Inner>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let Some(function) = inner.app.function(&name).filter(|function| function.trigger.is_ok()) else {
        return StatusCode::NOT_FOUND;
    };
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.to_lowercase().starts_with("application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let input = match body.get("input") {
        None | Some(Value::Null) => None,
        Some(Value::String(input)) => Some(input.clone()),
        Some(_) => return StatusCode::BAD_REQUEST,
    };
    let name = function.name.clone();
    tokio::spawn(async move { inner.manual(&name, input.as_deref()).await });
    StatusCode::ACCEPTED
}

impl Inner {
    async fn manual(self: &Arc<Self>, name: &str, input: Option<&str>) -> Invocation {
        let Some(function) = self.app.function(name) else {
            return self.not_invoked(name, "by hand", "there is no such function");
        };
        let (binding, call) = match &function.trigger {
            Err(why) => return self.not_invoked(name, "by hand", format!("the function is disabled: {why}")),
            Ok(Trigger::Timer(timer)) => (&timer.binding, Ok(self.manual_timer_call(function, timer))),
            Ok(Trigger::Blob(trigger)) => {
                let input = input.unwrap_or_default();
                (&trigger.binding, self.manual_blob_call(function, trigger, input).await)
            }
        };
        match call {
            Ok(mut call) => {
                let input = input.map(|input| (binding.clone(), envelope::twice(input)));
                call.metadata.extend(input);
                self.invoke(call).await
            }
            Err(why) => {
                let text = format!("Exception while executing function: Functions.{name}. {why}");
                self.record.host_line(Level::Error, text);
                self.not_invoked(name, "by hand", why)
            }
        }
    }
}
