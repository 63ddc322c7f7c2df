//! Charts of the page: a bar for each run, as inline SVG.

use std::fmt::Write as _;

use time::Duration;

use super::ServiceStatus;
use crate::domain::record::{RecentRun, RunKind, RunOutcome};
use crate::domain::vocabulary::{counted, in_words};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 120.0;

/// Runs that a chart has room for.
const MOST: usize = 30;

/// One bar.
struct Bar {
    minutes: f64,
    good: bool,
    /// What it stands for, in words.
    told: String,
}

/// How old the recovery point was each time a new one replaced it: the age up to which work could have been lost. The
/// line is `RPO_TARGET`.
pub(super) fn recovery_points(service: &ServiceStatus, target_minutes: i64) -> Option<String> {
    let proven = |run: &&RecentRun| run.kind == RunKind::Backup && run.outcome == RunOutcome::Verified;
    let runs: Vec<_> = service.recent_runs.iter().filter(proven).collect();
    let bars = runs.windows(2).map(|pair| {
        let age = pair[1].ended_at - pair[0].started_at;
        let told = format!("{}: the point before was {} old", pair[1].ended_at, in_words(age));
        Bar { minutes: minutes(age), good: age.whole_minutes() <= target_minutes, told }
    });
    let title = format!("Age of the recovery point of {} when the next one came", service.name);
    draw(&title, &bars.collect::<Vec<_>>(), Some(target_minutes as f64))
}

/// How long restores took.
pub(super) fn restores(service: &ServiceStatus) -> Option<String> {
    let restores = service.recent_runs.iter().filter(|run| run.kind == RunKind::Restore);
    let bars = restores.map(|run| {
        let took = run.ended_at - run.started_at;
        let good = matches!(run.outcome, RunOutcome::Verified | RunOutcome::Unverified);
        let told = format!("{}: {} in {}", run.ended_at, outcome(run.outcome), in_words(took));
        Bar { minutes: minutes(took), good, told }
    });
    let title = format!("How long restores into {} took", service.name);
    draw(&title, &bars.collect::<Vec<_>>(), None)
}

fn outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Verified => "verified",
        RunOutcome::Suspicious => "suspicious",
        RunOutcome::Unverified => "not compared",
        RunOutcome::Mismatched => "different",
        RunOutcome::Failed => "failed",
    }
}

fn minutes(duration: Duration) -> f64 {
    duration.as_seconds_f64() / 60.0
}

fn draw(title: &str, bars: &[Bar], line: Option<f64>) -> Option<String> {
    let bars = &bars[bars.len().saturating_sub(MOST)..];
    let last = bars.last()?;
    let highest = bars.iter().map(|bar| bar.minutes).chain(line).fold(1.0, f64::max) * 1.05;
    let step = WIDTH / MOST as f64;
    let mut svg = String::new();
    for (index, bar) in bars.iter().enumerate() {
        let height = (bar.minutes / highest * HEIGHT).max(2.0);
        let (x, y) = (step * index as f64 + 2.0, HEIGHT - height);
        let class = if bar.good { "good" } else { "bad" };
        let (width, told) = (step - 4.0, &bar.told);
        // A string takes whatever is written into it.
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{told}</title></rect>"
        );
    }
    if let Some(line) = line {
        let y = HEIGHT - line / highest * HEIGHT;
        let _ = write!(svg, "<line class=\"target\" x1=\"0\" y1=\"{y:.1}\" x2=\"{WIDTH}\" y2=\"{y:.1}\"/>");
    }
    let target = line.map_or_else(String::new, |line| format!("; the line is RPO_TARGET, {}", long(line)));
    let longest = long(bars.iter().map(|bar| bar.minutes).fold(0.0, f64::max));
    Some(format!(
        "<figure><figcaption>{title}: {}, {longest} at most{target}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}. The newest: {}\">{svg}</svg></figure>",
        counted(bars.len(), "run"),
        last.told,
    ))
}

fn long(minutes: f64) -> String {
    in_words(Duration::seconds_f64(minutes * 60.0))
}
