//! TTL change: somebody turns the knob for how long a cache may keep what it holds.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::{self, SECOND};

use crate::controls::{OnControl, TARGET};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "ttl-change",
    code: "X17",
    doc: "\
The time to live of a class of cached keys becomes `ttl`: longer, because the database is busy and the \
hit ratio should be better; or shorter, because somebody complained about old data. What is cached \
already lives as long as what comes.

A longer time to live makes nothing wrong where every change is announced, and everything where only \
the time to live made old data go away. A shorter one sends more readers to the authority.

It can happen to designs that have such a knob: those with the control `ttl`. Healing turns it back.",
    parameters: &[
        ParameterInfo::new(
            "ttl",
            ParameterKind::Duration,
            DefaultSetting::Duration(900 * SECOND),
            "The new time to live.",
        ),
        ParameterInfo::new(
            "class",
            ParameterKind::Choice(&["announced", "quiet"]),
            DefaultSetting::Choice("announced"),
            "Of which keys: those whose changes are announced to caches, or those whose are not.",
        ),
        TARGET,
    ],
    effect: "keys cached under it",
    lasts: Lasting::For,
    needs: Needs::Control("ttl"),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let ttl = duration::format(settings.duration("ttl").expect("`ttl` has a default"));
    let class = settings.choice("class").expect("`class` has a default");
    let what = format!("{class} keys cached for {ttl} by");
    Box::new(OnControl::new("ttl", settings, what))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn nodes_are_told_once_and_again_when_it_is_over() {
        let change = fault("ttl-change").at(200).lasts(250).on("n2");
        let result = run(&[change.with("ttl", Setting::Duration(700 * MS))]);
        assert_eq!(result.times_of("ttl"), [200]);
        assert_eq!(result.times_of("over"), [450]);
        assert_eq!(result.faults[0].effect, 3);
        assert_eq!(result.faults[0].unit, "keys cached under it");
        assert_eq!(result.faults[0].detail, "announced keys cached for 700ms by n2");
    }
}
