//! The catalogue as it is built: every design, workload, fault, guarantee, model and metric.

use wrack_history::Catalogue;
use wrack_history::catalogue::DesignInfo;
use wrack_scenario::Scenario;
use wrack_sim::{Design, Registry};

use crate::execute::{Execution, Order, on_sim};
use crate::metrics;

/// A design that can be run, whatever its type.
pub struct DesignEntry {
    /// How it describes itself.
    pub info: &'static DesignInfo,
    /// Runs it on the simulator.
    pub on_sim: fn(&Order<'_>) -> Execution,
}

/// All designs that can be run: the reference designs, and people's own.
#[derive(Default)]
pub struct Designs(Vec<DesignEntry>);

impl Registry for Designs {
    fn add<D: Design>(&mut self) {
        // A design takes the place of one that has its name.
        self.0.retain(|entry| entry.info.name != D::INFO.name);
        self.0.push(DesignEntry { info: D::INFO, on_sim: on_sim::<D> });
        self.0.sort_by_key(|entry| entry.info.name);
    }
}

impl Designs {
    /// The reference designs.
    pub fn reference() -> Self {
        let mut designs = Self::default();
        wrack_designs::register(&mut designs);
        designs
    }

    /// The design of this name.
    pub fn get(&self, name: &str) -> Option<&DesignEntry> {
        self.0.iter().find(|entry| entry.info.name == name)
    }

    /// The design of a scenario.
    ///
    /// # Panics
    /// If the scenario was read with another [`Designs::catalogue`]: the reader knows its designs.
    pub fn of(&self, scenario: &Scenario) -> &DesignEntry {
        self.get(&scenario.design).expect("the reader knows the design")
    }

    /// What a scenario file may name.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue {
            designs: self.0.iter().map(|entry| entry.info).collect(),
            workloads: wrack_workloads::ALL.iter().map(|entry| entry.info).collect(),
            faults: wrack_nemesis::ALL.iter().map(|entry| entry.info).collect(),
            guarantees: wrack_checkers::ALL.iter().map(|guarantee| guarantee.info).collect(),
            models: wrack_sequential::ALL.to_vec(),
            metrics: metrics::ALL.to_vec(),
        }
    }
}
