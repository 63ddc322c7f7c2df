//! What becomes of an operation that Azure accepts, where that is out of the ordinary.

use apim_dr_sim::knobs::{Fault, Request};
use time::Duration;

use super::World;
use super::sent::{ARM, About, Sent, Verb};
use crate::draws::Draws;
use crate::plan::SERVICES;

/// The course of the operation that this request may begin, if it is to be out of the ordinary.
pub(super) fn drawn(draws: &mut Draws, world: &World, sent: &Sent) -> Option<Fault> {
    let About::Post(service, verb) = sent.about else { return None };
    if world.is_calm() || !draws.chance(world.plan.setup.weather.courses) {
        return None;
    }
    let (name, fault) = match verb {
        Verb::Backup => backup(draws),
        Verb::Restore => restore(draws),
    };
    world.count(name);
    if name == NEVER_ENDED {
        world.stuck(service);
    }
    world.note(|| format!("the next {verb:?} of {} : {name}", SERVICES[service].0));
    Some(fault)
}

const NEVER_ENDED: &str = "operation never ended";

type Course = (&'static str, Fault);

fn backup(draws: &mut Draws) -> Course {
    match draws.below(9) {
        0 => ("blob missing at the end", Fault::blob_missing()),
        1 => ("blob empty at the end", Fault::blob_empty()),
        2 => {
            let early = Duration::minutes(draws.between(1, 30));
            ("blob before the end", Fault::blob_early(early))
        }
        3 => ("operation failed", Fault::fails("BackupFailed", "Cannot backup: storage is not reachable")),
        _ => either(draws),
    }
}

fn restore(draws: &mut Draws) -> Course {
    match draws.below(7) {
        0 => ("operation failed", Fault::fails("RestoreFailed", "Cannot restore: backup is corrupt")),
        1 => {
            let fails = Fault::fails("RestoreFailed", "Cannot restore: it broke off");
            ("operation failed half-way", fails.half_done())
        }
        _ => either(draws),
    }
}

fn either(draws: &mut Draws) -> Course {
    match draws.below(6) {
        0 => (NEVER_ENDED, Fault::never_ends()),
        1 => ("result forgotten", Fault::forgotten()),
        2 => ("no Location", Fault::without_location()),
        3 => ("foreign Location", Fault::location(&foreign(draws))),
        4 => ("operation short", Fault::lasts(Duration::seconds(draws.between(40, 90)))),
        _ => ("operation long", Fault::lasts(Duration::minutes(draws.between(20, 180)))),
    }
}

/// Addresses that look right and are not.
fn foreign(draws: &mut Draws) -> String {
    let path = "subscriptions/x/operationresults/y";
    let host = ARM.trim_start_matches("https://");
    match draws.below(5) {
        0 => format!("https://{host}.contoso.example/{path}"),
        1 => format!("http://{host}/{path}"),
        2 => format!("https://{host}:8443/{path}"),
        3 => format!("https://{host}@contoso.example/{path}"),
        _ => "urn:contoso:y".to_owned(),
    }
}

/// Has the next operation on this service take this course.
pub(super) fn plan(world: &World, (service, verb): (usize, Verb), course: Fault) {
    let request = match verb {
        Verb::Backup => Request::Backup,
        Verb::Restore => Request::Restore,
    };
    world.cloud.service(SERVICES[service].0).next(request, course);
}
