//! The office as a test, and the command line over its catalogue.

use std::process::Command;

use ticket_office::catalogue;

const RESTARTS: &str = "scenarios/counter-restarts.toml";

#[test]
fn no_ticket_is_sold_twice_whenever_the_counter_restarts() {
    wrack::scenario(RESTARTS).catalogue(catalogue()).seeds(0..50).assert_ok();
}

#[test]
fn a_counter_that_forgets_is_found_out() {
    wrack::scenario(RESTARTS).catalogue(catalogue()).variant("volatile").seeds(0..50).assert_ok();
}

#[test]
fn a_test_that_fails_explains_itself_and_says_how_to_replay_it() {
    let text = std::fs::read_to_string(RESTARTS).unwrap();
    let hopeful = text.replace("expect = \"ONCE\"\nshare = \"100%\"", "expect = \"valid\"");
    let hopeful = hopeful
        .split_once("follows = ")
        .map(|(before, after)| before.to_owned() + after.split_once('\n').expect("it is a line").1);
    let folder = std::env::temp_dir().join(format!("ticket-office-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("hopeful.toml");
    std::fs::write(&path, hopeful.unwrap()).unwrap();
    let path = path.display().to_string();
    let trial = wrack::scenario(path.as_str()).catalogue(catalogue()).variant("volatile");
    let told = trial.seeds(0..3).outcome().unwrap_err();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(told.contains("expected valid: 3 of 3 seeds are not as expected: 0, 1, 2"), "{told}");
    assert!(told.contains("both hold ticket"), "{told}");
    assert!(
        told.contains(&format!("replay  cargo run -- run {path} --variant volatile")),
        "{told}"
    );
}

#[test]
fn a_name_that_nobody_knows_is_a_located_error() {
    let told = wrack::scenario(RESTARTS).outcome().unwrap_err();
    assert!(told.contains("counter-restarts.toml:7"), "{told}");
    let told = wrack::scenario(RESTARTS).catalogue(catalogue()).variant("volatil").outcome();
    assert!(told.unwrap_err().contains("it has reference, volatile"));
}

/// Runs the office's own command line, and gives what it printed.
fn run(words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ticket-office")).args(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn the_whole_command_line_knows_the_office() {
    let check = |words: &[&str], code: i32, expected: &str| {
        let (exit, told) = run(words);
        assert_eq!(exit, Some(code), "{words:?}: {told}");
        assert!(told.contains(expected), "{words:?}: {told}");
    };
    check(
        &["list", "designs"],
        0,
        "An office that numbers its tickets, and remembers the last number",
    );
    check(&["list", "workloads"], 0, "tickets");
    check(&["list", "models"], 0, "tickets");
    check(&["list", "guarantees"], 0, "ONCE");
    check(&["explain", "ONCE"], 0, "No two clients hold tickets");
    check(&["explain", "ticket-office"], 0, "Roles that its nodes report\n  office");
    check(&["explain", "ticket-ofice"], 64, "did you mean \"ticket-office\"?");
    check(&["schema"], 0, "\"ONCE\"");
    check(&["list", "scenarios"], 0, "volatile → ONCE");
    check(&["verify-determinism", RESTARTS], 0, "");
}
