//! Fewer clients and nodes.

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::catalogue::ParameterKind;
use wrack_history::{Setting, SmolStr};
use wrack_scenario::Scenario;

use super::Shrinker;

impl Shrinker<'_> {
    /// Leaves out idle clients, lets one do what two did, and makes the cluster smaller.
    pub(super) fn fewer_members(&mut self) {
        self.fewer_nodes();
        self.no_idle_clients();
        self.merge_clients();
        self.no_idle_clients();
    }

    /// The clients that do something are the first ones, or at least nobody comes after them.
    fn no_idle_clients(&mut self) {
        let operations = self.best.operations.iter().flatten();
        let busy: BTreeSet<u32> = operations.map(|operation| operation.client).collect();
        let count = (busy.len() as u32).max(1);
        let last = busy.last().map_or(1, |last| last + 1);
        if self.best.workload.clients == count {
            return;
        }
        let numbers: BTreeMap<u32, u32> = busy.into_iter().zip(0..).collect();
        let mut few = self.best.clone();
        few.workload.clients = count;
        for operation in few.operations.iter_mut().flatten() {
            operation.client = numbers[&operation.client];
        }
        let mut fewer = self.best.clone();
        fewer.workload.clients = last;
        self.first([few, fewer]);
    }

    fn merge_clients(&mut self) {
        let operations = self.best.operations.iter().flatten();
        let busy: BTreeSet<u32> = operations.map(|operation| operation.client).collect();
        for client in busy.iter().rev() {
            for other in busy.range(..client) {
                let merged = self.edit_operations(|operations| {
                    let taken = operations.iter().filter(|one| one.client == *other);
                    let next = taken.map(|one| one.number + 1).max().unwrap_or(0);
                    let moved = operations.iter_mut().filter(|one| one.client == *client);
                    for (number, operation) in (next..).zip(moved) {
                        (operation.client, operation.number) = (*other, number);
                    }
                });
                if merged {
                    break;
                }
            }
        }
    }

    /// Smaller values of those parameters of the design that say how many nodes there are.
    fn fewer_nodes(&mut self) {
        for info in self.design.info.parameters {
            let ParameterKind::Integer { min, .. } = info.kind else { continue };
            let Some(now) = self.best.parameters.integer(info.name) else { continue };
            // A number that says nothing of nodes may be large.
            let candidates: Vec<Scenario> = (min..now)
                .take(NODES_MAX)
                .map(|value| self.with_parameter(info.name, value))
                .filter(|candidate| candidate.nodes.len() < self.best.nodes.len())
                .collect();
            self.first(candidates);
        }
    }

    /// The best with another number in its design; nobody asks a node first that is gone.
    pub(super) fn with_parameter(&self, name: &str, value: i64) -> Scenario {
        let mut candidate = self.best.clone();
        candidate.parameters = candidate.parameters.with(name, Setting::Integer(value));
        candidate.nodes = (self.design.info.nodes)(&candidate.parameters);
        let is_there = |node: &SmolStr| candidate.nodes.contains(node);
        for operation in candidate.operations.iter_mut().flatten() {
            operation.to = operation.to.take().filter(|node| is_there(node));
        }
        candidate
    }
}

/// No design is tried with more sizes than this.
const NODES_MAX: usize = 100;
