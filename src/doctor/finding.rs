//! One thing that was looked at.

use serde::Serialize;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It holds.
    Good,
    /// It holds, and is most likely not as it was meant.
    Doubt,
    /// It does not hold, and something will not work.
    Bad,
    /// It cannot be seen from here.
    Unseen,
}

/// One thing that was looked at, and what to do if it does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, as one word or two.
    pub check: &'static str,
    /// Of which setting or resource; empty where it is the whole.
    pub about: String,
    pub verdict: Verdict,
    /// What was found, in Azure's words where there are any.
    pub fact: String,
    /// What to do; empty where nothing has to be done.
    pub fix: String,
}

impl Finding {
    pub(super) fn good(check: &'static str, about: &str, fact: &str) -> Self {
        Self::new(check, about, (Verdict::Good, fact, ""))
    }

    pub(super) fn doubt(check: &'static str, about: &str, fact: &str, fix: &str) -> Self {
        Self::new(check, about, (Verdict::Doubt, fact, fix))
    }

    pub(super) fn bad(check: &'static str, about: &str, fact: &str, fix: &str) -> Self {
        Self::new(check, about, (Verdict::Bad, fact, fix))
    }

    pub(super) fn unseen(check: &'static str, about: &str, fact: &str, fix: &str) -> Self {
        Self::new(check, about, (Verdict::Unseen, fact, fix))
    }

    fn new(check: &'static str, about: &str, (verdict, fact, fix): (Verdict, &str, &str)) -> Self {
        Self { check, about: about.to_owned(), verdict, fact: fact.to_owned(), fix: fix.to_owned() }
    }
}
