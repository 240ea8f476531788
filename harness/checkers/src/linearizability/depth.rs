//! A walk in depth: with a few configurations, and back where they lead nowhere.
//!
//! Most histories have very many legal orders, and a walk that keeps a few well chosen configurations
//! finds one. What it does not keep it puts aside; where nothing is left it goes back to the last
//! that were put aside. So if it has nothing left at all and has skipped nothing, there is no legal
//! order. Where going back step by step gets it no further, it goes back some way at once and takes
//! more configurations along; what it skips by that makes it unable to say that there is no order.

use wrack_sequential::{Effect, Model};

use super::call::Event;
use super::configuration::{Configuration, Frontier};
use super::walk::{End, Walk};

/// In depth, events at which configurations are put aside; those of the oldest are skipped.
const ASIDE_MAX: usize = 20_000;
/// In depth, extensions of an event end when so many times the configurations that are kept have been
/// found.
const ENOUGH: usize = 2;

/// Configurations that were put aside, behind the event of this position.
struct Aside<S, const W: usize> {
    position: usize,
    configurations: Vec<Configuration<S, W>>,
}

impl<M: Model, const W: usize> Walk<'_, M, W> {
    /// Walks with a few configurations, those that have spent least, and puts the others aside; where
    /// nothing is left, it goes back to the last that were put aside. Where that gets it no further,
    /// it goes back some way and takes more of them along.
    pub fn in_depth(&mut self, events: &[Event]) -> End {
        let mut frontier = self.start();
        let mut next = Frontier::new();
        let mut aside: Vec<Aside<M::State, W>> = Vec::new();
        let mut effort = Effort::new();
        let mut position = 0;
        while let Some(event) = events.get(position) {
            position += 1;
            let call = match *event {
                Event::Invoke(call) => {
                    self.invoke(call, &mut frontier);
                    continue;
                }
                Event::Expire(call) => {
                    self.expire(call, &mut frontier);
                    continue;
                }
                Event::Complete(call) => call,
            };
            self.enough = ENOUGH * effort.kept_max();
            if position > effort.furthest {
                self.furthest = self.open.call(call).complete;
            }
            if self.complete(call, &mut frontier, &mut next).is_err() {
                return End::Exhausted;
            }
            std::mem::swap(&mut frontier, &mut next);
            if let Some(target) = effort.is_stalled(position, self.states) {
                let kept = aside.partition_point(|aside| aside.position <= target);
                self.skipped |= kept < aside.len();
                aside.truncate(kept.max(1));
                frontier.clear();
            }
            if frontier.configurations.is_empty() {
                let Some(last) = aside.pop() else {
                    return self.stuck(events[effort.furthest - 1]);
                };
                self.go_back(&events[last.position..position]);
                position = last.position;
                frontier.configurations = last.configurations;
            }
            if effort.is_spent() {
                return End::Exhausted;
            }
            let rest = frontier.split_off(effort.kept_max(), |one| self.spent(one));
            if !rest.is_empty() {
                aside.push(Aside { position, configurations: rest });
            }
            if aside.len() > ASIDE_MAX {
                self.skipped = true;
                aside.drain(..ASIDE_MAX / 2);
            }
        }
        End::Reached
    }

    /// Nothing is left: that means something if nothing was skipped.
    fn stuck(&self, furthest: Event) -> End {
        match furthest {
            Event::Complete(call) if !self.skipped => End::Stuck(self.open.call(call).complete),
            _ => End::Exhausted,
        }
    }

    /// Takes events back, the last first.
    fn go_back(&mut self, events: &[Event]) {
        for event in events.iter().rev() {
            match *event {
                Event::Invoke(call) => self.open.undo_enter(call),
                Event::Complete(call) => self.open.undo_leave(call),
                Event::Expire(call) => self.open.undo_expire(call),
            }
        }
    }

    /// What a configuration has taken that it may miss later: doubtful calls and writes, which could
    /// have been absorbed; calls that depend on the state are better done while it fits.
    fn spent(&self, configuration: &Configuration<M::State, W>) -> (u32, i64, u64) {
        let changes = self.open.changes.iter();
        let done = changes.filter(|call| configuration.done.has(self.open.slot(**call)));
        let latest = done.clone().map(|call| self.open.call(*call).complete).max();
        let cost = done.map(|call| match self.open.call(*call).effect {
            Effect::Any => -1,
            _ => 1,
        });
        (configuration.used.iter().sum(), cost.sum(), latest.unwrap_or(0))
    }
}

/// How far a walk in depth has come, and how hard it tries.
struct Effort {
    /// The furthest position reached.
    furthest: usize,
    /// Configurations visited when it was.
    reached_at: u64,
    /// How often it has widened.
    level: u32,
    /// The position at which it needs to be no wider than at first again.
    relaxed_at: usize,
}

impl Effort {
    /// Configurations kept at each event at first; each level keeps four times as many.
    const KEPT: usize = 2;
    /// Configurations visited for each kept one, without getting further, before it widens.
    const STALLED_MAX: u64 = 2_000;
    /// Events that each level goes further back.
    const BACK: usize = 200;
    const LEVEL_MAX: u32 = 5;

    fn new() -> Self {
        Self { furthest: 0, reached_at: 0, level: 0, relaxed_at: 0 }
    }

    fn kept_max(&self) -> usize {
        Self::KEPT << (2 * self.level)
    }

    fn is_spent(&self) -> bool {
        self.level > Self::LEVEL_MAX
    }

    /// Notes how far the walk is; if it has not come further for long, to where it should go back.
    fn is_stalled(&mut self, position: usize, states: u64) -> Option<usize> {
        if position > self.furthest {
            (self.furthest, self.reached_at) = (position, states);
            if position > self.relaxed_at {
                self.level = 0;
            }
            return None;
        }
        if states - self.reached_at <= Self::STALLED_MAX * self.kept_max() as u64 {
            return None;
        }
        self.level += 1;
        self.reached_at = states;
        self.relaxed_at = self.furthest + Self::BACK;
        Some(self.furthest.saturating_sub(Self::BACK * self.level as usize))
    }
}
