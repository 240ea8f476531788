//! `[network]`, `[disk]` and `[minimum]`: the world without faults, and what counts as a run.

use wrack_history::catalogue::{DefaultSetting, ParameterInfo, ParameterKind};
use wrack_history::duration::MILLISECOND;
use wrack_history::load::Environment;

use crate::fields::Fields;
use crate::parameters;
use crate::scenario::Minimum;
use crate::scope::Scope;

const COUNT: ParameterKind = ParameterKind::Integer { min: 0, max: i64::MAX };

/// Keys of `[network]`.
pub(crate) const NETWORK: &[ParameterInfo] = &[
    ParameterInfo::new(
        "peer_latency",
        ParameterKind::Delay,
        DefaultSetting::Delay(MILLISECOND, 5 * MILLISECOND),
        "Latency between nodes, one way.",
    ),
    ParameterInfo::new(
        "client_latency",
        ParameterKind::Delay,
        DefaultSetting::Delay(MILLISECOND, 3 * MILLISECOND),
        "Latency between a client and a node, one way.",
    ),
];

/// Keys of `[disk]`.
pub(crate) const DISK: &[ParameterInfo] = &[ParameterInfo::new(
    "sync_latency",
    ParameterKind::Delay,
    DefaultSetting::Delay(MILLISECOND, 4 * MILLISECOND),
    "How long a sync takes.",
)];

/// Keys of `[minimum]`; the defaults are those of [`Minimum`].
pub(crate) const MINIMUM: &[ParameterInfo] = &[
    ParameterInfo::new(
        "ok_operations",
        COUNT,
        DefaultSetting::Integer(100),
        "Operations that ended `ok`.",
    ),
    ParameterInfo::new(
        "reads",
        COUNT,
        DefaultSetting::Integer(30),
        "Reads that ended `ok`, where the workload reads.",
    ),
    ParameterInfo::new(
        "overlapping_pairs",
        COUNT,
        DefaultSetting::Integer(10),
        "Pairs of a read and a write of one key that overlap in time.",
    ),
    ParameterInfo::new(
        "open_in_fault",
        COUNT,
        DefaultSetting::Integer(20),
        "Operations open during each timed fault.",
    ),
];

/// Reads `[network]` and `[disk]`.
pub(crate) fn read(root: &mut Fields, scope: &Scope) -> Environment {
    let mut fields = root.section("network");
    let network = parameters::read(&mut fields, NETWORK, scope);
    fields.finish();
    let mut fields = root.section("disk");
    let disk = parameters::read(&mut fields, DISK, scope);
    fields.finish();
    Environment {
        peer_latency: network.delay("peer_latency"),
        client_latency: network.delay("client_latency"),
        sync_latency: disk.delay("sync_latency"),
    }
}

/// Reads `[minimum]`.
pub(crate) fn read_minimum(root: &mut Fields, scope: &Scope) -> Minimum {
    let mut fields = root.section("minimum");
    let given = parameters::read(&mut fields, MINIMUM, scope);
    fields.finish();
    let count = |name| given.integer(name) as u64;
    Minimum {
        ok_operations: count("ok_operations"),
        reads: count("reads"),
        overlapping_pairs: count("overlapping_pairs"),
        open_in_fault: count("open_in_fault"),
    }
}

#[cfg(test)]
mod tests {
    use super::MINIMUM;
    use crate::scenario::Minimum;
    use wrack_history::catalogue::defaults;

    #[test]
    fn the_default_minimum_is_the_one_of_the_scenario_type() {
        let settings = defaults(MINIMUM);
        let count = |name| settings.integer(name).unwrap() as u64;
        let minimum = Minimum {
            ok_operations: count("ok_operations"),
            reads: count("reads"),
            overlapping_pairs: count("overlapping_pairs"),
            open_in_fault: count("open_in_fault"),
        };
        assert_eq!(minimum, Minimum::default());
    }
}
