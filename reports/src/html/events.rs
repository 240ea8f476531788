//! One time line of what happened, and beside it what an operator would have seen.

use askama::Template;
use wrack_history::{Fact, Run};

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::time::tick_label;
use crate::{summary, text};

/// More events than this are counted.
const EVENTS_MAX: usize = 400;
/// More of one kind in a row say no more.
const ANOMALIES_MAX: usize = 40;
const LEADING: [&str; 8] =
    ["leader", "primary", "owner", "holder", "coordinator", "operator", "active", "master"];

#[derive(Template)]
#[template(path = "events.html")]
struct Events {
    lead: String,
    rows: Vec<Event>,
    left_out: usize,
}

/// Something that happened, or that somebody would have seen.
struct Event {
    ns: u64,
    at: String,
    /// `fault`, `node`, `anomaly` or `seen`.
    kind: &'static str,
    /// A word for the kind.
    word: &'static str,
    happened: String,
    seen: String,
}

/// The panel.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let mut rows = Vec::new();
    faults(sheet, &mut rows);
    nodes(sheet.run, &mut rows);
    anomalies(sheet.run, &mut rows);
    let seen = seen(sheet);
    let lead = lead(sheet.run, seen.len());
    rows.extend(seen);
    if rows.is_empty() {
        return None;
    }
    rows.sort_by_key(|row| row.ns);
    let left_out = rows.len().saturating_sub(EVENTS_MAX);
    rows.truncate(EVENTS_MAX);
    let body = Events { lead, rows, left_out };
    Some(sheet.panel("events", "What happened, and what was to be seen", Audience::OnCall, body))
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
        rows.push(happened(band.from_ns, "fault", "fault", format!("{} begins", band.words)));
        if band.to_ns > band.from_ns {
            let words = format!("{} {} is over", band.label, band.kind);
            rows.push(happened(band.to_ns, "fault", "heal", words));
        }
    }
}

fn nodes(run: &Run, rows: &mut Vec<Event>) {
    for record in &run.facts {
        let name = run.nodes.get(usize::from(record.node));
        let name = name.map_or_else(|| format!("node {}", record.node), |name| text::label(name));
        let words = match &record.fact {
            Fact::Crashed => format!("{name} crashes"),
            Fact::Paused => format!("{name} stands still"),
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
        rows.push(happened(record.ns, "node", "node", words));
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

fn alerts(run: &Run) -> Vec<Event> {
    let burns = run.picture.budget.iter().flat_map(|budget| &budget.burns);
    let fired = burns.filter_map(|burn| Some((burn.fired_ns?, burn)));
    let told = fired.map(|(ns, burn)| {
        let verb = if burn.severity == "page" { "pages" } else { "files a ticket" };
        saw(ns, format!("the alert over {} {verb}", text::label(&burn.windows)))
    });
    told.collect()
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
