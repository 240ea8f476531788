//! What was injected, and what it touched: a fault that touched nothing proves nothing.

use askama::Template;
use wrack_history::fault::ResolvedFault;

use super::mark::Mark;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::band::{FAULTS_MAX, label};
use crate::{summary, text};

const NODES_MAX: usize = 16;

#[derive(Template)]
#[template(path = "faults.html")]
struct Faults {
    rows: Vec<Row>,
    left_out: usize,
}

struct Row {
    label: String,
    kind: String,
    detail: String,
    nodes: String,
    injected: String,
    healed: String,
    bit: Mark,
    effect: String,
    span: String,
    open: String,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Panel {
    let run = sheet.run;
    let rows = run.faults.iter().take(FAULTS_MAX).enumerate();
    let body = Faults {
        rows: rows.map(|(position, fault)| row(position, fault)).collect(),
        left_out: run.faults.len().saturating_sub(FAULTS_MAX),
    };
    sheet.panel("faults", "Faults", Audience::OnCall, body).counted(summary::faults(run))
}

fn row(position: usize, fault: &ResolvedFault) -> Row {
    let span = fault
        .effect_span_ns
        .map(|(first, last)| format!("{} to {}", text::moment(first), text::moment(last)));
    Row {
        label: label(position),
        kind: kind(fault),
        detail: text::clip(&fault.detail, 200),
        nodes: nodes(fault),
        injected: fault.injected_ns.map_or("never".into(), text::moment),
        healed: fault.healed_ns.map_or("–".into(), text::moment),
        bit: match (fault.effect, fault.injected_ns) {
            (0, None) => Mark::doubt("never injected"),
            (0, Some(_)) => Mark::doubt("did not bite"),
            _ => Mark::good("bit"),
        },
        effect: text::effect(fault.effect, &text::label(&fault.unit)),
        span: span.unwrap_or_default(),
        open: text::count(fault.operations_open),
    }
}

fn kind(fault: &ResolvedFault) -> String {
    match fault.occurrence {
        0 => text::label(&fault.kind),
        again => format!("{} (occurrence {})", text::label(&fault.kind), again + 1),
    }
}

/// The nodes that it hit, unless its description names them all.
fn nodes(fault: &ResolvedFault) -> String {
    if fault.nodes.iter().all(|name| fault.detail.contains(name.as_str())) {
        return String::new();
    }
    let mut names: Vec<String> =
        fault.nodes.iter().take(NODES_MAX).map(|name| text::label(name)).collect();
    let left_out = fault.nodes.len().saturating_sub(NODES_MAX);
    if left_out > 0 {
        names.push(format!("{left_out} more"));
    }
    names.join(", ")
}
