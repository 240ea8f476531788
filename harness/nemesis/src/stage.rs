//! What a fault sees and uses while it acts: the world, whom it is for, and its own chance.

use wrack_history::{SmolStr, Target};
use wrack_sim::network::{FaultHandle, LinkRule, RuleId};
use wrack_sim::{NodeId, Stream, World};

/// Nobody is there yet whom a fault could be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nobody {
    /// The role that nobody holds.
    pub role: SmolStr,
}

/// What became of a fault that was injected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Injected {
    /// Whom it is for.
    pub nodes: Vec<NodeId>,
    /// What was done, in a few words: `n3 and client-1 from the others`.
    pub detail: String,
}

/// The world in the hands of one occurrence of a fault.
pub struct Stage<'a> {
    /// What it acts on.
    pub world: &'a mut dyn World,
    /// Counts what it touches.
    pub handle: FaultHandle,
    /// Stable identity of the occurrence: draws that the engine makes for it are keyed by it.
    pub key: u64,
    /// Its own chance, the same whatever else is in the schedule.
    pub stream: Stream,
    /// Who noted the fact that set it off.
    pub(crate) source: Option<NodeId>,
    /// What was resolved so far, in order.
    pub(crate) resolved: Vec<(Target, Vec<NodeId>)>,
    /// Names of nodes that are to stay down; empty but for the heal at the end.
    pub(crate) stays_down: &'a [SmolStr],
}

impl Stage<'_> {
    /// Servers, then clients.
    pub fn members(&self) -> Vec<NodeId> {
        ids(0..self.world.names().len())
    }

    /// The servers.
    pub fn servers(&self) -> Vec<NodeId> {
        ids(0..self.world.servers())
    }

    /// The clients.
    pub fn clients(&self) -> Vec<NodeId> {
        ids(self.world.servers()..self.world.names().len())
    }

    /// Whether the node is a server.
    pub fn is_server(&self, node: NodeId) -> bool {
        node.index() < self.world.servers()
    }

    /// Whether the node is to stay down when everything is healed.
    pub fn stays_down(&self, node: NodeId) -> bool {
        self.stays_down.contains(&self.world.names()[node.index()])
    }

    /// Whom a target means at this moment, in order of their index.
    ///
    /// Errors: nobody holds the role, or nobody of that name exists.
    pub fn resolve(&mut self, target: &Target) -> Result<Vec<NodeId>, Nobody> {
        let nodes = self.find(target)?;
        self.resolved.push((target.clone(), nodes.clone()));
        Ok(nodes)
    }

    fn find(&mut self, target: &Target) -> Result<Vec<NodeId>, Nobody> {
        let servers = self.world.servers();
        let nobody = |role: &SmolStr| Nobody { role: role.clone() };
        let named = |name: &SmolStr| {
            let place = self.world.names().iter().position(|other| other == name);
            place.map(|place| NodeId(place as u16)).ok_or_else(|| nobody(name))
        };
        Ok(match target {
            Target::Node(name) => vec![named(name)?],
            Target::Nodes(names) => {
                let mut nodes = names.iter().map(named).collect::<Result<Vec<_>, _>>()?;
                nodes.sort_unstable();
                nodes
            }
            Target::Role(role) => vec![holder(self.world, role).ok_or_else(|| nobody(role))?],
            Target::Random(role) => {
                // One of those who claim this very role: a node claims one at a time, so a random
                // follower is never the leader.
                let claimants = claimants(self.world, role).map(|(node, _)| node);
                let claimants = claimants.collect::<Vec<_>>();
                let one = self.stream.pick(&claimants);
                vec![*one.ok_or_else(|| nobody(role))?]
            }
            Target::Count(count) => self.draw(*count as usize),
            Target::Minority => self.draw(servers.saturating_sub(1) / 2),
            Target::Majority => self.draw(servers / 2 + 1),
            Target::All => self.servers(),
            Target::Clients => self.clients(),
            Target::Source => vec![self.source.ok_or_else(|| nobody(&"source".into()))?],
        })
    }

    /// Whom several targets mean together, each once, in order of their index.
    ///
    /// Errors: as [`Stage::resolve`].
    pub fn resolve_all(&mut self, targets: &[Target]) -> Result<Vec<NodeId>, Nobody> {
        let mut nodes = Vec::new();
        for target in targets {
            nodes.extend(self.resolve(target)?);
        }
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    /// The servers that a target means; clients have neither disk nor a life after a crash.
    ///
    /// Errors: as [`Stage::resolve`].
    pub fn resolve_servers(&mut self, target: &Target) -> Result<Vec<NodeId>, Nobody> {
        let mut nodes = self.resolve(target)?;
        nodes.retain(|node| self.is_server(*node));
        Ok(nodes)
    }

    /// So many servers, drawn at random.
    fn draw(&mut self, count: usize) -> Vec<NodeId> {
        let mut nodes = self.shuffled_servers();
        nodes.truncate(count);
        nodes.sort_unstable();
        nodes
    }

    /// All servers in random order.
    pub fn shuffled_servers(&mut self) -> Vec<NodeId> {
        let mut nodes = self.servers();
        self.stream.shuffle(&mut nodes);
        nodes
    }

    /// Lays a rule on links, counted for this fault.
    pub fn add_rule(&mut self, rule: LinkRule) -> RuleId {
        self.world.add_rule(self.handle, rule)
    }

    /// Names in a sentence: `n1, n2 and client-1`.
    pub fn name(&self, nodes: &[NodeId]) -> String {
        let names = self.world.names();
        let names = nodes.iter().map(|node| names[node.index()].as_str());
        match names.collect::<Vec<_>>()[..] {
            [] => "nobody".into(),
            [one] => one.into(),
            [ref others @ .., last] => format!("{} and {last}", others.join(", ")),
        }
    }
}

fn ids(range: std::ops::Range<usize>) -> Vec<NodeId> {
    range.map(|index| NodeId(index as u16)).collect()
}

/// The servers that claim a role, with the epochs in which they do.
pub(crate) fn claimants<'a>(
    world: &'a dyn World,
    role: &'a str,
) -> impl Iterator<Item = (NodeId, u64)> + use<'a> {
    ids(0..world.servers()).into_iter().filter_map(move |node| {
        let (claimed, epoch) = world.role(node)?;
        (claimed == role).then_some((node, epoch))
    })
}

/// Of those who claim a role the one of the highest epoch; of two in one epoch the first.
pub(crate) fn holder(world: &dyn World, role: &str) -> Option<NodeId> {
    let claimants = claimants(world, role);
    claimants.max_by_key(|(node, epoch)| (*epoch, std::cmp::Reverse(*node))).map(|(node, _)| node)
}
