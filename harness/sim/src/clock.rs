//! A node's clocks: a monotonic one that may drift, and a wall clock that may also jump.

/// Where the wall clocks of all nodes stand when a run begins: 2020-01-01, in nanoseconds since
/// 1970. A fixed date, so that no run depends on the day it is made on.
pub const WALL_EPOCH_NS: u64 = 1_577_836_800 * 1_000_000_000;

/// What both clocks of a node show at one instant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    now_ns: u64,
    /// Wall clock minus monotonic clock minus epoch.
    wall_offset: i64,
}

impl Reading {
    /// Units: `now_ns` on the monotonic clock, `wall_ns` since 1970.
    pub fn new(now_ns: u64, wall_ns: u64) -> Self {
        Self { now_ns, wall_offset: wall_ns.wrapping_sub(WALL_EPOCH_NS + now_ns).cast_signed() }
    }

    /// The monotonic clock, in nanoseconds.
    #[inline]
    pub fn now_ns(self) -> u64 {
        self.now_ns
    }

    /// The wall clock, in nanoseconds since 1970; one that was set to before stands there.
    pub fn wall_ns(self) -> u64 {
        (WALL_EPOCH_NS + self.now_ns).saturating_add_signed(self.wall_offset)
    }
}

/// Maps true (virtual) time to what a node's clocks show.
///
/// Drift accumulates piecewise: each change of rate starts a new piece where the last one ended, so
/// that the monotonic clock never jumps.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// True time at which this piece began.
    base_true: u64,
    /// What the monotonic clock showed then.
    base_local: u64,
    /// How much faster than true time it runs, in millionths.
    drift_ppm: i32,
    /// Since when it has stood still, in true time.
    stopped_at: Option<u64>,
    /// Wall clock minus monotonic clock minus epoch.
    wall_offset: i64,
}

impl Clock {
    /// What the monotonic clock shows at true time `now`.
    #[inline]
    pub fn monotonic(&self, now: u64) -> u64 {
        self.running(self.stopped_at.unwrap_or(now))
    }

    /// What it would show if it did not stand still.
    #[inline]
    fn running(&self, now: u64) -> u64 {
        let elapsed = now - self.base_true;
        if self.drift_ppm == 0 {
            return self.base_local + elapsed;
        }
        let drift = (i128::from(elapsed) * i128::from(self.drift_ppm)).div_euclid(1_000_000);
        (i128::from(self.base_local + elapsed) + drift) as u64
    }

    /// What the wall clock shows at true time `now`, in nanoseconds since 1970.
    pub fn wall(&self, now: u64) -> u64 {
        self.read(now).wall_ns()
    }

    /// What both clocks show at true time `now`.
    #[inline]
    pub fn read(&self, now: u64) -> Reading {
        Reading { now_ns: self.monotonic(now), wall_offset: self.wall_offset }
    }

    /// The first true time, not before `now`, at which the monotonic clock shows `local` or more,
    /// as long as the rate stays as it is. One that stands still is taken to go on at once: when it does,
    /// deadlines are mapped again.
    pub fn true_time(&self, local: u64, now: u64) -> u64 {
        let ahead = local.saturating_sub(self.base_local);
        if self.drift_ppm == 0 {
            return (self.base_true + ahead).max(now);
        }
        let rate = 1_000_000 + i128::from(self.drift_ppm);
        let elapsed = (i128::from(ahead) * 1_000_000).div_euclid(rate) as u64;
        // Both roundings together are off by less than two.
        let mut at = (self.base_true + elapsed.saturating_sub(2)).max(now);
        while self.running(at) < local {
            at += 1;
        }
        at
    }

    /// Changes the rate from `now` on. Bounds: between −99 % and ten times as fast.
    pub fn set_drift(&mut self, ppm: i32, now: u64) {
        self.rebase(now);
        self.drift_ppm = ppm.clamp(-990_000, 9_000_000);
    }

    /// Moves the wall clock.
    pub fn step(&mut self, offset_ns: i64) {
        self.wall_offset += offset_ns;
    }

    /// Stops both clocks, as a frozen virtual machine does.
    pub fn stop(&mut self, now: u64) {
        self.stopped_at.get_or_insert(now);
    }

    /// Lets them run again.
    pub fn go_on(&mut self, now: u64) {
        if self.stopped_at.is_some() {
            self.rebase(now);
            self.stopped_at = None;
        }
    }

    fn rebase(&mut self, now: u64) {
        self.base_local = self.monotonic(now);
        self.base_true = now;
        if self.stopped_at.is_some() {
            self.stopped_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, WALL_EPOCH_NS};

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn changing_the_drift_mid_run_never_makes_the_monotonic_clock_jump() {
        let mut clock = Clock::default();
        let mut last = 0;
        for step in 0..1_000u64 {
            let now = step * 10_000_019;
            let before = clock.monotonic(now);
            clock.set_drift((step as i32 * 7_919) % 400_000 - 200_000, now);
            assert_eq!(clock.monotonic(now), before);
            assert!(before >= last);
            last = before;
        }
    }

    #[test]
    fn healing_drift_keeps_the_offset() {
        let mut clock = Clock::default();
        clock.set_drift(100_000, 0);
        clock.set_drift(0, 10 * SECOND);
        assert_eq!(clock.monotonic(20 * SECOND), 21 * SECOND);
    }

    #[test]
    fn a_deadline_is_reached_at_the_first_instant_that_shows_it() {
        for ppm in [-500_000, -3, 0, 7, 250_000] {
            let mut clock = Clock::default();
            clock.set_drift(ppm, 123);
            for local in [124, 1_000, 999_999_937, 77 * SECOND] {
                let at = clock.true_time(local, 123);
                assert!(clock.monotonic(at) >= local, "{ppm} {local}");
                assert!(at == 123 || clock.monotonic(at - 1) < local, "{ppm} {local}");
            }
        }
    }

    #[test]
    fn a_stopped_clock_that_drifts_has_deadlines_too() {
        let mut clock = Clock::default();
        clock.stop(SECOND);
        clock.set_drift(500_000, 2 * SECOND);
        let at = clock.true_time(4 * SECOND, 2 * SECOND);
        clock.go_on(2 * SECOND);
        assert_eq!(clock.true_time(4 * SECOND, 2 * SECOND), at);
    }

    #[test]
    fn the_wall_clock_jumps_either_way_and_a_stopped_clock_stands() {
        let mut clock = Clock::default();
        clock.step(-2 * SECOND as i64);
        assert_eq!(clock.wall(5 * SECOND), WALL_EPOCH_NS + 3 * SECOND);
        clock.stop(5 * SECOND);
        assert_eq!(clock.monotonic(9 * SECOND), 5 * SECOND);
        clock.go_on(9 * SECOND);
        assert_eq!(clock.monotonic(10 * SECOND), 6 * SECOND);
    }
}
