//! The layers of the architecture page, and what no dependency may bring in.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::program::root;

/// Who may depend on whom, as the architecture page says.
const ALLOWED: [(&str, &str); 18] = [
    ("kv-service", "io"),
    ("wrack-clock", ""),
    ("wrack-io", ""),
    ("wrack-service", "sim history"),
    ("ticket-office", ""),
    ("wrack-gate", "scenario history"),
    ("wrack-history", ""),
    ("wrack-sim", "history"),
    ("wrack-sequential", "history"),
    ("wrack-scenario", "history"),
    ("wrack-checkers", "sequential history"),
    ("wrack-designs", "sim history"),
    ("wrack-nemesis", "sim history"),
    ("wrack-reports", "scenario history"),
    ("wrack-workloads", "checkers sequential sim history"),
    ("wrack-carriers", "sim nemesis history"),
    (
        "wrack-runner",
        "carriers service designs workloads nemesis checkers sequential sim scenario history",
    ),
    ("wrack", "io service runner reports gate workloads checkers sequential scenario sim history"),
];

/// For each crate of the workspace, the crates of the workspace that it depends on.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let words = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let output = Command::new(env!("CARGO")).args(words).current_dir(root()).output().unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let ours = dependencies
                .filter(|dependency| dependency["kind"].is_null())
                .filter_map(|dependency| dependency["name"].as_str()?.strip_prefix("wrack-"))
                .map(str::to_owned);
            (package["name"].as_str().unwrap().to_owned(), ours.collect())
        })
        .collect()
}

#[test]
fn dependencies_point_down_only() {
    let arrows = arrows();
    let known: BTreeMap<_, _> = ALLOWED.into_iter().collect();
    assert!(arrows.keys().all(|name| known.contains_key(name.as_str())), "{:?}", arrows.keys());
    for (name, dependencies) in &arrows {
        let allowed: BTreeSet<_> = known[name.as_str()].split(' ').collect();
        for dependency in dependencies {
            assert!(allowed.contains(dependency.as_str()), "{name} must not see {dependency}");
        }
    }
}

#[test]
fn no_dependency_makes_json_depend_on_the_order_or_precision_of_others() {
    let words = ["tree", "--offline", "-e", "features,normal", "-i", "serde_json", "--workspace"];
    let output = Command::new(env!("CARGO")).args(words).current_dir(root()).output().unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("serde_json"), "{tree}");
    for feature in ["preserve_order", "arbitrary_precision"] {
        assert!(!tree.contains(feature), "serde_json has {feature}:\n{tree}");
    }
}

#[test]
fn the_default_build_contains_nothing_of_madsim() {
    let words = ["tree", "--offline", "-e", "normal,build", "--workspace", "--prefix", "none"];
    let output = Command::new(env!("CARGO")).args(words).current_dir(root()).output().unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("turmoil"), "{tree}");
    let is_there = tree.lines().any(|line| line.starts_with("madsim"));
    assert_eq!(is_there, cfg!(madsim), "{tree}");
}
