//! The walk that remembers how it came to a configuration.
//!
//! It goes through the events in depth, first where most orders lie: reads as soon as they are legal, a write
//! that nobody saw immediately before another one (it is *absorbed*), everything else when it completes.
//! Where nothing is left it goes back to the last choice. If that takes too long, it begins again and looks
//! at what comes after each choice.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use smallvec::SmallVec;
use wrack_sequential::{Effect, Model};

use super::foresight::{AHEAD, Foresight};
use crate::linearizability::call::{Call, Event, events};

/// An order of calls, by the positions of their operations, that the model allows and time too; the calls
/// are in order of invocation.
pub fn witness<M: Model>(
    model: &M,
    calls: &[Call<M::Step>],
    foresight: Foresight<'_, M::State>,
    states_max: u64,
) -> Result<Vec<u32>, String> {
    let events = events(calls);
    let mut seek = Seeking {
        model,
        calls,
        events: &events,
        classes: Classes::of(calls),
        foresight,
        taken: Vec::new(),
        stack: Vec::new(),
        met: FxHashSet::default(),
        left: states_max,
        careful: false,
    };
    let mut last = seek.walk(states_max / CARELESS);
    if last.is_none() && seek.foresight.lookout.is_some() {
        seek.careful = true;
        last = seek.walk(states_max);
    }
    match last {
        Some(last) => Ok(seek.order(last)),
        None if seek.left > 0 && seek.stack.is_empty() => Err("no order was found".into()),
        None => Err(format!("no order was found within {states_max} configurations")),
    }
}

/// One of so many configurations is for the walk that does not look at what comes after a choice.
const CARELESS: u64 = 4;

/// No call has been taken.
const NONE: u32 = u32::MAX;

/// Doubtful calls by their steps: those of one class are interchangeable.
struct Classes {
    /// The calls of each class, in order of invocation.
    members: Vec<Vec<u32>>,
    /// The class of each call, if it is doubtful.
    of_call: Vec<Option<usize>>,
}

impl Classes {
    fn of<S: Eq + std::hash::Hash>(calls: &[Call<S>]) -> Self {
        let mut numbers = FxHashMap::default();
        let mut members: Vec<Vec<u32>> = Vec::new();
        let mut of_call = vec![None; calls.len()];
        for (index, call) in calls.iter().enumerate().filter(|(_, call)| !call.required) {
            let class = *numbers.entry(&call.step).or_insert(members.len());
            members.resize(members.len().max(class + 1), Vec::new());
            members[class].push(index as u32);
            of_call[index] = Some(class);
        }
        Self { members, of_call }
    }
}

/// A required call that has been invoked and not been taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Pending {
    pub call: u32,
    /// Whether an overwriting call was taken since, so that it may be held to stand just before that.
    absorbed: bool,
}

/// How far an order has come.
struct Node<S> {
    state: S,
    /// The next event.
    position: usize,
    open: SmallVec<[Pending; 16]>,
    /// How many calls of each class of doubtful ones were taken, but for trailing zeros.
    used: SmallVec<[u32; 4]>,
    /// What was taken last, as a place in `taken`.
    last: u32,
}

/// A call in its place of an order.
struct Taken {
    call: u32,
    /// The event at which it was taken.
    position: usize,
    before: u32,
}

struct Seeking<'a, M: Model> {
    model: &'a M,
    calls: &'a [Call<M::Step>],
    events: &'a [Event],
    classes: Classes,
    foresight: Foresight<'a, M::State>,
    taken: Vec<Taken>,
    stack: Vec<Node<M::State>>,
    /// Hashes of nodes: if two of them agree by chance an order may be missed, and none is made up.
    met: FxHashSet<u64>,
    /// Nodes that may still be visited.
    left: u64,
    /// Whether it looks at what comes after each choice.
    careful: bool,
}

impl<M: Model> Seeking<'_, M> {
    fn first(&self) -> Node<M::State> {
        Node {
            state: self.model.initial(),
            position: 0,
            open: SmallVec::new(),
            used: SmallVec::new(),
            last: NONE,
        }
    }

    /// Walks from the beginning, through so many nodes; gives what was taken last.
    fn walk(&mut self, states_max: u64) -> Option<u32> {
        self.met.clear();
        self.taken.clear();
        let first = self.first();
        self.stack = vec![first];
        for _ in 0..states_max.min(self.left) {
            let node = self.stack.pop()?;
            self.left -= 1;
            if let Some(last) = self.visit(node) {
                return Some(last);
            }
        }
        None
    }

    fn call(&self, call: u32) -> &Call<M::Step> {
        &self.calls[call as usize]
    }

    /// Goes on to the next completion that needs a choice; gives what was taken last at the end.
    fn visit(&mut self, mut node: Node<M::State>) -> Option<u32> {
        while let Some(event) = self.events.get(node.position) {
            match *event {
                Event::Invoke(call) if self.call(call).required => {
                    node.open.push(Pending { call, absorbed: false });
                    self.serve(&mut node);
                }
                Event::Invoke(_) | Event::Expire(_) => (),
                Event::Complete(call) => {
                    let place = node.open.iter().position(|pending| pending.call == call);
                    match place.map(|place| (place, node.open[place].absorbed)) {
                        None => (),
                        Some((place, true)) => {
                            let mut owed = self.copy(&node);
                            owed.open[place].absorbed = false;
                            node.open.remove(place);
                            if self.careful && !self.is_good(&node) {
                                std::mem::swap(&mut owed, &mut node);
                                self.push(owed);
                                continue;
                            }
                            self.push(owed);
                        }
                        Some((_, false)) => {
                            self.extend(&node, call);
                            return None;
                        }
                    }
                }
            }
            node.position += 1;
        }
        Some(node.last)
    }

    fn copy(&self, node: &Node<M::State>) -> Node<M::State> {
        Node {
            state: node.state.clone(),
            position: node.position,
            open: SmallVec::from_slice(&node.open),
            used: SmallVec::from_slice(&node.used),
            last: node.last,
        }
    }

    fn push(&mut self, node: Node<M::State>) {
        let seen = (node.position, &node.state, &node.open, &node.used);
        if self.met.insert(FxBuildHasher.hash_one(seen)) {
            self.stack.push(node);
        }
    }

    /// Takes one more call, so that in the end `goal` can be.
    fn extend(&mut self, node: &Node<M::State>, goal: u32) {
        let step = |call: u32| self.model.step(&node.state, &self.call(call).step);
        // The last is tried first: the lowest rank, the goal itself, what makes it legal, then the earliest
        // to complete.
        let mut choices: Vec<(u32, bool, bool, u64, u32, M::State)> = Vec::new();
        let pending = node.open.iter().map(|pending| pending.call);
        let doubtful = self.classes.members.iter().enumerate().filter_map(|(class, members)| {
            let used = node.used.get(class).copied().unwrap_or(0);
            let call = *members.get(used as usize)?;
            (self.call(call).invoke < self.call(goal).complete).then_some(call)
        });
        for call in pending.chain(doubtful) {
            if self.call(call).effect == Effect::None && call != goal {
                continue;
            }
            if let Some(state) = step(call) {
                let leads = self.model.step(&state, &self.call(goal).step).is_some();
                let late = u64::MAX - self.call(call).complete;
                choices.push((u32::MAX - self.rank(call), call == goal, leads, late, call, state));
            }
        }
        choices.sort_unstable_by_key(|(early, is_goal, leads, late, call, _)| {
            (*early, *is_goal, *leads, *late, u32::MAX - *call)
        });
        let mut next: Vec<Node<M::State>> = Vec::new();
        for (.., call, state) in choices {
            let mut one = self.copy(node);
            one.state = state;
            self.take(&mut one, call);
            self.serve(&mut one);
            next.push(one);
        }
        if self.careful
            && next.len() > 1
            && let Some(good) = next.iter().rposition(|one| self.is_good(one))
        {
            let good = next.remove(good);
            next.push(good);
        }
        next.into_iter().for_each(|one| self.push(one));
    }

    /// Whether there seems to be an order from here on.
    fn is_good(&self, node: &Node<M::State>) -> bool {
        let Some(lookout) = &self.foresight.lookout else {
            return true;
        };
        let now = match self.events[node.position] {
            Event::Complete(call) => self.call(call).complete,
            Event::Invoke(call) => self.call(call).invoke,
            Event::Expire(_) => return true,
        };
        let invoked = self.calls.partition_point(|call| call.invoke < now);
        let upto = self.calls.len().min(invoked + AHEAD);
        let owing = node.open.iter().filter(|pending| !pending.absorbed);
        let mut next: Vec<u32> = owing.map(|pending| pending.call).collect();
        next.sort_unstable();
        next.extend(invoked as u32..upto as u32);
        next.iter_mut().for_each(|call| *call = self.call(*call).operation);
        let end = self.calls.get(upto).map_or(u64::MAX, |call| call.invoke);
        lookout.is_open(&node.state, &next, end)
    }

    /// The place of a change in an order that is known.
    fn rank(&self, call: u32) -> u32 {
        let ranks = &self.foresight.ranks;
        ranks.get(self.call(call).operation as usize).copied().unwrap_or(u32::MAX)
    }

    /// Notes that a call takes effect now.
    fn take(&mut self, node: &mut Node<M::State>, call: u32) {
        self.taken.push(Taken { call, position: node.position, before: node.last });
        node.last = self.taken.len() as u32 - 1;
        node.open.retain(|pending| pending.call != call);
        // Where an order is known, all changes are taken in it.
        if self.call(call).effect == Effect::Overwrite && self.foresight.ranks.is_empty() {
            for pending in &mut node.open {
                pending.absorbed |= self.call(pending.call).effect == Effect::Overwrite;
            }
        }
        if let Some(class) = self.classes.of_call[call as usize] {
            let length = node.used.len().max(class + 1);
            node.used.resize(length, 0);
            node.used[class] += 1;
        }
    }

    /// Takes every open read that is legal.
    fn serve(&mut self, node: &mut Node<M::State>) {
        let mut place = 0;
        while let Some(pending) = node.open.get(place).copied() {
            let call = self.call(pending.call);
            let is_read = call.effect == Effect::None;
            match is_read && self.model.step(&node.state, &call.step).is_some() {
                true => self.take(node, pending.call),
                false => place += 1,
            }
        }
    }

    /// The order that ends with this call, by the positions of operations; what was absorbed stands before
    /// what did.
    fn order(&self, last: u32) -> Vec<u32> {
        let mut path: Vec<&Taken> = Vec::new();
        let mut place = last;
        while place != NONE {
            path.push(&self.taken[place as usize]);
            place = self.taken[place as usize].before;
        }
        path.reverse();
        let mut is_taken = vec![false; self.calls.len()];
        path.iter().for_each(|taken| is_taken[taken.call as usize] = true);
        let overwriting = |taken: &&Taken| self.call(taken.call).effect == Effect::Overwrite;
        let absorbing: Vec<&Taken> = path.iter().copied().filter(overwriting).collect();
        let mut absorbed = FxHashMap::<u32, Vec<u32>>::default();
        for (position, event) in self.events.iter().enumerate() {
            if let Event::Invoke(call) = *event
                && self.call(call).required
                && !is_taken[call as usize]
            {
                let by = absorbing.partition_point(|taken| taken.position < position);
                absorbed.entry(absorbing[by].call).or_default().push(call);
            }
        }
        let with_absorbed = path.iter().flat_map(|taken| {
            let before = absorbed.remove(&taken.call).unwrap_or_default();
            before.into_iter().chain([taken.call])
        });
        with_absorbed.map(|call| self.call(call).operation).collect()
    }
}
