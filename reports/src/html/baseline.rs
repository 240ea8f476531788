//! What is different from another run: what was run, which promises hold, and what was measured.
//!
//! A run is a function of scenario, variant, seed and version: with the same four there is no difference,
//! and any that is shown has a cause. Between seeds it may be chance, which the panel says.

use std::borrow::Cow;
use std::collections::BTreeSet;

use askama::Template;
use wrack_history::gate::{Measured, Unit};
use wrack_history::{Judgement, Run, Verdict};

use super::charts::Charts;
use super::mark::Mark;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::blast::Blast;
use crate::plot::Chart;
use crate::plot::bins::{Bin, Bins, Quantiles};
use crate::plot::lines::{self, Line, Lines};
use crate::plot::time::{TimeAxis, tick_label};
use crate::text;

/// Changes below so many thousandths of the larger number are no change.
const SAME_PER_MILLE: u128 = 10;

#[derive(Template)]
#[template(path = "baseline.html")]
struct Body<'a> {
    lead: String,
    identity: Vec<[String; 3]>,
    promises: Vec<Row>,
    measured: Vec<Row>,
    charts: Charts<'a>,
}

/// Something of both runs.
struct Row {
    what: String,
    before: String,
    now: String,
    change: String,
    mark: Mark,
}

/// The panel, if there is a baseline.
pub(crate) fn panel(sheet: &Sheet<'_>, baseline: Option<&Run>) -> Option<Panel> {
    let baseline = baseline?;
    let axis = TimeAxis::of(baseline);
    let bins = Bins::gather(&axis, &baseline.history.operations);
    let identity = identity(baseline, sheet.run);
    let promises = promises(baseline, sheet.run);
    let measured = measured(sheet, baseline, &bins);
    let of_kind = |kind: &str| {
        let rows = promises.iter().chain(&measured);
        rows.filter(|row| row.mark.kind == kind).count()
    };
    let count = format!("{} worse, {} better", of_kind("bad"), of_kind("good"));
    let body = Body {
        lead: lead(baseline, sheet.run),
        identity,
        promises,
        measured,
        charts: Charts { lead: "", charts: charts(sheet, baseline) },
    };
    let panel = sheet.panel("baseline", "Difference to a baseline", Audience::OnCall, body);
    Some(panel.counted(count))
}

fn name(run: &Run) -> String {
    format!("{} {}, seed {}", text::label(&run.scenario), text::label(&run.variant), run.seed)
}

fn lead(baseline: &Run, run: &Run) -> String {
    let name = name(baseline);
    if baseline.trace_hash == run.trace_hash && !run.trace_hash.is_empty() {
        return format!("The baseline, {name}, went the same way, event for event.");
    }
    let chance = match baseline.seed == run.seed {
        true => "Both have the same seed, so every difference has a cause in what is listed first.",
        false => {
            "The seeds differ, so a difference may be chance: `wrack gate` compares many seeds."
        }
    };
    format!("The baseline is {name}. {chance}")
}

/// What was run, where it differs.
fn identity(baseline: &Run, run: &Run) -> Vec<[String; 3]> {
    type Field = (&'static str, fn(&Run) -> String);
    let fields: [Field; 7] = [
        ("Wrack", |run| text::label(&run.wrack_version)),
        ("Scenario", |run| text::label(&run.scenario)),
        ("Scenario hash", |run| text::label(&run.scenario_hash)),
        ("Design", |run| text::label(&run.design)),
        ("Variant", |run| text::label(&run.variant)),
        ("Seed", |run| run.seed.to_string()),
        ("Engine", |run| text::label(&run.engine)),
    ];
    let differ = fields.into_iter().filter(|(_, of)| of(baseline) != of(run));
    differ.map(|(what, of)| [what.into(), of(baseline), of(run)]).collect()
}

/// The verdict and every promise of either.
fn promises(baseline: &Run, run: &Run) -> Vec<Row> {
    let of = |run: &Run| -> Vec<(String, Verdict, String)> {
        let one = |one: &Judgement| {
            let observed = one.observed.as_ref().map(|observed| text::label(observed));
            (one.code.to_string(), one.verdict, observed.unwrap_or_default())
        };
        run.judgements.iter().map(one).collect()
    };
    let (before, now) = (of(baseline), of(run));
    let codes: BTreeSet<&String> = before.iter().chain(&now).map(|(code, _, _)| code).collect();
    let found = |all: &[(String, Verdict, String)], code: &String| {
        let found = all.iter().find(|(other, _, _)| other == code);
        found.map(|(_, verdict, observed)| (*verdict, observed.clone()))
    };
    let verdict =
        row("Verdict", Some((baseline.verdict, String::new())), Some((run.verdict, String::new())));
    let promised = codes
        .into_iter()
        .map(|code| row(&text::code_and_name(code), found(&before, code), found(&now, code)));
    [verdict].into_iter().chain(promised).collect()
}

/// One promise: valid is better than unknown, and that is better than invalid.
fn row(what: &str, before: Option<(Verdict, String)>, now: Option<(Verdict, String)>) -> Row {
    let told = |side: &Option<(Verdict, String)>| match side {
        None => "not judged".into(),
        Some((verdict, observed)) if observed.is_empty() => verdict.to_string(),
        Some((verdict, observed)) => format!("{verdict}; {observed}"),
    };
    let mark = match (&before, &now) {
        (Some((before, _)), Some((now, _))) => by_order(now.cmp(before)),
        _ => Mark { kind: "none", word: "other" },
    };
    Row { what: what.into(), before: told(&before), now: told(&now), change: String::new(), mark }
}

/// How the second compares with the first, if less is better.
fn by_order(order: std::cmp::Ordering) -> Mark {
    match order {
        std::cmp::Ordering::Less => Mark::good("better"),
        std::cmp::Ordering::Equal => Mark { kind: "none", word: "the same" },
        std::cmp::Ordering::Greater => Mark::bad("worse"),
    }
}

/// Numbers of both.
fn measured(sheet: &Sheet<'_>, baseline: &Run, bins: &Bins) -> Vec<Row> {
    let run = sheet.run;
    let blast = Blast::measure(baseline, bins);
    let whole = [&blast.whole, &sheet.blast.whole];
    let latency = [bins.overall, sheet.bins.overall];
    let took = |of: fn(&Quantiles) -> u64| latency.map(|one| one.as_ref().map(of));
    let share = |failed: u64, all: u64| (all > 0).then(|| failed * 1_000_000 / all.max(1));
    let both = |of: fn(&Run) -> u64| [baseline, run].map(|run| Some(of(run)));
    let mut rows = vec![
        numbers("Operations", Unit::Count, None, both(|run| run.counts.total())),
        numbers(
            "Share not served",
            Unit::PerMillion,
            Some(false),
            whole.map(|whole| share(whole.failed, whole.operations)),
        ),
        numbers("Latency, half within", Unit::Ns, Some(false), took(|took| took.p50)),
        numbers("Latency, 99% within", Unit::Ns, Some(false), took(|took| took.p99)),
        numbers("Latency, at most", Unit::Ns, Some(false), took(|took| took.max)),
        numbers("Anomalies", Unit::Count, Some(false), both(|run| run.anomalies().count() as u64)),
        numbers(
            "Faults that bit",
            Unit::Count,
            None,
            both(|run| run.faults.iter().filter(|fault| fault.effect > 0).count() as u64),
        ),
        numbers("Messages", Unit::Count, None, both(|run| run.messages)),
        numbers("Disk writes", Unit::Count, None, both(|run| run.writes)),
    ];
    rows.extend(objectives(baseline, run));
    rows
}

/// Objectives that both measured.
fn objectives(baseline: &Run, run: &Run) -> Vec<Row> {
    let of = |run: &Run, name: &str| -> Option<Measured> {
        run.slos.iter().find(|slo| slo.name == name)?.measured
    };
    let common = run.slos.iter().filter_map(|slo| {
        let (before, now) = (of(baseline, &slo.name)?, slo.measured?);
        (before.unit == now.unit).then(|| {
            let both = [before, now].map(|one| Some(one.number));
            numbers(&text::label(&slo.name), now.unit, Some(now.higher_is_better), both)
        })
    });
    common.collect()
}

/// A number of both; `higher_is_better` is absent where neither is.
fn numbers(
    what: &str,
    unit: Unit,
    higher_is_better: Option<bool>,
    [before, now]: [Option<u64>; 2],
) -> Row {
    let told = |side: Option<u64>| side.map_or("–".into(), |number| number_of(number, unit));
    let (change, mark) = match (before, now) {
        (Some(before), Some(now)) => {
            let (distance, larger) = (before.abs_diff(now), before.max(now));
            let differs = u128::from(distance) * 1_000 > u128::from(larger) * SAME_PER_MILLE;
            let order = if differs { now.cmp(&before) } else { std::cmp::Ordering::Equal };
            let mark = match higher_is_better {
                Some(true) => by_order(order.reverse()),
                Some(false) => by_order(order),
                None if differs => Mark { kind: "none", word: "other" },
                None => by_order(std::cmp::Ordering::Equal),
            };
            (changed(before, now, unit), mark)
        }
        _ => (String::new(), Mark { kind: "none", word: "unknown" }),
    };
    Row { what: what.into(), before: told(before), now: told(now), change, mark }
}

fn number_of(number: u64, unit: Unit) -> String {
    match unit {
        Unit::Ns => text::short_duration(number),
        Unit::Count => text::count(number),
        Unit::PerMillion => format!("{}.{:02}%", number / 10_000, number % 10_000 / 100),
    }
}

/// `+12 (+40%)`; shares in points.
fn changed(before: u64, now: u64, unit: Unit) -> String {
    let sign = match now.cmp(&before) {
        std::cmp::Ordering::Less => "−",
        std::cmp::Ordering::Equal => return "–".into(),
        std::cmp::Ordering::Greater => "+",
    };
    let distance = before.abs_diff(now);
    if unit == Unit::PerMillion {
        return format!("{sign}{}.{:02} points", distance / 10_000, distance % 10_000 / 100);
    }
    let share = u128::from(distance) * 100 / u128::from(before.max(1));
    let share = (before > 0 && (1..10_000).contains(&share)).then(|| format!(" ({sign}{share}%)"));
    format!("{sign}{}{}", number_of(distance, unit), share.unwrap_or_default())
}

/// Both over the axis of this run.
fn charts(sheet: &Sheet<'_>, baseline: &Run) -> Vec<Chart> {
    let width_ns = sheet.bins.width_ns;
    let before = Bins::within(&sheet.axis, width_ns, &baseline.history.operations);
    let line = |name: &str, bins: &Bins, of: fn(&Bin) -> u64| Line {
        name: name.into(),
        points: Cow::Owned(bins.iter().map(|(ns, bin)| (ns, of(bin) as i64)).collect()),
    };
    let both = |of: fn(&Bin) -> u64| {
        vec![line("this run", &sheet.bins, of), line("baseline", &before, of)]
    };
    let served = lines::chart(
        &sheet.backdrop(),
        Lines {
            id: "baseline-served",
            title: &format!("Operations that ended ok, in each {}", tick_label(width_ns)),
            caption: "By the time of their invocation, of this run and of the baseline. Faults are those of this run.",
            unit: Unit::Count,
            limit: None,
            lines: both(|bin| bin.ok),
        },
    );
    let slow = lines::chart(
        &sheet.backdrop(),
        Lines {
            id: "baseline-latency",
            title: "99th percentile of latency",
            caption: "Of the operations that ended ok, by the time of their invocation, of this run and of the \
                      baseline; 0 where none did. Faults are those of this run.",
            unit: Unit::Ns,
            limit: None,
            lines: both(|bin| bin.latency.map_or(0, |latency| latency.p99)),
        },
    );
    [served, slow].into_iter().flatten().collect()
}
