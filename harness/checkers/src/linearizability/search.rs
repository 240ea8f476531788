//! The general decision procedure: walks through the events of one key.
//!
//! 1. By turns, each time with a greater budget:
//!    *in depth*, a few configurations at once, and back to the others where these lead nowhere. It
//!    finds a legal order where there are many; if it has tried everything, there is none.
//!    *In breadth*, all configurations at once, as long as there are not too many. It is exact. Then
//!    windows, where a history has them: one that ends where the walk in depth got no further may
//!    show that there is no legal order. So whichever of these is good at a history, the others
//!    cost no more than a few times as much.
//! 2. *Reusing*, where it makes sense: every open call may take effect more than once, and a doubtful
//!    one ever after. Every legal order is one of these, so if nothing reaches the end, there is none.
//! 3. *In breadth*, with what is left of the budget.

use wrack_sequential::Model;

use super::call::{Answer, Call, Core, Event, events};
use super::open::Open;
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

impl Stage {
    /// All kinds.
    #[cfg(test)]
    pub const ALL: [Self; 4] = [Self::Deep, Self::Quick, Self::Reusing, Self::Wide];
    /// Configurations that the quick walk keeps at an event.
    const QUICK_KEPT_MAX: usize = 256;
}

/// Configurations that a walk may visit in the first turn: so many and so many a call.
const FIRST: (u64, u64) = (1_000, 10);
/// Each further turn has so many times the budget of the last.
const FURTHER: u64 = 4;
/// Turns at most.
const TURNS_MAX: u32 = 4;

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
        65..=256 => walks::<M, 4>(model, calls, hints, &events, states_max),
        257..=1024 => walks::<M, 16>(model, calls, hints, &events, states_max),
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
    let mut left = states_max;
    let walk = |stage, share: u64, left: &mut u64| {
        let walked = walk::<M, W>(stage, model, calls, hints, events, share.min(*left));
        *left = left.saturating_sub(walked.states);
        walked
    };
    let mut budget = FIRST.0 + FIRST.1 * calls.len() as u64;
    for _ in 0..TURNS_MAX {
        let deep = walk(Stage::Deep, budget, &mut left);
        if deep.end != End::Exhausted {
            return (deep.end, states_max - left);
        }
        let quick = walk(Stage::Quick, budget, &mut left);
        if quick.end != End::Exhausted {
            return (quick.end, states_max - left);
        }
        let (refuted, states) = hints.guide.refute(deep.furthest, budget.min(left));
        left = left.saturating_sub(states);
        if refuted {
            return (End::Stuck(deep.furthest), states_max - left);
        }
        budget *= FURTHER;
        if budget > left / FURTHER {
            break;
        }
    }
    if hints.few_states {
        let reusing = walk(Stage::Reusing, left / 2, &mut left);
        if matches!(reusing.end, End::Stuck(_)) {
            return (reusing.end, states_max - left);
        }
    }
    let wide = walk(Stage::Wide, left, &mut left);
    (wide.end, states_max - left)
}

/// How a walk went.
pub(super) struct Walked {
    /// How it ended.
    pub end: End,
    /// How many configurations it visited.
    pub states: u64,
    /// In depth, the index of the event beyond which nothing has come.
    pub furthest: u64,
}

/// Walks once.
pub(super) fn walk<M: Model, const W: usize>(
    stage: Stage,
    model: &M,
    calls: &[Call<M::Step>],
    hints: &Hints<'_, M>,
    events: &[Event],
    states_max: u64,
) -> Walked {
    let open = Open::new(calls, stage == Stage::Reusing);
    let mut walk = Walk::<M, W>::new(model, open, hints.guide, states_max);
    let end = match stage {
        Stage::Quick => walk.in_breadth(events, Stage::QUICK_KEPT_MAX),
        Stage::Deep => walk.in_depth(events),
        Stage::Reusing | Stage::Wide => walk.in_breadth(events, usize::MAX),
    };
    Walked { end, states: walk.states(), furthest: walk.furthest }
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
    let events = events(calls);
    let end = |stage| walk::<M, 1>(stage, model, calls, hints, &events, 1_000_000).end;
    let sensible = |stage: &Stage| *stage != Stage::Reusing || hints.few_states;
    Stage::ALL.into_iter().filter(sensible).map(|stage| (stage, end(stage))).collect()
}
