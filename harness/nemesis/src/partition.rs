//! A partition: some cannot reach the others.

mod sides;

use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::{Settings, Target, duration};
use wrack_sim::network::{LinkAction, Messages, RuleId};

use crate::links::{Direction, Links};
use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

use sides::Sides;

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "partition",
    code: "X01",
    doc: "\
The network splits: messages from one side to the other are lost, also those that are under way. \
With `mode = \"hold\"` they wait instead, and arrive in order when the partition is healed, as \
they do when a connection survives it.

`shape` says who is cut off from whom.
isolate: the `target` from all others, one node at random if there is no target.
halves: the nodes in two halves drawn at random, the smaller one first; a `target` is in that one.
bridge: two halves that only one node between them can reach, the `target` or one at random.
majorities-ring: each node hears a majority, and no two of them the same one.
groups: the `groups`, of which no two can reach each other. Who is in two groups reaches both; a \
node in none reaches everybody.
Without a shape it is groups if there are `groups`, isolate if there is a `target`, and else \
halves.

Clients are cut off too. They are with the others, in groups with the largest one, but for \
`clients_with_target` of them, which are on the side of the target (in halves and a bridge the \
first half, in groups the first group): those whose usual entry is the target come first. In a \
ring every client reaches every node.

`direction` makes it one-way: with `in` the target's side hears nothing of the others but is \
heard, with `out` the other way round. A ring has no direction. With `flap` it is on for so long, \
off for so long, and so on, beginning with on.

Healing lets all further messages through.",
    parameters: &[
        ParameterInfo::optional(
            "shape",
            ParameterKind::Choice(Shape::NAMES),
            "Who is cut off from whom.",
        ),
        ParameterInfo::optional("target", ParameterKind::Target, "Who is cut off."),
        ParameterInfo::optional(
            "groups",
            ParameterKind::Groups,
            "Groups that cannot reach each other.",
        ),
        ParameterInfo::new(
            "direction",
            ParameterKind::Choice(Direction::NAMES),
            DefaultSetting::Choice("both"),
            "Cuts messages to the target's side (`in`), from it (`out`), or `both`.",
        ),
        ParameterInfo::new(
            "mode",
            ParameterKind::Choice(&["drop", "hold"]),
            DefaultSetting::Choice("drop"),
            "Whether messages are lost or wait for the heal.",
        ),
        ParameterInfo::optional(
            "flap",
            ParameterKind::Duration,
            "How long it is on, and then off, in turns.",
        ),
        ParameterInfo::new(
            "clients_with_target",
            ParameterKind::Integer { min: 0, max: u16::MAX as i64 },
            DefaultSetting::Integer(0),
            "How many clients are on the side of the target.",
        ),
    ],
    effect: "messages dropped or held",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

/// Who is cut off from whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Halves,
    Isolate,
    Bridge,
    Ring,
    Groups,
}

impl Shape {
    const NAMES: &[&str] = &["halves", "isolate", "bridge", "majorities-ring", "groups"];

    fn of(settings: &Settings) -> Self {
        match settings.choice("shape").as_deref() {
            Some("halves") => Self::Halves,
            Some("isolate") => Self::Isolate,
            Some("bridge") => Self::Bridge,
            Some("majorities-ring") => Self::Ring,
            Some(_) => Self::Groups,
            None if settings.0.contains_key("groups") => Self::Groups,
            None if settings.0.contains_key("target") => Self::Isolate,
            None => Self::Halves,
        }
    }
}

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let clients = settings.integer("clients_with_target");
    Box::new(Partition {
        shape: Shape::of(settings),
        target: settings.target("target"),
        groups: settings.groups("groups").unwrap_or_default(),
        direction: Direction::of(settings),
        clients_with_target: clients.expect("it has a default") as usize,
        action: match settings.choice("mode").as_deref() {
            Some("hold") => LinkAction::Hold,
            _ => LinkAction::Cut,
        },
        flap_ns: settings.duration("flap"),
        links: Links::default(),
        rules: Vec::new(),
    })
}

struct Partition {
    shape: Shape,
    target: Option<Target>,
    groups: Vec<Vec<Target>>,
    direction: Direction,
    clients_with_target: usize,
    action: LinkAction,
    flap_ns: Option<u64>,
    links: Links,
    /// In force at the moment; none while a flapping partition is off.
    rules: Vec<RuleId>,
}

impl Partition {
    /// Who is on which side, clients too.
    fn sides(&self, stage: &mut Stage<'_>) -> Result<Sides, Nobody> {
        let target = self.target.as_ref();
        let target = target.map(|target| stage.resolve(target)).transpose()?;
        let sides = match self.shape {
            Shape::Halves => Sides::halves(target.unwrap_or_default(), stage),
            Shape::Bridge => Sides::bridge(target.unwrap_or_default(), stage),
            Shape::Ring => return Ok(Sides::ring(stage)),
            Shape::Isolate => match target {
                Some(target) => Sides::isolate(target, stage),
                None => Sides::isolate(stage.resolve(&Target::Count(1))?, stage),
            },
            Shape::Groups => {
                let groups = self.groups.iter().map(|group| stage.resolve_all(group));
                Sides::groups(groups.collect::<Result<_, _>>()?, stage)
            }
        };
        Ok(sides.with_clients(self.clients_with_target, &stage.clients()))
    }

    /// What happens to messages, in a few words.
    fn manner(&self) -> String {
        let held = match self.action {
            LinkAction::Hold => ", messages held",
            _ => "",
        };
        let flap = self.flap_ns.map(duration::format);
        let flap = flap.map(|flap| format!(", on and off every {flap}"));
        format!("{held}{}", flap.unwrap_or_default())
    }
}

impl FaultBehaviour for Partition {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let sides = self.sides(stage)?;
        let is_cut = |from, to| sides.cut(from, to, self.direction);
        self.links = Links::among(&stage.members(), is_cut);
        self.rules = self.links.lay(&Messages::All, &self.action, stage);
        Ok(Injected {
            detail: format!("{}{}", sides.words(self.direction, stage), self.manner()),
            nodes: sides.cut_off(),
        })
    }

    fn period_ns(&self) -> Option<u64> {
        self.flap_ns
    }

    fn turn(&mut self, stage: &mut Stage<'_>) {
        if self.rules.is_empty() {
            self.rules = self.links.lay(&Messages::All, &self.action, stage);
        } else {
            self.heal(stage);
        }
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        for rule in self.rules.drain(..) {
            stage.world.remove_rule(rule);
        }
    }
}

#[cfg(test)]
mod tests;
