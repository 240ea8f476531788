//! Clients in a closed loop: when operations are invoked, take effect and complete.
//!
//! Each client invokes an operation, which takes effect after a while and completes after another,
//! thinks, and goes on. Every draw comes from the operation's own stream.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use wrack_history::setting::Delay;
use wrack_history::{Moment, Operation, Outcome, SmolStr, Value};
use wrack_sim::Stream;
use wrack_sim::chance::Purpose;

use super::object::Object;
use super::transactions::Store;
use super::{Kind, Shape};

/// From an invocation to the effect, and from there to the completion.
const SERVICE: Delay = Delay::Exponential { min_ns: 1, mean_ns: 50_000 };
/// From a completion to the next invocation.
const THINK: Delay = Delay::Exponential { min_ns: 1, mean_ns: 5_000 };
/// The name of the stream that says which operations never return.
const DOUBT: u64 = u64::MAX;

/// The operations of a history, in order of invocation.
pub(super) fn operations(shape: &Shape) -> Vec<Operation> {
    let mut loops = Loops::new(shape);
    while let Some(Reverse((ns, _, step))) = loops.due.pop() {
        match step {
            Step::Invoke(client) => loops.invoke(client, ns),
            Step::TakeEffect(operation) => loops.take_effect(operation),
            Step::Complete(operation) => loops.complete(operation, ns),
        }
    }
    for doubtful in loops.operations.iter_mut().filter(|operation| operation.is_info()) {
        doubtful.result = Value::Nil;
    }
    loops.operations
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A client invokes its next operation.
    Invoke(u32),
    /// An operation takes effect.
    TakeEffect(u32),
    /// An operation completes.
    Complete(u32),
}

struct Client {
    process: u32,
    /// How many operations it has invoked.
    invoked: u64,
}

struct Loops<'a> {
    shape: &'a Shape,
    objects: Vec<Object>,
    store: Store,
    clients: Vec<Client>,
    operations: Vec<Operation>,
    /// The object of each operation.
    keys: Vec<u32>,
    /// Which of the next operations never returns, by number, the last first.
    doubtful: Vec<u32>,
    /// By time, then by the order in which they were planned.
    due: BinaryHeap<Reverse<(u64, u64, Step)>>,
    planned: u64,
    /// Events of the history so far.
    events: u64,
}

impl<'a> Loops<'a> {
    fn new(shape: &'a Shape) -> Self {
        let mut loops = Self {
            shape,
            objects: vec![Object::new(shape.kind); shape.keys as usize],
            store: Store::new(shape.kind, shape.keys),
            clients: (0..shape.clients).map(|process| Client { process, invoked: 0 }).collect(),
            operations: Vec::with_capacity(shape.operations as usize),
            keys: Vec::with_capacity(shape.operations as usize),
            doubtful: doubtful(shape),
            due: BinaryHeap::new(),
            planned: 0,
            events: 0,
        };
        for client in 0..shape.clients {
            let think = loops.stream(client).delay(&THINK);
            loops.plan(think, Step::Invoke(client));
        }
        loops
    }

    /// The stream of a client's next operation.
    fn stream(&self, client: u32) -> Stream {
        let number = self.clients[client as usize].invoked;
        Stream::new(self.shape.seed, Purpose::History, u64::from(client), number)
    }

    fn plan(&mut self, ns: u64, step: Step) {
        self.due.push(Reverse((ns, self.planned, step)));
        self.planned += 1;
    }

    fn moment(&mut self, ns: u64) -> Moment {
        self.events += 1;
        Moment { index: self.events - 1, ns }
    }

    fn invoke(&mut self, client: u32, ns: u64) {
        let id = self.operations.len() as u32;
        if id == self.shape.operations {
            return;
        }
        let doubtful = self.doubtful.pop_if(|next| *next == id).is_some();
        let stream = &mut self.stream(client);
        let (before, after, think) =
            (stream.delay(&SERVICE), stream.delay(&SERVICE), stream.delay(&THINK));
        let key = stream.below(self.shape.keys.into()) as u32;
        let function = function(self.shape.kind, stream, doubtful);
        let transactional = self.shape.kind.is_transactional();
        let argument = match transactional {
            true => self.store.ask(stream, doubtful),
            false => self.argument(function, key, stream),
        };
        let invoke = self.moment(ns);
        self.operations.push(Operation {
            id: id.into(),
            process: self.clients[client as usize].process,
            session: client,
            key: match self.shape.keys {
                1 => SmolStr::default(),
                _ if transactional => SmolStr::default(),
                _ => format!("k{key}").into(),
            },
            function: SmolStr::new_static(function),
            argument,
            result: Value::Nil,
            outcome: Outcome::Info,
            invoke,
            complete: Moment::NEVER,
            details: None,
        });
        self.keys.push(key);
        let returns = ns + before + after;
        if doubtful {
            self.leave_in_doubt(id, ns + before, stream);
            self.clients[client as usize].process += self.shape.clients;
        } else {
            self.plan(ns + before, Step::TakeEffect(id));
            self.plan(returns, Step::Complete(id));
        }
        self.clients[client as usize].invoked += 1;
        self.plan(returns + think, Step::Invoke(client));
    }

    /// It takes effect never, or at its time, or up to a hundred times later.
    fn leave_in_doubt(&mut self, operation: u32, ns: u64, stream: &mut Stream) {
        match stream.below(4) {
            0 | 1 => (),
            2 => self.plan(ns, Step::TakeEffect(operation)),
            _ => self.plan(ns + stream.below(5_000_000), Step::TakeEffect(operation)),
        }
    }

    fn take_effect(&mut self, operation: u32) {
        if self.shape.kind.is_transactional() {
            let operation = &mut self.operations[operation as usize];
            operation.result = self.store.apply(&operation.argument);
            return;
        }
        let object = &mut self.objects[self.keys[operation as usize] as usize];
        let operation = &mut self.operations[operation as usize];
        operation.result = object.apply(operation);
    }

    fn complete(&mut self, operation: u32, ns: u64) {
        let complete = self.moment(ns);
        let operation = &mut self.operations[operation as usize];
        operation.complete = complete;
        operation.outcome = Outcome::Ok;
    }

    /// What a function is asked with. A value is unique, or one of a few; a cas with unique values
    /// expects what the register holds when it is invoked.
    fn argument(&self, function: &str, key: u32, stream: &mut Stream) -> Value {
        let unique = self.operations.len() as i64 + 1;
        let one_of = u64::from(self.shape.values);
        let mut few = || stream.below(one_of) as i64 + 1;
        match function {
            "read" | "dequeue" | "pop" => Value::Nil,
            "add" | "remove" | "contains" => few().into(),
            "write" if one_of > 0 => few().into(),
            "cas" if one_of > 0 => Value::pair(few().into(), few().into()),
            "cas" => Value::pair(self.objects[key as usize].value(), unique.into()),
            _ => unique.into(),
        }
    }
}

/// The operations that never return, by number, the last first: one drawn from each of so many equal
/// parts of the history.
fn doubtful(shape: &Shape) -> Vec<u32> {
    let stream = &mut Stream::new(shape.seed, Purpose::History, DOUBT, 0);
    let (operations, parts) = (u64::from(shape.operations), u64::from(shape.doubtful));
    let start = |part: u64| operations * part / parts.max(1);
    let draw = |part| start(part) + stream.below(start(part + 1) - start(part));
    let mut drawn: Vec<u32> = (0..parts).map(draw).map(|number| number as u32).collect();
    drawn.reverse();
    drawn
}

/// One of the kind's functions; one that changes something, if that is wanted.
fn function(kind: Kind, stream: &mut Stream, changes: bool) -> &'static str {
    let share = stream.below(100);
    let is = |below: u64| share < below;
    match kind {
        Kind::Register if is(50) || changes => "write",
        Kind::CasRegister if is(33) => "cas",
        Kind::CasRegister if is(67) || changes => "write",
        Kind::List if is(50) || changes => "append",
        Kind::Register | Kind::CasRegister | Kind::List => "read",
        Kind::Queue if is(50) => "enqueue",
        Kind::Queue => "dequeue",
        Kind::Stack if is(50) => "push",
        Kind::Stack => "pop",
        Kind::Set if is(35) => "add",
        Kind::Set if is(70) || changes => "remove",
        Kind::Set => "contains",
        Kind::ListAppend | Kind::RwRegister => "txn",
    }
}
