//! Fewer faults, and plainer ones.

use wrack_history::catalogue::defaults;
use wrack_history::{ScheduledFault, Setting};
use wrack_scenario::Scenario;

use super::{Shrinker, minimize};
use crate::resolve;

impl Shrinker<'_> {
    /// Leaves out every fault that is not needed.
    pub(super) fn fewer_faults(&mut self) {
        let base = self.best.clone();
        let with = |part: &Vec<usize>| Scenario {
            faults: part.iter().map(|place| base.faults[*place].clone()).collect(),
            ..base.clone()
        };
        minimize(base.faults.len(), usize::MAX, |round| {
            self.first(round.iter().map(with).collect::<Vec<_>>())
        });
    }

    /// Names in place of roles and chance, and times in place of what was waited for.
    pub(super) fn named_targets(&mut self) {
        let resolved = resolve::faults(&self.best, &self.run);
        let all = Scenario { faults: resolved.clone(), ..self.best.clone() };
        if self.first([all]).is_none() {
            for fault in resolved {
                let candidate = self.with_fault(fault);
                self.first([candidate]);
            }
        }
    }

    /// Parameters as they are by default, numbers by position, and no end where the phase ends it.
    pub(super) fn plainer_faults(&mut self) {
        for place in 0..self.best.faults.len() {
            self.usual_settings(place);
            let mut candidate = self.best.clone();
            candidate.faults[place].lasts_ns = None;
            let heal_ns = self.run.phases.heal_ns;
            let healed = resolve::of(&self.best.faults[place], &self.run)
                .is_some_and(|fault| fault.healed_ns == Some(heal_ns));
            if healed && candidate.faults != self.best.faults {
                self.first([candidate]);
            }
        }
        let mut numbered = self.best.clone();
        for (place, fault) in (0..).zip(&mut numbered.faults) {
            (fault.id, fault.occurrence) = (place, 0);
        }
        self.first([numbered]);
    }

    /// The best with this fault in place of the one that it was.
    fn with_fault(&self, fault: ScheduledFault) -> Scenario {
        let mut candidate = self.best.clone();
        let is_it = |other: &&mut ScheduledFault| {
            (other.id, other.occurrence) == (fault.id, fault.occurrence)
        };
        let place = candidate.faults.iter_mut().find(is_it);
        *place.expect("it was one of the best's") = fault;
        candidate
    }

    /// How much a fault does as it is by default, where that will do.
    fn usual_settings(&mut self, place: usize) {
        let fault = &self.best.faults[place].fault;
        let info = self.catalogue.fault(&fault.kind).expect("the reader knows the fault");
        let usual = defaults(info.parameters);
        for (name, setting) in fault.settings.0.clone() {
            let default = usual.0.get(&name);
            if is_where(&setting) || default == Some(&setting) {
                continue;
            }
            let mut candidate = self.best.clone();
            let settings = &mut candidate.faults[place].fault.settings.0;
            match default {
                Some(default) => drop(settings.insert(name, default.clone())),
                None => drop(settings.remove(&name)),
            }
            self.first([candidate]);
        }
    }
}

/// Whether it says whom a fault is for, or what it does: that is the story itself.
fn is_where(setting: &Setting) -> bool {
    matches!(setting, Setting::Target(_) | Setting::Groups(_) | Setting::Choice(_))
}
