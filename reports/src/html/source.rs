//! The scenario file, with the lines marked that this run is about.

use askama::Template;
use wrack_history::{Run, Verdict};

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::band;
use crate::text;

/// More lines of a scenario file are counted.
const LINES_MAX: usize = 3_000;
const LINE_CHARS_MAX: usize = 400;

#[derive(Template)]
#[template(path = "source.html")]
struct Source {
    lines: Vec<Line>,
    left_out: usize,
}

struct Line {
    number: usize,
    text: String,
    /// Why it matters; empty if it is like any other.
    why: String,
}

/// The panel, if the run knows its file.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let source = &sheet.run.scenario_source;
    if source.is_empty() {
        return None;
    }
    let reasons = reasons(sheet.run, source);
    let lines: Vec<Line> = (1..)
        .zip(source.lines())
        .take(LINES_MAX)
        .zip(reasons)
        .map(|((number, text), why)| Line { number, text: text::clip(text, LINE_CHARS_MAX), why })
        .collect();
    let marked = lines.iter().filter(|line| !line.why.is_empty()).count() as u64;
    let left_out = source.lines().count() - lines.len();
    let panel = sheet.panel("source", "The scenario", Audience::Debug, Source { lines, left_out });
    Some(panel.counted(format!("{} marked", text::counted(marked, "lines"))))
}

/// What a header opens: a table of the scenario file.
enum Section {
    /// The fault of this number, from 0.
    Fault(usize),
    /// The objective of this number.
    Slo(usize),
    /// The variant of this name.
    Variant(String),
    /// The promise of this code.
    Guarantee(String),
    /// Any other.
    Other,
}

/// For every line why it matters. A header and the keys below it share a reason, which stands at the
/// header alone.
fn reasons(run: &Run, source: &str) -> Vec<String> {
    let (mut faults, mut slos, mut open) = (0, 0, None);
    let mut reasons = Vec::new();
    for line in source.lines() {
        let bare = line.split('#').next().unwrap_or("").trim();
        if let Some(name) = bare.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
            let section = match name.trim() {
                "fault" => next(&mut faults, Section::Fault),
                "slo" => next(&mut slos, Section::Slo),
                _ => Section::Other,
            };
            open = why(run, &section);
            reasons.push(open.clone().unwrap_or_default());
            continue;
        }
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let named =
                |kind: &str| name.strip_prefix(kind).map(|rest| rest.trim_matches('"').to_owned());
            let section = match (named("variants."), named("guarantees.")) {
                (Some(variant), _) => Section::Variant(variant),
                (_, Some(code)) => Section::Guarantee(code),
                _ => Section::Other,
            };
            open = why(run, &section);
            reasons.push(open.clone().unwrap_or_default());
            continue;
        }
        let same = open.is_some() && !bare.is_empty();
        reasons.push(if same { "″".into() } else { String::new() });
    }
    reasons
}

fn next(count: &mut usize, section: fn(usize) -> Section) -> Section {
    *count += 1;
    section(*count - 1)
}

fn why(run: &Run, section: &Section) -> Option<String> {
    match section {
        Section::Fault(number) => fault(run, *number),
        Section::Slo(number) => {
            let slo = run.slos.get(*number).filter(|slo| slo.met != Some(true))?;
            let said = if slo.met.is_some() { "missed" } else { "too little data" };
            Some(format!("{}: {said}", text::label(&slo.name)))
        }
        Section::Variant(name) => (*name == run.variant)
            .then(|| format!("this run: expected {}", text::label(&run.expected))),
        Section::Guarantee(code) => {
            let broken = |one: &&wrack_history::Judgement| {
                one.code == code.as_str() && one.verdict != Verdict::Valid
            };
            let judgement = run.judgements.iter().find(broken)?;
            Some(format!("{code}: {}", judgement.verdict))
        }
        Section::Other => None,
    }
}

/// Which faults of the run an entry became: entries of a schedule are numbered as they stand.
fn fault(run: &Run, number: usize) -> Option<String> {
    let of =
        |(_, fault): &(usize, &wrack_history::fault::ResolvedFault)| fault.id as usize == number;
    let all = run.faults.iter().enumerate().filter(of);
    let labels: Vec<String> = all.clone().map(|(place, _)| band::label(place)).collect();
    let bit = all.filter(|(_, fault)| fault.effect > 0).count();
    match labels.as_slice() {
        [] => None,
        [only] => Some(format!("{only}: {}", if bit > 0 { "bit" } else { "did not bite" })),
        [first, .., last] => Some(format!("{first} to {last}: {bit} of {} bit", labels.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::reasons;
    use wrack_history::Run;
    use wrack_history::run::Slo;

    #[test]
    fn lines_of_the_variant_and_of_a_missed_objective_are_marked() {
        let source = "title = \"x\"\n\n[variants.reference]\nexpect = \"valid\"\n\n[[slo]]\nmetric = \"M1\"\n";
        let missed = Slo {
            name: "M1".into(),
            objective: String::new(),
            observed: String::new(),
            met: Some(false),
            measured: None,
            pooled: None,
        };
        let run = Run {
            variant: "reference".into(),
            expected: "valid".into(),
            slos: vec![missed],
            ..Run::default()
        };
        let expected = ["", "", "this run: expected valid", "″", "", "M1: missed", "″"];
        assert_eq!(reasons(&run, source), expected);
    }
}
