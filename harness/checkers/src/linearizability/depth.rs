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

/// How much longer it goes on if it is in the midst of an event.
const PATIENCE: u64 = 5;

/// Configurations that were put aside, behind the event of this position.
struct Aside<S, const W: usize> {
    position: usize,
    configurations: Vec<Configuration<S, W>>,
}

/// A walk in depth, which can be resumed.
pub(super) struct InDepth<'a, M: Model, const W: usize> {
    walk: Walk<'a, M, W>,
    frontier: Frontier<M::State, W>,
    next: Frontier<M::State, W>,
    aside: Vec<Aside<M::State, W>>,
    effort: Effort,
    position: usize,
    /// Whether it has come to an end, and not only paused.
    ended: bool,
}

impl<'a, M: Model, const W: usize> InDepth<'a, M, W> {
    /// A walk that has not begun.
    pub fn new(walk: Walk<'a, M, W>) -> Self {
        Self {
            frontier: walk.start(),
            next: Frontier::new(),
            aside: Vec::new(),
            effort: Effort::new(),
            position: 0,
            ended: false,
            walk,
        }
    }

    /// Configurations visited so far.
    pub fn states(&self) -> u64 {
        self.walk.states
    }

    /// Index of the event beyond which nothing has come.
    pub fn furthest(&self) -> u64 {
        self.walk.furthest
    }

    /// Whether it may go on where it stopped: not if it had to stop in the midst of an event, if it has
    /// tried as hard as it can, or if nothing is left.
    pub fn can_resume(&self) -> bool {
        !self.ended
    }

    /// Walks with a few configurations, those that have spent least, and puts the others aside; where
    /// nothing is left, it goes back to the last that were put aside. Where that gets it no further,
    /// it goes back some way and takes more of them along.
    ///
    /// It stops at the first event after it has visited so many configurations more. In the midst of an
    /// event it would have to begin again, so there it stops only after [`PATIENCE`] times as many, but
    /// never after more than `states_max`.
    pub fn resume(&mut self, events: &[Event], states: u64, states_max: u64) -> End {
        let pause = self.walk.states + states;
        self.walk.states_max = self.walk.states + states_max.min(PATIENCE.saturating_mul(states));
        while let Some(event) = events.get(self.position) {
            if self.walk.states > pause {
                return End::Exhausted;
            }
            self.position += 1;
            let exhausted = |_| End::Exhausted;
            let end = match *event {
                Event::Invoke(call) => {
                    self.walk.invoke(call, &mut self.frontier).map_err(exhausted).err()
                }
                Event::Expire(call) => {
                    self.walk.expire(call, &mut self.frontier).map_err(exhausted).err()
                }
                Event::Complete(call) => self.complete(call, events),
            };
            if let Some(end) = end {
                self.ended = true;
                return end;
            }
        }
        End::Reached
    }

    /// A required call completes; gives the end, if it is one.
    fn complete(&mut self, call: u32, events: &[Event]) -> Option<End> {
        let Self { walk, frontier, next, aside, effort, position, .. } = self;
        walk.enough = effort.kept_max();
        if *position > effort.furthest {
            walk.furthest = walk.open.call(call).complete;
        }
        if walk.complete(call, frontier, next).is_err() {
            return Some(End::Exhausted);
        }
        std::mem::swap(frontier, next);
        if let Some(target) = effort.is_stalled(*position, walk.states) {
            let kept = aside.partition_point(|aside| aside.position <= target);
            walk.skipped |= kept < aside.len();
            aside.truncate(kept.max(1));
            frontier.clear();
        }
        if frontier.configurations.is_empty() {
            let Some(last) = aside.pop() else {
                return Some(walk.stuck(events[effort.furthest - 1]));
            };
            walk.go_back(&events[last.position..*position]);
            *position = last.position;
            frontier.configurations = last.configurations;
        }
        if effort.is_spent() {
            return Some(End::Exhausted);
        }
        let rest = frontier.split_off(effort.kept_max(), |one| walk.spent(one));
        if !rest.is_empty() {
            aside.push(Aside { position: *position, configurations: rest });
        }
        if aside.len() > ASIDE_MAX {
            walk.skipped = true;
            aside.drain(..ASIDE_MAX / 2);
        }
        None
    }
}

impl<M: Model, const W: usize> Walk<'_, M, W> {
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
