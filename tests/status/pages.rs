//! Pages to look at: what is well, and everything at once, with the longest and oddest texts.

use apim_dr::domain::decision::{Measure, Situation};
use apim_dr::domain::health::{self, CertificateLook, Health, Promise, Unjudged, UnreadRecord, View};
use apim_dr::domain::id::ServiceId;
use apim_dr::domain::record::{
    Compared, Deferred, FailedOver, Failures, Held, Holds, KnownBackup, LastVerified, Pin, RecentRun, Record,
    RunKind, RunOutcome, Served,
};
use apim_dr::domain::serving::Serving;
use apim_dr::domain::status::Status;
use apim_dr::domain::vocabulary::{BackupName, Digest, InvocationId, Timestamp};
use time::Duration;
use time::macros::datetime;

pub(crate) const NOW: time::OffsetDateTime = datetime!(2026-03-10 09:30 UTC);

fn service(name: &str) -> ServiceId {
    let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/apis";
    format!("{group}/providers/Microsoft.ApiManagement/service/{name}").parse().unwrap()
}

fn at(hours: i64) -> Timestamp {
    Timestamp::new(NOW + Duration::hours(hours))
}

fn record(name: &str) -> Record {
    Record::new(service(name), service("contoso-west").name(), InvocationId::from("a"), at(-24 * 40))
}

fn backup(hours: i64) -> BackupName {
    BackupName::new(service("contoso-west").name(), at(hours))
}

/// Thirty nights; a few of them late or gone wrong.
fn runs(kind: RunKind) -> Vec<RecentRun> {
    let run = |night: i64| {
        let started_at = at(-24 * (30 - night) - 7);
        let minutes = 11 + night % 7 + if night % 11 == 0 { 60 * 20 } else { 0 };
        let outcome = if night % 13 == 5 { RunOutcome::Failed } else { RunOutcome::Verified };
        RecentRun { kind, started_at, ended_at: started_at + Duration::minutes(minutes), outcome }
    };
    (0..30).map(run).collect()
}

fn primary() -> Record {
    let name = backup(-7);
    let known = KnownBackup {
        name: name.clone(),
        digest: Digest::of(b"manifest"),
        started_at: at(-7),
        completed_at: at(-6),
        accepted: true,
        suspicious: None,
        counts: None,
        after: None,
    };
    Record {
        backups: vec![known],
        last_verified: Some(LastVerified { name, started_at: at(-7) }),
        recent_runs: runs(RunKind::Backup),
        ..record("contoso-west")
    }
}

fn secondary(compared: Compared) -> Record {
    let held = Held {
        backup: backup(-7),
        started_at: at(-7),
        restored_at: at(-6),
        compared,
        lists: None,
        baseline: None,
        finding: None,
        tried_at: None,
    };
    Record { holds: Holds::Backup(held), recent_runs: runs(RunKind::Restore), ..record("contoso-north") }
}

struct Scene {
    records: Vec<Record>,
    situation: Situation,
    dry_run: bool,
    certificates: Vec<CertificateLook>,
    unread: Vec<UnreadRecord>,
}

impl Scene {
    fn of(records: Vec<Record>) -> Self {
        let name = service("contoso-west").name();
        let situation = Situation {
            serving: Serving::Service(name.clone()),
            backed_up: name,
            failed_over: None,
            resumed_at: None,
            blind_until: None,
            handed_over: true,
            measure: Measure::Nothing,
        };
        Self { records, situation, dry_run: false, certificates: Vec::new(), unread: Vec::new() }
    }

    fn status(&self) -> Status {
        let now = Timestamp::new(NOW);
        let promise = Promise {
            rpo_target: Duration::hours(26),
            longest_gap: Duration::hours(24),
            dry_run: self.dry_run,
        };
        let ids = ["contoso-west", "contoso-north", "contoso-sweden"].map(service);
        let primary = ids[0].name();
        let view = View {
            primary: &primary,
            records: self.records.iter().collect(),
            unread: &self.unread,
            secondaries: ids[1..].iter().map(ServiceId::name).collect(),
            situation: &self.situation,
            promise: &promise,
            foreign: &[],
            last_run: Some(now),
            certificates: &self.certificates,
        };
        let mut health = Health::new(primary.clone(), InvocationId::from("a"));
        health.judge(health::conditions(&view, now), &Unjudged::of(&view), (false, now));
        Status::of(&view, &ids, (&health.raised, Some(at(17))), now)
    }
}

/// A standby as it should be.
pub(crate) fn well() -> Status {
    Scene::of(vec![primary(), secondary(Compared::Verified)]).status()
}

/// A deployment that was just set up: nothing has happened.
pub(crate) fn new() -> Status {
    Scene::of(vec![record("contoso-west"), record("contoso-north")]).status()
}

/// Well as far as anybody knows: the record of one secondary cannot be read since a moment ago.
pub(crate) fn unread() -> Status {
    let mut scene = Scene::of(vec![primary(), secondary(Compared::Verified)]);
    scene.unread = vec![UnreadRecord {
        service: service("contoso-sweden").name(),
        since: at(0),
        why: "the record services/contoso-sweden.json is left alone: it is not a record: <eof>".into(),
    }];
    scene.status()
}

/// Everything that can be wrong, in the words of somebody who means no good.
pub(crate) fn troubled() -> Status {
    let nasty = "HTTP 400 <script>alert('x')</script>&\"InvalidParameters\": Invalid parameter: Requested value \
                 'GET,HEAD,PATCH' was not found. Parameter name: backupStorageAccountWithAVeryLongNameThatHasNoPlaceToBreakAnywhereAtAll";
    let failures = Failures {
        count: 3,
        since: at(-5),
        last: at(-1),
        attempted: Some(at(-1)),
        occurrence: None,
        what: nasty.into(),
    };
    let mut primary = primary();
    primary.backup_failures = Some(failures.clone());
    primary.busy_since = Some(at(-9));
    primary.served = Some(Served { by: service("contoso-north").name(), read_at: at(0), blind_until: None });
    let mut north = secondary(Compared::Mismatched {
        summary:
            "2 missing (apis/orders, products/partner), 1 different (apis/orders/operations/get/policies)"
                .into(),
    });
    north.pin = Some(Pin { since: at(-3), backup: backup(-31) });
    let mut sweden = record("contoso-sweden");
    sweden.holds = Holds::Unknown {
        since: at(-4),
        backup: backup(-7),
        why: nasty.into(),
        baseline: None,
        finding: None,
        lists: None,
    };
    sweden.restore_failures = Some(failures);
    sweden.restore_wish = Some(wish());
    let mut scene = Scene::of(vec![primary, north, sweden]);
    scene.dry_run = true;
    scene.situation.serving =
        Serving::Unknown("the profile in TRAFFIC_MANAGER_ID cannot be read: HTTP 403".into());
    scene.situation.failed_over =
        Some(FailedOver { since: at(-2), serving: service("contoso-north").name(), before: Vec::new() });
    scene.certificates = vec![CertificateLook {
        service: service("contoso-north").name(),
        host: "api.contoso.com".into(),
        refused: Some("invalid peer certificate: Expired".into()),
        good_until: None,
    }];
    scene.status()
}

fn wish() -> apim_dr::domain::record::RestoreWish {
    let deferred =
        Some(Deferred { since: at(-3), reason: "the service is Updating by somebody else".into() });
    let source = apim_dr::domain::record::RestoreSource {
        name: backup(-7),
        container: apim_dr::domain::vocabulary::Container::from("apim-backups"),
        started_at: at(-7),
        expires_at: at(24 * 30),
        tier: apim_dr::domain::vocabulary::Tier::new("Standard"),
        length: 4096,
        etag: "0x1".to_owned().into(),
        inventory: None,
    };
    apim_dr::domain::record::RestoreWish {
        id: InvocationId::from("a"),
        at: at(-4),
        by: apim_dr::domain::record::By::Hand,
        even_if_live: false,
        source,
        deferred,
        waits_since: None,
        failures: None,
    }
}
