//! Pages: a frame, and one panel a file. A page is a list of panels.

mod anomalies;
mod banner;
mod baseline;
mod budget;
mod charts;
mod checked;
mod copies;
mod coverage;
pub(crate) mod events;
mod faults;
pub(crate) mod frame;
mod functions;
mod impact;
mod keys;
pub(crate) mod mark;
pub(crate) mod notes;
mod operations;
mod origin;
pub(crate) mod panel;
mod promises;
pub(crate) mod sheet;
mod slos;
mod source;
mod space_time;
pub(crate) mod sweep;

use wrack_history::Run;
use wrack_history::check::Check;

use crate::plot::{blast, latency, nodes, strip, throughput};
use crate::{columns, summary, text};
use charts::Charts;
use frame::Group;
use panel::{Audience, Panel};
use sheet::Sheet;

/// Writes the page of a run.
pub(crate) fn page(run: &Run, baseline: Option<&Run>) -> String {
    frame::page(&title(run), "run", vec![group(run, baseline, "")])
}

/// The panels of a run, compared with a baseline if there is one; ids begin with `prefix`, so that several
/// runs may share a page.
pub(crate) fn group(run: &Run, baseline: Option<&Run>, prefix: &str) -> Group {
    let sheet = Sheet::of(run, prefix);
    let panels = [
        Some(banner::panel(&sheet)),
        Some(impact::panel(&sheet)),
        Some(anomalies::panel(&sheet)),
        space_time::panel(&sheet),
        Some(promises::panel(&sheet)),
        baseline::panel(&sheet, baseline),
        blast_radius(&sheet),
        events::panel(&sheet),
        Some(faults::panel(&sheet)),
        lanes(&sheet),
        over_time(&sheet),
        functions::panel(&sheet),
        copies::panel(&sheet),
        budget::panel(&sheet),
        Some(slos::panel(&sheet)),
        operations::panel(&sheet),
        Some(coverage::panel(&sheet)),
        source::panel(&sheet),
        Some(origin::panel(&sheet)),
        Some(notes::panel(prefix)),
    ];
    grouped(&sheet, panels)
}

/// Writes the page of a history that somebody else recorded.
pub(crate) fn check_page(check: &Check) -> String {
    let sheet = Sheet::of(&check.run, "");
    let panels = [
        Some(checked::panel(check)),
        Some(anomalies::panel(&sheet)),
        Some(promises::panel(&sheet)),
        over_time(&sheet),
        functions::panel(&sheet),
        operations::panel(&sheet),
        keys::panel(&sheet),
        Some(keys::meaning(check)),
    ];
    let title = format!("{}: {}", check.run.verdict, text::label(&check.path));
    frame::page(&title, "check", vec![grouped(&sheet, panels)])
}

fn grouped(sheet: &Sheet<'_>, panels: impl IntoIterator<Item = Option<Panel>>) -> Group {
    let first = summary::first_anomaly(sheet.run);
    Group {
        heading: String::new(),
        end_ns: sheet.axis.end_ns,
        anomaly_ns: first.and_then(|anomaly| anomaly.at_ns),
        columns: columns::packed(sheet.run),
        panels: panels.into_iter().flatten().collect(),
    }
}

fn blast_radius(sheet: &Sheet<'_>) -> Option<Panel> {
    if sheet.blast.whole.touched() == 0 && sheet.blast.whole.operations > 0 {
        let lead = match sheet.blast.slow_ns {
            Some(_) => {
                "Nothing that clients do was touched: every operation ended ok, and none was slow."
            }
            None => "No operation failed. Too few came before the first fault to say what is slow.",
        };
        let nothing = Charts { lead, charts: Vec::new() };
        return Some(sheet.panel("blast-radius", "Blast radius", Audience::Executive, nothing));
    }
    let chart = blast::chart(&sheet.backdrop(), &sheet.bins, &sheet.blast);
    let lead = "How much of what clients do was touched, and when. Faults stand behind it.";
    sheet.charts("blast-radius", "Blast radius", Audience::Executive, lead, [chart])
}

fn lanes(sheet: &Sheet<'_>) -> Option<Panel> {
    let backdrop = sheet.backdrop();
    let mut charts = vec![strip::chart(&backdrop, sheet.run), nodes::chart(sheet.run, &backdrop)];
    charts.extend(copies::of_nodes(sheet));
    let lead = "What was done to the world, and what became of each node.";
    sheet.charts("lanes", "Nodes", Audience::OnCall, lead, charts)
}

fn over_time(sheet: &Sheet<'_>) -> Option<Panel> {
    let backdrop = sheet.backdrop();
    let charts =
        [latency::chart(&backdrop, &sheet.bins), throughput::chart(&backdrop, &sheet.bins)];
    sheet.charts("over-time", "What clients saw", Audience::OnCall, "", charts)
}

fn title(run: &Run) -> String {
    format!(
        "{}: {} {}, seed {}",
        run.verdict,
        text::label(&run.scenario),
        text::label(&run.variant),
        run.seed
    )
}
