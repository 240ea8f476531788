//! The catalogue as it is built: every design, workload, fault, guarantee, model and metric.

use std::sync::Arc;

use wrack_carriers::engines;
use wrack_checkers::Guarantee;
use wrack_history::catalogue::{DesignInfo, EngineInfo};
use wrack_scenario::Scenario;
use wrack_sequential::{Model, OwnModel};
use wrack_sim::{Design, Registry};
use wrack_workloads::Entry;

use crate::execute::{Execution, Order, execute};
use crate::metrics;

/// Everything that can be run and judged: what Wrack has, and people's own.
///
/// ```
/// use wrack_runner::Catalogue;
///
/// let catalogue = Catalogue::builtin();
/// assert!(catalogue.names().design("raft").is_some());
/// ```
#[derive(Clone, Default)]
pub struct Catalogue {
    designs: Vec<DesignEntry>,
    own: Arc<Own>,
}

/// A design that can be run, whatever its type.
#[derive(Clone)]
pub struct DesignEntry {
    /// How it describes itself.
    pub info: &'static DesignInfo,
    /// Runs it.
    pub execute: fn(&Order<'_>) -> Execution,
    /// What carries its nodes.
    pub engine: &'static EngineInfo,
    /// Whether it is somebody's own service, which no other engine can carry.
    pub is_service: bool,
    /// What its scenarios may name beside what Wrack has.
    pub own: Arc<Own>,
}

/// People's own workloads, guarantees and models.
#[derive(Clone, Default)]
pub struct Own {
    workloads: Vec<&'static Entry>,
    guarantees: Vec<&'static Guarantee>,
    models: Vec<OwnModel>,
}

impl Own {
    /// Every workload, sorted by name.
    pub fn workloads(&self) -> Vec<&'static Entry> {
        let mut all: Vec<_> = self.each_workload().collect();
        all.sort_by_key(|entry| entry.info.name);
        all
    }

    /// The workload of this name.
    pub fn workload(&self, name: &str) -> Option<&'static Entry> {
        self.each_workload().find(|entry| entry.info.name == name)
    }

    /// Every guarantee, sorted by code.
    pub fn guarantees(&self) -> Vec<&'static Guarantee> {
        let mut all: Vec<_> = self.each_guarantee().collect();
        all.sort_by_key(|guarantee| guarantee.info.code);
        all
    }

    /// The guarantee of this code.
    pub fn guarantee(&self, code: &str) -> Option<&'static Guarantee> {
        self.each_guarantee().find(|guarantee| guarantee.info.code == code)
    }

    fn each_workload(&self) -> impl Iterator<Item = &'static Entry> {
        wrack_workloads::ALL.iter().chain(self.workloads.iter().copied())
    }

    fn each_guarantee(&self) -> impl Iterator<Item = &'static Guarantee> {
        wrack_checkers::ALL.iter().chain(self.guarantees.iter().copied())
    }

    /// Models beside those that Wrack has.
    pub fn models(&self) -> &[OwnModel] {
        &self.models
    }
}

impl Registry for Catalogue {
    fn add<D: Design>(&mut self) {
        self.enter(D::INFO, (&engines::SIM, false), execute::<D>);
    }
}

impl Catalogue {
    /// What Wrack has: the reference designs, and all that they are tested with.
    pub fn builtin() -> Self {
        let mut catalogue = Self::default();
        wrack_designs::register(&mut catalogue);
        catalogue
    }

    /// Takes a design in, in place of one that has its name.
    #[must_use]
    pub fn design<D: Design>(mut self) -> Self {
        self.add::<D>();
        self
    }

    /// Takes a service in: a tokio service of one's own, whose hosts run on turmoil. Scenarios name it as
    /// they name a design.
    #[cfg(feature = "service")]
    #[must_use]
    pub fn service<S: wrack_service::Service>(mut self) -> Self {
        let engine = (crate::service::engine(), true);
        self.enter(S::INFO, engine, crate::service::on_turmoil::<S>);
        self
    }

    /// Takes the place of a design that has this name.
    fn enter(
        &mut self,
        info: &'static DesignInfo,
        (engine, is_service): (&'static EngineInfo, bool),
        execute: fn(&Order<'_>) -> Execution,
    ) {
        self.designs.retain(|entry| entry.info.name != info.name);
        let own = Arc::clone(&self.own);
        self.designs.push(DesignEntry { info, execute, engine, is_service, own });
        self.designs.sort_by_key(|entry| entry.info.name);
    }

    /// Takes a workload in: scenarios name it in `[workload]`.
    ///
    /// # Panics
    /// If there is one of this name.
    #[must_use]
    pub fn workload(self, workload: &'static Entry) -> Self {
        let name = workload.info.name;
        assert!(self.own.workload(name).is_none(), "there is a workload \"{name}\" already");
        self.with(|own| own.workloads.push(workload))
    }

    /// Takes a sequential model in: workloads name it as what they are judged by.
    ///
    /// # Panics
    /// If there is one of this name.
    #[must_use]
    pub fn model<M: Model + Default + 'static>(self) -> Self {
        let model = OwnModel::of::<M>();
        let name = model.info.name;
        let known = self.names().models.iter().any(|info| info.name == name);
        assert!(!known, "there is a model \"{name}\" already");
        self.with(|own| own.models.push(model))
    }

    /// Takes a guarantee in: designs promise it by its code, and scenarios may bound it.
    ///
    /// # Panics
    /// If there is one of this code.
    #[must_use]
    pub fn guarantee(self, guarantee: &'static Guarantee) -> Self {
        let code = guarantee.info.code;
        assert!(self.own.guarantee(code).is_none(), "there is a guarantee {code} already");
        self.with(|own| own.guarantees.push(guarantee))
    }

    /// Takes something in, for every design.
    fn with(mut self, take: impl FnOnce(&mut Own)) -> Self {
        let mut own = Own::clone(&self.own);
        take(&mut own);
        self.own = Arc::new(own);
        for entry in &mut self.designs {
            entry.own = Arc::clone(&self.own);
        }
        self
    }

    /// The same designs, their nodes carried by another engine; services stay where they are.
    #[must_use]
    pub fn carried_by(mut self, engine: &'static EngineInfo) -> Self {
        let carried = self.designs.iter_mut().filter(|entry| !entry.is_service);
        carried.for_each(|entry| entry.engine = engine);
        self
    }

    /// The design of this name.
    pub fn get(&self, name: &str) -> Option<&DesignEntry> {
        self.designs.iter().find(|entry| entry.info.name == name)
    }

    /// The design of a scenario.
    ///
    /// # Panics
    /// If the scenario was read with other [names](Self::names): the reader knows its designs.
    pub fn of(&self, scenario: &Scenario) -> &DesignEntry {
        self.get(&scenario.design).expect("the reader knows the design")
    }

    /// People's own workloads, guarantees and models.
    pub fn own(&self) -> &Own {
        &self.own
    }

    /// What a scenario file may name.
    pub fn names(&self) -> wrack_history::Catalogue {
        let own_models = self.own.models.iter().map(|model| model.info);
        let mut models: Vec<_> = wrack_sequential::ALL.iter().copied().chain(own_models).collect();
        models.sort_by_key(|info| info.name);
        let services = self.designs.iter().filter(|entry| entry.is_service);
        wrack_history::Catalogue {
            designs: self.designs.iter().map(|entry| entry.info).collect(),
            workloads: self.own.workloads().iter().map(|entry| entry.info).collect(),
            faults: wrack_nemesis::ALL.iter().map(|entry| entry.info).collect(),
            guarantees: self.own.guarantees().iter().map(|guarantee| guarantee.info).collect(),
            models,
            metrics: metrics::ALL.to_vec(),
            engine: self.designs.iter().find(|entry| !entry.is_service).map(|entry| entry.engine),
            services: services.map(|entry| (entry.info.name, entry.engine)).collect(),
            anomalies: wrack_checkers::ANOMALIES,
        }
    }
}
