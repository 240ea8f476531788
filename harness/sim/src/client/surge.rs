//! A surge of load: a client comes to its operations sooner than they are due.
//!
//! ```text
//! time        0 ──────── 10 ──── surge × 3 ──── 20 ──────── 30
//! load time   0 ──────── 10 ─────────────────── 40 ──────── 50      an operation is due by this one
//! ```
//! So the operations of a client are the same ones, with the same draws, whether it meets a surge or not;
//! only when they come, and which key they are about, differs.

use wrack_history::SmolStr;

use crate::chance::{Purpose, Stream};
use crate::node::Control;

/// The control by which a client is asked for more.
pub const SURGE: &str = "load-surge";

/// Draws for the hot key are keyed by this attempt, which no operation has.
const HOT: u64 = 0xFFFF;

/// How a client takes part in surges of load.
#[derive(Clone, Debug)]
pub struct SurgePlan {
    /// What many ask for at once.
    pub hot_key: SmolStr,
    /// Operations that would come after this time, on the client's clock, do not come: its plan holds more
    /// than it needs without a surge.
    pub ends_ns: u64,
}

/// The load as it is now. Times are those of the client's monotonic clock.
#[derive(Clone, Debug)]
pub(super) struct Surge {
    multiplier: u64,
    hot_per_million: u32,
    is_on: bool,
    /// Since when, and what the load time was then.
    since_ns: u64,
    load_ns: u64,
}

impl Default for Surge {
    fn default() -> Self {
        Self { multiplier: 1, hot_per_million: 0, is_on: false, since_ns: 0, load_ns: 0 }
    }
}

impl Surge {
    /// The surge that a control asks for, or its end.
    pub fn turned(&self, now_ns: u64, control: &Control) -> Self {
        let (since_ns, load_ns) = (now_ns, self.load_at(now_ns));
        if control.is_over {
            return Self { since_ns, load_ns, ..Self::default() };
        }
        let multiplier = control.settings.integer("multiplier").unwrap_or(1).max(1) as u64;
        let hot_per_million = control.settings.per_million("hot").unwrap_or(0);
        Self { multiplier, hot_per_million, is_on: true, since_ns, load_ns }
    }

    pub fn is_on(&self) -> bool {
        self.is_on
    }

    fn load_at(&self, now_ns: u64) -> u64 {
        let passed_ns = now_ns.saturating_sub(self.since_ns);
        self.load_ns.saturating_add(passed_ns.saturating_mul(self.multiplier))
    }

    /// How long until an operation comes that is due at this load time.
    pub fn until_ns(&self, now_ns: u64, due_ns: u64) -> u64 {
        due_ns.saturating_sub(self.load_at(now_ns)).div_ceil(self.multiplier)
    }

    /// How long a client thinks that would think so long.
    pub fn thought_ns(&self, thinks_ns: u64) -> u64 {
        thinks_ns.div_ceil(self.multiplier)
    }

    /// Whether this operation is about the hot key.
    pub fn is_hot(&self, seed: u64, client: u64, number: u32) -> bool {
        self.hot_per_million > 0 && {
            let operation = u64::from(number) << 16 | HOT;
            let mut stream = Stream::new(seed, Purpose::Operation, client, operation);
            stream.chance(self.hot_per_million)
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Setting, Settings};

    use super::{SURGE, Surge};
    use crate::node::Control;

    fn control(multiplier: i64, hot: u32) -> Control {
        let settings = Settings::default()
            .with("multiplier", Setting::Integer(multiplier))
            .with("hot", Setting::PerMillion(hot));
        Control { name: SURGE, settings, is_over: false }
    }

    #[test]
    fn load_time_runs_faster_in_a_surge_and_keeps_what_it_gained() {
        let usual = Surge::default();
        assert_eq!(usual.until_ns(4, 10), 6);
        let surge = usual.turned(10, &control(3, 0));
        assert!(surge.is_on());
        assert_eq!(surge.until_ns(10, 40), 10);
        assert_eq!(surge.until_ns(20, 42), 1);
        assert_eq!(surge.thought_ns(7), 3);
        let over = Control { is_over: true, ..control(3, 0) };
        let after = surge.turned(20, &over);
        assert!(!after.is_on());
        assert_eq!(after.until_ns(30, 50), 0);
        assert_eq!(after.until_ns(30, 55), 5);
    }

    #[test]
    fn about_as_many_operations_are_hot_as_were_asked_for() {
        let surge = Surge::default().turned(0, &control(2, 250_000));
        let hot = (0..1_000).filter(|number| surge.is_hot(1, 2, *number)).count();
        assert!((200..300).contains(&hot), "{hot}");
        let none = Surge::default().turned(0, &control(2, 0));
        assert!((0..1_000).all(|number| !none.is_hot(1, 2, number)));
    }
}
