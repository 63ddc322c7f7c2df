//! A stored record, read as it is documented.

use serde_json::Value;
use time::format_description::FormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

/// One version of a service's record.
#[derive(Clone, Debug)]
pub(super) struct Record(Value);

impl Record {
    /// `None`: it is no record of the version that is known here.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        (value["version"] == 1 && value["operation"]["kind"].is_string()).then_some(Self(value))
    }

    /// A field by its name.
    pub(super) fn at(&self, name: &str) -> &Value {
        &self.0[name]
    }

    /// `idle`, `backup` or `restore`.
    pub(super) fn kind(&self) -> &str {
        text(&self.0["operation"]["kind"])
    }

    pub(super) fn is_idle(&self) -> bool {
        self.kind() == "idle"
    }

    /// How far the operation is; empty if there is none.
    pub(super) fn phase(&self) -> &str {
        text(&self.0["operation"]["phase"]["phase"])
    }

    /// A field of the phase.
    pub(super) fn of_phase(&self, name: &str) -> &Value {
        &self.0["operation"]["phase"][name]
    }

    /// A field of the operation.
    pub(super) fn of_operation(&self, name: &str) -> &Value {
        &self.0["operation"][name]
    }

    /// The backup that is made or restored.
    pub(super) fn backup(&self) -> &str {
        match self.kind() {
            "restore" => text(&self.0["operation"]["source"]["name"]),
            _ => text(&self.0["operation"]["name"]),
        }
    }

    /// Whether the next version is about the same run. What has not been claimed yet begins when it is.
    pub(super) fn is_same_run(&self, next: &Self) -> bool {
        let began = |record: &Self| record.0["operation"]["startedAt"].clone();
        let began_anew = self.is_before_its_claim() && next.phase() == "requested";
        self.kind() == next.kind()
            && self.backup() == next.backup()
            && (began(self) == began(next) || began_anew)
    }

    /// The inventory is being taken, or has been, and nothing is claimed.
    pub(super) fn is_before_its_claim(&self) -> bool {
        matches!(self.phase(), "inventory" | "prepared")
    }

    /// The call that holds the claim, in the phase that has one.
    pub(super) fn claimant(&self) -> &str {
        if self.phase() == "requested" { text(self.of_phase("by")) } else { "" }
    }

    /// What is named to be deleted.
    pub(super) fn doomed(&self) -> impl Iterator<Item = &str> {
        self.0["retention"]["doomed"].as_array().into_iter().flatten().map(|doomed| text(&doomed["blob"]))
    }

    pub(super) fn dooms(&self, blob: &str) -> bool {
        self.doomed().any(|doomed| doomed == blob)
    }

    /// Whether both versions are under one claim.
    pub(super) fn is_same_claim(&self, next: &Self) -> bool {
        let same = |field: &str| self.of_phase(field) == next.of_phase(field);
        self.phase() == "requested" && next.phase() == "requested" && same("by") && same("at")
    }

    pub(super) fn is_taken_over(&self) -> bool {
        self.of_phase("takenOver") == true
    }

    /// The accepted backups, by name, with their beginnings.
    pub(super) fn accepted(&self) -> impl Iterator<Item = (&str, OffsetDateTime)> {
        let all = self.0["backups"].as_array().into_iter().flatten();
        let accepted = all.filter(|backup| backup["accepted"] == true);
        accepted.filter_map(|backup| Some((text(&backup["name"]), moment(&backup["startedAt"])?)))
    }

    /// The newest accepted backup that has an inventory.
    pub(super) fn newest_measured(&self) -> Option<&str> {
        let all = self.0["backups"].as_array().into_iter().flatten();
        let measured = all.filter(|backup| backup["accepted"] == true && !backup["counts"].is_null());
        measured.max_by_key(|backup| moment(&backup["startedAt"])).map(|backup| text(&backup["name"]))
    }

    /// When the backups began whose manifests stand.
    pub(super) fn beginnings(&self) -> impl Iterator<Item = OffsetDateTime> {
        let all = self.0["backups"].as_array().into_iter().flatten();
        all.filter_map(|backup| moment(&backup["startedAt"]))
    }

    /// What the record says of a backup.
    pub(super) fn known(&self, name: &str) -> Option<&Value> {
        self.0["backups"].as_array()?.iter().find(|backup| backup["name"] == name)
    }

    /// The backup that the service holds, if that is known.
    pub(super) fn held(&self) -> &str {
        let holds = &self.0["holds"];
        if holds["what"] == "backup" { text(&holds["backup"]) } else { "" }
    }

    /// When what began at `began` has been open for longer than `allowed`, dry runs not counted.
    pub(super) fn over_at(&self, began: OffsetDateTime, allowed: Duration) -> OffsetDateTime {
        moment(&self.0["deadlinesFrom"]).map_or(began, |from| from.max(began)) + allowed
    }

    /// A restore that keeps others from beginning.
    pub(super) fn holds_up_others(&self, now: OffsetDateTime) -> bool {
        let open = matches!(self.phase(), "requested" | "running");
        let began = moment(self.of_operation("startedAt"));
        let in_time = began.is_some_and(|began| now < self.over_at(began, Duration::hours(6)));
        self.kind() == "restore" && open && in_time
    }

    /// The closed runs that the history does not hold yet.
    pub(super) fn unwritten(&self) -> &[Value] {
        self.0["unwrittenHistory"].as_array().map_or(&[][..], Vec::as_slice)
    }
}

/// A text, empty where there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A moment, if there is one.
pub(super) fn moment(value: &Value) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()
}

/// A moment as HTTP headers have it.
pub(super) fn http_date(text: &str) -> Option<OffsetDateTime> {
    time::PrimitiveDateTime::parse(text, HTTP_DATE).ok().map(time::PrimitiveDateTime::assume_utc)
}

const HTTP_DATE: &[FormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// Whether a record that is being written names a restore that this call claims.
pub(crate) fn is_restore_claimed(body: &[u8], call: &str) -> bool {
    Record::read(body).is_some_and(|record| record.kind() == "restore" && record.claimant() == call)
}

/// For a transcript: what a record that is being written says of its operation.
pub(crate) fn phase_of(body: &[u8]) -> String {
    match Record::read(body) {
        Some(record) if record.is_idle() => " idle".to_owned(),
        Some(record) => format!(" {} {} {}", record.kind(), record.backup(), record.phase()),
        None => String::new(),
    }
}
