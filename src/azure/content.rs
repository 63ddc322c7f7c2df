//! Reading what a service holds: lists page by page, each entry by itself, and single entities.

use azure_core::http::{RawResponse, Url};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tokio::time::{Duration, Instant};

use super::answers::{refused_token, silence};
use super::arm::{Arm, NoReply};
use super::words::azure_words;
use crate::clock::InvocationClock;
use crate::domain::id::ServiceId;
use crate::domain::observation::StretchEnd;

/// Pages of one list. Azure gives 100 entries a page or so; this is far beyond every list that is read.
const MOST_PAGES: usize = 20_000;

/// A list that takes longer could not be read in any invocation: it would be begun anew in each.
const LONGEST_LIST: Duration = Duration::from_secs(90);

/// Of the reason why something could not be read, as it is kept: there may be a hundred of them in a record.
const LONGEST_REASON: usize = 400;

/// What Azure says of a list that the service's tier does not have.
const NOT_IN_TIER: &str = "MethodNotAllowedInPricingTier";

/// One service, to be read.
pub(super) struct Content<'a> {
    pub(super) arm: &'a Arm,
    pub(super) service: &'a ServiceId,
    pub(super) api_version: &'a str,
    pub(super) clock: &'a InvocationClock,
}

/// What became of reading one thing, where reading as a whole can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Whole,
    /// It is not there.
    Gone,
    /// It cannot be read, now or later.
    Unread {
        why: String,
        not_in_tier: bool,
    },
}

impl Outcome {
    fn unread(why: impl Into<String>) -> Self {
        Self::Unread { why: why.into(), not_in_tier: false }
    }

    fn refused(answer: &RawResponse, not_in_tier: bool) -> Self {
        let mut why = azure_words(answer).to_string();
        if let Some((end, _)) = why.char_indices().nth(LONGEST_REASON) {
            why.truncate(end);
            why.push('…');
        }
        Self::Unread { why, not_in_tier }
    }
}

/// An answer that lets reading go on.
enum Answered {
    Found(RawResponse),
    TooLarge,
    Other(Outcome),
}

/// A list that is being read.
pub(super) struct Walk<T> {
    segments: Vec<String>,
    /// More entries than this are not taken in.
    most: usize,
    entries: Vec<T>,
    next: Next,
    pages: usize,
    began: Instant,
    /// How many entries a page shall have, once it turned out that Azure's own pages are too large.
    top: Option<usize>,
}

enum Next {
    First,
    Page(Url),
    End(Outcome),
}

impl<T> Walk<T> {
    pub(super) fn of(segments: &[&str], most: usize) -> Self {
        let segments = segments.iter().map(|segment| (*segment).to_owned()).collect();
        let (entries, began) = (Vec::new(), Instant::now());
        Self { segments, most, entries, next: Next::First, pages: 0, began, top: None }
    }

    fn end(&mut self, outcome: Outcome) {
        self.next = Next::End(outcome);
    }

    /// It had to wait for others, and that does not count as reading.
    pub(super) fn goes_on(&mut self) {
        self.began = Instant::now();
    }

    /// Asks for the same entries again, fewer at a time.
    fn shrink(&mut self, content: &Content<'_>) {
        self.top = match self.top {
            None => Some(20),
            Some(1) => {
                return self.end(Outcome::unread("one of its entries is larger than what is taken in"));
            }
            Some(_) => Some(1),
        };
        let skip = self.entries.len();
        let mut url = content.url(&self.segments);
        if let Some(top) = self.top {
            url.query_pairs_mut()
                .append_pair("$top", &top.to_string())
                .append_pair("$skip", &skip.to_string());
        }
        self.next = Next::Page(url);
    }
}

impl Content<'_> {
    /// The address of what lies below the service. Names may hold what would change a URL's shape.
    pub(super) fn url<S: AsRef<str>>(&self, segments: &[S]) -> Url {
        let mut url = self.arm.url(self.service.as_str(), self.api_version);
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        url
    }

    /// Reads the next page of a list, unless it has been read to its end. `take` is given each entry by itself;
    /// `None` says that it is no such entry.
    pub(super) async fn step<T>(
        &self,
        walk: &mut Walk<T>,
        take: &(dyn Fn(Value) -> Option<T> + Sync),
    ) -> Result<(), StretchEnd> {
        let url = match &walk.next {
            Next::First => self.url(&walk.segments),
            Next::Page(url) => url.clone(),
            Next::End(_) => return Ok(()),
        };
        walk.pages += 1;
        let answer = match self.read(url.clone()).await? {
            Answered::Found(answer) => answer,
            Answered::TooLarge => {
                walk.shrink(self);
                return Ok(());
            }
            Answered::Other(outcome) => {
                walk.end(outcome);
                return Ok(());
            }
        };
        let mut page = Page { take, entries: &mut walk.entries, next: None, strange: false, is_list: false };
        let read = page.read(answer.body());
        let Page { next, strange, is_list, .. } = page;
        read.map_err(|error| StretchEnd::Interrupted(format!("an answer is not a list: {error}")))?;
        if !is_list {
            walk.end(Outcome::unread("an answer has no `value`: it is no list"));
        } else if strange {
            walk.end(Outcome::unread("one of its entries has no usable name"));
        } else if walk.entries.len() > walk.most {
            walk.end(Outcome::unread(format!("it has more than {} entries", walk.most)));
        } else {
            walk.next = self.after(next, &url, walk);
        }
        Ok(())
    }

    /// An empty `nextLink` means the end, as does none (contract: apim-arm, section 4).
    fn after<T>(&self, next: Option<String>, read: &Url, walk: &Walk<T>) -> Next {
        let Some(next) = next.filter(|next| !next.is_empty()) else { return Next::End(Outcome::Whole) };
        let Some(next) = self.arm.own_url(&next) else {
            return Next::End(Outcome::unread("its next page is not on ARM_ENDPOINT: not asked"));
        };
        if next == *read || walk.pages >= MOST_PAGES {
            return Next::End(Outcome::unread("its pages have no end"));
        }
        if walk.began.elapsed() >= LONGEST_LIST {
            let entries = walk.entries.len();
            return Next::End(Outcome::unread(format!(
                "reading its first {entries} entries took 90 s already"
            )));
        }
        Next::Page(next)
    }

    /// Reads a list to its end.
    pub(super) async fn finish<T>(
        &self,
        mut walk: Walk<T>,
        take: &(dyn Fn(Value) -> Option<T> + Sync),
    ) -> Result<(Vec<T>, Outcome), StretchEnd> {
        loop {
            match walk.next {
                Next::End(outcome) => return Ok((walk.entries, outcome)),
                Next::First | Next::Page(_) => self.step(&mut walk, take).await?,
            }
        }
    }

    /// Reads a single entity.
    pub(super) async fn entity(&self, url: Url) -> Result<(Option<Value>, Outcome), StretchEnd> {
        match self.read(url).await? {
            Answered::Found(answer) => match serde_json::from_slice(answer.body()) {
                Ok(entity) => Ok((Some(entity), Outcome::Whole)),
                Err(error) => Err(StretchEnd::Interrupted(format!("an answer is not an entity: {error}"))),
            },
            Answered::TooLarge => Ok((None, Outcome::unread("it is larger than what is taken in"))),
            Answered::Other(outcome) => Ok((None, outcome)),
        }
    }

    /// What an answer to a read means. First match wins. Reasons hold no ids of requests, which stand in the log: what is put
    /// together twice has to be the same, and what is told again and again is no news.
    async fn read(&self, url: Url) -> Result<Answered, StretchEnd> {
        if !self.clock.allows_read() {
            return Err(StretchEnd::Late);
        }
        let answer = match self.arm.get_paced(url).await {
            Ok(answer) => answer,
            Err(NoReply::TooLarge) => return Ok(Answered::TooLarge),
            Err(NoReply::NoToken(why)) => return Err(StretchEnd::NoToken(why)),
            Err(no_reply) => return Err(StretchEnd::Interrupted(silence(no_reply))),
        };
        match u16::from(answer.status()) {
            200 => Ok(Answered::Found(answer)),
            401 => Err(StretchEnd::NoToken(refused_token(&answer))),
            403 => Err(StretchEnd::GivenUp(azure_words(&answer).to_string())),
            404 => Ok(Answered::Other(gone(&answer))),
            408 | 409 | 412 | 429 => Err(StretchEnd::Interrupted(azure_words(&answer).to_string())),
            400..=499 => {
                let not_in_tier = azure_words(&answer).code == NOT_IN_TIER;
                Ok(Answered::Other(Outcome::refused(&answer, not_in_tier)))
            }
            _ => Err(StretchEnd::Interrupted(azure_words(&answer).to_string())),
        }
    }
}

/// Something that was deleted meanwhile is simply gone. An API version that does not know such a thing says 404 in
/// other words, and somebody else than Azure in none.
fn gone(answer: &RawResponse) -> Outcome {
    match azure_words(answer).code.ends_with("NotFound") {
        true => Outcome::Gone,
        false => Outcome::refused(answer, false),
    }
}

/// A page of a list as it is parsed: an entry is dropped once it was taken in.
struct Page<'a, T> {
    take: &'a (dyn Fn(Value) -> Option<T> + Sync),
    entries: &'a mut Vec<T>,
    next: Option<String>,
    /// There was an entry that could not be taken in.
    strange: bool,
    /// There was a `value`, be it an empty one.
    is_list: bool,
}

impl<T> Page<'_, T> {
    fn read(&mut self, body: &[u8]) -> serde_json::Result<()> {
        let mut json = serde_json::Deserializer::from_slice(body);
        json.deserialize_map(self)?;
        json.end()
    }
}

impl<'de, T> Visitor<'de> for &mut Page<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a page of a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "value" => {
                    members.next_value_seed(Entries(&mut *self))?;
                    self.is_list = true;
                }
                "nextLink" => self.next = members.next_value()?,
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Entries<'p, 'a, T>(&'p mut Page<'a, T>);

impl<'de, T> DeserializeSeed<'de> for Entries<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de, T> Visitor<'de> for Entries<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the entries of a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<Value>()? {
            match (self.0.take)(entry) {
                Some(taken) => self.0.entries.push(taken),
                None => self.0.strange = true,
            }
        }
        Ok(())
    }
}
