//! A pause: a node stands still for a while, and does not know it.

use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::{Settings, Target};
use wrack_sim::NodeId;

use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "pause",
    code: "X09",
    doc: "\
A node stands still: a long garbage collection, a machine that swaps, a virtual machine that is \
moved. It loses nothing. Messages to it wait, its timers come due and wait too, and its disk \
finishes what it was asked for. When it goes on it works all that off in the order in which it \
came due, and finds that the world has moved on: its lease has run out, somebody else leads.

`clock` says what its clocks did meanwhile. They usually run on (`runs`), so that a node that \
looks at its clock can notice; a frozen virtual machine's stand still (`stops`), and its timers \
are late by the whole pause.

A pause acts between two reactions of a node. To stop it between a check and what it does next use \
`failpoint`.

If two pauses of a node overlap it goes on when the last of them is over. Healing lets it go on; a \
node that crashed meanwhile is not touched.",
    parameters: &[
        ParameterInfo::required("target", ParameterKind::Target, "Who is paused."),
        ParameterInfo::new(
            "clock",
            ParameterKind::Choice(&["runs", "stops"]),
            DefaultSetting::Choice("runs"),
            "Whether its clocks run on or stand still.",
        ),
    ],
    effect: "ms paused",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    Box::new(Pause {
        target: settings.target("target").expect("`target` is required"),
        clock_stops: settings.choice("clock").as_deref() == Some("stops"),
        nodes: Vec::new(),
    })
}

struct Pause {
    target: Target,
    clock_stops: bool,
    nodes: Vec<NodeId>,
}

impl FaultBehaviour for Pause {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        self.nodes = stage.resolve(&self.target)?;
        for node in &self.nodes {
            stage.world.pause(stage.handle, *node, self.clock_stops);
        }
        let clock = if self.clock_stops { ", clocks stopped" } else { "" };
        Ok(Injected {
            detail: format!("{}{clock}", stage.name(&self.nodes)),
            nodes: self.nodes.clone(),
        })
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        for node in self.nodes.drain(..) {
            stage.world.release(stage.handle, node);
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn messages_wait_until_the_node_goes_on() {
        let result = run(&[fault("pause").at(200).lasts(100).on("n2")]);
        assert!(result.heard_by(1, 201, 300).is_empty());
        let backlog = result.heard_by(1, 300, 301);
        assert!(backlog.len() >= 36, "{}", backlog.len());
        assert_eq!((result.times_of("paused"), result.times_of("resumed")), (vec![200], vec![300]));
        assert_eq!(result.faults[0].effect, 100);
        assert_eq!(result.faults[0].effect_span_ns, Some((200 * MS, 300 * MS)));
        assert_eq!(result.faults[0].unit, "ms paused");
    }

    #[test]
    fn a_stopped_clock_is_late_by_the_whole_pause() {
        let stops = Setting::Choice("stops".into());
        let result = run(&[fault("pause").at(200).lasts(100).on("n2").with("clock", stops)]);
        let behind = |from, to| {
            let heard = result.heard_by(1, from, to);
            heard.iter().map(|heard| heard.at_ns - heard.local_ns).max()
        };
        assert_eq!(behind(0, 200), Some(0));
        assert_eq!(behind(301, 900), Some(100 * MS));
        assert_eq!(result.faults[0].detail, "n2, clocks stopped");
    }

    #[test]
    fn a_pause_that_overlaps_another_or_a_crash_is_safe() {
        let result = run(&[
            fault("pause").id(0).at(200).lasts(100).on("n2"),
            fault("pause").id(1).at(250).lasts(150).on("n2"),
            fault("crash").id(2).at(500).lasts(100).on("n3"),
            fault("pause").id(3).at(550).lasts(100).on("n3"),
            fault("pause").id(4).at(700).lasts(100).on("n1"),
            fault("crash").id(5).at(750).lasts(100).on("n1"),
        ]);
        assert_eq!(result.times_of("paused"), [200, 700]);
        assert_eq!(result.times_of("resumed"), [400]);
        assert_eq!(result.times_of("booted")[7..], [600, 850]);
        let effects = result.faults.iter().map(|fault| fault.effect).collect::<Vec<_>>();
        assert_eq!([effects[0], effects[1], effects[3], effects[4]], [100, 150, 0, 50]);
    }
}
