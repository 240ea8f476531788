//! What contradicts the promises: in words, on a time line, as a table.

use askama::Template;
use wrack_history::picture::{Step, StepKind};
use wrack_history::verdict::Counterexample;
use wrack_history::{Anomaly, Operation, Run};

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::band::Band;
use crate::{circle, summary, text, timeline};

/// So many are drawn with their operations.
const DRAWN_MAX: usize = 10;
/// So many of them are open from the start.
const OPEN_MAX: usize = 3;
/// So many more are told in words.
const TOLD_MAX: usize = 100;

#[derive(Template)]
#[template(path = "anomalies.html")]
struct Anomalies<'a> {
    drawn: Vec<Drawn<'a>>,
    /// So many of them are open; the others are opened by who wants to see more of the same.
    open_max: usize,
    told: Vec<(&'a str, String)>,
    left_out: usize,
}

struct Drawn<'a> {
    heading: String,
    about: Vec<String>,
    explanation: String,
    timeline: Option<String>,
    steps: Vec<Told>,
    steps_left_out: u32,
    paper: Option<Paper<'a>>,
    operations: Vec<Row<'a>>,
    note: String,
}

/// A step of how it came about.
struct Told {
    at: String,
    /// A class and a word.
    kind: (&'static str, &'static str),
    words: String,
}

/// A contradiction to be followed on paper.
struct Paper<'a> {
    size: String,
    operations: Vec<&'a str>,
    legal: String,
    state: String,
    blocked: Vec<String>,
    links: Vec<String>,
    circle: Option<String>,
}

struct Row<'a> {
    id: u64,
    process: String,
    key: String,
    words: String,
    outcome: &'static str,
    invoked: String,
    completed: String,
    error: &'a str,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Panel {
    let run = sheet.run;
    let count = run.anomalies().count();
    let ordered = summary::anomalies(run);
    let drawn = ordered.iter().take(DRAWN_MAX).enumerate();
    let told = ordered.iter().skip(DRAWN_MAX).take(TOLD_MAX);
    let body = Anomalies {
        open_max: OPEN_MAX,
        drawn: drawn.map(|(position, anomaly)| draw(sheet, position + 1, anomaly)).collect(),
        told: told
            .map(|anomaly| (anomaly.code.as_str(), text::full_sentence(&anomaly.explanation)))
            .collect(),
        left_out: count.saturating_sub(DRAWN_MAX + TOLD_MAX),
    };
    let panel = sheet.panel("anomalies", "Why it is illegal", Audience::OnCall, body);
    panel.counted(text::counted(count as u64, "anomalies"))
}

fn draw<'a>(sheet: &Sheet<'a>, number: usize, anomaly: &'a Anomaly) -> Drawn<'a> {
    let (run, bands): (&'a Run, &[Band]) = (sheet.run, &sheet.bands);
    let known = anomaly.operations.iter().filter_map(|id| run.history.operation(*id));
    let shown: Vec<&Operation> = known.take(timeline::OPERATIONS_MAX).collect();
    let heading = text::code_and_name(&anomaly.code);
    let place = run.anomalies().position(|one| std::ptr::eq(one, anomaly));
    let stories = &run.picture.stories;
    let story = stories.iter().find(|story| place == Some(story.anomaly as usize));
    let title = format!("Operations of anomaly {number}, {heading}");
    Drawn {
        about: about(run, anomaly),
        explanation: text::full_sentence(&anomaly.explanation),
        timeline: timeline::draw(
            &sheet.id(&format!("anomaly-{number}")),
            &title,
            &shown,
            &timeline::Behind { run, bands, found: anomaly.counterexample.as_ref() },
        ),
        note: note(anomaly.operations.len(), shown.len()),
        steps: story.map(|story| story.steps.iter().map(told).collect()).unwrap_or_default(),
        steps_left_out: story.map_or(0, |story| story.left_out),
        paper: anomaly.counterexample.as_ref().map(|found| Paper {
            circle: circle::draw(&sheet.id(&format!("circle-{number}")), &found.cycle),
            ..paper(run, found)
        }),
        operations: shown.into_iter().map(|operation| row(run, operation)).collect(),
        heading,
    }
}

fn told(step: &Step) -> Told {
    let kind = match step.kind {
        StepKind::Fault => ("fault", "fault"),
        StepKind::Node => ("node", "node"),
        StepKind::Client => ("client", "client"),
        StepKind::Effect => ("effect", "effect"),
    };
    Told { at: text::moment(step.ns), kind, words: text::sentence(&step.text) }
}

fn paper<'a>(run: &Run, found: &'a Counterexample) -> Paper<'a> {
    let (small, all) = (found.operations.len() as u64, run.counts.total());
    Paper {
        size: format!("{small} of {}", text::counted(all, "operations")),
        operations: found.operations.iter().map(|step| step.text.as_str()).collect(),
        legal: text::list(&summary::legal(found)),
        state: text::clip(&found.state, 200),
        blocked: summary::blocked(found),
        links: found
            .cycle
            .iter()
            .map(|link| {
                let (kind, text) = (text::label(&link.kind), text::sentence(&link.text));
                format!("T{} → T{} ({kind}): {text}", link.from, link.to)
            })
            .collect(),
        circle: None,
    }
}

/// The key, the nodes and the time that it is about.
fn about(run: &Run, anomaly: &Anomaly) -> Vec<String> {
    const NODES_MAX: usize = 12;
    let mut about = Vec::new();
    about.extend(anomaly.key.as_ref().map(|key| format!("key {}", text::label(key))));
    let name = |node: &u16| match run.nodes.get(usize::from(*node)) {
        Some(name) => text::label(name),
        None => format!("node {node}"),
    };
    let nodes: Vec<String> = anomaly.nodes.iter().take(NODES_MAX).map(name).collect();
    if !nodes.is_empty() {
        about.push(format!("on {}", text::list(&nodes)));
    }
    about.extend(anomaly.at_ns.map(|ns| format!("visible at {}", text::moment(ns))));
    about
}

fn note(named: usize, shown: usize) -> String {
    match (named, shown) {
        (0, _) => "This anomaly is about nodes, not about operations of clients.".into(),
        (named, shown) if named == shown => String::new(),
        (named, shown) => {
            format!("{shown} of {} are shown.", text::counted(named as u64, "operations"))
        }
    }
}

fn row<'a>(run: &Run, operation: &'a Operation) -> Row<'a> {
    let error = operation.details.as_ref().and_then(|details| details.error.as_deref());
    Row {
        id: operation.id,
        process: match text::client(run, operation) {
            Some(client) => format!("{} of {client}", operation.process),
            None => operation.process.to_string(),
        },
        key: text::label(&operation.key),
        words: text::operation(operation, false),
        outcome: text::outcome(operation.outcome),
        invoked: text::moment(operation.invoke.ns),
        completed: text::moment(operation.complete.ns),
        error: error.unwrap_or(""),
    }
}
