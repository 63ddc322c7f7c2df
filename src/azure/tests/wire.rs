//! The real client, against a server that answers each connection with given bytes.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use azure_core::error::ErrorKind;
use azure_core::http::headers::HeaderName;
use azure_core::http::{AsyncRawResponse, HttpClient as _, Method, Request, Url};

use super::super::transport::{Bounded, connect};

const SIGNATURE: &str = "AbCdEf";

/// A server that gives `answer` to one request and then closes; its address.
fn serve(answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    format!("http://{address}")
}

async fn send(method: Method, address: &str) -> azure_core::Result<AsyncRawResponse> {
    let client = Bounded::new(connect(None).unwrap(), 100);
    let url = Url::parse(&format!("{address}/container/blob?sig={SIGNATURE}")).unwrap();
    client.execute_request(&Request::new(url, method)).await
}

#[tokio::test]
async fn a_refused_connection_is_told_apart_and_shows_no_url() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let error = send(Method::Get, &format!("http://{free}")).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("refused"), "{error}");
    let everything = format!("{error} {error:?}");
    assert!(!everything.contains(SIGNATURE) && !everything.contains("blob"), "{everything}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer_to_a_read() {
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf";
    let error = send(Method::Get, &serve(broken)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Io);
    let nothing = send(Method::Get, &serve("")).await.unwrap_err();
    assert_eq!(*nothing.kind(), ErrorKind::Io);
    assert!(!format!("{error:?} {nothing:?}").contains(SIGNATURE));
}

#[tokio::test]
async fn what_a_write_did_is_known_by_its_headers() {
    let location = HeaderName::from_static("location");
    let broken = "HTTP/1.1 202 Accepted\r\nlocation: https://arm.test/1\r\ncontent-length: 50\r\n\r\nhalf";
    let answer = send(Method::Put, &serve(broken)).await.unwrap();
    assert_eq!(u16::from(answer.status()), 202);
    assert_eq!(answer.headers().get_optional_str(&location), Some("https://arm.test/1"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(u16::from(send(Method::Get, &serve(elsewhere)).await.unwrap().status()), 302);
}
