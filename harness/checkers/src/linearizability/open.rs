//! Which calls are open at an event.

use rustc_hash::FxHashMap;
use wrack_sequential::Effect;

use super::call::Call;
use super::configuration::{Bits, Kinds};

/// A class of doubtful calls with equal steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubtful {
    /// One of them.
    pub call: u32,
    /// How many have been invoked.
    pub invoked: u32,
    /// How many can no longer take effect; all of them expire together.
    expired: u32,
}

impl Doubtful {
    fn is_alive(&self) -> bool {
        self.invoked > 0 && self.expired == 0
    }
}

/// The open calls. Each required one has a slot, which is a bit of a configuration.
pub(super) struct Open<'a, S, const W: usize> {
    calls: &'a [Call<S>],
    /// Required calls that change the state, the first to complete first.
    pub changes: Vec<u32>,
    /// Required calls that do not.
    pub reads: Vec<u32>,
    /// Doubtful calls, by class.
    pub doubtful: Vec<Doubtful>,
    /// Those classes that can still take effect.
    pub alive: Vec<usize>,
    /// How to compare configurations.
    pub kinds: Kinds<W>,
    classes: &'a Classes,
    doubtful_of_class: FxHashMap<u32, usize>,
    slots: Vec<u16>,
    slots_count: u16,
    free: Vec<u16>,
}

/// Calls with equal steps have equal classes, but for doubtful ones that expire at different events.
pub(super) struct Classes {
    of_call: Vec<u32>,
    count: usize,
}

impl Classes {
    pub fn new<S: Eq + std::hash::Hash>(calls: &[Call<S>]) -> Self {
        let mut numbers = FxHashMap::default();
        let mut of_call = Vec::with_capacity(calls.len());
        for call in calls {
            let next = numbers.len() as u32;
            of_call.push(*numbers.entry((&call.step, call.expires)).or_insert(next));
        }
        Self { of_call, count: numbers.len() }
    }
}

impl<'a, S, const W: usize> Open<'a, S, W> {
    /// No call is open.
    pub fn new(calls: &'a [Call<S>], classes: &'a Classes, reusing: bool) -> Self {
        Self {
            calls,
            changes: Vec::new(),
            reads: Vec::new(),
            doubtful: Vec::new(),
            alive: Vec::new(),
            kinds: Kinds::new(reusing),
            classes,
            doubtful_of_class: FxHashMap::default(),
            slots: vec![0; calls.len()],
            slots_count: 0,
            free: Vec::new(),
        }
    }

    pub fn call(&self, call: u32) -> &'a Call<S> {
        &self.calls[call as usize]
    }

    /// The class of a call.
    pub fn class(&self, call: u32) -> u32 {
        self.classes.of_call[call as usize]
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes.count
    }

    /// The slot of an open required call.
    pub fn slot(&self, call: u32) -> usize {
        usize::from(self.slots[call as usize])
    }

    /// A call is invoked.
    pub fn enter(&mut self, call: u32) {
        if !self.call(call).required {
            self.change_doubtful(call, |class| class.invoked += 1);
            return;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots_count += 1;
            self.slots_count - 1
        });
        self.slots[call as usize] = slot;
        self.list(call);
    }

    /// A required call completes.
    pub fn leave(&mut self, call: u32) {
        self.unlist(call);
        self.free.push(self.slots[call as usize]);
    }

    /// Takes the last [`Self::enter`] back.
    pub fn undo_enter(&mut self, call: u32) {
        if self.call(call).required {
            self.leave(call);
        } else {
            self.change_doubtful(call, |class| class.invoked -= 1);
        }
    }

    /// A doubtful call, and all others of its class, can no longer take effect. Gives the class.
    pub fn expire(&mut self, call: u32) -> usize {
        self.change_doubtful(call, |class| class.expired += 1)
    }

    /// Takes the last [`Self::expire`] back.
    pub fn undo_expire(&mut self, call: u32) {
        self.change_doubtful(call, |class| class.expired -= 1);
    }

    fn change_doubtful(&mut self, call: u32, change: impl Fn(&mut Doubtful)) -> usize {
        let class = self.doubtful_class(call);
        let doubtful = &mut self.doubtful[class];
        let before = doubtful.is_alive();
        change(doubtful);
        match (before, doubtful.is_alive()) {
            (false, true) => self.alive.push(class),
            (true, false) => self.alive.retain(|alive| *alive != class),
            _ => (),
        }
        class
    }

    /// Takes the last [`Self::leave`] back.
    pub fn undo_leave(&mut self, call: u32) {
        let slot = self.free.pop();
        assert_eq!(slot, Some(self.slots[call as usize]), "what left last comes back first");
        self.list(call);
    }

    fn doubtful_class(&mut self, call: u32) -> usize {
        let next = self.doubtful.len();
        let class = *self.doubtful_of_class.entry(self.class(call)).or_insert(next);
        if class == next {
            self.doubtful.push(Doubtful { call, invoked: 0, expired: 0 });
        }
        class
    }

    fn list(&mut self, call: u32) {
        let slot = self.slot(call);
        match self.call(call).effect {
            Effect::None => {
                self.kinds.reads.set(slot);
                return self.reads.push(call);
            }
            Effect::Overwrite if self.call(call).absorbable => self.kinds.overwrites.set(slot),
            Effect::Overwrite | Effect::Any => self.kinds.others.set(slot),
        }
        let complete = self.call(call).complete;
        let later = |other: &u32| self.calls[*other as usize].complete > complete;
        let place = self.changes.iter().position(later).unwrap_or(self.changes.len());
        self.changes.insert(place, call);
    }

    fn unlist(&mut self, call: u32) {
        let slot = self.slot(call);
        let lists = match self.call(call).effect {
            Effect::None => (&mut self.kinds.reads, &mut self.reads),
            Effect::Overwrite if self.calls[call as usize].absorbable => {
                (&mut self.kinds.overwrites, &mut self.changes)
            }
            Effect::Overwrite | Effect::Any => (&mut self.kinds.others, &mut self.changes),
        };
        let (bits, list): (&mut Bits<W>, &mut Vec<u32>) = lists;
        bits.clear(slot);
        let place = list.iter().position(|other| *other == call);
        list.remove(place.expect("a call that leaves is open"));
    }
}
