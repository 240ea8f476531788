//! Which links a fault is laid on, and the faults that lay one rule on some of them.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind};
use wrack_history::{Settings, SmolStr, Target};
use wrack_sim::NodeId;
use wrack_sim::network::{LinkAction, LinkRule, Messages, NodeSet, RuleId};

use crate::FaultBehaviour;
use crate::stage::{Injected, Nobody, Stage};

/// `target` of a fault on links.
pub(crate) const TARGET: ParameterInfo = ParameterInfo::new(
    "target",
    ParameterKind::Target,
    DefaultSetting::All,
    "Only links with one of these at an end.",
);

/// `towards` of a fault on links.
pub(crate) const TOWARDS: ParameterInfo = ParameterInfo::optional(
    "towards",
    ParameterKind::Target,
    "Only links with one of these at the other end; anybody if absent.",
);

/// `direction` of a fault on links.
pub(crate) const DIRECTION: ParameterInfo = ParameterInfo::new(
    "direction",
    ParameterKind::Choice(Direction::NAMES),
    DefaultSetting::Choice("both"),
    "Messages to the target (`in`), from it (`out`), or `both`.",
);

/// `messages` of a fault on links.
pub(crate) const MESSAGES: ParameterInfo = ParameterInfo::new(
    "messages",
    ParameterKind::Messages,
    DefaultSetting::Choice("all"),
    "Which messages: `all`, `requests`, `responses`, `peers`, or a kind that the design has.",
);

/// Which messages the settings name.
fn messages(settings: &Settings) -> Messages {
    match settings.choice("messages").as_deref() {
        None | Some("all") => Messages::All,
        Some("requests") => Messages::Requests,
        Some("responses") => Messages::Responses,
        Some("peers") => Messages::Peers,
        Some(kind) => Messages::Kind(kind.into()),
    }
}

/// These messages in a sentence.
pub(crate) fn noun(settings: &Settings) -> SmolStr {
    match messages(settings) {
        Messages::All => "messages".into(),
        Messages::Requests => "requests".into(),
        Messages::Responses => "responses".into(),
        Messages::Peers => "messages between nodes".into(),
        Messages::Kind(kind) => format!("{kind} messages").into(),
    }
}

/// Which way messages go, seen from the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Both,
    In,
    Out,
}

impl Direction {
    pub const NAMES: &[&str] = &["both", "in", "out"];

    pub fn of(settings: &Settings) -> Self {
        match settings.choice("direction").as_deref() {
            Some("in") => Self::In,
            Some("out") => Self::Out,
            _ => Self::Both,
        }
    }

    /// Whether a message goes this way.
    pub fn allows(self, into_target: bool, out_of_target: bool) -> bool {
        match self {
            Self::Both => into_target || out_of_target,
            Self::In => into_target,
            Self::Out => out_of_target,
        }
    }
}

/// Ordered pairs of members, each of them once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(Vec<(Vec<NodeId>, Vec<NodeId>)>);

impl Links {
    /// The pairs `(from, to)` of members that are meant. Receivers with the same senders share one
    /// rule, so that few rules are asked about each message.
    pub fn among(members: &[NodeId], is_meant: impl Fn(NodeId, NodeId) -> bool) -> Self {
        let mut links = Vec::<(Vec<NodeId>, Vec<NodeId>)>::new();
        for to in members {
            let senders = members.iter().copied();
            let senders = senders.filter(|from| is_meant(*from, *to)).collect::<Vec<_>>();
            match links.iter_mut().find(|(from, _)| *from == senders) {
                Some((_, receivers)) => receivers.push(*to),
                None => links.push((senders, vec![*to])),
            }
        }
        links.retain(|(senders, _)| !senders.is_empty());
        Self(links)
    }

    /// Lays a rule on them.
    pub fn lay(
        &self,
        messages: &Messages,
        action: &LinkAction,
        stage: &mut Stage<'_>,
    ) -> Vec<RuleId> {
        let set = |nodes: &[NodeId]| nodes.iter().copied().collect::<NodeSet>();
        let rule = |(from, to): &(Vec<NodeId>, Vec<NodeId>)| LinkRule {
            id: stage.key,
            from: set(from),
            to: set(to),
            messages: messages.clone(),
            action: action.clone(),
        };
        let rules = self.0.iter().map(rule).collect::<Vec<_>>();
        rules.into_iter().map(|rule| stage.add_rule(rule)).collect()
    }
}

/// A fault that does something to messages on some links.
pub(crate) struct OnLinks {
    target: Target,
    towards: Option<Target>,
    direction: Direction,
    messages: Messages,
    actions: Vec<LinkAction>,
    /// What it does, in a few words: `2% of messages lost`.
    what: String,
    rules: Vec<RuleId>,
}

impl OnLinks {
    /// The links are those that the settings name.
    pub fn new(settings: &Settings, action: LinkAction, what: String) -> Self {
        Self {
            target: settings.target("target").expect("`target` has a default"),
            towards: settings.target("towards"),
            direction: Direction::of(settings),
            messages: messages(settings),
            actions: vec![action],
            what,
            rules: Vec::new(),
        }
    }

    /// It does this to them, too.
    pub fn and(mut self, action: LinkAction) -> Self {
        self.actions.push(action);
        self
    }

    /// It happens to these messages alone.
    pub fn only(mut self, messages: Messages) -> Self {
        self.messages = messages;
        self
    }

    /// The links in words.
    fn place(&self, target: &[NodeId], others: Option<&[NodeId]>, stage: &Stage<'_>) -> String {
        let target = match self.target {
            Target::All if others.is_none() && self.direction == Direction::Both => {
                return "every link".into();
            }
            Target::All => "all nodes".into(),
            _ => stage.name(target),
        };
        let others = others.map_or("everybody".into(), |others| stage.name(others));
        match self.direction {
            Direction::Both => format!("links between {target} and {others}"),
            Direction::In => format!("links from {others} to {target}"),
            Direction::Out => format!("links from {target} to {others}"),
        }
    }
}

impl FaultBehaviour for OnLinks {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let target = stage.resolve(&self.target)?;
        let towards = self.towards.as_ref().map(|towards| stage.resolve(towards));
        let towards = towards.transpose()?;
        let is_other = |node| towards.as_ref().is_none_or(|others| others.contains(&node));
        let is_meant = |from, to| {
            let into_target = target.contains(&to) && is_other(from);
            let out_of_target = target.contains(&from) && is_other(to);
            self.direction.allows(into_target, out_of_target)
        };
        let links = Links::among(&stage.members(), is_meant);
        for action in &self.actions {
            self.rules.extend(links.lay(&self.messages, action, stage));
        }
        let place = self.place(&target, towards.as_deref(), stage);
        Ok(Injected { detail: format!("{} on {place}", self.what), nodes: target })
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        for rule in self.rules.drain(..) {
            stage.world.remove_rule(rule);
        }
    }
}
