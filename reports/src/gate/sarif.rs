//! A gate as SARIF 2.1.0.

use std::collections::BTreeMap;

use serde_json::json;
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, Message, MultiformatMessageString, Notification,
    PhysicalLocation, Region, ReportingDescriptor, Result, ResultLevel, Run, Sarif, Tool,
    ToolComponent,
};
use wrack_history::gate::{Case, Class, Finding, Gate, Level};

use super::{heading, sentence};
use crate::text;

/// The document.
pub(crate) fn json(gate: &Gate) -> String {
    let findings = gate.all();
    let of_cases = || findings.iter().filter_map(|(case, finding)| Some(((*case)?, *finding)));
    let rules: BTreeMap<_, _> =
        of_cases().map(|(_, finding)| (&finding.name, rule(&finding.name))).collect();
    let driver = ToolComponent::builder()
        .name("wrack")
        .semantic_version(&*gate.wrack_version)
        .rules(rules.into_values().collect::<Vec<_>>())
        .build();
    // What is said of the whole has no place in a file.
    let invocation = Invocation::builder()
        .execution_successful(gate.level.passes())
        .tool_execution_notifications(gate.findings.iter().map(notification).collect::<Vec<_>>())
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .results(of_cases().map(|(case, finding)| result(case, finding)).collect::<Vec<_>>())
        .invocations(vec![invocation])
        .column_kind(json!("unicodeCodePoints"))
        .build();
    let sarif = Sarif::builder()
        .schema("https://json.schemastore.org/sarif-2.1.0.json")
        .version(json!("2.1.0"))
        .runs(vec![run])
        .build();
    serde_json::to_string_pretty(&sarif).expect("a report is plain data") + "\n"
}

fn rule(name: &str) -> ReportingDescriptor {
    let words = MultiformatMessageString::builder().text(text::code_and_name(name)).build();
    ReportingDescriptor::builder().id(name).short_description(words).build()
}

fn result(case: &Case, finding: &Finding) -> Result {
    let replay = finding.replay.as_ref();
    let replay = replay.map_or_else(String::new, |command| format!(" Replay: {command}"));
    let words = format!("{} {}: {}{replay}", case.variant, heading(finding), sentence(finding));
    let identity = format!("{}/{}/{}", case.scenario, case.variant, finding.name);
    let place = PhysicalLocation::builder()
        .artifact_location(ArtifactLocation::builder().uri(uri(&case.path)).build())
        .region(Region::builder().start_line(case.line as i64).build())
        .build();
    let result = Result::builder()
        .rule_id(&*finding.name)
        .level(level(finding.level))
        .message(Message::builder().text(words).build())
        .locations(vec![Location::builder().physical_location(place).build()])
        .partial_fingerprints(BTreeMap::from([("wrack/v1".to_owned(), identity)]))
        .build();
    // The builder would write what is absent as null, which the schema refuses.
    Result { baseline_state: baseline_state(finding.class), ..result }
}

fn level(level: Level) -> ResultLevel {
    match level {
        Level::Note => ResultLevel::Note,
        Level::Warning => ResultLevel::Warning,
        Level::Unknown | Level::Regression | Level::Failure => ResultLevel::Error,
    }
}

fn baseline_state(class: Class) -> Option<serde_json::Value> {
    match class {
        Class::New => Some(json!("new")),
        Class::Ongoing => Some(json!("unchanged")),
        Class::Resolved | Class::Rare => Some(json!("absent")),
        _ => None,
    }
}

fn notification(finding: &Finding) -> Notification {
    let words = format!("{}: {}", heading(finding), sentence(finding));
    Notification::builder()
        .level(json!(level(finding.level)))
        .message(Message::builder().text(words).build())
        .build()
}

/// A path as a reference of RFC 3986.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encoded: String = path
        .bytes()
        .map(|byte| match byte {
            b'\\' => "/".into(),
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    if encoded.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri("./scenarios/raft/a b.toml"), "scenarios/raft/a%20b.toml");
        assert_eq!(uri("/home/ä.toml"), "file:///home/%C3%A4.toml");
    }
}
