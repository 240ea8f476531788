//! Out of a dead end: what is left cannot be made smaller step by step, but perhaps something else shows
//! the anomaly in less.
//!
//! A design draws, too, and every message it gets moves its draws: of ten operations none can be left
//! out, and yet three of them, at other draws, would do. So faults are made certain, the design is made
//! to do sooner what it does after so many operations, and a few operations are drawn from all.

use std::collections::BTreeSet;

use wrack_history::catalogue::ParameterKind;
use wrack_history::duration::MILLISECOND;
use wrack_history::{Setting, SmolStr, Target};
use wrack_scenario::{ExplicitOperation, Scenario};
use wrack_sim::Stream;
use wrack_sim::chance::Purpose;

use super::Shrinker;

/// Fewer operations than this are a small story.
const SMALL: usize = 4;

/// So many operations are drawn from all, and an eighth, a quarter and a half of them.
const SIZES: &[usize] = &[1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48];

/// So many draws of each size.
pub(super) const DRAWS: u64 = 40;

/// So many at first, when runs still take long.
pub(super) const DRAWS_FIRST: u64 = 6;

/// Shares that faults are tried with.
const SHARES: &[u32] = &[1_000_000, 500_000, 200_000];

/// Numbers that parameters of a design are tried with.
const SMALL_NUMBERS: &[i64] = &[1, 2, 3, 5, 10];

impl Shrinker<'_> {
    /// Whether one of the ways out was found.
    pub(super) fn loosen(&mut self, draws: u64) -> bool {
        if self.count() <= SMALL {
            return false;
        }
        let certain = self.certain_faults();
        let sooner = self.smaller_parameters();
        let drawn = self.few_drawn(draws);
        certain || sooner || drawn
    }

    /// Faults that do always what they do with some chance, and at once what they do later.
    fn certain_faults(&mut self) -> bool {
        let mut found = false;
        for place in 0..self.best.faults.len() {
            for (name, setting) in self.best.faults[place].fault.settings.0.clone() {
                let certain: Vec<Setting> = match setting {
                    Setting::PerMillion(0) => continue,
                    Setting::PerMillion(now) => {
                        let larger = SHARES.iter().filter(|share| **share > now);
                        larger.map(|share| Setting::PerMillion(*share)).collect()
                    }
                    Setting::Integer(2..) if name == "nth" => vec![Setting::Integer(1)],
                    _ => continue,
                };
                let candidates = certain.into_iter().map(|certain| {
                    let mut candidate = self.best.clone();
                    candidate.faults[place].fault.settings.0.insert(name.clone(), certain);
                    candidate
                });
                let candidates: Vec<Scenario> = candidates.collect();
                found |= self.first(candidates).is_some();
            }
        }
        found
    }

    /// Smaller numbers of the design: a snapshot after every second operation.
    fn smaller_parameters(&mut self) -> bool {
        let mut found = false;
        for info in self.design.info.parameters {
            let ParameterKind::Integer { min, .. } = info.kind else { continue };
            let Some(now) = self.best.parameters.integer(info.name) else { continue };
            let smaller = SMALL_NUMBERS.iter().copied().chain([now / 2]);
            let smaller = smaller.filter(|value| (min..now).contains(value));
            let candidates: Vec<Scenario> =
                smaller.map(|value| self.with_parameter(info.name, value)).collect();
            found |= self.first(candidates).is_some();
        }
        found
    }

    /// A few operations, those that the anomaly names before all others; faults get other names, and
    /// operations other times and entries, so that everything draws anew.
    fn few_drawn(&mut self, draws: u64) -> bool {
        if self.count() <= SMALL {
            return false;
        }
        let operations = self.best.operations.clone().expect("operations are explicit");
        let named: Vec<usize> = {
            let is_named = |one: &ExplicitOperation| {
                let mut named = self.named().into_iter();
                named.any(|other| (other.session, other.invoke.ns) == (one.client, one.at_ns))
            };
            (0..operations.len()).filter(|place| is_named(&operations[*place])).collect()
        };
        let count = operations.len();
        let sizes = SIZES.iter().copied().chain([count / 8, count / 4, count / 2]);
        let sizes: BTreeSet<usize> = sizes.filter(|size| (1..count).contains(size)).collect();
        let draws = sizes.into_iter().flat_map(|size| (0..draws).map(move |draw| (size, draw)));
        let base = self.best.clone();
        let candidates = draws.map(|(size, draw)| {
            let mut order: Vec<usize> = (0..operations.len()).collect();
            let stream = &mut Stream::new(draw, Purpose::Shrink, size as u64, 0);
            stream.shuffle(&mut order);
            // Every second draw leaves to chance whether those named are in it.
            if draw % 2 == 0 {
                order.sort_by_key(|place| !named.contains(place));
            }
            order.truncate(size);
            order.sort_unstable();
            let drawn = order.into_iter().map(|place| operations[place].clone());
            let mut candidate = Scenario { operations: Some(drawn.collect()), ..base.clone() };
            for fault in &mut candidate.faults {
                fault.id += draw as u32 * 1_000;
            }
            for operation in candidate.operations.iter_mut().flatten() {
                operation.at_ns += draw / 4 * MILLISECOND;
                let turn = (draw / 2) as usize;
                let entry = operation.to.as_mut().filter(|_| turn % 3 == 2);
                entry.into_iter().for_each(|name| *name = further(name, &base.nodes, turn));
            }
            candidate
        });
        self.first(candidates.collect::<Vec<_>>()).is_some()
    }

    /// One fault less, and the others aimed at other nodes: without the first fault somebody else leads.
    pub(super) fn fewer_faults_elsewhere(&mut self) {
        while self.best.faults.len() > 1 {
            let count = self.best.faults.len();
            let one_left = (0..count).map(|kept| vec![kept]);
            let one_out = (0..count).map(|out| (0..count).filter(|kept| *kept != out).collect());
            let parts: Vec<Vec<usize>> = one_left.chain(one_out).collect();
            let turns = 1..self.best.nodes.len();
            let candidates = parts.iter().flat_map(|part| {
                turns.clone().map(|turn| self.turned(part, turn)).collect::<Vec<_>>()
            });
            let candidates: Vec<Scenario> = candidates.collect();
            if self.first(candidates).is_none() {
                break;
            }
        }
    }

    /// The best with these faults alone, everything aimed at the node so many places further on.
    fn turned(&self, part: &[usize], turn: usize) -> Scenario {
        let mut candidate = self.best.clone();
        let nodes = &self.best.nodes;
        let further = |name: &mut SmolStr| *name = further(name, nodes, turn);
        candidate.faults = part.iter().map(|place| self.best.faults[*place].clone()).collect();
        for fault in &mut candidate.faults {
            for setting in fault.fault.settings.0.values_mut() {
                match setting {
                    Setting::Target(target) => turn_target(target, &further),
                    Setting::Groups(groups) => {
                        groups
                            .iter_mut()
                            .flatten()
                            .for_each(|target| turn_target(target, &further));
                    }
                    _ => (),
                }
            }
        }
        candidate
            .operations
            .iter_mut()
            .flatten()
            .filter_map(|one| one.to.as_mut())
            .for_each(further);
        candidate
    }
}

/// The node so many places further on; whoever is no node stays who it is.
fn further(name: &SmolStr, nodes: &[SmolStr], turn: usize) -> SmolStr {
    let place = nodes.iter().position(|node| node == name);
    place.map_or_else(|| name.clone(), |place| nodes[(place + turn) % nodes.len()].clone())
}

fn turn_target(target: &mut Target, further: &impl Fn(&mut SmolStr)) {
    match target {
        Target::Node(name) => further(name),
        Target::Nodes(names) => names.iter_mut().for_each(further),
        _ => (),
    }
}
