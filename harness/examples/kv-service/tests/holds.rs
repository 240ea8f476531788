//! The service as a test: with and without its bugs.

#[path = "../checks/service.rs"]
mod service;

use service::catalogue;
use wrack::Trial;

fn crashes() -> Trial {
    wrack::scenario("scenarios/store-crashes.toml").catalogue(catalogue()).seeds(0..2)
}

fn clock_ahead() -> Trial {
    wrack::scenario("scenarios/clock-ahead.toml").catalogue(catalogue())
}

#[cfg(not(feature = "no-fsync"))]
#[test]
fn what_was_acknowledged_survives_the_crashes_of_the_store() {
    crashes().assert_ok();
}

#[cfg(feature = "no-fsync")]
#[test]
fn without_fsync_acknowledged_writes_are_lost() {
    let told = crashes().outcome().expect_err("the bug is found");
    assert!(told.contains("2 of 2 seeds are not as expected"), "{told}");
    assert!(told.contains("LOST") && told.contains("acknowledged"), "{told}");
}

#[cfg(not(feature = "no-fsync"))]
#[test]
fn a_clock_that_is_ahead_makes_nothing_expire_too_soon() {
    clock_ahead().assert_ok();
}

#[test]
fn the_same_seed_gives_the_same_history_twice() {
    let (once, twice) = (crashes().runs(), crashes().runs());
    for (one, other) in once.iter().zip(&twice) {
        assert_eq!(one.trace_hash, other.trace_hash, "seed {}", one.seed);
        assert_eq!(one.history.operations, other.history.operations, "seed {}", one.seed);
        assert_eq!(one.engine, "turmoil");
    }
    assert_ne!(once[0].trace_hash, once[1].trace_hash);
}

#[test]
fn a_fault_that_turmoil_cannot_inject_is_a_located_error() {
    let text = std::fs::read_to_string("scenarios/clock-ahead.toml").unwrap();
    let text = text.replace("kind = \"clock-step\"", "kind = \"pause\"");
    let path = std::env::temp_dir().join(format!("kv-service-{}.toml", std::process::id()));
    std::fs::write(&path, text.replace("offset = \"30s\"\n", "")).unwrap();
    let told = wrack::scenario(path.display().to_string()).catalogue(catalogue()).outcome();
    std::fs::remove_file(&path).unwrap();
    let told = told.unwrap_err();
    assert!(told.contains("`pause` cannot be injected on turmoil"), "{told}");
}

#[test]
fn expiry_by_two_clocks_is_found_out_when_one_is_30_s_ahead() {
    clock_ahead().variant("absolute_expiry").assert_ok();
}
