//! The timers of one node, on the carrier's clock.

/// A timer that is armed.
#[derive(Clone, Copy, Debug)]
struct Alarm {
    due_ns: u64,
    /// Breaks ties: what was armed first is due first.
    sequence: u64,
    timer: u64,
}

/// The timers that are armed; nodes have a handful.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    armed: Vec<Alarm>,
    next_sequence: u64,
}

impl Alarms {
    /// Arms a timer, or moves it.
    pub fn arm(&mut self, timer: u64, due_ns: u64) {
        self.disarm(timer);
        self.armed.push(Alarm { due_ns, sequence: self.next_sequence, timer });
        self.next_sequence += 1;
    }

    /// Disarms a timer, if it is armed.
    pub fn disarm(&mut self, timer: u64) {
        self.armed.retain(|alarm| alarm.timer != timer);
    }

    /// When the first one is due.
    pub fn next_ns(&self) -> Option<u64> {
        self.armed.iter().map(|alarm| alarm.due_ns).min()
    }

    /// Takes out the first one.
    pub fn pop(&mut self) -> Option<u64> {
        let dues = self.armed.iter().enumerate();
        let (first, _) = dues.min_by_key(|(_, alarm)| (alarm.due_ns, alarm.sequence))?;
        Some(self.armed.remove(first).timer)
    }
}

#[cfg(test)]
mod tests {
    use super::Alarms;

    #[test]
    fn timers_come_in_order_of_time_and_then_of_arming() {
        let mut alarms = Alarms::default();
        for (timer, due_ns) in [(1, 30), (2, 10), (3, 10), (4, 5), (1, 10), (4, 40)] {
            alarms.arm(timer, due_ns);
        }
        alarms.disarm(3);
        assert_eq!(alarms.next_ns(), Some(10));
        let order: Vec<_> = std::iter::from_fn(|| alarms.pop()).collect();
        assert_eq!(order, [2, 1, 4]);
        assert_eq!(alarms.next_ns(), None);
    }
}
