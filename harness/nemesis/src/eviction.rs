//! Eviction: a cache forgets keys before their time.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::{self, SECOND};
use wrack_history::setting::percent;

use crate::controls::{OnControl, TARGET};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "eviction",
    code: "X15",
    doc: "\
A cache runs out of memory, or somebody flushes it: every `period`, beginning at once, each key \
that it holds is forgotten with the probability `share`. 100% is a flush. With `keys` its memory is \
short all the while: whatever it fills beyond so many keys makes it forget the one that was fetched \
longest ago; `share = \"0%\"` is that alone.

What is only cached can be read again from the authority, at the price of a miss; what was only \
ever written to the cache is gone. A cold cache also sends every reader to the authority at once.

It can happen to designs that have a cache: those with the control `evict`. Healing stops it; what \
is forgotten stays so.",
    parameters: &[
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(1_000_000),
            "Share of keys that are forgotten.",
        ),
        ParameterInfo::new(
            "period",
            ParameterKind::Duration,
            DefaultSetting::Duration(SECOND),
            "How long from one time to the next.",
        ),
        TARGET,
        ParameterInfo::optional(
            "keys",
            ParameterKind::Integer { min: 1, max: 1_000_000_000 },
            "So many keys fit into its memory.",
        ),
    ],
    effect: "keys evicted",
    lasts: Lasting::For,
    needs: Needs::Control("evict"),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let share = settings.per_million("share").expect("`share` has a default");
    let period_ns = settings.duration("period").expect("`period` has a default");
    let every = duration::format(period_ns);
    let forgotten = format!("{} of keys forgotten every {every} by", percent(share));
    let what = match settings.integer("keys") {
        Some(keys) => format!("room for {keys} keys, and {forgotten}"),
        None => forgotten,
    };
    Box::new(OnControl::new("evict", settings, what).every(period_ns))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn nodes_are_asked_again_and_again_until_it_is_healed_and_told_when_it_is_over() {
        let every = Setting::Duration(100 * MS);
        let result = run(&[fault("eviction").at(200).lasts(250).on("n2").with("period", every)]);
        assert_eq!(result.times_of("evict"), [200, 300, 400]);
        assert_eq!(result.times_of("over"), [450]);
        // The testbed says that each time touches three.
        assert_eq!(result.faults[0].effect, 9);
        assert_eq!(result.faults[0].unit, "keys evicted");
        assert_eq!(result.faults[0].detail, "100% of keys forgotten every 100ms by n2");
    }

    #[test]
    fn it_is_told_how_many_keys_fit() {
        let none = fault("eviction").at(200).on("n2").with("share", Setting::PerMillion(0));
        let result = run(&[none.with("keys", Setting::Integer(10))]);
        let told = "room for 10 keys, and 0% of keys forgotten every 1s by n2";
        assert_eq!(result.faults[0].detail, told);
    }

    #[test]
    fn who_boots_is_asked_again_and_who_goes_on_is_asked_late() {
        let evict = fault("eviction").id(0).at(200).lasts(250).on("n2");
        let evict = evict.with("period", Setting::Duration(1_000 * MS));
        let crash = fault("crash").id(1).at(250).lasts(50).on("n2");
        assert_eq!(run(&[evict.clone(), crash]).times_of("evict"), [200, 300]);
        let pause = fault("pause").id(1).at(150).lasts(150).on("n2");
        assert_eq!(run(&[evict, pause]).times_of("evict"), [300]);
    }
}
