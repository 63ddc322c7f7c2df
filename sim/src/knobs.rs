//! Planned faults: what goes wrong with which request.
//!
//! A fault is queued for a kind of request, for one service or for whichever comes first, and is used up by
//! the request that meets it. Without one, the simulated Azure does what Azure does.
//!
//! ```
//! use apim_dr_sim::knobs::{Fault, Request};
//! # fn plan(cloud: &apim_dr_sim::cloud::Cloud) {
//! cloud.next(Request::Backup, Fault::status(429).retry_after(17));
//! cloud.service("contoso-west").next(Request::Poll, Fault::status(500).times(3));
//! cloud.next(Request::Restore, Fault::lose_reply());
//! cloud.next(Request::Backup, Fault::never_ends());
//! # }
//! ```

use std::collections::VecDeque;

/// The kinds of request that the simulated Azure tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// `POST …/backup`
    Backup,
    /// `POST …/restore`
    Restore,
    /// `GET …/operationresults/{id}`
    Poll,
    /// `GET …/service/{name}`
    Service,
    /// Any read below a service.
    Content,
    /// `POST …/listSecrets`, `POST …/listValue`
    Secrets,
    /// `POST …/storageAccounts/{name}/listKeys`
    ListKeys,
    /// `GET …/storageAccounts/{name}`
    StorageAccount,
    /// `GET …/storageAccounts/{name}/blobServices/default`
    BlobService,
    /// `GET …/resourceGroups/{name}`
    Group,
    /// `GET …/providers/Microsoft.Authorization/permissions`
    Permissions,
    /// `GET …/trafficmanagerprofiles/{name}`
    Profile,
    /// `GET` or `PATCH` of an endpoint of a profile.
    Endpoint,
    /// The managed identity endpoint.
    Identity,
    /// Entra's token endpoint.
    Entra,
    /// A call that a [`Receiver`](crate::receiver::Receiver) gets: an alert or a heartbeat.
    Delivery,
}

/// Where an exchange breaks off. It is an extension of the response; a transport in the same process turns
/// it into an error, and over a socket the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Before anything was done, as if the request had never arrived.
    BeforeTheWork,
    /// After the work was done: the answer is lost.
    AfterTheWork,
}

/// An answer in place of the real one.
#[derive(Clone, Debug)]
pub(crate) struct Canned {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) body: Option<String>,
}

/// What happens to the `Location` of a 202.
#[derive(Clone, Debug)]
pub(crate) enum LocationFault {
    Absent,
    Other(String),
}

/// What an accepted operation does out of the ordinary.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    pub(crate) lasts: Option<time::Duration>,
    pub(crate) never_ends: bool,
    pub(crate) fails: Option<(String, String)>,
    pub(crate) half_done: bool,
    pub(crate) forgotten: bool,
    pub(crate) blob: BlobFault,
    pub(crate) blob_early: Option<time::Duration>,
}

/// What becomes of a backup's blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BlobFault {
    #[default]
    None,
    Missing,
    Empty,
}

/// One planned fault; the constructors name them, the methods refine them.
#[derive(Clone, Debug, Default)]
pub struct Fault {
    pub(crate) delay: Option<std::time::Duration>,
    pub(crate) canned: Option<Canned>,
    pub(crate) works_first: bool,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) broken: Option<Broken>,
    pub(crate) location: Option<LocationFault>,
    pub(crate) course: Course,
    times: Option<u32>,
    forever: bool,
}

impl Fault {
    /// Answers with `status` and Azure's error envelope, and does nothing.
    pub fn status(status: u16) -> Self {
        let (code, message) = usual_error(status);
        let canned = Canned { status, code: code.to_owned(), message: message.to_owned(), body: None };
        Self { canned: Some(canned), ..Self::default() }
    }

    /// Answers with `status` and an envelope of this code and message, and does nothing.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let canned = Canned { status, code: code.to_owned(), message: message.to_owned(), body: None };
        Self { canned: Some(canned), ..Self::default() }
    }

    /// Does the work, then answers with `status` all the same.
    pub fn work_then_status(status: u16) -> Self {
        Self { works_first: true, ..Self::status(status) }
    }

    /// Closes the connection before anything is done.
    pub fn refuse() -> Self {
        Self { broken: Some(Broken::BeforeTheWork), ..Self::default() }
    }

    /// Does the work, then closes the connection without an answer.
    pub fn lose_reply() -> Self {
        Self { broken: Some(Broken::AfterTheWork), ..Self::default() }
    }

    /// Waits this long, by the runtime's time, before anything else.
    pub fn delay(by: std::time::Duration) -> Self {
        Self::default().and_delay(by)
    }

    /// Accepts the operation, but the 202 has no `Location`.
    pub fn without_location() -> Self {
        Self { location: Some(LocationFault::Absent), ..Self::default() }
    }

    /// Accepts the operation, but the 202's `Location` is this.
    pub fn location(url: &str) -> Self {
        Self { location: Some(LocationFault::Other(url.to_owned())), ..Self::default() }
    }

    /// Accepts an operation that takes this long.
    pub fn lasts(duration: time::Duration) -> Self {
        Self::course(Course { lasts: Some(duration), ..Course::default() })
    }

    /// Accepts an operation that never ends, until
    /// [`ServiceHandle::free`](crate::cloud::ServiceHandle::free).
    pub fn never_ends() -> Self {
        Self::course(Course { never_ends: true, ..Course::default() })
    }

    /// Accepts an operation whose poll ends with 400 and this error. It leaves nothing behind: see
    /// [`Fault::half_done`].
    pub fn fails(code: &str, message: &str) -> Self {
        let fails = Some((code.to_owned(), message.to_owned()));
        Self::course(Course { fails, ..Course::default() })
    }

    /// Accepts an operation whose result URL answers 404 from the start.
    pub fn forgotten() -> Self {
        Self::course(Course { forgotten: true, ..Course::default() })
    }

    /// Accepts a backup that ends with 200 and leaves no blob.
    pub fn blob_missing() -> Self {
        Self::course(Course { blob: BlobFault::Missing, ..Course::default() })
    }

    /// Accepts a backup that ends with 200 and leaves an empty blob.
    pub fn blob_empty() -> Self {
        Self::course(Course { blob: BlobFault::Empty, ..Course::default() })
    }

    /// Accepts a backup whose blob appears this long before the operation ends.
    pub fn blob_early(by: time::Duration) -> Self {
        Self::course(Course { blob_early: Some(by), ..Course::default() })
    }

    fn course(course: Course) -> Self {
        Self { course, ..Self::default() }
    }

    /// A restore that fails has replaced half of the entities by then; the service ends as `Failed`.
    pub fn half_done(mut self) -> Self {
        self.course.half_done = true;
        self
    }

    /// Adds a `Retry-After` of so many seconds.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header("Retry-After", &seconds.to_string())
    }

    /// Adds or replaces a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Answers with this body, word for word, in place of the envelope.
    pub fn body(mut self, body: &str) -> Self {
        if let Some(canned) = &mut self.canned {
            canned.body = Some(body.to_owned());
        }
        self
    }

    /// Waits this long, by the runtime's time, before the rest.
    pub fn and_delay(mut self, by: std::time::Duration) -> Self {
        self.delay = Some(by);
        self
    }

    /// Meets so many requests before it is used up.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Is never used up, until the faults are cleared.
    pub fn forever(mut self) -> Self {
        self.forever = true;
        self
    }
}

/// Azure's usual words for a status, where nothing more is known.
fn usual_error(status: u16) -> (&'static str, &'static str) {
    match status {
        401 => ("InvalidAuthenticationToken", "The access token is invalid."),
        403 => ("AuthorizationFailed", "The client does not have authorization to perform this action."),
        404 => ("ResourceNotFound", "The resource was not found."),
        408 => ("RequestTimeout", "The request timed out."),
        409 => (
            "ServiceLocked",
            "The API Service is transitioning at this time. Please try the request again later.",
        ),
        412 => ("PreconditionFailed", "Resource was modified since last retrieval."),
        429 => ("TooManyRequests", "The request is being throttled."),
        503 => ("ServiceUnavailable", "The service is unavailable."),
        504 => ("GatewayTimeout", "The gateway did not receive a response from the resource provider."),
        500.. => ("InternalServerError", "Encountered an internal server error."),
        _ => ("BadRequest", "The request is not valid."),
    }
}

#[derive(Debug)]
struct Planned {
    request: Request,
    service: Option<String>,
    fault: Fault,
    left: u32,
}

/// The faults that still wait for their requests.
#[derive(Debug, Default)]
pub(crate) struct Faults(VecDeque<Planned>);

impl Faults {
    pub(crate) fn plan(&mut self, request: Request, service: Option<&str>, fault: Fault) {
        let left = fault.times.unwrap_or(1);
        let service = service.map(str::to_lowercase);
        self.0.push_back(Planned { request, service, fault, left });
    }

    /// The fault that this request meets, which is used up by it.
    pub(crate) fn take(&mut self, request: Request, service: Option<&str>) -> Option<Fault> {
        let service = service.map(str::to_lowercase);
        let meets = |planned: &Planned| {
            planned.request == request && (planned.service.is_none() || planned.service == service)
        };
        let at = self.0.iter().position(meets)?;
        let planned = &mut self.0[at];
        let fault = planned.fault.clone();
        planned.left = planned.left.saturating_sub(1);
        if planned.left == 0 && !fault.forever {
            self.0.remove(at);
        }
        Some(fault)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_meet_their_requests_in_order_and_are_used_up() {
        let mut faults = Faults::default();
        faults.plan(Request::Backup, Some("A"), Fault::status(429));
        faults.plan(Request::Backup, None, Fault::status(503).times(2));
        let status = |fault: Option<Fault>| fault.and_then(|fault| fault.canned).map(|canned| canned.status);
        assert_eq!(status(faults.take(Request::Restore, Some("a"))), None);
        assert_eq!(status(faults.take(Request::Backup, Some("b"))), Some(503));
        assert_eq!(status(faults.take(Request::Backup, Some("a"))), Some(429));
        assert_eq!(status(faults.take(Request::Backup, Some("a"))), Some(503));
        assert_eq!(status(faults.take(Request::Backup, Some("a"))), None);
    }

    #[test]
    fn a_standing_fault_stays_until_cleared() {
        let mut faults = Faults::default();
        faults.plan(Request::Poll, None, Fault::status(403).forever());
        assert!((0..5).all(|_| faults.take(Request::Poll, None).is_some()));
        faults.clear();
        assert!(faults.take(Request::Poll, None).is_none());
    }
}
