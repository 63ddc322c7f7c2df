//! The page: one file, readable on a phone, in the dark and in the light, that needs no other file and no script.
//!
//! A page cannot know by itself how late it is, so it says until when it can be believed; where scripts run, a short one
//! compares that with the reader's clock and puts the warning on top.

use std::fmt::Write as _;

use super::{Found, Role, ServiceStatus, Status, UnderWay, UnreadStatus, chart, found};
use crate::domain::health::{Raised, Severity, sentence};
use crate::domain::id::ServiceName;
use crate::domain::record::{By, Failures};
use crate::domain::vocabulary::{Timestamp, in_words};

const STYLE: &str = include_str!("page.css");

/// Shows the warning if the page is read too late. It has no other effect.
const SCRIPT: &str =
    "if(Date.now()>Date.parse(document.body.dataset.until))document.getElementById('late').hidden=false";

/// Nothing is loaded from anywhere; only the style and the script of this page count.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-0GWxJykMszXnvpNeM2V7vm4C1cstO7yaDc0vUurOTDM='; base-uri 'none'; form-action 'none'";

/// Renders `status`.
pub(super) fn of(status: &Status) -> String {
    let mut page = String::with_capacity(16 << 10);
    let title = format!("{}: {}", status.primary, status.verdict());
    // A string takes whatever is written into it.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\"><meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head>\n<body data-until=\"{}\">\n",
        status.believed_until,
    );
    head(&mut page, status);
    conditions(&mut page, &status.conditions);
    status.unread.iter().for_each(|unread| unread_card(&mut page, unread));
    status.services.iter().for_each(|service| card(&mut page, service, status.as_of));
    charts(&mut page, status);
    let _ = writeln!(page, "<script>{SCRIPT}</script></body></html>");
    page
}

fn class(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Information) | None => "well",
    }
}

fn head(page: &mut String, status: &Status) {
    let _ = write!(
        page,
        "<header class=\"{}\"><p class=\"name\">Standby of {}</p><h1>{}</h1>\n\
         <p id=\"late\" class=\"late\" hidden>This page is too old to be believed: the heartbeat has stopped.</p>\n\
         <p>As of <time>{}</time>. After <time>{}</time> do not believe it: then the heartbeat has stopped.</p></header>\n",
        class(status.severity()),
        status.primary,
        sentence(status.verdict()),
        clock(status.as_of),
        clock(status.believed_until),
    );
    page.push_str("<section><dl>");
    fact(page, "Serves now", &serves(status));
    if let Some(latch) = &status.failed_over {
        let text = format!(
            "to {} since {}; nothing is restored by itself until `resume`",
            latch.names(),
            clock(latch.since)
        );
        fact(page, "Failed over", &text);
    }
    if status.is_latch_unread() {
        fact(page, "Failed over", "not known: the record that says so cannot be read");
    }
    fact(page, "Last verified backup", &last_verified(status));
    if let Some(next) = status.next_backup {
        fact(page, "Next by the schedule", &clock(next));
    }
    if status.dry_run {
        fact(page, "Dry run", "on: nothing is begun");
    }
    page.push_str("</dl></section>\n");
}

fn serves(status: &Status) -> String {
    match &status.serving.service {
        Some(service) => service.to_string(),
        None => format!("not known: {}", status.serving.why),
    }
}

fn last_verified(status: &Status) -> String {
    let target = in_words(time::Duration::minutes(status.rpo_target_minutes));
    match (&status.last_verified, &status.last_verified_unread) {
        (Some(last), _) => {
            let age = in_words(status.as_of - last.started_at);
            format!("{}, {age} old; the target is {target}", last.name)
        }
        (None, Some(service)) => {
            format!("not known: the record of {service} cannot be read; the target is {target}")
        }
        (None, None) => format!("none; the target is {target}"),
    }
}

fn conditions(page: &mut String, raised: &[Raised]) {
    if raised.is_empty() {
        return;
    }
    page.push_str("<section><h2>What somebody has to know</h2>\n");
    for raised in raised {
        let service = raised.service.as_ref().map_or_else(String::new, |service| format!(" {service}"));
        let _ = writeln!(
            page,
            "<article class=\"{}\"><h3>{}{service}</h3><p>{}</p><p><strong>Next:</strong> {}</p>\
             <p class=\"small\">Since {}</p></article>",
            class(Some(raised.condition.severity())),
            raised.condition.as_str(),
            escaped(&raised.fact),
            escaped(&raised.next),
            clock(raised.since),
        );
    }
    page.push_str("</section>\n");
}

fn card_head(page: &mut String, service: &ServiceName, role: Role) {
    let role = role.as_str();
    let _ = write!(page, "<section><h2>{service} <span class=\"role\">{role}</span></h2><dl>");
}

fn unread_card(page: &mut String, unread: &UnreadStatus) {
    card_head(page, &unread.name, unread.role);
    let text = format!("its record cannot be read since {}: {}", clock(unread.since), unread.why);
    fact(page, "Not known", &text);
    page.push_str("</dl></section>\n");
}

fn card(page: &mut String, service: &ServiceStatus, as_of: Timestamp) {
    card_head(page, &service.name, service.role);
    fact(page, "Under way", &under_way(service.under_way.as_ref(), as_of));
    if service.role != Role::Primary || service.holds != crate::domain::record::Holds::Nothing {
        fact(page, "Holds", &service.held());
        found(service).iter().for_each(|found| facts(page, found));
    }
    if let Some(last) = &service.last_verified {
        fact(page, "Last verified backup", &format!("{}, of {} that are kept", last.name, service.backups));
    }
    if service.backup_wish.is_some() {
        fact(page, "Asked for", "a backup now");
    }
    if let Some(wish) = &service.restore_wish {
        let by = if wish.by == By::Hand { "by hand" } else { "by itself" };
        let why = wish.deferred.as_ref().map_or_else(String::new, |deferred| {
            format!("; waits since {}: {}", clock(deferred.since), deferred.reason)
        });
        fact(page, "To be restored", &format!("{}, {by}{why}", wish.backup));
    }
    if let Some(pin) = &service.pin {
        fact(page, "Pinned", &format!("to {} since {}", pin.backup, clock(pin.since)));
    }
    failure(page, "Last failed backup", service.backup_failures.as_ref());
    failure(page, "Last failed restore", service.restore_failures.as_ref());
    if let Some(refused) = &service.refused_delete {
        fact(page, "Not deleted", &format!("since {}: {}", clock(refused.since), refused.what));
    }
    page.push_str("</dl></section>\n");
}

fn under_way(under_way: Option<&UnderWay>, as_of: Timestamp) -> String {
    let Some(UnderWay { what, backup, phase, since, overdue }) = under_way else { return "nothing".into() };
    let late = if *overdue { ", past its deadline" } else { "" };
    format!("{what} {backup}: {phase} for {}{late}", in_words(as_of - *since))
}

fn failure(page: &mut String, name: &str, failures: Option<&Failures>) {
    if let Some(failures) = failures {
        fact(page, name, &format!("{}: {}", clock(failures.last), failures.what));
    }
}

fn charts(page: &mut String, status: &Status) {
    let points =
        status.services.iter().map(|service| chart::recovery_points(service, status.rpo_target_minutes));
    let restores = status.services.iter().map(chart::restores);
    let charts: Vec<_> = points.chain(restores).flatten().collect();
    if !charts.is_empty() {
        let _ = writeln!(page, "<section><h2>The last runs</h2>{}</section>", charts.concat());
    }
}

fn fact(page: &mut String, name: &str, text: &str) {
    let _ = write!(page, "<dt>{name}</dt><dd>{}</dd>", escaped(text));
}

fn facts(page: &mut String, found: &Found) {
    let _ = write!(page, "<dt>{}</dt>", found.heading);
    for line in &found.lines {
        let _ = write!(page, "<dd>{}</dd>", escaped(line));
    }
}

/// `10 Mar 2026 02:00 UTC`: for people, to the minute.
fn clock(moment: Timestamp) -> String {
    const FORMAT: &[time::format_description::BorrowedFormatItem<'_>] =
        time::macros::format_description!("[day padding:none] [month repr:short] [year] [hour]:[minute] UTC");
    moment.get().format(FORMAT).unwrap_or_default()
}

/// What Azure says, and what operators name, may hold anything.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
