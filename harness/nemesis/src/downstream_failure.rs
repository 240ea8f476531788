//! Downstream failure: the next system fails after the one before it has said yes.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::setting::percent;

use crate::controls::{OnControl, TARGET};
use crate::{FaultBehaviour, FaultEntry};

const CONTROL: &str = "downstream-failure";

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: CONTROL,
    code: "X41",
    doc: "\
The last step of something that is already decided fails: the gateway has the money, and the ledger \
refuses the entry; the order is taken, and the warehouse has a bad day. With the probability `share` \
the system downstream does nothing of what it is asked, and tells nobody.

Nothing upstream can be undone any more, and the customer has been told yes. What remains is to try \
again, or to find the difference later: a design that does neither drifts apart a little every day.

It can happen to designs that have such a step: those with the control `downstream-failure`. Healing \
lets every further request through; what failed stays undone until somebody asks again.",
    parameters: &[
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(50_000),
            "Probability that a request fails.",
        ),
        TARGET,
    ],
    effect: "requests failed",
    lasts: Lasting::For,
    needs: Needs::Control(CONTROL),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let share = percent(settings.per_million("share").expect("`share` has a default"));
    Box::new(OnControl::new(CONTROL, settings, format!("{share} of requests failed by")))
}

#[cfg(test)]
mod tests {
    use crate::testbed::{fault, run};

    #[test]
    fn the_system_is_told_how_often_it_fails_and_when_that_is_over() {
        let result = run(&[fault("downstream-failure").at(200).lasts(250).on("n2")]);
        assert_eq!(result.times_of("downstream-failure"), [200]);
        assert_eq!(result.times_of("over"), [450]);
        assert_eq!(result.faults[0].unit, "requests failed");
        assert_eq!(result.faults[0].detail, "5% of requests failed by n2");
    }
}
