//! Results on disk: the same bytes every time, whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use crate::program::{run, short_scenario, wrack};

/// Every file below a folder, by its path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let below = files(&path).into_iter();
            found.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else if let Ok(bytes) = std::fs::read(&path) {
            // A file that was renamed meanwhile is found under its new name, or next time.
            found.insert(name, bytes);
        }
    }
    found
}

#[test]
fn one_seed_gives_the_same_bytes_in_two_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let outcome = |name: &str| {
        let out = folder.path().join(name);
        let words = ["run", path.to_str().unwrap(), "--seeds", "3..5", "--out"];
        let ran = run(&[&words[..], &[out.to_str().unwrap(), "--keep", "all"]].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        files(&out)
    };
    let first = outcome("first");
    assert_eq!(first.len(), 9, "{:?}", first.keys());
    assert_eq!(first, outcome("second"));
}

#[test]
fn json_is_one_document_and_is_what_the_summary_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    let words = ["run", path.to_str().unwrap(), "--format", "json", "--out", out.to_str().unwrap()];
    let ran = run(&words);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let summary = std::fs::read_to_string(out.join("summary.json")).unwrap();
    assert_eq!(json, serde_json::from_str::<serde_json::Value>(&summary).unwrap());
    let one = &json["runs"][0];
    assert_eq!(one["verdict"], "valid");
    assert_eq!(one["engine"], "sim");
    assert!(one["operations"]["ok"].as_u64().unwrap() > 100);
    assert!(one["examined"]["LIN"]["reads"].as_u64().unwrap() > 30);
    assert!(one["faults"][0]["effect"].as_u64().unwrap() > 0);
    assert_eq!(json["groups"][0]["as_expected"], true);
    for file in ["history", "report"] {
        assert!(out.join(one[file].as_str().unwrap()).is_file());
    }
}

#[test]
fn a_report_is_made_again_from_its_result() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    run(&["run", path.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let name = folder.path().file_name().unwrap();
    let result = out.join(name).join("short/reference/0");
    let first = std::fs::read(result.join("report.html")).unwrap();
    std::fs::remove_file(result.join("report.html")).unwrap();
    let ran = run(&["report", result.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(std::fs::read(result.join("report.html")).unwrap(), first);
}

#[test]
fn a_report_can_be_compared_with_another_result() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    let words = ["--seeds", "0..2", "--keep", "all", "--out", out.to_str().unwrap()];
    run(&[&["run", path.to_str().unwrap()], &words[..]].concat());
    let results = out.join(folder.path().file_name().unwrap()).join("short/reference");
    let [first, second] = ["0", "1"].map(|seed| results.join(seed).to_str().unwrap().to_owned());
    let ran = run(&["report", &second, "--baseline", &first]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let page = std::fs::read_to_string(results.join("1/report.html")).unwrap();
    assert!(page.contains("<th scope=\"row\">Seed</th><td>0</td><td>1</td>"));
    let ran = run(&["report", &second, "--baseline", "nowhere"]);
    assert_eq!(ran.code, 74, "{}", ran.err);
}

#[test]
fn a_damaged_result_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let out = folder.path().join("out");
    run(&["run", path.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let result = out.join(folder.path().file_name().unwrap()).join("short/reference/0");
    let history = result.join("history.jsonl");
    let bytes = std::fs::read(&history).unwrap();
    std::fs::write(&history, &bytes[..bytes.len() / 2]).unwrap();
    let ran = run(&["report", result.to_str().unwrap()]);
    assert_eq!(ran.code, 65, "{}", ran.err);
    assert!(ran.err.contains("history.jsonl: line "), "{}", ran.err);
}

/// Kills runs at many moments; whatever file has its final name must be whole.
#[test]
fn a_run_that_is_killed_leaves_no_half_written_output() {
    let folder = tempfile::tempdir().unwrap();
    let path = short_scenario(folder.path(), "short", &[]);
    let whole = folder.path().join("whole");
    let words = |out: &Path| {
        let path = path.to_str().unwrap().to_owned();
        let out = out.to_str().unwrap().to_owned();
        [
            "run".into(),
            path,
            "--seeds".into(),
            "0..20".into(),
            "--keep".into(),
            "all".into(),
            "--out".into(),
            out,
        ]
    };
    assert!(wrack().args(words(&whole)).stdout(Stdio::null()).status().unwrap().success());
    let expected = files(&whole);
    let mut partial = 0;
    for step in 0..12u64 {
        let out = folder.path().join(format!("killed-{step}"));
        let mut child =
            wrack().args(words(&out)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The more files are there, the later it is killed: no clock decides what is tested.
        while files(&out).len() < (step * 5) as usize && child.try_wait().unwrap().is_none() {}
        let _ = child.kill();
        child.wait().unwrap();
        let left = files(&out);
        partial += usize::from(left.len() < expected.len());
        for (name, bytes) in left {
            let temporary = name.rsplit('/').next().unwrap().starts_with(".wrack-");
            assert!(temporary || expected[&name] == bytes, "{name} is half written");
        }
    }
    assert!(partial > 0, "no run was killed in the middle");
}
