//! What was asked of which kind, how it ended, and how long it took.

use std::borrow::Cow;

use askama::Template;
use hdrhistogram::Histogram;
use wrack_history::gate::Unit;
use wrack_history::{Moment, Operation, Outcome, SmolStr};

use super::charts::Charts;
use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::bins::{Quantiles, histogram, quantiles};
use crate::plot::lines::{self, Line, Lines};
use crate::plot::time::tick_label;
use crate::plot::{Chart, rate_label};
use crate::text;

/// Functions of more names than this are gathered into one row.
const FUNCTIONS_MAX: usize = 24;
const OUTCOMES: [Outcome; 3] = [Outcome::Ok, Outcome::Fail, Outcome::Info];

#[derive(Template)]
#[template(path = "functions.html")]
struct Body<'a> {
    rows: Vec<[String; 9]>,
    charts: Charts<'a>,
}

/// Operations of one function.
struct Function {
    name: SmolStr,
    /// By outcome and by the bins of all plots.
    bins: [Vec<u64>; 3],
    latency: Histogram<u64>,
    slowest_ns: u64,
}

/// The panel, if anything was asked.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let functions = gather(sheet);
    if functions.is_empty() {
        return None;
    }
    let charts = Charts { lead: "", charts: chart(sheet, &functions).into_iter().collect() };
    let rows = functions.iter().map(|function| function.row(sheet)).collect();
    let panel =
        sheet.panel("functions", "Throughput by function", Audience::OnCall, Body { rows, charts });
    Some(panel.counted(text::counted(functions.len() as u64, "functions")))
}

/// Functions with their operations, those that were asked most first.
fn gather(sheet: &Sheet<'_>) -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    for operation in &sheet.run.history.operations {
        let known = functions.iter().position(|one| one.name == operation.function);
        let place = known.unwrap_or_else(|| {
            if functions.len() <= FUNCTIONS_MAX {
                let others = functions.len() == FUNCTIONS_MAX;
                let name = if others { "others".into() } else { operation.function.clone() };
                functions.push(Function::new(name, sheet.bins.bins.len()));
            }
            functions.len() - 1
        });
        functions[place].count(operation, sheet.bins.width_ns);
    }
    functions.sort_by_key(|one| std::cmp::Reverse(one.total()));
    functions
}

impl Function {
    fn new(name: SmolStr, bins: usize) -> Self {
        let bins = OUTCOMES.map(|_| vec![0; bins]);
        Self { name, bins, latency: histogram(&[]), slowest_ns: 0 }
    }

    fn count(&mut self, operation: &Operation, width_ns: u64) {
        let bins = &mut self.bins[operation.outcome as usize];
        if let Some(bin) = bins.get_mut((operation.invoke.ns / width_ns) as usize) {
            *bin += 1;
        }
        if operation.is_ok() && operation.complete != Moment::NEVER {
            let took_ns = operation.complete.ns.saturating_sub(operation.invoke.ns);
            self.latency.record(took_ns).expect("a histogram that resizes takes every latency");
            self.slowest_ns = self.slowest_ns.max(took_ns);
        }
    }

    fn sum(&self, outcome: Outcome) -> u64 {
        self.bins[outcome as usize].iter().sum()
    }

    fn total(&self) -> u64 {
        OUTCOMES.iter().map(|outcome| self.sum(*outcome)).sum()
    }

    /// Name, in all, ok, fail, info, ok per second, and latencies of those that ended ok.
    fn row(&self, sheet: &Sheet<'_>) -> [String; 9] {
        let [ok, fail, info] = OUTCOMES.map(|outcome| self.sum(outcome));
        let milli = u128::from(ok) * 1_000_000_000_000 / u128::from(sheet.axis.end_ns);
        let milli = u64::try_from(milli).unwrap_or(u64::MAX);
        let took = quantiles(&self.latency, self.slowest_ns);
        let took = |of: fn(&Quantiles) -> u64| {
            took.as_ref().map_or("–".into(), |took| text::short_duration(of(took)))
        };
        [
            text::label(&self.name),
            text::count(self.total()),
            text::count(ok),
            text::count(fail),
            text::count(info),
            rate_label(if milli < 10_000 { milli / 10 * 10 } else { milli / 1_000 * 1_000 }),
            took(|took| took.p50),
            took(|took| took.p99),
            took(|took| took.max),
        ]
    }
}

/// A line for each function and outcome that occurred: first how much of each ended ok, then the rest.
fn chart(sheet: &Sheet<'_>, functions: &[Function]) -> Option<Chart> {
    let width_ns = sheet.bins.width_ns;
    let mut lines = Vec::new();
    for outcome in OUTCOMES {
        let occurred = functions.iter().filter(|function| function.sum(outcome) > 0);
        lines.extend(occurred.map(|function| {
            Line {
                name: format!(
                    "{} {}: {} in all",
                    text::label(&function.name),
                    text::outcome(outcome),
                    text::count(function.sum(outcome))
                ),
                points: Cow::Owned(
                    (0..)
                        .map(|place: u64| place * width_ns)
                        .zip(function.bins[outcome as usize].iter().map(|count| *count as i64))
                        .collect(),
                ),
            }
        }));
    }
    lines::chart(
        &sheet.backdrop(),
        Lines {
            id: "by-function",
            title: &format!("Operations by function and outcome, in each {}", tick_label(width_ns)),
            caption: "How many operations of each function were invoked in each stretch of time, by how they \
                      ended.",
            unit: Unit::Count,
            limit: None,
            lines,
        },
    )
}
