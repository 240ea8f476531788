//! The same trouble at any time: what a scenario's faults find when they do not aim.
//!
//! A directed scenario proves that a bug is found where one knows where it is. How often the same faults
//! find it at times of their own says how lucky a tester must be who does not.

use wrack_history::catalogue::defaults;
use wrack_history::{Fault, ScheduledFault, Setting, SmolStr, Target, When};
use wrack_scenario::Scenario;
use wrack_sim::chance::{Purpose, Stream};

/// A failpoint that springs more often than this becomes so many crashes.
const CRASHES_MAX: u64 = 10;
/// Ids of what failpoints become begin here, as many for each entry as it can become.
const FIRST_ID: u32 = 2_000_000;

/// The scenario with faults that wait for nothing: one that waits for a fact comes at a time drawn from
/// the fault phase, and a trap at a failpoint becomes crashes (or pauses) of any node at such times.
pub fn undirected(scenario: &Scenario, seed: u64) -> Scenario {
    let within_ns = scenario.phases.faults_ns;
    let faults = scenario.faults.iter().flat_map(|entry| loosened(entry, seed, within_ns));
    Scenario { faults: faults.collect(), ..scenario.clone() }
}

fn loosened(entry: &ScheduledFault, seed: u64, within_ns: u64) -> Vec<ScheduledFault> {
    let mut stream = Stream::new(seed, Purpose::Swarm, u64::from(entry.id), u64::MAX);
    if entry.fault.kind == "failpoint" {
        return without_trap(entry, &mut stream, within_ns);
    }
    let mut loose = entry.clone();
    if matches!(entry.when, When::OnFact { .. }) {
        let later_ns = u64::from(entry.times - 1) * entry.every_ns.unwrap_or(0);
        let length_ns = later_ns.saturating_add(entry.lasts_ns.unwrap_or(0));
        loose.when = When::At(stream.below(within_ns.saturating_sub(length_ns).max(1)));
    }
    for setting in loose.fault.settings.0.values_mut() {
        if matches!(setting, Setting::Target(Target::Source)) {
            *setting = Setting::Target(Target::Count(1));
        }
    }
    // What comes at a time of its own need not find anything to do.
    loose.min_effect = 0;
    vec![loose]
}

/// Crashes or pauses in the stead of a trap.
fn without_trap(
    entry: &ScheduledFault,
    stream: &mut Stream,
    within_ns: u64,
) -> Vec<ScheduledFault> {
    let asked = &entry.fault.settings;
    let down_ns = asked.duration("down").expect("`down` has a default");
    let count = asked.integer("count").unwrap_or(1).clamp(1, CRASHES_MAX as i64) as u32;
    let pauses = asked.choice("action").as_deref() == Some("pause");
    let kind = SmolStr::new_static(if pauses { "pause" } else { "crash" });
    let info = wrack_nemesis::find(&kind).expect("it is in the catalogue").info;
    let target = match asked.target("target") {
        None | Some(Target::Source) => Target::Count(1),
        Some(target) => target,
    };
    let mut settings = defaults(info.parameters).with("target", Setting::Target(target));
    if pauses {
        let clock = asked.choice("clock").expect("`clock` has a default");
        settings = settings.with("clock", Setting::Choice(clock));
    }
    let begins = |stream: &mut Stream| stream.below(within_ns.saturating_sub(down_ns).max(1));
    (0..count)
        .map(|number| ScheduledFault {
            id: FIRST_ID + entry.id * CRASHES_MAX as u32 + number,
            occurrence: 0,
            when: When::At(begins(stream)),
            lasts_ns: Some(down_ns),
            every_ns: None,
            times: 1,
            jitter_ns: 0,
            within_ns: entry.within_ns,
            min_effect: 0,
            fault: Fault { kind: kind.clone(), settings: settings.clone() },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use wrack_history::When;
    use wrack_scenario::Scenario;

    use super::undirected;
    use crate::Catalogue;

    const DIRECTED: &str = r#"
title = "t"
story = "s"
hypothesis = "h"
[design]
name = "raft"
[variants.reference]
expect = "valid"
[workload]
name = "register"
clients = 2
rate = "10/s"
[[fault]]
kind = "partition"
shape = "isolate"
target = { role = "leader" }
on = { fact = "role.leader", after = "1s" }
for = "1s"
every = "2s"
times = 2
[[fault]]
kind = "failpoint"
point = "raft.vote_sent"
count = 3
down = "5ms"
at = "1s"
for = "4s"
[phases]
faults = "5s"
quiet = "1s"
"#;

    fn scenario() -> Scenario {
        let catalogue = Catalogue::builtin().names();
        wrack_scenario::read("t.toml", DIRECTED, &catalogue).expect("it is right")
    }

    #[test]
    fn nothing_waits_for_a_fact_or_a_failpoint_and_all_fits_into_the_fault_phase() {
        let directed = scenario();
        for seed in 0..50 {
            let loose = undirected(&directed, seed);
            let kinds: Vec<&str> =
                loose.faults.iter().map(|entry| entry.fault.kind.as_str()).collect();
            assert_eq!(kinds, ["partition", "crash", "crash", "crash"]);
            for entry in &loose.faults {
                let When::At(at_ns) = entry.when else { panic!("seed {seed}: it waits") };
                let later_ns = u64::from(entry.times - 1) * entry.every_ns.unwrap_or(0);
                let end_ns = at_ns + later_ns + entry.lasts_ns.unwrap();
                assert!(end_ns <= directed.phases.faults_ns, "seed {seed}");
            }
        }
        assert_ne!(
            undirected(&directed, 1).faults[0].when,
            undirected(&directed, 2).faults[0].when
        );
    }
}
