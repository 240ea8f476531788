//! When each value can have been inside, and whether an empty removal can be explained.

use wrack_sequential::contents::{Contents, Step};

use super::super::call::{Call, Event, events};

/// No call.
pub(super) const NONE: u32 = u32::MAX;

/// When a value went in and came out. Times are the positions of events; gap `g` is between the
/// events `g` and `g + 1`.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Stay {
    /// Its number.
    pub value: u32,
    /// When it can have gone in at the earliest, and at the latest.
    pub insert: (u32, u32),
    /// When it can have come out at the earliest, and at the latest.
    pub remove: (u32, u32),
    /// Who put it in and took it out; no call if it was inside at first, or if that is not known.
    pub calls: (u32, u32),
}

impl Stay {
    /// The gaps at which it is certainly inside, the end excluded; may be empty.
    pub fn presence(&self) -> std::ops::Range<u32> {
        self.insert.1..self.remove.0
    }

    /// Cuts off the times at which it would come out before it goes in.
    fn cut(mut self) -> Self {
        self.insert.1 = self.insert.1.min(self.remove.1);
        self.remove.0 = self.remove.0.max(self.insert.0);
        self
    }
}

/// A removal that found nothing.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Empty {
    /// When it was invoked, and when it completed.
    pub open: (u32, u32),
    /// Its call.
    pub call: u32,
}

/// A removal of which nobody knows what it took.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Take {
    /// When it was invoked.
    pub from: u32,
    /// Its call.
    pub call: u32,
}

/// Where a call takes effect.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Place {
    /// Between which events.
    pub gap: u32,
    /// Its turn among those of the gap; of equal ones the first is the first.
    pub turn: (u32, u32),
    /// The call; [`NONE`] if it is only imagined.
    pub call: u32,
}

/// Within a gap of a stack or priority queue: first what only comes out.
pub(super) const REMOVALS: u32 = 0;
/// Then what begins and ends there: what goes in and comes out again, and what finds nothing.
pub(super) const AT_ONCE: u32 = 1;
/// Last what only goes in.
pub(super) const INSERTIONS: u32 = 2;

/// All stays of a container, and what else was seen.
#[derive(Clone, Debug)]
pub(in super::super) struct Stays {
    pub list: Vec<Stay>,
    pub empties: Vec<Empty>,
    /// Removals of which nobody knows what they took, in order of invocation.
    pub takes: Vec<Take>,
    /// How many events there are; what nobody takes out comes out then.
    pub end: u32,
}

/// Stays that have no legal order.
#[derive(Clone, Debug)]
pub(in super::super) struct Conflict {
    /// Which ones.
    pub among: Vec<u32>,
    /// The call of the empty removal that contradicts them, if it is one.
    pub empty: Option<u32>,
    /// What would have to be otherwise.
    pub remedy: Remedy,
}

/// What would make an end of a conflict, if it could be.
#[derive(Clone, Debug)]
pub(in super::super) enum Remedy {
    /// This stay ends before this time.
    Ends(u32, u32),
    /// None of these stays covers all gaps between two times.
    Uncovered(Vec<u32>, (u32, u32)),
}

impl Stays {
    /// The stays of calls whose values are unique, and whose removals have insertions.
    ///
    /// Bounds: 2^31 calls.
    pub fn new(contents: &Contents, calls: &[Call<Step>]) -> Self {
        let inside_at_first = contents.initial().len() as u32;
        let events = events(calls);
        let end = 2 * inside_at_first + events.len() as u32;
        let mut open = vec![(0, end + 1); calls.len()];
        for (time, event) in (2 * inside_at_first..).zip(&events) {
            match *event {
                Event::Invoke(call) => open[call as usize].0 = time,
                Event::Complete(call) => open[call as usize].1 = time,
                Event::Expire(_) => (),
            }
        }
        let mut stays = Self { list: Vec::new(), empties: Vec::new(), takes: Vec::new(), end };
        stays.fill(contents, calls, &open);
        stays
    }

    fn fill(&mut self, contents: &Contents, calls: &[Call<Step>], open: &[(u32, u32)]) {
        let mut removals = vec![NONE; contents.numbers_end() as usize];
        for (call, index) in calls.iter().zip(0..) {
            match call.step {
                Step::Remove(value) => removals[value as usize] = index,
                Step::Empty => {
                    self.empties.push(Empty { open: open[index as usize], call: index });
                }
                Step::Take => self.takes.push(Take { from: open[index as usize].0, call: index }),
                Step::Insert(_) => (),
            }
        }
        let at_first = contents.initial().iter().zip(0..);
        let at_first = at_first.map(|(value, place)| (*value, (2 * place, 2 * place + 1), NONE));
        let later = calls.iter().zip(0..).filter_map(|(call, index)| match call.step {
            Step::Insert(value) => Some((value, open[index as usize], index)),
            _ => None,
        });
        let never = (self.end, self.end + 1);
        self.list.extend(at_first.chain(later).map(|(value, insert, inserter)| {
            let remover = removals[value as usize];
            let remove = open.get(remover as usize).copied().unwrap_or(never);
            Stay { value, insert, remove, calls: (inserter, remover) }.cut()
        }));
    }

    /// All stays, by their places.
    pub fn all(&self) -> std::ops::Range<u32> {
        0..self.list.len() as u32
    }

    /// Whether a stay ends only because everything does.
    pub fn is_open(&self, stay: u32) -> bool {
        self.list[stay as usize].remove.0 == self.end
    }

    /// Lets a take end a stay.
    pub fn end_by(&mut self, stay: u32, take: Take) {
        let stay = &mut self.list[stay as usize];
        stay.remove = (take.from.max(stay.insert.0), self.end + 1);
        stay.calls.1 = take.call;
    }

    /// How many presences of these stays cover each gap.
    pub fn coverage(&self, stays: impl IntoIterator<Item = u32>) -> Vec<i32> {
        let mut coverage = vec![0; self.end as usize + 1];
        let presences = stays.into_iter().map(|stay| self.list[stay as usize].presence());
        for presence in presences.filter(|presence| !presence.is_empty()) {
            coverage[presence.start as usize] += 1;
            coverage[presence.end as usize] -= 1;
        }
        let mut sum = 0;
        for count in &mut coverage {
            sum += *count;
            *count = sum;
        }
        coverage
    }

    /// Whether each empty removal has an uncovered gap in its interval.
    pub fn check_empties(&self) -> Result<(), Conflict> {
        match self.uncovered().find(|(empty, gap)| *gap >= empty.open.1) {
            None => Ok(()),
            Some((empty, _)) => {
                let among = self.chain(self.all(), empty.open);
                let remedy = Remedy::Uncovered(self.all().collect(), empty.open);
                Err(Conflict { among, empty: Some(empty.call), remedy })
            }
        }
    }

    /// Each empty removal at an uncovered gap, between what comes out there and what goes in.
    pub fn empty_places(&self) -> impl Iterator<Item = Place> {
        self.uncovered().map(|(empty, gap)| Place { gap, turn: (AT_ONCE, 0), call: empty.call })
    }

    /// The empty removals, each with the first uncovered gap that is not before its invocation.
    pub fn uncovered(&self) -> impl Iterator<Item = (Empty, u32)> {
        let mut next_uncovered = match self.empties.is_empty() {
            true => Vec::new(),
            false => self.coverage(self.all()),
        };
        let mut next = self.end as i32;
        for (gap, covered) in next_uncovered.iter_mut().enumerate().rev() {
            if *covered == 0 {
                next = gap as i32;
            }
            *covered = next;
        }
        let empties = self.empties.iter();
        empties.map(move |empty| (*empty, next_uncovered[empty.open.0 as usize] as u32))
    }

    /// A shortest sequence of presences, of these stays, that covers all gaps between two times.
    ///
    /// # Panics
    /// If all of them together leave a gap uncovered.
    pub fn chain(&self, stays: impl IntoIterator<Item = u32>, (from, to): (u32, u32)) -> Vec<u32> {
        let presence = |stay: u32| self.list[stay as usize].presence();
        let mut stays: Vec<u32> =
            stays.into_iter().filter(|stay| !presence(*stay).is_empty()).collect();
        stays.sort_unstable_by_key(|stay| presence(*stay).start);
        let mut stays = stays.into_iter().peekable();
        let mut chain = Vec::new();
        let mut covered = from;
        while covered < to {
            let mut best = None;
            while let Some(stay) = stays.next_if(|stay| presence(*stay).start <= covered) {
                best = best.max(Some((presence(stay).end, stay)));
            }
            let (end, stay) = best.filter(|best| best.0 > covered).expect("no gap is uncovered");
            covered = end;
            chain.push(stay);
        }
        chain
    }

    /// The operations of a conflict, by their positions within the key.
    pub fn operations(&self, conflict: &Conflict, calls: &[Call<Step>]) -> Vec<u32> {
        let stays = conflict.among.iter().map(|stay| self.list[*stay as usize].calls);
        let both = stays.flat_map(|(insert, remove)| [insert, remove]).chain(conflict.empty);
        let mut operations: Vec<u32> =
            both.filter(|call| *call != NONE).map(|call| calls[call as usize].operation).collect();
        operations.sort_unstable();
        operations.dedup();
        operations
    }
}
