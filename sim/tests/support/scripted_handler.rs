//! A custom handler that does what a test tells it to: answers in every right and wrong way, exits, sleeps.
//!
//! `HANDLER_START` says what happens at the start, the file `HANDLER_SCRIPT` what every call is answered
//! with, and the input of a manual run of the timer overrides the file for that call. Every call is written
//! to the file `HANDLER_RECORD`, one JSON object a line.

#![expect(clippy::unwrap_used, reason = "a panic is one of the ways to fail")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is under test")]

use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

#[tokio::main]
async fn main() {
    obey_start(&variable("HANDLER_START"));
    let port: u16 = variable("FUNCTIONS_CUSTOMHANDLER_PORT").parse().unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    println!("handler {} listens", std::process::id());
    axum::serve(listener, Router::new().fallback(answer)).await.unwrap();
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn obey_start(script: &str) {
    match script.split_once(' ').unwrap_or((script, "")) {
        ("exit", code) => {
            (1..=4).for_each(|number| eprintln!("reason {number}"));
            eprintln!("one last warning");
            std::process::exit(code.parse().unwrap());
        }
        ("sleep", millis) => std::thread::sleep(Duration::from_millis(millis.parse().unwrap())),
        _ => {}
    }
}

async fn answer(request: Request) -> Response {
    if request.method() == "GET" {
        return reply(404, "text/plain", "");
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    record(&head, &body);
    let envelope: Value = serde_json::from_slice(&body).unwrap();
    let input =
        envelope["Metadata"]["timer"].as_str().map(|twice| serde_json::from_str::<String>(twice).unwrap());
    let number = record_length();
    let from_file = || std::fs::read_to_string(variable("HANDLER_SCRIPT")).unwrap_or_default();
    let script = input.unwrap_or_else(from_file);
    obey(due(script.trim(), number)).await
}

/// `first 2 exit 1` holds for the first two calls of all; later ones are answered well.
fn due(script: &str, number: usize) -> &str {
    let Some(rest) = script.strip_prefix("first ") else { return script };
    let (count, script) = rest.split_once(' ').unwrap();
    if number <= count.parse().unwrap() { script } else { "" }
}

fn record_length() -> usize {
    std::fs::read_to_string(variable("HANDLER_RECORD")).unwrap().lines().count()
}

async fn obey(script: &str) -> Response {
    const JSON: &str = "application/json";
    match script.split_once(' ').unwrap_or((script, "")) {
        ("status", code) => reply(code.parse().unwrap(), JSON, r#"{"Logs":["never seen"]}"#),
        ("body", body) => reply(200, JSON, body),
        ("text", body) => reply(200, "text/plain", body),
        ("logs", log) => reply(200, JSON, &json!({ "Logs": [log] }).to_string()),
        ("exit", code) => std::process::exit(code.parse().unwrap()),
        ("stdout", line) => {
            println!("{line}");
            reply(200, JSON, "{}")
        }
        ("stderr", line) => {
            eprintln!("{line}");
            reply(200, JSON, "{}")
        }
        ("sleep", millis) => {
            tokio::time::sleep(Duration::from_millis(millis.parse().unwrap())).await;
            reply(200, JSON, "{}")
        }
        _ => reply(200, JSON, "{}"),
    }
}

fn reply(status: u16, content_type: &str, body: &str) -> Response {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(Body::from(body.to_owned())).unwrap()
}

fn record(head: &axum::http::request::Parts, body: &Bytes) {
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()));
    let line = json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "headers": headers.collect::<serde_json::Map<String, Value>>(),
        "body": serde_json::from_slice::<Value>(body).unwrap(),
        "environment": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
        "arguments": std::env::args().skip(1).collect::<Vec<_>>(),
        "directory": std::env::current_dir().unwrap(),
    });
    let file = std::fs::OpenOptions::new().append(true).create(true).open(variable("HANDLER_RECORD"));
    writeln!(file.unwrap(), "{line}").unwrap();
}
