//! What is watched for, by name, and how often there was something to watch.

use std::collections::BTreeMap;

macro_rules! invariants {
    ($($variant:ident $label:literal $meaning:literal;)*) => {
        /// What must always hold. The first ten are the product's promises; the others are what keeps them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant {
            $(#[doc = $meaning] $variant,)*
        }

        impl Invariant {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// A short name.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// What holds.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

invariants! {
    SavedFirst "1 saved first" "No backup or restore is requested unless a saved record names it.";
    OneAtOnce "2 one at once" "Azure never accepts two operations of ours at once on one service.";
    Automatic "3 automatic restores" "Nothing is restored by itself into the primary, a service that serves, another tier, or from an expired, unproven or unaccepted backup.";
    Manifests "4 manifests" "A manifest exists only if its backup is proven, and only if a record held it first.";
    LastVerified "5 last verified" "The last verified backup never moves backwards.";
    Liveness "6 well again" "Once faults stop, there is a new verified backup in time, and every secondary holds it.";
    Deletes "7 nothing deleted" "In the backup container nothing is deleted or written over.";
    Secrets "8 no secret" "No secret stands in a log, a record, an answer or a request to a stranger.";
    Unparsable "9 unparsable" "What cannot be parsed yields an error and changes nothing.";
    Standby "10 standby's changes" "What was changed on a secondary while it served is overwritten only after `resume`, or by a person's restore into it.";
    Serving "who serves" "No restore without an answer, taken after its claim, that the primary serves; by hand, that the target does not.";
    Looks "looks" "A request leaves only after looks that allow it, taken after its claim was saved, and not old.";
    PostedOnce "posted once" "A claim is posted once, and a backup's name is never asked for twice.";
    Answers "answers kept" "Azure's answer to a request is never dropped.";
    Claims "claims" "A claim belongs to its writer until it is old, and is taken over before it is judged.";
    Phases "phases" "A record goes from phase to phase only by what was seen.";
    OneTarget "one target" "One secondary is restored at a time.";
    Wishes "wishes" "The newest backup wins, a person's wish comes first, and none vanishes.";
    Suspicion "suspicion" "A backup that has lost most of what the one before it held is marked, is never restored by itself, and is no measure for the next.";
    Compared "compared" "An inventory lists what the service held, and what is called verified lists what the inventory lists, no less and no more.";
    Pins "pins" "After an older backup was chosen by hand, nothing is restored by itself.";
    Schedule "schedule" "A backup begins only when one is due or asked for, and not before its backoff is over.";
    DryRun "dry run" "In a dry run nothing is requested and nothing is written into the backup container.";
    Writes "conditional writes" "Every write carries a condition, and a record says who wrote it.";
    History "history" "A closed run is in the history before the record forgets it.";
    Sound "sound" "No panic, no endless loop, no call beyond the host's limit, no request that Azure does not know.";
}

/// How often each invariant had something to check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks(BTreeMap<Invariant, u64>);

impl Checks {
    pub(super) fn count(&mut self, invariant: Invariant) {
        *self.0.entry(invariant).or_default() += 1;
    }

    /// How often this one did.
    pub fn of(&self, invariant: Invariant) -> u64 {
        self.0.get(&invariant).copied().unwrap_or_default()
    }

    /// Adds what others counted.
    pub fn add(&mut self, others: &Self) {
        others.0.iter().for_each(|(invariant, count)| *self.0.entry(*invariant).or_default() += count);
    }

    /// Those that never had anything to check.
    pub fn idle(&self) -> Vec<Invariant> {
        Invariant::ALL.iter().copied().filter(|invariant| self.of(*invariant) == 0).collect()
    }
}
