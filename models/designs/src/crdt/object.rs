//! What stands under a key: an object of one of the replicated types.

use serde::{Deserialize, Serialize};
use wrack_history::{SmolStr, Value};

use super::libraries::crdts::CratesCart;
use super::libraries::yrs::YrsWords;
use super::placed_words::PlacedWords;
use super::scalar_register::ScalarRegister;
use super::types::{
    Cart, LwwRegister, MvRegister, OrSet, PnCounter, Replicated, Stamp, Words, cart, or_set,
};

macro_rules! objects {
    ($($(#[$doc:meta])* $kind:ident: $type:ty,)*) => {
        /// Which type the objects of a cluster are of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $kind),* }

        /// An object: all of a cluster are of one kind.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Object { $($(#[$doc])* $kind($type)),* }

        /// What a client asks of an object.
        pub enum Command { $($(#[$doc])* $kind(<$type as Replicated>::Command)),* }

        /// An operation on an object.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Operation { $($(#[$doc])* $kind(<$type as Replicated>::Operation)),* }

        impl Object {
            /// The object that nobody has changed yet.
            pub fn new(kind: Kind) -> Self {
                match kind { $(Kind::$kind => Self::$kind(Default::default())),* }
            }

            /// Prepares a command.
            pub fn prepare(&self, command: &Command, stamp: &Stamp) -> Operation {
                match (self, command) {
                    $((Self::$kind(object), Command::$kind(command)) => {
                        Operation::$kind(object.prepare(command, stamp))
                    })*
                    _ => unreachable!("a command is read for the kind of its object"),
                }
            }

            /// Applies an operation.
            pub fn apply(&mut self, operation: &Operation) {
                match (self, operation) {
                    $((Self::$kind(object), Operation::$kind(operation)) => object.apply(operation),)*
                    _ => unreachable!("all objects of a cluster are of one kind"),
                }
            }

            /// An operation as a small state.
            pub fn delta(&self, operation: &Operation) -> Self {
                match (self, operation) {
                    $((Self::$kind(object), Operation::$kind(operation)) => {
                        Self::$kind(object.delta(operation))
                    })*
                    _ => unreachable!("all objects of a cluster are of one kind"),
                }
            }

            /// Takes in another state.
            pub fn merge(&mut self, other: &Self) {
                match (self, other) {
                    $((Self::$kind(mine), Self::$kind(theirs)) => mine.merge(theirs),)*
                    _ => unreachable!("all objects of a cluster are of one kind"),
                }
            }

            /// What a client sees.
            pub fn read(&self) -> Value {
                match self { $(Self::$kind(object) => object.read()),* }
            }
        }
    };
}

objects! {
    /// A set and a counter.
    Cart: Cart,
    /// A set and a counter of the crate `crdts`.
    CratesCart: CratesCart,
    /// A counter.
    Counter: PnCounter,
    /// A register in which the last writer wins.
    LastWriter: LwwRegister,
    /// A text whose edits name places (variant `place_not_name`).
    Placed: PlacedWords,
    /// A register that trusts one number (variant `scalar_version`).
    Scalar: ScalarRegister,
    /// A set in which an add wins.
    Set: OrSet,
    /// A register that keeps siblings.
    Siblings: MvRegister,
    /// A text of words.
    Text: Words,
    /// A text of words of the crate `yrs`.
    YrsWords: YrsWords,
}

impl Command {
    /// Reads what a client asks of an object of this kind.
    ///
    /// Errors: why it does not fit, for the client.
    pub fn of(kind: Kind, function: &str, argument: &Value) -> Result<Self, SmolStr> {
        let delta = || argument.as_integer().ok_or("an increment needs a whole number");
        let command = match (kind, function) {
            (Kind::Cart, "increment") => Self::Cart(cart::Command::Sum(delta()?)),
            (Kind::CratesCart, "increment") => Self::CratesCart(cart::Command::Sum(delta()?)),
            (Kind::CratesCart, "add" | "remove") => {
                Self::CratesCart(cart::Command::Elements(of_elements(function, argument)))
            }
            (Kind::Counter, "increment") => Self::Counter(delta()?),
            (Kind::Cart, "add" | "remove") => {
                Self::Cart(cart::Command::Elements(of_elements(function, argument)))
            }
            (Kind::Set, "add" | "remove") => Self::Set(of_elements(function, argument)),
            (Kind::Placed, "add" | "remove") => Self::Placed(of_elements(function, argument)),
            (Kind::Text, "add" | "remove") => Self::Text(of_elements(function, argument)),
            (Kind::YrsWords, "add" | "remove") if argument.as_integer().is_none() => {
                return Err("its words are whole numbers".into());
            }
            (Kind::YrsWords, "add" | "remove") => Self::YrsWords(of_elements(function, argument)),
            (Kind::LastWriter, "write") => Self::LastWriter(argument.clone()),
            (Kind::Scalar, "write") => Self::Scalar(argument.clone()),
            (Kind::Siblings, "write") => Self::Siblings(argument.clone()),
            _ => return Err(format!("its objects know no {function}").into()),
        };
        Ok(command)
    }
}

fn of_elements(function: &str, element: &Value) -> or_set::Command {
    match function {
        "add" => or_set::Command::Add(element.clone()),
        _ => or_set::Command::Remove(element.clone()),
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Value;

    use super::{Command, Kind, Object};
    use crate::crdt::types::laws::stamp;

    fn check(kind: Kind, commands: &[(&str, i64)], expected: Value) {
        let mut object = Object::new(kind);
        for (sequence, (function, argument)) in (1..).zip(commands) {
            let command = Command::of(kind, function, &(*argument).into()).unwrap();
            let operation = object.prepare(&command, &stamp(1, sequence));
            object.apply(&operation);
        }
        assert_eq!(object.read(), expected);
    }

    #[test]
    fn every_kind_reads_as_its_type_does() {
        let list = |elements: &[i64]| Value::list(elements.iter().map(|one| (*one).into()));
        let changes = [("increment", 3), ("add", 2), ("add", 1), ("increment", -1), ("remove", 2)];
        check(Kind::Cart, &changes, Value::pair(2.into(), list(&[1])));
        check(Kind::Counter, &[("increment", 3), ("increment", -5)], (-2).into());
        check(Kind::Set, &[("add", 2), ("add", 1), ("remove", 2)], list(&[1]));
        for text in [Kind::Placed, Kind::Text, Kind::YrsWords] {
            check(text, &[("add", 2), ("add", 1), ("remove", 2), ("remove", 7)], list(&[1]));
        }
        check(Kind::LastWriter, &[("write", 1), ("write", 2)], 2.into());
        check(Kind::Siblings, &[("write", 1), ("write", 2)], list(&[2]));
        check(Kind::Scalar, &[("write", 1), ("write", 2)], list(&[2]));
    }

    #[test]
    fn what_an_object_does_not_know_is_refused() {
        let refused = |kind, function, argument| Command::of(kind, function, &argument).err();
        let unknown = refused(Kind::Counter, "write", Value::from(1));
        assert_eq!(unknown.as_deref(), Some("its objects know no write"));
        let word = refused(Kind::YrsWords, "add", Value::from("a"));
        assert_eq!(word.as_deref(), Some("its words are whole numbers"));
        let wrong = refused(Kind::Cart, "increment", Value::from("a"));
        assert_eq!(wrong.as_deref(), Some("an increment needs a whole number"));
    }
}
