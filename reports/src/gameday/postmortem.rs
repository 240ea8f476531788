//! The page after a game day, filled in as far as a machine can.

use askama::Template;
use wrack_history::gameday::{GameDay, StepDone};
use wrack_history::{Run, Verdict};

use super::{brief, overview};
use crate::html::events::{self, Event};
use crate::html::frame::{self, Group};
use crate::html::mark::Mark;
use crate::html::notes;
use crate::html::panel::{Audience, Panel};
use crate::html::sheet::Sheet;
use crate::{cause, summary, text};

#[derive(Template)]
#[template(path = "gameday-postmortem.html")]
struct After<'a> {
    number: usize,
    question: &'a str,
    summary: Vec<(&'static str, String)>,
    signals: Vec<(Mark, String)>,
    moments: Vec<Event>,
    left_out: usize,
    breached: Vec<(String, String, String)>,
    met: usize,
    pages: Vec<[String; 4]>,
    replay: &'a str,
}

#[derive(Template)]
#[template(path = "gameday-blanks.html")]
struct Blanks;

/// Writes the page.
pub(crate) fn page(day: &GameDay, runs: &[(usize, Run)]) -> String {
    let commands = vec![("Run it again", day.replay.clone())];
    let head = brief::head_of("Post-mortem of a game day", &day.title, &day.objective, commands);
    let mut panels = vec![head, overview::panel(day, "step-")];
    for (place, run) in runs {
        if let Some(step) = day.steps.get(*place) {
            panels.push(after(step, place + 1, run));
        }
    }
    panels.push(Panel::new("lessons", "What we learned", Audience::OnCall, Blanks));
    panels.push(notes::panel(""));
    frame::page(
        &format!("Post-mortem: {}", text::label(&day.title)),
        "gameday",
        vec![Group::apart(panels)],
    )
}

fn after(step: &StepDone, number: usize, run: &Run) -> Panel {
    let (moments, left_out) = events::events(&Sheet::of(run, ""));
    let breached = step.slos.iter().filter(|slo| slo.met == Some(false));
    let body = After {
        number,
        question: &step.question,
        summary: told(step, run),
        signals: step.signals.iter().map(|signal| overview::told(signal, step)).collect(),
        moments,
        left_out,
        breached: breached
            .map(|slo| (slo.name.clone(), slo.objective.clone(), slo.observed.clone()))
            .collect(),
        met: step.slos.iter().filter(|slo| slo.met == Some(true)).count(),
        pages: pages(step),
        replay: &run.replay,
    };
    let title = format!("Step {number}: {}", text::clip(&step.title, 120));
    Panel::new(format!("step-{number}"), title, Audience::Executive, body)
}

/// What an incident review begins with.
fn told(step: &StepDone, run: &Run) -> Vec<(&'static str, String)> {
    let first_fault = run.faults.iter().filter_map(|fault| fault.injected_ns).min();
    let diverged = run.anomalies().filter_map(|anomaly| anomaly.at_ns).min();
    let called = step.alerts.iter().filter(|alert| alert.severity == "page");
    let called = called.filter(|alert| alert.fired_ns.is_some()).min_by_key(|a| a.fired_ns);
    let healed = run.faults.iter().filter_map(|fault| fault.healed_ns).max();
    let after = |ns: u64| {
        let since = first_fault.and_then(|first| ns.checked_sub(first));
        let since = since.map(|ns| format!(", {} after the first fault", text::short_duration(ns)));
        format!("{}{}", text::moment(ns), since.unwrap_or_default())
    };
    let mut told = vec![
        ("What it was", format!("{} {}, seed {}", step.scenario, step.variant, run.seed)),
        ("What came of it", summary::statement(run)),
        (
            "What led to it",
            cause::cause(run)
                .unwrap_or_else(|| "for people to say: see the report of this run".into()),
        ),
        ("First fault", first_fault.map_or("none was injected".into(), text::moment)),
        (
            "First divergence",
            match (diverged, run.verdict) {
                (Some(ns), _) => after(ns),
                (None, Verdict::Invalid) => "seen only in the whole history".into(),
                (None, _) => "none was found".into(),
            },
        ),
    ];
    told.push((
        "Somebody is called",
        match called {
            Some(alert) => format!("{} ({})", after(alert.fired_ns.unwrap_or(0)), alert.windows),
            None if step.alerts.is_empty() => "the scenario judges no alerts".into(),
            None => "nobody would have been".into(),
        },
    ));
    told.push(("Last fault healed", healed.map_or("–".into(), after)));
    told.push(("Recovery", recovered(step, run)));
    told
}

/// When all alerts are over, and whether progress came back.
fn recovered(step: &StepDone, run: &Run) -> String {
    let fired = step.alerts.iter().filter_map(|alert| Some((alert.fired_ns?, alert)));
    let fired: Vec<_> = fired.collect();
    let over = fired.iter().map(|(fired, alert)| Some(fired + alert.recovered_after_ns?));
    let alerts = match over.collect::<Option<Vec<u64>>>() {
        _ if fired.is_empty() => None,
        Some(over) => {
            over.into_iter().max().map(|ns| format!("alerts are over at {}", text::moment(ns)))
        }
        None => Some("an alert is still firing when the windows close".into()),
    };
    let live = run.judgements.iter().find(|judgement| judgement.code == "LIVE");
    let live = live.map(|judgement| match (judgement.verdict, &judgement.observed) {
        (Verdict::Valid, Some(observed)) => format!("progress after the heal: {observed}"),
        (Verdict::Valid, None) => "progress after the heal".into(),
        (Verdict::Invalid, _) => "no progress after the heal".into(),
        (Verdict::Unknown, _) => "whether there is progress after the heal is unknown".into(),
    });
    let parts: Vec<String> = alerts.into_iter().chain(live).collect();
    if parts.is_empty() { "not measured by this scenario".into() } else { parts.join("; ") }
}

fn pages(step: &StepDone) -> Vec<[String; 4]> {
    let time = |ns: Option<u64>| ns.map_or("–".into(), text::short_duration);
    let one = |alert: &wrack_history::alert::Alert| {
        let fired = alert.fired_ns.map_or("would not have fired".into(), text::moment);
        let name = format!("{} {}", alert.severity, alert.windows);
        [name, fired, time(alert.detected_after_ns), time(alert.recovered_after_ns)]
    };
    step.alerts.iter().map(one).collect()
}
