//! Duplicates: messages arrive more than once.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::MILLISECOND;
use wrack_history::setting::percent;
use wrack_sim::network::LinkAction;

use crate::links::{self, DIRECTION, MESSAGES, OnLinks, TARGET, TOWARDS};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "duplicate",
    code: "X04",
    doc: "\
Messages arrive more than once, as they do when a network or a queue delivers at least once. Each \
message is hit with the probability `share`; then it arrives as usual, and `copies` more times, \
each copy later by a `delay` of its own. A copy does not keep to the order of its link: it may \
come after messages that were sent much later.

A design that counts, appends or charges must recognise the copy; one that only sets a value must \
notice that it is old.

By default it happens on every link. `target`, `towards` and `direction` pick some.

Healing makes no further copies; those under way still arrive.",
    parameters: &[
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(10_000),
            "Share of messages that arrive again.",
        ),
        ParameterInfo::new(
            "copies",
            ParameterKind::Integer { min: 1, max: 100 },
            DefaultSetting::Integer(1),
            "How many more times such a message arrives.",
        )
        .drawn_from(1, 3),
        ParameterInfo::new(
            "delay",
            ParameterKind::Delay,
            DefaultSetting::Delay(0, 100 * MILLISECOND),
            "How much later each copy arrives.",
        ),
        MESSAGES,
        TARGET,
        TOWARDS,
        DIRECTION,
    ],
    effect: "messages duplicated",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let share = settings.per_million("share").expect("`share` has a default");
    let copies = settings.integer("copies").expect("`copies` has a default");
    let noun = links::noun(settings);
    let what = format!("{} of {noun} {} times", percent(share), copies + 1);
    let action = LinkAction::Duplicate {
        per_million: share,
        copies: copies as u32,
        delay: settings.delay("delay").expect("`delay` has a default"),
    };
    Box::new(OnLinks::new(settings, action, what))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;
    use wrack_history::setting::Delay;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn a_message_arrives_again_as_often_and_as_late_as_it_says() {
        let twice = fault("duplicate").at(200).lasts(200);
        let twice = twice.with("share", Setting::PerMillion(1_000_000));
        let twice = twice.with("copies", Setting::Integer(2));
        let result = run(&[twice.with("delay", Setting::Delay(Delay::constant(50 * MS)))]);
        let copies = |from_ms, to_ms| {
            let arrivals = |number| result.heard.iter().filter(move |h| h.number == number);
            result
                .heard
                .iter()
                .filter(|heard| (from_ms * MS..to_ms * MS).contains(&heard.sent_ns))
                .map(|heard| arrivals(heard.number).map(|h| h.at_ns).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        assert!(copies(0, 200).iter().all(|arrivals| arrivals.len() == 1));
        for arrivals in copies(201, 400) {
            assert_eq!(arrivals.len(), 3);
            let later = |index: usize| arrivals[index] - arrivals[0];
            assert_eq!((later(1), later(2)), (50 * MS, 50 * MS));
        }
        assert!(copies(401, 900).iter().all(|arrivals| arrivals.len() == 1));
        assert!(result.faults[0].effect > 50);
        assert_eq!(result.faults[0].detail, "100% of messages 3 times on every link");
    }
}
