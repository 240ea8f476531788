//! SPLIT: a fenced resource accepts writes of ever newer owners only.
//!
//! Valid: n1 owned epoch 1, n2 took over with epoch 2, and the late write of n1 is refused.
//! ```text
//! n1  ─ write(1) ✓ ──── pause ─────────── write(1) refused
//! n2  ─────────────── write(2) ✓ ─ write(2) ✓
//! ```
//! Invalid, because the resource accepted the late write of epoch 1 after one of epoch 2:
//! ```text
//! n1  ─ write(1) ✓ ──── pause ─────────── write(1) ✓
//! n2  ─────────────── write(2) ✓
//! ```
//! Source: Kleppmann, "How to do distributed locking", 2016; Burrows, Chubby, 2006 (sequencers).

use std::collections::BTreeMap;

use wrack_history::catalogue::GuaranteeInfo;
use wrack_history::{Anomaly, Fact, FactRecord, Judgement, NodeIndex, SmolStr, duration};

use crate::words::node;
use crate::{Guarantee, Invariant, Judge};

/// Fencing.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "SPLIT",
        name: "fencing",
        doc: "Of two that believe to own a resource, only the newer one can still change it.\n\n\
              Each write carries the epoch (term, fencing token) of the lease or election under which \
              its writer owns the resource. The epochs of the writes that the resource accepted never \
              decrease, and no epoch is used by two writers.\n\n\
              The usual way to break it: an owner pauses (garbage collection, a frozen machine) for \
              longer than its lease, somebody else takes over and writes, and the old owner wakes up \
              and finishes its write.",
        parameters: &[],
    },
    judge: Judge::Facts(|| Box::<Fencing>::default()),
};

const ANOMALIES_MAX: usize = 10;

/// The last write that a resource accepted, of the highest epoch so far.
#[derive(Clone, Copy)]
struct Accepted {
    epoch: u64,
    writer: NodeIndex,
    ns: u64,
}

#[derive(Default)]
struct Resource {
    /// Who wrote first in each epoch.
    writers: BTreeMap<u64, Accepted>,
    accepted: u64,
    broken: bool,
}

/// A write that should have been refused, and the one that forbids it.
struct Violation {
    resource: SmolStr,
    earlier: Accepted,
    later: Accepted,
}

#[derive(Default)]
struct Fencing {
    resources: BTreeMap<SmolStr, Resource>,
    violations: Vec<Violation>,
}

impl Invariant for Fencing {
    fn observe(&mut self, record: &FactRecord) {
        let Fact::Accepted { resource, epoch, writer } = &record.fact else {
            return;
        };
        let later = Accepted { epoch: *epoch, writer: *writer, ns: record.ns };
        let known = self.resources.entry(resource.clone()).or_default();
        known.accepted += 1;
        let newest = known.writers.last_key_value().map(|(_, accepted)| *accepted);
        let same = *known.writers.entry(*epoch).or_insert(later);
        let earlier = match newest {
            Some(newest) if newest.epoch > *epoch => Some(newest),
            _ => (same.writer != *writer).then_some(same),
        };
        if let Some(earlier) = earlier
            && !std::mem::replace(&mut known.broken, true)
        {
            self.violations.push(Violation { resource: resource.clone(), earlier, later });
        }
    }

    fn judgement(&mut self, nodes: &[SmolStr]) -> Judgement {
        let mut judgement = Judgement::new(GUARANTEE.info.code);
        let accepted = self.resources.values().map(|resource| resource.accepted);
        judgement.examine("accepted writes", accepted.sum());
        judgement.examine("resources", self.resources.len() as u64);
        if self.resources.is_empty() {
            judgement.doubt("no fenced resource accepted a write");
        }
        for violation in self.violations.iter().take(ANOMALIES_MAX) {
            judgement.contradict(violation.anomaly(nodes));
        }
        judgement
    }
}

impl Violation {
    fn anomaly(&self, nodes: &[SmolStr]) -> Anomaly {
        let Self { resource, earlier, later } = self;
        let says = |accepted: &Accepted| {
            let (writer, at) = (node(nodes, accepted.writer), duration::seconds(accepted.ns));
            format!("a write of epoch {} by {writer} at {at}", accepted.epoch)
        };
        let why = if earlier.epoch > later.epoch {
            "although it had already accepted"
        } else {
            "and in the same epoch"
        };
        Anomaly {
            explanation: format!("{resource} accepted {}, {why} {}", says(later), says(earlier)),
            key: Some(resource.clone()),
            at_ns: Some(later.ns),
            nodes: vec![earlier.writer, later.writer],
            ..Anomaly::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Fact, NodeIndex};

    use super::GUARANTEE;
    use crate::story::{Case, facts};

    fn accepted(epoch: u64, writer: NodeIndex) -> Fact {
        Fact::Accepted { resource: "disk".into(), epoch, writer }
    }

    #[test]
    fn epochs_that_rise_with_one_writer_each_are_valid() {
        let writes = [(2, 1, accepted(1, 0)), (2, 2, accepted(2, 1)), (2, 3, accepted(2, 1))];
        Case::new("register", "").facts(facts(writes)).accepted_by(&GUARANTEE);
    }

    #[test]
    fn a_late_write_of_an_old_epoch_is_an_anomaly() {
        let writes = [(2, 1, accepted(1, 0)), (2, 2, accepted(2, 1)), (2, 3, accepted(1, 0))];
        Case::new("register", "").facts(facts(writes)).rejected_by(
            &GUARANTEE,
            "disk accepted a write of epoch 1 by n1 at 0.003 s, although it had already accepted a \
             write of epoch 2 by n2 at 0.002 s",
        );
    }

    #[test]
    fn an_epoch_of_two_writers_is_an_anomaly() {
        let writes = [(2, 1, accepted(1, 0)), (2, 2, accepted(1, 1))];
        Case::new("register", "").facts(facts(writes)).rejected_by(
            &GUARANTEE,
            "disk accepted a write of epoch 1 by n2 at 0.002 s, and in the same epoch a write of \
             epoch 1 by n1 at 0.001 s",
        );
    }

    #[test]
    fn no_accepted_write_is_unknown() {
        Case::new("register", "").unknown_to(&GUARANTEE, "no fenced resource accepted a write");
    }
}
