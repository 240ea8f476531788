//! The general decision procedure: walks through the events of one key, the cheap ones first.
//!
//! 1. *In breadth*, with a small budget: all configurations at once. It is exact, and decides nearly
//!    every history.
//! 2. *In depth*: a few configurations at once, and back to the others where these lead nowhere. It
//!    finds a legal order where there are many; if it has tried everything, there is none.
//! 3. *Reusing*, where it makes sense: every open call may take effect more than once, and a doubtful
//!    one ever after. Every legal order is one of these, so if nothing reaches the end, there is none.
//! 4. *In breadth*, with what is left of the budget.

use wrack_sequential::Model;

use super::call::{Answer, Call, Core, Event, events};
use super::open::Open;
use super::walk::{End, Guide, NoGuide, Walk};

/// A kind of walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// In breadth, as long as it is cheap.
    Quick,
    /// In depth.
    Deep,
    /// In breadth, with calls that may take effect more than once.
    Reusing,
    /// In breadth, whatever it takes.
    Wide,
}

impl Stage {
    /// All kinds, the cheap ones first.
    pub const ALL: [Self; 4] = [Self::Quick, Self::Deep, Self::Reusing, Self::Wide];
    /// Configurations that the quick walk keeps at an event.
    const QUICK_KEPT_MAX: usize = 256;

    /// How many of the configurations that are left it may visit.
    fn share(self, left: u64, calls: u64) -> u64 {
        match self {
            Self::Quick => left.min(20_000 + 4 * calls),
            Self::Deep => (left / 4 * 3).min(100_000 + 40 * calls),
            Self::Reusing => left / 2,
            Self::Wide => left,
        }
    }
}

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
    let events = events(calls);
    let end = match open_max(calls, &events) {
        0..=64 => walks::<M, 1>(model, calls, hints, &events, states_max),
        65..=256 => walks::<M, 4>(model, calls, hints, &events, states_max),
        257..=1024 => walks::<M, 16>(model, calls, hints, &events, states_max),
        open => {
            return Answer::Unknown(format!(
                "{open} operations of one key are open at once; at most 1024 are searched"
            ));
        }
    };
    match end {
        End::Reached => Answer::Linearizable,
        End::Stuck(index) => Answer::Contradiction(Core::Stuck(index)),
        End::Exhausted => {
            Answer::Unknown(format!("more than {states_max} configurations of one key"))
        }
    }
}

fn walks<M: Model, const W: usize>(
    model: &M,
    calls: &[Call<M::Step>],
    hints: &Hints<'_, M>,
    events: &[Event],
    states_max: u64,
) -> End {
    let mut left = states_max;
    for stage in Stage::ALL {
        let share = stage.share(left, calls.len() as u64);
        let (end, states) = walk::<M, W>(stage, model, calls, hints, events, share);
        left = left.saturating_sub(states);
        let means_nothing = stage == Stage::Reusing && end == End::Reached;
        if end != End::Exhausted && !means_nothing {
            return end;
        }
    }
    End::Exhausted
}

/// One walk: how it ended, and how many configurations it visited.
pub(super) fn walk<M: Model, const W: usize>(
    stage: Stage,
    model: &M,
    calls: &[Call<M::Step>],
    hints: &Hints<'_, M>,
    events: &[Event],
    states_max: u64,
) -> (End, u64) {
    if stage == Stage::Reusing && !hints.few_states {
        return (End::Exhausted, 0);
    }
    let open = Open::new(calls, stage == Stage::Reusing);
    let mut walk = Walk::<M, W>::new(model, open, hints.guide, states_max);
    let end = match stage {
        Stage::Quick => walk.in_breadth(events, Stage::QUICK_KEPT_MAX),
        Stage::Deep => walk.in_depth(events),
        Stage::Reusing | Stage::Wide => walk.in_breadth(events, usize::MAX),
    };
    (end, walk.states())
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
    let end = |stage| walk::<M, 1>(stage, model, calls, hints, &events, 1_000_000).0;
    Stage::ALL.into_iter().map(|stage| (stage, end(stage))).collect()
}
