//! `wrack sweep` and `wrack merge`: nothing is lost, and it does not matter how the work was cut.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::{BLIND, Ran, TWO_SERVICES, run, wrack};

/// Where the scenario is, written there.
fn scenario(folder: &Path) -> String {
    let path = folder.join("short.toml");
    std::fs::write(&path, format!("{TWO_SERVICES}{BLIND}")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn sweep(out: &Path, seeds: &str, more: &[&str]) -> Ran {
    let scenario = scenario(out.parent().unwrap());
    let words = ["sweep", &scenario, "--variant", "all", "--seeds", seeds];
    run(&[&words[..], &["--out", out.to_str().unwrap()], more].concat())
}

fn merge(folders: &[&Path], out: &Path) -> Ran {
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    run(&[&["merge", "--out", out.to_str().unwrap()], &folders[..]].concat())
}

/// Everything that a sweep leaves, but for the plan: that names its shard.
fn bytes(folder: &Path) -> [String; 2] {
    ["runs.jsonl", "summary.json"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
}

#[test]
fn shards_become_the_whole_however_it_is_cut_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let ran = sweep(&place("whole"), "0..14", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("anomalies in 0 of 14 seeds; at most 19.26 % at 95 %"), "{}", ran.out);
    assert!(ran.out.contains("LUPD in 14 of 14 seeds"), "{}", ran.out);
    let whole = bytes(&place("whole"));
    for of in [1, 2, 7, 64] {
        let shards: Vec<_> = (1..=of).map(|i| place(&format!("{i}-of-{of}"))).collect();
        for (i, shard) in shards.iter().enumerate() {
            sweep(shard, "0..14", &["--shard", &format!("{}/{of}", i + 1)]);
        }
        let shards: Vec<&Path> = shards.iter().map(|shard| shard.as_path()).collect();
        let merged = place(&format!("merged-{of}"));
        assert_eq!(merge(&shards, &merged).code, 0);
        assert_eq!(bytes(&merged), whole, "{of} shards");
        let backwards: Vec<&Path> = shards.into_iter().rev().collect();
        let again = place(&format!("again-{of}"));
        // A part twice, and a whole that was merged already: nothing is counted twice.
        assert_eq!(merge(&[&backwards[..], &[&merged, backwards[0]]].concat(), &again).code, 0);
        assert_eq!(bytes(&again), whole, "{of} shards, merged twice");
        let summary: serde_json::Value = serde_json::from_str(&whole[1]).unwrap();
        let example = summary["signatures"][0]["example"].as_str().unwrap();
        assert!(again.join(example).join("result.json").is_file(), "{example}");
    }
    let absent = merge(&[&place("2-of-2")], &place("half"));
    assert_eq!(absent.code, 2);
    assert!(absent.err.contains("28 runs") || absent.err.contains("14 runs"), "{}", absent.err);
    assert_eq!(merge(&[&place("nowhere")], &place("nothing")).code, 2);
}

#[test]
fn a_sweep_that_was_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    sweep(&whole, "0..200", &[]);
    let scenario = scenario(folder.path());
    let words = ["sweep", &scenario, "--variant", "all", "--seeds", "0..200", "--out"];
    let mut child: Command = wrack();
    let child = child.args(words).arg(&killed).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let runs = killed.join("runs.jsonl");
    while std::fs::metadata(&runs).map_or(0, |file| file.len()) == 0 {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // As if the last line had been cut off in the middle.
    let left = std::fs::read(&runs).unwrap();
    std::fs::write(&runs, &left[..left.len() - 20]).unwrap();
    let refused = sweep(&killed, "0..200", &[]);
    assert_eq!(refused.code, 64);
    assert!(refused.err.contains("--resume"), "{}", refused.err);
    assert_eq!(sweep(&killed, "0..201", &["--resume"]).code, 64);
    assert_eq!(sweep(&killed, "0..200", &["--resume"]).code, 0);
    assert_eq!(bytes(&killed), bytes(&whole));
}

#[test]
fn a_limit_of_time_is_kept_and_every_group_has_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("limited");
    let scenario = scenario(folder.path());
    let words = ["sweep", &scenario, "--variant", "all", "--time-limit", "1s", "--format", "json"];
    let ran = run(&[&words[..], &["--jobs", "1", "--out", out.to_str().unwrap()]].concat());
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let groups = json["groups"].as_array().unwrap();
    assert!(groups.iter().all(|group| group["seeds"].as_u64().unwrap() >= 16));
    let signatures = json["signatures"].as_array().unwrap();
    let lost = signatures.iter().find(|signature| signature["code"] == "LUPD").unwrap();
    assert_eq!((&lost["expected"], &lost["seeds"][0]), (&true.into(), &0.into()));
}

#[test]
fn a_sweep_that_stops_early_finds_the_same_and_keeps_whole_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, early) = (folder.path().join("whole"), folder.path().join("early"));
    let scenario = "scenarios/raft/leader-isolated.toml";
    let words = ["sweep", scenario, "--variant", "stale_local_read", "--seeds", "0..4", "--out"];
    let [all, found] = [(&whole, None), (&early, Some("--stop-early"))].map(|(out, more)| {
        let out = [out.to_str().unwrap()];
        let ran = run(&[&words[..], &out, more.as_slice()].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let summary = std::fs::read_to_string(Path::new(out[0]).join("summary.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&summary).unwrap()
    });
    let group = |summary: &serde_json::Value| summary["groups"][0].clone();
    for field in ["found", "seeds", "share", "as_expected", "failures", "unknown"] {
        assert_eq!(group(&all)[field], group(&found)[field], "{field}");
    }
    let simulated = |summary| group(summary)["simulated_ns"].as_u64().unwrap();
    assert!(simulated(&found) < simulated(&all));
    let example = found["signatures"][0]["example"].as_str().unwrap();
    let result = early.join(example).join("result.json");
    let result: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(result).unwrap()).unwrap();
    assert!(result["judgements"].as_array().unwrap().len() > 3, "it is the whole run");
    // A sweep goes on as it began.
    let out = early.to_str().unwrap();
    assert_eq!(run(&[&words[..], &[out, "--resume"]].concat()).code, 64);
}
