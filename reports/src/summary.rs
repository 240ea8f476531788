//! The one sentence that a run is summed up in.

use wrack_history::history::Counts;
use wrack_history::verdict::Counterexample;
use wrack_history::{Anomaly, Judgement, Run, Verdict};

use crate::text;

/// What happened, in one line: operations by outcome, what was examined, which faults bit.
pub(crate) fn evidence(run: &Run) -> String {
    let mut parts = vec![operations(&run.counts)];
    parts.extend(leading(run).map(examined));
    parts.push(faults(run));
    parts.extend(missed_slos(run));
    parts.join("; ")
}

/// `3,012 operations (2,941 ok, 60 fail, 11 info)`.
fn operations(counts: &Counts) -> String {
    format!(
        "{} ({} ok, {} fail, {} info)",
        text::counted(counts.total(), "operations"),
        text::count(counts.ok),
        text::count(counts.fail),
        text::count(counts.info),
    )
}

/// The judgement to speak of first: of the expected anomaly, else the first that looked at reads,
/// else at anything.
fn leading(run: &Run) -> Option<&Judgement> {
    let looked = || run.judgements.iter().filter(|j| !j.examined.is_empty());
    looked()
        .find(|judgement| judgement.code == run.expected)
        .or_else(|| looked().find(|judgement| judgement.examined.contains_key("reads")))
        .or_else(|| looked().next())
}

/// What was looked at, without faults and objectives: of a history of somebody else's.
pub(crate) fn examined_of(run: &Run) -> String {
    let parts = [Some(operations(&run.counts)), leading(run).map(examined)];
    let by = leading(run).and_then(|judgement| judgement.algorithm.as_ref());
    let by = by.map(|algorithm| format!("decided by {algorithm}"));
    parts.into_iter().flatten().chain(by).collect::<Vec<_>>().join("; ")
}

/// The numbers of the operations of a legal order, as they are listed.
pub(crate) fn legal(found: &Counterexample) -> Vec<String> {
    let number = |id: &u64| found.operations.iter().position(|step| step.id == *id);
    found.legal.iter().filter_map(number).map(|place| format!("({})", place + 1)).collect()
}

/// The operations that cannot come next, as they are listed.
pub(crate) fn blocked(found: &Counterexample) -> Vec<String> {
    let steps = found.operations.iter().enumerate();
    let blocked = steps.filter(|(_, step)| found.blocked.contains(&step.id));
    blocked.map(|(place, step)| format!("({}) {}", place + 1, step.text)).collect()
}

/// `LIN examined 1,480 reads on 5 keys`.
fn examined(judgement: &Judgement) -> String {
    let counts = match (judgement.examined.get("reads"), judgement.examined.get("keys")) {
        (Some(reads), Some(keys)) => {
            format!("{} on {}", text::counted(*reads, "reads"), text::counted(*keys, "keys"))
        }
        _ => examined_counts(judgement),
    };
    format!("{} examined {counts}", judgement.code)
}

/// `1,480 reads on 5 keys`; keys come last, whatever their place in the alphabet.
pub(crate) fn examined_counts(judgement: &Judgement) -> String {
    let things: Vec<String> = judgement
        .examined
        .iter()
        .filter(|(what, _)| *what != "keys")
        .map(|(what, number)| text::counted(*number, what))
        .collect();
    match judgement.examined.get("keys") {
        Some(keys) if things.is_empty() => text::counted(*keys, "keys"),
        Some(keys) => format!("{} on {}", text::list(&things), text::counted(*keys, "keys")),
        None => text::list(&things),
    }
}

/// `3 of 3 faults bit`.
pub(crate) fn faults(run: &Run) -> String {
    let bit = run.faults.iter().filter(|fault| fault.effect > 0).count();
    match run.faults.len() {
        0 => "no faults".into(),
        all => {
            format!("{} of {} bit", text::count(bit as u64), text::counted(all as u64, "faults"))
        }
    }
}

/// `1 of 3 objectives missed`, if one was.
fn missed_slos(run: &Run) -> Option<String> {
    let missed = run.slos.iter().filter(|slo| slo.met == Some(false)).count();
    (missed > 0).then(|| {
        format!("{missed} of {} missed", text::counted(run.slos.len() as u64, "objectives"))
    })
}

/// The anomaly to tell first: one that nobody expected, else the expected one, else the first.
pub(crate) fn first_anomaly(run: &Run) -> Option<&Anomaly> {
    run.anomalies()
        .find(|anomaly| run.foreign.contains(&anomaly.code))
        .or_else(|| run.anomalies().find(|anomaly| anomaly.code == run.expected))
        .or_else(|| run.anomalies().next())
}

/// All anomalies, the one to tell first before the others.
pub(crate) fn anomalies(run: &Run) -> Vec<&Anomaly> {
    let first = first_anomaly(run);
    let is_first = |one: &&Anomaly| first.is_some_and(|first| std::ptr::eq(first, *one));
    first.into_iter().chain(run.anomalies().filter(|one| !is_first(one))).collect()
}

/// Codes of all anomalies that were found, each once, in the order of the judgements.
pub(crate) fn codes_found(run: &Run) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for anomaly in run.anomalies() {
        if !codes.iter().any(|code| *code == anomaly.code) {
            codes.push(anomaly.code.to_string());
        }
    }
    codes
}

/// Why the verdict is unknown.
pub(crate) fn doubts(run: &Run) -> Vec<String> {
    if !run.doubts.is_empty() {
        return run.doubts.clone();
    }
    run.judgements
        .iter()
        .filter_map(|judgement| {
            let reason = judgement.reason.as_ref()?;
            Some(format!("{}: {reason}", judgement.code))
        })
        .collect()
}

/// `as expected` or `not as expected`.
pub(crate) fn expectation(run: &Run) -> &'static str {
    if run.as_expected { "as expected" } else { "not as expected" }
}

/// Whether an anomaly is expected of the variant, and this seed did not show it.
pub(crate) fn expected_not_found(run: &Run) -> bool {
    run.expected != "valid" && !run.expected.is_empty() && !run.found()
}

/// The verdict as a headline: `VALID`.
pub(crate) fn headline(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "VALID",
        Verdict::Unknown => "UNKNOWN",
        Verdict::Invalid => "INVALID",
    }
}

/// One sentence that a person who knows nothing of checkers understands.
pub(crate) fn statement(run: &Run) -> String {
    match run.verdict {
        Verdict::Valid => match run.judgements.len() {
            0 => "Nothing was promised, and nothing was judged.".into(),
            1 => format!("The promise held: {}.", promised(run)),
            all => format!("All {all} promises held: {}.", promised(run)),
        },
        Verdict::Unknown => "Whether the promises held cannot be said.".into(),
        Verdict::Invalid => {
            let codes: Vec<String> =
                codes_found(run).iter().map(|code| text::code_and_name(code)).collect();
            match codes.len() {
                0 => "A promise was broken.".into(),
                1 => format!("A promise was broken: {}.", codes[0]),
                _ => format!("{} promises were broken: {}.", codes.len(), text::list(&codes)),
            }
        }
    }
}

/// How far the verdict can be trusted, and why.
pub(crate) fn confidence(run: &Run) -> String {
    let examined = match run.judgements.len() as u64 {
        0 => return "Nothing was judged, so nothing is known.".into(),
        all => text::counted(all, "checkers"),
    };
    match run.verdict {
        Verdict::Invalid => {
            "Certain: the operations below contradict the promise by themselves, whatever else \
                             happened."
                .into()
        }
        Verdict::Unknown => "None: too little happened, or a bound was met, as said above.".into(),
        Verdict::Valid => format!(
            "For this seed: {examined} looked at all of it and found nothing. One seed says little of others: \
             `wrack sweep` runs many."
        ),
    }
}

fn promised(run: &Run) -> String {
    const NAMES_MAX: usize = 6;
    let name = |code: &str| match text::guarantee(code) {
        "" => text::label(code),
        name => name.to_owned(),
    };
    let codes = run.judgements.iter().map(|judgement| judgement.code.as_str());
    let mut names: Vec<String> = codes.take(NAMES_MAX).map(name).collect();
    let left_out = run.judgements.len().saturating_sub(NAMES_MAX);
    if left_out > 0 {
        names.push(format!("{left_out} more"));
    }
    text::list(&names)
}
