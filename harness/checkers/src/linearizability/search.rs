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
use super::walk::{End, Guide, NoGuide, Walk};

/// Configurations for the first walk: so many and so many a call.
const QUICK: (u64, u64) = (20_000, 4);
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
    let guide = hints.guide;
    let mut left = states_max;
    let quick = (QUICK.0 + QUICK.1 * calls.len() as u64).min(left);
    let mut walk = Walk::<M, W>::new(model, calls, guide, quick);
    let end = walk.in_breadth(events);
    left -= walk.states().min(left);
    if end != End::Exhausted {
        return end;
    }
    let mut walk = Walk::<M, W>::new(model, calls, guide, left / 4 * 3);
    let end = walk.in_depth(events);
    left -= walk.states().min(left);
    if end != End::Exhausted {
        return end;
    }
    if hints.few_states {
        let mut walk = Walk::<M, W>::reusing(model, calls, guide, left / 2);
        let end = walk.in_breadth(events);
        left -= walk.states().min(left);
        if let End::Stuck(_) = end {
            return end;
        }
    }
    Walk::<M, W>::new(model, calls, guide, left).in_breadth(events)
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
