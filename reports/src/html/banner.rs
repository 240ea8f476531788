//! The first thing that a person sees: did the promise hold?

use askama::Template;
use wrack_history::{Run, Verdict};

use super::mark::Mark;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::{cause, summary, text};

const DOUBTS_MAX: usize = 20;

#[derive(Template)]
#[template(path = "banner.html")]
struct Banner<'a> {
    run: &'a Run,
    title: String,
    headline: Mark,
    expectation: Mark,
    statement: String,
    confidence: String,
    details: Vec<String>,
    evidence: String,
    story: String,
    hypothesis: String,
    identity: Vec<(&'static str, String)>,
}

/// The panel; it brings the page's own heading.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Panel {
    sheet.panel("verdict", "", Audience::Executive, Banner::of(sheet.run))
}

impl<'a> Banner<'a> {
    fn of(run: &'a Run) -> Self {
        let title = if run.title.is_empty() { &run.scenario } else { &run.title };
        Self {
            run,
            title: text::clip(title, 200),
            confidence: summary::confidence(run),
            headline: Mark { word: summary::headline(run.verdict), ..Mark::verdict(run.verdict) },
            expectation: match run.as_expected {
                true => Mark::good("as expected"),
                false => Mark::bad("not as expected"),
            },
            statement: summary::statement(run),
            details: details(run),
            evidence: summary::evidence(run),
            story: text::paragraph(&run.story),
            hypothesis: text::paragraph(&run.hypothesis),
            identity: identity(run),
        }
    }
}

/// What explains the statement: the anomaly, the doubts, what was expected instead.
fn details(run: &Run) -> Vec<String> {
    let mut details = Vec::new();
    match run.verdict {
        Verdict::Valid => {}
        Verdict::Unknown => {
            let doubts = summary::doubts(run);
            details.extend(doubts.iter().take(DOUBTS_MAX).map(|doubt| text::full_sentence(doubt)));
        }
        Verdict::Invalid => {
            let first = summary::first_anomaly(run);
            details.extend(first.map(|anomaly| text::full_sentence(&anomaly.explanation)));
            details.extend(cause::cause(run).map(|cause| format!("What led to it: {cause}")));
        }
    }
    details.extend(expected(run));
    details
}

/// What the scenario expects of the variant, unless it is what happened.
fn expected(run: &Run) -> Option<String> {
    let variant = text::label(&run.variant);
    if summary::expected_not_found(run) {
        let wanted = text::code_and_name(&run.expected);
        return Some(format!(
            "The variant {variant} is expected to show {wanted}, and with this seed it did not. \
             Whether it does often enough is judged over all seeds."
        ));
    }
    if !run.as_expected {
        return Some(format!("Of the variant {variant} the scenario expects: {}.", run.expected));
    }
    let shown = run.verdict == Verdict::Invalid && run.found();
    let wanted = text::code_and_name(&run.expected);
    shown.then(|| format!("The variant {variant} is made to break {wanted}: the find is right."))
}

fn engine(run: &Run) -> String {
    let name = text::label(&run.engine);
    match run.not_deterministic {
        true => format!("{name}, not deterministic: the same seed may give another run"),
        false => name,
    }
}

fn identity(run: &Run) -> Vec<(&'static str, String)> {
    let clients = u64::from(run.clients);
    let servers = (run.nodes.len() as u64).saturating_sub(clients);
    let mut identity = vec![
        ("Design", text::label(&run.design)),
        ("Variant", text::label(&run.variant)),
        ("Seed", run.seed.to_string()),
        ("Engine", engine(run)),
    ];
    if !run.nodes.is_empty() {
        let nodes = text::counted(servers, "nodes");
        identity.push(("Cluster", format!("{nodes}, {}", text::counted(clients, "clients"))));
    }
    if run.messages > 0 {
        identity.push(("Messages", text::count(run.messages)));
    }
    if run.phases.end_ns > 0 {
        identity.push(("Lasted", text::moment(run.phases.end_ns)));
    }
    identity
}
