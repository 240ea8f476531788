//! The faults that lay one trouble on some disks.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind};
use wrack_history::{Settings, Target};
use wrack_sim::NodeId;
use wrack_sim::world::{DiskFault, DiskTrouble};

use crate::FaultBehaviour;
use crate::stage::{Injected, Nobody, Stage};

/// `target` of a fault of disks.
pub(crate) const TARGET: ParameterInfo =
    ParameterInfo::required("target", ParameterKind::Target, "Whose disk.");

/// `share` of a fault of disks.
pub(crate) const SHARE: ParameterInfo = ParameterInfo::new(
    "share",
    ParameterKind::PerMillion,
    DefaultSetting::PerMillion(1_000_000),
    "Share of syncs that it happens to.",
);

/// A fault that does one thing to the disks of some nodes.
pub(crate) struct OnDisks {
    target: Target,
    per_million: u32,
    trouble: DiskTrouble,
    /// What it does, in a few words, before the names of the nodes.
    what: String,
    nodes: Vec<NodeId>,
}

impl OnDisks {
    /// The nodes and the share of syncs are those that the settings name.
    pub fn new(settings: &Settings, trouble: DiskTrouble, what: String) -> Self {
        Self {
            target: settings.target("target").expect("`target` is required"),
            per_million: settings.per_million("share").unwrap_or(1_000_000),
            trouble,
            what,
            nodes: Vec::new(),
        }
    }
}

impl FaultBehaviour for OnDisks {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        self.nodes = stage.resolve_servers(&self.target)?;
        for node in &self.nodes {
            let fault = DiskFault {
                id: stage.key,
                per_million: self.per_million,
                trouble: self.trouble.clone(),
            };
            stage.world.add_disk_fault(stage.handle, *node, fault);
        }
        Ok(Injected {
            detail: format!("{} {}", self.what, stage.name(&self.nodes)),
            nodes: self.nodes.clone(),
        })
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        for node in self.nodes.drain(..) {
            stage.world.remove_disk_fault(stage.handle, node);
        }
    }
}
