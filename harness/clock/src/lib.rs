//! The wall clock of a simulated host in place of the machine's.
//!
//! A service asks `SystemTime::now()` what time it is, and gets the machine's time, in a simulation,
//! too. A program that links this crate and calls [`install`] answers with whatever it was given
//! there, on threads where that has an answer; everybody else gets the machine's time as before.
//!
//! Linux only: it defines `clock_gettime`, which the standard library calls, and asks the kernel
//! directly for everything but the wall clock of a simulated host. Elsewhere [`install`] does nothing.
//! The monotonic clock stays the machine's: services under tokio have `tokio::time::Instant`, which
//! the simulation holds.

use std::sync::OnceLock;

/// Nanoseconds since 1970 on the wall clock of whoever runs on this thread; `None` leaves the
/// question to the machine. It must not ask for the time itself.
pub type WallClock = fn() -> Option<u64>;

static INSTALLED: OnceLock<WallClock> = OnceLock::new();

/// From now on `clock` is asked first. Later calls change nothing.
pub fn install(clock: WallClock) {
    let _ = INSTALLED.set(clock);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::c_int;

    use super::INSTALLED;

    const NS_PER_SECOND: u64 = 1_000_000_000;

    /// What the C library is asked for the time by.
    ///
    /// # Safety
    /// As of `clock_gettime(2)`: `at` is null or points to a `timespec` that may be written.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn clock_gettime(
        clock: libc::clockid_t,
        at: *mut libc::timespec,
    ) -> c_int {
        let is_wall = matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE);
        let simulated = match INSTALLED.get() {
            Some(installed) if is_wall && !at.is_null() => installed(),
            _ => None,
        };
        let Some(ns) = simulated else {
            // SAFETY: the call that the C library would make, with the caller's own pointer.
            return unsafe { libc::syscall(libc::SYS_clock_gettime, clock, at) } as c_int;
        };
        let time = libc::timespec {
            tv_sec: (ns / NS_PER_SECOND) as libc::time_t,
            tv_nsec: (ns % NS_PER_SECOND) as libc::c_long,
        };
        // SAFETY: it is not null, and the caller promises that it may be written.
        unsafe { at.write(time) };
        0
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "the system's clocks are what is tested")]
mod tests {
    use std::cell::Cell;
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    thread_local! {
        static HERE: Cell<Option<u64>> = const { Cell::new(None) };
    }

    fn since_1970() -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
    }

    #[test]
    fn only_a_thread_that_has_a_clock_of_its_own_sees_it() {
        super::install(|| HERE.with(Cell::get));
        let before = since_1970();
        HERE.with(|here| here.set(Some(1_500_000_000)));
        assert_eq!(since_1970(), Duration::from_millis(1_500));
        let elsewhere = std::thread::spawn(since_1970).join().unwrap();
        assert!(elsewhere >= before);
        HERE.with(|here| here.set(None));
        assert!(since_1970() >= before);
        assert!(Instant::now().elapsed() < Duration::from_secs(60));
    }
}
