//! What Wrack's models call their functions, and what others call them.

use super::transactions::Objects;

/// The functions of one model.
#[derive(Debug)]
pub struct Vocabulary {
    pub model: &'static str,
    /// What `[key value]` in the place of a value can mean.
    pub keys: Keys,
    pub functions: &'static [Function],
}

/// What `[key value]` in the place of a value can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// That the history is of many independent objects.
    Independent,
    /// Nothing but a value.
    None,
}

/// One function.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    /// What others call it.
    pub foreign: &'static [&'static str],
    pub takes: Takes,
    pub gives: Gives,
}

/// What the value of an invocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Of no meaning.
    Nothing,
    /// The argument.
    Value,
    /// `[expected new]`.
    Cas,
    /// The map `{:from :to :amount}`, or the list of the three.
    Transfer,
    /// Micro-operations `[function key value]`.
    Micros,
    /// A map of keys and values, all of which this micro-operation is for.
    MicrosOf(&'static str),
    /// Micro-operations of a transaction on such objects.
    Transaction(Objects),
}

/// What the value of an `ok` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// The argument again, or nothing: of no meaning.
    Nothing,
    /// What the client learned; nil where there was nothing.
    Value,
    /// What the client learned of a register or key; nil where there was none, or nobody knows.
    Read,
    /// A truth value, or of no meaning: then it is true.
    Success,
    /// A truth value, or of no meaning: then nobody knows.
    Truth,
    /// A map of accounts and balances.
    Balances,
    /// The micro-operations again, reads filled in.
    Micros,
    /// The same of a transaction.
    Transaction,
}

impl Vocabulary {
    /// That of the model of this name, if it is one of Wrack's own.
    pub fn of(model: &str) -> Option<&'static Self> {
        ALL.iter().find(|vocabulary| vocabulary.model == model)
    }

    /// The function that somebody calls like this.
    pub fn function(&self, foreign: &str) -> Option<&'static Function> {
        self.functions
            .iter()
            .find(|function| function.foreign.contains(&foreign) || function.name == foreign)
    }

    /// The function of an operation that does not name one, if the model has only transactions.
    pub fn implied(&self) -> Option<&'static str> {
        match self.functions {
            [Function { name, takes: Takes::Transaction(_), .. }] => Some(name),
            _ => None,
        }
    }

    /// The models that have a function that somebody calls like this.
    pub fn models_with(foreign: &str) -> impl Iterator<Item = &'static str> {
        let knows = move |vocabulary: &&Self| vocabulary.function(foreign).is_some();
        ALL.iter().filter(knows).map(|vocabulary| vocabulary.model)
    }
}

const fn function(
    name: &'static str,
    foreign: &'static [&'static str],
    takes: Takes,
    gives: Gives,
) -> Function {
    Function { name, foreign, takes, gives }
}

const fn vocabulary(model: &'static str, keys: Keys, functions: &'static [Function]) -> Vocabulary {
    Vocabulary { model, keys, functions }
}

const READ: Function = function("read", &["r", "get"], Takes::Nothing, Gives::Read);
const READ_ALL: Function = function("read", &["r"], Takes::Nothing, Gives::Value);
const WRITE: Function = function("write", &["w", "put", "set"], Takes::Value, Gives::Nothing);
const APPEND: Function = function("append", &["app"], Takes::Value, Gives::Nothing);

const ALL: &[Vocabulary] = &[
    vocabulary(
        "bank",
        Keys::None,
        &[
            function("read", &["r"], Takes::Nothing, Gives::Balances),
            function("transfer", &[], Takes::Transfer, Gives::Nothing),
        ],
    ),
    vocabulary(
        "cas-register",
        Keys::Independent,
        &[READ, WRITE, function("cas", &["compare-and-set"], Takes::Cas, Gives::Success)],
    ),
    vocabulary(
        "counter",
        Keys::Independent,
        &[READ_ALL, function("add", &["increment", "inc"], Takes::Value, Gives::Nothing)],
    ),
    vocabulary(
        "etcd",
        Keys::None,
        &[
            function("range", &[], Takes::Value, Gives::Value),
            function("txn", &[], Takes::Value, Gives::Value),
        ],
    ),
    vocabulary(
        "g-set",
        Keys::Independent,
        &[READ_ALL, function("add", &["broadcast"], Takes::Value, Gives::Nothing)],
    ),
    vocabulary(
        "kv",
        Keys::Independent,
        &[
            READ,
            WRITE,
            APPEND,
            function("delete", &["del", "remove"], Takes::Nothing, Gives::Nothing),
        ],
    ),
    vocabulary("list", Keys::Independent, &[APPEND, READ_ALL]),
    vocabulary(
        "list-append",
        Keys::None,
        &[function("txn", &[], Takes::Transaction(Objects::Lists), Gives::Transaction)],
    ),
    vocabulary(
        "log",
        Keys::Independent,
        &[
            APPEND,
            // One that is told the offset.
            function("append", &["send"], Takes::Value, Gives::Value),
            READ_ALL,
            function("poll", &[], Takes::Nothing, Gives::Value),
            function("assign", &[], Takes::Value, Gives::Nothing),
            function("subscribe", &[], Takes::Value, Gives::Nothing),
            function("crash", &[], Takes::Nothing, Gives::Nothing),
        ],
    ),
    vocabulary(
        "multi-register",
        Keys::None,
        &[
            function("txn", &[], Takes::Micros, Gives::Micros),
            function("txn", &["read", "r"], Takes::MicrosOf("read"), Gives::Micros),
            function("txn", &["write", "w"], Takes::MicrosOf("write"), Gives::Micros),
        ],
    ),
    vocabulary(
        "mutex",
        Keys::Independent,
        &[
            function("acquire", &["lock"], Takes::Nothing, Gives::Nothing),
            function("release", &["unlock"], Takes::Nothing, Gives::Nothing),
        ],
    ),
    vocabulary(
        "priority-queue",
        Keys::Independent,
        &[
            function("insert", &["add", "push"], Takes::Value, Gives::Nothing),
            function("delete-min", &["extract-min", "pop"], Takes::Nothing, Gives::Value),
        ],
    ),
    vocabulary(
        "queue",
        Keys::Independent,
        &[
            function("enqueue", &["enq"], Takes::Value, Gives::Nothing),
            function("dequeue", &["deq"], Takes::Nothing, Gives::Value),
        ],
    ),
    vocabulary("register", Keys::Independent, &[READ, WRITE]),
    vocabulary(
        "rw-register",
        Keys::None,
        // The workload of long forks calls its transactions by what is in them.
        &[function(
            "txn",
            &["read", "r", "write", "w"],
            Takes::Transaction(Objects::Registers),
            Gives::Transaction,
        )],
    ),
    vocabulary(
        "set",
        Keys::Independent,
        &[
            READ_ALL,
            function("add", &[], Takes::Value, Gives::Truth),
            function("remove", &["rem"], Takes::Value, Gives::Truth),
            function("contains", &["has"], Takes::Value, Gives::Truth),
        ],
    ),
    vocabulary(
        "stack",
        Keys::Independent,
        &[
            function("push", &[], Takes::Value, Gives::Nothing),
            function("pop", &[], Takes::Nothing, Gives::Value),
        ],
    ),
    vocabulary(
        "unique-ids",
        Keys::None,
        &[function("generate", &["gen"], Takes::Nothing, Gives::Value)],
    ),
];

#[cfg(test)]
mod tests {
    use super::{ALL, Vocabulary};

    #[test]
    fn models_are_sorted_and_no_word_means_two_things() {
        assert!(ALL.is_sorted_by_key(|vocabulary| vocabulary.model));
        for vocabulary in ALL {
            let words = vocabulary.functions.iter().flat_map(|function| function.foreign);
            let mut words = words.collect::<Vec<_>>();
            words.sort();
            assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{}", vocabulary.model);
        }
    }

    #[test]
    fn a_function_is_found_by_what_others_call_it() {
        let name = |model, foreign| {
            Vocabulary::of(model).unwrap().function(foreign).map(|function| function.name)
        };
        assert_eq!(name("kv", "get"), Some("read"));
        assert_eq!(name("kv", "append"), Some("append"));
        assert_eq!(name("register", "cas"), None);
        assert_eq!(Vocabulary::models_with("deq").collect::<Vec<_>>(), ["queue"]);
    }
}
