//! Key-value stores: registers, if one reads the texts rightly.
//!
//! # Without appends
//! A value that is only written, read, deleted, compared and set is a register: a delete writes the
//! missing value.
//!
//! # With appends
//! Let a *piece* be the initial text, a text that is written or one that is appended, and let no piece
//! be empty (but the initial text), none be the beginning of another, and none be used twice. Then
//! every text that a legal order can leave is, in one way only, a written piece, or the initial text,
//! and the pieces appended to it since, and each of them names its operation. So an ok read tells the
//! order of all changes since the last write, and the history is one of a register with cas:
//!
//! * a write leaves a state of its own, its piece alone;
//! * an append that some read shows is a cas from the state that the text before it names to the
//!   state that the text up to it names;
//! * an append that no read shows is a write of a value that nobody sees: before the next write
//!   follow only appends of its kind, because whoever reads or shows something after it shows it too.
//!   If it is in doubt it is left out;
//! * a read sees the state that its text names.
//!
//! Legal orders are the same. Of two reads that begin with the same write one must continue the other,
//! and an append stands in one place only; otherwise the reads contradict each other. Every state is
//! left by one operation at most, so the zones of [`super::register`] decide.
//!
//! With both appends and cas, or with pieces that do not come apart so, the search decides.
//!
//! Source: the stores that Porcupine judges; the reduction is ours.

use wrack_history::{Operation, Value};
use wrack_sequential::cas_register::{self, CasRegister};
use wrack_sequential::kv::{KeyValue, Step};
use wrack_sequential::{Effect, Model, ModelError, Specification, Values};

use super::call::{Answer, Call, Core, calls};
use super::register;
use super::search::{Hints, search};
use pieces::{Kind, Pieces, Start};

pub(super) mod pieces;

/// Decides one key, and says how.
pub(super) fn decide(
    specification: Specification<'_>,
    operations: &[&Operation],
    states_max: u64,
) -> Result<(Answer, &'static str), ModelError> {
    let mut model: KeyValue = specification.start()?;
    let calls = calls(&mut model, operations)?;
    let has = |of: fn(&Step) -> bool| calls.iter().any(|call| of(&call.step));
    if !has(|step| matches!(step, Step::Append(_))) {
        return Ok(as_register(&model, &calls, states_max));
    }
    let compares = has(|step| matches!(step, Step::Cas { .. } | Step::Differs(_)));
    let initial = model.initial();
    let pieces = if compares { None } else { Pieces::new(&initial, written(&calls)) };
    Ok(match pieces {
        Some(pieces) => as_texts(&Texts { calls: &calls, pieces }, states_max),
        None => (search(&model, &calls, &Hints::NONE, states_max), "just-in-time search"),
    })
}

/// Decides what nobody appends to.
fn as_register(model: &KeyValue, calls: &[Call<Step>], states_max: u64) -> (Answer, &'static str) {
    let mut values = Values::default();
    values.start_at(&model.initial());
    let mut number = |value: &Value| values.number(value);
    let mut step = |step: &Step| match step {
        Step::Read(found) => cas_register::Step::Read(found.as_ref().map(&mut number)),
        Step::Write(value) => cas_register::Step::Write(number(value)),
        Step::Cas { expected, new } => {
            cas_register::Step::Cas { expected: number(expected), new: number(new) }
        }
        Step::Differs(value) => cas_register::Step::Differs(number(value)),
        Step::Append(_) => unreachable!("nothing is appended"),
    };
    let calls: Vec<Call<cas_register::Step>> =
        calls.iter().map(|call| call.with(step(&call.step), call.effect)).collect();
    register::decide_calls(&CasRegister { values }, calls, states_max)
}

/// What was written and appended, and by which calls.
fn written(calls: &[Call<Step>]) -> impl Iterator<Item = (&Value, Kind, u32)> {
    calls.iter().enumerate().filter_map(|(index, call)| match &call.step {
        Step::Write(text) => Some((text, Kind::Write, index as u32)),
        Step::Append(text) => Some((text, Kind::Append, index as u32)),
        _ => None,
    })
}

fn as_texts(texts: &Texts<'_>, states_max: u64) -> (Answer, &'static str) {
    const ALGORITHM: &str = "zones of recovered texts";
    let answer = match texts.chains() {
        Err(among) => Answer::Contradiction(Core::Among(among)),
        Ok(chains) => {
            let (model, calls) = texts.register(&chains);
            match register::decide_calls(&model, calls, states_max).0 {
                Answer::Contradiction(Core::Among(among)) => {
                    Answer::Contradiction(Core::Among(texts.with_witnesses(&chains, among)))
                }
                other => other,
            }
        }
    };
    (answer, ALGORITHM)
}

/// Operations that contradict each other, by their positions within the key.
type Contradiction = Vec<u32>;

/// The history of one key, with its pieces.
struct Texts<'a> {
    calls: &'a [Call<Step>],
    pieces: Pieces<'a>,
}

/// No call.
const NONE: u32 = u32::MAX;

/// What was written, and what followed until the next write.
struct Chain<'a> {
    start: Start,
    /// The read that shows most of it; none if nobody read it.
    longest: u32,
    /// What that one found.
    text: &'a str,
    /// The appends that it shows, and the length at which each ends.
    appends: Vec<(u32, usize)>,
    /// The number of its first state; each append leads to the next.
    state: u32,
}

/// A read that belongs to a chain.
struct Read {
    call: u32,
    chain: u32,
    length: usize,
}

/// The chains, that of the initial text first.
struct Chains<'a> {
    chains: Vec<Chain<'a>>,
    /// The chain of each call, and the state that it leaves or sees.
    places: Vec<Option<(u32, u32)>>,
    states: u32,
}

impl<'a> Texts<'a> {
    /// The chains, as the reads show them.
    fn chains(&self) -> Result<Chains<'a>, Contradiction> {
        let (chains, reads) = self.longest()?;
        let mut all = Chains { chains, places: vec![None; self.calls.len()], states: 0 };
        for chain in 0..all.chains.len() {
            self.place_changes(&mut all, chain as u32)?;
        }
        for read in reads {
            let Chain { start, appends, state, .. } = &all.chains[read.chain as usize];
            let count = match read.length {
                length if length == start.length => Some(0),
                length => {
                    appends.binary_search_by_key(&length, |(_, end)| *end).ok().map(|at| at + 1)
                }
            };
            let count = count.ok_or_else(|| self.operations([read.call]))?;
            all.places[read.call as usize] = Some((read.chain, state + count as u32));
        }
        Ok(all)
    }

    /// The chains with the longest read of each, and all reads.
    fn longest(&self) -> Result<(Vec<Chain<'a>>, Vec<Read>), Contradiction> {
        let chain =
            |start: Start| Chain { start, longest: NONE, text: "", appends: Vec::new(), state: 0 };
        let mut chains = vec![chain(Start { write: None, length: 0 })];
        let mut chain_of_write = vec![NONE; self.calls.len()];
        let mut reads = Vec::new();
        for (index, call) in self.calls.iter().enumerate() {
            if let Step::Write(Value::Text(text)) = &call.step {
                chain_of_write[index] = chains.len() as u32;
                chains.push(chain(Start { write: Some(index as u32), length: text.len() }));
            }
        }
        for (index, call) in (0..).zip(self.calls) {
            let Step::Read(Some(found)) = &call.step else {
                continue;
            };
            let begun = match found {
                Value::Text(text) => self.pieces.start(text).map(|start| (start, text.as_str())),
                _ => None,
            };
            let (start, text) = begun.ok_or_else(|| self.operations([index]))?;
            let chain = start.write.map_or(0, |write| chain_of_write[write as usize]);
            reads.push(Read { call: index, chain, length: text.len() });
            let known = &mut chains[chain as usize];
            let continues = known.longest == NONE || known.text.len() < text.len();
            let (less, more) = if continues { (known.text, text) } else { (text, known.text) };
            if !more.starts_with(less) {
                let write = start.write.unwrap_or(NONE);
                return Err(self.operations([index, known.longest, write]));
            }
            if continues {
                (known.start, known.longest, known.text) = (start, index, text);
            }
        }
        Ok((chains, reads))
    }

    /// Numbers the states of a chain, and puts its changes there.
    fn place_changes(&self, all: &mut Chains<'a>, number: u32) -> Result<(), Contradiction> {
        let chain = &mut all.chains[number as usize];
        chain.state = all.states;
        if let Some(write) = chain.start.write {
            all.places[write as usize] = Some((number, all.states));
        }
        let (start, longest, text) = (chain.start, chain.longest, chain.text);
        let appends = match longest {
            NONE => Vec::new(),
            _ => self.pieces.appends(text, start).ok_or_else(|| self.operations([longest]))?,
        };
        for (append, _) in &appends {
            all.states += 1;
            let place = &mut all.places[*append as usize];
            if let Some((other, _)) = place.replace((number, all.states)) {
                let twice = [other, number].map(|chain| &all.chains[chain as usize]);
                let shown = twice.map(|chain| [chain.longest, chain.start.write.unwrap_or(NONE)]);
                return Err(self.operations(shown.into_iter().flatten().chain([*append])));
            }
        }
        all.chains[number as usize].appends = appends;
        all.states += 1;
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
    fn with_witnesses(&self, chains: &Chains<'_>, among: Contradiction) -> Contradiction {
        let mut all = among.clone();
        for (call, place) in self.calls.iter().zip(&chains.places) {
            if let Some((chain, _)) = place
                && among.contains(&call.operation)
            {
                let Chain { start, longest, .. } = &chains.chains[*chain as usize];
                all.extend(self.operations([*longest, start.write.unwrap_or(NONE)]));
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    fn operations(&self, calls: impl IntoIterator<Item = u32>) -> Contradiction {
        let calls = calls.into_iter().filter(|call| *call != NONE);
        calls.map(|call| self.calls[call as usize].operation).collect()
    }
}
