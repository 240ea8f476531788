//! A gate as Markdown, for the summary of a job.

use wrack_history::gate::{Case, Finding, Gate, Level};

use super::{heading, place, sentence, total};
use crate::text;

/// GitHub refuses a summary of more than 1 MiB.
const BYTES_MAX: usize = 900 * 1024;
/// What is said at the end fits into this.
const REST_BYTES_MAX: usize = 200;

/// The page.
pub(crate) fn page(gate: &Gate) -> String {
    let mut page = format!("## wrack gate\n\n{}\n\n", escaped(&total(gate)));
    let findings: Vec<_> = gate.all();
    if !findings.is_empty() {
        page += "| level | group | finding | seeds | replay |\n| --- | --- | --- | --- | --- |\n";
        let rows = findings.iter().map(|(case, finding)| finding_row(*case, finding));
        append(&mut page, rows, "findings");
        page.push('\n');
    }
    if !gate.cases.is_empty() {
        page += "| group | expected | as it should be | level |\n| --- | --- | --- | --- |\n";
        append(&mut page, gate.cases.iter().map(case_row), "groups");
    }
    page
}

/// Adds the rows for which there is room, and counts the others.
fn append(page: &mut String, rows: impl Iterator<Item = String>, what: &str) {
    let mut left_out = 0;
    for row in rows {
        if left_out > 0 || page.len() + row.len() + 2 * REST_BYTES_MAX > BYTES_MAX {
            left_out += 1;
        } else {
            page.push_str(&row);
        }
    }
    if left_out > 0 {
        *page += &format!("\n{} are left out: see gate.json\n", text::counted(left_out, what));
    }
}

fn finding_row(case: Option<&Case>, finding: &Finding) -> String {
    let replay = finding.replay.as_ref().map_or_else(String::new, |command| code(command));
    format!(
        "| {} | {} | **{}**: {} | {} | {replay} |\n",
        level(finding.level),
        escaped(&place(case)),
        escaped(&heading(finding)),
        escaped(&sentence(finding)),
        finding.seeds,
    )
}

fn case_row(case: &Case) -> String {
    let Case { expected, found, seeds, .. } = case;
    let place = escaped(&place(Some(case)));
    let level = if case.level == Level::Note { "pass".into() } else { level(case.level) };
    format!("| {place} | {} | {found} of {seeds} | {level} |\n", escaped(expected))
}

fn level(level: Level) -> String {
    if level.passes() { level.word().into() } else { format!("**{}**", level.word()) }
}

/// A command as code: in a table a pipe ends the cell even there.
fn code(command: &str) -> String {
    format!("`{}`", command.replace('`', "'").replace('|', "\\|").replace(['\n', '\r'], " "))
}

/// A text that means nothing but itself, in one line.
fn escaped(text: &str) -> String {
    let one = |c: char| match c {
        '\n' | '\r' => " ".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '&' => "&amp;".into(),
        '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '@' => format!("\\{c}"),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}
