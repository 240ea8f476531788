//! The error budget: what was left of it, how fast it burnt, and whom that would have called.

use std::borrow::Cow;

use askama::Template;
use wrack_history::gate::Unit;
use wrack_history::picture::{Budget, Burn};
use wrack_history::setting::percent;

use super::charts::Charts;
use super::mark::Mark;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::lines::{self, Line, Lines};
use crate::text;

#[derive(Template)]
#[template(path = "budget.html")]
struct Body<'a> {
    lead: String,
    rows: Vec<Row>,
    charts: Charts<'a>,
}

struct Row {
    windows: String,
    severity: String,
    threshold: String,
    most: String,
    fired: Mark,
    at: String,
    detected: String,
    recovered: String,
}

/// The panel, if the run has a budget.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let budget = sheet.run.picture.budget.as_ref()?;
    let charts = [remaining(sheet, budget), burns(sheet, budget).filter(|_| is_seen(budget))];
    let charts = Charts { lead: "", charts: charts.into_iter().flatten().collect() };
    let rows: Vec<Row> = budget.burns.iter().map(row).collect();
    let fired = budget.burns.iter().filter(|burn| burn.fired_ns.is_some()).count();
    let body = Body { lead: lead(budget), rows, charts };
    let panel = sheet.panel("budget", "Error budget and alerts", Audience::OnCall, body);
    Some(panel.counted(format!("{fired} of {} alerts would have fired", budget.burns.len())))
}

fn lead(budget: &Budget) -> String {
    let objective = percent(budget.objective_per_million);
    let source = match budget.declared {
        true => "the scenario's [alert]",
        false => "its objective of availability, because it declares no [alert]",
    };
    let quiet = match is_seen(budget) {
        true => "",
        false => " No pair of windows burnt a hundredth of what makes it fire, so none is drawn.",
    };
    format!(
        "{objective} of operations must end ok, by {source}. The budget is that of this run alone; the windows \
         of alerts are longer than a run, and the traffic before it is taken to have been as declared.{quiet}"
    )
}

/// Whether any burn rate can be told from nothing on a drawing.
fn is_seen(budget: &Budget) -> bool {
    let threshold = |burn: &Burn| i64::from(burn.threshold_tenths);
    let seen = |burn: &Burn| burn.points.iter().any(|(_, tenths)| tenths * 100 >= threshold(burn));
    budget.burns.iter().any(seen)
}

fn row(burn: &Burn) -> Row {
    let most = burn.points.iter().map(|(_, tenths)| *tenths).max().unwrap_or(0);
    let or_dash = |ns: Option<u64>| ns.map_or_else(|| "–".into(), text::short_duration);
    Row {
        windows: text::label(&burn.windows),
        severity: text::label(&burn.severity),
        threshold: times(i64::from(burn.threshold_tenths)),
        most: times(most),
        fired: match (burn.fired_ns, burn.severity.as_str()) {
            (None, _) => Mark::good("quiet"),
            (Some(_), "page") => Mark::bad("would have paged"),
            (Some(_), _) => Mark::doubt("would have filed a ticket"),
        },
        at: burn.fired_ns.map_or_else(|| "–".into(), text::moment),
        detected: or_dash(burn.detected_after_ns),
        recovered: or_dash(burn.recovered_after_ns),
    }
}

fn times(tenths: i64) -> String {
    format!("{}.{}×", tenths / 10, tenths % 10)
}

fn remaining<'a>(sheet: &Sheet<'a>, budget: &'a Budget) -> Option<crate::plot::Chart> {
    lines::chart(
        &sheet.backdrop(),
        Lines {
            id: "budget-left",
            title: "Budget left",
            caption: "What was left of the run's own error budget; below 0 it was overspent.",
            unit: Unit::PerMillion,
            limit: Some((0, "nothing left".into())),
            lines: vec![Line { name: "left".into(), points: Cow::Borrowed(&budget.remaining) }],
        },
    )
}

fn burns(sheet: &Sheet<'_>, budget: &Budget) -> Option<crate::plot::Chart> {
    let line = |burn: &Burn| {
        let threshold = i64::from(burn.threshold_tenths).max(1);
        let share = |(ns, tenths): &(u64, i64)| (*ns, tenths.saturating_mul(1_000_000) / threshold);
        let points: Vec<(u64, i64)> = burn.points.iter().map(share).collect();
        Line { name: format!("{} ({})", burn.windows, burn.severity), points: points.into() }
    };
    lines::chart(
        &sheet.backdrop(),
        Lines {
            id: "burn",
            title: "Burn rate against its alert",
            caption: "For each pair of windows the slower of both burn rates, as a share of what makes it fire: \
                      above 100% somebody is called.",
            unit: Unit::PerMillion,
            limit: Some((1_000_000, "fires above".into())),
            lines: budget.burns.iter().map(line).collect(),
        },
    )
}
