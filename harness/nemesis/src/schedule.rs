//! The schedule: when each fault is injected, and when it is healed.
//!
//! Everything here is keyed by what a thing is (entry and occurrence), never by where it stands in
//! a list: deleting one entry leaves every draw of the others as it was.

mod agenda;
mod occurrence;
mod trigger;

use std::collections::{BTreeMap, BTreeSet};

use wrack_history::catalogue::Needs;
use wrack_history::fault::ResolvedFault;
use wrack_history::{Fact, FactRecord, ScheduledFault, Setting, SmolStr, Target, When};
use wrack_sim::record::FaultEffect;
use wrack_sim::{Controller, NodeId, Watched, World};

use agenda::{Agenda, Step};
use occurrence::{Occurrence, Terms};
use trigger::Trigger;

/// Which occurrence of which entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    id: u32,
    occurrence: u32,
}

impl Name {
    /// The first occurrence of an entry, which names the entry itself.
    fn first_of(entry: &ScheduledFault) -> Self {
        Self { id: entry.id, occurrence: entry.occurrence }
    }
}

/// Carries out a schedule of faults.
///
/// Order: at one instant faults are healed first, then they take their turns, then new ones are
/// injected; among equals by id and occurrence.
pub struct Nemesis {
    terms: Terms,
    /// By the first occurrence of each.
    entries: BTreeMap<Name, ScheduledFault>,
    occurrences: BTreeMap<Name, Occurrence>,
    triggers: Vec<Trigger>,
    /// Those that found nobody to be for.
    waiting: BTreeSet<Name>,
    agenda: Agenda,
    watched: Watched,
}

impl Nemesis {
    /// A nemesis at the beginning of a run.
    ///
    /// Everything is healed at `heal_ns`, but for the crashes of the nodes in `stays_down`.
    ///
    /// # Panics
    /// If two entries have an occurrence of one id in common, or a fault is not in [`ALL`](crate::ALL): whoever reads
    /// scenarios has refused them.
    pub fn new(
        schedule: &[ScheduledFault],
        seed: u64,
        heal_ns: u64,
        stays_down: &[SmolStr],
    ) -> Self {
        let terms = Terms { seed, heal_ns, stays_down: stays_down.to_vec() };
        let entries = schedule.iter().map(|entry| (Name::first_of(entry), entry.clone()));
        let entries = entries.collect::<BTreeMap<_, _>>();
        let named = entries.values().flat_map(occurrences).collect::<BTreeMap<_, _>>();
        let count = schedule.iter().map(|entry| entry.times as usize).sum::<usize>();
        assert_eq!(named.len(), count, "every occurrence has its own name");
        let triggers = entries.values().filter_map(Trigger::of).collect::<Vec<_>>();
        let watched = match (triggers.is_empty(), entries.values().any(is_for_a_role)) {
            (false, _) => Watched::Everything,
            (true, true) => Watched::Roles,
            (true, false) => Watched::Nothing,
        };
        let mut nemesis = Self {
            terms,
            occurrences: named,
            entries,
            triggers,
            waiting: BTreeSet::new(),
            agenda: Agenda::default(),
            watched,
        };
        nemesis.plan_timed();
        nemesis
    }

    /// What really happened, by entry and occurrence.
    ///
    /// Shape: `effects` are those of the recording, by handle. `operations_open` is left at 0: only
    /// the history knows.
    pub fn finish(self, effects: &[FaultEffect]) -> Vec<ResolvedFault> {
        let resolve = |occurrence: Occurrence| occurrence.resolved(effects);
        self.occurrences.into_values().map(resolve).collect()
    }

    fn plan_timed(&mut self) {
        let base = |entry: &ScheduledFault| match entry.when {
            When::At(ns) => Some((Name::first_of(entry), ns)),
            When::OnFact { .. } => None,
        };
        for (first, base_ns) in self.entries.values().filter_map(base).collect::<Vec<_>>() {
            self.plan(first, (0, base_ns), None);
        }
    }

    /// The entry that an occurrence belongs to.
    fn entry(&self, name: Name) -> &ScheduledFault {
        let up_to = self.entries.range(..=name).next_back();
        up_to.map(|(_, entry)| entry).expect("every occurrence belongs to an entry")
    }

    /// Plans all occurrences of an entry, the first of them at `base_ns` and none before `now`.
    fn plan(&mut self, first: Name, (now, base_ns): (u64, u64), source: Option<NodeId>) {
        let entry = &self.entries[&first];
        for number in 0..entry.times {
            let name = Name { occurrence: first.occurrence + number, ..first };
            let later_ns = u64::from(number).saturating_mul(entry.every_ns.unwrap_or(0));
            let start_ns = base_ns.saturating_add(later_ns);
            let start_ns = self.terms.jitter(name, start_ns, entry.jitter_ns).max(now);
            let occurrence = self.occurrences.get_mut(&name).expect("every occurrence is kept");
            if start_ns < self.terms.heal_ns {
                occurrence.source = source;
                self.agenda.push(start_ns, Step::Inject, name);
            } else {
                occurrence.give_up("its time came after the heal".into());
            }
        }
    }

    fn take(&mut self, step: Step, name: Name, world: &mut dyn World) {
        let within_ns = self.entry(name).within_ns;
        let occurrence = self.occurrences.get_mut(&name).expect("every occurrence is kept");
        match step {
            Step::Inject => self.inject(name, world),
            Step::Turn => {
                if let Some(next_ns) = occurrence.turn(&self.terms, world) {
                    self.agenda.push(next_ns, Step::Turn, name);
                }
            }
            Step::Heal => occurrence.heal(&self.terms, world),
            Step::GiveUp => {
                if self.waiting.remove(&name) {
                    occurrence.was_in_vain(within_ns);
                }
            }
        }
    }

    fn inject(&mut self, name: Name, world: &mut dyn World) {
        let now = world.now_ns();
        let entry = self.entry(name);
        let (within_ns, lasts_ns) = (entry.within_ns, entry.lasts_ns);
        let occurrence = self.occurrences.get_mut(&name).expect("every occurrence is kept");
        if !occurrence.is_planned() {
            return;
        }
        if !occurrence.inject(&self.terms, world) {
            if self.waiting.insert(name) {
                let until_ns = now.saturating_add(within_ns).min(self.terms.heal_ns);
                self.agenda.push(until_ns, Step::GiveUp, name);
            }
            return;
        }
        self.waiting.remove(&name);
        if let Some(turn_ns) = occurrence.next_turn_ns(now) {
            self.agenda.push(turn_ns, Step::Turn, name);
        }
        if occurrence.lasts() {
            let heal_ns = lasts_ns.map_or(u64::MAX, |ns| now.saturating_add(ns));
            let heal_ns = heal_ns.min(self.terms.heal_ns);
            self.agenda.push(heal_ns, Step::Heal, name);
        }
    }
}

impl Controller for Nemesis {
    fn next_ns(&self) -> Option<u64> {
        self.agenda.next_ns()
    }

    fn act(&mut self, world: &mut dyn World) {
        while let Some((step, name)) = self.agenda.pop(world.now_ns()) {
            self.take(step, name, world);
        }
    }

    fn watched(&self) -> Watched {
        self.watched
    }

    fn on_fact(&mut self, record: &FactRecord, world: &mut dyn World) {
        let now = world.now_ns();
        let set_off = |trigger: &mut Trigger| trigger.is_set_off_by(record, world);
        let set_off = self.triggers.extract_if(.., set_off).collect::<Vec<_>>();
        for trigger in set_off {
            let base_ns = now.saturating_add(trigger.delay_ns);
            self.plan(trigger.first, (now, base_ns), Some(NodeId(record.node)));
        }
        if matches!(record.fact, Fact::Role { .. }) {
            for name in &self.waiting {
                self.agenda.push(now, Step::Inject, *name);
            }
        }
    }
}

fn occurrences(entry: &ScheduledFault) -> impl Iterator<Item = (Name, Occurrence)> + use<'_> {
    let fault = crate::find(&entry.fault.kind).expect("the reader of scenarios knows the fault");
    let missed = match &entry.when {
        When::At(_) => "the run ended before its time".into(),
        When::OnFact { fact, .. } => SmolStr::from(format!("{fact} was not noted so often")),
    };
    (0..entry.times).map(move |number| {
        let name = Name { id: entry.id, occurrence: entry.occurrence + number };
        let mut occurrence = Occurrence::new(name, fault, &entry.fault.settings);
        occurrence.detail = missed.clone();
        (name, occurrence)
    })
}

/// Whether it may have to wait until somebody holds a role.
fn is_for_a_role(entry: &ScheduledFault) -> bool {
    let is_role = |target: &Target| matches!(target, Target::Role(_) | Target::Random(_));
    let kind = crate::find(&entry.fault.kind);
    let needs_role = kind.is_some_and(|kind| matches!(kind.info.needs, Needs::Role(_)));
    let mut settings = entry.fault.settings.0.values();
    needs_role
        || settings.any(|setting| match setting {
            Setting::Target(target) => is_role(target),
            Setting::Groups(groups) => groups.iter().flatten().any(is_role),
            _ => false,
        })
}

#[cfg(test)]
mod tests;
