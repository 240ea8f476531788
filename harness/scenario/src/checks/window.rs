//! When faults are on.

use wrack_history::{ScheduledFault, When};

/// The times at which a fault is on, as `(start, end)` in nanoseconds, in order; empty for a fault
/// that waits for a fact. Jitter is left out.
pub(crate) fn windows(fault: &ScheduledFault, faults_ns: u64) -> Vec<(u64, u64)> {
    let When::At(at_ns) = fault.when else {
        return Vec::new();
    };
    let start = |occurrence: u32| {
        let later = u64::from(occurrence).saturating_mul(fault.every_ns.unwrap_or(0));
        at_ns.saturating_add(later)
    };
    let end = |start: u64| fault.lasts_ns.map_or(faults_ns, |ns| start.saturating_add(ns));
    let starts = (0..fault.times).map(start).take_while(|start| *start < faults_ns);
    starts.map(|start| (start, end(start).min(faults_ns))).collect()
}

/// The first time at which both are on.
pub(crate) fn first_overlap(a: &[(u64, u64)], b: &[(u64, u64)]) -> Option<u64> {
    let (mut i, mut j) = (0, 0);
    while let (Some(first), Some(second)) = (a.get(i), b.get(j)) {
        let start = first.0.max(second.0);
        if start < first.1.min(second.1) {
            return Some(start);
        }
        if first.1 <= second.1 { i += 1 } else { j += 1 }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::first_overlap;

    #[test]
    fn windows_that_touch_do_not_overlap() {
        assert_eq!(first_overlap(&[(0, 5), (10, 15)], &[(5, 10), (15, 20)]), None);
        assert_eq!(first_overlap(&[(0, 5), (10, 15)], &[(5, 10), (14, 20)]), Some(14));
        assert_eq!(first_overlap(&[(0, 50)], &[(5, 10)]), Some(5));
        assert_eq!(first_overlap(&[(0, 0)], &[(0, 10)]), None);
    }
}
