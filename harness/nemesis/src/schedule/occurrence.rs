//! One occurrence of a fault, from its plan to its heal.

use wrack_history::catalogue::{FaultInfo, Lasting};
use wrack_history::duration;
use wrack_history::fault::ResolvedFault;
use wrack_history::{Moment, NemesisEvent, Setting, Settings, SmolStr, Target};
use wrack_sim::chance::Purpose;
use wrack_sim::network::FaultHandle;
use wrack_sim::record::FaultEffect;
use wrack_sim::{NodeId, Stream, World};

use super::Name;
use crate::stage::{Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// What holds for all faults of a run.
pub(super) struct Terms {
    pub seed: u64,
    pub heal_ns: u64,
    pub stays_down: Vec<SmolStr>,
}

impl Terms {
    /// Moves a start by up to `jitter_ns`, either way: the first word of the occurrence's stream.
    pub fn jitter(&self, name: Name, start_ns: u64, jitter_ns: u64) -> u64 {
        let moved = self.stream(name).between(0, jitter_ns.saturating_mul(2));
        start_ns.saturating_add(moved).saturating_sub(jitter_ns)
    }

    fn stream(&self, name: Name) -> Stream {
        let (id, occurrence) = (u64::from(name.id), u64::from(name.occurrence));
        Stream::new(self.seed, Purpose::Fault, id, occurrence)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Planned,
    Active,
    Over,
}

/// One occurrence of a fault.
pub(super) struct Occurrence {
    name: Name,
    info: &'static FaultInfo,
    behaviour: Box<dyn FaultBehaviour>,
    state: State,
    /// Who noted the fact that set it off.
    pub source: Option<NodeId>,
    handle: Option<FaultHandle>,
    /// Its parameters, with the names that targets were resolved to.
    settings: Settings,
    nodes: Vec<SmolStr>,
    /// What it was resolved to; until it is injected, what kept it from that.
    pub detail: SmolStr,
    injected_ns: Option<u64>,
    healed_ns: Option<u64>,
}

impl Occurrence {
    pub fn new(name: Name, fault: &FaultEntry, settings: &Settings) -> Self {
        Self {
            name,
            info: fault.info,
            behaviour: (fault.build)(settings),
            state: State::Planned,
            source: None,
            handle: None,
            settings: settings.clone(),
            nodes: Vec::new(),
            detail: SmolStr::default(),
            injected_ns: None,
            healed_ns: None,
        }
    }

    pub fn is_planned(&self) -> bool {
        self.state == State::Planned
    }

    pub fn lasts(&self) -> bool {
        self.info.lasts == Lasting::For
    }

    /// Injects it; `false` if nobody is there yet whom it could be for.
    pub fn inject(&mut self, terms: &Terms, world: &mut dyn World) -> bool {
        self.handle.get_or_insert_with(|| world.open_fault());
        let inject = |behaviour: &mut dyn FaultBehaviour, stage: &mut Stage<'_>| {
            let injected = behaviour.inject(stage)?;
            Ok((injected, std::mem::take(&mut stage.resolved)))
        };
        match self.on_stage(terms, world, inject) {
            Err(Nobody { role }) => {
                self.detail = role;
                false
            }
            Ok((injected, resolved)) => {
                let names = world.names();
                self.settings = named(&self.settings, resolved, names);
                let names = injected.nodes.iter().map(|node| names[node.index()].clone());
                self.nodes = names.collect();
                self.detail = injected.detail.into();
                self.state = State::Active;
                self.injected_ns = Some(world.now_ns());
                world.record(self.event(true));
                true
            }
        }
    }

    /// Takes its turn; gives the time of the next one.
    pub fn turn(&mut self, terms: &Terms, world: &mut dyn World) -> Option<u64> {
        if self.state != State::Active {
            return None;
        }
        self.on_stage(terms, world, |behaviour, stage| behaviour.turn(stage));
        self.next_turn_ns(world.now_ns())
    }

    /// When it takes its turn next, if it does at all.
    pub fn next_turn_ns(&self, now: u64) -> Option<u64> {
        let period_ns = self.behaviour.period_ns().filter(|period| *period > 0)?;
        Some(now.saturating_add(period_ns))
    }

    /// Heals it, unless it stays as it is.
    pub fn heal(&mut self, terms: &Terms, world: &mut dyn World) {
        self.state = State::Over;
        let stays = |behaviour: &mut dyn FaultBehaviour, stage: &mut Stage<'_>| {
            let stays = behaviour.stays(stage);
            if !stays {
                behaviour.heal(stage);
            }
            stays
        };
        if !self.on_stage(terms, world, stays) {
            self.healed_ns = Some(world.now_ns());
            world.record(self.event(false));
        }
    }

    /// It will never be injected.
    pub fn give_up(&mut self, why: SmolStr) {
        self.state = State::Over;
        self.detail = why;
    }

    /// It waited so long for a role that nobody took.
    pub fn was_in_vain(&mut self, within_ns: u64) {
        let within = duration::format(within_ns);
        self.give_up(format!("nobody was {} within {within}", self.detail).into());
    }

    /// What became of it.
    pub fn resolved(self, effects: &[FaultEffect]) -> ResolvedFault {
        let effect = self.handle.map(|handle| effects[handle]).unwrap_or_default();
        ResolvedFault {
            id: self.name.id,
            occurrence: self.name.occurrence,
            kind: self.info.name.into(),
            detail: self.detail,
            nodes: self.nodes,
            injected_ns: self.injected_ns,
            healed_ns: self.healed_ns,
            effect: effect.count,
            unit: self.info.effect.into(),
            operations_open: 0,
            effect_span_ns: effect.span_ns,
            settings: self.settings,
        }
    }

    fn event(&self, injected: bool) -> NemesisEvent {
        NemesisEvent {
            // The recorder knows better.
            at: Moment::NEVER,
            fault: self.name.id,
            occurrence: self.name.occurrence,
            name: self.info.name.into(),
            injected,
            detail: self.detail.clone(),
        }
    }

    fn on_stage<R>(
        &mut self,
        terms: &Terms,
        world: &mut dyn World,
        act: impl FnOnce(&mut dyn FaultBehaviour, &mut Stage<'_>) -> R,
    ) -> R {
        let at_the_end = world.now_ns() >= terms.heal_ns;
        let mut stream = terms.stream(self.name);
        // The first word has moved the start.
        stream.word();
        let mut stage = Stage {
            handle: self.handle.expect("a fault that acts has a handle"),
            key: u64::from(self.name.id) << 32 | u64::from(self.name.occurrence),
            stream,
            source: self.source,
            resolved: Vec::new(),
            stays_down: if at_the_end { &terms.stays_down } else { &[] },
            world,
        };
        act(&mut *self.behaviour, &mut stage)
    }
}

/// The settings with names in place of targets. Of two settings with the same target the one whose
/// name comes first was resolved first.
fn named(
    settings: &Settings,
    mut resolved: Vec<(Target, Vec<NodeId>)>,
    names: &[SmolStr],
) -> Settings {
    let mut name = |target: &Target| {
        let place = resolved.iter().position(|(other, _)| other == target);
        let Some((_, nodes)) = place.map(|place| resolved.remove(place)) else {
            return target.clone();
        };
        let mut nodes = nodes.into_iter().map(|node| names[node.index()].clone());
        match (target, nodes.len()) {
            (Target::All | Target::Clients, _) | (_, 0) => target.clone(),
            (_, 1) => Target::Node(nodes.next().expect("there is one")),
            _ => Target::Nodes(nodes.collect()),
        }
    };
    let mut settings = settings.clone();
    for setting in settings.0.values_mut() {
        match setting {
            Setting::Target(target) => *target = name(target),
            Setting::Groups(groups) => {
                groups.iter_mut().flatten().for_each(|target| *target = name(target));
            }
            _ => (),
        }
    }
    settings
}
