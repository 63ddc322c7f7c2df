//! The status as text: calm, aligned, and with Azure's own words where something failed.

use std::fmt::Write as _;

use time::Duration;

use super::words::{age, clock};
use crate::domain::id::ServiceName;
use crate::domain::record::{By, Failures, Held, Holds};
use crate::domain::status::{
    BELIEVED_FOR, Found, Role, ServiceStatus, Status, UnderWay, UnreadStatus, Wished, found,
};
use crate::domain::vocabulary::Timestamp;

/// How wide the labels are.
const LABEL: usize = 16;

/// What the status does not say by itself.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// When the status was last written, which every tick sees to.
    pub written: Option<Timestamp>,
    /// Services that were never driven.
    pub never_driven: Vec<ServiceName>,
}

/// Renders `status`.
pub fn text(status: &Status, beside: &Beside) -> String {
    let has_stopped = beside.written.is_some_and(|at| status.as_of - at > BELIEVED_FOR);
    let verdict = if has_stopped { "the heartbeat has stopped" } else { status.verdict() };
    let mut page = format!("{} and its standby at {}: {verdict}\n\n", status.primary, clock(status.as_of));
    head(&mut page, status, beside);
    for UnreadStatus { name, role, since, why } in &status.unread {
        let _ = writeln!(page, "\n{name}, {}", role.as_str());
        fact(&mut page, "  not known", &format!("its record cannot be read since {}: {why}", clock(*since)));
    }
    for service in &status.services {
        page.push('\n');
        card(&mut page, service, status.as_of);
        if beside.never_driven.contains(&service.name) {
            fact(&mut page, "  never driven", "the first tick makes its record");
        }
    }
    if !status.conditions.is_empty() {
        page.push_str("\nraised\n");
    }
    for raised in &status.conditions {
        let whose = raised.service.as_ref().map_or_else(String::new, |service| format!(" ({service})"));
        let since = clock(raised.since);
        // A string takes whatever is written into it.
        let _ = writeln!(page, "  {}{whose}, since {since}", raised.condition.as_str());
        let _ = writeln!(page, "    {}", raised.fact);
        let _ = writeln!(page, "    Next: {}", raised.next);
    }
    page
}

fn fact(page: &mut String, label: &str, text: &str) {
    let _ = writeln!(page, "{label:LABEL$}{text}");
}

fn facts(page: &mut String, Found { heading, lines }: &Found) {
    let label = format!("  {}", heading.to_lowercase());
    for (number, line) in lines.iter().enumerate() {
        fact(page, if number == 0 { &label } else { "" }, line);
    }
}

fn head(page: &mut String, status: &Status, beside: &Beside) {
    fact(page, "serves", &serves(status));
    if let Some(latch) = &status.failed_over {
        let since = clock(latch.since);
        fact(
            page,
            "failed over",
            &format!("to {} since {since}; nothing is restored by itself until `resume`", latch.names()),
        );
    }
    if status.is_latch_unread() {
        fact(page, "failed over", "not known: the record that says so cannot be read");
    }
    fact(page, "recovery point", &recovery_point(status));
    if let Some(next) = status.next_backup {
        let first = "at the next tick, since there has never been one".to_owned();
        fact(page, "next backup", &if status.awaits_first_backup() { first } else { clock(next) });
    }
    fact(page, "heartbeat", &heartbeat(status.as_of, beside.written));
    if status.dry_run {
        fact(page, "dry run", "on: nothing is begun");
    }
}

fn serves(status: &Status) -> String {
    match &status.serving.service {
        Some(service) if *service == status.primary => format!("{service}, the primary"),
        Some(service) => format!("{service}, not the primary"),
        None => format!("not known: {}", status.serving.why),
    }
}

fn recovery_point(status: &Status) -> String {
    let target = match status.rpo_target_minutes {
        minutes if minutes % 60 == 0 => format!("{} h", minutes / 60),
        minutes => age(Duration::minutes(minutes)),
    };
    let last = match (&status.last_verified, &status.last_verified_unread) {
        (Some(last), _) => last,
        (None, Some(service)) => {
            return format!("not known: the record of {service} cannot be read; the target is {target}");
        }
        (None, None) => return format!("none: no backup was ever verified; the target is {target}"),
    };
    let old = status.as_of - last.started_at;
    let verdict = if old > Duration::minutes(status.rpo_target_minutes) { "older than" } else { "within" };
    format!("{}, {} ago, {verdict} the target of {target}", clock(last.started_at), age(old))
}

fn heartbeat(now: Timestamp, written: Option<Timestamp>) -> String {
    let advice = "look at the Functions app; `apim-dr tick` does its work meanwhile";
    match written {
        None => format!("no sign of it yet: {advice}"),
        Some(at) if now - at > BELIEVED_FOR => {
            format!("stopped: the last sign of it is {} old; {advice}", age(now - at))
        }
        Some(at) => format!("last sign of it {} ago", age(now - at)),
    }
}

fn card(page: &mut String, service: &ServiceStatus, now: Timestamp) {
    let _ = writeln!(page, "{}, {}", service.name, service.role.as_str());
    if service.role == Role::Secondary || service.holds != Holds::Nothing {
        fact(page, "  holds", &holds(service, now));
        found(service).iter().for_each(|found| facts(page, found));
    }
    if let Some(last) = &service.last_verified {
        let old = age(now - last.started_at);
        fact(page, "  verified", &format!("{}, {old} old; {} kept", last.name, service.backups));
    }
    fact(
        page,
        "  now",
        &service.under_way.as_ref().map_or_else(|| "nothing runs".into(), |run| runs(run, now)),
    );
    if let Some(wish) = &service.backup_wish {
        fact(page, "  asked for", &format!("a backup, at {}", clock(wish.at)));
    }
    if let Some(wished) = &service.restore_wish {
        fact(page, "  waits", &waits(wished));
    }
    if let Some(pin) = &service.pin {
        let text =
            format!("to {} since {}: restore the newest by hand to end that", pin.backup, clock(pin.since));
        fact(page, "  pinned", &text);
    }
    for (what, failures) in [("backup", &service.backup_failures), ("restore", &service.restore_failures)] {
        if let Some(failures) = failures {
            fact(page, "  failed", &failed(what, failures));
        }
    }
    if let Some(refused) = &service.refused_delete {
        fact(page, "  not deleted", &format!("since {}: {}", clock(refused.since), refused.what));
    }
}

fn holds(service: &ServiceStatus, now: Timestamp) -> String {
    let held = service.held();
    match &service.holds {
        Holds::Backup(Held { backup, started_at, .. }) => {
            let (name, old) = (backup.to_string(), age(now - *started_at));
            held.replacen(&name, &format!("{name}, {old} old"), 1)
        }
        Holds::Nothing | Holds::Unknown { .. } => held,
    }
}

fn runs(run: &UnderWay, now: Timestamp) -> String {
    let overdue = if run.overdue { ", past its deadline" } else { "" };
    let of = if run.what == "restore" { "of " } else { "" };
    format!("{} {of}{}, {} for {}{overdue}", run.what, run.backup, run.phase, age(now - run.since))
}

fn waits(wished: &Wished) -> String {
    let by = match wished.by {
        By::Automatic => "",
        By::Hand => ", asked for by hand,",
    };
    match &wished.deferred {
        Some(deferred) => {
            format!("{}{by} waits since {}: {}", wished.backup, clock(deferred.since), deferred.reason)
        }
        None => format!("{}{by} is to be restored", wished.backup),
    }
}

fn failed(what: &str, failures: &Failures) -> String {
    let attempts = match failures.count {
        0 => String::new(),
        1 => " after 1 attempt".to_owned(),
        count => format!(" after {count} attempts"),
    };
    format!("{what}, at {}{attempts}: {}", clock(failures.last), failures.what)
}
