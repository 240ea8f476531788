//! Histories whose truth is known, because they were made: to measure checkers and to test them.
//!
//! Clients in a closed loop act on objects that really are atomic, so what they see is
//! linearizable. On demand, exactly one result is then replaced so that provably no order explains
//! the history any more. A history is a pure function of its [`Shape`], on every platform.
//!
//! * `client` says when operations are invoked, take effect and complete;
//! * `object` is one atomic object of each kind;
//! * `mutation` makes a history wrong, one rule a kind.

mod client;
mod mutation;
mod object;
mod transactions;

use wrack_history::{History, SmolStr, Truth};

/// What the objects of a history are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `read` and `write`.
    Register,
    /// `read`, `write`, and `cas` with `[expected, new]`.
    CasRegister,
    /// `append`, and `read` of the whole list.
    List,
    /// `enqueue` and `dequeue`; an empty queue answers nil.
    Queue,
    /// `push` and `pop`; an empty stack answers nil.
    Stack,
    /// `add`, `remove` and `contains` of one element; the first two answer whether they changed
    /// anything.
    Set,
    /// `txn` of `append` and `r` on several lists.
    ListAppend,
    /// `txn` of `w` and `r` on several registers.
    RwRegister,
}

impl Kind {
    /// The sequential model of its objects, by name.
    pub fn model(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::CasRegister => "cas-register",
            Self::List => "list",
            Self::Queue => "queue",
            Self::Stack => "stack",
            Self::Set => "set",
            Self::ListAppend => "list-append",
            Self::RwRegister => "rw-register",
        }
    }

    /// Whether operations are transactions on several keys.
    pub fn is_transactional(self) -> bool {
        matches!(self, Self::ListAppend | Self::RwRegister)
    }
}

/// What a history is to be like.
///
/// Bounds: as many bytes as the operations need; the reads of a list make that quadratic in the
/// operations of a key.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What its objects are.
    pub kind: Kind,
    /// How many objects, at least 1; of transactions, how many keys are in use at a time.
    pub keys: u32,
    /// How many clients, at least 1. About so many operations are open at any time.
    pub clients: u32,
    /// How many operations, at least 1.
    pub operations: u32,
    /// How many different values registers are written, or elements sets have; 0 makes every value
    /// that a register is written unique. Lists, queues and stacks always take unique values.
    pub values: u32,
    /// How many of the operations that change something never return.
    pub doubtful: u32,
    /// Whether one result is made wrong.
    pub mutated: bool,
    /// What chance follows from.
    pub seed: u64,
}

/// A history, and what is known of it.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The history.
    pub history: History,
    /// Whether it is linearizable, and why not.
    pub truth: Truth,
}

/// Why a history cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// A number is too small.
    #[error("a history needs at least one {0}")]
    Nothing(&'static str),
    /// More operations than there are would not return.
    #[error("{doubtful} of {operations} operations cannot be in doubt")]
    TooDoubtful {
        /// How many should be in doubt.
        doubtful: u32,
        /// How many there are.
        operations: u32,
    },
    /// No operation shows anything that could be made wrong.
    #[error("no operation of this history learned anything: ask for more operations")]
    NothingToMutate,
}

/// Makes a history.
///
/// Errors: numbers that make no history.
pub fn generate(shape: &Shape) -> Result<Generated, GenerateError> {
    let &Shape { keys, clients, operations, doubtful, .. } = shape;
    for (number, what) in [(keys, "key"), (clients, "client"), (operations, "operation")] {
        if number == 0 {
            return Err(GenerateError::Nothing(what));
        }
    }
    if shape.kind == Kind::Set && shape.values == 0 {
        return Err(GenerateError::Nothing("element"));
    }
    if doubtful > operations {
        return Err(GenerateError::TooDoubtful { doubtful, operations });
    }
    let mut operations = client::operations(shape);
    let mutation = match shape.mutated {
        true => Some(mutation::mutate(shape.kind, &mut operations)?),
        false => None,
    };
    Ok(Generated {
        history: History { operations, nemesis: Vec::new() },
        truth: Truth {
            model: SmolStr::new_static(shape.kind.model()),
            linearizable: mutation.is_none(),
            mutation,
        },
    })
}

#[cfg(test)]
mod tests {
    use wrack_history::{Operation, Outcome};

    use super::{GenerateError, Kind, Shape, generate};

    const KINDS: [Kind; 6] =
        [Kind::Register, Kind::CasRegister, Kind::List, Kind::Queue, Kind::Stack, Kind::Set];

    fn shape(kind: Kind) -> Shape {
        Shape {
            kind,
            keys: 2,
            clients: 4,
            operations: 400,
            values: 5,
            doubtful: 9,
            mutated: false,
            seed: 7,
        }
    }

    fn learned(operations: &[Operation]) -> Vec<&Operation> {
        operations.iter().filter(|operation| operation.is_ok()).collect()
    }

    #[test]
    fn a_history_is_as_it_was_asked_for() {
        for kind in KINDS {
            let history = generate(&shape(kind)).unwrap().history;
            let operations = &history.operations;
            assert_eq!(operations.len(), 400);
            assert_eq!(history.counts().info, 9);
            assert_eq!(history.by_key().len(), 2);
            assert!(operations.is_sorted_by_key(|operation| operation.invoke.index));
            let doubtful = operations.iter().filter(|operation| operation.is_info());
            for one in doubtful {
                assert!(!matches!(one.function.as_str(), "read" | "contains"), "{one:?}");
                let later = operations.iter().filter(|other| other.invoke > one.invoke);
                assert!(later.clone().all(|other| other.process != one.process), "{one:?}");
            }
        }
    }

    #[test]
    fn a_process_has_one_open_operation_at_most() {
        let history = generate(&shape(Kind::CasRegister)).unwrap().history;
        for (index, one) in history.operations.iter().enumerate() {
            let mut later = history.operations[index + 1..].iter();
            let next = later.find(|other| other.process == one.process);
            assert!(next.is_none_or(|next| one.complete < next.invoke), "{one:?} {next:?}");
        }
    }

    #[test]
    fn the_same_shape_gives_the_same_history_and_another_seed_another_one() {
        let history = |seed| generate(&Shape { seed, ..shape(Kind::Queue) }).unwrap().history;
        assert_eq!(history(7), history(7));
        assert_ne!(history(7), history(8));
    }

    /// The streams, their scaling and the order of draws are a file format: this history must never
    /// change.
    #[test]
    fn a_history_never_changes() {
        let history = generate(&Shape { operations: 6, doubtful: 1, ..shape(Kind::CasRegister) });
        let lines: Vec<String> = history
            .unwrap()
            .history
            .operations
            .iter()
            .map(|one| {
                let (invoke, complete) = (one.invoke, one.complete.index.min(99));
                format!(
                    "p{} {} {} {} = {} {}..{complete} @{}",
                    one.process,
                    one.function,
                    one.key,
                    one.argument,
                    one.result,
                    invoke.index,
                    invoke.ns
                )
            })
            .collect();
        let expected = [
            "p0 cas k0 [4, 2] = false 0..9 @10",
            "p1 write k1 5 = nil 1..6 @417",
            "p3 write k1 2 = nil 2..99 @1178",
            "p2 cas k0 [2, 3] = false 3..4 @3000",
            "p2 cas k1 [5, 3] = true 5..7 @42595",
            "p7 write k1 5 = nil 8..10 @107169",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_mutation_touches_what_it_says_and_nothing_else() {
        for kind in KINDS {
            let right = generate(&shape(kind)).unwrap();
            let wrong = generate(&Shape { mutated: true, ..shape(kind) }).unwrap();
            let mutation = wrong.truth.mutation.unwrap();
            assert!(!wrong.truth.linearizable && right.truth.linearizable);
            let pairs = right.history.operations.iter().zip(&wrong.history.operations);
            let changed: Vec<u64> = pairs.filter(|(a, b)| a != b).map(|(a, _)| a.id).collect();
            let mut named = mutation.operations.clone();
            named.sort_unstable();
            assert_eq!(changed, named, "{kind:?}");
            let middle = learned(&wrong.history.operations)[195].id.abs_diff(changed[0]);
            assert!(middle < 150, "{kind:?} {}: {middle} from the middle", mutation.kind);
        }
    }

    #[test]
    fn the_expected_mutations_are_found() {
        let kind = |kind, values, clients| {
            let shape = Shape {
                values,
                clients,
                keys: 1,
                operations: 1_000,
                mutated: true,
                doubtful: 0,
                ..shape(kind)
            };
            generate(&shape).unwrap().truth.mutation.unwrap().kind
        };
        assert_eq!(kind(Kind::Register, 0, 64), "stale-read");
        assert_eq!(kind(Kind::Register, 5, 4), "stale-read");
        assert_eq!(kind(Kind::Register, 2, 64), "never-written");
        assert_eq!(kind(Kind::CasRegister, 5, 4), "stale-read");
        assert_eq!(kind(Kind::List, 0, 8), "truncated-read");
        assert_eq!(kind(Kind::Queue, 0, 8), "swapped-pair");
        assert_eq!(kind(Kind::Stack, 0, 8), "swapped-pair");
        assert_eq!(kind(Kind::Set, 20, 8), "removed-element");
    }

    #[test]
    fn a_refused_cas_is_an_answer() {
        let history = generate(&shape(Kind::CasRegister)).unwrap().history;
        let refused = |one: &&Operation| one.result == false.into();
        assert!(history.operations.iter().filter(refused).count() > 10);
        assert!(history.operations.iter().all(|one| one.outcome != Outcome::Fail));
    }

    #[test]
    fn numbers_that_make_no_history_are_refused() {
        let refused = |shape: Shape| generate(&shape).unwrap_err();
        let some = shape(Kind::Set);
        assert_eq!(refused(Shape { keys: 0, ..some }), GenerateError::Nothing("key"));
        assert_eq!(refused(Shape { values: 0, ..some }), GenerateError::Nothing("element"));
        assert_eq!(
            refused(Shape { doubtful: 401, ..some }).to_string(),
            "401 of 400 operations cannot be in doubt"
        );
        let nothing = Shape { operations: 1, doubtful: 1, mutated: true, ..some };
        assert_eq!(refused(nothing), GenerateError::NothingToMutate);
    }
}
