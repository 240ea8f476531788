//! The timers of one node: deadlines on its monotonic clock.

use smallvec::SmallVec;

use crate::queue::Due;

/// A timer that is armed, or was.
#[derive(Clone, Debug)]
struct Slot<T> {
    timer: T,
    armed: bool,
    wanted: Wanted,
    /// The deadline that the entry of the queue has which stands for this slot, if there is one.
    queued_for: Option<u64>,
    ticket: u32,
}

/// When a timer is to fire; the true time, with its tie, is worked out when it is queued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// In nanoseconds on the node's monotonic clock.
    pub deadline_ns: u64,
    /// Sequence number of the arming.
    pub sequence: u32,
}

/// Identifies an entry of the timer queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerRef {
    pub slot: u16,
    pub ticket: u32,
}

/// What to do with an entry that came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Popped {
    /// It is due: fire it, or hold it back while its node is paused.
    Due,
    /// It was moved to later: queue it again.
    Again(Due),
    /// It was disarmed or replaced.
    Stale,
}

/// A node arms and moves timers far more often than they fire (an election timeout moves with each
/// heartbeat), so a timer that moves to later leaves its old entry in the queue, and is queued
/// again only when that comes up.
#[derive(Clone, Debug)]
pub(crate) struct Timers<T> {
    slots: SmallVec<[Slot<T>; 4]>,
    next_ticket: u32,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { slots: SmallVec::new(), next_ticket: 0 }
    }
}

impl<T: Clone + PartialEq> Timers<T> {
    /// Arms or moves a timer if an entry of the queue stands for it that comes up in time: says whether
    /// one does.
    #[inline(always)]
    pub fn postpone(&mut self, timer: &T, wanted: Wanted) -> bool {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.timer == *timer) else {
            return false;
        };
        let comes_up = slot.queued_for.is_some_and(|deadline_ns| deadline_ns <= wanted.deadline_ns);
        if comes_up {
            slot.armed = true;
            slot.wanted = wanted;
        }
        comes_up
    }

    /// Arms or moves a timer; gives the entry to queue for it.
    pub fn arm(&mut self, timer: T, wanted: Wanted) -> TimerRef {
        let index = self.slot_for(timer);
        let slot = &mut self.slots[index];
        slot.armed = true;
        slot.wanted = wanted;
        self.queue(index)
    }

    /// Disarms a timer.
    pub fn disarm(&mut self, timer: &T) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.timer == *timer) {
            slot.armed = false;
        }
    }

    /// An entry of the queue came up.
    #[inline]
    pub fn pop(&mut self, entry: TimerRef, at: Due, due_of: impl Fn(Wanted) -> Due) -> Popped {
        let Some(slot) = self.slots.get_mut(usize::from(entry.slot)) else {
            return Popped::Stale;
        };
        if slot.ticket != entry.ticket {
            return Popped::Stale;
        }
        slot.queued_for = None;
        if !slot.armed {
            return Popped::Stale;
        }
        let due = due_of(slot.wanted);
        if due > at {
            slot.queued_for = Some(slot.wanted.deadline_ns);
            return Popped::Again(due);
        }
        Popped::Due
    }

    /// Fires the timer of an entry that is due.
    pub fn fire(&mut self, entry: TimerRef) -> T {
        let slot = &mut self.slots[usize::from(entry.slot)];
        slot.armed = false;
        slot.timer.clone()
    }

    /// The clock changed its rate: no entry of the queue is right any more, and every armed timer gets a new
    /// one.
    pub fn remap(&mut self, mut due_of: impl FnMut(&mut Wanted) -> Due) -> Vec<(Due, TimerRef)> {
        let mut moved = Vec::new();
        for index in 0..self.slots.len() {
            let slot = &mut self.slots[index];
            slot.queued_for = None;
            if slot.armed {
                let due = due_of(&mut slot.wanted);
                moved.push((due, self.queue(index)));
            }
        }
        moved
    }

    /// Forgets all timers, as a crash does; entries that are still queued are stale.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    fn queue(&mut self, index: usize) -> TimerRef {
        self.next_ticket += 1;
        let slot = &mut self.slots[index];
        slot.ticket = self.next_ticket;
        slot.queued_for = Some(slot.wanted.deadline_ns);
        TimerRef { slot: index as u16, ticket: slot.ticket }
    }

    fn slot_for(&mut self, timer: T) -> usize {
        if let Some(index) = self.slots.iter().position(|slot| slot.timer == timer) {
            return index;
        }
        let free = |slot: &Slot<T>| !slot.armed && slot.queued_for.is_none();
        let wanted = Wanted::default();
        let slot = Slot { timer, armed: false, wanted, queued_for: None, ticket: 0 };
        if let Some(index) = self.slots.iter().position(free) {
            self.slots[index] = slot;
            return index;
        }
        assert!(self.slots.len() < usize::from(u16::MAX), "a node has at most 65,535 timers");
        self.slots.push(slot);
        self.slots.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::{Popped, TimerRef, Timers, Wanted};
    use crate::queue::Due;

    /// The local clock is right.
    fn due_of(wanted: Wanted) -> Due {
        Due::new(wanted.deadline_ns, 0, wanted.sequence)
    }

    /// As an engine does it: gives the entry to queue, if one is needed.
    fn arm(
        timers: &mut Timers<char>,
        wanted: Wanted,
        due_of: impl Fn(Wanted) -> Due,
    ) -> Option<(Due, TimerRef)> {
        (!timers.postpone(&'a', wanted)).then(|| (due_of(wanted), timers.arm('a', wanted)))
    }

    fn wanted(deadline_ns: u64, sequence: u32) -> Wanted {
        Wanted { deadline_ns, sequence }
    }

    #[test]
    fn a_timer_that_moves_to_later_is_queued_again_when_its_entry_comes_up() {
        let mut timers = Timers::default();
        let (due, entry) = arm(&mut timers, wanted(100, 1), due_of).unwrap();
        assert_eq!(arm(&mut timers, wanted(150, 2), due_of), None);
        let again = due_of(wanted(150, 2));
        assert_eq!(timers.pop(entry, due, due_of), Popped::Again(again));
        assert_eq!(timers.pop(entry, again, due_of), Popped::Due);
        assert_eq!(timers.fire(entry), 'a');
    }

    #[test]
    fn a_timer_that_moves_to_earlier_has_a_new_entry() {
        let mut timers = Timers::default();
        let (due, old) = arm(&mut timers, wanted(100, 1), due_of).unwrap();
        let (earlier, entry) = arm(&mut timers, wanted(50, 2), due_of).unwrap();
        assert_eq!(timers.pop(entry, earlier, due_of), Popped::Due);
        assert_eq!(timers.pop(old, due, due_of), Popped::Stale);
    }

    #[test]
    fn no_entry_from_before_a_change_of_the_clock_stands_for_a_timer() {
        let mut timers = Timers::default();
        let (due, old) = arm(&mut timers, wanted(100, 1), due_of).unwrap();
        timers.disarm(&'a');
        assert_eq!(timers.remap(|_| unreachable!("nothing is armed")), []);
        // From 50 on it runs ten times as fast.
        let fast =
            |wanted: Wanted| Due::new(50 + (wanted.deadline_ns - 50) / 10, 0, wanted.sequence);
        let (sooner, entry) = arm(&mut timers, wanted(120, 2), fast).unwrap();
        assert_eq!(sooner.ns, 57);
        assert_eq!(timers.pop(entry, sooner, fast), Popped::Due);
        assert_eq!(timers.pop(old, due, fast), Popped::Stale);
    }
}
