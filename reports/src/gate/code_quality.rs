//! A gate as a code quality report of GitLab: the part of the Code Climate format that it reads.

use std::collections::BTreeMap;

use serde::Serialize;
use wrack_history::gate::{Gate, Level};

use super::{heading, place, sentence};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// The document.
pub(crate) fn json(gate: &Gate) -> String {
    let mut known: BTreeMap<String, u64> = BTreeMap::new();
    let mut issues = Vec::new();
    for (case, finding) in gate.all() {
        let identity = format!("{}: {} {}", place(case), finding.class.word(), finding.name);
        let count = known.entry(identity.clone()).or_default();
        *count += 1;
        issues.push(Issue {
            description: format!("{}: {}: {}", place(case), heading(finding), sentence(finding)),
            check_name: finding.name.clone(),
            fingerprint: format!("{identity} {count}"),
            severity: severity(finding.level),
            location: Location {
                path: case.map_or(".", |case| case.path.trim_start_matches("./")).to_owned(),
                lines: Lines { begin: case.map_or(1, |case| case.line) },
            },
        });
    }
    serde_json::to_string_pretty(&issues).expect("a report is plain data") + "\n"
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Note => "info",
        Level::Warning => "minor",
        Level::Unknown => "major",
        Level::Regression => "critical",
        Level::Failure => "blocker",
    }
}
