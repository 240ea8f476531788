//! An object that is atomic: what an operation does to it, and what it answers.

use std::collections::{BTreeSet, VecDeque};

use wrack_history::{Operation, Value};

use super::Kind;

/// One object.
#[derive(Clone, Debug)]
pub(super) enum Object {
    Register(Value),
    List(Vec<Value>),
    /// A queue or a stack: the first is the oldest.
    Line(VecDeque<Value>),
    Set(BTreeSet<Value>),
}

impl Object {
    /// Before anything happened to it.
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Register | Kind::CasRegister => Self::Register(Value::Nil),
            Kind::List => Self::List(Vec::new()),
            Kind::Queue | Kind::Stack => Self::Line(VecDeque::new()),
            Kind::Set => Self::Set(BTreeSet::new()),
            // Transactions act on a store.
            Kind::ListAppend | Kind::RwRegister => Self::Register(Value::Nil),
        }
    }

    /// The value of a register, nil of any other object.
    pub fn value(&self) -> Value {
        match self {
            Self::Register(value) => value.clone(),
            _ => Value::Nil,
        }
    }

    /// Lets an operation take effect, and gives its answer.
    ///
    /// # Panics
    /// If the object does not have its function.
    pub fn apply(&mut self, operation: &Operation) -> Value {
        let argument = &operation.argument;
        match (self, operation.function.as_str()) {
            (Self::Register(value), "read") => value.clone(),
            (Self::Register(value), "write") => {
                value.clone_from(argument);
                Value::Nil
            }
            (Self::Register(value), "cas") => {
                let (expected, new) = argument.as_pair().expect("a cas takes a pair");
                let succeeds = value == expected;
                if succeeds {
                    value.clone_from(new);
                }
                succeeds.into()
            }
            (Self::List(list), "read") => Value::list(list.iter().cloned()),
            (Self::List(list), "append") => {
                list.push(argument.clone());
                Value::Nil
            }
            (Self::Line(line), "enqueue" | "push") => {
                line.push_back(argument.clone());
                Value::Nil
            }
            (Self::Line(line), "dequeue") => line.pop_front().unwrap_or_default(),
            (Self::Line(line), "pop") => line.pop_back().unwrap_or_default(),
            (Self::Set(set), "add") => set.insert(argument.clone()).into(),
            (Self::Set(set), "remove") => set.remove(argument).into(),
            (Self::Set(set), "contains") => set.contains(argument).into(),
            (object, function) => panic!("{object:?} has no function {function}"),
        }
    }
}
