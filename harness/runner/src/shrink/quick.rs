//! The first step, which throws away most: what came after the anomaly, and whom it does not name.

use std::collections::BTreeSet;

use wrack_history::{Operation, SmolStr};
use wrack_scenario::{ExplicitOperation, Scenario};

use super::Shrinker;
use crate::resolve;

/// So long after the anomaly the run may end.
const AFTERWARDS_NS: u64 = 100_000_000;

impl Shrinker<'_> {
    /// Tries to keep what the anomaly names alone; else more and more of what came before it.
    pub(super) fn forget_the_rest(&mut self) {
        let candidates = self.cut_short();
        self.first(candidates);
        let without = Scenario { final_reads: false, ..self.best.clone() };
        self.first([without]);
    }

    fn cut_short(&self) -> Vec<Scenario> {
        let named = self.named();
        let keys: BTreeSet<&SmolStr> = named.iter().map(|operation| &operation.key).collect();
        let keys: BTreeSet<&SmolStr> = keys.into_iter().chain(&self.anomaly().key).collect();
        let clients: BTreeSet<u32> = named.iter().map(|operation| operation.session).collect();
        let is_named = |one: &ExplicitOperation| {
            let same =
                |other: &&Operation| (other.session, other.invoke.ns) == (one.client, one.at_ns);
            named.iter().any(same)
        };
        let end_ns = self.visible_ns();
        let lasts_ns = self.best.phases.faults_ns + self.best.phases.quiet_ns;
        let cut = |keep: &dyn Fn(&ExplicitOperation) -> bool, end_ns: u64| {
            let mut scenario = self.best.clone();
            let operations = scenario.operations.as_mut().expect("operations are explicit");
            operations.retain(|one| one.at_ns <= end_ns && keep(one));
            scenario.faults.retain(|fault| {
                let resolved = resolve::of(fault, &self.run);
                resolved.is_some_and(|one| one.injected_ns.is_some_and(|ns| ns <= end_ns))
            });
            self.end_at(&mut scenario, end_ns.saturating_add(AFTERWARDS_NS));
            scenario
        };
        let on_key = |one: &ExplicitOperation| keys.contains(&one.key);
        let by_client = |one: &ExplicitOperation| clients.contains(&one.client);
        let both = |one: &ExplicitOperation| on_key(one) && by_client(one);
        let all = |_: &ExplicitOperation| true;
        let mut candidates = Vec::new();
        for end_ns in [end_ns, lasts_ns] {
            candidates.extend([
                cut(&is_named, end_ns),
                cut(&both, end_ns),
                cut(&on_key, end_ns),
                cut(&by_client, end_ns),
                cut(&all, end_ns),
            ]);
        }
        candidates
    }

    /// The operations that the anomaly names.
    pub(super) fn named(&self) -> Vec<&Operation> {
        let ids: BTreeSet<u64> = self.anomaly().operations.iter().copied().collect();
        let operations = self.run.history.operations.iter();
        operations.filter(|operation| ids.contains(&operation.id)).collect()
    }

    /// When the last operation that it names ended, but for the final reads.
    fn visible_ns(&self) -> u64 {
        let quiet_end_ns = self.run.phases.quiet_end_ns;
        let named = self.named();
        let asked = named.iter().filter(|operation| operation.invoke.ns < quiet_end_ns);
        let ended = asked.map(|one| one.complete.ns.min(quiet_end_ns).max(one.invoke.ns));
        let at_ns = self.anomaly().at_ns.filter(|at_ns| *at_ns < quiet_end_ns);
        ended.chain(at_ns).max().unwrap_or(quiet_end_ns)
    }

    /// Lets clients stop at `end_ns`, or when the last operation was due.
    pub(super) fn end_at(&self, scenario: &mut Scenario, end_ns: u64) {
        let lasts_ns = scenario.phases.faults_ns + scenario.phases.quiet_ns;
        let operations = scenario.operations.iter().flatten();
        let due_ns = operations.map(|one| one.at_ns + 1).max().unwrap_or(1);
        let end_ns = end_ns.max(due_ns).min(lasts_ns);
        let phases = &mut scenario.phases;
        phases.faults_ns = phases.faults_ns.min(end_ns);
        phases.quiet_ns = end_ns.saturating_sub(phases.faults_ns).max(self.quiet_min_ns());
    }
}
