//! A gate as JUnit XML.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use wrack_history::gate::{Finding, Gate, Level};

use super::{heading, sentence};

/// The document.
pub(crate) fn xml(gate: &Gate) -> String {
    let mut report = Report::new("wrack gate");
    let mut whole = TestSuite::new("gate");
    whole.add_test_case(case("gate", "gate", &gate.findings));
    report.add_test_suite(whole);
    for cases in gate.cases.chunk_by(|a, b| a.scenario == b.scenario) {
        let mut suite = TestSuite::new(&*cases[0].scenario);
        for one in cases {
            suite.add_test_case(case(&one.scenario, &one.variant, &one.findings));
        }
        report.add_test_suite(suite);
    }
    report.to_string().expect("writing to memory succeeds")
}

/// A test case; the findings come with the worst first.
fn case(scenario: &str, variant: &str, findings: &[Finding]) -> TestCase {
    let worst = findings.first().filter(|finding| !finding.level.passes());
    let told = |findings: &mut dyn Iterator<Item = &Finding>| {
        findings.map(told).collect::<Vec<_>>().join("\n")
    };
    let status = worst.map_or_else(TestCaseStatus::success, |worst| {
        let kind = match worst.level {
            Level::Unknown => NonSuccessKind::Error,
            _ => NonSuccessKind::Failure,
        };
        let mut status = TestCaseStatus::non_success(kind);
        let stopping = &mut findings.iter().filter(|finding| !finding.level.passes());
        status
            .set_type(heading(worst))
            .set_message(sentence(worst))
            .set_description(told(stopping));
        status
    });
    let mut case = TestCase::new(variant, status);
    case.set_classname(scenario);
    let rest = told(&mut findings.iter().filter(|finding| finding.level.passes()));
    if !rest.is_empty() {
        case.set_system_out(rest);
    }
    case
}

fn told(finding: &Finding) -> String {
    let replay = finding.replay.as_ref();
    let replay = replay.map_or_else(String::new, |command| format!("\n  replay: {command}"));
    format!("{}: {}: {}{replay}", finding.level.word(), heading(finding), sentence(finding))
}
