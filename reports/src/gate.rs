//! What a gate decided, for people and for the systems that run it.

pub(crate) mod annotations;
pub(crate) mod code_quality;
pub(crate) mod human;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod sarif;

use wrack_history::gate::{Case, Class, Finding, Gate, Level};

use crate::text;

/// `new LIN`; the class alone where the name says no more.
fn heading(finding: &Finding) -> String {
    let (class, name) = (finding.class.word(), text::code_and_name(&finding.name));
    match finding.class {
        Class::Unknown | Class::Nondeterminism => class.into(),
        _ => format!("{class} {name}"),
    }
}

/// What a finding says, with its seeds and how to replay it.
fn sentence(finding: &Finding) -> String {
    let mut words = text::sentence(&finding.text);
    if let Some(first) = finding.first_seed {
        words += &format!(" [{}, first {first}]", text::counted(finding.seeds, "seeds"));
    }
    words
}

/// `raft/leader-isolated reference`, or what is said of the whole.
fn place(case: Option<&Case>) -> String {
    case.map_or_else(|| "gate".into(), |case| format!("{} {}", case.scenario, case.variant))
}

/// One line for the whole: `failure: 1 of 3 groups does not pass; 60 seeds`.
fn total(gate: &Gate) -> String {
    let stopped = gate.cases.iter().filter(|case| !case.level.passes()).count() as u64;
    let seeds: u64 = gate.cases.iter().map(|case| case.seeds).sum();
    let word = match gate.level {
        Level::Note => "pass",
        level => level.word(),
    };
    format!(
        "{word}: {} of {} stopped; {}",
        text::count(stopped),
        text::counted(gate.cases.len() as u64, "groups"),
        text::counted(seeds, "runs")
    )
}
