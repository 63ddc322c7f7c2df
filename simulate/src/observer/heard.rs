//! What one call has been told: the only grounds on which it may act.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::Value;
use time::OffsetDateTime;

use super::record::Record;
use super::traffic::{self, Serving};
use crate::world::call::Call;
use crate::world::sent::{About, Answer, BACKUPS, Sent};

/// A service as it was answered to this call.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) asked: OffsetDateTime,
    pub(super) state: String,
    pub(super) tier: String,
}

impl Look {
    pub(super) fn is_free(&self) -> bool {
        matches!(self.state.to_lowercase().as_str(), "succeeded" | "failed")
    }

    pub(super) fn is_updating(&self) -> bool {
        self.state.eq_ignore_ascii_case("updating")
    }
}

/// A blob of the backup container as it was answered to this call.
#[derive(Clone, Debug)]
pub(super) struct BlobLook {
    pub(super) asked: OffsetDateTime,
    pub(super) status: u16,
    pub(super) etag: String,
    pub(super) length: u64,
    pub(super) leased: bool,
    pub(super) modified: String,
}

/// An answer to a poll.
#[derive(Clone, Debug)]
pub(super) struct PollAnswer {
    pub(super) status: u16,
    pub(super) code: String,
}

/// An answer to a request to back up or restore.
#[derive(Clone, Debug)]
pub(super) struct PostAnswer {
    pub(super) service: usize,
    pub(super) status: u16,
}

/// What one call has been told so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// The newest accepted backup of each service when the call began.
    pub(super) accepted: BTreeMap<usize, Option<OffsetDateTime>>,
    /// When the last write of a service's record by this call was done.
    pub(super) saved: BTreeMap<usize, OffsetDateTime>,
    pub(super) looks: BTreeMap<usize, Look>,
    pub(super) blobs: BTreeMap<String, BlobLook>,
    /// When the records that were read last were asked for.
    pub(super) records: BTreeMap<usize, OffsetDateTime>,
    /// How often each record was asked for, and what was answered.
    asked: BTreeMap<usize, (usize, Vec<(u16, Bytes)>)>,
    /// When who serves was last asked, and what was said; `None` before that, and while no answer has come.
    pub(super) profile: Option<Option<(OffsetDateTime, Serving)>>,
    /// Every service that was said to serve.
    pub(super) serving_ever: BTreeSet<usize>,
    pub(super) polls: BTreeMap<usize, PollAnswer>,
    pub(super) posts: Vec<PostAnswer>,
    /// The account's key was refused.
    pub(super) no_key: bool,
    /// Services whose request never left, by what the transport said.
    pub(super) unsent: BTreeSet<usize>,
    /// Services whose request may have left more than once.
    pub(super) repeated: BTreeSet<usize>,
    /// The names of what was logged.
    pub(super) events: BTreeSet<String>,
    requests: u32,
    /// Storage requests since the last answer to a POST: how many left, were done, were heard of.
    since_answer: (u32, u32, u32),
}

impl Heard {
    pub(super) fn new(accepted: BTreeMap<usize, Option<OffsetDateTime>>) -> Self {
        Self { accepted, ..Self::default() }
    }

    /// How many requests it has made.
    pub(super) fn requests(&self) -> u32 {
        self.requests
    }

    /// Whether storage did all that it was asked since the last answer to a POST, and said so.
    pub(super) fn storage_was_well(&self) -> bool {
        let (left, done, heard) = self.since_answer;
        left == done && done == heard
    }

    pub(super) fn leaves(&mut self, sent: &Sent) {
        self.requests += 1;
        if sent.about == About::Profile {
            self.profile = Some(None);
        }
        if let About::Post(service, _) = sent.about {
            // Asked again: what counts is the last answer.
            self.posts.retain(|post| post.service != service);
        }
        if is_storage(sent) {
            self.since_answer.0 += 1;
        }
        if let Some(service) = sent.reads_record() {
            self.asked.entry(service).or_default().0 += 1;
        }
    }

    /// Whether every question for this record was answered by a record.
    pub(super) fn always_read(&self, service: usize) -> bool {
        self.asked.get(&service).is_some_and(|(asked, answers)| {
            *asked == answers.len() && answers.iter().all(|(_, body)| Record::read(body).is_some())
        })
    }

    /// Whether what was last read there is a record, or that there is none.
    pub(super) fn could_read(&self, service: usize) -> bool {
        let last = self.last_answer(service);
        last.is_some_and(|(status, body)| *status == 404 || Record::read(body).is_some())
    }

    fn last_answer(&self, service: usize) -> Option<&(u16, Bytes)> {
        self.asked.get(&service)?.1.last()
    }

    /// The record that was last read there, and when it was asked for.
    pub(super) fn last_read(&self, service: usize) -> Option<(OffsetDateTime, Record)> {
        let (_, body) = self.last_answer(service)?;
        Some((*self.records.get(&service)?, Record::read(body)?))
    }

    pub(super) fn done(&mut self, sent: &Sent) {
        if is_storage(sent) {
            self.since_answer.1 += 1;
        }
    }

    pub(super) fn hears(&mut self, call: &Call, sent: &Sent, answer: &Answer) {
        let status = answer.status.as_u16();
        match &sent.about {
            About::Service(service) => {
                if let Some(look) = look(sent, answer) {
                    self.looks.insert(*service, look);
                }
            }
            About::Profile if status == 200 => {
                let profile = serde_json::from_slice(&answer.body).unwrap_or_default();
                let serving = traffic::serving(&profile, &call.deployed);
                self.profile = Some(Some((sent.at, serving)));
                self.serving_ever.extend(serving);
            }
            About::Poll(service) => {
                self.polls.insert(*service, PollAnswer { status, code: code(&answer.body) });
            }
            About::Arm => self.no_key |= (400..500).contains(&status),
            About::Post(service, _) => {
                self.posts.push(PostAnswer { service: *service, status });
                self.since_answer = (0, 0, 0);
            }
            About::Blob { container, blob } if container == BACKUPS && !sent.writes() => {
                self.blobs.insert(blob.clone(), blob_look(sent, answer));
            }
            _ => {}
        }
        match sent.reads_record() {
            Some(service) if matches!(status, 200 | 206 | 404) => {
                self.reads_record(call, service, (sent, answer))
            }
            _ => {}
        }
        if is_storage(sent) && answer.header("x-ms-error-code") != "LeaseIdMissing" {
            self.since_answer.2 += 1;
        }
    }

    fn reads_record(&mut self, call: &Call, service: usize, (sent, answer): (&Sent, &Answer)) {
        self.records.insert(service, sent.at);
        self.asked.entry(service).or_default().1.push((answer.status.as_u16(), answer.body.clone()));
        // A write that came late is known to be done by whoever reads it back.
        if !self.saved.contains_key(&service) && is_claimed_by(call, &answer.body) {
            self.saved.insert(service, sent.at);
        }
    }
}

/// Most reads are of records that do not name the call at all, and are not parsed.
fn is_claimed_by(call: &Call, record: &[u8]) -> bool {
    std::str::from_utf8(record).is_ok_and(|text| text.contains(&call.id))
        && Record::read(record).is_some_and(|record| record.claimant() == call.id)
}

fn is_storage(sent: &Sent) -> bool {
    match sent.about {
        About::Blob { .. } | About::Container(_) => true,
        // Without a token nothing can be asked of it.
        About::Tokens => std::str::from_utf8(&sent.body).is_ok_and(|form| form.contains("storage.azure.com")),
        _ => false,
    }
}

/// A 200 with a `provisioningState`, and nothing less.
fn look(sent: &Sent, answer: &Answer) -> Option<Look> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let state = body["properties"]["provisioningState"].as_str().filter(|_| answer.status.as_u16() == 200)?;
    let tier = body["sku"]["name"].as_str().unwrap_or_default().to_owned();
    Some(Look { asked: sent.at, state: state.to_owned(), tier })
}

fn blob_look(sent: &Sent, answer: &Answer) -> BlobLook {
    BlobLook {
        asked: sent.at,
        status: answer.status.as_u16(),
        etag: answer.header("etag").trim_matches('"').to_owned(),
        length: answer.header("content-length").parse().unwrap_or_default(),
        leased: matches!(answer.header("x-ms-lease-state"), "leased" | "breaking"),
        modified: answer.header("last-modified").to_owned(),
    }
}

fn code(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["error"]["code"].as_str().unwrap_or_default().to_owned()
}
