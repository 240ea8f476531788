//! What a gate writes for CI systems: readable by readers that are not ours, whatever it says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use wrack_history::gate::{Case, Class, Finding, GATE_FORMAT, Gate, Level};

/// Text that means something to every format that it is written in.
const HOSTILE: &str = "n1 read 100%,\r\n::error::| <b>`a`</b> & ]]> \"x\" \u{1b}[31m \u{0} ä 🦀";

fn finding(level: Level, class: Class, text: &str) -> Finding {
    Finding {
        level,
        class,
        name: "LIN".into(),
        text: text.into(),
        seeds: 2,
        first_seed: Some(7),
        replay: Some("wrack run 'a|b.toml' --variant reference --seed 7".into()),
        result: Some("raft/a/reference/7".into()),
    }
}

fn case(variant: &str, findings: Vec<Finding>) -> Case {
    Case {
        scenario: "raft/a".into(),
        variant: variant.into(),
        path: "scenarios/raft/a b,c:d.toml".into(),
        line: 19,
        expected: "valid".into(),
        found: 18,
        seeds: 20,
        level: findings.iter().map(|finding| finding.level).max().unwrap_or_default(),
        findings,
        metrics: BTreeMap::new(),
    }
}

fn gate(findings: Vec<Finding>, cases: Vec<Case>) -> Gate {
    let all = cases.iter().flat_map(|case| &case.findings).chain(&findings);
    let level = all.map(|finding| finding.level).max().unwrap_or_default();
    Gate { format: GATE_FORMAT, wrack_version: "0.1.0".into(), level, findings, cases }
}

/// One of everything, the worst first.
fn everything() -> Gate {
    let all = vec![
        finding(Level::Failure, Class::New, HOSTILE),
        finding(Level::Failure, Class::Nondeterminism, HOSTILE),
        finding(Level::Regression, Class::Metric, HOSTILE),
        finding(Level::Unknown, Class::Rare, HOSTILE),
        finding(Level::Warning, Class::Ongoing, HOSTILE),
        finding(Level::Note, Class::Resolved, HOSTILE),
    ];
    let unknown = vec![finding(Level::Unknown, Class::Unknown, HOSTILE)];
    let cases = vec![case("reference", all), case(HOSTILE, Vec::new()), case("unknown", unknown)];
    gate(vec![finding(Level::Unknown, Class::Unknown, HOSTILE)], cases)
}

/// Every gate that tells something of its own.
fn gates() -> [Gate; 3] {
    [everything(), gate(Vec::new(), Vec::new()), gate(Vec::new(), vec![case("reference", vec![])])]
}

/// What a command of the toolchain prints.
fn printed(program: &str, words: &[&str]) -> String {
    let output =
        Command::new(program).args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The schema of SARIF 2.1.0, which stands beside the types that are made from it.
fn sarif_schema() -> Value {
    // Packages of other platforms need not be here: cargo is asked for this one's alone.
    let version = printed("rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let words = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    let metadata: Value = serde_json::from_str(&printed(env!("CARGO"), &words)).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|one| one["name"] == "serde-sarif").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let text = std::fs::read_to_string(manifest.with_file_name("src/schema.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    // Its pattern of languages is no regular expression of ECMA: a bracket closes that is not open.
    for of in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][of]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern");
    }
    schema
}

#[test]
fn sarif_is_what_its_public_schema_says() {
    let schema = sarif_schema();
    assert_eq!(schema["properties"]["version"]["enum"], json!(["2.1.0"]));
    let validator = jsonschema::draft7::new(&schema).unwrap();
    for gate in gates() {
        let sarif: Value = serde_json::from_str(&wrack_reports::gate_sarif(&gate)).unwrap();
        let errors: Vec<_> = validator.iter_errors(&sarif).map(|one| one.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    let broken = json!({ "version": "2.1.0", "runs": [{ "tool": {} }] });
    assert!(!validator.is_valid(&broken), "the schema refuses what is wrong");
}

#[test]
fn sarif_places_a_finding_at_the_line_of_its_scenario() {
    let sarif: Value = serde_json::from_str(&wrack_reports::gate_sarif(&everything())).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 7);
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "scenarios/raft/a%20b%2Cc%3Ad.toml");
    assert_eq!(place["region"]["startLine"], 19);
    assert_eq!(results[0]["baselineState"], "new");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!((rules.len(), &rules[0]["id"]), (1, &json!("LIN")));
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn junit_counts_failures_and_what_is_unknown_as_errors() {
    let xml = wrack_reports::gate_junit(&everything());
    let report = junit_parser::from_reader(xml.as_bytes()).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (4, 1, 2));
    let names: Vec<_> = report.suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(names, ["gate", "raft/a"]);
    let failed = &report.suites[1].cases[0];
    let junit_parser::TestStatus::Failure(failure) = &failed.status else { panic!("{failed:?}") };
    assert!(failure.message.contains("n1 read 100%"), "{failure:?}");
    assert!(failure.text.contains("--seed 7"), "{failure:?}");
    let passed = wrack_reports::gate_junit(&gates()[2]);
    let report = junit_parser::from_reader(passed.as_bytes()).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (2, 0, 0));
}

/// Reads workflow commands as GitHub documents them.
fn commands(text: &str) -> Vec<(String, BTreeMap<String, String>, String)> {
    let plain = |text: &str| {
        let codes = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
        codes.iter().fold(text.to_owned(), |text, (code, c)| text.replace(code, c))
    };
    text.lines()
        .map(|line| {
            let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (word, properties) = head.split_once(' ').unwrap();
            let properties = properties.split(',').map(|one| {
                let (name, value) = one.split_once('=').unwrap();
                (name.to_owned(), plain(value))
            });
            (word.to_owned(), properties.collect(), plain(message))
        })
        .collect()
}

#[test]
fn annotations_are_the_nine_worst_and_a_summary() {
    let many = vec![finding(Level::Warning, Class::Ongoing, HOSTILE); 20];
    let mut gate = everything();
    gate.cases.push(case("more", many));
    let commands = commands(&wrack_reports::gate_annotations(&gate));
    assert_eq!(commands.len(), 10);
    let (word, properties, message) = &commands[0];
    assert_eq!((word.as_str(), properties["line"].as_str()), ("error", "19"));
    assert_eq!(properties["file"], "scenarios/raft/a b,c:d.toml");
    assert!(message.contains("::error::"), "{message}");
    assert_eq!(commands[9].1["title"], "wrack gate");
    assert!(commands[9].2.contains("19 more findings"), "{}", commands[9].2);
}

#[test]
fn markdown_stays_below_what_github_takes_and_counts_the_rest() {
    let page = wrack_reports::gate_markdown(&everything());
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| **")).collect();
    assert_eq!(rows.len(), 6);
    for row in rows {
        let cells = row.replace("\\|", "").matches('|').count();
        assert_eq!(cells, 6, "{row}");
        assert!(!row.contains("<b>"), "{row}");
    }
    let long = "x".repeat(3_000);
    let many = vec![finding(Level::Failure, Class::New, &long); 500];
    let cases = (0..5_000).map(|_| case("reference", Vec::new()));
    let page = wrack_reports::gate_markdown(&gate(many, cases.collect()));
    assert!(page.len() <= 900 * 1024, "{}", page.len());
    assert!(page.contains("findings are left out: see gate.json"));
    assert!(page.contains("groups are left out: see gate.json"));
}

/// What GitLab asks of a code quality report.
///
/// Source: "Code Quality report format" of GitLab's documentation.
#[test]
fn code_quality_is_what_gitlab_asks_for() {
    let text = json!({ "type": "string", "minLength": 1 });
    let schema = json!({ "type": "array", "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": text, "check_name": text, "fingerprint": text,
            "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
            "location": { "type": "object", "required": ["path", "lines"], "properties": {
                "path": { "type": "string", "pattern": "^[^./]|^\\.$" },
                "lines": { "type": "object", "required": ["begin"],
                    "properties": { "begin": { "type": "integer", "minimum": 1 } } },
            } },
        },
    } });
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for gate in gates() {
        let issues: Value = serde_json::from_str(&wrack_reports::gate_code_quality(&gate)).unwrap();
        assert!(validator.is_valid(&issues), "{issues:#}");
        let issues = issues.as_array().unwrap();
        let prints: std::collections::BTreeSet<_> =
            issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
        assert_eq!((issues.len(), prints.len()), (gate.all().len(), gate.all().len()));
    }
}

#[test]
fn people_read_the_worst_first_and_one_line_for_the_whole() {
    let told = wrack_reports::gate_human(&everything());
    let first = told.lines().next().unwrap();
    assert!(
        first.starts_with("FAILURE: raft/a reference: new LIN (linearizability): n1"),
        "{first}"
    );
    assert!(told.ends_with("failure: 2 of 3 groups stopped; 60 runs\n"), "{told}");
    assert!(!told.contains('\u{1b}'));
}
