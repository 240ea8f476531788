//! The general decision procedure: walks through the events of one key.
//!
//! 1. By turns, each time with a greater budget:
//!    *in depth*, a few configurations at once, and back to the others where these lead nowhere. It
//!    finds a legal order where there are many; if it has tried everything, there is none.
//!    *In breadth*, all configurations at once, as long as there are not too many. It is exact. Then
//!    windows, where a history has them: one that ends where the walk in depth got no further may
//!    show that there is no legal order. So whichever of these is good at a history, the others
//!    cost no more than a few times as much.
//! 2. In depth, with half of what is left of the budget.
//! 3. *Reusing*, where it makes sense: every open call may take effect more than once, and a doubtful
//!    one ever after. Every legal order is one of these, so if nothing reaches the end, there is none.
//! 4. *In breadth*, with what is left of the budget.

use wrack_sequential::Model;

use super::call::{Answer, Call, Core, Event, events};
use super::depth::InDepth;
use super::open::{Classes, Open};
use super::walk::{End, Guide, NoGuide, Walk};

/// A kind of walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// In depth.
    Deep,
    /// In breadth, as long as it is cheap.
    Quick,
    /// In breadth, with calls that may take effect more than once.
    Reusing,
    /// In breadth, whatever it takes.
    Wide,
}

/// Configurations that the quick walk keeps at an event.
const QUICK_KEPT_MAX: usize = 256;
/// Configurations that a walk may visit in the first turn: so many and so many a call.
const FIRST: (u64, u64) = (300, 4);
/// Each further turn has so many times the budget of the last.
const FURTHER: u64 = 4;

/// What is known beside the calls.
pub(super) struct Hints<'a, M: Model> {
    /// What no legal order does.
    pub guide: &'a dyn Guide<M>,
    /// Whether few states can be reached however often calls take effect.
    pub few_states: bool,
}

impl<M: Model> Hints<'_, M> {
    /// Nothing is known.
    pub const NONE: Self = Self { guide: &NoGuide, few_states: false };
}

/// Decides whether the calls, in order of invocation, have a legal order.
///
/// Bounds: `states_max` configurations in all, and 1,024 required calls open at once.
pub(super) fn search<M: Model>(
    model: &M,
    calls: &[Call<M::Step>],
    hints: &Hints<'_, M>,
    states_max: u64,
) -> Answer {
    search_counted(model, calls, hints, states_max).0
}

/// The same, and how many configurations were visited.
pub(super) fn search_counted<M: Model>(
    model: &M,
    calls: &[Call<M::Step>],
    hints: &Hints<'_, M>,
    states_max: u64,
) -> (Answer, u64) {
    let events = events(calls);
    let (end, states) = match open_max(calls, &events) {
        0..=64 => walks::<M, 1>(model, calls, hints, &events, states_max),
        65..=1024 => walks::<M, 16>(model, calls, hints, &events, states_max),
        open => {
            let reason =
                format!("{open} operations of one key are open at once; at most 1024 are searched");
            return (Answer::Unknown(reason), 0);
        }
    };
    let answer = match end {
        End::Reached => Answer::Linearizable,
        End::Stuck(index) => Answer::Contradiction(Core::Stuck(index)),
        End::Exhausted => {
            Answer::Unknown(format!("more than {states_max} configurations of one key"))
        }
    };
    (answer, states)
}

fn walks<M: Model, const W: usize>(
    model: &M,
    calls: &[Call<M::Step>],
    hints: &Hints<'_, M>,
    events: &[Event],
    states_max: u64,
) -> (End, u64) {
    let classes = Classes::new(calls);
    let mut search = Search { model, calls, hints, events, classes: &classes, left: states_max };
    let end = search.run::<W>();
    (end, states_max - search.left)
}

/// A search that is under way.
struct Search<'a, M: Model> {
    model: &'a M,
    calls: &'a [Call<M::Step>],
    hints: &'a Hints<'a, M>,
    events: &'a [Event],
    classes: &'a Classes,
    /// Configurations that may still be visited.
    left: u64,
}

impl<'a, M: Model> Search<'a, M> {
    fn run<const W: usize>(&mut self) -> End {
        let mut deep = None;
        let mut budget = FIRST.0 + FIRST.1 * self.calls.len() as u64;
        loop {
            let (end, furthest) = self.in_depth::<W>(&mut deep, budget);
            if end != End::Exhausted {
                return end;
            }
            let end = self.in_breadth::<W>(Stage::Quick, budget);
            if end != End::Exhausted {
                return end;
            }
            let (refuted, states) = self.hints.guide.refute(furthest, budget.min(self.left));
            self.spend(states);
            if refuted {
                return End::Stuck(furthest);
            }
            budget *= FURTHER;
            if budget > self.left / FURTHER {
                break;
            }
        }
        let (end, _) = self.in_depth::<W>(&mut deep, self.left / 2);
        if end != End::Exhausted {
            return end;
        }
        drop(deep);
        if self.hints.few_states
            && let End::Stuck(index) = self.in_breadth::<W>(Stage::Reusing, self.left / 2)
        {
            return End::Stuck(index);
        }
        self.in_breadth::<W>(Stage::Wide, self.left)
    }

    fn spend(&mut self, states: u64) {
        self.left = self.left.saturating_sub(states);
    }

    fn walk<const W: usize>(&self, stage: Stage, states_max: u64) -> Walk<'a, M, W> {
        let open = Open::new(self.calls, self.classes, stage == Stage::Reusing);
        Walk::new(self.model, open, self.hints.guide, states_max.min(self.left))
    }

    /// Walks in depth, on from where it stopped; also the event beyond which nothing has come.
    fn in_depth<const W: usize>(
        &mut self,
        deep: &mut Option<InDepth<'a, M, W>>,
        budget: u64,
    ) -> (End, u64) {
        let mut walk = match deep.take() {
            Some(walk) => walk,
            None => InDepth::new(self.walk(Stage::Deep, budget)),
        };
        let before = walk.states();
        let end = walk.resume(self.events, budget.min(self.left), self.left);
        self.spend(walk.states() - before);
        let furthest = walk.furthest();
        *deep = Some(walk).filter(InDepth::can_resume);
        (end, furthest)
    }

    fn in_breadth<const W: usize>(&mut self, stage: Stage, budget: u64) -> End {
        let mut walk = self.walk::<W>(stage, budget);
        let kept_max = match stage {
            Stage::Quick => QUICK_KEPT_MAX,
            _ => usize::MAX,
        };
        let end = walk.in_breadth(self.events, kept_max);
        self.spend(walk.states);
        end
    }
}

/// How many required calls are open at the busiest moment.
fn open_max<S>(calls: &[Call<S>], events: &[Event]) -> usize {
    let (mut open, mut most) = (0, 0);
    for event in events {
        match *event {
            Event::Invoke(call) => open += usize::from(calls[call as usize].required),
            Event::Complete(_) => open -= 1,
            Event::Expire(_) => (),
        }
        most = most.max(open);
    }
    most
}

/// How each kind of walk ends.
#[cfg(test)]
pub(super) fn ends<M: Model>(
    model: &M,
    calls: &[Call<M::Step>],
    hints: &Hints<'_, M>,
) -> Vec<(Stage, End)> {
    const STATES_MAX: u64 = 1_000_000;
    let (events, classes) = (events(calls), Classes::new(calls));
    let mut search =
        Search { model, calls, hints, events: &events, classes: &classes, left: u64::MAX };
    let mut deep = None;
    let mut ends = Vec::new();
    // A little at a time, so that it is resumed.
    for _ in 0..20 {
        let (end, _) = search.in_depth::<1>(&mut deep, 100);
        if end != End::Exhausted {
            ends.push((Stage::Deep, end));
            break;
        }
    }
    for stage in [Stage::Quick, Stage::Reusing, Stage::Wide] {
        if stage != Stage::Reusing || hints.few_states {
            ends.push((stage, search.in_breadth::<1>(stage, STATES_MAX)));
        }
    }
    ends
}

/// How one kind of walk ends under a cap, and how many configurations it has visited.
#[cfg(test)]
pub(super) fn spent<M: Model>(
    model: &M,
    calls: &[Call<M::Step>],
    hints: &Hints<'_, M>,
    stage: Stage,
    states_max: u64,
) -> (End, u64) {
    let (events, classes) = (events(calls), Classes::new(calls));
    let search =
        Search { model, calls, hints, events: &events, classes: &classes, left: states_max };
    let mut walk = search.walk::<16>(stage, states_max);
    if stage == Stage::Deep {
        let mut deep = InDepth::new(walk);
        let end = deep.resume(&events, states_max, states_max);
        return (end, deep.states());
    }
    let end = walk.in_breadth(&events, usize::MAX);
    (end, walk.states)
}
