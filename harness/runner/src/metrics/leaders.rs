//! Who believed to lead, and when, in true time.
//!
//! ```text
//! n1  leads ────────────✗ crash                    leaderless   ·····
//! n2              leads ──────── steps down        dual belief  ≈≈≈≈
//! n3                                    leads ──
//!                 ≈≈≈≈≈≈                ·····
//! ```
//! A node believes to lead from when it notes the role until it notes another one or crashes; a node that
//! is paused or cut off goes on believing. What counts is true time: by their own clocks two holders of a
//! lease never overlap, which is the very mistake that this shows.

use std::collections::BTreeMap;

use wrack_history::run::Phases;
use wrack_history::{Fact, FactRecord, NodeIndex};

use super::Observed;

/// Roles of which one node at a time should hold one.
const LEADING: &[&str] = &["leader", "owner"];

/// What the facts say of who led, from the first leader to the end of the quiet phase.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Leaders {
    /// How often somebody began to lead.
    elected: u64,
    leaderless_ns: u64,
    dual_ns: u64,
}

impl Leaders {
    /// Reads the facts of a run, which are in order of time.
    pub fn of(facts: &[FactRecord], phases: Phases) -> Self {
        let mut leaders = Self::default();
        let mut believers = BTreeMap::<NodeIndex, u64>::new();
        let mut since_ns = None;
        for record in facts {
            let leads = match &record.fact {
                Fact::Role { role, epoch } => LEADING.contains(&role.as_str()).then_some(*epoch),
                Fact::Crashed | Fact::Booted { .. } => None,
                _ => continue,
            };
            let until_ns = record.ns.min(phases.quiet_end_ns);
            leaders.pass(&mut since_ns, until_ns, believers.len());
            let before = match leads {
                Some(epoch) => believers.insert(record.node, epoch),
                None => believers.remove(&record.node),
            };
            if leads.is_some() && leads != before && record.ns <= phases.quiet_end_ns {
                leaders.elected += 1;
                since_ns.get_or_insert(record.ns);
            }
        }
        leaders.pass(&mut since_ns, phases.quiet_end_ns, believers.len());
        leaders
    }

    /// So many believed to lead until now.
    fn pass(&mut self, since_ns: &mut Option<u64>, now_ns: u64, believers: usize) {
        let Some(since) = since_ns else { return };
        let passed_ns = now_ns.saturating_sub(*since);
        match believers {
            0 => self.leaderless_ns += passed_ns,
            1 => {}
            _ => self.dual_ns += passed_ns,
        }
        *since = now_ns.max(*since);
    }

    /// How often the leader changed.
    pub fn churn(&self) -> Observed {
        self.observed(|leaders| Observed::Number(leaders.elected - 1))
    }

    /// How long nobody believed to lead.
    pub fn leaderless(&self) -> Observed {
        self.observed(|leaders| leaders.span(leaders.leaderless_ns))
    }

    /// How long two or more did at once.
    pub fn dual_belief(&self) -> Observed {
        self.observed(|leaders| leaders.span(leaders.dual_ns))
    }

    fn span(&self, ns: u64) -> Observed {
        let noun = if self.elected == 1 { "leader" } else { "leaders" };
        Observed::Span { ns, beside: format!("{} {noun}", self.elected) }
    }

    fn observed(&self, of: impl Fn(&Self) -> Observed) -> Observed {
        if self.elected == 0 { Observed::Nothing("nobody noted that it leads") } else { of(self) }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::duration::SECOND;
    use wrack_history::run::Phases;
    use wrack_history::{Fact, FactRecord, NodeIndex};

    use super::Leaders;

    fn role(role: &str, epoch: u64) -> Fact {
        Fact::Role { role: role.into(), epoch }
    }

    /// Facts at these seconds; the quiet phase ends at 10 s.
    fn leaders(facts: &[(u64, NodeIndex, Fact)]) -> Leaders {
        let record = |(seconds, node, fact): &(u64, NodeIndex, Fact)| FactRecord {
            ns: seconds * SECOND,
            node: *node,
            fact: fact.clone(),
        };
        let facts: Vec<FactRecord> = facts.iter().map(record).collect();
        let phases = Phases { heal_ns: 5 * SECOND, quiet_end_ns: 10 * SECOND, end_ns: 12 * SECOND };
        Leaders::of(&facts, phases)
    }

    fn check(facts: &[(u64, NodeIndex, Fact)], churn: &str, leaderless: &str, dual: &str) {
        let leaders = leaders(facts);
        let shown = [leaders.churn(), leaders.leaderless(), leaders.dual_belief()];
        assert_eq!(shown.map(|one| one.to_string()), [churn, leaderless, dual]);
    }

    #[test]
    fn a_crash_ends_a_belief_and_being_cut_off_does_not() {
        let facts = [
            (1, 0, role("leader", 1)),
            (3, 1, role("leader", 2)),
            (4, 0, Fact::Crashed),
            (6, 1, role("follower", 2)),
            (7, 2, role("candidate", 3)),
            (8, 2, role("leader", 3)),
        ];
        check(&facts, "2", "2s (3 leaders)", "1s (3 leaders)");
    }

    #[test]
    fn a_role_that_is_noted_again_is_no_change_and_a_new_epoch_is_one() {
        let facts = [(1, 0, role("owner", 1)), (2, 0, role("owner", 1)), (3, 0, role("owner", 2))];
        check(&facts, "1", "0s (2 leaders)", "0s (2 leaders)");
    }

    #[test]
    fn time_counts_from_the_first_leader_to_the_end_of_the_quiet_phase() {
        let facts = [(4, 0, role("leader", 1)), (9, 0, Fact::Crashed), (11, 1, role("leader", 2))];
        check(&facts, "0", "1s (1 leader)", "0s (1 leader)");
    }

    #[test]
    fn without_roles_nothing_is_observed() {
        let none = "nobody noted that it leads";
        check(&[(1, 0, role("relay", 0))], none, none, none);
    }
}
