//! One run as text for a terminal.
//!
//! The caller owns colours and the terminal's width; here a line is a line.

use std::fmt::Write;

use wrack_history::alert::Alert;
use wrack_history::fault::ResolvedFault;
use wrack_history::run::Slo;
use wrack_history::{Judgement, Run, Verdict};

use crate::{summary, text};

const ANOMALIES_MAX: usize = 10;
const FAULTS_MAX: usize = 40;

/// Where to go on from the text: only the caller knows these.
#[derive(Clone, Copy, Debug, Default)]
pub struct Links<'a> {
    /// The path of the HTML report.
    pub report: Option<&'a str>,
    /// The command that replays the run.
    pub replay: Option<&'a str>,
}

/// The whole text, ending with a line feed.
pub(crate) fn text(run: &Run, links: &Links<'_>) -> String {
    let mut lines = vec![first_line(run)];
    lines.extend(notes(run));
    lines.extend(section("anomalies", anomalies(run)));
    lines.extend(section("faults", faults(run)));
    lines.extend(section("promises", run.judgements.iter().map(promise)));
    lines.extend(section("objectives", run.slos.iter().map(objective)));
    lines.extend(section("alerts", run.alerts.iter().map(alert)));
    lines.extend(section("next", next(links)));
    document(lines)
}

/// Lines as a text, without control characters.
pub(crate) fn document(lines: Vec<String>) -> String {
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{}", plain(line.trim_end())).expect("a string takes every text");
    }
    text
}

/// The verdict, and the sentence that goes with it.
fn first_line(run: &Run) -> String {
    match run.verdict {
        Verdict::Valid => format!("valid: 1 seed, {}", summary::evidence(run)),
        Verdict::Unknown => {
            let doubts = summary::doubts(run);
            let reason = doubts.first().map_or("no reason given", String::as_str);
            format!("unknown: {reason}")
        }
        Verdict::Invalid => {
            let found = summary::codes_found(run).join(", ");
            let explanation = summary::first_anomaly(run).map_or("", |a| a.explanation.as_str());
            let shown = if run.as_expected { &run.expected } else { &found };
            format!(
                "INVALID, {} ({} → {shown}): {}",
                summary::expectation(run),
                run.variant,
                text::paragraph(explanation)
            )
        }
    }
}

/// What the first line does not say: further doubts, the evidence, a find that was expected.
fn notes(run: &Run) -> Vec<String> {
    let mut notes = Vec::new();
    if run.not_deterministic {
        notes.push(format!("  on {}: not deterministic, another run may differ", run.engine));
    }
    if run.verdict != Verdict::Valid {
        notes.push(format!("  {}", summary::evidence(run)));
    }
    if run.verdict == Verdict::Unknown {
        let doubts = summary::doubts(run);
        notes.extend(doubts.iter().skip(1).map(|doubt| format!("  also: {doubt}")));
    }
    if !run.as_expected {
        notes.push(format!("  expected of {}: {}", run.variant, run.expected));
    } else if summary::expected_not_found(run) {
        notes.push(format!(
            "  {} is expected of {} and was not found with this seed",
            run.expected, run.variant
        ));
    }
    notes
}

/// A heading and its lines, if there are any.
pub(crate) fn section(heading: &str, lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let lines: Vec<String> = lines.into_iter().collect();
    if lines.is_empty() {
        return lines;
    }
    let heading = [String::new(), heading.to_owned()];
    let indented = lines.into_iter().map(|line| format!("  {line}"));
    heading.into_iter().chain(indented).collect()
}

/// All anomalies, unless the first line tells the only one.
pub(crate) fn anomalies(run: &Run) -> Vec<String> {
    let total = run.anomalies().count();
    if total < 2 {
        return Vec::new();
    }
    let mut lines: Vec<String> = run
        .anomalies()
        .take(ANOMALIES_MAX)
        .map(|anomaly| format!("{:<8}{}", anomaly.code, text::paragraph(&anomaly.explanation)))
        .collect();
    lines.extend(left_out(total, ANOMALIES_MAX));
    lines
}

fn faults(run: &Run) -> Vec<String> {
    let mut lines: Vec<String> = run.faults.iter().take(FAULTS_MAX).map(fault).collect();
    lines.extend(left_out(run.faults.len(), FAULTS_MAX));
    lines
}

/// `partition: n3 from the others, 5.000 s to 12.000 s: 123 messages dropped, 22 operations open`.
fn fault(fault: &ResolvedFault) -> String {
    let span = match (fault.injected_ns, fault.healed_ns) {
        (None, _) => "never injected".to_owned(),
        (Some(from), None) => format!("at {}", text::moment(from)),
        (Some(from), Some(to)) => format!("{} to {}", text::moment(from), text::moment(to)),
    };
    let touched = match fault.effect {
        0 => format!("did not bite (0 {})", fault.unit),
        effect => text::effect(effect, &fault.unit),
    };
    let detail = match fault.detail.as_str() {
        "" => String::new(),
        detail => format!(": {detail}"),
    };
    let open = text::counted(fault.operations_open, "operations");
    format!("{}{detail}, {span}: {touched}, {open} open", fault.kind)
}

/// `STALE   valid    bounded staleness in time, bound 5s: observed 0.112 s at most; 1,480 reads`.
pub(crate) fn promise(judgement: &Judgement) -> String {
    let mut line = format!("{:<8}{:<9}", judgement.code, judgement.verdict.to_string());
    let mut parts = vec![text::guarantee(&judgement.code).to_owned()];
    parts.extend(judgement.bound.as_ref().map(|bound| format!("bound {bound}")));
    parts.extend(judgement.observed.as_ref().map(|seen| format!("observed {seen}")));
    if !judgement.examined.is_empty() {
        parts.push(format!("examined {}", summary::examined_counts(judgement)));
    }
    parts.extend(judgement.reason.clone());
    parts.retain(|part| !part.is_empty());
    line.push_str(&parts.join("; "));
    line
}

/// `met     availability >= 99.9%: 99.95% (3,012 operations)`.
fn objective(slo: &Slo) -> String {
    let met = match slo.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "unknown",
    };
    format!("{met:<8}{} {}: {}", slo.name, slo.objective, slo.observed)
}

/// `page    1h/5m at 14.4: would have fired at 51.850 s, 51.850 s after it began, over 303 s later`.
fn alert(alert: &Alert) -> String {
    let Alert { windows, severity, burn_rate_tenths, .. } = alert;
    let rate = format!("{}.{}", burn_rate_tenths / 10, burn_rate_tenths % 10);
    let answer = match (alert.fired_ns, alert.detected_after_ns, alert.recovered_after_ns) {
        (None, ..) => "would not have fired".to_owned(),
        (Some(at), after, over) => {
            let after = after.map(|ns| format!(", {} after it began", text::moment(ns)));
            let over = over.map(|ns| format!(", over {} later", text::moment(ns)));
            let at = text::moment(at);
            format!(
                "would have fired at {at}{}{}",
                after.unwrap_or_default(),
                over.unwrap_or_default()
            )
        }
    };
    format!("{severity:<8}{windows} at {rate}: {answer}")
}

fn next(links: &Links<'_>) -> Vec<String> {
    let report = links.report.map(|path| format!("report  {path}"));
    let replay = links.replay.map(|command| format!("replay  {command}"));
    report.into_iter().chain(replay).collect()
}

fn left_out(total: usize, shown_max: usize) -> Option<String> {
    let left_out = total.saturating_sub(shown_max) as u64;
    (left_out > 0).then(|| format!("and {} more, in the report", text::count(left_out)))
}

/// Keeps what a run says from steering the terminal.
fn plain(line: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    line.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}
