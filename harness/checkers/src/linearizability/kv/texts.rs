//! Texts that are appended to, as registers. [`super`] has the proof.

use smallvec::SmallVec;
use wrack_history::Value;
use wrack_sequential::cas_register::{self, CasRegister};
use wrack_sequential::kv::Step;
use wrack_sequential::{Effect, Values};

use super::pieces::{Pieces, Start};
use crate::linearizability::call::{Answer, Call, Core};
use crate::linearizability::register;

/// Operations that contradict each other, by their positions within the key.
type Contradiction = Vec<u32>;

/// No call.
const NONE: u32 = u32::MAX;

/// Places of pieces that are appended more than once, at most.
const OPEN_MAX: usize = 64;
/// Ways to give appends their places that are tried, at most, and beginnings of ways.
const WAYS_MAX: u32 = 2_000;

/// The history of one key, with its pieces.
pub(super) struct Texts<'a> {
    pub calls: &'a [Call<Step>],
    pub pieces: Pieces<'a>,
}

/// What was written, and what followed until the next write.
struct Chain<'a> {
    write: u32,
    start: Start,
    /// The read that shows most of it; none if nobody read it.
    longest: u32,
    /// What that one found.
    text: &'a str,
    /// The pieces that it shows behind the first, and the length at which each ends.
    appended: Vec<(u32, usize)>,
    /// The number of its first state; each append leads to the next.
    state: u32,
}

/// In which ways a text that may be both written and appended can have come first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Beginnings {
    written: bool,
    appended: bool,
}

/// A read that belongs to a chain.
struct Read {
    call: u32,
    chain: u32,
    length: usize,
}

/// Where a piece stands that is appended more than once.
struct Place {
    state: u32,
    chain: u32,
    /// The appends that may have put it there.
    candidates: SmallVec<[u32; 2]>,
}

/// The chains, that of the initial text first.
struct Chains<'a> {
    chains: Vec<Chain<'a>>,
    /// The chain of each call, and the state that it leaves or sees.
    places: Vec<Option<(u32, u32)>>,
    states: u32,
    /// Places whose appends are not known.
    open: Vec<Place>,
}

impl<'a> Texts<'a> {
    /// Whether every text tells what was written last.
    pub fn are_told_apart(&self) -> bool {
        let unclear = |call: &Call<Step>| match &call.step {
            Step::Read(Some(Value::Text(text))) => {
                let start = self.pieces.start(text);
                let both = Beginnings { written: true, appended: true };
                start.is_some_and(|start| self.beginnings(call, start) == both)
            }
            _ => false,
        };
        let twice = self.pieces.all().iter().any(|piece| piece.writes.len() > 1);
        !twice && !self.calls.iter().any(unclear)
    }

    /// In which ways the text of a read may have begun, of those that it has.
    fn beginnings(&self, read: &Call<Step>, start: Start) -> Beginnings {
        let Some(piece) = start.written.map(|piece| &self.pieces.all()[piece as usize]) else {
            return Beginnings { written: false, appended: true };
        };
        if !self.pieces.begin_with_appends() || piece.appends.is_empty() {
            return Beginnings { written: true, appended: false };
        }
        let changes = || self.calls.iter().filter(|call| call.required);
        let writes = changes().filter(|call| matches!(call.step, Step::Write(_)));
        let others = changes().filter(|call| !matches!(call.step, Step::Read(_)));
        let first = |calls: &mut dyn Iterator<Item = &Call<Step>>| {
            calls.map(|call| call.complete).min().unwrap_or(u64::MAX)
        };
        let (first_write, first_change) = (first(&mut { writes }), first(&mut { others }));
        let invoke = |call: &u32| self.calls[*call as usize].invoke;
        Beginnings {
            written: piece.writes.iter().any(|write| invoke(write) < read.complete),
            appended: read.invoke < first_write
                && piece.appends.iter().any(|append| invoke(append) < first_change),
        }
    }

    /// How the text of a read begins.
    fn start(&self, read: &Call<Step>, text: &str) -> Option<Start> {
        let start = self.pieces.start(text)?;
        let initial = self.beginnings(read, start) == Beginnings { written: false, appended: true };
        Some(if initial {
            Start { written: None, length: self.pieces.initial_length() }
        } else {
            start
        })
    }

    /// Whether there is a legal order; `None` if there are too many ways to give appends their places.
    /// All of them together visit no more than the configurations that are left.
    pub fn decide(&self, states_left: &mut u64) -> Option<Answer> {
        let mut chains = match self.chains() {
            Ok(chains) => chains,
            Err(among) => return Some(contradiction(among)),
        };
        if chains.open.len() > OPEN_MAX {
            return None;
        }
        let open = std::mem::take(&mut chains.open);
        let mut ways = Ways { texts: self, chains, left: WAYS_MAX, states_left, among: Vec::new() };
        match ways.find(&open)? {
            true => Some(Answer::Linearizable),
            false => {
                let mut shown = Vec::new();
                for place in &open {
                    let Chain { write, longest, .. } = ways.chains.chains[place.chain as usize];
                    shown.extend([write, longest]);
                    shown.extend(&place.candidates);
                }
                ways.among.extend(self.operations(shown));
                Some(contradiction(ways.among))
            }
        }
    }

    /// The chains, as the reads show them.
    fn chains(&self) -> Result<Chains<'a>, Contradiction> {
        let (chains, reads) = self.longest()?;
        let places = vec![None; self.calls.len()];
        let mut all = Chains { chains, places, states: 0, open: Vec::new() };
        for chain in 0..all.chains.len() {
            self.number_states(&mut all, chain as u32)?;
        }
        let mut bounds = vec![Bounds::NONE; all.states as usize];
        for read in reads {
            let Chain { start, appended, state, .. } = &all.chains[read.chain as usize];
            let count = match read.length {
                length if length == start.length => Some(0),
                length => {
                    appended.binary_search_by_key(&length, |(_, end)| *end).ok().map(|at| at + 1)
                }
            };
            let count = count.ok_or_else(|| self.operations([read.call]))?;
            let state = state + count as u32;
            all.places[read.call as usize] = Some((read.chain, state));
            bounds[state as usize].see(&self.calls[read.call as usize]);
        }
        self.spread(&all, &mut bounds);
        self.place_appends(&mut all, &bounds)?;
        Ok(all)
    }

    /// The chains with the longest read of each, and all reads.
    fn longest(&self) -> Result<(Vec<Chain<'a>>, Vec<Read>), Contradiction> {
        let chain = |write: u32, start: Start| Chain {
            write,
            start,
            longest: NONE,
            text: "",
            appended: Vec::new(),
            state: 0,
        };
        let mut chains = vec![chain(NONE, Start { written: None, length: 0 })];
        let mut chain_of_piece = vec![0; self.pieces.all().len()];
        for (index, piece) in (0..).zip(self.pieces.all()) {
            for &write in &piece.writes {
                chain_of_piece[index as usize] = chains.len() as u32;
                let start = Start { written: Some(index), length: piece.text.len() };
                chains.push(chain(write, start));
            }
        }
        let mut reads = Vec::new();
        for (index, call) in (0..).zip(self.calls) {
            let Step::Read(Some(found)) = &call.step else {
                continue;
            };
            let begun = match found {
                Value::Text(text) => self.start(call, text).map(|start| (start, text.as_str())),
                _ => None,
            };
            let (start, text) = begun.ok_or_else(|| self.operations([index]))?;
            let chain = start.written.map_or(0, |piece| chain_of_piece[piece as usize]);
            reads.push(Read { call: index, chain, length: text.len() });
            let known = &mut chains[chain as usize];
            let continues = known.longest == NONE || known.text.len() < text.len();
            let (less, more) = if continues { (known.text, text) } else { (text, known.text) };
            if !more.starts_with(less) {
                return Err(self.operations([index, known.longest, known.write]));
            }
            if continues {
                (known.start, known.longest, known.text) = (start, index, text);
            }
        }
        Ok((chains, reads))
    }

    /// Numbers the states of a chain.
    fn number_states(&self, all: &mut Chains<'a>, number: u32) -> Result<(), Contradiction> {
        let chain = &mut all.chains[number as usize];
        chain.state = all.states;
        if chain.write != NONE {
            all.places[chain.write as usize] = Some((number, all.states));
        }
        if chain.longest != NONE {
            let appended = self.pieces.appended(chain.text, chain.start);
            chain.appended = appended.ok_or_else(|| self.operations([chain.longest]))?;
        }
        all.states += 1 + chain.appended.len() as u32;
        Ok(())
    }

    /// Makes the bounds of each state those of the append that leads to it.
    fn spread(&self, all: &Chains<'_>, bounds: &mut [Bounds]) {
        for chain in &all.chains {
            let states = chain.state as usize..=chain.state as usize + chain.appended.len();
            let write = self.calls.get(chain.write as usize).map_or(0, |write| write.invoke);
            let mut before = write;
            for state in states.clone() {
                let own = bounds[state].not_done_at;
                bounds[state].not_done_at = before;
                before = before.max(own);
            }
            let mut after = u64::MAX;
            for state in states.rev() {
                after = after.min(bounds[state].begun_by);
                bounds[state].begun_by = after;
            }
        }
    }

    /// Gives every append that is alone with its piece its place, and the others those they may take.
    fn place_appends(&self, all: &mut Chains<'a>, bounds: &[Bounds]) -> Result<(), Contradiction> {
        let mut taken = vec![Vec::<u32>::new(); self.pieces.all().len()];
        for (number, chain) in (0..).zip(&all.chains) {
            for (state, (piece, _)) in (chain.state + 1..).zip(&chain.appended) {
                let appends = &self.pieces.all()[*piece as usize].appends;
                let before = &mut taken[*piece as usize];
                before.push(number);
                if before.len() > appends.len() {
                    let shown = before.iter().map(|chain| &all.chains[*chain as usize]);
                    let shown = shown.flat_map(|chain| [chain.longest, chain.write]);
                    return Err(self.operations(shown.chain(appends.iter().copied())));
                }
                if let [append] = appends.as_slice() {
                    all.places[*append as usize] = Some((number, state));
                    continue;
                }
                let fits =
                    |append: &u32| bounds[state as usize].allow(&self.calls[*append as usize]);
                let candidates: SmallVec<[u32; 2]> = appends.iter().copied().filter(fits).collect();
                if candidates.is_empty() {
                    let shown = [chain.longest, chain.write];
                    return Err(self.operations(appends.iter().copied().chain(shown)));
                }
                all.open.push(Place { state, chain: number, candidates });
            }
        }
        Ok(())
    }

    /// The register whose values are the states.
    fn register(&self, chains: &Chains<'_>) -> (CasRegister, Vec<Call<cas_register::Step>>) {
        let mut values = Values::default();
        values.start_at(&0.into());
        let mut states = chains.states;
        let mut calls = Vec::with_capacity(self.calls.len());
        for (call, place) in self.calls.iter().zip(&chains.places) {
            let (step, effect) = match (&call.step, place) {
                (Step::Read(_), Some((_, state))) => {
                    (cas_register::Step::Read(Some(*state)), Effect::None)
                }
                (Step::Write(_), Some((_, state))) => {
                    (cas_register::Step::Write(*state), Effect::Overwrite)
                }
                (Step::Append(_), Some((_, state))) => {
                    let (expected, new) = (state - 1, *state);
                    (cas_register::Step::Cas { expected, new }, Effect::Any)
                }
                _ => {
                    states += 1;
                    (cas_register::Step::Write(states - 1), Effect::Overwrite)
                }
            };
            calls.push(call.with(step, effect));
        }
        for state in 0..i64::from(states) {
            values.number(&state.into());
        }
        (CasRegister { values }, calls)
    }

    /// These operations, and what shows where they belong.
    fn with_witnesses(&self, chains: &Chains<'_>, mut among: Contradiction) -> Contradiction {
        let mut shown = Vec::new();
        for (call, place) in self.calls.iter().zip(&chains.places) {
            if let Some((chain, _)) = place
                && among.contains(&call.operation)
            {
                let Chain { write, longest, .. } = chains.chains[*chain as usize];
                shown.extend([write, longest]);
            }
        }
        among.extend(self.operations(shown));
        among
    }

    fn operations(&self, calls: impl IntoIterator<Item = u32>) -> Contradiction {
        let calls = calls.into_iter().filter(|call| *call != NONE);
        calls.map(|call| self.calls[call as usize].operation).collect()
    }
}

/// What reads say of the append that leads to a state.
#[derive(Clone, Copy)]
struct Bounds {
    /// It had been invoked at this moment.
    begun_by: u64,
    /// It had not completed at this moment.
    not_done_at: u64,
}

impl Bounds {
    const NONE: Self = Self { begun_by: u64::MAX, not_done_at: 0 };

    fn see(&mut self, read: &Call<Step>) {
        self.begun_by = self.begun_by.min(read.complete);
        self.not_done_at = self.not_done_at.max(read.invoke);
    }

    fn allow(&self, append: &Call<Step>) -> bool {
        append.invoke < self.begun_by && append.complete > self.not_done_at
    }
}

/// The ways to give appends their places.
struct Ways<'a, 'b> {
    texts: &'b Texts<'a>,
    chains: Chains<'a>,
    /// How many more may be tried.
    left: u32,
    /// How many more configurations may be visited.
    states_left: &'b mut u64,
    /// What contradicts the ways that were tried.
    among: Contradiction,
}

impl Ways<'_, '_> {
    /// Whether some way is legal; `None` if too many would have to be tried.
    fn find(&mut self, open: &[Place]) -> Option<bool> {
        self.left = self.left.checked_sub(1)?;
        let Some((place, rest)) = open.split_first() else {
            return self.is_legal();
        };
        for &append in &place.candidates {
            if self.chains.places[append as usize].is_some() {
                continue;
            }
            self.chains.places[append as usize] = Some((place.chain, place.state));
            let found = self.find(rest);
            self.chains.places[append as usize] = None;
            if found != Some(false) {
                return found;
            }
        }
        Some(false)
    }

    fn is_legal(&mut self) -> Option<bool> {
        let (model, calls) = self.texts.register(&self.chains);
        match register::decide_within(&model, calls, self.states_left).0 {
            Answer::Linearizable => Some(true),
            Answer::Unknown(_) => None,
            Answer::Contradiction(Core::Stuck(_)) => Some(false),
            Answer::Contradiction(Core::Among(among)) => {
                self.among.extend(self.texts.with_witnesses(&self.chains, among));
                Some(false)
            }
        }
    }
}

fn contradiction(mut among: Contradiction) -> Answer {
    among.sort_unstable();
    among.dedup();
    Answer::Contradiction(Core::Among(among))
}
