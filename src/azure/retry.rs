//! Our own bounded retry. The SDK's treats reads and writes alike, obeys any `Retry-After` however long,
//! and can take minutes; an invocation has two.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{Headers, RETRY_AFTER};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use azure_core::time::parse_rfc7231;
use time::Duration;
use tokio::time::Instant;

use super::pace::Paced;
use super::transport::is_write;
use super::wall_clock;

/// A service that is still troubled after this many tries is left to a later invocation.
const TRIES: usize = 4;

/// The pauses before the second, third and fourth try, where the service names none.
const PAUSES: [Duration; TRIES - 1] =
    [Duration::milliseconds(500), Duration::milliseconds(1500), Duration::milliseconds(4500)];

/// A longer `Retry-After` hands the answer back at once: to wait is to return to the host.
const LONGEST_PAUSE: Duration = Duration::seconds(20);

/// No further try begins after this: 20 s of pause, a slow try, and what is left of an invocation's 120 s
/// has to suffice for the save.
const ALL_TRIES: Duration = Duration::seconds(45);

/// What may be sent again although the service may have acted on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Reads, and what carries a [`Harmless`] in its context. A write goes out again only if the transport
    /// says that it never left.
    Reads,
    /// Everything: writes too are repeatable, or a read-back decides what they did.
    Everything,
}

/// Marks a request in its context as one that changes nothing, whatever its method says.
#[derive(Debug)]
pub(super) struct Harmless;

/// Put into a request's context, it tells whether the request had to be sent more than once.
#[derive(Debug, Default)]
pub(super) struct Repeated(AtomicBool);

impl Repeated {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The retry of one client: a policy outside of the one that authorizes and the one that signs, so that
/// every try is signed anew.
#[derive(Debug)]
pub(super) struct Retry(pub(super) Repeat);

#[async_trait]
impl Policy for Retry {
    async fn send(&self, context: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let began = Instant::now();
        let mut answer = next[0].send(context, request, &next[1..]).await;
        for own_pause in pauses(context) {
            let Some(pause) = self.pause(context, request, &answer, *own_pause) else { return answer };
            let Some(left) = time_left(began, pause) else { return answer };
            sleep(pause).await;
            if let Some(repeated) = context.value::<Repeated>() {
                repeated.0.store(true, Ordering::Relaxed);
            }
            request.body_mut().reset().await?;
            let again = next[0].send(context, request, &next[1..]);
            answer = tokio::time::timeout(left, again).await.unwrap_or_else(|_| Err(out_of_time()));
        }
        answer
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause of seconds between two tries of one request")]
async fn sleep(pause: Duration) {
    tokio::time::sleep(pause.unsigned_abs()).await;
}

/// A crawl asks once more after half a second and no oftener: it can go on from where it is at a later tick.
fn pauses(context: &Context) -> &'static [Duration] {
    if context.value::<Paced>().is_some() { &PAUSES[..1] } else { &PAUSES }
}

impl Retry {
    /// How long to pause before another try; `None` hands the answer back.
    fn pause(
        &self,
        context: &Context,
        request: &Request,
        answer: &PolicyResult,
        own: Duration,
    ) -> Option<Duration> {
        let repeatable = self.0 == Repeat::Everything
            || !is_write(request.method())
            || context.value::<Harmless>().is_some();
        let pause = match answer {
            Err(error) => match error.kind() {
                ErrorKind::Connection => own,
                ErrorKind::Io if repeatable => own,
                _ => return None,
            },
            Ok(answer) => match u16::from(answer.status()) {
                // Asking a bucket that is empty empties it for longer.
                429 if context.value::<Paced>().is_some() => return None,
                429 | 503 if repeatable => retry_after(answer.headers()).unwrap_or(own),
                408 | 500 | 502 | 504 if repeatable => own,
                _ => return None,
            },
        };
        (pause <= LONGEST_PAUSE).then_some(pause)
    }
}

/// What is left for a try after `pause`, if anything.
fn time_left(began: Instant, pause: Duration) -> Option<std::time::Duration> {
    let spent = began.elapsed() + pause.unsigned_abs();
    ALL_TRIES.unsigned_abs().checked_sub(spent).filter(|left| !left.is_zero())
}

fn out_of_time() -> Error {
    let what = format!("no answer within {} s, all tries together", ALL_TRIES.whole_seconds());
    Error::with_message(ErrorKind::Io, what)
}

/// The pause that a service asks for, in seconds or as a date.
pub(super) fn retry_after(headers: &Headers) -> Option<Duration> {
    let text = headers.get_optional_str(&RETRY_AFTER)?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::seconds(seconds.into()));
    }
    let date = parse_rfc7231(text).ok()?;
    Some((date - wall_clock()).max(Duration::ZERO))
}
