//! One time line of what happened, and beside it what an operator would have seen.

use askama::Template;
use wrack_history::{Fact, Run};

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::nodes::LEADING;
use crate::plot::time::tick_label;
use crate::{alerts, summary, text};

/// More events than this are counted.
const EVENTS_MAX: usize = 400;
/// More of one kind in a row say no more.
const ANOMALIES_MAX: usize = 40;

#[derive(Template)]
#[template(path = "events.html")]
struct Events {
    lead: String,
    rows: Vec<Event>,
    left_out: usize,
}

/// Something that happened, or that somebody would have seen.
pub(crate) struct Event {
    /// When.
    pub(crate) ns: u64,
    /// When, in words.
    pub(crate) at: String,
    /// `fault`, `node`, `anomaly` or `seen`.
    pub(crate) kind: &'static str,
    /// A word for the kind.
    pub(crate) word: &'static str,
    /// What happened; nothing if it was only seen.
    pub(crate) happened: String,
    /// What an operator would have seen; nothing if nothing.
    pub(crate) seen: String,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let (rows, left_out) = events(sheet);
    if rows.is_empty() {
        return None;
    }
    let seen = rows.iter().filter(|row| row.kind == "seen").count();
    let lead = lead(sheet.run, seen);
    let body = Events { lead, rows, left_out };
    Some(sheet.panel("events", "What happened, and what was to be seen", Audience::OnCall, body))
}

/// What happened and what was to be seen, in order of time, and how many are left out: of many, those of
/// nodes first.
pub(crate) fn events(sheet: &Sheet<'_>) -> (Vec<Event>, usize) {
    let mut rows = Vec::new();
    faults(sheet, &mut rows);
    anomalies(sheet.run, &mut rows);
    healed(sheet.run, &mut rows);
    rows.extend(seen(sheet));
    nodes(sheet.run, &mut rows);
    let left_out = rows.len().saturating_sub(EVENTS_MAX);
    rows.truncate(EVENTS_MAX);
    rows.sort_by_key(|row| row.ns);
    (rows, left_out)
}

fn healed(run: &Run, rows: &mut Vec<Event>) {
    let heal_ns = run.phases.heal_ns;
    if heal_ns > 0 {
        let words = "everything is healed; clients go on".into();
        rows.push(happened(heal_ns, "node", "phase", words));
    }
}

fn lead(run: &Run, seen: usize) -> String {
    match (run.anomalies().next().is_some(), seen) {
        (true, 0) => "Errors and latency would have shown nothing at all: the anomaly was silent.".into(),
        (true, _) => "What errors and latency would have shown stands at the right. The anomaly itself shows \
                      in neither."
            .into(),
        (false, 0) => "Errors and latency would have shown nothing at all.".into(),
        (false, _) => "What errors and latency would have shown stands at the right.".into(),
    }
}

fn happened(ns: u64, kind: &'static str, word: &'static str, text: String) -> Event {
    Event { ns, at: text::moment(ns), kind, word, happened: text, seen: String::new() }
}

fn saw(ns: u64, text: String) -> Event {
    let (happened, at) = (String::new(), text::moment(ns));
    Event { ns, at, kind: "seen", word: "signal", happened, seen: text }
}

fn faults(sheet: &Sheet<'_>, rows: &mut Vec<Event>) {
    for band in &sheet.bands {
        let words = format!("{} {} begins: {}", band.label, band.kind, band.detail);
        rows.push(happened(band.from_ns, "fault", "fault", words));
        if band.to_ns > band.from_ns {
            let words = format!("{} {} is over: {}", band.label, band.kind, band.effect);
            rows.push(happened(band.to_ns, "fault", "heal", words));
        }
    }
}

fn nodes(run: &Run, rows: &mut Vec<Event>) {
    for record in &run.facts {
        let name = run.nodes.get(usize::from(record.node));
        let name = name.map_or_else(|| format!("node {}", record.node), |name| text::label(name));
        let mut silent = false;
        let words = match &record.fact {
            Fact::Crashed => {
                silent = true;
                format!("{name} crashes")
            }
            Fact::Paused => {
                silent = true;
                format!("{name} stands still")
            }
            Fact::Resumed => format!("{name} goes on"),
            Fact::Booted { boot } if *boot > 0 => format!("{name} boots again"),
            Fact::Role { role, epoch } if LEADING.contains(&role.as_str()) => {
                format!("{name} believes to be {role} in epoch {epoch}")
            }
            Fact::AssertionFailed { name: assertion, .. } => {
                format!("{name} breaks {}", text::label(assertion))
            }
            _ => continue,
        };
        let seen = if silent { format!("{name} does not answer") } else { String::new() };
        rows.push(Event { seen, ..happened(record.ns, "node", "node", words) });
    }
}

fn anomalies(run: &Run, rows: &mut Vec<Event>) {
    for anomaly in summary::anomalies(run).into_iter().take(ANOMALIES_MAX) {
        if let Some(ns) = anomaly.at_ns {
            let words = format!("{}: {}", anomaly.code, text::clip(&anomaly.explanation, 220));
            rows.push(happened(ns, "anomaly", "anomaly", words));
        }
    }
}

/// Errors, latency and alerts.
fn seen(sheet: &Sheet<'_>) -> Vec<Event> {
    let mut rows = Vec::new();
    let width = sheet.bins.width_ns;
    let bins = &sheet.blast.bins;
    let failing = |place: usize| bins[place].failed * 100 > bins[place].operations.max(1);
    for (from, to) in episodes(bins.len(), failing) {
        let (failed, all) = bins[from..to].iter().fold((0, 0), |(failed, all), touched| {
            (failed + touched.failed, all + touched.operations)
        });
        let share = failed * 1_000 / all.max(1);
        let words = format!(
            "more than 1% of operations fail for {}: {} of {} ({}.{}%)",
            tick_label((to - from) as u64 * width),
            text::count(failed),
            text::count(all),
            share / 10,
            share % 10
        );
        rows.push(saw(from as u64 * width, words));
    }
    let slow_ns = sheet.blast.slow_ns.unwrap_or(u64::MAX);
    let slow = |place: usize| {
        let latency = sheet.bins.bins.get(place).and_then(|bin| bin.latency);
        latency.is_some_and(|latency| latency.p99 > slow_ns)
    };
    for (from, to) in episodes(bins.len(), slow) {
        let latencies = sheet.bins.bins[from..to].iter().filter_map(|bin| bin.latency);
        let worst = latencies.map(|latency| latency.p99).max().unwrap_or(0);
        let words = format!(
            "the 99th percentile of latency is above {} for {}: {} at worst",
            text::short_duration(slow_ns),
            tick_label((to - from) as u64 * width),
            text::short_duration(worst)
        );
        rows.push(saw(from as u64 * width, words));
    }
    rows.extend(alerts(sheet.run));
    rows
}

/// Alerts that fire and are over.
fn alerts(run: &Run) -> Vec<Event> {
    let told = |alert: alerts::Fired| {
        let over =
            alert.over_ns.map(|ns| saw(ns, format!("the alert over {} is over", alert.windows)));
        [Some(saw(alert.at_ns, format!("the alert over {} {}", alert.windows, alert.verb))), over]
    };
    alerts::fired(run).into_iter().flat_map(told).flatten().collect()
}

/// Stretches of bins of which something holds; one bin between two of them is no end.
fn episodes(count: usize, holds: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut episodes: Vec<(usize, usize)> = Vec::new();
    for place in (0..count).filter(|place| holds(*place)) {
        match episodes.last_mut() {
            Some((_, to)) if place <= *to + 1 => *to = place + 1,
            _ => episodes.push((place, place + 1)),
        }
    }
    episodes
}

#[cfg(test)]
mod tests {
    use super::episodes;

    #[test]
    fn a_single_bin_of_calm_does_not_end_an_episode() {
        let bad = [false, true, true, false, true, false, false, true];
        assert_eq!(episodes(bad.len(), |place| bad[place]), [(1, 5), (7, 8)]);
        assert_eq!(episodes(0, |_| true), []);
    }
}
