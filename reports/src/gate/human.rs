//! A gate as text for a terminal.

use wrack_history::gate::{Finding, Gate, Level};

use super::{heading, place, sentence, total};
use crate::human::document;

/// The whole text, ending with a line feed.
pub(crate) fn text(gate: &Gate) -> String {
    let findings = gate.all().into_iter().flat_map(|(case, finding)| {
        let at = case.map(|case| format!("  at {}:{}", case.path, case.line));
        let line = format!(
            "{}: {}: {}: {}",
            word(finding),
            place(case),
            heading(finding),
            sentence(finding)
        );
        let replay = finding.replay.as_ref().map(|command| format!("  replay: {command}"));
        [Some(line), at, replay].into_iter().flatten()
    });
    document(findings.chain([total(gate)]).collect())
}

fn word(finding: &Finding) -> String {
    match finding.level {
        level @ (Level::Note | Level::Warning) => level.word().into(),
        level => level.word().to_uppercase(),
    }
}
