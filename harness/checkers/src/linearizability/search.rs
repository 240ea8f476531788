//! The general decision procedure: a search that linearizes just in time.
//!
//! It walks through the events of one key and keeps every configuration that some legal order of
//! what happened so far can have led to. A call takes effect only when one that completes needs it:
//! at a completion, each configuration in which the call is not done is extended by sequences of
//! open calls that end with it. When no configuration is left, there is no legal order.
//!
//! Source: Wing and Gong, "Testing and verifying concurrent objects", 1993; the just-in-time form
//! is Lowe's, "Testing for linearizability", 2017, and that of Jepsen's Knossos.
//!
//! # What we changed, and why it is still complete
//! Take any legal order of the whole history. Each change below says how that order, rewritten,
//! is still among those that are searched.
//!
//! * *Just in time.* Cut the order after each call that completes undone. Each piece ends with the
//!   call that completes; moving the pieces to these completions violates no precedence.
//! * *Reads are eager.* A read changes nothing, so it can be moved to the first place after its
//!   invocation where it is legal.
//! * *Equal calls are interchangeable.* Of open calls with equal steps the one that completes first
//!   goes first, and doubtful ones last and by number alone: swap the two in the order, and the one
//!   that goes later has at least as much time.
//! * *Absorption.* An overwriting call immediately followed by another one leaves no mark. So only
//!   overwriting calls that something sees are applied; when one is, every other open one that
//!   is still owed is marked *absorbed*: it may be held to stand immediately before. It may
//!   nevertheless be applied later, until it completes, because which of the two is decided only by
//!   who sees it: when it completes, both are followed up. A call that depends on the state (a cas) absorbs nothing: before it, the other write would be seen.
//!   Within one extension, an overwriting call that serves no read and is followed by another
//!   overwriting one is skipped for the same reason.
//! * *Dominance.* A configuration that can do all that another can replaces it
//!   ([`Configuration::dominates`]).
//! * *Unwanted writes.* An overwriting call whose state nobody can see any more is applied only when
//!   it completes itself; to absorb the one that completes, that one serves as well.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use wrack_sequential::{Effect, Model};

use super::call::{Answer, Call, Core, Event, events};
use super::configuration::{Bits, Configuration, Frontier, Kinds};

/// Decides whether the calls, in order of invocation, have a legal order.
///
/// Bounds: `states_max` configurations, and 1,024 required calls open at once.
pub(super) fn search<M: Model>(model: &M, calls: &[Call<M::Step>], states_max: u64) -> Answer {
    let events = events(calls);
    match open_max(calls, &events) {
        0..=64 => Search::<M, 1>::new(model, calls, states_max).run(&events),
        65..=256 => Search::<M, 4>::new(model, calls, states_max).run(&events),
        257..=1024 => Search::<M, 16>::new(model, calls, states_max).run(&events),
        open => Answer::Unknown(format!(
            "{open} operations of one key are open at once; at most 1024 are searched"
        )),
    }
}

/// How many required calls are open at the busiest moment.
fn open_max<S>(calls: &[Call<S>], events: &[Event]) -> usize {
    let (mut open, mut most) = (0, 0);
    for event in events {
        match *event {
            Event::Invoke(call) => open += usize::from(calls[call as usize].required),
            Event::Complete(_) => open -= 1,
        }
        most = most.max(open);
    }
    most
}

/// A class of doubtful calls with equal steps.
struct Doubtful {
    /// One of them.
    call: u32,
    /// How many have been invoked.
    invoked: u32,
}

struct Search<'a, M: Model, const W: usize> {
    model: &'a M,
    calls: &'a [Call<M::Step>],
    /// Which calls have equal steps.
    classes: Vec<u32>,
    /// The slot of each open required call.
    slots: Vec<u16>,
    /// The call in each slot.
    occupants: Vec<u32>,
    /// Slots without a call.
    free: Vec<u16>,
    /// Open required calls that change the state, the first to complete first.
    open: Vec<u32>,
    /// Open required calls that do not.
    open_reads: Vec<u32>,
    kinds: Kinds<W>,
    doubtful: Vec<Doubtful>,
    doubtful_of_class: FxHashMap<u32, usize>,
    /// The last extension in which a class was met, by class.
    met: Vec<u64>,
    extensions: u64,
    states: u64,
    states_max: u64,
}

/// A configuration on its way to the call that completes.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Extension<S, const W: usize> {
    configuration: Configuration<S, W>,
    /// The last step overwrote the state, and nothing has seen it yet.
    unseen: bool,
}

/// The budget of configurations is spent.
struct Exhausted;

impl<'a, M: Model, const W: usize> Search<'a, M, W> {
    fn new(model: &'a M, calls: &'a [Call<M::Step>], states_max: u64) -> Self {
        let mut numbers = FxHashMap::default();
        let classes: Vec<u32> = calls
            .iter()
            .map(|call| {
                let next = numbers.len() as u32;
                *numbers.entry(&call.step).or_insert(next)
            })
            .collect();
        Self {
            model,
            calls,
            met: vec![0; numbers.len()],
            classes,
            slots: vec![0; calls.len()],
            occupants: Vec::new(),
            free: Vec::new(),
            open: Vec::new(),
            open_reads: Vec::new(),
            kinds: Kinds { reads: Bits::NONE, overwrites: Bits::NONE, others: Bits::NONE },
            doubtful: Vec::new(),
            doubtful_of_class: FxHashMap::default(),
            extensions: 0,
            states: 0,
            states_max,
        }
    }

    fn run(mut self, events: &[Event]) -> Answer {
        let mut frontier = Frontier::new();
        let mut next = Frontier::new();
        frontier.configurations.push(Configuration {
            state: self.model.initial(),
            done: Bits::NONE,
            absorbed: Bits::NONE,
            used: SmallVec::new(),
        });
        for event in events {
            match *event {
                Event::Invoke(call) => self.invoke(call, &mut frontier),
                Event::Complete(call) => {
                    if self.complete(call, &mut frontier, &mut next).is_err() {
                        return Answer::Unknown(format!(
                            "more than {} configurations of one key",
                            self.states_max
                        ));
                    }
                    std::mem::swap(&mut frontier, &mut next);
                    if frontier.configurations.is_empty() {
                        let stuck = self.call(call).complete;
                        return Answer::Contradiction(Core::Stuck(stuck));
                    }
                }
            }
        }
        Answer::Linearizable
    }

    fn call(&self, call: u32) -> &'a Call<M::Step> {
        &self.calls[call as usize]
    }

    fn invoke(&mut self, call: u32, frontier: &mut Frontier<M::State, W>) {
        if !self.call(call).required {
            return self.invoke_doubtful(call);
        }
        let slot = self.take_slot(call);
        match self.call(call).effect {
            Effect::None => {
                self.kinds.reads.set(slot);
                self.open_reads.push(call);
                let step = &self.call(call).step;
                for configuration in &mut frontier.configurations {
                    if self.model.step(&configuration.state, step).is_some() {
                        configuration.done.set(slot);
                    }
                }
                return;
            }
            Effect::Overwrite => self.kinds.overwrites.set(slot),
            Effect::Any => self.kinds.others.set(slot),
        }
        let complete = self.call(call).complete;
        let later = |other: &u32| self.calls[*other as usize].complete > complete;
        let place = self.open.iter().position(later).unwrap_or(self.open.len());
        self.open.insert(place, call);
    }

    fn invoke_doubtful(&mut self, call: u32) {
        let next = self.doubtful.len();
        let class = *self.doubtful_of_class.entry(self.classes[call as usize]).or_insert(next);
        if class == next {
            self.doubtful.push(Doubtful { call, invoked: 0 });
        }
        self.doubtful[class].invoked += 1;
    }

    fn take_slot(&mut self, call: u32) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.occupants.push(call);
            (self.occupants.len() - 1) as u16
        });
        self.slots[call as usize] = slot;
        self.occupants[slot as usize] = call;
        slot as usize
    }

    /// Moves to `next` every configuration in which `call` is done, extended where it is not yet.
    fn complete(
        &mut self,
        call: u32,
        frontier: &mut Frontier<M::State, W>,
        next: &mut Frontier<M::State, W>,
    ) -> Result<(), Exhausted> {
        let slot = self.slots[call as usize] as usize;
        let kinds = self.kinds;
        next.clear();
        let mut work = Vec::new();
        let last_chance = self.is_wanted_after(call);
        for configuration in frontier.configurations.drain(..) {
            let done = configuration.done.has(slot);
            if configuration.satisfies(slot) {
                next.offer(configuration.without(slot), &kinds);
            }
            if !done && (last_chance || !configuration.absorbed.has(slot)) {
                work.push(Extension { configuration, unseen: false });
            }
        }
        if !work.is_empty() {
            self.extend(call, work, next)?;
        }
        self.release(call, slot);
        Ok(())
    }

    /// Extends each configuration by sequences of open calls that end with `goal` done.
    fn extend(
        &mut self,
        goal: u32,
        mut work: Vec<Extension<M::State, W>>,
        next: &mut Frontier<M::State, W>,
    ) -> Result<(), Exhausted> {
        let slot = self.slots[goal as usize] as usize;
        let kinds = self.kinds;
        let last_chance = self.is_wanted_after(goal);
        let mut visited = FxHashSet::default();
        let mut successors = Vec::new();
        while let Some(extension) = work.pop() {
            self.successors(&extension, goal, &mut successors);
            self.states += 1 + successors.len() as u64;
            if self.states > self.states_max {
                return Err(Exhausted);
            }
            for successor in successors.drain(..) {
                let configuration = &successor.configuration;
                if configuration.satisfies(slot) {
                    next.offer(configuration.without(slot), &kinds);
                }
                let absorbed = configuration.absorbed.has(slot);
                let ended = configuration.done.has(slot) || (absorbed && !last_chance);
                if !ended && visited.insert(successor.clone()) {
                    work.push(successor);
                }
            }
        }
        Ok(())
    }

    /// Whether somebody may see what the call wrote after it completed: then it matters whether it
    /// was absorbed or takes effect now, at the last moment.
    fn is_wanted_after(&self, call: u32) -> bool {
        let call = self.call(call);
        call.effect == Effect::Overwrite && call.wanted_until >= call.complete
    }

    fn successors(
        &mut self,
        from: &Extension<M::State, W>,
        goal: u32,
        into: &mut Vec<Extension<M::State, W>>,
    ) {
        self.extensions += 1;
        let configuration = &from.configuration;
        for index in 0..self.open.len() {
            let call = self.open[index];
            let slot = self.slots[call as usize] as usize;
            if configuration.done.has(slot) || !self.meet(call) {
                continue;
            }
            if let Some(mut successor) = self.apply(from, call, goal) {
                successor.configuration.done.set(slot);
                successor.configuration.absorbed.clear(slot);
                into.push(successor);
            }
        }
        for class in 0..self.doubtful.len() {
            let Doubtful { call, invoked } = self.doubtful[class];
            if configuration.used(class) >= invoked || !self.meet(call) {
                continue;
            }
            if let Some(mut successor) = self.apply(from, call, goal) {
                successor.configuration.use_one(class);
                into.push(successor);
            }
        }
    }

    /// Whether this is the first call of its class in this extension.
    fn meet(&mut self, call: u32) -> bool {
        let met = &mut self.met[self.classes[call as usize] as usize];
        std::mem::replace(met, self.extensions) != self.extensions
    }

    /// The configuration after a call that changes the state, and after the reads that it serves;
    /// `None` if it is illegal, or leads nowhere that another way does not lead to as well.
    fn apply(
        &self,
        from: &Extension<M::State, W>,
        call: u32,
        goal: u32,
    ) -> Option<Extension<M::State, W>> {
        let taken = self.call(call);
        let overwrites = taken.effect == Effect::Overwrite;
        let unwanted = taken.wanted_until < self.call(goal).complete;
        if overwrites && (from.unseen || (call != goal && unwanted)) {
            return None;
        }
        let state = self.model.step(&from.configuration.state, &taken.step)?;
        let mut configuration = Configuration { state, ..from.configuration.clone() };
        if overwrites {
            for word in 0..W {
                let open = self.kinds.overwrites.0[word] & !configuration.done.0[word];
                configuration.absorbed.0[word] |= open;
            }
        }
        let served = self.serve(&mut configuration);
        let goal_slot = self.slots[goal as usize] as usize;
        let reached = call == goal || configuration.satisfies(goal_slot);
        if !reached && self.model.out_of_reach(&configuration.state, &self.call(goal).step) {
            return None;
        }
        Some(Extension { configuration, unseen: overwrites && !served })
    }

    /// Takes every open read that is legal; whether there was one.
    fn serve(&self, configuration: &mut Configuration<M::State, W>) -> bool {
        let mut served = false;
        for &read in &self.open_reads {
            let slot = self.slots[read as usize] as usize;
            if configuration.done.has(slot) {
                continue;
            }
            if self.model.step(&configuration.state, &self.call(read).step).is_some() {
                configuration.done.set(slot);
                served = true;
            }
        }
        served
    }

    fn release(&mut self, call: u32, slot: usize) {
        self.kinds.reads.clear(slot);
        self.kinds.overwrites.clear(slot);
        self.kinds.others.clear(slot);
        self.open.retain(|other| *other != call);
        self.open_reads.retain(|other| *other != call);
        self.free.push(slot as u16);
    }
}
