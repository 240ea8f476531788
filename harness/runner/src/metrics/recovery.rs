//! How long it took until the service worked again, after each fault.

use wrack_history::Run;
use wrack_sequential::may_change;

use super::Observed;

/// The quantile of [`times`] over all faults of a run.
pub(super) fn recovery(run: &Run, quantile_per_million: u32) -> Observed {
    let changes = run.history.operations.iter().filter(|one| one.is_ok() && may_change(one));
    let changes = changes.map(|one| (one.invoke.ns, one.complete.ns)).collect();
    let injected = run.faults.iter().filter_map(|fault| fault.injected_ns);
    let mut times = times(changes, injected, run.phases.end_ns);
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else {
        return Observed::Nothing("no fault was injected");
    };
    let place = (last as u64 * u64::from(quantile_per_million)).div_ceil(1_000_000) as usize;
    let noun = if last == 0 { "fault" } else { "faults" };
    Observed::Span { ns: times[place], beside: format!("{} {noun}", times.len()) }
}

/// From when each fault began until a change that was asked for afterwards was acknowledged. A fault after
/// which nothing was acknowledged any more counts until the end of the run.
///
/// Shape: a change is when it was asked for and when it was acknowledged, in nanoseconds, in any order.
fn times(
    mut changes: Vec<(u64, u64)>,
    injected: impl Iterator<Item = u64>,
    end_ns: u64,
) -> Vec<u64> {
    changes.sort_unstable();
    // The earliest acknowledgement of whatever is asked from each place on.
    let mut earliest_ns = end_ns;
    for (_, acknowledged_ns) in changes.iter_mut().rev() {
        earliest_ns = earliest_ns.min(*acknowledged_ns);
        *acknowledged_ns = earliest_ns;
    }
    let recovered = |injected_ns: u64| {
        let later = changes.partition_point(|(asked_ns, _)| *asked_ns < injected_ns);
        let until_ns = changes.get(later).map_or(end_ns, |(_, earliest_ns)| *earliest_ns);
        until_ns.saturating_sub(injected_ns)
    };
    injected.map(recovered).collect()
}

#[cfg(test)]
mod tests {
    use super::times;

    #[test]
    fn a_service_has_recovered_when_something_asked_later_is_acknowledged() {
        // What was asked at 9 and is answered at 30 says nothing of a fault at 10.
        let changes = vec![(1, 2), (9, 30), (12, 40), (20, 25), (50, 55)];
        let injected = [0, 10, 21, 60].into_iter();
        assert_eq!(times(changes, injected, 100), [2, 15, 34, 40]);
    }
}
