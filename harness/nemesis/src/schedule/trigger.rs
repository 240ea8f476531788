//! Entries that wait for a fact.

use wrack_history::{FactRecord, ScheduledFault, SmolStr, Target, When};
use wrack_sim::{NodeId, World};

use super::Name;
use crate::stage::holder;

/// An entry that waits for a fact.
pub(super) struct Trigger {
    /// The entry: its first occurrence.
    pub first: Name,
    pub delay_ns: u64,
    fact: SmolStr,
    by: Option<Target>,
    /// So many of these facts are still to come.
    missing: u32,
}

impl Trigger {
    pub fn of(entry: &ScheduledFault) -> Option<Self> {
        match &entry.when {
            When::At(_) => None,
            When::OnFact { fact, by, nth, delay_ns } => Some(Self {
                first: Name::first_of(entry),
                delay_ns: *delay_ns,
                fact: fact.clone(),
                by: by.clone(),
                missing: (*nth).max(1),
            }),
        }
    }

    /// Takes notice of a fact; whether it was the one that sets the fault off.
    pub fn is_set_off_by(&mut self, record: &FactRecord, world: &dyn World) -> bool {
        if record.fact.is_named(&self.fact) && self.is_by(NodeId(record.node), world) {
            self.missing -= 1;
        }
        self.missing == 0
    }

    fn is_by(&self, node: NodeId, world: &dyn World) -> bool {
        match &self.by {
            None | Some(Target::All) => true,
            Some(Target::Node(name)) => world.names()[node.index()] == *name,
            Some(Target::Role(role)) => holder(world, role) == Some(node),
            // A fact is noted by one node; the reader of scenarios refuses the rest.
            Some(_) => false,
        }
    }
}
