//! The guards against a verdict that says nothing: too little happened, or a fault never bit.

use wrack_checkers::guards;
use wrack_history::fault::ResolvedFault;
use wrack_history::{History, ScheduledFault, SmolStr};
use wrack_scenario::Scenario;
use wrack_sequential::{observes, only_observes};

/// Why a valid verdict would say nothing, one line each; empty if it says something.
pub fn doubts(scenario: &Scenario, history: &History, faults: &[ResolvedFault]) -> Vec<String> {
    let mut doubts = too_little(scenario, history);
    for fault in faults {
        let entry = scenario.faults.iter().find(|entry| {
            let occurrences = entry.occurrence..entry.occurrence + entry.times;
            entry.id == fault.id && occurrences.contains(&fault.occurrence)
        });
        if let Some(entry) = entry {
            doubts.extend(toothless(scenario, entry, fault));
        }
    }
    doubts
}

fn too_little(scenario: &Scenario, history: &History) -> Vec<String> {
    let activity = guards::guards(history);
    let minimum = &scenario.minimum;
    let (reads, writes) = asked(&scenario.workload.mix);
    let pairs = activity.overlapping_pairs;
    [
        ("operations ended ok", activity.ok, minimum.ok_operations, true),
        ("reads ended ok", activity.reads_ok, minimum.reads, reads),
        (
            "pairs of a read and a write overlapped",
            pairs,
            minimum.overlapping_pairs,
            reads && writes,
        ),
    ]
    .into_iter()
    .filter(|(_, count, least, asked)| *asked && count < least)
    .map(|(what, count, least, _)| format!("only {count} {what}: at least {least} are needed"))
    .collect()
}

/// Whether a mix asks for observations, and for changes. Of a queue what comes out is both.
fn asked(mix: &[(SmolStr, u32)]) -> (bool, bool) {
    let any = |wanted: fn(&str) -> bool| {
        mix.iter().any(|(function, weight)| *weight > 0 && wanted(function))
    };
    (any(observes), any(|function| !only_observes(function)))
}

/// Why an occurrence of a fault proves nothing.
fn toothless(scenario: &Scenario, entry: &ScheduledFault, fault: &ResolvedFault) -> Option<String> {
    let name = format!("{} {} ({})", fault.kind, fault.occurrence + 1, fault.detail);
    if entry.min_effect == 0 {
        return None;
    }
    let Some(injected) = fault.injected_ns else {
        return Some(format!("fault {name} was never injected: {}", fault.detail));
    };
    if fault.effect < entry.min_effect {
        let (effect, unit, least) = (fault.effect, &fault.unit, entry.min_effect);
        return Some(format!("fault {name} touched too little: {effect} {unit}, not {least}"));
    }
    let lasted = fault.healed_ns.is_some_and(|healed| healed > injected);
    let least = scenario.minimum.open_in_fault;
    (lasted && fault.operations_open < least).then(|| {
        let open = fault.operations_open;
        format!("only {open} operations were open during fault {name}: at least {least} are needed")
    })
}

/// Fills in how many operations were open during each fault.
pub fn count_open_operations(history: &History, faults: &mut [ResolvedFault], end_ns: u64) {
    for fault in faults {
        let Some(injected) = fault.injected_ns else { continue };
        let healed = fault.healed_ns.unwrap_or(end_ns);
        fault.operations_open = guards::open_between(history, injected, healed);
    }
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn what_comes_out_of_a_queue_or_a_poll_is_an_observation() {
        let check = |functions: &[(&str, u32)], expected| {
            let mix: Vec<_> =
                functions.iter().map(|(name, weight)| ((*name).into(), *weight)).collect();
            assert_eq!(asked(&mix), expected, "{functions:?}");
        };
        check(&[("read", 1), ("write", 1)], (true, true));
        check(&[("enqueue", 1), ("dequeue", 1)], (true, true));
        check(&[("enqueue", 1), ("dequeue", 0)], (false, true));
        check(&[("poll", 1)], (true, false));
        check(&[("add", 3)], (false, true));
    }
}
