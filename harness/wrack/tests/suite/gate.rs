//! `wrack gate`: what passes, what does not, and with which exit code.

use std::path::{Path, PathBuf};

use crate::program::{Ran, TWO_SERVICES, run, short_scenario};

/// A folder with one scenario, and a gate over it.
struct Gated {
    folder: tempfile::TempDir,
    scenario: PathBuf,
}

impl Gated {
    /// A scenario that holds.
    fn good() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = short_scenario(folder.path(), "short", &[]);
        Self { folder, scenario }
    }

    /// A scenario that does not.
    fn bad() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = folder.path().join("blind.toml");
        let blind = TWO_SERVICES.replace("variants.reference", "variants.blind_rmw");
        std::fs::write(&scenario, blind).unwrap();
        Self { folder, scenario }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the gate with two seeds; words that begin with `@` are files of the folder.
    fn gate(&self, more: &[&str]) -> Ran {
        let more: Vec<String> = more.iter().map(|word| self.word(word)).collect();
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let out = self.path("out");
        let words = ["gate", text(&self.scenario), "--seeds", "0..2", "--out", text(&out)];
        run(&[&words[..], &more[..]].concat())
    }

    fn word(&self, word: &str) -> String {
        word.strip_prefix('@').map_or_else(|| word.into(), |name| text(&self.path(name)).into())
    }

    /// The baseline with a text replaced.
    fn replace(&self, from: &str, to: &str) {
        let baseline = self.read("baseline.json");
        assert!(baseline.contains(from), "{from} is in {baseline}");
        self.write("baseline.json", &baseline.replacen(from, to, 1));
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn check(ran: &Ran, code: i32, contains: &str) {
    let told = format!("{}{}", ran.out, ran.err);
    assert_eq!(ran.code, code, "{told}");
    assert!(told.contains(contains), "{contains:?} is in {told}");
}

const BASELINE: [&str; 2] = ["--baseline", "@baseline.json"];
const WRITE: [&str; 2] = ["--write-baseline", "@baseline.json"];
const POLICY: [&str; 2] = ["--policy", "@gate.toml"];

#[test]
fn what_holds_passes_and_its_baseline_is_read_back_byte_for_byte() {
    let gated = Gated::good();
    check(&gated.gate(&WRITE), 0, "pass: 0 of 1 group stopped; 2 runs");
    let first = gated.read("baseline.json");
    let again = ["--write-baseline", "@again.json"];
    check(&gated.gate(&[BASELINE, again].concat()), 0, "pass");
    assert_eq!(gated.read("again.json"), first);
    for name in ["junit.xml", "wrack.sarif", "annotations.txt", "summary.md", "gate.json"] {
        assert!(gated.path("out").join(name).is_file(), "{name}");
    }
    let json = gated.gate(&["--format", "json"]).out;
    assert_eq!(json, gated.read("out/gate.json"));
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&value["level"], &value["cases"][0]["found"]), (&"note".into(), &2.into()));
}

#[test]
fn an_anomaly_is_new_then_goes_on_and_passes_only_as_long_as_the_policy_says() {
    let gated = Gated::bad();
    let new = gated.gate(&WRITE);
    check(&new, 1, "FAILURE: ");
    check(&new, 1, "new LUPD (no lost update)");
    check(&new, 1, "--variant blind_rmw --seed 0");
    let junit = gated.read("out/junit.xml");
    let report = junit_parser::from_reader(junit.as_bytes()).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (2, 1, 0));
    check(&gated.gate(&BASELINE), 1, "ongoing LUPD");
    let name = gated.folder.path().file_name().unwrap().to_str().unwrap().to_owned();
    let allow = |finding: &str| {
        format!(
            "[[allow]]\nscenario = \"{name}/blind\"\nvariant = \"blind_rmw\"\n\
             finding = \"{finding}\"\nbecause = \"we know\"\nuntil = 2026-12-31\n"
        )
    };
    let findings: Vec<String> = ["LUPD", "LIN", "LOST"].iter().map(|one| allow(one)).collect();
    gated.write("gate.toml", &findings.concat());
    let at = |day| gated.gate(&[&BASELINE[..], &POLICY[..], &["--today", day]].concat());
    check(&at("2026-12-31"), 0, "allowed until 2026-12-31: we know");
    check(&at("2027-01-01"), 1, "was allowed until 2026-12-31");
    check(&gated.gate(&POLICY), 1, "only what is in the baseline may go on");
}

#[test]
fn what_is_gone_is_resolved_or_rare() {
    let gated = Gated::good();
    gated.gate(&WRITE);
    gated.replace("\"findings\": {}", "\"findings\": { \"LIN\": 2 }");
    check(&gated.gate(&BASELINE), 0, "note: ");
    check(&gated.gate(&BASELINE), 0, "resolved LIN");
    gated.replace("\"LIN\": 2", "\"LIN\": 1");
    check(&gated.gate(&BASELINE), 2, "rare LIN");
}

#[test]
fn a_metric_that_is_worse_than_the_baseline_exits_3() {
    let gated = Gated::good();
    gated.gate(&WRITE);
    let baseline: serde_json::Value = serde_json::from_str(&gated.read("baseline.json")).unwrap();
    let p99 = &baseline["groups"][0]["metrics"]["latency-p99"]["number"];
    let better = p99.as_u64().unwrap() - 1;
    gated.replace(&format!("\"number\": {p99}"), &format!("\"number\": {better}"));
    check(&gated.gate(&BASELINE), 3, "metric latency-p99");
    gated.write("gate.toml", "[[metric]]\nname = \"latency-p99\"\nfloor = \"1us\"\n");
    check(&gated.gate(&[BASELINE, POLICY].concat()), 0, "pass");
}

#[test]
fn what_is_not_known_exits_2_and_is_an_error_for_junit() {
    let gated = Gated::good();
    gated.write("gate.toml", "minimum = { ok_operations = 1000000 }\n");
    check(&gated.gate(&[POLICY, WRITE].concat()), 2, "at least 1000000 are needed");
    let junit = gated.read("out/junit.xml");
    let report = junit_parser::from_reader(junit.as_bytes()).unwrap();
    assert_eq!((report.failures, report.errors), (0, 1));
    assert!(!gated.path("baseline.json").exists(), "what is unknown is no baseline");

    let vacuous = short_scenario(
        gated.folder.path(),
        "vacuous",
        &[("open_in_fault = 5", "open_in_fault = 5000")],
    );
    let gated = Gated { scenario: vacuous, ..gated };
    check(&gated.gate(&[]), 2, "operations were open during fault");
}

#[test]
fn no_scenario_at_all_exits_2() {
    let gated = Gated::good();
    let empty = gated.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let gated = Gated { scenario: empty, ..gated };
    check(&gated.gate(&[]), 2, "No scenario ran");
    assert!(gated.read("out/junit.xml").contains("<error"));
}

#[test]
fn a_scenario_that_is_gone_since_the_baseline_exits_2() {
    let gated = Gated::good();
    gated.gate(&WRITE);
    gated.replace("\"variant\": \"reference\"", "\"variant\": \"another\"");
    check(&gated.gate(&BASELINE), 2, "another is in the baseline, and did not run");
}

#[test]
fn bad_input_exits_65_with_its_place_and_a_bad_command_line_64() {
    let gated = Gated::good();
    gated.write("gate.toml", "twice = 1\nseedz = \"0..20\"\n");
    check(&gated.gate(&POLICY), 65, "gate.toml:2:1");
    gated.write("gate.toml", "[[metric]]\nname = \"latency\"\nratio = 5\n");
    check(&gated.gate(&POLICY), 65, "a number needs its unit: \"5%\"");
    gated.write("baseline.json", "{ \"format\": 9 }");
    check(&gated.gate(&BASELINE), 65, "format 9 is not known");
    check(&gated.gate(&["--policy", "@nowhere.toml"]), 74, "nowhere.toml");
    check(&gated.gate(&["--today", "soon"]), 64, "2027-01-31");
    check(&run(&["gate"]), 64, "required");
    let twice = gated.gate(&[text(&gated.scenario)]);
    check(&twice, 65, "another scenario is named");
}

#[test]
fn a_budget_that_is_overspent_fails_and_says_whether_it_would_have_paged() {
    let gated = Gated::good();
    let text_of = std::fs::read_to_string(&gated.scenario).unwrap();
    let with = |budget: &str| {
        let outage = "[[fault]]\nkind = \"partition\"\nshape = \"isolate\"\ntarget = { some = \"clients\" }\n\
                      at = \"1s\"\nfor = \"1s\"\n\n[[fault]]";
        let text = text_of.replacen("[[fault]]", outage, 1).replace(
            "target = { some = \"all\" }\nat = \"1s\"",
            "target = { some = \"all\" }\nat = \"2s\"",
        );
        std::fs::write(&gated.scenario, format!("{text}\n{budget}")).unwrap();
    };
    with("[alert]\nobjective = \"99.99%\"\n");
    let spent = gated.gate(&[]);
    check(&spent, 1, "slo error-budget");
    let out = gated.path("run");
    let told = run(&["run", text(&gated.scenario), "--out", text(&out)]);
    check(&told, 1, "MISSED  error-budget at most 100% spent");
    check(&told, 1, "page    1h/5m at 14.4: ");
    let json = run(&["run", text(&gated.scenario), "--out", text(&out), "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let alerts = value["runs"][0]["alerts"].as_array().unwrap();
    assert_eq!((alerts.len(), &alerts[0]["windows"]), (4, &"1h/5m".into()));
    with("[alert]\nobjective = \"50%\"\nevents = 100000\n");
    check(&gated.gate(&[]), 2, "No seed can decide slo error-budget");
}

#[test]
fn kept_regressions_run_first() {
    let gated = Gated::good();
    let folder = gated.path("regressions");
    std::fs::create_dir(&folder).unwrap();
    let kept = short_scenario(&folder, "zz-late", &[]);
    let json = gated.gate(&[text(&kept), "--format", "json"]).out;
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["cases"][0]["scenario"], "regressions/zz-late");
}

#[test]
fn the_policy_of_the_project_is_good_and_so_is_its_schema() {
    let printed = run(&["schema", "policy"]).out;
    let schema: serde_json::Value = serde_json::from_str(&printed).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let path = crate::program::root().join("ci/gate.toml");
    let policy: serde_json::Value =
        toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&policy));
    let gated = Gated::good();
    check(&gated.gate(&["--policy", "ci/gate.toml"]), 2, "2 seeds ran: at least 20 are needed");
}
