//! Many calls at once, and bodies that are far larger than what anybody has use for.

use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use apim_dr_sim::blobs::{Blobs, Fault};
use apim_dr_sim::clock::Clock;
use axum::http::Method;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Calls of a timer that finds nothing to do, and how many of them wait at a time.
pub(super) const CALLS: usize = 500;
const CALLS_AT_ONCE: usize = 50;

/// How far away storage is.
pub(super) const STORAGE_AWAY: Duration = Duration::from_millis(25);

/// Bodies of this size, all of them at once, as the host sends a backup to a function that is bound to it.
pub(super) const BODIES: usize = 10;
pub(super) const BODY_BYTES: usize = 300_000_000;

static CHUNK: [u8; 64 * 1024] = [b'A'; 64 * 1024];

/// What a load took.
pub(super) struct Load {
    /// From the first call to the last answer.
    pub(super) took: Duration,
    /// The longest that one call waited.
    pub(super) slowest: Duration,
    /// The most resident memory that the handler had meanwhile, in megabytes.
    pub(super) peak: f64,
}

/// A handler that is called directly, at the moment that the clock shows.
pub(super) struct Called<'a> {
    pub(super) port: u16,
    pub(super) pid: u32,
    pub(super) clock: &'a Clock,
    /// Of the storage account.
    pub(super) endpoint: &'a str,
}

impl Called<'_> {
    /// Idle ticks while storage is far away.
    pub(super) async fn idle_ticks(&self, blobs: &Blobs) -> Result<Load, String> {
        for method in [Method::GET, Method::HEAD, Method::PUT] {
            blobs.inject(u32::MAX, &method, "", Fault::Delay(STORAGE_AWAY));
        }
        let now = self.clock.now().format(&Rfc3339).map_err(|error| error.to_string())?;
        let body = json!({"Data": {"timer": {}}, "Metadata": {"sys": {"UtcNow": now}}}).to_string();
        let call = || self.call("BackupTimer", (&body, 0, ""));
        self.load((0..CALLS).map(|_| call()), CALLS_AT_ONCE).await
    }

    /// Calls with the bytes of a whole backup in them.
    pub(super) async fn whole_backups(&self) -> Result<Load, String> {
        let now = self.clock.now().format(&Rfc3339).map_err(|error| error.to_string())?;
        let uri = format!("\"{}/apim-backups/a.apimbackup\"", self.endpoint);
        let metadata = json!({"Uri": uri, "sys": {"UtcNow": now}});
        let end = format!("\"}},\"Metadata\":{metadata}}}");
        let call = || self.call("RestoreOnBlob", ("{\"Data\":{\"manifest\":\"", BODY_BYTES, &end));
        self.load((0..BODIES).map(|_| call()), BODIES).await
    }

    async fn load<C>(&self, calls: impl Iterator<Item = C>, at_once: usize) -> Result<Load, String>
    where
        C: Future<Output = Result<Duration, String>>,
    {
        // The kernel forgets the peak so far.
        fs::write(format!("/proc/{}/clear_refs", self.pid), "5").map_err(|error| error.to_string())?;
        let began = Instant::now();
        let waited: Vec<Duration> = stream::iter(calls).buffer_unordered(at_once).try_collect().await?;
        let took = began.elapsed();
        let slowest = waited.into_iter().max().unwrap_or_default();
        Ok(Load { took, slowest, peak: super::memory(self.pid, "VmHWM:")? })
    }

    /// One call, whose body is a beginning, so many bytes of nothing, and an end. Yields how long it took.
    async fn call(
        &self,
        function: &str,
        (beginning, filled, end): (&str, usize, &str),
    ) -> Result<Duration, String> {
        let began = Instant::now();
        let length = beginning.len() + filled + end.len();
        let head = format!(
            "POST /{function} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n{beginning}"
        );
        let answer = self.exchange((&head, filled, end)).await.map_err(|error| error.to_string())?;
        match answer.starts_with("HTTP/1.1 200") {
            true => Ok(began.elapsed()),
            false => Err(format!("{function} answered {answer}")),
        }
    }

    async fn exchange(&self, (head, mut filled, end): (&str, usize, &str)) -> std::io::Result<String> {
        let mut handler = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        handler.write_all(head.as_bytes()).await?;
        while filled > 0 {
            let chunk = &CHUNK[..filled.min(CHUNK.len())];
            handler.write_all(chunk).await?;
            filled -= chunk.len();
        }
        handler.write_all(end.as_bytes()).await?;
        let mut answer = String::new();
        handler.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}
