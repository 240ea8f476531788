//! Models of people's own: judged by name like ours, though this crate does not know their types.
//!
//! States and steps are numbered as they come up: equal ones have one number, so that a search may
//! compare and hash numbers, and asks the model for each step from each state once.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::hash::Hash;

use rustc_hash::FxHashMap;
use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Value};

use crate::{Effect, Model, ModelError};

/// A model that is not one of [`ALL`](crate::ALL).
#[derive(Clone, Copy)]
pub struct OwnModel {
    /// Its name and what it means.
    pub info: &'static ModelInfo,
    new: fn() -> Box<dyn Numbered>,
}

impl OwnModel {
    /// The model `M`.
    pub const fn of<M: Model + Default + 'static>() -> Self {
        Self { info: M::INFO, new: || Box::new(Numbers::<M>::default()) }
    }

    /// A fresh value of it.
    pub(crate) fn start(&self) -> Own {
        Own((self.new)())
    }
}

impl Debug for OwnModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnModel").field(&self.info.name).finish()
    }
}

/// Whatever model it is, with numbers for states and steps.
pub(crate) struct Own(Box<dyn Numbered>);

impl Model for Own {
    type State = u32;
    type Step = u32;
    /// Its errors and its texts come from the model inside.
    const INFO: &'static ModelInfo = &ModelInfo { name: "own", doc: "A model of somebody's own." };

    fn initial(&self) -> u32 {
        self.0.initial()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.0.start_at(initial)
    }

    fn compile(&mut self, operation: &Operation) -> Result<u32, ModelError> {
        self.0.compile(operation)
    }

    fn step(&self, state: &u32, step: &u32) -> Option<u32> {
        self.0.step(*state, *step)
    }

    fn show(&self, state: &u32) -> String {
        self.0.show(*state)
    }

    fn effect(&self, step: &u32) -> Effect {
        self.0.effect(*step)
    }

    fn out_of_reach(&self, state: &u32, goal: &u32) -> bool {
        self.0.out_of_reach(*state, *goal)
    }

    fn helps(&self, state: &u32, step: &u32, read: &u32) -> bool {
        self.0.helps(*state, *step, *read)
    }

    fn leads_to(&self, step: &u32, goal: &u32) -> bool {
        self.0.leads_to(*step, *goal)
    }

    fn touches(&self, one: &u32, other: &u32) -> bool {
        self.0.touches(*one, *other)
    }
}

/// A [`Model`] whose states and steps are numbers.
trait Numbered {
    fn initial(&self) -> u32;
    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError>;
    fn compile(&mut self, operation: &Operation) -> Result<u32, ModelError>;
    fn step(&self, state: u32, step: u32) -> Option<u32>;
    fn show(&self, state: u32) -> String;
    fn effect(&self, step: u32) -> Effect;
    fn out_of_reach(&self, state: u32, goal: u32) -> bool;
    fn helps(&self, state: u32, step: u32, read: u32) -> bool;
    fn leads_to(&self, step: u32, goal: u32) -> bool;
    fn touches(&self, one: u32, other: u32) -> bool;
}

/// A model, and the numbers of its states and steps.
struct Numbers<M: Model> {
    model: M,
    states: RefCell<Table<M::State>>,
    steps: Table<M::Step>,
    /// Where each step led from each state.
    led: RefCell<FxHashMap<(u32, u32), Option<u32>>>,
}

impl<M: Model + Default> Default for Numbers<M> {
    fn default() -> Self {
        Self {
            model: M::default(),
            states: RefCell::default(),
            steps: Table::default(),
            led: RefCell::default(),
        }
    }
}

impl<M: Model> Numbers<M> {
    fn with<R>(&self, state: u32, ask: impl FnOnce(&M, &M::State) -> R) -> R {
        ask(&self.model, &self.states.borrow().values[state as usize])
    }

    fn named(&self, step: u32) -> &M::Step {
        &self.steps.values[step as usize]
    }
}

impl<M: Model> Numbered for Numbers<M> {
    fn initial(&self) -> u32 {
        self.states.borrow_mut().number(self.model.initial())
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.model.start_at(initial)
    }

    fn compile(&mut self, operation: &Operation) -> Result<u32, ModelError> {
        let step = self.model.compile(operation)?;
        Ok(self.steps.number(step))
    }

    fn step(&self, state: u32, step: u32) -> Option<u32> {
        if let Some(led) = self.led.borrow().get(&(state, step)) {
            return *led;
        }
        let next = self.with(state, |model, state| model.step(state, self.named(step)));
        let next = next.map(|next| self.states.borrow_mut().number(next));
        self.led.borrow_mut().insert((state, step), next);
        next
    }

    fn show(&self, state: u32) -> String {
        self.with(state, M::show)
    }

    fn effect(&self, step: u32) -> Effect {
        self.model.effect(self.named(step))
    }

    fn out_of_reach(&self, state: u32, goal: u32) -> bool {
        self.with(state, |model, state| model.out_of_reach(state, self.named(goal)))
    }

    fn helps(&self, state: u32, step: u32, read: u32) -> bool {
        let (step, read) = (self.named(step), self.named(read));
        self.with(state, |model, state| model.helps(state, step, read))
    }

    fn leads_to(&self, step: u32, goal: u32) -> bool {
        self.model.leads_to(self.named(step), self.named(goal))
    }

    fn touches(&self, one: u32, other: u32) -> bool {
        self.model.touches(self.named(one), self.named(other))
    }
}

/// Values with a number each, in the order in which they came up.
struct Table<V> {
    values: Vec<V>,
    numbers: FxHashMap<V, u32>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: FxHashMap::default() }
    }
}

impl<V: Clone + Eq + Hash> Table<V> {
    fn number(&mut self, value: V) -> u32 {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).expect("a search is bounded far below this");
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wrack_history::Value;

    use super::OwnModel;
    use crate::cas_register::CasRegister;
    use crate::testing::ok;
    use crate::{Model, Specification, Visitor, replay};

    /// Whether operations are legal one after the other, and what each state on the way looks like.
    struct Walk<'a>(&'a [wrack_history::Operation]);

    impl Visitor for Walk<'_> {
        type Output = (bool, Vec<String>);

        fn visit<M: Model>(self, new: impl Fn() -> M) -> Self::Output {
            let legal = replay(new(), self.0).unwrap();
            let mut model = new();
            let mut states = vec![model.initial()];
            for operation in self.0 {
                let step = model.compile(operation).unwrap();
                states.extend(model.step(states.last().unwrap(), &step));
            }
            (legal, states.iter().map(|state| model.show(state)).collect())
        }
    }

    fn operation((function, a, b): (u8, i64, i64)) -> wrack_history::Operation {
        match function {
            0 => ok("read", Value::Nil, a),
            1 => ok("write", a, Value::Nil),
            _ => ok("cas", Value::pair(a.into(), b.into()), true),
        }
    }

    proptest! {
        #[test]
        fn a_model_of_ones_own_says_what_the_same_model_says_by_itself(
            drawn in prop::collection::vec((0u8..3, 0i64..3, 0i64..3), 0..12)
        ) {
            let operations: Vec<_> = drawn.into_iter().map(operation).collect();
            let own = [OwnModel::of::<CasRegister>()];
            let known = Specification::of("cas-register").visit(Walk(&operations)).unwrap();
            let specification = Specification { own: &own, ..Specification::of("cas-register") };
            prop_assert_eq!(specification.visit(Walk(&operations)).unwrap(), known);
        }
    }

    #[test]
    fn a_model_that_nobody_knows_is_an_error() {
        let error = Specification::of("abacus").visit(Walk(&[])).unwrap_err();
        assert!(error.to_string().contains("there is no model \"abacus\""));
    }
}
