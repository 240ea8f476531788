//! Whole files: good ones, one with ten mistakes, and ones that are torn.

use wrack_history::load::{KeyDistribution, Pace, RetryKey};
use wrack_history::setting::{Delay, Setting};
use wrack_history::{Target, When};

use crate::scenario::{Bound, Scenario};
use crate::testing::{catalogue, example, mangled, read_good};

fn read_example() -> Scenario {
    crate::read("scenarios/raft/leader-isolated.toml", example(), &catalogue())
        .unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

#[test]
fn the_example_of_the_reference_is_read_in_full() {
    let scenario = read_example();
    assert_eq!(scenario.name, "raft/leader-isolated");
    assert_eq!(scenario.hash, &blake3::hash(example().as_bytes()).to_hex()[..16]);
    assert_eq!(scenario.nodes, ["n1", "n2", "n3", "n4", "n5"]);
    assert_eq!(scenario.tier, Some(1));
    assert_eq!(scenario.variants[1].expected(), "LIN");
    assert_eq!(scenario.variants[1].share_per_million, 900_000);
    assert_eq!(scenario.variants[1].follows[0].code, "STALE");
    assert_eq!(scenario.variants[1].parameters.duration("heartbeat"), Some(100_000_000));
    assert_eq!(scenario.environment.sync_latency, Delay::uniform(1_000_000, 4_000_000));
    assert_eq!(scenario.workload.rate_per_kilosecond, 50_000);
    assert_eq!(scenario.workload.pace, Pace::Open);
    assert_eq!(scenario.workload.distribution, KeyDistribution::Zipf { exponent_milli: 1_100 });
    assert_eq!(scenario.workload.mix[0], ("read".into(), 2));
    assert_eq!(scenario.client.key, RetryKey::Unique);
    assert_eq!(scenario.client.budget_per_million, Some(100_000));
    assert_eq!(scenario.stays_down, ["n5"]);
    assert_eq!(scenario.slos[0].bound, Bound::AtLeast(999_000));
    assert_eq!(scenario.slos[1].bound, Bound::AtMost(500_000_000));
}

#[test]
fn the_faults_of_the_example_are_read_in_full() {
    let faults = read_example().faults;
    assert_eq!((faults[0].id, faults[1].id), (0, 1));
    assert_eq!(faults[0].when, When::At(5_000_000_000));
    assert_eq!((faults[0].lasts_ns, faults[0].times), (Some(10_000_000_000), 3));
    assert_eq!(
        faults[0].fault.settings.0["target"],
        Setting::Target(Target::Role("leader".into()))
    );
    let by = Some(Target::Node("n1".into()));
    let fact = "role.leader".into();
    assert_eq!(faults[1].when, When::OnFact { fact, by, nth: 2, delay_ns: 10_000_000 });
}

#[test]
fn every_default_that_is_filled_in_is_listed() {
    let scenario = read_good("[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\nat = \"5s\"");
    let defaults = scenario.defaults.iter().map(|(key, value)| format!("{key} = {value}"));
    let defaults = defaults.collect::<Vec<_>>().join("\n");
    let expected = "\
design.nodes = 5
design.heartbeat = 50ms
phases.faults = 50s
phases.quiet = 10s
phases.beyond_model = false
variants.reference.expect = valid
network.peer_latency = 1ms..5ms
network.client_latency = 1ms..3ms
disk.sync_latency = 1ms..4ms
workload.clients = 5
workload.keys = 5
workload.pace = open
workload.final_reads = true
workload.rate = 50/s
workload.distribution = uniform
workload.mix.read = 1
workload.mix.write = 1
workload.mix.cas = 1
client.timeout = 500ms
client.attempts = 3
client.backoff = 50ms
client.backoff_max = 1s
client.jitter = 20%
client.key = unique
client.late_duplicates = 0%
client.late_after = 2s
fault.0.jitter = 0s
fault.0.within = 2s
fault.0.min_effect = 1
fault.0.for = until the heal
minimum.ok_operations = 100
minimum.reads = 30
minimum.overlapping_pairs = 10
minimum.open_in_fault = 20";
    assert_eq!(defaults, expected);
    let example = read_example().defaults;
    assert_eq!(example.iter().filter(|(key, _)| !key.starts_with("fault.1")).count(), 1);
}

/// Re-bless with `BLESS=1 cargo test -p wrack-scenario`, and read the diff before committing.
#[test]
fn a_file_with_ten_mistakes_gives_ten_located_diagnostics() {
    let text = include_str!("../tests/ten-mistakes.toml");
    let diagnostics = crate::read("tests/ten-mistakes.toml", text, &catalogue()).unwrap_err();
    let rendered = diagnostics.to_string();
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ten-mistakes.txt");
    if option_env!("BLESS").is_some() {
        std::fs::write(golden, &rendered).unwrap();
    }
    assert_eq!(rendered, std::fs::read_to_string(golden).unwrap());
    assert_eq!(diagnostics.list().len(), 10);
}

#[test]
fn a_torn_or_mangled_file_gives_diagnostics_and_never_a_panic() {
    let (text, catalogue) = (example(), catalogue());
    let check = |text: &str| {
        let Err(diagnostics) = crate::read("a.toml", text, &catalogue) else {
            return;
        };
        let rendered = diagnostics.render(false);
        assert!(!diagnostics.list().is_empty());
        for diagnostic in diagnostics.list() {
            let arrow = format!("--> a.toml:{}:{}\n", diagnostic.line, diagnostic.column);
            assert!(rendered.contains(&arrow), "{arrow} in\n{rendered}\nof\n{text:?}");
        }
    };
    (0..text.len()).for_each(|end| check(&text[..end]));
    mangled(text, 4_000).for_each(|text| check(&text));
}
