//! The little state machine that designs replicate: registers, counters and sets under keys.
//!
//! Every design of a key-value kind serves the same functions, so that the same workloads and the
//! same sequential models fit them all:
//!
//! ```text
//! read  ()          → the register, the sum, or all elements in the order in which they came
//! write (value)     → nil                    register := value
//! cas   ([old, new])→ true, or false         register := new, if it is old
//! add   (element)   → nil                    set := set ++ [element]
//! increment (delta) → the new sum            counter := counter + delta
//! ```
//!
//! A key becomes a register, counter or set by the first command that changes it, and stays one. The
//! machine is deterministic and knows neither nodes nor retries: an element that is added twice
//! stands there twice, so that a design that lost track of its retries shows it to every reader.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize, Serializer};
use wrack_history::{SmolStr, Value};
use wrack_sim::Reply;

/// Every function that the machine knows, as a design's `INFO` lists them.
pub const FUNCTIONS: &[&str] = &["read", "write", "cas", "add", "increment"];

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The answer for the client.
    pub reply: Reply,
    /// What the fact `Effect` says: the value afterwards, or the element that was added. Absent if
    /// the command left everything as it was, as a read and a refused cas do.
    pub change: Option<Value>,
}

impl Applied {
    fn changed(result: Value, change: Value) -> Self {
        Self { reply: Reply::Ok(result), change: Some(change) }
    }

    fn unchanged(result: Value) -> Self {
        Self { reply: Reply::Ok(result), change: None }
    }

    fn refused(why: &'static str) -> Self {
        Self { reply: Reply::Fail(SmolStr::new_static(why)), change: None }
    }
}

/// Whether a function never changes anything. An unknown one does not either, but is no read.
pub fn is_read(function: &str) -> bool {
    function == "read"
}

/// What a key holds.
///
/// Shape: a set keeps its elements in the order in which they came; adding one costs no copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// Nothing yet: it reads as nil.
    #[default]
    Empty,
    /// One value.
    Register(Value),
    /// A sum.
    Counter(i64),
    /// Elements, in the order in which they were added.
    Set(Vec<Value>),
}

impl Cell {
    /// What a read returns. For a set this builds the list, in time linear in its elements.
    pub fn read(&self) -> Value {
        match self {
            Self::Empty => Value::Nil,
            Self::Register(value) => value.clone(),
            Self::Counter(sum) => Value::Integer(*sum),
            Self::Set(elements) => Value::list(elements.iter().cloned()),
        }
    }

    /// Carries out one command. A command that does not fit is refused, and changes nothing.
    pub fn apply(&mut self, function: &str, argument: &Value) -> Applied {
        match function {
            "read" => Applied::unchanged(self.read()),
            "write" => self.write(argument),
            "cas" => self.cas(argument),
            "add" => self.add(argument),
            "increment" => self.increment(argument),
            _ => Applied::refused("unknown function"),
        }
    }

    fn write(&mut self, value: &Value) -> Applied {
        let (Self::Empty | Self::Register(_)) = self else {
            return Applied::refused("only a register can be written");
        };
        *self = Self::Register(value.clone());
        Applied::changed(Value::Nil, value.clone())
    }

    fn cas(&mut self, argument: &Value) -> Applied {
        let (Self::Empty | Self::Register(_)) = self else {
            return Applied::refused("only a register takes a cas");
        };
        let Some((expected, new)) = argument.as_pair() else {
            return Applied::refused("a cas needs [expected, new]");
        };
        if self.read() != *expected {
            return Applied::unchanged(Value::Bool(false));
        }
        *self = Self::Register(new.clone());
        Applied::changed(Value::Bool(true), new.clone())
    }

    fn add(&mut self, element: &Value) -> Applied {
        if let Self::Empty = self {
            *self = Self::Set(Vec::new());
        }
        let Self::Set(elements) = self else {
            return Applied::refused("only a set takes an element");
        };
        elements.push(element.clone());
        Applied::changed(Value::Nil, element.clone())
    }

    fn increment(&mut self, delta: &Value) -> Applied {
        let sum = match self {
            Self::Empty => 0,
            Self::Counter(sum) => *sum,
            _ => return Applied::refused("only a counter can be incremented"),
        };
        let Some(delta) = delta.as_integer() else {
            return Applied::refused("an increment needs a whole number");
        };
        let Some(sum) = sum.checked_add(delta) else {
            return Applied::refused("the sum does not fit in 64 bits");
        };
        *self = Self::Counter(sum);
        Applied::changed(Value::Integer(sum), Value::Integer(sum))
    }
}

/// All keys: the whole state machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table(#[serde(serialize_with = "in_order")] FxHashMap<SmolStr, Cell>);

/// By the keys' names, so that equal tables have equal bytes.
fn in_order<S: Serializer>(
    cells: &FxHashMap<SmolStr, Cell>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    cells.iter().collect::<BTreeMap<_, _>>().serialize(serializer)
}

impl Table {
    /// Carries out one command on one key.
    pub fn apply(&mut self, function: &str, key: &SmolStr, argument: &Value) -> Applied {
        match self.0.get_mut(key) {
            Some(cell) => cell.apply(function, argument),
            None => self.apply_first(function, key, argument),
        }
    }

    /// The key is new: it is kept only if the command changed it.
    fn apply_first(&mut self, function: &str, key: &SmolStr, argument: &Value) -> Applied {
        let mut cell = Cell::Empty;
        let applied = cell.apply(function, argument);
        if applied.change.is_some() {
            self.0.insert(key.clone(), cell);
        }
        applied
    }

    /// What a read of the key returns; nil if nothing was ever written.
    pub fn read(&self, key: &str) -> Value {
        self.0.get(key).map_or(Value::Nil, Cell::read)
    }

    /// What the key holds, if anything was ever written.
    pub fn cell(&self, key: &str) -> Option<&Cell> {
        self.0.get(key)
    }

    /// Makes a key hold this, whatever it held.
    pub fn put(&mut self, key: &SmolStr, cell: Cell) {
        self.0.insert(key.clone(), cell);
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;
    use wrack_sim::Reply;

    use super::{Applied, Cell, FUNCTIONS, Table};

    /// Carries out a command on the key `k` and compares what it came to.
    fn check(
        table: &mut Table,
        command: (&str, impl Into<Value>),
        result: impl Into<Value>,
        change: Option<Value>,
    ) {
        let applied = table.apply(command.0, &"k".into(), &command.1.into());
        let reply = Reply::Ok(result.into());
        assert_eq!(applied, Applied { reply, change });
    }

    /// Carries out a command on the key `k` that must be refused and change nothing.
    fn check_refused(table: &mut Table, command: (&str, impl Into<Value>), why: &str) {
        let before = table.clone();
        let applied = table.apply(command.0, &"k".into(), &command.1.into());
        assert_eq!(applied.reply, Reply::Fail(why.into()));
        assert_eq!((applied.change, &*table), (None, &before));
    }

    fn pair(expected: impl Into<Value>, new: impl Into<Value>) -> Value {
        Value::pair(expected.into(), new.into())
    }

    #[test]
    fn a_register_holds_what_was_written_last() {
        let mut table = Table::default();
        check(&mut table, ("read", Value::Nil), Value::Nil, None);
        check(&mut table, ("write", 7), Value::Nil, Some(7.into()));
        check(&mut table, ("read", Value::Nil), 7, None);
    }

    #[test]
    fn a_cas_replaces_the_expected_value_alone() {
        let mut table = Table::default();
        check(&mut table, ("cas", pair(1, 2)), false, None);
        assert_eq!(table.cell("k"), None);
        let first = pair(Value::Nil, 1);
        check(&mut table, ("cas", first), true, Some(1.into()));
        check(&mut table, ("cas", pair(2, 3)), false, None);
        check(&mut table, ("read", Value::Nil), 1, None);
    }

    #[test]
    fn a_set_keeps_its_elements_in_the_order_in_which_they_came() {
        let mut table = Table::default();
        for element in [3, 1, 3] {
            check(&mut table, ("add", element), Value::Nil, Some(element.into()));
        }
        let all = Value::list([3.into(), 1.into(), 3.into()]);
        check(&mut table, ("read", Value::Nil), all.clone(), None);
        assert_eq!(table.read("k"), all);
    }

    #[test]
    fn a_counter_answers_its_new_sum() {
        let mut table = Table::default();
        check(&mut table, ("increment", 5), 5, Some(5.into()));
        check(&mut table, ("increment", -2), 3, Some(3.into()));
        check(&mut table, ("read", Value::Nil), 3, None);
    }

    #[test]
    fn a_command_that_does_not_fit_is_refused_and_changes_nothing() {
        let mut table = Table::default();
        check_refused(&mut table, ("pop", Value::Nil), "unknown function");
        check_refused(&mut table, ("increment", "a"), "an increment needs a whole number");
        check_refused(&mut table, ("cas", 1), "a cas needs [expected, new]");
        table.apply("increment", &"k".into(), &i64::MAX.into());
        check_refused(&mut table, ("write", 1), "only a register can be written");
        check_refused(&mut table, ("add", 1), "only a set takes an element");
        check_refused(&mut table, ("increment", 1), "the sum does not fit in 64 bits");
    }

    #[test]
    fn every_function_that_is_listed_is_known() {
        for function in FUNCTIONS {
            let applied = Table::default().apply(function, &"k".into(), &Value::Nil);
            assert_ne!(applied.reply, Reply::Fail("unknown function".into()));
        }
    }

    #[test]
    fn keys_do_not_see_each_other() {
        let mut table = Table::default();
        table.apply("write", &"b".into(), &1.into());
        table.apply("add", &"a".into(), &2.into());
        table.apply("read", &"c".into(), &Value::Nil);
        assert_eq!((table.read("a"), table.read("b")), (Value::list([2.into()]), 1.into()));
        assert_eq!(table.cell("c"), None);
    }

    #[test]
    fn equal_tables_have_equal_bytes_in_whatever_order_their_keys_came() {
        let bytes = |keys: &mut dyn Iterator<Item = u32>| {
            let mut table = Table::default();
            keys.for_each(|key| table.put(&format!("k{key}").into(), Cell::Counter(key.into())));
            let mut bytes = Vec::new();
            wrack_sim::disk::frame(&table, &mut bytes);
            assert_eq!(wrack_sim::disk::read::<Table>(&bytes).unwrap(), table);
            bytes
        };
        assert_eq!(bytes(&mut (0..100)), bytes(&mut (0..100).rev()));
    }
}
