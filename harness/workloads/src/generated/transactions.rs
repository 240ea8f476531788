//! Transactions over many keys, each of which takes effect at one moment.
//!
//! So many keys are in use at a time; one that was written [`WRITES_MAX`] times is done with, and the
//! next one takes its place, so that lists stay short. Every value is unique.
//! Source: the shape of Elle's own generator.

use wrack_history::Value;
use wrack_sim::Stream;

use super::Kind;

/// Micro-operations of a transaction at most; it has at least one.
const MICROS_MAX: u64 = 8;
/// Writes of a key at most.
const WRITES_MAX: u32 = 32;

/// What all transactions act on.
#[derive(Clone, Debug)]
pub(super) struct Store {
    kind: Kind,
    /// The keys in use, and how often each was written.
    active: Vec<(usize, u32)>,
    /// By key: a list, or a register as a list of what it held.
    values: Vec<Vec<Value>>,
    written: i64,
}

impl Store {
    /// Nothing was written yet.
    pub fn new(kind: Kind, keys: u32) -> Self {
        let keys = keys as usize;
        Self {
            kind,
            active: (0..keys).map(|key| (key, 0)).collect(),
            values: vec![Vec::new(); keys],
            written: 0,
        }
    }

    /// What a transaction asks for; one that changes something, if that is wanted.
    pub fn ask(&mut self, stream: &mut Stream, changes: bool) -> Value {
        let count = 1 + stream.below(MICROS_MAX);
        let micro = |nth: u64| {
            let slot = stream.below(self.active.len() as u64) as usize;
            let writes = stream.below(2) == 0 || (changes && nth == 0);
            self.micro(slot, writes)
        };
        Value::list((0..count).map(micro).collect::<Vec<_>>())
    }

    fn micro(&mut self, slot: usize, writes: bool) -> Value {
        let (key, count) = &mut self.active[slot];
        let named = Value::from(*key as i64);
        if !writes {
            return Value::list(["r".into(), named, Value::Nil]);
        }
        *count += 1;
        if *count == WRITES_MAX {
            self.active[slot] = (self.values.len(), 0);
            self.values.push(Vec::new());
        }
        self.written += 1;
        let function = if self.kind == Kind::ListAppend { "append" } else { "w" };
        Value::list([function.into(), named, self.written.into()])
    }

    /// Lets a transaction take effect, and gives its answer.
    ///
    /// # Panics
    /// If it is not one that [`Store::ask`] gave.
    pub fn apply(&mut self, asked: &Value) -> Value {
        let micros = asked.as_list().expect("a transaction is a list");
        Value::list(micros.iter().map(|micro| self.answer(micro)).collect::<Vec<_>>())
    }

    fn answer(&mut self, micro: &Value) -> Value {
        let Some([function, key, value]) = micro.as_list() else {
            panic!("a micro-operation has three parts");
        };
        let values = &mut self.values[key.as_integer().expect("keys are numbers") as usize];
        if *value != Value::Nil {
            values.push(value.clone());
            return micro.clone();
        }
        let found = match self.kind {
            Kind::ListAppend => Value::list(values.iter().cloned()),
            _ => values.last().cloned().unwrap_or_default(),
        };
        Value::list([function.clone(), key.clone(), found])
    }
}
