//! One pass through the events of a key, linearizing just in time.
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
//!   who sees it: when it completes, both are followed up. A call that depends on the state (a cas)
//!   absorbs nothing: before it, the other write would be seen. Within one extension, an overwriting
//!   call that serves no read and is followed by another overwriting one is skipped for the same
//!   reason.
//! * *Dominance.* A configuration that can do all that another can replaces it
//!   ([`Configuration::dominates`]).
//! * *Idle calls.* A call that touches nothing that another open call touches, and helps no open read
//!   ([`Model::helps`], [`Model::touches`]), waits: moved behind the call that completes, it changes
//!   nothing for the others, and nobody sees that it is late.
//! * *Out of reach.* A configuration goes no further if the call that completes cannot become legal
//!   any more ([`Model::out_of_reach`], [`Model::leads_to`]).
//! * *Held states.* Where the guide knows that a state must stay until a later event, no other call
//!   changes it before, and no call that is still owed may complete before.
//! * *Unwanted calls.* Let nobody see any more what an overwriting or doubtful call leaves. Then it
//!   serves at most to displace the state before it, for a read that needs any other one; so before
//!   it completes itself it is taken only where it serves an open read at once. Proof: up to the next
//!   change only reads follow that are legal after it. If all are legal before it too, it can wait,
//!   or be left out if it is doubtful; otherwise it can wait until immediately before the first that
//!   is not. To absorb the call that completes, that one serves as well: whatever is legal after the
//!   unwanted one is legal after that one, or once the unwanted one follows.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use wrack_sequential::{Effect, Model};

use super::call::{Call, Event};
use super::configuration::{Bits, Configuration, Frontier};
use super::open::Open;

/// What is known beside the calls; it may forbid only what no legal order does.
pub(super) trait Guide<M: Model> {
    /// Whether the call may change this state at the event of this index.
    fn may_leave(&self, _state: &M::State, _by: &Call<M::Step>, _now: u64) -> bool {
        true
    }

    /// Index of the event until which nothing can change this state.
    fn held_until(&self, _state: &M::State) -> u64 {
        0
    }

    /// Whether a part of the history, up to the event of this index, has no legal order by itself, so
    /// that the whole has none; and how many configurations were visited to find out.
    fn refute(&self, _upto: u64, _states_max: u64) -> (bool, u64) {
        (false, 0)
    }
}

/// Nothing is known.
pub(super) struct NoGuide;

impl<M: Model> Guide<M> for NoGuide {}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A configuration reached the end: there is a legal order.
    Reached,
    /// Everything was tried, and nothing came further than the event of this index.
    Stuck(u64),
    /// Too many configurations were visited, or put aside.
    Exhausted,
}

/// A configuration on its way to the call that completes.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Extension<S, const W: usize> {
    configuration: Configuration<S, W>,
    /// The call that completes was taken last.
    arrived: bool,
    /// The last step overwrote the state, and nothing has seen it yet.
    unseen: bool,
}

/// The budget of configurations is spent.
pub(super) struct Exhausted;

/// A walk through the events of one key.
pub(super) struct Walk<'a, M: Model, const W: usize> {
    model: &'a M,
    guide: &'a dyn Guide<M>,
    pub(super) open: Open<'a, M::Step, W>,
    /// Whether a call may take effect more than once.
    reusing: bool,
    /// The last extension in which a class was met, by class.
    met: Vec<u64>,
    extensions: u64,
    /// What is being extended, and what has been: empty between extensions, kept for their memory.
    work: VecDeque<Extension<M::State, W>>,
    visited: FxHashSet<Extension<M::State, W>>,
    successors: Vec<Extension<M::State, W>>,
    /// Configurations visited.
    pub(super) states: u64,
    pub(super) states_max: u64,
    /// Extensions of an event end when so many configurations have been found; the others are skipped.
    pub(super) enough: usize,
    pub(super) skipped: bool,
    /// In depth, the index of the event beyond which nothing has come.
    pub(super) furthest: u64,
}

impl<'a, M: Model, const W: usize> Walk<'a, M, W> {
    /// A walk that visits `states_max` configurations at most.
    pub fn new(
        model: &'a M,
        open: Open<'a, M::Step, W>,
        guide: &'a dyn Guide<M>,
        states_max: u64,
    ) -> Self {
        Self {
            model,
            guide,
            reusing: open.kinds.reusing,
            met: vec![0; open.classes()],
            open,
            extensions: 0,
            work: VecDeque::new(),
            visited: FxHashSet::default(),
            successors: Vec::new(),
            states: 0,
            states_max,
            enough: usize::MAX,
            skipped: false,
            furthest: 0,
        }
    }

    /// So many configurations that are taken along past an event count as one that is visited.
    const MOVED: u64 = 8;

    pub(super) fn start(&self) -> Frontier<M::State, W> {
        let mut frontier = Frontier::new();
        frontier.configurations.push(Configuration {
            state: self.model.initial(),
            done: Bits::NONE,
            absorbed: Bits::NONE,
            used: SmallVec::new(),
        });
        frontier
    }

    /// Walks through all events with all configurations; gives up if there are more than `kept_max` of
    /// them.
    pub fn in_breadth(&mut self, events: &[Event], kept_max: usize) -> End {
        let mut frontier = self.start();
        let mut next = Frontier::new();
        for event in events {
            match *event {
                Event::Invoke(call) => self.invoke(call, &mut frontier),
                Event::Expire(call) => self.expire(call, &mut frontier),
                Event::Complete(call) => {
                    if self.complete(call, &mut frontier, &mut next).is_err() {
                        return End::Exhausted;
                    }
                    std::mem::swap(&mut frontier, &mut next);
                    match frontier.configurations.len() {
                        0 => return End::Stuck(self.open.call(call).complete),
                        kept if kept > kept_max => return End::Exhausted,
                        _ => (),
                    }
                }
            }
        }
        End::Reached
    }

    pub(super) fn invoke(&mut self, call: u32, frontier: &mut Frontier<M::State, W>) {
        self.open.enter(call);
        let Call { effect: Effect::None, step, .. } = self.open.call(call) else {
            return;
        };
        let slot = self.open.slot(call);
        for configuration in &mut frontier.configurations {
            if self.model.step(&configuration.state, step).is_some() {
                configuration.done.set(slot);
            }
        }
    }

    pub(super) fn expire(&mut self, call: u32, frontier: &mut Frontier<M::State, W>) {
        let class = self.open.expire(call);
        for configuration in &mut frontier.configurations {
            configuration.forget(class);
        }
    }

    /// Moves to `next` every configuration in which `call` is done, extended where it is not yet.
    pub(super) fn complete(
        &mut self,
        call: u32,
        frontier: &mut Frontier<M::State, W>,
        next: &mut Frontier<M::State, W>,
    ) -> Result<(), Exhausted> {
        let slot = self.open.slot(call);
        let last_chance = self.has_last_chance(call);
        next.clear();
        self.states += frontier.configurations.len() as u64 / Self::MOVED;
        let mut work = std::mem::take(&mut self.work);
        for configuration in frontier.configurations.drain(..) {
            let satisfied = configuration.satisfies(slot);
            let used_up = configuration.done.has(slot) && !self.reusing;
            if satisfied {
                next.offer(configuration.without(slot), &self.open.kinds);
            }
            if !satisfied || (last_chance && !used_up) {
                work.push_back(Extension { configuration, arrived: false, unseen: false });
            }
        }
        if !work.is_empty() {
            let mut successors = std::mem::take(&mut self.successors);
            let extended = self.extend(call, &mut work, &mut successors, next);
            self.visited.clear();
            work.clear();
            successors.clear();
            self.successors = successors;
            extended?;
        }
        self.work = work;
        self.open.leave(call);
        Ok(())
    }

    /// Extends each configuration by sequences of open calls that end with `goal` done, the short ones
    /// first.
    fn extend(
        &mut self,
        goal: u32,
        work: &mut VecDeque<Extension<M::State, W>>,
        successors: &mut Vec<Extension<M::State, W>>,
        next: &mut Frontier<M::State, W>,
    ) -> Result<(), Exhausted> {
        let slot = self.open.slot(goal);
        let last_chance = self.has_last_chance(goal);
        while let Some(extension) = work.pop_front() {
            if next.configurations.len() >= self.enough {
                self.skipped = true;
                return Ok(());
            }
            self.successors(&extension, goal, successors);
            self.states += 1 + successors.len() as u64;
            if self.states > self.states_max {
                return Err(Exhausted);
            }
            for successor in successors.drain(..) {
                let satisfied = successor.configuration.satisfies(slot);
                if satisfied {
                    next.offer(successor.configuration.without(slot), &self.open.kinds);
                }
                let ended = successor.arrived || (satisfied && !last_chance);
                if !ended && self.visited.insert(successor.clone()) {
                    work.push_back(successor);
                }
            }
        }
        Ok(())
    }

    /// Whether it matters that the call takes effect at the last moment, even where it owes nothing:
    /// somebody may see later what it wrote, or, where calls are reused, it may be used once more.
    fn has_last_chance(&self, call: u32) -> bool {
        let call = self.open.call(call);
        match call.effect {
            Effect::None => false,
            Effect::Overwrite if call.absorbable => {
                call.displaces || call.wanted_until >= call.complete
            }
            Effect::Overwrite | Effect::Any => self.reusing,
        }
    }

    fn successors(
        &mut self,
        from: &Extension<M::State, W>,
        goal: u32,
        into: &mut Vec<Extension<M::State, W>>,
    ) {
        self.extensions += 1;
        let configuration = &from.configuration;
        if !self.is_in_reach(configuration, goal) {
            return;
        }
        self.successors_by(from, goal, into, false);
        if self.reusing {
            self.successors_by(from, goal, into, true);
        }
        for place in 0..self.open.alive.len() {
            let class = self.open.alive[place];
            let call = self.open.doubtful[class].call;
            if !self.is_left(configuration, class)
                || !self.meet(call)
                || self.is_idle(configuration, call, goal)
            {
                continue;
            }
            if let Some(mut successor) = self.apply(from, call, goal) {
                if !self.reusing {
                    successor.configuration.use_one(class);
                }
                into.push(successor);
            }
        }
    }

    /// The successors by required calls that are done or not done yet. Of a class, those that are not
    /// done come first.
    fn successors_by(
        &mut self,
        from: &Extension<M::State, W>,
        goal: u32,
        into: &mut Vec<Extension<M::State, W>>,
        done: bool,
    ) {
        let configuration = &from.configuration;
        for index in 0..self.open.changes.len() {
            let call = self.open.changes[index];
            let slot = self.open.slot(call);
            if configuration.done.has(slot) != done
                || !self.meet(call)
                || self.is_idle(configuration, call, goal)
            {
                continue;
            }
            if let Some(mut successor) = self.apply(from, call, goal) {
                successor.configuration.done.set(slot);
                successor.configuration.absorbed.clear(slot);
                into.push(successor);
            }
        }
    }

    /// Whether the call that completes is legal, or some open call may make it so.
    fn is_in_reach(&self, from: &Configuration<M::State, W>, goal: u32) -> bool {
        let (open, model) = (&self.open, self.model);
        let target = &open.call(goal).step;
        let leads = |call: u32| model.leads_to(&open.call(call).step, target);
        let left = |call: &u32| self.reusing || !from.done.has(open.slot(*call));
        let mut doubtful = open.alive.iter().copied().filter(|class| self.is_left(from, *class));
        model.step(&from.state, target).is_some()
            || open.changes.iter().any(|call| left(call) && leads(*call))
            || doubtful.any(|class| leads(open.doubtful[class].call))
    }

    /// Whether a doubtful call of the class may still take effect.
    fn is_left(&self, configuration: &Configuration<M::State, W>, class: usize) -> bool {
        configuration.used(class) < self.open.doubtful[class].invoked
    }

    /// Whether this is the first call of its class in this extension.
    fn meet(&mut self, call: u32) -> bool {
        let met = &mut self.met[self.open.class(call) as usize];
        std::mem::replace(met, self.extensions) != self.extensions
    }

    /// Whether the call can as well wait until after `goal`.
    fn is_idle(&self, from: &Configuration<M::State, W>, call: u32, goal: u32) -> bool {
        let (open, model) = (&self.open, self.model);
        let step = &open.call(call).step;
        let undone = |other: &u32| !from.done.has(open.slot(*other));
        let meets = |other: u32| {
            open.class(other) != open.class(call) && model.touches(step, &open.call(other).step)
        };
        let helps = |read: u32| model.helps(&from.state, step, &open.call(read).step);
        let mut changes = open.changes.iter().filter(|other| self.reusing || undone(other));
        let mut reads = open.reads.iter().filter(|read| undone(read));
        let mut doubtful = open.alive.iter().copied().filter(|class| self.is_left(from, *class));
        call != goal
            && !changes.any(|other| meets(*other))
            && !reads.any(|read| helps(*read))
            && !doubtful.any(|class| meets(open.doubtful[class].call))
    }

    /// The configuration after a call that changes the state, and after the reads that it serves;
    /// `None` if it is illegal, or leads nowhere that another way does not lead to as well.
    fn apply(
        &self,
        from: &Extension<M::State, W>,
        call: u32,
        goal: u32,
    ) -> Option<Extension<M::State, W>> {
        let (taken, target) = (self.open.call(call), self.open.call(goal));
        let overwrites = taken.effect == Effect::Overwrite;
        let unwanted = taken.wanted_until < target.complete;
        let optional = overwrites || !taken.required;
        if overwrites && from.unseen {
            return None;
        }
        if !self.guide.may_leave(&from.configuration.state, taken, target.complete) {
            return None;
        }
        let state = self.model.step(&from.configuration.state, &taken.step)?;
        let mut configuration = Configuration { state, ..from.configuration.clone() };
        if overwrites {
            self.absorb(&mut configuration);
        }
        let served = self.serve(&mut configuration);
        if call != goal && optional && unwanted && !served {
            return None;
        }
        let reached = call == goal || configuration.satisfies(self.open.slot(goal));
        if !reached && self.model.out_of_reach(&configuration.state, &target.step) {
            return None;
        }
        if self.is_blocked(&configuration, call) {
            return None;
        }
        Some(Extension { configuration, arrived: call == goal, unseen: overwrites && !served })
    }

    /// Whether a call that is still owed completes before the state, which `call` left, can change.
    fn is_blocked(&self, configuration: &Configuration<M::State, W>, call: u32) -> bool {
        let held_until = self.guide.held_until(&configuration.state);
        let soon = |other: &&u32| self.open.call(**other).complete < held_until;
        let owed = |other: &u32| *other != call && !configuration.satisfies(self.open.slot(*other));
        self.open.changes.iter().take_while(soon).any(owed)
    }

    /// Every open overwriting call may be held to stand immediately before the one just taken.
    fn absorb(&self, configuration: &mut Configuration<M::State, W>) {
        for word in 0..W {
            let open = self.open.kinds.overwrites.0[word] & !configuration.done.0[word];
            let owes_nothing = match self.reusing {
                true => &mut configuration.done,
                false => &mut configuration.absorbed,
            };
            owes_nothing.0[word] |= open;
        }
    }

    /// Takes every open read that is legal; whether there was one.
    fn serve(&self, configuration: &mut Configuration<M::State, W>) -> bool {
        let mut served = false;
        for &read in &self.open.reads {
            let slot = self.open.slot(read);
            let legal = || self.model.step(&configuration.state, &self.open.call(read).step);
            if !configuration.done.has(slot) && legal().is_some() {
                configuration.done.set(slot);
                served = true;
            }
        }
        served
    }
}
