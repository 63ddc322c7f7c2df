//! What backups are fit for, by the observer's own count: the standbys of a service that somebody has emptied must not
//! be emptied with it.

use serde_json::Value;
use time::OffsetDateTime;

use super::compared::{self, LISTS};
use super::record::{Record, moment, text};
use super::records::Step;
use super::{Invariant, Observer, Scene};

/// How many APIs and products an inventory lists.
type Counts = [usize; 2];

/// A backup that a record has held the manifest of.
#[derive(Clone, Debug)]
pub(super) struct Weighed {
    service: usize,
    began: OffsetDateTime,
    /// `None`: it has no inventory.
    counts: Option<Counts>,
    /// Nothing speaks against restoring it by itself.
    fit: bool,
    /// A person has had it restored.
    vouched: bool,
}

impl Observer {
    /// The manifest that a record holds from now on says what its inventory says.
    pub(super) fn backup_is_weighed(&mut self, step: &Step<'_>) {
        let name = step.after.backup();
        let held_before = step.before.is_some_and(|before| before.phase() == "committing");
        if step.after.phase() != "committing" || held_before {
            return;
        }
        let manifest: Value = serde_json::from_str(text(step.after.of_phase("manifest"))).unwrap_or_default();
        let Some(began) = moment(&manifest["startedAt"]) else { return };
        let counts = counts(step.scene, &manifest["inventory"]);
        let marked = !manifest["suspicious"].is_null();
        let lost = self.has_lost(step, counts);
        if let Some(lost) = lost {
            self.check(Invariant::Suspicion, lost == marked, || {
                let says = &manifest["suspicious"];
                format!("{name} counts {counts:?}, and its manifest says {says}")
            });
        }
        let fit = lost.map_or(!marked, |lost| !lost);
        let weighed = Weighed { service: step.service, began, counts, fit, vouched: false };
        self.weighed.insert(name.to_owned(), weighed);
    }

    /// Whether a backup that counts so much has lost more than half; `None` if the measure changed meanwhile.
    fn has_lost(&self, step: &Step<'_>, counts: Option<Counts>) -> Option<bool> {
        let Some(counts) = counts else {
            let newest = self.newest_fit(step.service, step.before, |_| true);
            return Some(newest.is_some_and(|newest| newest.counts.is_some()));
        };
        let measured = |weighed: &Weighed| weighed.counts.is_some();
        let own = self.newest_fit(step.service, step.before, measured);
        let primary = step.call.deployed.primary;
        let measure = match own {
            Some(own) => Some(own),
            None if primary == step.service => None,
            None => {
                let heard = self.heard.get(&step.call.number)?;
                let before = heard.accepted.get(&primary).copied().flatten();
                if before != self.newest_accepted(primary) || self.found_spoilt(step.call, primary) {
                    return None;
                }
                self.newest_fit(primary, self.record(primary), measured)
            }
        };
        let measure = measure.and_then(|measure| measure.counts);
        Some(measure.is_some_and(|measure| (0..2).any(|kind| counts[kind] * 2 < measure[kind])))
    }

    /// The newest backup that the record still knows and that may be restored by itself.
    fn newest_fit(
        &self,
        service: usize,
        record: Option<&Record>,
        fits: impl Fn(&Weighed) -> bool,
    ) -> Option<&Weighed> {
        let known = |name: &str| record.and_then(|record| record.known(name));
        let all = self.weighed.iter().filter(|(_, weighed)| weighed.service == service && fits(weighed));
        let fit = all.filter(|(name, weighed)| {
            known(name).is_some_and(|known| weighed.fit || weighed.vouched && known["accepted"] == true)
        });
        fit.map(|(_, weighed)| weighed).max_by_key(|weighed| weighed.began)
    }

    /// What a record accepts, and what it calls the last verified backup, is fit for it.
    pub(super) fn only_fit_is_accepted(&mut self, step: &Step<'_>) {
        let none = Vec::new();
        let backups = step.after.at("backups").as_array().unwrap_or(&none);
        for backup in backups {
            let name = text(&backup["name"]);
            let Some(weighed) = self.weighed.get(name).cloned() else { continue };
            let accepted = backup["accepted"] == true;
            let right = if accepted { weighed.fit || weighed.vouched } else { !weighed.fit };
            self.check(Invariant::Suspicion, right, || {
                format!("{}: {name} is accepted: {accepted}, and {weighed:?}", step.name())
            });
        }
        let last = text(&step.after.at("lastVerified")["name"]);
        let verified = self.weighed.get(last).is_none_or(|weighed| weighed.fit);
        self.check(Invariant::Suspicion, verified, || {
            format!("{}: {last} is the last verified backup and suspicious", step.name())
        });
    }

    /// A person who has a backup restored vouches for it.
    pub(super) fn person_vouches(&mut self, step: &Step<'_>) {
        let Some(before) = step.before.filter(|before| before.kind() == "restore") else { return };
        let held = step.after.is_idle() && step.after.held() == before.backup();
        if held
            && before.of_operation("by") == "hand"
            && let Some(weighed) = self.weighed.get_mut(before.backup())
        {
            weighed.vouched = true;
        }
    }

    /// Whether a backup may be restored by itself.
    pub(super) fn is_fit(&self, backup: &str) -> bool {
        self.weighed.get(backup).is_none_or(|weighed| weighed.fit || weighed.vouched)
    }
}

fn counts(scene: &Scene<'_>, inventory: &Value) -> Option<Counts> {
    let listed = compared::listed(scene, inventory["blob"].as_str()?)?;
    Some(LISTS.map(|list| listed.iter().filter(|path| path.starts_with(list)).count()))
}
