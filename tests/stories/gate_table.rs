//! The gates as one table: what stands between a manifest and a restore, and whom it stops. First match wins, and the
//! rows stand in that order. What is no manifest at all never becomes an offer; that is told over the wire.

use apim_dr::domain::observation::Action;
use apim_dr::domain::offer::Offer;
use expect_test::expect;

use super::fixtures::*;
use super::story::Story;

/// One row of the table.
struct Row {
    /// What is the matter.
    name: &'static str,
    /// How the target came to be what it is.
    target: fn() -> Story,
    offer: fn() -> Offer,
    /// What is found when the target is looked at.
    sight: fn() -> Sight,
    /// What is told to whoever is stopped.
    told: &'static str,
}

/// Nothing is the matter. The backup began at 08:00, and its manifest comes at 09:00.
const NOTHING: Row = Row {
    name: "nothing",
    target: Story::of_secondary,
    offer: || manifest("08:00"),
    sight: || finds("Succeeded"),
    told: "",
};

/// Ignored and refused are decided before a wish is saved.
const BEFORE_A_WISH: [Row; 11] = [
    NOTHING,
    Row {
        name: "name and digest not in the service's record",
        offer: || manifest("08:00").not_in_the_record(),
        told: "no record names contoso-20260310T080000Z.manifest.json with this digest",
        ..NOTHING
    },
    Row {
        name: "not newer than `seen`",
        target: || Story::of_secondary().having(|story| story.offer("08:40", manifest("08:30"))),
        told: "not newer than what was already taken up here",
        ..NOTHING
    },
    Row {
        name: "already held",
        target: || {
            let vouched_for_by_hand = || manifest("08:00").not_in_the_record().by_hand();
            Story::of_secondary().having(|story| story.restore_held("08:30", "08:50", vouched_for_by_hand()))
        },
        told: "the service holds it already",
        ..NOTHING
    },
    Row {
        name: "started before the last `resume`",
        offer: || manifest("08:00").resumed("08:01"),
        told: "it began before the last `resume`",
        ..NOTHING
    },
    Row {
        name: "expired",
        offer: || {
            let mut expired = manifest("08:00");
            expired.source.expires_at = at("09:00");
            expired
        },
        told: "expired at 2026-03-10T09:00:00Z",
        ..NOTHING
    },
    Row {
        name: "its blob gone",
        offer: || manifest("08:00").with_blob(missing()),
        told: "the blob contoso-20260310T080000Z.apimbackup is gone",
        ..NOTHING
    },
    Row {
        name: "its blob of another length",
        offer: || manifest("08:00").with_blob(found_length(1)),
        told: "is not the one that was proven",
        ..NOTHING
    },
    Row {
        name: "its blob of another ETag",
        offer: || manifest("08:00").with_blob(found_etag("0x2")),
        told: "is not the one that was proven",
        ..NOTHING
    },
    Row {
        name: "the target is its own service",
        offer: || manifest_of("contoso-dr", "08:00"),
        told: "is a backup of contoso-dr itself",
        ..NOTHING
    },
    Row {
        name: "suspicious and not accepted",
        offer: || manifest("08:00").suspicious(),
        told: "the backup is suspicious",
        ..NOTHING
    },
];

/// From here on the wish is saved, and waits.
const AFTER_A_WISH: [Row; 21] = [
    Row {
        name: "failed over",
        target: || having(|story| story.latched("contoso-ap", "08:30")),
        told: "contoso-ap has carried the traffic since 2026-03-10T08:30:00Z",
        ..NOTHING
    },
    Row {
        name: "failed over twice",
        target: || having(|story| story.latched("contoso-dr contoso-ap", "08:30")),
        told: "contoso-dr and contoso-ap have carried the traffic since 2026-03-10T08:30:00Z",
        ..NOTHING
    },
    Row {
        name: "failed over, as another has seen since",
        sight: || finds("Succeeded").failed_over("contoso-ap", "08:59"),
        told: "contoso-ap has carried the traffic since 2026-03-10T08:59:00Z",
        ..NOTHING
    },
    Row {
        name: "no live check configured",
        target: || having(Story::no_live_check),
        told: "nobody says which service carries the traffic",
        ..NOTHING
    },
    Row {
        name: "serving unknown",
        target: || having(Story::serving_unknown),
        told: "which service carries the traffic is not known: the profile is disabled",
        ..NOTHING
    },
    Row {
        name: "serving unknown by now",
        sight: || finds("Succeeded").serving_unknown(),
        told: "which service carries the traffic is not known: the profile cannot be read",
        ..NOTHING
    },
    Row {
        name: "the target serves",
        target: || having(|story| story.serving("contoso-dr")),
        told: "contoso-dr carries the traffic, and a restore would overwrite it",
        ..NOTHING
    },
    Row {
        name: "the target serves by now",
        sight: || finds("Succeeded").serving("contoso-dr"),
        told: "contoso-dr carries the traffic, and a restore would overwrite it",
        ..NOTHING
    },
    Row {
        name: "pinned",
        target: || {
            let older = || manifest("01:00").by_hand().though_newest_is("01:30");
            having(|story| story.restore_held("01:50", "01:59", older()))
        },
        told: "contoso-20260310T010000Z was chosen by hand at 2026-03-10T01:50:00Z, and was not known to be the newest",
        ..NOTHING
    },
    Row {
        name: "NotOurs",
        sight: || finds("Succeeded").strangers(1, 1, &["apis/billing", "products/gold"]),
        told: "it holds 1 API and 1 product (apis/billing, products/gold) that the backup lacks",
        ..NOTHING
    },
    Row {
        name: "NotOurs, and the target cannot be read",
        sight: || finds("Succeeded").content_unreadable(),
        told: "what contoso-dr holds cannot be looked at",
        ..NOTHING
    },
    Row {
        name: "nobody watched, and the lists differ",
        target: unwatched,
        sight: || finds("Succeeded").other_lists(),
        told: "contoso-dr has changed since contoso-20260310T020000Z was restored into it",
        ..NOTHING
    },
    Row { name: "nobody watched, and the lists are the same", target: unwatched, ..NOTHING },
    Row {
        name: "nobody watched, and the lists cannot be read",
        target: unwatched,
        sight: || finds("Succeeded").content_unreadable(),
        told: "what contoso-dr holds cannot be looked at",
        ..NOTHING
    },
    Row {
        name: "tiers differ",
        sight: || finds("Succeeded").tier("Premium"),
        told: "Azure restores between equal tiers only",
        ..NOTHING
    },
    Row {
        name: "the tier does not support restore",
        sight: || finds("Succeeded").tier("StandardV2"),
        told: "the tier StandardV2 has no restore",
        ..NOTHING
    },
    Row {
        name: "the target not `Succeeded` or `Failed`",
        sight: || finds("Updating"),
        told: "the service is Updating by somebody else",
        ..NOTHING
    },
    Row {
        name: "the target not seen",
        sight: finds_nothing,
        told: "the service cannot be looked at",
        ..NOTHING
    },
    Row {
        name: "storage not there",
        sight: || finds("Succeeded").blob(unreadable()),
        told: "the backup cannot be looked at",
        ..NOTHING
    },
    Row { name: "token not there", sight: has_no_token, told: "no token", ..NOTHING },
    Row {
        name: "another target is being restored",
        sight: || finds("Succeeded").restoring("contoso-ap"),
        told: "one service is restored at a time, and now it is contoso-ap",
        ..NOTHING
    },
];

fn having(before: impl FnOnce(&mut Story) -> &mut Story) -> Story {
    Story::of_secondary().having(before)
}

/// It holds a backup since 02:50, and until 07:00 no read said who serves.
fn unwatched() -> Story {
    having(|story| {
        story.restore_held("02:30", "02:50", manifest("02:00").with_inventory());
        story.nobody_watched_until("07:00")
    })
}

impl Row {
    /// What comes of it, if this is who brings the manifest.
    fn met_by(&self, bearer: fn(Offer) -> Offer) -> &'static str {
        let mut story = (self.target)();
        story.offer("09:00", bearer((self.offer)())).in_words();
        if !told(&story).is_over {
            story.drive().in_words();
        }
        if matches!(story.pending(), Action::Look(_)) {
            story.look((self.sight)()).in_words();
        }
        let told = told(&story);
        let stopped = told.verdict != "passes";
        assert!(
            !stopped || (!self.told.is_empty() && story.transcript().contains(self.told)),
            "{}: {}",
            self.name,
            story.transcript()
        );
        told.verdict
    }
}

struct Told {
    verdict: &'static str,
    is_over: bool,
}

fn told(story: &Story) -> Told {
    let transcript = story.transcript();
    let verdicts = [
        ("configuration.suspect", "ignored, suspect"),
        ("restore.ignored", "ignored"),
        ("restore.refused", "refused"),
        ("restore.deferred", "deferred"),
        ("restore.requested", "passes"),
    ];
    let found = verdicts.into_iter().find(|(event, _)| transcript.contains(event));
    found.map_or(Told { verdict: "nothing", is_over: false }, |(_, verdict)| Told { verdict, is_over: true })
}

fn table(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let automatic = row.met_by(|offer| offer);
        let by_hand = row.met_by(|offer| offer.by_hand());
        let even_if_live = row.met_by(|offer| offer.by_hand().even_if_live());
        format!("{:46} {automatic:17} {by_hand:9} {even_if_live}\n", row.name)
    };
    rows.iter().map(line).collect()
}

#[test]
fn what_is_ignored_or_refused_never_becomes_a_wish() {
    expect![[r#"
        nothing                                        passes            passes    passes
        name and digest not in the service's record    ignored, suspect  passes    passes
        not newer than `seen`                          ignored           passes    passes
        already held                                   ignored           passes    passes
        started before the last `resume`               ignored           passes    passes
        expired                                        refused           refused   refused
        its blob gone                                  refused           refused   refused
        its blob of another length                     refused           refused   refused
        its blob of another ETag                       refused           refused   refused
        the target is its own service                  refused           refused   refused
        suspicious and not accepted                    refused           passes    passes
    "#]]
    .assert_eq(&table(&BEFORE_A_WISH));
}

#[test]
fn what_is_deferred_waits_as_a_wish() {
    expect![[r#"
        failed over                                    deferred          passes    passes
        failed over twice                              deferred          passes    passes
        failed over, as another has seen since         deferred          passes    passes
        no live check configured                       deferred          deferred  passes
        serving unknown                                deferred          deferred  passes
        serving unknown by now                         deferred          deferred  passes
        the target serves                              deferred          deferred  passes
        the target serves by now                       deferred          deferred  passes
        pinned                                         deferred          passes    passes
        NotOurs                                        deferred          passes    passes
        NotOurs, and the target cannot be read         deferred          passes    passes
        nobody watched, and the lists differ           deferred          passes    passes
        nobody watched, and the lists are the same     passes            passes    passes
        nobody watched, and the lists cannot be read   deferred          passes    passes
        tiers differ                                   deferred          deferred  deferred
        the tier does not support restore              deferred          deferred  deferred
        the target not `Succeeded` or `Failed`         deferred          deferred  deferred
        the target not seen                            deferred          deferred  deferred
        storage not there                              deferred          deferred  deferred
        token not there                                deferred          deferred  deferred
        another target is being restored               deferred          deferred  deferred
    "#]]
    .assert_eq(&table(&AFTER_A_WISH));
}
