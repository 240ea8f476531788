//! Relay scale: somebody changes how many relays are at work.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::setting::percent;

use crate::controls::{OnControl, TARGET};
use crate::{FaultBehaviour, FaultEntry};

const CONTROL: &str = "relay-scale";

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: CONTROL,
    code: "X20",
    doc: "\
A deployment is scaled out or in: `count` relays (or consumers) work from now on, no more and no \
fewer, as far as the design has so many. Each waits a little more or less than usual from one look \
to the next, by up to `jitter` either way, so that their phases drift apart and meet in every \
possible way: two instances that happen to look at different times hide a race for weeks.

What was right with one instance may be wrong with two: both read the same rows, both do the same \
work. Scaling in takes instances away that may still hold claims.

It can happen to designs that have the control `relay-scale`. Healing goes back to the number that \
the design is deployed with.",
    parameters: &[
        ParameterInfo::required(
            "count",
            ParameterKind::Integer { min: 0, max: 100 },
            "How many work.",
        )
        .drawn_from(0, 4),
        ParameterInfo::new(
            "jitter",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(500_000),
            "By how much each wait differs, either way.",
        ),
        TARGET,
    ],
    effect: "rows relayed",
    lasts: Lasting::For,
    needs: Needs::Control(CONTROL),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let count = settings.integer("count").expect("`count` is required");
    let jitter = percent(settings.per_million("jitter").expect("`jitter` has a default"));
    let what = format!("{count} at work with {jitter} of jitter on");
    Box::new(OnControl::new(CONTROL, settings, what))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{fault, run};

    #[test]
    fn everybody_is_told_how_many_are_at_work_and_when_that_is_over() {
        let scale = fault("relay-scale").at(200).lasts(250).with("count", Setting::Integer(4));
        let result = run(&[scale]);
        assert_eq!(result.times_of("relay-scale"), [200; 5]);
        assert_eq!(result.times_of("over"), [450; 5]);
        // The testbed says that each node touches three.
        assert_eq!(result.faults[0].effect, 15);
        assert_eq!(result.faults[0].unit, "rows relayed");
        assert_eq!(
            result.faults[0].detail,
            "4 at work with 50% of jitter on n1, n2, n3, n4 and n5"
        );
    }
}
