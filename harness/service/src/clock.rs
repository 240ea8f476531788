//! The wall clock of the host that runs now.
//!
//! Whatever takes the place of the system's clock asks [`wall_ns`]: from a signal-like place, so that
//! nothing here allocates, locks or borrows.

use std::cell::Cell;

use wrack_sim::clock::WALL_EPOCH_NS;

use crate::HOSTS_MAX;

/// No host runs.
const NOBODY: usize = usize::MAX;

thread_local! {
    static NOW_NS: Cell<u64> = const { Cell::new(0) };
    static CURRENT: Cell<usize> = const { Cell::new(NOBODY) };
    static OFFSETS: [Cell<i64>; HOSTS_MAX] = const { [const { Cell::new(0) }; HOSTS_MAX] };
    static READS: [Cell<u64>; HOSTS_MAX] = const { [const { Cell::new(0) }; HOSTS_MAX] };
}

/// Nanoseconds since 1970 on the wall clock of the simulated host that runs on this thread; `None` if
/// none does. It moves from tick to tick.
pub fn wall_ns() -> Option<u64> {
    let current = CURRENT.with(Cell::get);
    if current == NOBODY {
        return None;
    }
    READS.with(|reads| reads[current].set(reads[current].get() + 1));
    let offset = OFFSETS.with(|offsets| offsets[current].get());
    Some((WALL_EPOCH_NS + NOW_NS.with(Cell::get)).saturating_add_signed(offset))
}

/// All clocks are right again, and nobody has read one.
pub(crate) fn reset() {
    OFFSETS.with(|offsets| offsets.iter().for_each(|offset| offset.set(0)));
    READS.with(|reads| reads.iter().for_each(|read| read.set(0)));
    set_now(0);
}

/// Says who runs on this thread.
pub(crate) fn set_current(host: Option<usize>) {
    CURRENT.with(|current| current.set(host.unwrap_or(NOBODY)));
}

pub(crate) fn current() -> Option<usize> {
    Some(CURRENT.with(Cell::get)).filter(|current| *current != NOBODY)
}

pub(crate) fn set_now(ns: u64) {
    NOW_NS.with(|now| now.set(ns));
}

/// Moves the clock of a host.
pub(crate) fn step(host: usize, offset_ns: i64) {
    OFFSETS.with(|offsets| offsets[host].set(offsets[host].get() + offset_ns));
}

/// How often the clock of a host was read since this was asked.
pub(crate) fn take_reads(host: usize) -> u64 {
    READS.with(|reads| reads[host].take())
}

/// Whether somebody who asks the system on this thread is told the host's time.
#[expect(clippy::disallowed_methods, reason = "what the system answers is the question")]
pub(crate) fn is_asked() -> bool {
    use std::time::{SystemTime, UNIX_EPOCH};
    let before = current();
    set_current(Some(0));
    let told = SystemTime::now().duration_since(UNIX_EPOCH);
    let expected = wall_ns();
    take_reads(0);
    set_current(before);
    told.ok().map(|told| told.as_nanos() as u64) == expected
}
