//! Random histories of 5 to 8 operations for every model, and the twin that takes the definition at its
//! word.
//!
//! Half of them are answered by an object that takes the operations in some order that respects time,
//! so they are known to be valid; in a quarter one answer is replaced by a guess, in a quarter all are.

use wrack_checkers::{Evidence, verdicts};
use wrack_history::{History, Moment, Operation, Outcome, Value, Verdict};
use wrack_sequential::{Model, Specification, Visitor};

use super::objects::{Draw, Object, Style};

/// Operations, at least and at most.
const OPERATIONS: (u64, u64) = (5, 8);

/// A plain generator of numbers for tests: xorshift64*, Vigna 2016.
pub struct Dice(u64);

impl Dice {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        // Seeds that are close give numbers that are not; 0 would give only 0.
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        (0..8).for_each(|_| _ = dice.below(2));
        dice
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % bound
    }
}

/// One random history of one object.
#[derive(Debug)]
pub struct Random {
    model: &'static str,
    /// What the object holds at first; nil where its model says.
    initial: Value,
    history: History,
    /// Whether its answers are those of an object.
    is_true: bool,
}

impl Random {
    /// Makes one.
    pub fn new(object: &Object, dice: &mut Dice) -> Self {
        let count = OPERATIONS.0 + dice.below(OPERATIONS.1 - OPERATIONS.0 + 1);
        let style = Style { unique: dice.below(2) == 0, plain: dice.below(2) == 0 };
        let reach = 1 + dice.below(12);
        let (initial, mut held) = object.start(&mut Draw { dice, style, number: 0 });
        let mut operations: Vec<Operation> = (0..count)
            .map(|number| {
                let (function, argument) = (object.ask)(&mut Draw { dice, style, number });
                operation(number, function, argument, reach, dice)
            })
            .collect();
        let (kind, wrong) = (dice.below(4), dice.below(count));
        for place in in_order_of_effect(&operations, dice) {
            let one = &mut operations[place];
            let number = one.id;
            let answer = (object.answer)(&mut held, one, &mut Draw { dice, style, number });
            if !one.is_ok() {
                continue;
            }
            if kind == 0 || kind == 1 && number == wrong {
                one.result = (object.guess)(one, &mut Draw { dice, style, number });
            } else if let Some(answer) = answer {
                one.result = answer;
            } else {
                one.outcome = Outcome::Fail;
            }
        }
        operations.sort_by_key(|operation| operation.invoke.index);
        let history = History { operations, nemesis: Vec::new() };
        Self { model: object.model, initial, history, is_true: kind > 1 }
    }

    /// Judges it in both ways, and gives what they agree on.
    ///
    /// # Panics
    /// If they do not, or contradict what is known.
    pub fn compare(&self) -> bool {
        let Self { model, initial, history, is_true } = self;
        let specification = Specification { initial, ..Specification::of(model) };
        let expected = specification.visit(EveryOrder(specification, &history.operations));
        let expected = expected.expect("the model is known");
        let evidence = Evidence { initial, ..Evidence::of_history(history, model) };
        let agreed = if expected { Verdict::Valid } else { Verdict::Invalid };
        for key in verdicts(&evidence) {
            assert_eq!(key.verdict, agreed, "by {}: {self:#?}", key.algorithm);
        }
        assert!(expected || !is_true, "an object has given these answers: {self:#?}");
        expected
    }
}

/// An operation that is not yet answered; its interval has a length up to `reach`.
fn operation(id: u64, function: &str, argument: Value, reach: u64, dice: &mut Dice) -> Operation {
    let outcome = match dice.below(16) {
        0..3 => Outcome::Info,
        3 => Outcome::Fail,
        _ => Outcome::Ok,
    };
    let at = |index: u64| Moment { index, ns: index };
    let invoke = dice.below(16) * 32 + id;
    let complete = invoke + 16 + dice.below(reach) * 32;
    Operation {
        id,
        process: id as u32,
        session: 0,
        key: "k".into(),
        function: function.into(),
        argument,
        result: Value::Nil,
        outcome,
        invoke: at(invoke),
        complete: if outcome == Outcome::Info { Moment::NEVER } else { at(complete) },
        details: None,
    }
}

/// Positions of the operations that take effect, each at some moment of its interval, in the order of
/// these moments.
fn in_order_of_effect(operations: &[Operation], dice: &mut Dice) -> Vec<usize> {
    let mut moments: Vec<(u64, usize)> = Vec::new();
    for (place, one) in operations.iter().enumerate() {
        let invoke = one.invoke.index;
        match one.outcome {
            Outcome::Ok => moments.push((invoke + dice.below(one.complete.index - invoke), place)),
            Outcome::Info if dice.below(2) == 0 => moments.push((invoke + dice.below(256), place)),
            Outcome::Info | Outcome::Fail => (),
        }
    }
    moments.sort_unstable();
    moments.into_iter().map(|(_, place)| place).collect()
}

/// Whether some order of all ok operations and some of those in doubt is legal: for every set of
/// operations, the states that some order of them can leave.
struct EveryOrder<'a>(Specification<'a>, &'a [Operation]);

impl Visitor for EveryOrder<'_> {
    type Output = bool;

    fn visit<M: Model>(self, new: impl Fn() -> M) -> bool {
        let mut model = self.0.started(new()).expect("the object can start there");
        let operations: Vec<&Operation> =
            self.1.iter().filter(|operation| operation.outcome != Outcome::Fail).collect();
        let steps: Vec<M::Step> = operations
            .iter()
            .map(|operation| model.compile(operation).expect("the model can read it"))
            .collect();
        let count = operations.len();
        let set = |of: &dyn Fn(&Operation) -> bool| -> usize {
            (0..count).filter(|one| of(operations[*one])).map(|one| 1 << one).sum()
        };
        let before: Vec<usize> =
            operations.iter().map(|one| set(&|other| other.precedes(one))).collect();
        let required = set(&Operation::is_ok);
        let mut left: Vec<Vec<M::State>> = vec![Vec::new(); 1 << count];
        left[0].push(model.initial());
        for taken in 0..1usize << count {
            let states = std::mem::take(&mut left[taken]);
            if !states.is_empty() && taken & required == required {
                return true;
            }
            for one in 0..count {
                if taken & 1 << one != 0 || before[one] & !taken != 0 {
                    continue;
                }
                for next in states.iter().filter_map(|state| model.step(state, &steps[one])) {
                    let known = &mut left[taken | 1 << one];
                    if !known.contains(&next) {
                        known.push(next);
                    }
                }
            }
        }
        false
    }
}
