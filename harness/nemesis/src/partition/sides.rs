//! Who can reach whom: sides that may overlap, or a ring.

use wrack_sim::NodeId;

use crate::links::Direction;
use crate::stage::Stage;

/// The sides of a partition. The first is the target's; who is on two sides reaches both, and who
/// is on none reaches everybody.
pub(super) struct Sides {
    sides: Vec<Vec<NodeId>>,
    /// Position of the side that clients are on by default.
    main: usize,
    /// In a ring: all servers in the order of the ring, and no sides.
    ring: Vec<NodeId>,
}

impl Sides {
    fn two(first: Vec<NodeId>, second: Vec<NodeId>) -> Self {
        Self { sides: vec![first, second], main: 1, ring: Vec::new() }
    }

    /// The target from all others.
    pub fn isolate(target: Vec<NodeId>, stage: &Stage<'_>) -> Self {
        let others = without(stage.servers(), &target);
        Self::two(target, others)
    }

    /// The smaller half, which the target is in, and the larger one.
    pub fn halves(target: Vec<NodeId>, stage: &mut Stage<'_>) -> Self {
        let nodes = stage.shuffled_servers();
        let middle = (nodes.len() / 2).max(target.len());
        let others = without(nodes, &target);
        let mut first = [target, others].concat();
        let second = first.split_off(middle.min(first.len()));
        Self::two(first, second)
    }

    /// Two halves, and one node that is in both.
    pub fn bridge(target: Vec<NodeId>, stage: &mut Stage<'_>) -> Self {
        let nodes = stage.shuffled_servers();
        let bridge = match &target[..] {
            [] => nodes.iter().copied().take(1).collect(),
            _ => target,
        };
        let mut first = without(nodes, &bridge);
        let second = first.split_off(first.len() / 2);
        let side = |half: Vec<NodeId>| [half, bridge.clone()].concat();
        Self::two(side(first), side(second))
    }

    /// These groups.
    pub fn groups(groups: Vec<Vec<NodeId>>, stage: &Stage<'_>) -> Self {
        let nodes = |group: &[NodeId]| group.iter().filter(|node| stage.is_server(**node)).count();
        let largest = |(place, group): &(usize, &Vec<NodeId>)| (nodes(group), usize::MAX - place);
        let main = groups.iter().enumerate().max_by_key(largest);
        Self { main: main.map_or(0, |(place, _)| place), sides: groups, ring: Vec::new() }
    }

    /// Everybody hears a majority: itself and those nearest to it in a random ring.
    pub fn ring(stage: &mut Stage<'_>) -> Self {
        Self { sides: Vec::new(), main: 0, ring: stage.shuffled_servers() }
    }

    /// Puts clients that are on no side yet on the first one, so many of them, and else on the main
    /// one. A client begins with the server at its own number, so those of the target come first.
    pub fn with_clients(mut self, with_target: usize, clients: &[NodeId]) -> Self {
        let Some(first) = self.sides.first() else {
            return self;
        };
        let start = first.first().map_or(0, |node| node.index());
        let start = start.checked_rem(clients.len()).unwrap_or(0);
        let (before, after) = clients.split_at(start);
        let clients = [after, before].concat().into_iter();
        let free = clients.filter(|client| !self.is_placed(*client));
        for (place, client) in free.collect::<Vec<_>>().into_iter().enumerate() {
            let side = if place < with_target { 0 } else { self.main };
            self.sides[side].push(client);
        }
        self.sides.iter_mut().for_each(|side| side.sort_unstable());
        self
    }

    /// Whether messages from the one to the other are stopped.
    pub fn cut(&self, from: NodeId, to: NodeId, direction: Direction) -> bool {
        if !self.ring.is_empty() {
            return !self.hears_in_ring(to, from);
        }
        let is_apart = |side: &Vec<NodeId>| !(side.contains(&from) && side.contains(&to));
        if !(self.is_placed(from) && self.is_placed(to) && self.sides.iter().all(is_apart)) {
            return false;
        }
        let is_target = |node| self.sides[0].contains(node);
        direction == Direction::Both || direction.allows(is_target(&to), is_target(&from))
    }

    /// Those that are on no common side with most clients; in a ring all servers.
    pub fn cut_off(&self) -> Vec<NodeId> {
        let placed = self.sides.iter().flatten().copied();
        let main = self.sides.get(self.main).map_or(&[][..], Vec::as_slice);
        sorted(without(placed.chain(self.ring.iter().copied()).collect(), main))
    }

    /// Who is cut off from whom.
    pub fn words(&self, direction: Direction, stage: &Stage<'_>) -> String {
        let name = |nodes: &[NodeId]| stage.name(nodes);
        if !self.ring.is_empty() {
            return format!("each hears a majority, in the ring {}", name(&self.ring));
        }
        let [first, second] = &self.sides[..] else {
            let sides = self.sides.iter().map(|side| name(side)).collect::<Vec<_>>();
            return sides.join(" | ");
        };
        let bridge = first.iter().copied().filter(|node| second.contains(node));
        let bridge = bridge.collect::<Vec<_>>();
        let rest = match &bridge[..] {
            [] => String::new(),
            _ => format!(", but for {} between them", name(&bridge)),
        };
        let (first, second) = (without(first.clone(), &bridge), without(second.clone(), &bridge));
        let everybody = first.len() + second.len() + bridge.len() == stage.members().len();
        let others = match &bridge[..] {
            [] if everybody => "the others".into(),
            _ => name(&second),
        };
        let first = name(&first);
        match direction {
            Direction::Both => format!("{first} from {others}{rest}"),
            Direction::In => format!("{first} from hearing {others}{rest}"),
            Direction::Out => format!("{first} from being heard by {others}{rest}"),
        }
    }

    fn is_placed(&self, node: NodeId) -> bool {
        self.sides.iter().any(|side| side.contains(&node))
    }

    /// Everybody hears so many before it and behind it in the ring that they are a majority; who is
    /// not in the ring hears all and is heard by all.
    fn hears_in_ring(&self, to: NodeId, from: NodeId) -> bool {
        let place = |node| self.ring.iter().position(|other| *other == node);
        let (Some(to), Some(from)) = (place(to), place(from)) else {
            return true;
        };
        let count = self.ring.len();
        let heard = count / 2;
        let (before, behind) = (heard / 2, heard - heard / 2);
        let ahead = (from + count - to) % count;
        ahead <= behind || count - ahead <= before
    }
}

fn without(mut nodes: Vec<NodeId>, others: &[NodeId]) -> Vec<NodeId> {
    nodes.retain(|node| !others.contains(node));
    nodes
}

fn sorted(mut nodes: Vec<NodeId>) -> Vec<NodeId> {
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}
