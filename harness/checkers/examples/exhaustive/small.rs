//! Small histories of a register with cas, and the twin that takes the definition at its word.

use wrack_checkers::{Evidence, verdicts};
use wrack_history::{History, Moment, Operation, Outcome, Value, Verdict};

/// Values; 0 is the initial one.
pub const VALUES: u8 = 3;

/// What an operation does, and learned if it is ok.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    Read(u8),
    Write(u8),
    Cas(u8, u8),
    Refused(u8, u8),
}

impl Content {
    /// Everything that an ok operation may be; those that make sense in doubt come first.
    pub fn all() -> Vec<Self> {
        let pairs = || (0..VALUES).flat_map(|a| (0..VALUES).map(move |b| (a, b)));
        let mut all: Vec<Self> = (0..VALUES).map(Self::Write).collect();
        all.extend(pairs().map(|(a, b)| Self::Cas(a, b)));
        all.extend((0..VALUES).map(Self::Read));
        all.extend(pairs().map(|(a, b)| Self::Refused(a, b)));
        all
    }

    /// How many of these make sense in doubt.
    pub const IN_DOUBT: usize = (VALUES + VALUES * VALUES) as usize;

    /// The same with other names for the values.
    pub fn renamed(self, name: impl Fn(u8) -> u8) -> Self {
        match self {
            Self::Read(value) => Self::Read(name(value)),
            Self::Write(value) => Self::Write(name(value)),
            Self::Cas(expected, new) => Self::Cas(name(expected), name(new)),
            Self::Refused(expected, new) => Self::Refused(name(expected), name(new)),
        }
    }

    /// The value after it, if it is legal.
    fn step(self, value: u8) -> Option<u8> {
        match self {
            Self::Read(found) => (found == value).then_some(value),
            Self::Write(new) => Some(new),
            Self::Cas(expected, new) => (expected == value).then_some(new),
            Self::Refused(expected, _) => (expected != value).then_some(value),
        }
    }
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Small {
    pub content: Content,
    /// Index of its invocation.
    pub invoke: u64,
    /// Index of its completion; `None` in doubt.
    pub complete: Option<u64>,
}

impl Small {
    pub fn precedes(&self, other: &Self) -> bool {
        self.complete.is_some_and(|complete| complete < other.invoke)
    }
}

/// Whether some order of all ok operations and some of those in doubt is legal: for every set of
/// operations, the values that some order of them can leave.
pub fn twin(operations: &[Small]) -> bool {
    let count = operations.len();
    let before: Vec<usize> = operations
        .iter()
        .map(|one| {
            let precedes = |other: &usize| operations[*other].precedes(one);
            (0..count).filter(precedes).map(|other| 1 << other).sum()
        })
        .collect();
    let required: usize =
        (0..count).filter(|one| operations[*one].complete.is_some()).map(|one| 1 << one).sum();
    let mut left = vec![0u8; 1 << count];
    left[0] = 1;
    for taken in 0..1 << count {
        if left[taken] != 0 && taken & required == required {
            return true;
        }
        for one in (0..count).filter(|one| taken & (1 << one) == 0) {
            if before[one] & !taken != 0 {
                continue;
            }
            let values = (0..VALUES).filter(|value| left[taken] & (1 << value) != 0);
            let next: Vec<u8> =
                values.filter_map(|value| operations[one].content.step(value)).collect();
            for value in next {
                left[taken | (1 << one)] |= 1 << value;
            }
        }
    }
    false
}

/// What the checker says.
pub fn checker(operations: &[Small]) -> Verdict {
    let value = |value: u8| if value == 0 { Value::Nil } else { i64::from(value).into() };
    let pair = |expected: u8, new: u8| Value::pair(value(expected), value(new));
    let operation = |(id, one): (usize, &Small)| {
        let (function, argument, result) = match one.content {
            Content::Read(found) => ("read", Value::Nil, value(found)),
            Content::Write(new) => ("write", value(new), Value::Nil),
            Content::Cas(expected, new) => ("cas", pair(expected, new), true.into()),
            Content::Refused(expected, new) => ("cas", pair(expected, new), false.into()),
        };
        let at = |index: u64| Moment { index, ns: index };
        Operation {
            id: id as u64,
            process: id as u32,
            session: 0,
            key: "".into(),
            function: function.into(),
            argument,
            result: if one.complete.is_some() { result } else { Value::Nil },
            outcome: if one.complete.is_some() { Outcome::Ok } else { Outcome::Info },
            invoke: at(one.invoke),
            complete: one.complete.map_or(Moment::NEVER, at),
            details: None,
        }
    };
    let mut operations: Vec<Operation> = operations.iter().enumerate().map(operation).collect();
    operations.sort_by_key(|operation| operation.invoke.index);
    let history = History { operations, nemesis: Vec::new() };
    verdicts(&Evidence::of_history(&history, "cas-register"))[0].verdict
}

/// Compares both, and gives what they agree on.
///
/// # Panics
/// If they do not.
pub fn compare(operations: &[Small]) -> bool {
    let expected = twin(operations);
    let found = checker(operations);
    let agreed = if expected { Verdict::Valid } else { Verdict::Invalid };
    assert_eq!(found, agreed, "{operations:#?}");
    expected
}

/// What the intervals of some operations are to each other.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Intervals that are so.
    intervals: Vec<(u64, Option<u64>)>,
    /// The permutations of the operations that change nothing: they go first where the ones in this
    /// list stand.
    symmetries: Vec<Vec<usize>>,
}

/// Every shape of so many operations, once up to permutation.
pub fn shapes(count: usize) -> Vec<Shape> {
    let mut seen = std::collections::BTreeSet::new();
    let mut shapes = Vec::new();
    let orders = permutations(count);
    for doubtful in 0..1usize << count {
        let mut all = Vec::new();
        place(&mut vec![None; count], doubtful, 0, &mut Vec::new(), &mut all);
        for intervals in all {
            let small: Vec<Small> = intervals
                .iter()
                .map(|(invoke, complete)| Small {
                    content: Content::Read(0),
                    invoke: *invoke,
                    complete: *complete,
                })
                .collect();
            let relation = |order: &[usize]| -> Vec<bool> {
                let doubt = order.iter().map(|one| small[*one].complete.is_none());
                let pairs = order.iter().flat_map(|a| order.iter().map(move |b| (*a, *b)));
                doubt.chain(pairs.map(|(a, b)| small[a].precedes(&small[b]))).collect()
            };
            let own = relation(&orders[0]);
            let first =
                orders.iter().map(|order| relation(order)).min().expect("there is an order");
            if seen.insert(first) {
                let symmetric = |order: &&Vec<usize>| relation(order) == own;
                let symmetries = orders.iter().filter(symmetric).cloned().collect();
                shapes.push(Shape { intervals, symmetries });
            }
        }
    }
    shapes
}

/// All intervals with different ends: operations are invoked in their order.
fn place(
    open: &mut Vec<Option<u64>>,
    doubtful: usize,
    event: u64,
    done: &mut Vec<(usize, u64)>,
    all: &mut Vec<Vec<(u64, Option<u64>)>>,
) {
    let invoked = open.iter().take_while(|invoke| invoke.is_some()).count();
    let completes = |one: usize| doubtful & (1 << one) == 0;
    let waiting = |done: &[(usize, u64)], one: usize| {
        completes(one) && done.iter().all(|(other, _)| *other != one)
    };
    let left: Vec<usize> = (0..invoked).filter(|one| waiting(done, *one)).collect();
    if invoked == open.len() && left.is_empty() {
        let end = |one: usize| done.iter().find(|(other, _)| *other == one).map(|(_, at)| *at);
        let interval = |(one, invoke): (usize, &Option<u64>)| (invoke.unwrap_or(0), end(one));
        all.push(open.iter().enumerate().map(interval).collect());
        return;
    }
    if invoked < open.len() {
        open[invoked] = Some(event);
        place(open, doubtful, event + 1, done, all);
        open[invoked] = None;
    }
    for one in left {
        done.push((one, event));
        place(open, doubtful, event + 1, done, all);
        done.pop();
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..count {
        let longer = |order: Vec<usize>| {
            let rest = (0..count).filter({
                let order = order.clone();
                move |one| !order.contains(one)
            });
            rest.map(move |one| [order.clone(), vec![one]].concat()).collect::<Vec<_>>()
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

impl Shape {
    /// How many different contents its operations may have, before symmetries.
    pub fn contents(&self) -> u64 {
        self.intervals.iter().map(|(_, complete)| choices(*complete)).product()
    }

    /// The history of this number, unless it is another one with other names for values or in
    /// another order of equal operations.
    pub fn history(&self, mut number: u64) -> Option<Vec<Small>> {
        let all = Content::all();
        let mut contents = Vec::with_capacity(self.intervals.len());
        for (_, complete) in &self.intervals {
            contents.push(all[(number % choices(*complete)) as usize]);
            number /= choices(*complete);
        }
        let swap = |value: u8| if value == 0 { 0 } else { VALUES - value };
        let is_first = self.symmetries.iter().all(|order| {
            let moved = order.iter().map(|one| contents[*one]);
            let renamed = moved.clone().map(|content| content.renamed(swap));
            moved.ge(contents.iter().copied()) && renamed.ge(contents.iter().copied())
        });
        let small = |(content, (invoke, complete)): (Content, &(u64, Option<u64>))| Small {
            content,
            invoke: *invoke,
            complete: *complete,
        };
        is_first.then(|| contents.into_iter().zip(&self.intervals).map(small).collect())
    }
}

fn choices(complete: Option<u64>) -> u64 {
    let all = Content::all().len();
    (if complete.is_some() { all } else { Content::IN_DOUBT }) as u64
}
