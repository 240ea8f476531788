//! A clock that is near the wall clock and never contradicts causality.
//!
//! ```text
//! wall clock    10    10     9   (steps back)     12
//! timestamp   (10,0) (10,1) (10,2)              (12,0)
//! ```
//! A timestamp is a time and a counter. It is the wall clock's time while that runs ahead of every
//! timestamp that was ever seen; while it does not, the counter counts. What happens after something
//! that was heard of has a greater timestamp, whatever the clocks say.
//!
//! Source: Kulkarni, Demirbas, Madeppa, Avva and Leone: Logical Physical Clocks, 2014, figure 5.

use serde::{Deserialize, Serialize};

use super::causality::ReplicaId;

/// A time, a counter, and who counts: no two are equal.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Timestamp {
    /// Nanoseconds since 1970, as some wall clock had it.
    pub wall_ns: u64,
    /// Counts what happened at that time.
    pub count: u64,
    /// Whose timestamp it is: decides between two of the same time and count.
    pub replica: ReplicaId,
}

/// The clock of one replica.
#[derive(Clone, Copy, Debug, Default)]
pub struct HybridClock {
    last: Timestamp,
}

impl HybridClock {
    /// The timestamp of an event here and now: greater than all that were given or heard before.
    pub fn tick(&mut self, wall_ns: u64, replica: ReplicaId) -> Timestamp {
        self.last = if wall_ns > self.last.wall_ns {
            Timestamp { wall_ns, count: 0, replica }
        } else {
            Timestamp { count: self.last.count + 1, replica, ..self.last }
        };
        self.last
    }

    /// Hears of a timestamp.
    pub fn hear(&mut self, heard: Timestamp) {
        self.last = self.last.max(heard);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::HybridClock;

    #[test]
    fn a_clock_that_steps_back_goes_on_counting() {
        let mut clock = HybridClock::default();
        let stamps = [10, 10, 9, 12].map(|wall_ns| clock.tick(wall_ns, 1));
        let seen = stamps.map(|stamp| (stamp.wall_ns, stamp.count));
        assert_eq!(seen, [(10, 0), (10, 1), (10, 2), (12, 0)]);
    }

    proptest! {
        /// Three replicas whose wall clocks say anything at all tell each other of what happens.
        #[test]
        fn what_was_heard_of_is_before_what_happens_then(
            events in prop::collection::vec((0..3_usize, 0..3_usize, 0..20_u64), 1..60),
        ) {
            let mut clocks = [HybridClock::default(); 3];
            let mut given = Vec::new();
            for (from, to, wall_ns) in events {
                let before = clocks[from].last;
                let stamp = clocks[from].tick(wall_ns, from as u16);
                prop_assert!(stamp > before && stamp.wall_ns >= wall_ns);
                given.push(stamp);
                clocks[to].hear(stamp);
                let after = clocks[to].clone().tick(0, to as u16);
                prop_assert!(after > stamp);
            }
            given.sort_unstable();
            prop_assert!(given.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
