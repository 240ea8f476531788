//! Sequential specifications: what one client at a time may see.
//!
//! One specification a file. It knows nothing of time, processes or faults: it says which
//! operations are legal one after the other on one object, and a checker says whether what clients
//! saw concurrently can be explained that way.
//!
//! # Writing a model
//! Implement [`Model`] in a file of its own, and add its line to `models!` below. Two questions are
//! enough: what an operation is in compact form ([`Model::compile`], asked once an operation), and
//! what it does to a state ([`Model::step`], asked millions of times). The others are hints; a model
//! that leaves them out is judged rightly, only slower. A model outside of this crate is an [`OwnModel`].

pub mod bank;
pub mod cart;
pub mod cas_register;
pub mod contents;
pub mod counter;
pub mod etcd;
pub mod g_set;
pub mod kv;
pub mod list;
pub mod list_append;
pub mod log;
pub mod multi_register;
pub mod mutex;
pub mod own;
pub mod priority_queue;
pub mod queue;
pub mod register;
pub mod rw_register;
pub mod set;
pub mod stack;
pub mod unique_ids;
mod values;

use std::fmt::Debug;
use std::hash::Hash;

use wrack_history::catalogue::ModelInfo;
use wrack_history::{Operation, Outcome, Value};

pub use own::OwnModel;
pub use values::{INITIAL, Values};

/// A sequential specification of one object.
///
/// Shape: a model value belongs to one key of one history and may remember, while it compiles, what
/// it needs for the hints. Steps and states are plain data.
///
/// ```
/// use wrack_history::{Operation, Value};
/// use wrack_history::catalogue::ModelInfo;
/// use wrack_sequential::{Model, ModelError};
///
/// /// Tickets: each `take` answers a number that is one higher than the last.
/// #[derive(Default)]
/// struct Tickets;
///
/// impl Model for Tickets {
///     type State = i64;
///     /// The number that was learned; `None` if the client never learned it.
///     type Step = Option<i64>;
///     const INFO: &'static ModelInfo = &ModelInfo { name: "tickets", doc: "Numbers in order." };
///
///     fn initial(&self) -> i64 {
///         0
///     }
///
///     fn compile(&mut self, operation: &Operation) -> Result<Option<i64>, ModelError> {
///         match operation.function.as_str() {
///             "take" => Ok(operation.is_ok().then(|| operation.result.as_integer()).flatten()),
///             _ => Err(ModelError::unknown_function::<Self>(operation)),
///         }
///     }
///
///     fn step(&self, last: &i64, learned: &Option<i64>) -> Option<i64> {
///         learned.is_none_or(|number| number == last + 1).then_some(last + 1)
///     }
/// }
/// ```
pub trait Model {
    /// What the object is worth at one moment. Small: it is cloned, compared and hashed in the inner
    /// loop of a search.
    type State: Clone + Eq + Hash + Debug;
    /// One operation in compact form. Equal steps are interchangeable: they are legal in the same
    /// states and do the same.
    type Step: Clone + Eq + Hash + Debug;
    /// Its name and what it means.
    const INFO: &'static ModelInfo;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// Makes the object start at this value, before anything is compiled.
    ///
    /// Errors: a model that always starts the same, or a value that its object cannot have.
    fn start_at(&mut self, initial: &Value) -> Result<(), ModelError> {
        Err(ModelError::WrongInitial { model: Self::INFO.name, initial: initial.clone() })
    }

    /// The compact form of an operation that may have taken effect.
    ///
    /// Shape: the result counts only if the outcome is `Ok` (see [`learned`]); of any other
    /// operation the result is unknown, and the step must allow every one. Never asked about `Fail`.
    /// Errors: a function that the model does not have, or an argument it cannot read.
    fn compile(&mut self, operation: &Operation) -> Result<Self::Step, ModelError>;

    /// The state after the step, or `None` if the step is illegal in this state.
    fn step(&self, state: &Self::State, step: &Self::Step) -> Option<Self::State>;

    /// The state in words that a client would use.
    fn show(&self, state: &Self::State) -> String {
        format!("{state:?}")
    }

    /// Hint: how the step treats the state.
    fn effect(&self, _step: &Self::Step) -> Effect {
        Effect::Any
    }

    /// Hint: `true` only if `goal` is illegal in `state` and stays so, whichever of the compiled
    /// steps follow.
    fn out_of_reach(&self, _state: &Self::State, _goal: &Self::Step) -> bool {
        false
    }

    /// Hint: `false` only if `read`, a step that changes nothing, is illegal in the state that `step`
    /// leads to from `state`, and stays so until another step that [touches](Self::touches) it.
    fn helps(&self, _state: &Self::State, _step: &Self::Step, _read: &Self::Step) -> bool {
        true
    }

    /// Hint: `false` only if `goal`, illegal before `step`, is illegal immediately after it too.
    fn leads_to(&self, _step: &Self::Step, _goal: &Self::Step) -> bool {
        true
    }

    /// Hint: `false` only if the two steps, which change the state, are legal in the same states and
    /// lead to the same one whichever comes first.
    fn touches(&self, _one: &Self::Step, _other: &Self::Step) -> bool {
        true
    }
}

/// How a step treats the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It never changes the state: a read.
    None,
    /// It is legal in every state and always leaves the same one: a plain write.
    Overwrite,
    /// Anything else.
    Any,
}

/// Why a history cannot be judged by a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// There is no model of this name.
    #[error("there is no model \"{0}\": see `wrack list models`")]
    NoModel(String),
    /// The object of the model cannot start at this value.
    #[error("the object of the model {model} cannot start at {initial}")]
    WrongInitial {
        /// The model's name.
        model: &'static str,
        /// Where it was to start.
        initial: Value,
    },
    /// The model has no such function.
    #[error("operation {operation}: the model {model} has no function \"{function}\"")]
    UnknownFunction {
        /// The operation's id.
        operation: u64,
        /// The model's name.
        model: &'static str,
        /// What was asked.
        function: String,
    },
    /// An argument or result is of the wrong kind.
    #[error("operation {operation}: {function} needs {wanted}, not {found}")]
    WrongValue {
        /// The operation's id.
        operation: u64,
        /// What was asked.
        function: String,
        /// What the model can read.
        wanted: &'static str,
        /// What it found.
        found: Value,
    },
}

impl ModelError {
    /// The operation asks for a function that model `M` does not have.
    pub fn unknown_function<M: Model>(operation: &Operation) -> Self {
        Self::UnknownFunction {
            operation: operation.id,
            model: M::INFO.name,
            function: operation.function.to_string(),
        }
    }

    /// The object of model `M` cannot start at this value.
    pub fn wrong_initial<M: Model>(initial: &Value) -> Self {
        Self::WrongInitial { model: M::INFO.name, initial: initial.clone() }
    }

    /// The operation carries `found` where its function needs `wanted`.
    pub fn wrong_value(operation: &Operation, wanted: &'static str, found: &Value) -> Self {
        Self::WrongValue {
            operation: operation.id,
            function: operation.function.to_string(),
            wanted,
            found: found.clone(),
        }
    }
}

/// What an object is and where it starts.
#[derive(Clone, Copy, Debug)]
pub struct Specification<'a> {
    /// The name of the sequential model.
    pub model: &'a str,
    /// Where the object of each key starts; `Nil` where its model says.
    pub initial: &'a Value,
    /// Models beside those of [`ALL`].
    pub own: &'a [OwnModel],
}

impl<'a> Specification<'a> {
    /// The model of this name, started where it says.
    pub fn of(model: &'a str) -> Self {
        Self { model, initial: &Value::Nil, own: &[] }
    }

    /// A model that is started so.
    ///
    /// Errors: a value at which its object cannot start.
    pub fn start<M: Model + Default>(&self) -> Result<M, ModelError> {
        self.started(M::default())
    }

    /// The model, started so.
    ///
    /// Errors: a value at which its object cannot start.
    pub fn started<M: Model>(&self, mut model: M) -> Result<M, ModelError> {
        if !self.initial.is_nil() {
            model.start_at(self.initial)?;
        }
        Ok(model)
    }

    /// Does something with the model of this name, whether it is one of ours or somebody's own.
    ///
    /// Errors: there is no such model.
    pub fn visit<V: Visitor>(&self, visitor: V) -> Result<V::Output, ModelError> {
        let none = || ModelError::NoModel(self.model.into());
        match self.own.iter().find(|own| own.info.name == self.model) {
            Some(own) => Ok(visitor.visit(|| own.start())),
            None => with_model(self.model, visitor).ok_or_else(none),
        }
    }
}

/// The result, if the client learned one.
pub fn learned(operation: &Operation) -> Option<&Value> {
    (operation.outcome == Outcome::Ok).then_some(&operation.result)
}

/// Whether the operation is an ok one that certainly changed its object: neither a read nor a
/// refused cas.
pub fn is_acknowledged_change(operation: &Operation) -> bool {
    operation.is_ok() && may_change(operation)
}

/// Whether the operation, if it took effect, changed its object: neither a read nor a refused cas.
/// Of a cas in doubt the answer is yes.
pub fn may_change(operation: &Operation) -> bool {
    let refused = operation.function == "cas" && learned(operation) == Some(&Value::Bool(false));
    !only_observes(&operation.function) && !refused
}

/// Whether a function never changes its object.
pub fn only_observes(function: &str) -> bool {
    matches!(function, "read" | "contains" | "peek" | "poll")
}

/// Whether a client asks for this function to learn what is there: a read, or what takes something out
/// and so tells what it was. A cas learns something too, but is asked for its change.
pub fn observes(function: &str) -> bool {
    only_observes(function)
        || matches!(function, "dequeue" | "pop" | "delete-min" | "generate" | "txn")
}

/// Whether the operation ended ok and told its client what is there.
pub fn is_ok_observation(operation: &Operation) -> bool {
    let reads = |access: &Value| {
        let kind = access.as_list().and_then(|access| access.first());
        matches!(kind, Some(Value::Text(kind)) if kind == "read" || kind == "r")
    };
    operation.is_ok()
        && match operation.function.as_str() {
            // A transaction that only writes learns nothing.
            "txn" => operation.result.as_list().is_some_and(|all| all.iter().any(reads)),
            function => observes(function),
        }
}

/// Whether the operations, one after the other, are legal. Those that failed are skipped.
///
/// Errors: the first operation that the model cannot read.
pub fn replay<'a, M: Model>(
    mut model: M,
    operations: impl IntoIterator<Item = &'a Operation>,
) -> Result<bool, ModelError> {
    let mut state = model.initial();
    for operation in operations {
        if operation.outcome == Outcome::Fail {
            continue;
        }
        let step = model.compile(operation)?;
        match model.step(&state, &step) {
            Some(next) => state = next,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Something to do with a model whose name is known only at run time.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it with model `M`, of which `new` makes fresh values.
    fn visit<M: Model>(self, new: impl Fn() -> M) -> Self::Output;
}

macro_rules! models {
    ($($model:path,)*) => {
        /// Every model, sorted by name.
        pub const ALL: &[&ModelInfo] = &[$(<$model as Model>::INFO),*];

        /// Does something with the model of this name; `None` if there is none.
        pub fn with_model<V: Visitor>(name: &str, visitor: V) -> Option<V::Output> {
            $(if name == <$model as Model>::INFO.name {
                return Some(visitor.visit(<$model>::default));
            })*
            None
        }
    };
}

models! {
    bank::Bank,
    cart::Cart,
    cas_register::CasRegister,
    counter::Counter,
    etcd::Etcd,
    g_set::GrowingSet,
    kv::KeyValue,
    list::List,
    list_append::ListAppend,
    log::Log,
    multi_register::MultiRegister,
    mutex::Mutex,
    priority_queue::PriorityQueue,
    queue::Queue,
    register::Register,
    rw_register::RwRegister,
    set::Set,
    stack::Stack,
    unique_ids::UniqueIds,
}

/// The model of this name.
pub fn by_name(name: &str) -> Option<&'static ModelInfo> {
    ALL.iter().copied().find(|info| info.name == name)
}

#[cfg(test)]
mod testing {
    use wrack_history::{Moment, Operation, Outcome, Value};

    use crate::{Model, replay};

    /// An ok operation.
    pub fn ok(function: &str, argument: impl Into<Value>, result: impl Into<Value>) -> Operation {
        Operation {
            id: 0,
            process: 0,
            session: 0,
            key: "k".into(),
            function: function.into(),
            argument: argument.into(),
            result: result.into(),
            outcome: Outcome::Ok,
            invoke: Moment { index: 0, ns: 0 },
            complete: Moment { index: 1, ns: 1 },
            details: None,
        }
    }

    /// An operation that nobody knows the result of.
    pub fn info(function: &str, argument: impl Into<Value>) -> Operation {
        Operation {
            outcome: Outcome::Info,
            complete: Moment::NEVER,
            ..ok(function, argument, Value::Nil)
        }
    }

    pub fn check<M: Model + Default>(operations: &[Operation], legal: bool) {
        assert_eq!(replay(M::default(), operations), Ok(legal), "{operations:?}");
    }

    pub fn check_refused<M: Model + Default>(operation: Operation, message: &str) {
        let error = replay(M::default(), [&operation]).expect_err("it is refused");
        assert_eq!(error.to_string(), message);
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, by_name};

    #[test]
    fn models_are_sorted_by_name_and_found_by_it() {
        assert!(ALL.is_sorted_by_key(|info| info.name));
        assert!(ALL.iter().all(|info| by_name(info.name).is_some()));
        assert!(by_name("abacus").is_none());
    }
}
