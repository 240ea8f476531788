//! A gate as workflow commands of GitHub.

use wrack_history::gate::{Case, Finding, Gate, Level};

use super::{heading, sentence, total};

/// GitHub shows ten annotations of a step: these and a summary.
const SHOWN_MAX: usize = 9;

/// The nine worst and a summary, one a line.
pub(crate) fn lines(gate: &Gate) -> String {
    let all = gate.all();
    let more = match all.len().saturating_sub(SHOWN_MAX) {
        0 => String::new(),
        more => format!("; {more} more findings are in gate.json"),
    };
    let shown = all.iter().take(SHOWN_MAX).map(|(case, finding)| line(*case, finding));
    let summary = command(gate.level, &[("title", "wrack gate")], &(total(gate) + &more));
    shown.chain([summary]).collect()
}

fn line(case: Option<&Case>, finding: &Finding) -> String {
    let replay = finding.replay.as_ref();
    let replay = replay.map_or_else(String::new, |command| format!("\nreplay: {command}"));
    let words = sentence(finding) + &replay;
    let Some(case) = case else {
        return command(finding.level, &[("title", &heading(finding))], &words);
    };
    let title = format!("{} {}: {}", case.scenario, case.variant, heading(finding));
    let line = case.line.to_string();
    command(finding.level, &[("file", &case.path), ("line", &line), ("title", &title)], &words)
}

fn command(level: Level, properties: &[(&str, &str)], message: &str) -> String {
    let word = match level {
        Level::Note => "notice",
        Level::Warning => "warning",
        Level::Unknown | Level::Regression | Level::Failure => "error",
    };
    let property = |(name, value): &(&str, &str)| format!("{name}={}", escaped(value, ",:"));
    let properties: Vec<_> = properties.iter().map(property).collect();
    format!("::{word} {}::{}\n", properties.join(","), escaped(message, ""))
}

/// What GitHub asks for: a line end would end the command, a comma or colon a property.
fn escaped(text: &str, more: &str) -> String {
    let one = |c: char| match c {
        '%' | '\r' | '\n' => format!("%{:02X}", c as u32),
        c if more.contains(c) => format!("%{:02X}", c as u32),
        c => c.into(),
    };
    text.chars().map(one).collect()
}
