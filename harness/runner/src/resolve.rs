//! What a run really did, written as a scenario would say it: explicit operations and faults.
//!
//! A run that is written down so is the same run again, event for event: every draw is keyed by a name
//! that is written down, too. Only clocks of clients that were wrong leave their mark, since an operation
//! is due on its client's clock and is written down in true time.

use std::collections::BTreeMap;

use wrack_history::fault::ResolvedFault;
use wrack_history::{Run, ScheduledFault, TraceKind, When};
use wrack_scenario::{ExplicitOperation, Scenario};

/// The operations that clients of `run` invoked, but for the final reads.
///
/// Shape: in order of invocation. The run has its trace, which says who was asked first.
pub fn operations(scenario: &Scenario, run: &Run) -> Vec<ExplicitOperation> {
    let servers = run.nodes.len() as u32 - run.clients;
    let asked = first_asked(run);
    let by_client = run.history.operations.iter();
    let by_client = by_client.filter(|operation| operation.session < scenario.workload.clients);
    by_client
        .map(|operation| {
            let client = operation.session;
            let number = (operation.id - u64::from(client)) / u64::from(run.clients);
            let to = asked.get(&(operation.invoke.ns, (servers + client) as u16));
            ExplicitOperation {
                client,
                number: number as u32,
                at_ns: operation.invoke.ns,
                to: to.map(|node| run.nodes[usize::from(*node)].clone()),
                key: operation.key.clone(),
                function: operation.function.clone(),
                argument: operation.argument.clone(),
            }
        })
        .collect()
}

/// Whom a client sent its message to when it invoked an operation at that time.
fn first_asked(run: &Run) -> BTreeMap<(u64, u16), u16> {
    let events = run.trace.iter().flat_map(|trace| &trace.events);
    let (mut invoked, mut asked) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        match event.kind {
            TraceKind::Invoke => drop(invoked.insert(event.node, event.ns)),
            TraceKind::Send => {
                if let Some(ns) = invoked.remove(&event.node) {
                    asked.insert((ns, event.node), event.peer);
                }
            }
            _ => (),
        }
    }
    asked
}

/// Every occurrence of every fault of the scenario as a fault by itself, which draws as it did.
pub fn occurrences(scenario: &Scenario) -> Vec<ScheduledFault> {
    let split = |entry: &ScheduledFault| {
        let one = |number: u32| {
            let later_ns = u64::from(number) * entry.every_ns.unwrap_or(0);
            let mut one = entry.clone();
            match &mut one.when {
                When::At(ns) => *ns += later_ns,
                When::OnFact { delay_ns, .. } => *delay_ns += later_ns,
            }
            (one.occurrence, one.times, one.every_ns) = (entry.occurrence + number, 1, None);
            one
        };
        (0..entry.times).map(one).collect::<Vec<_>>()
    };
    // What a surge of load asked for stands among the operations already.
    let lasting = |entry: &&ScheduledFault| entry.fault.kind != wrack_sim::client::SURGE;
    scenario.faults.iter().filter(lasting).flat_map(split).collect()
}

/// The faults that were injected: the time instead of what they waited for, and names instead of roles
/// and chance.
pub fn faults(scenario: &Scenario, run: &Run) -> Vec<ScheduledFault> {
    let resolve = |entry: ScheduledFault| {
        let resolved = of(&entry, run)?;
        let injected_ns = resolved.injected_ns?;
        // What a fact sets off comes after whatever else happened at that instant; what has a time of
        // its own comes before.
        let set_off = match entry.when {
            When::At(ns) => entry.jitter_ns == 0 && ns != injected_ns,
            When::OnFact { delay_ns, .. } => delay_ns == 0,
        };
        let mut one = entry;
        one.when = When::At(injected_ns + u64::from(set_off));
        one.jitter_ns = 0;
        one.fault.settings = resolved.settings.clone();
        Some(one)
    };
    occurrences(scenario).into_iter().filter_map(resolve).collect()
}

/// What became of a fault that comes once.
pub fn of<'a>(entry: &ScheduledFault, run: &'a Run) -> Option<&'a ResolvedFault> {
    let is_it =
        |fault: &&ResolvedFault| (fault.id, fault.occurrence) == (entry.id, entry.occurrence);
    run.faults.iter().find(is_it)
}
