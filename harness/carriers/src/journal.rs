//! The one recorder that all drivers of a run write to: it gives callbacks and facts one order.

use std::sync::{Arc, Mutex, MutexGuard};

use wrack_history::{Fact, FactRecord, NodeIndex};
use wrack_sim::{LimitError, Recorder, Recording};

use crate::config::CarrierConfig;

/// A recorder that drivers share. They take turns on one thread, so nobody ever waits for it.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    recorder: Recorder,
    last_ns: u64,
    limit: Option<LimitError>,
}

impl Journal {
    pub fn new(config: &CarrierConfig) -> Self {
        let recorder = Recorder::new(config.engine.trace, config.engine.keep_all_facts);
        Self(Arc::new(Mutex::new(Entries { recorder, ..Entries::default() })))
    }

    /// Writes something down, at `ns` or at the time of the last entry if that is later.
    ///
    /// Carriers run their hosts one after the other through each tick, so a host may be up to a
    /// tick behind one that ran before it. What happened first is what was executed first.
    pub fn write<R>(&self, ns: u64, write: impl FnOnce(&mut Recorder, u64) -> R) -> R {
        let mut entries = self.entries();
        entries.last_ns = entries.last_ns.max(ns);
        let ns = entries.last_ns;
        write(&mut entries.recorder, ns)
    }

    /// Who claimed a role last, of several claimants the one with the highest epoch.
    pub fn holder(&self, role: &str) -> Option<NodeIndex> {
        let entries = self.entries();
        let claims = entries.recorder.facts().iter().filter_map(|record| claim(record, role));
        claims.max_by_key(|(epoch, _)| *epoch).map(|(_, node)| node)
    }

    /// A bound was met: the run says nothing.
    pub fn limit(&self, error: LimitError) {
        self.entries().limit.get_or_insert(error);
    }

    pub fn is_limited(&self) -> bool {
        self.entries().limit.is_some()
    }

    /// What was recorded by `ns`, or the bound that was met.
    pub fn finish(&self, ns: u64) -> Result<Recording, LimitError> {
        let entries = std::mem::take(&mut *self.entries());
        match entries.limit {
            Some(limit) => Err(limit),
            None => Ok(entries.recorder.finish(ns.max(entries.last_ns))),
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().expect("nobody panics while writing")
    }
}

/// Epoch and node of a claim to this role.
fn claim(record: &FactRecord, wanted: &str) -> Option<(u64, NodeIndex)> {
    match &record.fact {
        Fact::Role { role, epoch } if role == wanted => Some((*epoch, record.node)),
        _ => None,
    }
}
