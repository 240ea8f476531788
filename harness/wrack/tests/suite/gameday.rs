//! Game days: the page before, the day, the page after, and what ends a day early.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::program::{BLIND, Ran, TWO_SERVICES, root, run, short_scenario, wrack};

/// Two services that count the same things, over a scenario that is calm, one that loses updates, and
/// one that never has enough data.
fn day(folder: &Path, steps: &str) -> PathBuf {
    std::fs::write(folder.join("two.toml"), format!("{TWO_SERVICES}{BLIND}")).unwrap();
    short_scenario(folder, "calm", &[]);
    short_scenario(folder, "vacuous", &[("[minimum]", "[minimum]\nok_operations = 100000")]);
    let path = folder.join("day.toml");
    let text = format!("title = \"A day\"\nobjective = \"To learn.\"\n{steps}");
    std::fs::write(&path, text).unwrap();
    path
}

fn step(scenario: &str, more: &str) -> String {
    format!("[[step]]\ntitle = \"Run {scenario}\"\nscenario = \"{scenario}.toml\"\n{more}\n")
}

fn go(what: &str, path: &Path, more: &[&str]) -> Ran {
    let out = path.with_file_name("out");
    let words = ["gameday", what, path.to_str().unwrap(), "--out", out.to_str().unwrap()];
    run(&[&words[..], more].concat())
}

fn left(path: &Path, name: &str) -> String {
    std::fs::read_to_string(path.with_file_name("out").join(name)).unwrap()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&left(path, "gameday.json")).unwrap()
}

#[test]
fn the_example_day_is_planned_run_and_written_up() {
    let folder = tempfile::tempdir().unwrap();
    let example = "scenarios/gamedays/leaders-go-away.toml";
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let go = |what: &str, out: &str| run(&["gameday", what, example, "--out", out]);
    let (first, second) = (out("first"), out("second"));
    let before = go("brief", &first);
    assert_eq!(before.code, 0, "{}", before.err);
    let brief = std::fs::read_to_string(format!("{first}/brief.html")).unwrap();
    assert!(brief.contains("hidden until it has run. It is one of: reference"), "{brief}");
    assert!(!brief.contains("anomaly LIN") && brief.contains("anomaly SPLIT"));
    let early = go("postmortem", &first);
    assert_eq!(early.code, 74, "{}", early.err);
    assert!(early.err.contains("run the day first: wrack gameday run"), "{}", early.err);
    let day = go("run", &first);
    assert_eq!(day.code, 0, "{}{}", day.out, day.err);
    assert!(day.out.contains("seen: anomaly LIN, in 3 of 3 seeds"), "{}", day.out);
    let after = go("postmortem", &first);
    assert_eq!(after.code, 0, "{}", after.err);
    let page = std::fs::read_to_string(format!("{first}/postmortem.html")).unwrap();
    for words in ["First divergence", "after the first fault", "partition begins", "Re-test on"] {
        assert!(page.contains(words), "{words} is not in the post-mortem");
    }
    go("run", &second);
    go("postmortem", &second);
    for name in ["report.html", "gameday.json", "postmortem.html"] {
        let read = |out: &str| std::fs::read(format!("{out}/{name}")).unwrap();
        assert_eq!(read(&first), read(&second), "{name} differs");
    }
}

#[test]
fn a_check_that_is_not_as_expected_ends_the_day_before_anything_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let check = "[[check]]\ntitle = \"Enough happens\"\nscenario = \"vacuous.toml\"\n";
    let path = day(folder.path(), &(check.to_owned() + &step("calm", "")));
    let ran = go("run", &path, &[]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("check   UNKNOWN: Enough happens"), "{}", ran.out);
    assert!(ran.out.contains("step 1  not run: Run calm"), "{}", ran.out);
    let json = json(&path);
    assert_eq!(json["stopped"]["after_step"], 0);
    assert_eq!(
        (&json["standing"], &json["steps"][0]["standing"]),
        (&"unknown".into(), &"open".into())
    );
    assert!(left(&path, "report.html").contains("Nothing was run"));
}

#[test]
fn a_stop_condition_ends_the_day_and_what_was_not_run_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let lost = step("two", "variant = \"blind_rmw\"");
    let stop = "[[stop]]\nanomaly = \"LUPD\"\nbecause = \"enough seen\"\n";
    let path = day(folder.path(), &(lost + &step("calm", "") + stop));
    let ran = go("run", &path, &[]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("stopped: anomaly LUPD: enough seen"), "{}", ran.out);
    assert_eq!(json(&path)["stopped"]["after_step"], 1);
    assert!(ran.out.contains("step 2  not run"), "{}", ran.out);
}

#[test]
fn a_day_is_carried_by_the_engine_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = day(folder.path(), &step("calm", ""));
    let on = |engine: &str| go("run", &path, &["--engine", engine]);
    let ran = on("turmoil");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let told = json(&path);
    assert_eq!(told["engine"], "turmoil");
    assert!(told["replay"].as_str().unwrap().ends_with(" --engine turmoil"), "{told}");
    let kept = told["steps"][0]["result"].as_str().unwrap();
    let kept: serde_json::Value =
        serde_json::from_str(&left(&path, &format!("{kept}/result.json"))).unwrap();
    assert_eq!(kept["engine"], "turmoil");
    let after = go("postmortem", &path, &[]);
    assert_eq!(after.code, 0, "{}", after.err);
    let ran = on("tokio");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("on tokio: not deterministic"), "{}", ran.out);
}

#[test]
fn a_signal_that_is_not_seen_is_not_as_expected() {
    let folder = tempfile::tempdir().unwrap();
    let signal = "[[step.signal]]\nanomaly = \"DUP\"\n[[step.signal]]\npeople = \"Somebody nods.\"";
    let path = day(folder.path(), &step("calm", signal));
    let ran = go("run", &path, &["--format", "json"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told, json(&path));
    let signals = &told["steps"][0]["signals"];
    assert_eq!(signals[0]["standing"], "not-as-expected");
    assert_eq!(signals[1]["standing"], "open");
}

/// Two seconds are little of an hour: only a budget of a millionth burns fast enough.
#[test]
fn an_alert_is_judged_in_a_broken_variant_too() {
    let folder = tempfile::tempdir().unwrap();
    let signal = "[[step.signal]]\nalert = \"page\"\nwithin = \"10s\"";
    let path = day(folder.path(), &step("two", &format!("variant = \"blind_rmw\"\n{signal}")));
    let hasty = "[client]\nattempts = 1\ntimeout = \"6ms\"\n";
    let alert = "[alert]\nobjective = \"99.9999%\"\nevents = 10\n";
    std::fs::write(folder.path().join("two.toml"), format!("{TWO_SERVICES}{BLIND}{hasty}{alert}"))
        .unwrap();
    let ran = go("run", &path, &[]);
    let json = json(&path);
    let signal = &json["steps"][0]["signals"][0];
    assert_eq!(signal["standing"], "as-expected", "{}{}\n{signal:#}", ran.out, ran.err);
    assert!(signal["at_ns"].as_u64().unwrap() > 0);
    assert_eq!(json["steps"][0]["slos"][0]["name"], "error-budget");
    go("postmortem", &path, &[]);
    assert!(left(&path, "postmortem.html").contains("the alert over 1h/5m pages"));
}

#[test]
fn a_playlist_that_changed_has_no_post_mortem_before_it_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = day(folder.path(), &step("calm", ""));
    assert_eq!(go("run", &path, &[]).code, 0);
    assert_eq!(go("postmortem", &path, &[]).code, 0);
    short_scenario(folder.path(), "calm", &[("Nothing is wrong", "Nothing is slow")]);
    let ran = go("postmortem", &path, &[]);
    assert_eq!(ran.code, 65, "{}", ran.err);
    assert!(ran.err.contains("has changed since the day was run"), "{}", ran.err);
}

#[test]
fn mistakes_are_located_in_the_playlist_and_in_its_scenarios() {
    let folder = tempfile::tempdir().unwrap();
    let path = day(folder.path(), &step("clam", ""));
    let ran = go("run", &path, &[]);
    assert_eq!(ran.code, 65, "{}", ran.err);
    assert!(ran.err.contains("day.toml:5:12") && ran.err.contains("clam.toml"), "{}", ran.err);
    let path = day(folder.path(), &step("calm", "variant = \"referense\""));
    let ran = go("brief", &path, &[]);
    assert!(ran.err.contains("did you mean `reference`?"), "{}", ran.err);
    std::fs::write(folder.path().join("calm.toml"), "title = 1").unwrap();
    let ran = go("run", &day_again(&path), &[]);
    assert!(ran.err.contains("calm.toml:1:9") && ran.err.contains("day.toml:5:12"), "{}", ran.err);
}

/// The same day, without writing its scenarios again.
fn day_again(path: &Path) -> PathBuf {
    let text = std::fs::read_to_string(path).unwrap().replace("variant = \"referense\"", "");
    std::fs::write(path, text).unwrap();
    path.to_owned()
}

#[test]
fn a_folder_that_is_walked_names_its_playlists_and_leaves_them_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = day(folder.path(), &step("calm", ""));
    std::fs::remove_file(folder.path().join("vacuous.toml")).unwrap();
    std::fs::remove_file(folder.path().join("two.toml")).unwrap();
    let out = folder.path().join("out");
    let words = ["run", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()];
    let ran = run(&words);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("day.toml is a game day"), "{}", ran.err);
    let ran = run(&["run", path.to_str().unwrap()]);
    assert_eq!(ran.code, 65, "{}", ran.err);
    assert!(ran.err.contains("run it with `wrack gameday run"), "{}", ran.err);
}

#[test]
fn a_new_game_day_runs_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let go = |words: &[&str]| {
        let output = wrack().args(words).current_dir(folder.path()).output().unwrap();
        crate::program::ran(output)
    };
    let new = go(&["new", "--gameday", "days/first"]);
    assert_eq!(new.code, 0, "{}", new.err);
    assert!(new.out.contains("wrack gameday run days/first.toml"), "{}", new.out);
    assert_eq!(go(&["gameday", "brief", "days/first.toml"]).code, 0);
    let day = go(&["gameday", "run", "days/first.toml"]);
    assert_eq!(day.code, 0, "{}{}", day.out, day.err);
    assert_eq!(go(&["gameday", "postmortem", "days/first.toml"]).code, 0);
    assert_eq!(go(&["new", "--gameday", "days/first"]).code, 74);
}

#[test]
fn the_schema_accepts_every_playlist_of_the_repository() {
    let ran = run(&["schema", "gameday"]);
    let schema: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join("scenarios/gamedays")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let value = toml::from_str::<serde_json::Value>(&text).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        seen += 1;
    }
    assert!(seen > 0);
}

/// Nobody waits longer for a program that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
#[expect(clippy::disallowed_methods, reason = "listens to a program that goes on, with a limit")]
fn what_is_watched_is_written_again_when_a_file_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = day(folder.path(), &step("calm", ""));
    let out = folder.path().join("out");
    let words = ["gameday", "run", path.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let mut child = wrack()
        .args(words)
        .arg("--watch")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (to, from) = channel();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = to.send(line);
        }
    });
    let next = |wanted: &str| loop {
        let line = from.recv_timeout(PATIENCE).expect("the program goes on");
        if line.contains(wanted) {
            break;
        }
    };
    next("watching 2 files");
    let first = left(&path, "report.html");
    assert!(first.contains("http-equiv=\"refresh\"") && first.contains("A day"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("A day", "Another day")).unwrap();
    next("watching 2 files");
    assert!(left(&path, "report.html").contains("Another day"));
    // An editor saves by renaming; a mistake is told, and the next save mends it.
    let beside = folder.path().join("calm.toml~");
    std::fs::write(&beside, "title = 1").unwrap();
    std::fs::rename(&beside, folder.path().join("calm.toml")).unwrap();
    next("not a game day that can be run");
    next("watching 2 files");
    short_scenario(folder.path(), "calm", &[("A short one", "A mended one")]);
    next("watching 2 files");
    assert!(left(&path, "report.html").contains("A mended one"));
    child.kill().unwrap();
    child.wait().unwrap();
}
