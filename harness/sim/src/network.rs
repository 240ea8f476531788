//! The network: one FIFO link for each ordered pair, and the rules that faults lay on links.
//!
//! Where a partition is *decided* is the nemesis; where it is *done* is here.

use wrack_history::SmolStr;
use wrack_history::setting::Delay;

use crate::chance::{Noise, NoisePurpose, delay_of, finish, scale};
use crate::links::Links;
use crate::node::{MessageClass, NodeId};

/// Identifies an active fault, for counting what it touches.
pub type FaultHandle = usize;

/// Identifies a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId(u32);

impl RuleId {
    /// The rule of this number, for a world other than the simulator's.
    pub fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A set of nodes as bits: the first 64 at hand, and the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSet {
    first: u64,
    others: Vec<u64>,
}

impl NodeSet {
    /// Adds a node.
    pub fn insert(&mut self, node: NodeId) {
        let bit = 1 << (node.index() % 64);
        match (node.index() / 64).checked_sub(1) {
            None => self.first |= bit,
            Some(word) => {
                if self.others.len() <= word {
                    self.others.resize(word + 1, 0);
                }
                self.others[word] |= bit;
            }
        }
    }

    /// Whether it holds the node.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        let word = match (node.index() / 64).checked_sub(1) {
            None => self.first,
            Some(word) => self.others.get(word).copied().unwrap_or_default(),
        };
        word >> (node.index() % 64) & 1 == 1
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        let mut set = Self::default();
        nodes.into_iter().for_each(|node| set.insert(node));
        set
    }
}

/// What a fault does to the links from one set of nodes to another.
#[derive(Clone, Debug)]
pub struct LinkRule {
    /// Stable identity: its draws are keyed by it.
    pub id: u64,
    /// Messages from these …
    pub from: NodeSet,
    /// … to these …
    pub to: NodeSet,
    /// … of this kind.
    pub messages: Messages,
    /// What happens to them.
    pub action: LinkAction,
}

/// Which messages a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Messages {
    /// Every message.
    All,
    /// Those of clients.
    Requests,
    /// Those to clients.
    Responses,
    /// Those between nodes.
    Peers,
    /// Those between nodes that the design calls so.
    Kind(SmolStr),
}

impl Messages {
    /// Whether a message of this class is among them.
    pub fn cover(&self, class: MessageClass) -> bool {
        match self {
            Self::All => true,
            Self::Requests => class == MessageClass::Request,
            Self::Responses => class == MessageClass::Response,
            Self::Peers => matches!(class, MessageClass::Peer(_)),
            Self::Kind(wanted) => {
                matches!(class, MessageClass::Peer(kind) if wanted.as_str() == kind)
            }
        }
    }
}

/// What happens to a message on a link under a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkAction {
    /// It is lost: tested when it is sent and when it arrives.
    Cut,
    /// It waits until the rule is removed.
    Hold,
    /// It is later by so much.
    Delay {
        /// How much later.
        delay: Delay,
        /// Share of messages, in millionths.
        per_million: u32,
    },
    /// It is lost with this probability.
    Lose {
        /// In millionths.
        per_million: u32,
    },
    /// It arrives again.
    Duplicate {
        /// In millionths.
        per_million: u32,
        /// How many more times.
        copies: u32,
        /// How much later each copy is.
        delay: Delay,
    },
    /// It may overtake and be overtaken.
    Reorder {
        /// In millionths.
        per_million: u32,
        /// Moved by up to this much, in nanoseconds.
        window_ns: u64,
    },
}

/// What the rules made of a message that is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routed {
    /// When each copy arrives, in true time, with its tie; empty if it is lost.
    pub deliveries: smallvec::SmallVec<[(u64, u32); 2]>,
    /// The rule that holds it back, if one does.
    pub held_by: Option<RuleId>,
    /// The faults that touched it.
    pub touched: smallvec::SmallVec<[FaultHandle; 2]>,
}

struct Rule {
    id: RuleId,
    /// Keeps the draws of different rules apart.
    salt: u64,
    fault: FaultHandle,
    rule: LinkRule,
}

/// All links of a run.
pub(crate) struct Network {
    servers: usize,
    links: Links,
    noise: Noise,
    peer_latency: Delay,
    client_latency: Delay,
    rules: Vec<Rule>,
    next_rule: u32,
}

impl Network {
    pub fn new(
        nodes: usize,
        servers: usize,
        noise: Noise,
        (peer_latency, client_latency): (Delay, Delay),
    ) -> Self {
        Self {
            servers,
            links: Links::new(nodes),
            noise,
            peer_latency,
            client_latency,
            rules: Vec::new(),
            next_rule: 0,
        }
    }

    pub fn add_rule(&mut self, fault: FaultHandle, rule: LinkRule) -> RuleId {
        let id = RuleId(self.next_rule);
        self.next_rule += 1;
        let salt = finish(rule.id + 1);
        self.rules.push(Rule { id, salt, fault, rule });
        id
    }

    pub fn remove_rule(&mut self, id: RuleId) {
        self.rules.retain(|rule| rule.id != id);
    }

    /// Whether no rule is in force for this pair.
    #[inline]
    pub fn calm(&self, from: NodeId, to: NodeId) -> bool {
        self.rules.is_empty() || self.matching(from, to).next().is_none()
    }

    /// The rule that stops a message when it arrives, and whether it is held instead of lost.
    #[inline]
    pub fn stopped(
        &self,
        link: (NodeId, NodeId),
        class: impl FnMut() -> MessageClass,
    ) -> Option<(RuleId, FaultHandle, bool)> {
        if self.rules.is_empty() { None } else { self.stopped_by_rules(link, class) }
    }

    #[inline(never)]
    fn stopped_by_rules(
        &self,
        (from, to): (NodeId, NodeId),
        mut class: impl FnMut() -> MessageClass,
    ) -> Option<(RuleId, FaultHandle, bool)> {
        let covered = |rule: &&Rule| rule.rule.messages.cover(class());
        self.matching(from, to).filter(covered).find_map(|rule| match rule.rule.action {
            LinkAction::Cut => Some((rule.id, rule.fault, false)),
            LinkAction::Hold => Some((rule.id, rule.fault, true)),
            _ => None,
        })
    }

    fn matching(&self, from: NodeId, to: NodeId) -> impl Iterator<Item = &Rule> {
        self.rules
            .iter()
            .filter(move |rule| rule.rule.from.contains(from) && rule.rule.to.contains(to))
    }

    /// When a message that is sent now on a calm network arrives, with its tie.
    #[inline(always)]
    pub fn route(&mut self, now: u64, from: NodeId, to: NodeId) -> (u64, u32) {
        let between_servers = from.index() < self.servers && to.index() < self.servers;
        let delay = if between_servers { &self.peer_latency } else { &self.client_latency };
        let link = self.links.get(from, to, now);
        let (bucket, index) = link.number(now);
        let word = self.noise.word(from.0, to.0, NoisePurpose::Latency, bucket, index);
        (link.in_order(now + delay_of(delay, word)), tie(word))
    }

    /// When a message that is sent now arrives, rules considered.
    pub fn route_with_rules(
        &mut self,
        now: u64,
        from: NodeId,
        to: NodeId,
        class: MessageClass,
    ) -> Routed {
        let (bucket, index) = self.links.get(from, to, now).number(now);
        let noise = self.noise;
        let word = |purpose| noise.word(from.0, to.0, purpose, bucket, index);
        let mut routed = Routed::default();
        let mut at = now + self.latency(from, to, word(NoisePurpose::Latency));
        let mut in_order = true;
        let mut lost = false;
        let mut copies = smallvec::SmallVec::<[(u32, u64); 2]>::new();
        let covered = |rule: &&Rule| rule.rule.messages.cover(class);
        for rule in self.matching(from, to).filter(covered) {
            let word = |purpose| finish(word(purpose) ^ rule.salt);
            let hit = |purpose, per_million: u32| {
                scale(word(purpose), 1_000_000) < u64::from(per_million)
            };
            let touches = match &rule.rule.action {
                LinkAction::Cut => {
                    lost = true;
                    true
                }
                LinkAction::Hold => {
                    routed.held_by.get_or_insert(rule.id);
                    true
                }
                LinkAction::Lose { per_million } => {
                    let hit = hit(NoisePurpose::Loss, *per_million);
                    lost |= hit;
                    hit
                }
                LinkAction::Delay { delay, per_million } => {
                    let hit = hit(NoisePurpose::Spike, *per_million);
                    if hit {
                        let again = finish(word(NoisePurpose::Spike));
                        at += delay_of(delay, again);
                    }
                    hit
                }
                LinkAction::Duplicate { per_million, copies: count, delay } => {
                    let hit = hit(NoisePurpose::Duplicate, *per_million);
                    if hit {
                        let mut draw = word(NoisePurpose::Duplicate);
                        for copy in 0..*count {
                            draw = finish(draw ^ u64::from(copy));
                            copies.push((tie(draw), delay_of(delay, draw)));
                        }
                    }
                    hit
                }
                LinkAction::Reorder { per_million, window_ns } => {
                    let hit = hit(NoisePurpose::Reorder, *per_million);
                    if hit {
                        let again = finish(word(NoisePurpose::Reorder));
                        at += scale(again, window_ns + 1);
                        in_order = false;
                    }
                    hit
                }
            };
            if touches {
                routed.touched.push(rule.fault);
            }
        }
        if lost {
            routed.held_by = None;
            return routed;
        }
        if in_order {
            at = self.links.get(from, to, now).in_order(at);
        }
        routed.deliveries.push((at, tie(word(NoisePurpose::Latency))));
        routed.deliveries.extend(copies.into_iter().map(|(tie, later)| (at + later, tie)));
        routed
    }

    #[inline]
    fn latency(&self, from: NodeId, to: NodeId, word: u64) -> u64 {
        let between_servers = from.index() < self.servers && to.index() < self.servers;
        let delay = if between_servers { &self.peer_latency } else { &self.client_latency };
        delay_of(delay, word)
    }
}

/// The lower half of a word breaks ties; the upper half decides the rest.
fn tie(word: u64) -> u32 {
    word as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        let latency = Delay::uniform(1_000_000, 5_000_000);
        Network::new(4, 3, Noise::new(7), (latency.clone(), latency))
    }

    fn everyone() -> NodeSet {
        (0..4).map(NodeId).collect()
    }

    #[test]
    fn a_link_is_fifo() {
        let mut network = network();
        let mut last = 0;
        for step in 0..1_000 {
            let (at, _) = network.route(step * 100_000, NodeId(0), NodeId(1));
            assert!(at > last);
            last = at;
        }
    }

    #[test]
    fn a_reordered_message_overtakes() {
        let mut network = network();
        let action = LinkAction::Reorder { per_million: 500_000, window_ns: 10_000_000 };
        let messages = Messages::All;
        let rule = LinkRule { id: 0, from: everyone(), to: everyone(), messages, action };
        network.add_rule(0, rule);
        let sends = (0..500u64).map(|step| {
            let routed = network.route_with_rules(
                step * 100_000,
                NodeId(0),
                NodeId(1),
                MessageClass::Peer(""),
            );
            routed.deliveries[0].0
        });
        assert!(!sends.collect::<Vec<_>>().is_sorted());
    }

    #[test]
    fn a_draw_does_not_depend_on_other_links() {
        let mut alone = network();
        let mut busy = network();
        for step in 0..100 {
            busy.route(step * 10_000, NodeId(2), NodeId(1));
            busy.route(step * 10_000, NodeId(1), NodeId(0));
            let now = step * 10_000;
            let expected = alone.route(now, NodeId(0), NodeId(1));
            assert_eq!(busy.route(now, NodeId(0), NodeId(1)), expected);
        }
    }

    #[test]
    fn loss_of_requests_spares_responses() {
        let mut network = network();
        let action = LinkAction::Lose { per_million: 1_000_000 };
        let messages = Messages::Requests;
        let rule = LinkRule { id: 0, from: everyone(), to: everyone(), messages, action };
        network.add_rule(3, rule);
        let request = network.route_with_rules(0, NodeId(3), NodeId(0), MessageClass::Request);
        assert!(request.deliveries.is_empty() && request.touched[..] == [3]);
        let response = network.route_with_rules(0, NodeId(0), NodeId(3), MessageClass::Response);
        assert!(response.deliveries.len() == 1 && response.touched.is_empty());
    }
}
