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
//!   ([`Configuration::dominates`]). So it does on the way to the call that completes, unless what it
//!   left is unseen and so must not be overwritten, and what the other left is not.
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

use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use wrack_sequential::{Effect, Model};

use super::call::{Call, Event};
use super::configuration::{Bits, Configuration, Frontier, Kinds};
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

/// Extensions of one event in the order in which they are found, without those that an earlier one
/// dominates, as far as looking is cheap.
///
/// Bounds: beyond [`Self::COMPARED_MAX`] only equal ones are recognised.
struct Work<S, const W: usize> {
    extensions: Vec<Extension<S, W>>,
    equal: FxHashSet<Extension<S, W>>,
}

impl<S: Clone + Eq + std::hash::Hash, const W: usize> Work<S, W> {
    const COMPARED_MAX: usize = 64;

    fn new() -> Self {
        Self { extensions: Vec::new(), equal: FxHashSet::default() }
    }

    /// Adds what nothing dominates.
    fn offer(&mut self, new: Extension<S, W>, kinds: &Kinds<W>) {
        let compared = self.extensions.len().min(Self::COMPARED_MAX);
        let dominates = |old: &Extension<S, W>| {
            old.unseen <= new.unseen && old.configuration.dominates(&new.configuration, kinds)
        };
        let is_old = self.extensions[..compared].iter().any(dominates);
        if !is_old && (compared < Self::COMPARED_MAX || self.equal.insert(new.clone())) {
            self.extensions.push(new);
        }
    }

    fn clear(&mut self) {
        self.extensions.clear();
        self.equal.clear();
    }
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
    /// What has been and is to be extended: empty between extensions, kept for its memory.
    work: Work<M::State, W>,
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
            work: Work::new(),
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

    /// Counts what it takes to pass an event with these configurations, before it is done.
    fn pass(&mut self, frontier: &Frontier<M::State, W>) -> Result<(), Exhausted> {
        self.states += frontier.configurations.len() as u64 / Self::MOVED;
        if self.states > self.states_max { Err(Exhausted) } else { Ok(()) }
    }

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
            let passed = match *event {
                Event::Invoke(call) => self.invoke(call, &mut frontier),
                Event::Expire(call) => self.expire(call, &mut frontier),
                Event::Complete(call) => {
                    let passed = self.complete(call, &mut frontier, &mut next);
                    std::mem::swap(&mut frontier, &mut next);
                    passed
                }
            };
            if passed.is_err() {
                return End::Exhausted;
            }
            match (frontier.configurations.len(), event) {
                (0, Event::Complete(call)) => return End::Stuck(self.open.call(*call).complete),
                (kept, _) if kept > kept_max => return End::Exhausted,
                _ => (),
            }
        }
        End::Reached
    }

    pub(super) fn invoke(
        &mut self,
        call: u32,
        frontier: &mut Frontier<M::State, W>,
    ) -> Result<(), Exhausted> {
        self.open.enter(call);
        let Call { effect: Effect::None, step, .. } = self.open.call(call) else {
            return Ok(());
        };
        self.pass(frontier)?;
        let slot = self.open.slot(call);
        for configuration in &mut frontier.configurations {
            if self.model.step(&configuration.state, step).is_some() {
                configuration.done.set(slot);
            }
        }
        Ok(())
    }

    pub(super) fn expire(
        &mut self,
        call: u32,
        frontier: &mut Frontier<M::State, W>,
    ) -> Result<(), Exhausted> {
        let class = self.open.expire(call);
        self.pass(frontier)?;
        for configuration in &mut frontier.configurations {
            configuration.forget(class);
        }
        Ok(())
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
        self.pass(frontier)?;
        for configuration in frontier.configurations.drain(..) {
            let satisfied = configuration.satisfies(slot);
            let used_up = configuration.done.has(slot) && !self.reusing;
            if !satisfied || (last_chance && !used_up) {
                let configuration = configuration.clone();
                let start = Extension { configuration, arrived: false, unseen: false };
                self.work.extensions.push(start);
            }
            if satisfied {
                next.offer(configuration.without(slot), &self.open.kinds);
            }
        }
        if !self.work.extensions.is_empty() {
            let mut work = std::mem::replace(&mut self.work, Work::new());
            let mut successors = std::mem::take(&mut self.successors);
            let extended = self.extend(call, &mut work, &mut successors, next);
            work.clear();
            successors.clear();
            (self.work, self.successors) = (work, successors);
            extended?;
        }
        self.open.leave(call);
        Ok(())
    }

    /// Extends each configuration by sequences of open calls that end with `goal` done, the short ones
    /// first.
    fn extend(
        &mut self,
        goal: u32,
        work: &mut Work<M::State, W>,
        successors: &mut Vec<Extension<M::State, W>>,
        next: &mut Frontier<M::State, W>,
    ) -> Result<(), Exhausted> {
        let slot = self.open.slot(goal);
        let last_chance = self.has_last_chance(goal);
        let mut place = 0;
        while let Some(extension) = work.extensions.get(place) {
            place += 1;
            if next.configurations.len() >= self.enough {
                self.skipped = true;
                return Ok(());
            }
            self.successors(extension, goal, successors);
            self.states += 1 + successors.len() as u64;
            if self.states > self.states_max {
                return Err(Exhausted);
            }
            for successor in successors.drain(..) {
                let satisfied = successor.configuration.satisfies(slot);
                let ended = successor.arrived || (satisfied && !last_chance);
                if !ended {
                    work.offer(successor.clone(), &self.open.kinds);
                }
                if satisfied {
                    next.offer(successor.configuration.without(slot), &self.open.kinds);
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
        let before = &from.configuration;
        if overwrites && from.unseen {
            return None;
        }
        if !self.guide.may_leave(&before.state, taken, target.complete) {
            return None;
        }
        let state = self.model.step(&before.state, &taken.step)?;
        let mut owed = Owed { done: before.done, absorbed: before.absorbed };
        if overwrites {
            self.absorb(&mut owed);
        }
        let served = self.serve(&state, &mut owed.done);
        let unwanted = taken.wanted_until < target.complete;
        let optional = overwrites || !taken.required;
        if call != goal && optional && unwanted && !served {
            return None;
        }
        let reached = call == goal || owed.nothing_in(self.open.slot(goal));
        if !reached && self.model.out_of_reach(&state, &target.step) {
            return None;
        }
        if self.is_blocked(&state, &owed, call) {
            return None;
        }
        let Owed { done, absorbed } = owed;
        let used = SmallVec::from_slice(&before.used);
        let configuration = Configuration { state, done, absorbed, used };
        Some(Extension { configuration, arrived: call == goal, unseen: overwrites && !served })
    }

    /// Whether a call that is still owed completes before the state, which `call` left, can change.
    fn is_blocked(&self, state: &M::State, owed: &Owed<W>, call: u32) -> bool {
        let held_until = self.guide.held_until(state);
        let soon = |other: &&u32| self.open.call(**other).complete < held_until;
        let is_owed = |other: &u32| *other != call && !owed.nothing_in(self.open.slot(*other));
        self.open.changes.iter().take_while(soon).any(is_owed)
    }

    /// Every open overwriting call may be held to stand immediately before the one just taken.
    fn absorb(&self, owed: &mut Owed<W>) {
        for word in 0..W {
            let open = self.open.kinds.overwrites.0[word] & !owed.done.0[word];
            let owes_nothing = match self.reusing {
                true => &mut owed.done,
                false => &mut owed.absorbed,
            };
            owes_nothing.0[word] |= open;
        }
    }

    /// Takes every open read that is legal; whether there was one.
    fn serve(&self, state: &M::State, done: &mut Bits<W>) -> bool {
        let mut served = false;
        for &read in &self.open.reads {
            let slot = self.open.slot(read);
            let legal = || self.model.step(state, &self.open.call(read).step).is_some();
            if !done.has(slot) && legal() {
                done.set(slot);
                served = true;
            }
        }
        served
    }
}

/// Which of the open required calls owe nothing any more, and why: see [`Configuration`].
struct Owed<const W: usize> {
    done: Bits<W>,
    absorbed: Bits<W>,
}

impl<const W: usize> Owed<W> {
    /// Whether the call in this slot owes nothing.
    fn nothing_in(&self, slot: usize) -> bool {
        self.done.has(slot) || self.absorbed.has(slot)
    }
}
