//! A check as text for a terminal.

use wrack_history::check::Check;
use wrack_history::verdict::Counterexample;
use wrack_history::{Anomaly, Judgement, Verdict};

use crate::human::{anomalies, document, promise, section};
use crate::{summary, text};

const KEYS_MAX: usize = 20;

/// The whole text, ending with a line feed.
pub(crate) fn text(check: &Check, explain: bool) -> String {
    let run = &check.run;
    let mut lines = vec![first_line(check)];
    if run.verdict != Verdict::Valid {
        lines.push(format!("  {}", summary::examined_of(run)));
    }
    lines.extend(section("anomalies", anomalies(run)));
    if explain {
        let found = run.anomalies().filter_map(|one| Some((one, one.counterexample.as_ref()?)));
        lines.extend(found.flat_map(|(one, found)| section(&heading(one), paper(found))));
    }
    lines.extend(section("keys", keys(check)));
    lines.extend(section("levels", levels(check)));
    if run.judgements.len() > 1 && check.levels.is_empty() {
        lines.extend(section("promises", run.judgements.iter().map(promise)));
    }
    let assumed = check.assumed.iter();
    lines.extend(section("assumed", assumed.map(|a| format!("{:<11} {}", a.name, a.words))));
    document(lines)
}

/// The file, the verdict, and the sentence that goes with it.
fn first_line(check: &Check) -> String {
    let run = &check.run;
    let said = match run.verdict {
        Verdict::Valid => format!("valid: {}", summary::examined_of(run)),
        Verdict::Unknown => {
            let doubts = summary::doubts(run);
            format!("unknown: {}", doubts.first().map_or("no reason given", String::as_str))
        }
        Verdict::Invalid => {
            let first = summary::first_anomaly(run);
            let told =
                first.map(|one| format!("{}: {}", one.code, text::paragraph(&one.explanation)));
            format!("INVALID, {}", told.unwrap_or_default())
        }
    };
    format!("{}: {said}", check.path)
}

fn heading(anomaly: &Anomaly) -> String {
    match &anomaly.key {
        Some(key) => format!("on paper: {} of key {}", anomaly.code, text::label(key)),
        None => format!("on paper: {}", anomaly.code),
    }
}

/// Isolation levels from weak to strong, and what stands behind one that does not hold.
fn levels(check: &Check) -> Vec<String> {
    let line = |(name, holds): &(&str, Option<bool>)| {
        let word = match holds {
            Some(true) => "holds",
            Some(false) => "broken",
            None => "unknown",
        };
        format!("{name:<34} {word}")
    };
    check.levels.iter().map(line).collect()
}

/// A contradiction to be followed on paper.
fn paper(found: &Counterexample) -> Vec<String> {
    let steps = found.operations.iter().enumerate();
    let mut lines: Vec<String> =
        steps.map(|(place, step)| format!("({}) {}", place + 1, step.text)).collect();
    let links = found.cycle.iter();
    lines.extend(
        links.map(|link| format!("T{} → T{}  {:<8} {}", link.from, link.to, link.kind, link.text)),
    );
    if !found.cycle.is_empty() || found.legal.is_empty() && found.blocked.is_empty() {
        return lines;
    }
    let legal = summary::legal(found);
    lines.push(match legal.is_empty() {
        true => format!("nothing can come first: the object is worth {}", found.state),
        false => format!(
            "a legal order goes as far as {}; the object is then worth {}",
            legal.join(" "),
            found.state
        ),
    });
    let blocked = summary::blocked(found).into_iter();
    lines.extend(blocked.map(|step| format!("and this cannot come next: {step}")));
    lines
}

/// Which keys are broken and which are unknown, where there are several.
fn keys(check: &Check) -> Vec<String> {
    let keys: Vec<_> = check.run.judgements.iter().flat_map(Judgement::keys).collect();
    if keys.len() < 2 {
        return Vec::new();
    }
    let line = |verdict: Verdict| {
        let of: Vec<&str> =
            keys.iter().filter(|(_, other)| *other == verdict).map(|(key, _)| *key).collect();
        let more = of.len().saturating_sub(KEYS_MAX);
        let more = if more > 0 {
            format!(", and {} more", text::count(more as u64))
        } else {
            String::new()
        };
        let shown: Vec<String> = of.iter().take(KEYS_MAX).map(|key| text::label(key)).collect();
        (!of.is_empty()).then(|| {
            format!(
                "{:<8}{} of {}: {}{more}",
                verdict.to_string(),
                of.len(),
                keys.len(),
                shown.join(", ")
            )
        })
    };
    [Verdict::Invalid, Verdict::Unknown].into_iter().filter_map(line).collect()
}
