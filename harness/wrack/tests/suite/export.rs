//! Results in the formats of other tools, from the command line.

use std::path::{Path, PathBuf};

use crate::program::{Ran, run, short_scenario};

const SLO: &str = "[minimum]\nopen_in_fault = 5\n\n[[slo]]\nmetric = \"availability\"\nat_least = \"99.5%\"\n\n[[slo]]\nmetric = \"latency\"\nfunction = \"read\"\nquantile = \"p90\"\nat_most = \"250ms\"";

fn result(folder: &Path, name: &str, replace: &[(&str, &str)]) -> PathBuf {
    let path = short_scenario(folder, name, replace);
    let out = folder.join("out");
    let ran = run(&["run", path.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    out.join(folder.file_name().unwrap()).join(name).join("reference/0")
}

fn export(kind: &str, result: &Path) -> Ran {
    run(&["export", kind, result.to_str().unwrap()])
}

#[test]
fn every_format_is_written_and_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let result = result(folder.path(), "short", &[("[minimum]\nopen_in_fault = 5", SLO)]);
    for (kind, begins) in [
        ("openmetrics", "# TYPE wrack_run info\n"),
        ("otlp", "{\"resourceSpans\":[{\"resource\""),
        ("grafana", "{\n  \"description\""),
        ("openslo", "---\napiVersion: openslo/v1\nkind: SLO\n"),
        ("csv", "operation,process,session,key,function,"),
    ] {
        let ran = export(kind, &result);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{kind}");
        assert!(ran.out.starts_with(begins), "{kind}: {}", &ran.out[..200.min(ran.out.len())]);
        let file = folder.path().join("file");
        let words = ["export", kind, result.to_str().unwrap(), "--out", file.to_str().unwrap()];
        assert_eq!(run(&words).code, 0);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), ran.out, "{kind}");
    }
}

/// A client's message comes of its operation, and most operations are answered by a message.
#[test]
fn traces_have_the_messages_which_the_result_does_not_keep() {
    let folder = tempfile::tempdir().unwrap();
    let result = result(folder.path(), "short", &[]);
    let (mut operations, mut answered, mut asked) = (0, 0, 0);
    for line in export("otlp", &result).out.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let spans = &line["resourceSpans"][0]["scopeSpans"][0]["spans"];
        for span in spans.as_array().unwrap() {
            let links = span["links"].as_array().cloned().unwrap_or_default();
            let linked =
                |what: &str| links.iter().filter(|link| link.to_string().contains(what)).count();
            operations += usize::from(span["kind"] == 3);
            answered += linked("answered by");
            asked += linked("asked by");
        }
    }
    assert!(operations > 100, "{operations} operations");
    assert!(answered * 10 >= operations * 9, "{answered} of {operations} were answered");
    assert!(asked >= operations, "{asked} messages for {operations} operations");
}

#[test]
fn objectives_go_out_to_openslo_and_come_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let with = result(folder.path(), "with", &[("[minimum]\nopen_in_fault = 5", SLO)]);
    let file = folder.path().join("slos.yaml");
    std::fs::write(&file, export("openslo", &with).out).unwrap();
    let from = [("title = ", "openslo = \"slos.yaml\"\ntitle = ")];
    let from = result(folder.path(), "from", &from);
    let slos = |result: &Path| {
        let text = std::fs::read_to_string(result.join("result.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["slos"].clone()
    };
    assert_eq!(slos(&from), slos(&with));
    assert_eq!(slos(&from).as_array().unwrap().len(), 2);
    // The result says everything by itself: its file and the objectives' may be gone.
    let replay = ["replay", from.to_str().unwrap()];
    assert_eq!(run(&replay).code, 0);
    let changed = std::fs::read_to_string(&file).unwrap().replace("0.995", "0.9");
    std::fs::write(&file, changed).unwrap();
    let ran = run(&replay);
    assert_eq!(ran.code, 65, "{}", ran.err);
    assert!(ran.err.contains("the scenario has changed"), "{}", ran.err);
    std::fs::write(&file, "kind: [").unwrap();
    let path = folder.path().join("from.toml");
    let ran = run(&["run", path.to_str().unwrap()]);
    assert_eq!(ran.code, 65);
    assert!(ran.err.contains("slos.yaml:1:"), "{}", ran.err);
}

#[test]
fn what_cannot_be_exported_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let result = result(folder.path(), "short", &[]);
    let ran = export("openslo", &result);
    assert_eq!(ran.code, 65);
    assert!(ran.err.contains("declares no objective: add an [[slo]]"), "{}", ran.err);
    assert_eq!(export("csv", Path::new("nowhere")).code, 74);
    assert_eq!(export("cvs", &result).code, 64);
}
