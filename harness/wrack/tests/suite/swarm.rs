//! `[swarm]`: every seed draws its own trouble, relatives draw alike, and what must be reached is asked for.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::program::run;

const SCENARIO: &str = r#"title = "A short one"
story = "A store and its services meet what they should survive."
hypothesis = "Every increment counts."

[design]
name = "optimistic-lock"

[variants.reference]
expect = "valid"

[workload]
name = "counter"
clients = 4
keys = 2
rate = "60/s"
mix = { increment = 3, read = 1 }

[minimum]
ok_operations = 1
reads = 0
overlapping_pairs = 0

[phases]
faults = "3s"
quiet = "2s"

[swarm]
without = ["clock-step", "drift"]
"#;

fn written(folder: &Path, more: &str) -> String {
    let path = folder.join("short.toml");
    std::fs::write(&path, format!("{SCENARIO}{more}")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The faults of one seed, as its result has them.
fn faults(scenario: &str, seed: u64, out: &Path) -> Vec<Value> {
    let seed = seed.to_string();
    let ran = run(&["run", scenario, "--seed", &seed, "--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let name = Path::new(scenario).parent().unwrap().file_name().unwrap().to_str().unwrap();
    let result = out.join(name).join("short/reference").join(seed).join("result.json");
    let result: Value = serde_json::from_str(&std::fs::read_to_string(result).unwrap()).unwrap();
    result["faults"].as_array().unwrap().clone()
}

#[test]
fn relatives_draw_the_same_kinds_and_share_some_faults() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, out) = (written(folder.path(), ""), folder.path().join("out"));
    let kinds = |faults: &[Value]| {
        faults
            .iter()
            .map(|fault| fault["kind"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    let (first, again) = (faults(&scenario, 3, &out), faults(&scenario, 3, &out));
    assert_eq!(first, again);
    let relative = faults(&scenario, 3 + (1 << 20), &out);
    assert_eq!(kinds(&first), kinds(&relative));
    let shared = |faults: &[Value]| {
        let drawn = |fault: &Value| [&fault["kind"], &fault["settings"]].map(Value::to_string);
        faults.iter().map(drawn).collect::<BTreeSet<_>>()
    };
    assert!(!shared(&first).is_disjoint(&shared(&relative)));
    assert_ne!(first, relative);
    let others = (4..8).map(|seed| kinds(&faults(&scenario, seed, &out)));
    assert!(others.collect::<BTreeSet<_>>().len() > 1);
}

#[test]
fn a_sweep_that_does_not_reach_what_it_must_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = |seeds: &str, out: &str, reach: &str| {
        let scenario = written(folder.path(), reach);
        let out = folder.path().join(out);
        run(&["sweep", &scenario, "--seeds", seeds, "--out", out.to_str().unwrap()])
    };
    let reached = sweep("0..40", "a", "reach = [\"a write meets a newer version\"]\n");
    assert_eq!(reached.code, 0, "{}", reached.out);
    assert!(reached.out.contains("cells of faults reached"), "{}", reached.out);
    let never = sweep("0..3", "b", "reach = [\"a request met too many conflicts\"]\n");
    assert_eq!(never.code, 2, "{}", never.out);
    assert!(never.out.contains("no seed reached \"a request met too many conflicts\""));
    let wrong = sweep("0..3", "c", "reach = [\"a write meets a newer versoin\"]\n");
    assert_eq!(wrong.code, 65);
    assert!(wrong.err.contains("did you mean `a write meets a newer version`?"));
}

#[test]
fn what_a_swarm_found_becomes_a_story_without_a_swarm() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, out) = (written(folder.path(), ""), folder.path().join("out"));
    let text = std::fs::read_to_string(&scenario).unwrap();
    let blind = "[variants.blind_rmw]\nexpect = \"LUPD\"\nfollows = [\n\
        { code = \"LIN\", because = \"a sum without it\" },\n\
        { code = \"LOST\", because = \"it was acknowledged\" },\n]";
    std::fs::write(&scenario, text.replace("[variants.reference]\nexpect = \"valid\"", blind))
        .unwrap();
    let (out, shrunk) = (out.to_str().unwrap(), folder.path().join("shrunk"));
    let found = run(&["run", &scenario, "--variant", "blind_rmw", "--out", out]);
    assert_eq!(found.code, 0, "{}", found.out);
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    let result = format!("{out}/{name}/short/blind_rmw/0");
    let shrink = ["shrink", &result, "--max-runs", "100", "--out", shrunk.to_str().unwrap()];
    let told = run(&[&shrink[..], &["--format", "json"]].concat());
    assert_eq!(told.code, 0, "{}", told.err);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    let story = told["scenario"].as_str().unwrap();
    assert!(!std::fs::read_to_string(story).unwrap().contains("[swarm]"));
    let again = run(&["run", story, "--variant", "blind_rmw", "--out", out]);
    assert_eq!(again.code, 0, "{}", again.out);
    assert!(again.out.contains("blind_rmw → LUPD"), "{}", again.out);
}

#[test]
fn a_guided_sweep_is_the_same_for_any_number_of_jobs_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = written(folder.path(), "");
    let sweep = |out: &Path, jobs: &str, more: &[&str]| {
        let out = out.to_str().unwrap();
        let words = ["sweep", &scenario, "--guided", "--seeds", "0..600", "--jobs", jobs, "--out"];
        run(&[&words[..], &[out], more].concat())
    };
    let read = |out: &Path, name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let [one, two, cut] = ["one", "two", "cut"].map(|name| folder.path().join(name));
    let once = sweep(&one, "1", &[]);
    assert_eq!((once.code, sweep(&two, "2", &[]).code), (0, 0), "{}", once.err);
    let runs = read(&one, "runs.jsonl");
    assert_eq!(runs, read(&two, "runs.jsonl"));
    // Chosen seeds prove no share of all seeds.
    assert!(once.out.contains("valid in 600 of 600 seeds"), "{}", once.out);
    let seeds =
        runs.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seed"].clone());
    let seeds: BTreeSet<u64> = seeds.map(|seed| seed.as_u64().unwrap()).collect();
    assert_eq!(seeds.len(), 600);
    assert!(seeds.iter().filter(|seed| **seed >= 1 << 20).count() > 30);

    std::fs::create_dir(&cut).unwrap();
    std::fs::copy(one.join("sweep.json"), cut.join("sweep.json")).unwrap();
    std::fs::write(cut.join("runs.jsonl"), &runs[..runs.len() / 2]).unwrap();
    assert_eq!(sweep(&cut, "2", &["--resume"]).code, 0);
    assert_eq!(runs, read(&cut, "runs.jsonl"));
    assert_eq!(read(&one, "summary.json"), read(&cut, "summary.json"));

    let refused = run(&["sweep", "scenarios/raft/leader-isolated.toml", "--guided"]);
    assert_eq!(refused.code, 64);
    assert!(refused.err.contains("there is none in raft/leader-isolated"), "{}", refused.err);
}
