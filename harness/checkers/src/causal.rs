//! CAUS: who sees an effect also sees its causes.
//!
//! Valid: two writes that know nothing of each other may be read in either order.
//! ```text
//! session 1  write 1
//! session 2  write 2
//! session 3  read 1   read 2
//! session 4  read 2   read 1
//! ```
//! Invalid, because session 3 knows of 2, which was written by somebody who had read 1, and then reads
//! 1:
//! ```text
//! session 1  write 1
//! session 2           read 1   write 2
//! session 3                              read 2   read 1
//! ```
//! The definition. *Causal order* (CO): the order of each session, and each write before whoever reads
//! it, and what follows. A history of registers whose values are unique is
//! * causally consistent (CC) iff CO has no cycle (CyclicCO), no read returns what nobody wrote
//!   (ThinAirRead), none returns the initial value though a write of its key is before it
//!   (WriteCOInitRead), and none returns a write that was overwritten by one between the two
//!   (WriteCORead);
//! * causally convergent (CCv) iff further CO has no cycle with *conflicts*: of two writes of a key the
//!   one that is before a read of the other is first (CyclicCF);
//! * causal memory (CM) iff further, for each session, the same order with the conflicts that its own
//!   reads show, and all that follow from these, has no cycle (CyclicHB), and no own read returns the
//!   initial value though a write of its key is before it (WriteHBInitRead).
//!
//! Each level is CC and its own patterns; CCv and CM do not imply each other. A session is in order
//! of its ok operations; a write in doubt that somebody read comes after what its session had done
//! before, and before nothing else of it.
//!
//! Source: Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal consistency", POPL 2017
//! (definitions 8 to 11, tables 1 and 2); Ahamad et al., "Causal memory", 1995.

pub(crate) mod graph;
mod patterns;

use wrack_history::catalogue::{DefaultSetting, GuaranteeInfo, ParameterInfo, ParameterKind};
use wrack_history::{Anomaly, Judgement, Settings};

use crate::tally::{Tally, some_ids};
use crate::unique::Unique;
use crate::words::{list, told};
use crate::{Evidence, Guarantee, Judge};
use graph::{Graph, Unit};
pub(crate) use patterns::{Pattern, contradiction};

/// Causal consistency.
pub const GUARANTEE: Guarantee = Guarantee {
    info: &GuaranteeInfo {
        code: "CAUS",
        name: "causal consistency",
        doc: "Whoever sees an effect also sees its causes: what its session did and read before.\n\n\
              A session is in order, a write is before whoever reads it, and so on; no read returns a \
              version that was overwritten by something it must know of. That is level `cc`. With \
              `ccv`, all replicas agree in the end on one order of writes that nobody knew to be in \
              order; with `cm` (causal memory), each session may have its own, and keeps to it. The \
              values of a key must be unique. The report names the pattern that no causally consistent \
              store can show.\n\n\
              The usual ways to break it: an answer that is replicated before its question; a session \
              that moves to a replica which lags; a cache in front of one replica of several.\n\n\
              Source: Bouajjani et al., On Verifying Causal Consistency, POPL 2017.",
        parameters: &[ParameterInfo::new(
            "level",
            ParameterKind::Choice(&["cc", "ccv", "cm"]),
            DefaultSetting::Choice("cc"),
            "Causal consistency, causal convergence or causal memory.",
        )],
    },
    judge: Judge::Evidence(judge),
};

const ANOMALIES_MAX: usize = 10;

fn judge(evidence: &Evidence<'_>, settings: &Settings) -> Judgement {
    let mut judgement = Judgement::new(GUARANTEE.info.code);
    let level = settings.choice("level").expect("it has a default");
    judgement.bound = Some(level.to_string());
    let unique = match Unique::of(evidence) {
        Ok(unique) => unique,
        Err(reason) => {
            judgement.doubt(reason);
            return judgement;
        }
    };
    let reads = unique.accesses.iter().filter(|access| access.is_read).count();
    judgement.examine("reads", reads as u64);
    judgement.examine("keys", unique.keys as u64);
    let found = Graph::new(&unique, Unit::Session).and_then(|graph| patterns::find(&graph, &level));
    let patterns = match found {
        Ok(patterns) => patterns,
        Err(reason) => {
            judgement.doubt(reason);
            return judgement;
        }
    };
    let mut tally = Tally::default();
    for access in &unique.accesses {
        tally.look(access.operation, false);
    }
    for pattern in &patterns {
        if let Some(last) = pattern.accesses.last() {
            tally.look(unique.accesses[*last as usize].operation, true);
        }
        if judgement.anomalies.len() < ANOMALIES_MAX {
            judgement.contradict(anomaly(&unique, pattern));
        }
    }
    judgement.observed = Some(format!("{} bad patterns", patterns.len()));
    judgement.algorithm = Some("bad patterns".to_owned());
    tally.tell(&mut judgement);
    judgement
}

/// A bad pattern in words.
pub(crate) fn anomaly(unique: &Unique<'_>, pattern: &Pattern) -> Anomaly {
    let operations =
        pattern.accesses.iter().map(|access| unique.accesses[*access as usize].operation);
    let told: Vec<String> = operations.clone().map(told).collect();
    let key = operations.clone().next().map(|operation| operation.key.clone());
    Anomaly {
        explanation: format!("{}: {}: {}", pattern.name, pattern.meaning(), list(&told)),
        at_ns: operations.clone().map(|one| one.complete.ns).filter(|ns| *ns != u64::MAX).max(),
        operations: some_ids(operations),
        key: key.filter(|key| !key.is_empty()),
        ..Anomaly::default()
    }
}

#[cfg(test)]
mod tests;
