//! What cannot be undone is asked first.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::answer::{Answer, Code, complain};
use super::arguments::Call;
use super::words::{age, clock};
use crate::domain::id::ServiceName;
use crate::domain::record::{KnownBackup, Record};
use crate::domain::status::{self, Status};
use crate::domain::vocabulary::BackupName;

/// Asks, unless `--yes` has said so already. An error is the answer to a no.
pub(super) fn ask(call: &Call, question: &str) -> Result<(), Answer> {
    if call.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let text = format!("{question}\nThere is no terminal to ask at: say --yes if that is meant");
        return Err(Answer::new(Code::Usage, text));
    }
    complain(&format!("{question}\nGo on? [y/N] "));
    let mut line = String::new();
    // An unreadable answer is no yes.
    drop(io::stdin().lock().read_line(&mut line));
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Answer::new(Code::Failed, "nothing was done")),
    }
}

/// What a restore does.
pub(super) fn of_restore(
    (backup, targets): (&BackupName, &[ServiceName]),
    (source, status): (Option<&Record>, &Status),
    even_if_live: bool,
) -> String {
    let mut lines = Vec::new();
    for target in targets {
        let holds = status.services.iter().find(|service| service.name == *target);
        let holds =
            holds.map_or_else(String::new, |service| format!(" So far: {}.", status::held(&service.holds)));
        let primary = if *target == status.primary { ", the primary," } else { "" };
        lines.push(format!("{target}{primary} is overwritten with {backup}.{holds}"));
        if status.serving.service.as_ref() == Some(target) {
            lines.push(match even_if_live {
                true => {
                    format!("{target} CARRIES THE TRAFFIC: users meet a service that is being rewritten.")
                }
                false => format!("But {target} carries the traffic: this waits until another service does."),
            });
        }
    }
    let known = source.and_then(|record| record.known(backup));
    match known {
        Some(known) => {
            let (at, old) = (clock(known.started_at), age(status.as_of - known.started_at));
            lines.push(format!(
                "Its recovery point is {at}, {old} ago; what was changed since is lost there."
            ));
        }
        None => lines.push("No record names this backup: you vouch for what it holds.".into()),
    }
    lines.extend(pins((backup, known), source, &status.primary));
    if even_if_live && !targets.iter().any(|target| status.serving.service.as_ref() == Some(target)) {
        lines.push("Nobody asks whether users are on it: if they are, they will notice.".into());
    }
    lines.join("\n")
}

/// What it means that the backup is not known to be the newest.
fn pins(
    (backup, known): (&BackupName, Option<&KnownBackup>),
    source: Option<&Record>,
    primary: &ServiceName,
) -> Option<String> {
    if backup.service() != primary {
        return None;
    }
    let Some(record) = source else {
        return Some(format!(
            "Whether it is the newest is not known, since the record of {primary} cannot be read: nothing is restored \
             by itself until the newest is restored by hand."
        ));
    };
    let (newest, known) = (record.newest_accepted()?, known?);
    (newest.started_at > known.started_at).then(|| {
        format!(
            "A newer backup exists, {}: nothing is restored by itself until that is restored by hand.",
            newest.name
        )
    })
}

/// What `resume` does.
pub(super) fn of_resume(status: &Status) -> String {
    let given_up = match &status.failed_over {
        Some(latch) => format!(
            "What was changed on {} since {} and is not in {} is given up.",
            latch.names(),
            clock(latch.since),
            status.primary
        ),
        None if status.is_latch_unread() => format!(
            "Whether anything is failed over is not known, since the record of {} cannot be read.",
            status.primary
        ),
        None => "Nothing is failed over; what waits to be restored is dropped all the same.".into(),
    };
    let pinned = pinned(status).map(|pinned| format!("\n{pinned}")).unwrap_or_default();
    format!(
        "{given_up}\n{} is backed up anew, and that backup is restored into the secondaries.{pinned}",
        status.primary
    )
}

/// Which services are pinned: `resume` does not end that.
pub(super) fn pinned(status: &Status) -> Option<String> {
    let pinned = status.services.iter().filter_map(|service| {
        let (name, pin) = (&service.name, service.pin.as_ref()?);
        Some(format!(
            "{name} is pinned to {}: nothing newer is restored into it before you restore the newest by hand.",
            pin.backup
        ))
    });
    let pinned: Vec<_> = pinned.collect();
    (!pinned.is_empty()).then(|| pinned.join("\n"))
}
