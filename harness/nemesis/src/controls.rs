//! The faults that ask something of nodes, as operators, deployments and loads do.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind};
use wrack_history::{Settings, Target};
use wrack_sim::{Control, NodeId};

use crate::FaultBehaviour;
use crate::stage::{Injected, Nobody, Stage};

/// `target` of a fault that asks something.
pub(crate) const TARGET: ParameterInfo =
    ParameterInfo::new("target", ParameterKind::Target, DefaultSetting::All, "Who is asked.");

/// A fault that asks one thing of some nodes, with all its settings but `target`.
pub(crate) struct OnControl {
    target: Target,
    control: Control,
    /// How long until it asks again, in nanoseconds.
    again_ns: Option<u64>,
    /// What it asks, in a few words, before the names of the nodes.
    what: String,
    nodes: Vec<NodeId>,
}

impl OnControl {
    /// Asks what the design calls `name`, once.
    pub fn new(name: &'static str, settings: &Settings, what: String) -> Self {
        let mut asked = settings.clone();
        asked.0.remove("target");
        Self {
            target: settings.target("target").expect("`target` has a default"),
            control: Control { name, settings: asked, is_over: false },
            again_ns: None,
            what,
            nodes: Vec::new(),
        }
    }

    /// Asks again and again.
    pub fn every(mut self, ns: u64) -> Self {
        self.again_ns = Some(ns);
        self
    }

    fn ask(&self, stage: &mut Stage<'_>) {
        for node in &self.nodes {
            stage.world.control(stage.handle, *node, self.control.clone());
        }
    }
}

impl FaultBehaviour for OnControl {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        self.nodes = stage.resolve_servers(&self.target)?;
        self.ask(stage);
        Ok(Injected {
            detail: format!("{} {}", self.what, stage.name(&self.nodes)),
            nodes: self.nodes.clone(),
        })
    }

    fn period_ns(&self) -> Option<u64> {
        self.again_ns
    }

    fn turn(&mut self, stage: &mut Stage<'_>) {
        self.ask(stage);
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        for node in self.nodes.drain(..) {
            stage.world.end_control(stage.handle, node);
        }
    }
}
