//! A canary: texts that are marked secret are nowhere in what Wrack writes or prints.

use std::path::Path;

use crate::program::{BLIND, TWO_SERVICES, run};

const CANARY: &str = "CANARY-7f3a";

/// A scenario that loses an update, with the canary wherever a text may stand.
fn scenario(folder: &Path) -> String {
    let mut text = String::new();
    for line in TWO_SERVICES.lines() {
        let key = line.split(" = ").next().unwrap();
        match key {
            "title" | "story" | "hypothesis" if !line.contains("\"\"\"") => {
                text += &format!("{key} = {{ secret = \"{CANARY} {key}\" }}\n");
            }
            _ => text += &format!("{line}\n"),
        }
    }
    let because = "\"a counter that forgot an update answers a wrong sum\"";
    let blind = BLIND.replacen(because, &format!("{{ secret = \"{CANARY}-because\" }}"), 1);
    let text = format!("owner = {{ secret = '''{CANARY}-owner''' }}\n{text}{blind}");
    assert!(text.matches(CANARY).count() == 5, "{text}");
    let path = folder.join("leaky.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Explicit operations on a key that is a secret.
fn with_secret_key(folder: &Path) -> String {
    let operation = |at: u32, function: &str, more: &str| {
        format!(
            "{{ at = \"{at}ms\", client = \"client-1\", function = \"{function}\", key = {{ secret = \"{CANARY}-key\" }}{more} }}"
        )
    };
    let operations = [
        operation(800, "write", ", value = 7"),
        operation(900, "read", ""),
        operation(950, "read", ""),
    ];
    let text = format!(
        "operation = [\n{}\n]\ntitle = \"Keys\"\nstory = \"…\"\nhypothesis = \"…\"\n[design]\nname = \"raft\"\nnodes = 3\n[variants.reference]\nexpect = \"valid\"\n[workload]\nname = \"register\"\nclients = 1\n[minimum]\nok_operations = 1\nreads = 1\noverlapping_pairs = 0\n[phases]\nfaults = \"2s\"\nquiet = \"1s\"\n",
        operations.join(",\n")
    );
    let path = folder.join("keys.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// No file below the folder has the canary, but for those that it was written into.
fn search(folder: &Path, seen: &mut usize) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, seen);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found, "{} has the canary", path.display());
        *seen += 1;
    }
}

#[test]
fn what_is_marked_secret_is_in_no_report_trace_history_or_log() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let place = |name: &str| out.join(name).to_str().unwrap().to_owned();
    let (two, keys) = (scenario(folder.path()), with_secret_key(folder.path()));
    let family = folder.path().file_name().unwrap().to_str().unwrap();
    let (runs, sweep, day) = (place("run"), place("sweep"), place("day"));
    let lost = format!("{runs}/{family}/leaky/blind_rmw/0");
    let read = format!("{runs}/{family}/keys/reference/0");
    let playlist = folder.path().join("day.toml");
    let text = format!(
        "title = {{ secret = \"{CANARY} day\" }}\nobjective = \"…\"\n[[role]]\nname = \"on call\"\ntask = \"…\"\nperson = {{ secret = \"{CANARY} person\" }}\n[[step]]\nscenario = \"leaky.toml\"\nvariant = \"blind_rmw\"\n"
    );
    std::fs::write(&playlist, text).unwrap();
    let playlist = playlist.to_str().unwrap().to_owned();
    let (shrunk, kept) = (place("shrunk"), place("kept"));
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["run", &two, "--variant", "all", "--keep", "all", "--out", &runs, "-v"],
        vec!["run", &keys, "--keep", "all", "--out", &runs, "--format", "json"],
        vec!["sweep", &two, "--variant", "all", "--seeds", "0..3", "--out", &sweep],
        vec!["replay", &lost, "--trace"],
        vec!["replay", &read, "--trace", "--until", "10s"],
        vec!["shrink", &lost, "--max-runs", "40", "--out", &shrunk],
        vec!["keep", &lost, "--out", &kept, "--name", "lost"],
        vec!["diff", &lost, &read],
        vec!["report", &lost],
        vec!["verify-determinism", &keys],
        vec!["gameday", "brief", &playlist, "--out", &day],
        vec!["gameday", "run", &playlist, "--out", &day],
        vec!["gameday", "postmortem", &playlist, "--out", &day],
    ];
    for kind in ["openmetrics", "otlp", "grafana", "csv"] {
        commands.extend([vec!["export", kind, &lost], vec!["export", kind, &read]]);
    }
    for words in commands {
        let ran = run(&words);
        let told = format!("{}{}", ran.out, ran.err);
        assert!(ran.code <= 2, "{words:?} exits {}: {told}", ran.code);
        assert!(!told.contains(CANARY), "{words:?} tells the canary: {told}");
    }
    let mut seen = 0;
    search(&out, &mut seen);
    assert!(seen > 20, "only {seen} files were written");
    let history = std::fs::read_to_string(format!("{read}/history.jsonl")).unwrap();
    assert!(history.contains("secret-1"), "the key has its stand-in: {history}");
}

#[test]
fn a_mistake_beside_a_secret_does_not_tell_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    for text in [
        format!("title = {{ secret = \"{CANARY}\", extra = 1 }}\n"),
        format!("title = {{ secret = \"{CANARY} }}\nstory = \"\"\n"),
        format!("title = {{ secret = \"{CANARY}\" }}\nstory = \"{CANARY}\"\n"),
        format!("[[operation]]\nkey = {{ secret = \"{CANARY}\" }}\nkez = 1\n"),
    ] {
        std::fs::write(&path, &text).unwrap();
        let ran = run(&["run", path.to_str().unwrap()]);
        assert_eq!(ran.code, 65, "{text}");
        assert!(!ran.err.contains(CANARY), "{}", ran.err);
    }
}
