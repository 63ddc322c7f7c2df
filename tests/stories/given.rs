//! What is given when a story begins: how the settings read, and what happened before.

use apim_dr::domain::observation::WriteOnce;
use apim_dr::domain::offer::Offer;
use apim_dr::domain::record::BackupWish;
use apim_dr::domain::schedule::Schedule;
use apim_dr::domain::serving::Serving;
use apim_dr::domain::vocabulary::InvocationId;

use super::fixtures::{accepted, at, ended, finds, found, latch, service};
use super::story::Story;

impl Story {
    // How the settings read.

    pub(crate) fn scheduled(mut self, schedule: &str) -> Self {
        self.context.schedule = Some(Schedule::parse(schedule).expect("a schedule"));
        self
    }

    pub(crate) fn set_dry_run(&mut self, on: bool) -> &mut Self {
        self.note(format!("DRY_RUN={on}"));
        self.context.dry_run = on;
        self
    }

    pub(crate) fn set_primary(&mut self, name: &str) -> &mut Self {
        self.note(format!("APIM_PRIMARY_ID=…/{name}"));
        self.context.primary = service(name).name();
        self.context.serving = Serving::Service(service(name).name());
        self.context.schedule = match self.context.is_primary() {
            true => Some(Schedule::parse("0 0 2 * * *").expect("a schedule")),
            false => None,
        };
        self
    }

    /// What the old primary's record says of a failover could not be taken over, or it can be by now.
    pub(crate) fn set_handed_over(&mut self, handed_over: bool) -> &mut Self {
        self.note(format!("the latch stands in the primary's record: {handed_over}"));
        self.context.handed_over = handed_over;
        self
    }

    /// The schedule backs up another service, which carries the traffic by now.
    pub(crate) fn unscheduled(&mut self) -> &mut Self {
        self.note("the schedule backs up another service".into());
        self.context.schedule = None;
        self
    }

    pub(crate) fn set_unconfigured(&mut self) -> &mut Self {
        self.note("the settings no longer name this service".into());
        self.context.configured = false;
        self.context.schedule = None;
        self
    }

    pub(crate) fn serving(&mut self, name: &str) -> &mut Self {
        self.note(format!("{name} carries the traffic"));
        self.context.serving = Serving::Service(service(name).name());
        self
    }

    pub(crate) fn serving_unknown(&mut self) -> &mut Self {
        self.note("the profile does not say who serves".into());
        self.context.serving = Serving::Unknown("the profile is disabled".into());
        self
    }

    pub(crate) fn no_live_check(&mut self) -> &mut Self {
        self.note("neither a profile nor LIVE_CHECK=off".into());
        self.context.serving = Serving::NotConfigured;
        self
    }

    /// The primary's record says that a secondary has carried the traffic since then.
    pub(crate) fn latched(&mut self, to: &str, since: &str) -> &mut Self {
        self.note(format!("failed over to {to} since {since}"));
        self.context.failed_over = Some(latch(to, since));
        self
    }

    /// The primary's record says that somebody said `resume` then.
    pub(crate) fn resumed_by_primary(&mut self, when: &str) -> &mut Self {
        self.note(format!("resumed at {when}"));
        self.context.failed_over = None;
        self.context.resumed_at = Some(at(when));
        self
    }

    // What happened before the story.

    /// A backup is claimed and looked at; its POST comes next.
    pub(crate) fn backup_posts(&mut self, when: &str) -> &mut Self {
        self.tick(when).look(finds("Succeeded")).look(finds("Succeeded"))
    }

    /// Azure has taken a backup as the operation `op-1`.
    pub(crate) fn backup_runs(&mut self, when: &str) -> &mut Self {
        self.backup_posts(when).answer(accepted("op-1"))
    }

    /// A backup that began at the first time is verified at the second.
    pub(crate) fn backup_verified(&mut self, began: &str, verified: &str) -> &mut Self {
        self.backup_runs(began);
        self.tick(verified).poll(ended()).inspect(found()).write(WriteOnce::Written).write(WriteOnce::Written)
    }

    /// A manifest comes, and the restore is claimed; its POST comes next.
    pub(crate) fn restore_posts(&mut self, when: &str, manifest: Offer) -> &mut Self {
        self.offer(when, manifest).drive().look(finds("Succeeded")).look(finds("Succeeded"))
    }

    /// Azure has taken a restore as the operation `op-1`.
    pub(crate) fn restore_runs(&mut self, when: &str, manifest: Offer) -> &mut Self {
        self.restore_posts(when, manifest).answer(accepted("op-1"))
    }

    /// A manifest that came at the first time is held at the second.
    pub(crate) fn restore_held(&mut self, came: &str, held: &str, manifest: Offer) -> &mut Self {
        self.restore_runs(came, manifest);
        self.tick(held).poll(ended()).write(WriteOnce::Written)
    }

    /// A `resume` at this time, as it stands in the primary's record.
    pub(crate) fn resumed_at(&mut self, when: &str) -> &mut Self {
        self.record.resumed_at = Some(at(when));
        self.record.backup_wish =
            Some(BackupWish { by: InvocationId::from("resume"), at: at(when), after_resume: true });
        self
    }
}
