//! What the Functions host sends, or somebody in its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apim_dr::host::{self, Work};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use tower_service::Service as _;

/// Feeds both functions. What is understood is worked on once, what is not is refused, and nothing hangs.
pub(crate) fn timer_and_blob(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else { return };
    for function in ["/BackupTimer", "/RestoreOnBlob"] {
        let worked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&worked);
        let work: Work = Arc::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Ok(Vec::new())).boxed()
        });
        let (status, body) = runtime.block_on(call(work, function, bytes.to_vec()));
        let expected =
            if worked.load(Ordering::Relaxed) == 1 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        assert_eq!(status, expected, "{function}: {body}");
        assert!(body.starts_with('{') && body.ends_with('}'), "the host waits for an object: {body}");
    }
}

async fn call(work: Work, function: &str, bytes: Vec<u8>) -> (StatusCode, String) {
    let mut request = Request::new(Body::from(bytes));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = function.parse().unwrap_or_default();
    let Ok(response) = host::router(work).call(request).await;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    (head.status, String::from_utf8_lossy(&body).into_owned())
}
