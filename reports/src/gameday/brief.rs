//! The page before a game day.

use askama::Template;
use wrack_history::gameday::Sign;
use wrack_scenario::{Plan, Playlist, Role, Step, Stop};

use crate::html::frame::{self, Group};
use crate::html::notes;
use crate::html::panel::{Audience, Panel};
use crate::text;

#[derive(Template)]
#[template(path = "gameday-head.html")]
struct Head<'a> {
    eyebrow: &'static str,
    title: &'a str,
    objective: &'a str,
    commands: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "gameday-roles.html")]
struct Roles<'a> {
    roles: &'a [Role],
}

#[derive(Template)]
#[template(path = "gameday-checks.html")]
struct Checks {
    checks: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "gameday-step.html")]
struct StepBefore<'a> {
    number: usize,
    step: &'a Step,
    story: String,
    hypothesis: String,
    variant: String,
    faults: Vec<String>,
    signals: Vec<String>,
    hidden_signals: usize,
}

#[derive(Template)]
#[template(path = "gameday-stops.html")]
struct Stops {
    stops: Vec<(String, String)>,
}

/// Writes the page.
pub(crate) fn page(playlist: &Playlist) -> String {
    let mut panels = vec![head(playlist)];
    let roles = Roles { roles: &playlist.roles };
    panels.push(Panel::new("roles", "Who does what", Audience::OnCall, roles));
    panels.push(checks(playlist));
    panels.extend(playlist.steps.iter().zip(1..).map(|(step, number)| before(step, number)));
    panels.push(stops(&playlist.stops));
    panels.push(notes::panel(""));
    frame::page(
        &format!("Before: {}", text::label(&playlist.title)),
        "gameday",
        vec![Group::apart(panels)],
    )
}

fn head(playlist: &Playlist) -> Panel {
    let path = &playlist.path;
    let commands = vec![
        ("Run it", format!("wrack gameday run {path}")),
        ("Afterwards", format!("wrack gameday postmortem {path}")),
    ];
    let Playlist { title, objective, .. } = playlist;
    let head = Head { eyebrow: "Before the game day", title, objective, commands };
    Panel::new("head", "", Audience::OnCall, head)
}

fn checks(playlist: &Playlist) -> Panel {
    let how = |plan: &Plan| {
        let Plan { scenario, variant, seeds } = plan;
        format!(
            "runs: {} {}, {}, must be {}",
            scenario.name,
            variant.variant,
            text::counted(seeds.end - seeds.start, "seeds"),
            match &variant.anomaly {
                None => "valid".into(),
                Some(code) => format!("broken as expected ({})", text::code_and_name(code)),
            }
        )
    };
    let one = |check: &wrack_scenario::Check| {
        let how = check.plan.as_ref().map_or_else(|| "people look at it".into(), how);
        (check.title.clone(), how)
    };
    let checks = Checks { checks: playlist.checks.iter().map(one).collect() };
    Panel::new("checks", "What must hold before anything is broken", Audience::OnCall, checks)
}

fn before(step: &Step, number: usize) -> Panel {
    let Plan { scenario, variant, seeds } = &step.plan;
    let known = |wanted: &Sign| !step.hidden || matches!(wanted, Sign::People(_));
    let told = step.signals.iter().filter(|signal| known(&signal.sign));
    let signals: Vec<String> = told
        .map(|signal| match signal.within_ns {
            None => signal.sign.to_string(),
            Some(ns) => format!("{}, within {}", signal.sign, text::short_duration(ns)),
        })
        .collect();
    let runs = text::counted(seeds.end - seeds.start, "seeds");
    let variant = match step.hidden {
        false => format!("{}, expected: {}; {runs}", variant.variant, told_of(variant.expected())),
        true => format!("hidden until it has run. It is one of: {}; {runs}", possible(step)),
    };
    let faults = scenario.faults.iter().map(|fault| fault.fault.kind.to_string());
    let mut faults: Vec<String> = faults.collect();
    faults.dedup();
    let body = StepBefore {
        number,
        step,
        story: text::paragraph(&scenario.story),
        hypothesis: text::paragraph(&scenario.hypothesis),
        variant,
        faults,
        hidden_signals: step.signals.len() - signals.len(),
        signals,
    };
    let title = format!("Step {number}: {}", text::clip(&step.title, 120));
    Panel::new(format!("step-{number}"), title, Audience::OnCall, body)
}

/// Every variant of the scenario with what it would show, in the order of the file.
fn possible(step: &Step) -> String {
    let variants = step.plan.scenario.variants.iter();
    let one = |one: &wrack_scenario::Expectation| {
        format!("{} ({})", one.variant, told_of(one.expected()))
    };
    variants.map(one).collect::<Vec<_>>().join(", ")
}

fn told_of(expected: &str) -> String {
    match expected {
        "valid" => "it holds its promises".into(),
        code => text::code_and_name(code),
    }
}

fn stops(stops: &[Stop]) -> Panel {
    let one = |stop: &Stop| (stop.sign.to_string(), stop.because.clone());
    let body = Stops { stops: stops.iter().map(one).collect() };
    Panel::new("stops", "When the day ends early", Audience::OnCall, body)
}

/// The head of a page, which others have, too.
pub(super) fn head_of(
    eyebrow: &'static str,
    title: &str,
    objective: &str,
    commands: Vec<(&'static str, String)>,
) -> Panel {
    Panel::new("head", "", Audience::Executive, Head { eyebrow, title, objective, commands })
}
