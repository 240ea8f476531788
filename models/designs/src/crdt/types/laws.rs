//! The laws of every type, tested with random executions of three replicas.
//!
//! ```text
//! r1  u1 ─────┬── u3 ───────┬─▶ {u1 u2 u3}
//! r2     u2 ──┴──▶ {u1 u2}  │                    an execution: who changes what, who tells whom how much
//! r3  ──────────────────────┴─▶ {u1 u3}
//! ```
//! The twin of every state is the fold of its updates in the order in which they were made.

use std::collections::BTreeSet;

use proptest::prelude::*;
use wrack_history::Value;

use super::{
    Cart, Dot, GCounter, HybridClock, LwwMap, LwwRegister, MvRegister, OrSet, PnCounter,
    Replicated, Rga, Stamp, Timestamp, Words, cart, or_set, rga,
};

const REPLICAS: usize = 3;

/// The stamp of the update of this number, on a clock that counts updates.
pub fn stamp(replica: u16, sequence: u64) -> Stamp {
    let time = Timestamp { wall_ns: sequence, count: 0, replica };
    Stamp { dot: Dot { replica, sequence }, time }
}

/// One step of an execution.
#[derive(Clone, Debug)]
enum Step<C> {
    /// A replica takes a command; its wall clock says this.
    Update { at: usize, command: C, wall_ns: u64 },
    /// A replica tells another so many of the updates that it lacks.
    Tell { from: usize, to: usize, count: usize },
}

fn steps<C: Clone + std::fmt::Debug + 'static>(
    command: impl Strategy<Value = C> + 'static,
) -> impl Strategy<Value = Vec<Step<C>>> {
    let update = (0..REPLICAS, command, 0..10_u64)
        .prop_map(|(at, command, wall_ns)| Step::Update { at, command, wall_ns });
    let tell = (0..REPLICAS, 0..REPLICAS, 1..5_usize).prop_map(|(from, to, count)| Step::Tell {
        from,
        to,
        count,
    });
    prop::collection::vec(prop_oneof![update, tell], 1..25)
}

/// The commands, in the order in which they were given.
fn commands<C>(steps: &[Step<C>]) -> impl Iterator<Item = &C> {
    steps.iter().filter_map(|step| match step {
        Step::Update { command, .. } => Some(command),
        Step::Tell { .. } => None,
    })
}

struct Update<T: Replicated> {
    operation: T::Operation,
    delta: T,
    time: Timestamp,
    /// What its replica had been told.
    past: BTreeSet<usize>,
}

/// One replica: what it was told, in order, and what it made of that.
struct Replica<T> {
    known: Vec<usize>,
    state: T,
    clock: HybridClock,
}

struct Execution<T: Replicated> {
    updates: Vec<Update<T>>,
    replicas: Vec<Replica<T>>,
    /// Every state that there was, with the updates that it stands for.
    states: Vec<(BTreeSet<usize>, T)>,
}

impl<T: Replicated> Execution<T> {
    fn run(steps: &[Step<T::Command>]) -> Self {
        let replica =
            |_| Replica { known: Vec::new(), state: T::default(), clock: HybridClock::default() };
        let mut execution = Self {
            updates: Vec::new(),
            replicas: (0..REPLICAS).map(replica).collect(),
            states: vec![(BTreeSet::new(), T::default())],
        };
        for step in steps {
            match step {
                Step::Update { at, command, wall_ns } => execution.update(*at, command, *wall_ns),
                Step::Tell { from, to, count } => execution.tell(*from, *to, *count),
            }
        }
        execution
    }

    fn update(&mut self, at: usize, command: &T::Command, wall_ns: u64) {
        let replica = &mut self.replicas[at];
        let time = replica.clock.tick(wall_ns, at as u16);
        let sequence = self.updates.len() as u64 + 1;
        let stamp = Stamp { dot: Dot { replica: at as u16, sequence }, time };
        let operation = replica.state.prepare(command, &stamp);
        let delta = replica.state.delta(&operation);
        let past = replica.known.iter().copied().collect();
        self.updates.push(Update { operation, delta, time, past });
        self.deliver(at, self.updates.len() - 1);
    }

    fn tell(&mut self, from: usize, to: usize, count: usize) {
        let lacks = |update: &&usize| !self.replicas[to].known.contains(update);
        let told: Vec<usize> =
            self.replicas[from].known.iter().filter(lacks).take(count).copied().collect();
        for update in told {
            self.deliver(to, update);
        }
    }

    /// A replica is told of an update: to apply it is to merge its delta, once or twice.
    fn deliver(&mut self, at: usize, update: usize) {
        let (replica, told) = (&mut self.replicas[at], &self.updates[update]);
        let mut merged = replica.state.clone();
        merged.merge(&told.delta);
        merged.merge(&told.delta);
        replica.state.apply(&told.operation);
        assert_eq!(replica.state, merged, "an operation is its delta");
        replica.clock.hear(told.time);
        replica.known.push(update);
        self.states.push((replica.known.iter().copied().collect(), replica.state.clone()));
    }

    /// The state that these updates stand for, by folding them in the order in which they were made.
    fn fold(&self, updates: &BTreeSet<usize>) -> T {
        let mut state = T::default();
        updates.iter().for_each(|update| state.apply(&self.updates[*update].operation));
        state
    }

    fn check(&self) {
        for (updates, state) in &self.states {
            assert_eq!(*state, self.fold(updates), "equal delivered sets give equal states");
            assert_eq!(merge(state, state), *state, "merge is idempotent");
        }
        for (at, (mine, one)) in self.states.iter().enumerate() {
            for (theirs, other) in &self.states[..at] {
                let both = merge(one, other);
                assert_eq!(both, merge(other, one), "merge is commutative");
                assert_eq!(both, self.fold(&(mine | theirs)), "merge is the union of updates");
                let (_, third) = &self.states[at / 2];
                let right = merge(one, &merge(other, third));
                assert_eq!(merge(&both, third), right, "merge is associative");
            }
        }
        self.check_deltas();
    }

    /// All deltas, in the worst order and each twice.
    fn check_deltas(&self) {
        let mut state = T::default();
        for update in self.updates.iter().rev().chain(&self.updates) {
            state.merge(&update.delta);
        }
        let all = (0..self.updates.len()).collect();
        assert_eq!(state, self.fold(&all), "deltas may come in any order");
    }
}

fn merge<T: Replicated>(one: &T, other: &T) -> T {
    let mut both = one.clone();
    both.merge(other);
    both
}

fn element() -> impl Strategy<Value = Value> {
    (0..3_i64).prop_map(Value::Integer)
}

fn of_set() -> impl Strategy<Value = or_set::Command> {
    (element(), any::<bool>()).prop_map(|(element, add)| match add {
        true => or_set::Command::Add(element),
        false => or_set::Command::Remove(element),
    })
}

fn of_text() -> impl Strategy<Value = rga::Command> {
    (0..6_usize, element(), 0..3_u8).prop_map(|(at, letter, kind)| match kind {
        0 => rga::Command::Delete { at },
        _ => rga::Command::Insert { at, letter },
    })
}

fn of_cart() -> impl Strategy<Value = cart::Command> {
    prop_oneof![
        (-3..4_i64).prop_map(cart::Command::Sum),
        of_set().prop_map(cart::Command::Elements)
    ]
}

/// Two implementations of a type read the same after the same executions, whatever they are inside.
pub fn same_reads<One, Other>()
where
    One: Replicated<Command = cart::Command>,
    Other: Replicated<Command = cart::Command>,
{
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let run = runner.run(&steps(of_cart()), |steps| {
        let (one, other) = (Execution::<One>::run(&steps), Execution::<Other>::run(&steps));
        for (one, other) in one.states.iter().zip(&other.states) {
            prop_assert_eq!(one.1.read(), other.1.read());
        }
        for (mine, theirs) in one.states.iter().zip(one.states.iter().rev()) {
            let both = mine.0.union(&theirs.0).copied().collect();
            prop_assert_eq!(merge(&mine.1, &theirs.1).read(), one.fold(&both).read());
        }
        Ok(())
    });
    run.expect("both read the same");
}

/// A few words, written and taken out.
fn of_words() -> impl Strategy<Value = or_set::Command> {
    let word = (1..9_i64).prop_map(Value::from);
    (any::<bool>(), word).prop_map(|(add, word)| match add {
        true => or_set::Command::Add(word),
        false => or_set::Command::Remove(word),
    })
}

/// Whoever knows the same edits of a text reads the same words in the same order, whether they came as
/// edits or in states.
pub fn words_agree<T: Replicated<Command = or_set::Command>>() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let run = runner.run(&steps(of_words()), |steps| {
        let execution = Execution::<T>::run(&steps);
        for (mine, theirs) in execution.states.iter().zip(execution.states.iter().rev()) {
            let both = mine.0.union(&theirs.0).copied().collect();
            let merged = merge(&mine.1, &theirs.1).read();
            prop_assert_eq!(&merged, &merge(&theirs.1, &mine.1).read());
            prop_assert_eq!(&merged, &execution.fold(&both).read());
        }
        Ok(())
    });
    run.expect("all read the same");
}

macro_rules! laws {
    ($($name:ident: $type:ty, $command:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(128))]
            $(#[test]
            fn $name(steps in steps($command)) {
                Execution::<$type>::run(&steps).check();
            })*
        }
    };
}

laws! {
    the_laws_hold_of_carts: Cart, of_cart();
    the_laws_hold_of_growing_counters: GCounter, 0..4_u64;
    the_laws_hold_of_counters: PnCounter, -3..4_i64;
    the_laws_hold_of_last_writer_wins_maps: LwwMap, (element(), element());
    the_laws_hold_of_last_writer_wins_registers: LwwRegister, element();
    the_laws_hold_of_multi_value_registers: MvRegister, element();
    the_laws_hold_of_observed_remove_sets: OrSet, of_set();
    the_laws_hold_of_texts: Rga, of_text();
    the_laws_hold_of_texts_of_words: Words, of_words();
}

proptest! {
    /// The tree that [`Rga`] is, and the list that its authors wrote down.
    #[test]
    fn a_text_reads_as_the_list_of_its_authors(steps in steps(of_text())) {
        let execution = Execution::<Rga>::run(&steps);
        for replica in &execution.replicas {
            let mut list = rga::tests::List::default();
            for update in &replica.known {
                list.apply(&execution.updates[*update].operation);
            }
            prop_assert_eq!(replica.state.read(), list.read());
        }
    }

    /// An element is there iff some add of it is in the past of no later command on it.
    #[test]
    fn an_add_wins_against_a_remove_that_has_not_seen_it(steps in steps(of_set())) {
        let execution = Execution::<OrSet>::run(&steps);
        let commands: Vec<(&Value, bool)> = commands(&steps).map(|command| match command {
            or_set::Command::Add(element) => (element, true),
            or_set::Command::Remove(element) => (element, false),
        }).collect();
        for replica in &execution.replicas {
            let replaced = |add: usize| replica.known.iter().any(|later| {
                commands[*later].0 == commands[add].0
                    && execution.updates[*later].past.contains(&add)
            });
            let there = |update: &&usize| commands[**update].1 && !replaced(**update);
            let there = replica.known.iter().filter(there);
            let expected: BTreeSet<&Value> = there.map(|update| commands[*update].0).collect();
            prop_assert_eq!(replica.state.read(), Value::list(expected.into_iter().cloned()));
        }
    }

    /// A client of a counter sees the sum of all that its replica was told.
    #[test]
    fn a_counter_is_the_sum_of_what_was_added(steps in steps(-3..4_i64)) {
        let execution = Execution::<PnCounter>::run(&steps);
        let deltas: Vec<i64> = commands(&steps).copied().collect();
        for replica in &execution.replicas {
            let sum: i64 = replica.known.iter().map(|update| deltas[*update]).sum();
            prop_assert_eq!(replica.state.read(), Value::Integer(sum));
        }
    }
}
