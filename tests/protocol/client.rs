//! An HTTP client that sends a body in the pieces it is told to, as the Functions host's chunks may fall.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// One kept-alive connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// What came back. Every answer of the handler is JSON; anything else fails the test here.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Begins a chunked request, as the host in Azure sends all of its own.
    pub(crate) fn begin(&mut self, method: &str, path: &str, headers: &str) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json; charset=utf-8\r\n\
             {headers}Transfer-Encoding: chunked\r\n\r\n"
        );
        self.send(head.as_bytes());
    }

    /// One chunk, which must not be empty: an empty one ends the body.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.send(&chunk);
    }

    pub(crate) fn end(&mut self) -> Answer {
        self.send(b"0\r\n\r\n");
        self.answer()
    }

    /// Posts a body in the given pieces, each a chunk of its own.
    pub(crate) fn post<'a>(&mut self, path: &str, pieces: impl IntoIterator<Item = &'a [u8]>) -> Answer {
        self.begin("POST", path, "");
        pieces.into_iter().filter(|piece| !piece.is_empty()).for_each(|piece| self.chunk(piece));
        self.end()
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes());
        self.answer()
    }

    /// Whether anything has come back within a moment.
    pub(crate) fn has_answer(&mut self) -> bool {
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let peeked = stream.peek(&mut [0]);
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        match peeked {
            Ok(_) => true,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                false
            }
        }
    }

    pub(crate) fn answer(&mut self) -> Answer {
        let status = self.line();
        let mut answer = Answer {
            status: status.split(' ').nth(1).unwrap().parse().unwrap(),
            content_type: String::new(),
            body: Value::Null,
        };
        let mut length = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            match line.split_once(": ") {
                None => break,
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("content-type", value)) => value.clone_into(&mut answer.content_type),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        answer.body = serde_json::from_slice(&body).expect("an answer that is not JSON");
        answer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Answer {
    /// The host waits for ever on an answer that is no JSON object.
    #[track_caller]
    pub(crate) fn assert_completes_the_call(&self) {
        assert!(self.body.is_object(), "{self:?}");
        assert_eq!(self.content_type, "application/json");
        assert_ne!(self.status, 204);
    }

    /// The reason that a failed answer gives.
    #[track_caller]
    pub(crate) fn reason(&self) -> &str {
        self.assert_completes_the_call();
        self.body["error"]["message"].as_str().unwrap()
    }
}
