//! Service level objectives, judged.

use askama::Template;
use wrack_history::picture::Metric;
use wrack_history::run::Slo;

use super::mark::Mark;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::{margin, text};

#[derive(Template)]
#[template(path = "slos.html")]
struct Slos<'a> {
    rows: Vec<Row<'a>>,
    others: Vec<Other<'a>>,
}

struct Row<'a> {
    mark: Mark,
    slo: &'a Slo,
    meaning: &'static str,
    margin: String,
}

/// A metric without an objective.
struct Other<'a> {
    metric: &'a Metric,
    meaning: &'static str,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Panel {
    let slos = &sheet.run.slos;
    let met = slos.iter().filter(|slo| slo.met == Some(true)).count();
    let rows = slos.iter().map(|slo| Row {
        mark: mark(slo),
        slo,
        meaning: meaning(&slo.name),
        margin: margin::of_slo(slo).unwrap_or_else(|| "–".into()),
    });
    let metrics = sheet.run.picture.metrics.iter();
    let others = metrics.map(|metric| Other { metric, meaning: meaning(&metric.name) });
    let body = Slos { rows: rows.collect(), others: others.collect() };
    let panel = sheet.panel("slos", "Service level objectives", Audience::OnCall, body);
    match slos.len() as u64 {
        0 => panel,
        all => panel.counted(format!("{met} of {} met", text::count(all))),
    }
}

/// What a metric is, by its name with its quantile and function.
fn meaning(name: &str) -> &'static str {
    text::metric(name.split(' ').next().unwrap_or(""))
}

/// Whether it was met, as a mark.
pub(crate) fn mark(slo: &Slo) -> Mark {
    match slo.met {
        Some(true) => Mark::good("met"),
        Some(false) => Mark::bad("missed"),
        None => Mark::doubt("too little data"),
    }
}
