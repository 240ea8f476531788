//! Reordering: messages overtake each other.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::{self, MILLISECOND};
use wrack_history::setting::percent;
use wrack_sim::network::LinkAction;

use crate::links::{self, DIRECTION, MESSAGES, OnLinks, TARGET, TOWARDS};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "reorder",
    code: "X05",
    doc: "\
Messages overtake each other. Without this fault a link is first in, first out, as one connection \
is; with it each message is moved back with the probability `share`, by up to `window`, and those \
behind it do not wait.

It is what happens when nodes use several connections, or a queue with several consumers: a design \
that relies on the order in which things were sent, rather than on a version in them, applies an \
old value over a new one.

By default it happens on every link. `target`, `towards` and `direction` pick some.

Healing puts new messages in order again; what is under way is not touched.",
    parameters: &[
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(200_000),
            "Share of messages that are moved.",
        ),
        ParameterInfo::new(
            "window",
            ParameterKind::Duration,
            DefaultSetting::Duration(50 * MILLISECOND),
            "By how much a message is moved back at most.",
        ),
        MESSAGES,
        TARGET,
        TOWARDS,
        DIRECTION,
    ],
    effect: "messages moved",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let share = settings.per_million("share").expect("`share` has a default");
    let window_ns = settings.duration("window").expect("`window` has a default");
    let window = duration::format(window_ns);
    let noun = links::noun(settings);
    let what = format!("{} of {noun} moved by up to {window}", percent(share));
    let action = LinkAction::Reorder { per_million: share, window_ns };
    Box::new(OnLinks::new(settings, action, what))
}

#[cfg(test)]
mod tests {
    use crate::testbed::{MS, fault, run};

    #[test]
    fn messages_overtake_each_other_until_it_is_healed() {
        let result = run(&[fault("reorder").at(200).lasts(300)]);
        let in_order = |from_ms: u64, to_ms: u64| {
            let sent = from_ms * MS..to_ms * MS;
            let link = result.heard.iter().filter(|h| (h.from.0, h.to.0) == (0, 1));
            link.filter(|heard| sent.contains(&heard.sent_ns)).map(|heard| heard.number).is_sorted()
        };
        assert!(in_order(0, 200) && !in_order(201, 500) && in_order(501, 900));
        let moved = result.heard.iter().filter(|heard| heard.took_ns() > 5 * MS);
        assert!(moved.clone().all(|heard| heard.took_ns() <= 55 * MS));
        assert!(result.faults[0].effect >= moved.count() as u64);
    }
}
