//! `wrack shrink`, `replay`, `keep` and `diff`: a story gets smaller and stays the same story.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Ran, root, run, short_scenario};

/// The result of a variant of one of the repository's scenarios.
fn result(folder: &Path, scenario: &str, variant: &str, seed: u64) -> PathBuf {
    let (path, seed) = (format!("scenarios/{scenario}.toml"), seed.to_string());
    let words = ["run", &path, "--variant", variant, "--seed", &seed, "--out"];
    let ran = run(&[&words[..], &[folder.to_str().unwrap()]].concat());
    assert!(matches!(ran.code, 0..=2), "{}{}", ran.out, ran.err);
    folder.join(scenario).join(variant).join(seed)
}

fn shrink(result: &Path, out: &Path, more: &[&str]) -> Ran {
    let words = ["shrink", result.to_str().unwrap(), "--out", out.to_str().unwrap()];
    run(&[&words[..], &["--format", "json"], more].concat())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

/// Runs the command that a written file names, and gives the run.
fn as_the_file_says(path: &Path, out: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    let command = text.lines().find_map(|line| line.strip_prefix("# Run it: wrack ")).unwrap();
    let words: Vec<&str> = command.split(' ').collect();
    let more = ["--format", "json", "--keep", "none", "--out", out.to_str().unwrap()];
    let ran = run(&[&words[..], &more].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    json(&ran.out)["runs"][0].clone()
}

fn codes(run: &Value) -> Vec<&str> {
    let anomalies = run["anomalies"].as_array().unwrap();
    anomalies.iter().map(|anomaly| anomaly["code"].as_str().unwrap()).collect()
}

/// Shrinks, and runs what was written.
#[track_caller]
fn check(scenario: &str, variant: &str, code: &str, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let result = result(folder.path(), scenario, variant, seed);
    let ran = shrink(&result, &out, &["--max-runs", "3000"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let json = json(&ran.out);
    let size = |what: &str, when: &str| json[what][when].as_u64().unwrap();
    assert!(size("operations", "before") > 500, "{json}");
    assert!(size("operations", "after") <= 8, "{json}");
    assert!(size("faults", "after") <= 2, "{json}");
    let again = as_the_file_says(Path::new(json["scenario"].as_str().unwrap()), &out);
    assert!(codes(&again).contains(&code), "{again:#}");
    assert_eq!(again["as_expected"], true, "{again:#}");
    let counts = &again["operations"];
    let count = |outcome: &str| counts[outcome].as_u64().unwrap();
    assert_eq!(count("ok") + count("fail") + count("info"), size("operations", "after"));
}

#[test]
fn the_story_of_a_stale_read_is_a_write_and_a_read() {
    check("raft/leader-isolated", "stale_local_read", "LIN", 0);
}

#[test]
fn the_story_of_a_split_brain_is_one_pause() {
    check("single-writer/lease-expires-in-a-pause", "no_fencing", "SPLIT", 3);
}

#[test]
fn the_story_of_a_lost_message_is_one_that_was_marked_too_soon() {
    check("outbox/bus-outage", "mark_before_publish", "MISS", 0);
}

#[test]
fn the_story_of_a_stale_cache_needs_no_fault() {
    check("cache/deploy-serves-stale", "no_invalidation", "STALE", 0);
}

#[test]
fn a_limit_of_runs_gives_one_result_for_any_number_of_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let result = result(folder.path(), "outbox/bus-outage", "mark_before_publish", 0);
    let text = |jobs: &str, runs: &str| {
        let out = folder.path().join(format!("out-{jobs}-{runs}"));
        let ran = shrink(&result, &out, &["--max-runs", runs, "--jobs", jobs]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let path = json(&ran.out)["scenario"].as_str().unwrap().to_owned();
        // The file names itself.
        std::fs::read_to_string(&path).unwrap().replace(&path, "FILE")
    };
    assert_eq!(text("1", "2000"), text("2", "2000"));
    assert_eq!(text("1", "17"), text("3", "17"));
}

#[test]
fn what_is_not_reproduced_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    run(&["run", path.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let result = out.join(folder.path().file_name().unwrap()).join("short/reference/0");
    let shrunk = folder.path().join("shrunk");
    let ran = shrink(&result, &shrunk, &[]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("has no anomaly"), "{}", ran.err);
    // A result that claims what its run does not show.
    let file = result.join("result.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut claimed = json(&text);
    let anomaly = serde_json::json!([{ "code": "LIN", "explanation": "", "operations": [] }]);
    claimed["judgements"][0]["anomalies"] = anomaly;
    std::fs::write(&file, claimed.to_string()).unwrap();
    for command in ["shrink", "keep"] {
        let ran = run(&[command, result.to_str().unwrap(), "--out", shrunk.to_str().unwrap()]);
        assert_eq!(ran.code, 1, "{}", ran.out);
        assert!(
            ran.err.contains("LIN was not reproduced: variant reference, seed 0"),
            "{}",
            ran.err
        );
    }
    assert!(!shrunk.exists());
}

#[test]
fn a_scenario_that_has_changed_is_refused_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    run(&["run", path.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let result = out.join(folder.path().file_name().unwrap()).join("short/reference/0");
    let result = result.to_str().unwrap();
    assert_eq!(run(&["replay", result]).code, 0);
    short_scenario(folder.path(), "short", &[("rate = \"100/s\"", "rate = \"90/s\"")]);
    for command in ["shrink", "replay", "keep"] {
        let ran = run(&[command, result]);
        assert_eq!(ran.code, 65, "{command}: {}{}", ran.out, ran.err);
        assert!(
            ran.err.contains("the scenario has changed since this result was made"),
            "{}",
            ran.err
        );
    }
    let forced = run(&["replay", result, "--force"]);
    assert_eq!(forced.code, 1, "{}{}", forced.out, forced.err);
    assert!(forced.out.contains("this is not the run of the result"), "{}", forced.out);
    // Without its file a result still has its scenario.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(run(&["replay", result]).code, 0);
}

#[test]
fn what_is_kept_runs_as_it_ran_then() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, variant) = ("raft/rolling-crashes", "vote_volatile");
    let result = result(folder.path(), scenario, variant, 2);
    let regressions = folder.path().join("regressions");
    let words = ["keep", result.to_str().unwrap(), "--out", regressions.to_str().unwrap()];
    let ran = run(&words);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let first = regressions.join("001-rolling-crashes.toml");
    let again = as_the_file_says(&first, folder.path());
    assert!(codes(&again).contains(&"RAFT"), "{again:#}");
    assert_eq!(again["as_expected"], true, "{again:#}");
    // With the seed that it was found with it is the same run, event for event.
    let found = json(&std::fs::read_to_string(result.join("result.json")).unwrap());
    let words = ["run", first.to_str().unwrap(), "--variant", variant, "--seed", "2"];
    let out = ["--format", "json", "--out", folder.path().to_str().unwrap()];
    let same = json(&run(&[&words[..], &out].concat()).out);
    assert_eq!(same["runs"][0]["trace_hash"], found["trace_hash"]);
    let second = run(&[
        &["keep", result.to_str().unwrap(), "--name", "votes", "--out"],
        &[regressions.to_str().unwrap()][..],
    ]
    .concat());
    assert!(second.out.contains("002-votes.toml"), "{}", second.out);
}

#[test]
fn a_replay_shows_the_steps_around_the_anomaly_and_is_the_same_every_time() {
    let folder = tempfile::tempdir().unwrap();
    let result = result(folder.path(), "raft/leader-isolated", "stale_local_read", 0);
    let result = result.to_str().unwrap();
    let first = run(&["replay", result]);
    assert_eq!(first.code, 0, "{}{}", first.out, first.err);
    assert!(
        first
            .out
            .starts_with("raft/leader-isolated, variant stale_local_read, seed 0: invalid\nLIN: ")
    );
    assert!(
        first.out.contains("partition begins: n1 and client-1 from the others"),
        "{}",
        first.out
    );
    assert_eq!(first.out, run(&["replay", result]).out);
    let path = "scenarios/raft/leader-isolated.toml";
    let words = ["replay", path, "--variant", "stale_local_read", "--seed", "0"];
    assert_eq!(run(&words).out, first.out);

    let entity = run(&[&words[..], &["--entity", "k3", "--until", "1s"]].concat()).out;
    assert!(entity.lines().any(|line| line.contains("k3 = ")), "{entity}");
    assert!(!entity.contains("under k2"), "{entity}");
    let last = entity.lines().last().unwrap();
    assert!(last < "1.001 s", "{last}");
    let trace = run(&[&words[..], &["--trace", "--until", "200ms"]].concat()).out;
    assert!(trace.contains("send: n1 ⇒ "), "{trace}");
}

#[test]
fn a_diff_says_where_two_runs_part() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    let words = ["run", path.to_str().unwrap(), "--keep", "all", "--seeds", "0..2", "--out"];
    run(&[&words[..], &[out.to_str().unwrap()]].concat());
    let results = out.join(folder.path().file_name().unwrap()).join("short/reference");
    let (one, other) = (results.join("0"), results.join("1"));
    let (one, other) = (one.to_str().unwrap(), other.to_str().unwrap());
    let same = run(&["diff", one, one]);
    assert_eq!((same.code, same.out.as_str()), (0, "the same run\n"));
    let ran = run(&["diff", one, other]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for line in
        ["seed: 0 | 1", "operation 0 of client 1: ", "is the first that differs", "  other: "]
    {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
}

#[test]
fn hostile_words_and_files_give_errors_that_say_where() {
    let folder = tempfile::tempdir().unwrap();
    let expect = |words: &[&str], code: i32, contains: &str| {
        let ran = run(words);
        assert_eq!(ran.code, code, "{words:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(contains), "{words:?}: {}", ran.err);
    };
    expect(&["shrink", "nowhere"], 74, "nowhere/result.json");
    expect(&["shrink", "nowhere", "--max-runs", "0"], 64, "0 is not in 1..");
    expect(&["replay", "scenarios/nowhere.toml"], 74, "scenarios/nowhere.toml");
    expect(&["replay", "scenarios/raft/leader-isolated.toml", "--until", "7"], 64, "needs a unit");
    let unknown = ["replay", "scenarios/raft/leader-isolated.toml", "--variant", "nobody"];
    expect(&unknown, 64, "it has reference, stale_local_read");
    expect(&["keep", "nowhere", "--name", "../out"], 64, "letters, digits and hyphens");
    let result = folder.path().join("result.json");
    std::fs::write(&result, "{\"format\": 1,\n  \"seed\": \"x\"}").unwrap();
    let place = "result.json:2:";
    expect(&["shrink", folder.path().to_str().unwrap()], 65, place);
    expect(&["replay", result.to_str().unwrap()], 65, place);
    expect(&["diff", folder.path().to_str().unwrap(), "nowhere"], 65, place);
    let words = ["replay", folder.path().to_str().unwrap(), "--seed", "3"];
    expect(&words, 64, "are for scenario files");
    let scenario = std::fs::read_to_string(root().join("scenarios/raft/leader-isolated.toml"));
    let bad = scenario.unwrap().replace("[design]", "[[operation]]\nat = \"1s\"\n[design]");
    let path = folder.path().join("bad.toml");
    std::fs::write(&path, bad).unwrap();
    expect(&["replay", path.to_str().unwrap()], 65, "missing key `client` in `operation`");
    expect(
        &["run", path.to_str().unwrap()],
        65,
        "`rate` has no meaning beside explicit operations",
    );
}
