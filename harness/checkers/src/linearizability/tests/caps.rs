//! A cap is honoured at once: whatever kind of walk it is, between two looks at its budget it asks the
//! model no more often than there are open calls, squared. 1,024 may be open at most, so with
//! a model that takes 50 ns a step that is less than 100 ms. No clock is asked.

use std::cell::Cell;

use wrack_history::{Operation, Value};
use wrack_sequential::{Effect, Model, ModelError, Visitor, with_model};
use wrack_workloads::generated::{Kind, Shape, generate};

use super::super::call::calls;
use super::super::search::{Hints, Stage, spent};
use super::super::walk::{End, NoGuide};

/// A model that counts what it is asked.
struct Counting<M> {
    model: M,
    steps: Cell<u64>,
}

impl<M: Model> Model for Counting<M> {
    type State = M::State;
    type Step = M::Step;
    const INFO: &'static wrack_history::catalogue::ModelInfo = M::INFO;

    fn initial(&self) -> M::State {
        self.model.initial()
    }

    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        self.model.start_at(initial)
    }

    fn compile(&mut self, operation: &Operation) -> Result<M::Step, ModelError> {
        self.model.compile(operation)
    }

    fn step(&self, state: &M::State, step: &M::Step) -> Option<M::State> {
        self.steps.set(self.steps.get() + 1);
        self.model.step(state, step)
    }

    fn effect(&self, step: &M::Step) -> Effect {
        self.model.effect(step)
    }

    fn out_of_reach(&self, state: &M::State, goal: &M::Step) -> bool {
        self.model.out_of_reach(state, goal)
    }

    fn helps(&self, state: &M::State, step: &M::Step, read: &M::Step) -> bool {
        self.model.helps(state, step, read)
    }

    fn leads_to(&self, step: &M::Step, goal: &M::Step) -> bool {
        self.model.leads_to(step, goal)
    }

    fn touches(&self, one: &M::Step, other: &M::Step) -> bool {
        self.model.touches(one, other)
    }
}

struct EveryWalkIsCapped<'a> {
    operations: &'a [&'a Operation],
    /// How many calls can be open at once, doubtful ones included.
    open_max: u64,
    states_max: u64,
}

impl Visitor for EveryWalkIsCapped<'_> {
    type Output = ();

    fn visit<M: Model>(self, new: impl Fn() -> M) {
        for stage in [Stage::Deep, Stage::Quick, Stage::Reusing, Stage::Wide] {
            let mut model = Counting { model: new(), steps: Cell::new(0) };
            let calls = calls(&mut model, self.operations).unwrap();
            let hints = Hints { guide: &NoGuide, few_states: true };
            let (end, states) = spent(&model, &calls, &hints, stage, self.states_max);
            let (steps, name) = (model.steps.get(), M::INFO.name);
            assert_eq!(end, End::Exhausted, "{name} {stage:?}");
            // The last extension may have as many successors as calls are open.
            let most = self.states_max + 1 + self.open_max;
            assert!(states <= most, "{name} {stage:?}: {states} states, not {most}");
            // Each state tries every open call and serves every open read; a few configurations are
            // taken along past each event without being counted.
            let most = states * 2 * (1 + self.open_max) + 8 * 2 * calls.len() as u64;
            assert!(steps <= most, "{name} {stage:?}: {steps} steps for {states} states");
        }
    }
}

#[test]
fn no_walk_does_much_once_its_cap_is_spent() {
    let kinds = [
        Kind::Register,
        Kind::CasRegister,
        Kind::List,
        Kind::Queue,
        Kind::Stack,
        Kind::Set,
        Kind::RwRegister,
    ];
    for kind in kinds {
        for states_max in [100, 3_000] {
            let (clients, doubtful) = (200, 40);
            let shape = Shape {
                kind,
                keys: 1,
                clients,
                operations: 8_000,
                values: 6,
                doubtful,
                mutated: false,
                seed: 5,
            };
            let history = generate(&shape).unwrap().history;
            let operations: Vec<&Operation> = history.operations.iter().collect();
            let open_max = u64::from(clients + doubtful);
            let walks = EveryWalkIsCapped { operations: &operations, open_max, states_max };
            with_model(kind.model(), walks).unwrap();
        }
    }
}
