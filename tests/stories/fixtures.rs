//! What the stories are told with: times, services, and what Azure may answer.

use apim_dr::domain::id::ServiceId;
use apim_dr::domain::observation::{
    Answer, Asking, BlobFacts, BlobLook, BlobName, ContentLook, Looking, NoLook, Poll, ServiceLook,
    Strangers, WriteOnce,
};
use apim_dr::domain::offer::{Newest, Offer};
use apim_dr::domain::record::{By, FailedOver, InventoryRef, RestoreSource};
use apim_dr::domain::serving::Serving;
use apim_dr::domain::vocabulary::{
    AzureWords, BackupName, Container, Digest, Etag, OperationUrl, ServiceState, Tier, Timestamp,
};
use time::Duration;
use time::format_description::well_known::Rfc3339;

/// `02:11` on Tuesday, 10 March 2026; `02:11:30`; `11T02:11` on the day after.
pub(crate) fn at(text: &str) -> Timestamp {
    let (day, time) = text.split_once('T').unwrap_or(("10", text));
    let seconds = if time.len() == 5 { ":00" } else { "" };
    let whole = format!("2026-03-{day}T{time}{seconds}Z");
    Timestamp::new(time::OffsetDateTime::parse(&whole, &Rfc3339).expect("a time of a story"))
}

/// A moment as [`at`] reads it.
pub(crate) fn short(moment: Timestamp) -> String {
    let text = moment.to_string();
    let text = text.strip_prefix("2026-03-10T").or_else(|| text.strip_prefix("2026-03-")).unwrap_or(&text);
    text.strip_suffix(":00Z").or_else(|| text.strip_suffix('Z')).unwrap_or(text).to_owned()
}

/// `contoso@02:00`.
pub(crate) fn short_name(name: &BackupName) -> String {
    format!("{}@{}", name.service(), short(name.began()))
}

pub(crate) fn service(name: &str) -> ServiceId {
    let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apis";
    format!("{group}/providers/Microsoft.ApiManagement/service/{name}").parse().expect("a service's id")
}

pub(crate) fn backup(service_name: &str, began: &str) -> BackupName {
    BackupName::new(service(service_name).name(), at(began))
}

/// The look that a backup of the primary's needs.
pub(crate) fn for_backup(began: &str) -> Looking {
    Looking::ForBackup(BlobName {
        container: Container::from("apim-backups"),
        backup: backup("contoso", began),
    })
}

/// The look that a restore of the primary's backup needs.
pub(crate) fn for_restore(began: &str) -> Looking {
    let blob = BlobName { container: Container::from("apim-backups"), backup: backup("contoso", began) };
    Looking::ForRestore(blob, Asking::Strangers(None))
}

fn words(status: u16, code: &str, message: &str) -> AzureWords {
    AzureWords { status, code: code.into(), message: message.into() }
}

/// The failover latch: who has served, as words, and who did last.
pub(crate) fn latch(to: &str, since: &str) -> FailedOver {
    let (before, serving) = to.rsplit_once(' ').unwrap_or(("", to));
    let before = before.split_whitespace().map(|name| service(name).name()).collect();
    FailedOver { since: at(since), serving: service(serving).name(), before }
}

/// What a look finds. What is not said is as it should be.
#[derive(Clone)]
pub(crate) struct Sight {
    pub(crate) service: Result<ServiceLook, NoLook>,
    pub(crate) blob: Option<BlobLook>,
    pub(crate) others: Result<Vec<&'static str>, String>,
    /// Who serves by then; as the invocation read it first, if nothing is said.
    pub(crate) serving: Option<Serving>,
    /// The latch, as the primary's record holds it by then.
    pub(crate) failed_over: Option<FailedOver>,
    /// The last `resume`, as the primary's record holds it by then.
    pub(crate) resumed_at: Option<Timestamp>,
    /// What the service holds, where a restore asks for it; nothing that stands in the way, if nothing is said.
    pub(crate) content: Option<Result<ContentLook, String>>,
}

/// The service is found in this state.
pub(crate) fn finds(state: &str) -> Sight {
    let service = Ok(ServiceLook {
        state: ServiceState::parse(state),
        tier: Tier::new("Standard"),
        location: "West Europe".into(),
    });
    let others = Ok(Vec::new());
    Sight { service, blob: None, others, serving: None, failed_over: None, resumed_at: None, content: None }
}

/// Azure answers the look with an error.
pub(crate) fn finds_error(status: u16, code: &str) -> Sight {
    let service = Err(NoLook::Answer(words(status, code, "no look")));
    Sight { service, ..finds("Succeeded") }
}

/// The look is not answered.
pub(crate) fn finds_nothing() -> Sight {
    Sight { service: Err(NoLook::NoAnswer("timed out".into())), ..finds("Succeeded") }
}

/// There is no token for a look.
pub(crate) fn has_no_token() -> Sight {
    Sight { service: Err(NoLook::NoToken("no token: 401".into())), ..finds("Succeeded") }
}

impl Sight {
    pub(crate) fn blob(self, blob: BlobLook) -> Self {
        Self { blob: Some(blob), ..self }
    }

    pub(crate) fn tier(self, name: &str) -> Self {
        let service = self.service.map(|look| ServiceLook { tier: Tier::new(name), ..look });
        Self { service, ..self }
    }

    pub(crate) fn restoring(self, other: &'static str) -> Self {
        Self { others: Ok(vec![other]), ..self }
    }

    /// By now it is this service that carries the traffic.
    pub(crate) fn serving(self, name: &str) -> Self {
        Self { serving: Some(Serving::Service(service(name).name())), ..self }
    }

    /// By now the profile cannot be read.
    pub(crate) fn serving_unknown(self) -> Self {
        Self { serving: Some(Serving::Unknown("the profile cannot be read".into())), ..self }
    }

    /// By now another invocation has seen this service carry the traffic.
    pub(crate) fn failed_over(self, to: &str, since: &str) -> Self {
        Self { failed_over: Some(latch(to, since)), ..self }
    }

    /// By now somebody has said `resume`.
    pub(crate) fn resumed(self, when: &str) -> Self {
        Self { resumed_at: Some(at(when)), ..self }
    }

    /// The service holds APIs and products that the backup lacks.
    pub(crate) fn strangers(self, apis: usize, products: usize, some: &[&str]) -> Self {
        let some = some.iter().map(|path| (*path).to_owned()).collect();
        Self { content: Some(Ok(ContentLook::Strangers(Strangers { apis, products, some }))), ..self }
    }

    /// The service's lists are other ones than after the restore.
    pub(crate) fn other_lists(self) -> Self {
        Self { content: Some(Ok(ContentLook::Lists(Digest::of(b"others")))), ..self }
    }

    /// The service's lists are other ones than after the restore, and no API or product in them is a stranger's.
    pub(crate) fn no_strangers_and_other_lists(self) -> Self {
        let content = ContentLook::Both(Strangers::default(), Digest::of(b"others"));
        Self { content: Some(Ok(content)), ..self }
    }

    /// What the service holds cannot be read.
    pub(crate) fn content_unreadable(self) -> Self {
        Self { content: Some(Err("HTTP 403 AuthorizationFailed".into())), ..self }
    }

    pub(crate) fn others_unreadable(self) -> Self {
        Self { others: Err("storage timed out".into()), ..self }
    }

    pub(crate) fn tell(&self) -> String {
        let mut told = match &self.service {
            Ok(look) if look.tier == Tier::new("Standard") => look.state.to_string(),
            Ok(look) => format!("{}, tier {}", look.state, look.tier),
            Err(why) => why.to_string(),
        };
        if let Some(blob) = &self.blob {
            told += &format!(", {}", tell_blob(blob));
        }
        match &self.serving {
            Some(Serving::Service(name)) => told += &format!(", {name} serves"),
            Some(_) => told += ", who serves is unknown",
            None => {}
        }
        if let Some(latch) = &self.failed_over {
            told += &format!(", failed over to {}", latch.serving);
        }
        if let Some(resumed) = self.resumed_at {
            told += &format!(", resumed at {}", short(resumed));
        }
        match &self.others {
            Ok(others) => others.iter().for_each(|other| told += &format!(", {other} is being restored")),
            Err(why) => told += &format!(", others: {why}"),
        }
        match &self.content {
            None => {}
            Some(Ok(ContentLook::Strangers(strangers))) => {
                told += &format!(
                    ", {} APIs and {} products that the backup lacks",
                    strangers.apis, strangers.products
                );
            }
            Some(Ok(ContentLook::Lists(_))) => told += ", other lists than after the restore",
            Some(Ok(ContentLook::Both(..))) => told += ", no strangers, other lists than after the restore",
            Some(Err(why)) => told += &format!(", content: {why}"),
        }
        told
    }
}

/// A blob of 4096 bytes, as the manifests of the stories describe it, written long after any request.
pub(crate) fn proven() -> BlobFacts {
    BlobFacts {
        length: 4096,
        etag: Etag::from("0x1".to_owned()),
        last_modified: at("31T00:00"),
        leased: false,
    }
}

pub(crate) fn found() -> BlobLook {
    BlobLook::Found(proven())
}

pub(crate) fn found_empty() -> BlobLook {
    BlobLook::Found(BlobFacts { length: 0, ..proven() })
}

pub(crate) fn found_leased() -> BlobLook {
    BlobLook::Found(BlobFacts { leased: true, ..proven() })
}

pub(crate) fn found_written(when: &str) -> BlobLook {
    BlobLook::Found(BlobFacts { last_modified: at(when), ..proven() })
}

pub(crate) fn found_etag(etag: &str) -> BlobLook {
    BlobLook::Found(BlobFacts { etag: Etag::from(etag.to_owned()), ..proven() })
}

pub(crate) fn found_length(length: u64) -> BlobLook {
    BlobLook::Found(BlobFacts { length, ..proven() })
}

pub(crate) fn missing() -> BlobLook {
    BlobLook::Missing
}

pub(crate) fn unreadable() -> BlobLook {
    BlobLook::NoAnswer("HTTP 403 AuthorizationFailure".into())
}

pub(crate) fn tell_blob(blob: &BlobLook) -> String {
    match blob {
        BlobLook::Missing => "no blob".into(),
        BlobLook::NoAnswer(why) => format!("blob: {why}"),
        BlobLook::Found(facts) => {
            let leased = if facts.leased { ", leased" } else { "" };
            format!("blob of {} bytes, ETag {}{leased}", facts.length, facts.etag.quoted())
        }
    }
}

/// 202 with a `Location` of ours.
pub(crate) fn accepted(operation: &str) -> Answer {
    Answer::Accepted { operation: Some(OperationUrl::new(operation.into())), retry_after: None }
}

/// 202 with a `Location` of ours and a `Retry-After`.
pub(crate) fn accepted_for(operation: &str, minutes: i64) -> Answer {
    let retry_after = Some(Duration::minutes(minutes));
    Answer::Accepted { operation: Some(OperationUrl::new(operation.into())), retry_after }
}

/// 200, or 202 without a `Location` that could be followed.
pub(crate) fn accepted_without_operation() -> Answer {
    Answer::Accepted { operation: None, retry_after: None }
}

pub(crate) fn busy() -> Answer {
    Answer::Busy(words(409, "ServiceLocked", "another operation runs"))
}

pub(crate) fn refused() -> Answer {
    Answer::Refused(words(400, "InvalidParameters", "the storage account is not reachable"))
}

pub(crate) fn unauthorised() -> Answer {
    Answer::NoToken("HTTP 401 after one new token".into())
}

pub(crate) fn unanswered() -> Answer {
    Answer::Unknown("the connection was reset".into())
}

pub(crate) fn tell_answer(answer: &Answer) -> String {
    match answer {
        Answer::Accepted { operation: Some(operation), .. } => format!("202 {}", operation.expose()),
        Answer::Accepted { operation: None, .. } => "202 without Location".into(),
        Answer::Busy(words) | Answer::Refused(words) => format!("{} {}", words.status, words.code),
        Answer::NoToken(_) => "401 twice".into(),
        Answer::Unknown(why) => why.clone(),
    }
}

/// 202.
pub(crate) fn still_running() -> Poll {
    Poll::Running { retry_after: None }
}

/// 202 with a `Retry-After`.
pub(crate) fn still_running_for(minutes: i64) -> Poll {
    Poll::Running { retry_after: Some(Duration::minutes(minutes)) }
}

/// 200.
pub(crate) fn ended() -> Poll {
    Poll::Ended
}

/// A 4xx with `error.code`.
pub(crate) fn ended_badly() -> Poll {
    Poll::Failed(words(400, "BackupRestoreFailed", "the blob could not be written"))
}

/// An answer that says nothing, such as a 404.
pub(crate) fn no_word() -> Poll {
    Poll::Unknown("HTTP 404".into())
}

pub(crate) fn tell_poll(poll: &Poll) -> String {
    match poll {
        Poll::Running { .. } => "202".into(),
        Poll::Ended => "200".into(),
        Poll::Failed(words) => format!("{} {}", words.status, words.code),
        Poll::Unknown(why) => why.clone(),
    }
}

pub(crate) fn tell_write(written: &WriteOnce) -> &'static str {
    match written {
        WriteOnce::Written => "written",
        WriteOnce::Same => "there already",
        WriteOnce::Other => "other bytes there",
        WriteOnce::NoAnswer(_) => "no answer",
    }
}

/// The manifest of the primary's backup that began then: proven, in the record, and the newest.
pub(crate) fn manifest(began: &str) -> Offer {
    manifest_of("contoso", began)
}

/// The manifest of a service's backup.
pub(crate) fn manifest_of(service_name: &str, began: &str) -> Offer {
    let source = RestoreSource {
        name: backup(service_name, began),
        container: Container::from("apim-backups"),
        started_at: at(began),
        expires_at: at(began) + Duration::days(30),
        tier: Tier::new("Standard"),
        length: proven().length,
        etag: proven().etag,
        inventory: None,
    };
    Offer {
        source,
        by: By::Automatic,
        even_if_live: false,
        vouched: Some(at(began)),
        accepted: true,
        newest: Newest::Began(at(began)),
        of_primary: service_name == "contoso",
        resumed_at: None,
        made_up_for: false,
        blob: found(),
    }
}

/// How an offer differs from the one that simply passes.
pub(crate) trait Telling: Sized {
    /// A person brings it.
    fn by_hand(self) -> Self;
    /// The record knows a newer one that is accepted.
    fn though_newest_is(self, began: &str) -> Self;
    /// The record that knows the newest cannot be read.
    fn whatever_the_newest_is(self) -> Self;
    /// Neither its name nor its digest stands in the record.
    fn not_in_the_record(self) -> Self;
    fn suspicious(self) -> Self;
    /// Of a `resume` at this time.
    fn resumed(self, when: &str) -> Self;
    fn with_blob(self, blob: BlobLook) -> Self;
    /// There is an inventory beside it.
    fn with_inventory(self) -> Self;
    /// No event told of it.
    fn brought_by_a_tick(self) -> Self;
    /// By the command line's word.
    fn even_if_live(self) -> Self;
}

impl Telling for Offer {
    fn by_hand(self) -> Self {
        Self { by: By::Hand, ..self }
    }

    fn though_newest_is(self, began: &str) -> Self {
        Self { newest: Newest::Began(at(began)), ..self }
    }

    fn whatever_the_newest_is(self) -> Self {
        Self { vouched: None, newest: Newest::Unread, ..self }
    }

    fn not_in_the_record(self) -> Self {
        Self { vouched: None, newest: Newest::Nothing, ..self }
    }

    fn suspicious(self) -> Self {
        Self { accepted: false, newest: Newest::Nothing, ..self }
    }

    fn resumed(self, when: &str) -> Self {
        Self { resumed_at: Some(at(when)), ..self }
    }

    fn brought_by_a_tick(self) -> Self {
        Self { made_up_for: true, ..self }
    }

    fn with_inventory(mut self) -> Self {
        let blob = self.source.name.inventory();
        let digest = Digest::of(blob.as_bytes());
        self.source.inventory = Some(InventoryRef { blob, digest });
        self
    }

    fn with_blob(self, blob: BlobLook) -> Self {
        Self { blob, ..self }
    }

    fn even_if_live(self) -> Self {
        Self { even_if_live: true, ..self }
    }
}
