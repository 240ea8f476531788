//! Loss: messages never arrive.

use wrack_history::Settings;
use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::setting::percent;
use wrack_sim::network::LinkAction;

use crate::links::{self, DIRECTION, MESSAGES, OnLinks, TARGET, TOWARDS};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "loss",
    code: "X03",
    doc: "\
Messages get lost, each with the probability `share`, and nobody is told. A client whose message \
is lost learns nothing and times out.

`messages` says which kind gets lost. Losing `requests` means that an operation never took place; \
losing `responses` means that it did, but the client cannot know, and tries again: that is how one \
payment becomes two. `peers` are the messages of the nodes among each other, and a design may have \
names for kinds of them.

By default messages get lost on every link. `target` names nodes or clients whose links lose them; \
with `towards` only the links between the two do, and `direction` picks one way.

Healing lets all further messages through; what is lost stays lost.",
    parameters: &[
        ParameterInfo::new(
            "share",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(20_000),
            "Share of messages that get lost.",
        ),
        MESSAGES,
        TARGET,
        TOWARDS,
        DIRECTION,
    ],
    effect: "messages dropped",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let share = settings.per_million("share").expect("`share` has a default");
    let what = format!("{} of {} lost", percent(share), links::noun(settings));
    let action = LinkAction::Lose { per_million: share };
    Box::new(OnLinks::new(settings, action, what))
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;
    use wrack_sim::MessageClass;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn its_share_of_messages_is_lost_and_counted() {
        let half = Setting::PerMillion(500_000);
        let result = run(&[fault("loss").at(100).lasts(700).with("share", half)]);
        let lost = (result.recording.messages - result.heard.len() as u64) as i64;
        assert!((result.faults[0].effect as i64 - lost).abs() < 20, "{lost}");
        let sent = result.recording.messages as i64;
        assert!((sent * 25 / 100..sent * 42 / 100).contains(&lost), "{lost} of {sent}");
        assert_eq!(result.faults[0].unit, "messages dropped");
    }

    #[test]
    fn two_losses_draw_apart() {
        let half = |id| fault("loss").id(id).with("share", Setting::PerMillion(500_000));
        let result = run(&[half(0), half(1)]);
        let (arrived, sent) = (result.heard.len() as u64, result.recording.messages);
        assert!((sent * 25 / 100..sent * 40 / 100).contains(&arrived), "{arrived} of {sent}");
    }

    #[test]
    fn a_kind_that_the_design_names_is_lost_alone() {
        let all = fault("loss").at(0).with("share", Setting::PerMillion(1_000_000));
        let result = run(&[all.with("messages", Setting::Choice("invalidation".into()))]);
        let classes = result.heard_between(0, 1_000, |heard| heard.class);
        assert!(!classes.contains(&MessageClass::Peer("invalidation")));
        assert!(classes.contains(&MessageClass::Peer("replication")));
        assert_eq!(result.faults[0].detail, "100% of invalidation messages lost on every link");
    }

    #[test]
    fn losing_responses_spares_everything_else_until_it_is_healed() {
        let all = Setting::PerMillion(1_000_000);
        let lossy = fault("loss").at(200).lasts(200).with("share", all);
        let result = run(&[lossy.with("messages", Setting::Choice("responses".into()))]);
        let classes = |from, to| result.heard_between(from, to, |heard| heard.class);
        let response = MessageClass::Response;
        assert!(!classes(206, 400).contains(&response));
        assert!(classes(206, 400).contains(&MessageClass::Request));
        assert!(classes(206, 400).contains(&MessageClass::Peer("invalidation")));
        assert!(classes(410, 600).contains(&response));
        let (first, last) = result.faults[0].effect_span_ns.unwrap();
        assert!(200 * MS <= first && last <= 400 * MS);
        assert_eq!(result.faults[0].detail, "100% of responses lost on every link");
    }
}
