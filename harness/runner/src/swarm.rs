//! The swarm: the scenario that is run with one seed, and what runs of many seeds have reached.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wrack_history::catalogue::DesignInfo;
use wrack_history::fault::ResolvedFault;
use wrack_history::swarm::family;
use wrack_history::{Fact, Run, SmolStr};
use wrack_nemesis::swarm::{Ground, stream};
use wrack_scenario::Scenario;

/// The scenario as it is run with this seed: with drawn faults, parameters and mix, if it has a swarm, and
/// without a swarm then.
pub fn draw<'a>(scenario: &'a Scenario, design: &DesignInfo, seed: u64) -> Cow<'a, Scenario> {
    let Some(swarm) = &scenario.swarm else {
        return Cow::Borrowed(scenario);
    };
    let mut drawn = Scenario { swarm: None, ..scenario.clone() };
    let of_family = |name: &str, kind: &str| stream(family(seed), &format!("{kind} {name}"), 0);
    for (name, settings) in &swarm.parameters {
        if let Some(setting) = of_family(name, "parameter").pick(settings) {
            drawn.parameters.0.insert(name.clone(), setting.clone());
        }
    }
    drawn.nodes = (design.nodes)(&drawn.parameters);
    for (function, weights) in &swarm.mix {
        let weight = of_family(function, "mix").pick(weights).copied();
        let place = drawn.workload.mix.iter_mut().find(|(name, _)| name == function);
        if let (Some(weight), Some((_, place))) = (weight, place) {
            *place = weight;
        }
    }
    let (nodes, faults_ns) = (drawn.nodes.len(), drawn.phases.faults_ns);
    let ground = Ground { design, nodes, faults_ns, seed };
    drawn.faults.extend(wrack_nemesis::swarm::draw(swarm, &ground));
    Cow::Owned(drawn)
}

/// Names what a seed draws: the kinds of its faults, settings, and weights of the mix.
pub fn draws(scenario: &Scenario, design: &DesignInfo, seed: u64) -> Vec<SmolStr> {
    let drawn = draw(scenario, design, seed);
    let kinds: BTreeSet<SmolStr> =
        drawn.faults.iter().map(|scheduled| scheduled.fault.kind.clone()).collect();
    let settings = &drawn.parameters.0;
    let settings = settings.iter().map(|(name, setting)| format!("{name} = {setting:?}").into());
    let mix = &drawn.workload.mix;
    let mix = mix.iter().map(|(function, weight)| format!("{weight} of {function}").into());
    kinds.into_iter().chain(settings).chain(mix).collect()
}

/// What the runs of a group can reach, and must.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Situations that the design declares.
    pub situations: BTreeSet<SmolStr>,
    /// Cells: each kind of fault that is drawn, on a node of each role, alone and beside others.
    pub cells: BTreeSet<SmolStr>,
    /// Situations that one seed at least must reach.
    pub situations_required: BTreeSet<SmolStr>,
    /// Kinds of faults that must do something in one seed at least.
    pub faults_required: BTreeSet<SmolStr>,
}

impl Coverage {
    /// Of a scenario over this design.
    pub fn of(scenario: &Scenario, design: &DesignInfo) -> Self {
        let situations = design.situations.iter().map(|one| SmolStr::new_static(one.name));
        let drawn = scenario.swarm.as_ref();
        let faults = drawn.map(|swarm| swarm.faults.as_slice()).unwrap_or_default();
        let cells = faults.iter().flat_map(|kind| {
            let roles = design.roles.iter().flat_map(|role| [(*role, false), (*role, true)]);
            roles.map(move |(role, beside)| cell(kind, role, beside))
        });
        Self {
            situations: situations.collect(),
            cells: cells.collect(),
            situations_required: drawn.iter().flat_map(|swarm| swarm.reach.clone()).collect(),
            faults_required: faults.iter().cloned().collect(),
        }
    }
}

fn cell(kind: &str, role: &str, beside: bool) -> SmolStr {
    let where_to = if beside { "beside other faults" } else { "alone" };
    format!("{kind} on {role} {where_to}").into()
}

/// The kind of fault that a cell is about.
pub fn kind_of(cell: &str) -> &str {
    cell.split(' ').next().unwrap_or_default()
}

/// The cells that a run reached: faults that did something, the role of each node that they hit at that
/// instant, and whether another fault was on.
pub fn cells(run: &Run) -> BTreeSet<SmolStr> {
    let bit = run.faults.iter().filter(|fault| fault.effect > 0);
    bit.flat_map(|fault| {
        let beside = run.faults.iter().any(|other| is_beside(fault, other));
        let mut roles: Vec<&str> =
            fault.nodes.iter().map(|name| role(run, name, fault.injected_ns)).collect();
        if roles.is_empty() {
            roles.push("everybody");
        }
        roles.into_iter().map(move |role| cell(&fault.kind, role, beside))
    })
    .collect()
}

/// Whether the other fault is on when the first one is injected.
fn is_beside(fault: &ResolvedFault, other: &ResolvedFault) -> bool {
    let (Some(at), Some(began)) = (fault.injected_ns, other.injected_ns) else {
        return false;
    };
    let same = (fault.id, fault.occurrence) == (other.id, other.occurrence);
    !same && began <= at && other.healed_ns.is_none_or(|healed| at < healed)
}

/// The role that a node had last said it has; `node` if it never did, `client` for a client.
fn role<'a>(run: &'a Run, name: &str, at_ns: Option<u64>) -> &'a str {
    let Some(node) = run.nodes.iter().position(|other| other == name) else {
        return "node";
    };
    if node >= run.nodes.len() - run.clients as usize {
        return "client";
    }
    let before = run.facts.iter().take_while(|record| Some(record.ns) <= at_ns);
    let roles = before.filter(|record| usize::from(record.node) == node);
    let role = roles.filter_map(|record| match &record.fact {
        Fact::Role { role, .. } => Some(role.as_str()),
        _ => None,
    });
    role.last().unwrap_or("node")
}
