//! How a game day went, on one sheet.

use askama::Template;
use wrack_history::gameday::{GameDay, SignalSeen, Standing, StepDone};

use super::mark;
use crate::html::mark::Mark;
use crate::html::panel::{Audience, Panel};
use crate::text;

#[derive(Template)]
#[template(path = "gameday-overview.html")]
struct Overview {
    headline: Mark,
    statement: String,
    stopped: String,
    checks: Vec<(Mark, String, String)>,
    steps: Vec<Row>,
}

struct Row {
    number: usize,
    mark: Mark,
    title: String,
    what: String,
    found: String,
    signals: Vec<(Mark, String)>,
    /// Where its part of the page is, if it ran.
    link: Option<String>,
}

/// The panel; steps that ran lead to their part of the page, whose id is `prefix` and their number.
pub(super) fn panel(day: &GameDay, prefix: &str) -> Panel {
    let checks = day.checks.iter();
    let checks =
        checks.map(|check| (mark(check.standing), check.title.clone(), check.found.clone()));
    let stopped = day.stopped.as_ref().map(|stopped| match stopped.after_step {
        0 => format!("Nothing was run: {}.", stopped.because),
        step => format!("Stopped after step {step}: {}.", stopped.because),
    });
    let body = Overview {
        headline: mark(day.standing),
        statement: statement(day),
        stopped: stopped.unwrap_or_default(),
        checks: checks.collect(),
        steps: day.steps.iter().zip(1..).map(|(step, number)| row(step, number, prefix)).collect(),
    };
    Panel::new("overview", "How it went", Audience::Executive, body)
}

/// One sentence for who was not there.
fn statement(day: &GameDay) -> String {
    let ran = day.steps.iter().filter(|step| step.example_seed.is_some());
    let as_expected = ran.clone().filter(|step| step.standing == Standing::AsExpected).count();
    let signals = day.steps.iter().flat_map(|step| &step.signals);
    let judged = signals.clone().filter(|signal| signal.standing != Standing::Open).count();
    let seen = signals.filter(|signal| signal.standing == Standing::AsExpected).count();
    format!(
        "{} of {} ran, {as_expected} of them as expected; {seen} of {} seen.",
        ran.count(),
        text::counted(day.steps.len() as u64, "steps"),
        text::counted(judged as u64, "expected signals"),
    )
}

fn row(step: &StepDone, number: usize, prefix: &str) -> Row {
    let StepDone { scenario, variant, expected, found, seeds, .. } = step;
    let ran = step.example_seed.is_some();
    let hidden = if step.hidden { ", hidden from who took part" } else { "" };
    Row {
        number,
        mark: mark(step.standing),
        title: step.title.clone(),
        what: format!("{scenario} {variant}{hidden}"),
        found: match ran {
            true => format!("{expected} in {found} of {}", text::counted(*seeds, "seeds")),
            false => "not run".into(),
        },
        signals: step.signals.iter().map(|signal| told(signal, step)).collect(),
        link: ran.then(|| format!("{prefix}{number}")),
    }
}

/// What was seen of a signal, in words.
pub(super) fn told(signal: &SignalSeen, step: &StepDone) -> (Mark, String) {
    let within = signal.within_ns.map(|ns| format!(" within {}", text::short_duration(ns)));
    let what = format!("{}{}", signal.sign, within.unwrap_or_default());
    let mark = match signal.standing {
        Standing::AsExpected => Mark::good("seen"),
        Standing::NotAsExpected => Mark::bad("not seen"),
        Standing::Unknown => Mark::doubt("unknown"),
        Standing::Open => Mark { kind: "none", word: "for people" },
    };
    let words = match (signal.standing, signal.at_ns) {
        (Standing::Open, _) => what,
        (_, Some(ns)) => format!(
            "{what}: in {} of {}, at {} with seed {}",
            signal.seeds,
            text::counted(step.seeds, "seeds"),
            text::moment(ns),
            step.example_seed.unwrap_or(step.first_seed)
        ),
        (_, None) => {
            format!("{what}: in {} of {}", signal.seeds, text::counted(step.seeds, "seeds"))
        }
    };
    (mark, words)
}
