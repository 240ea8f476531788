//! A crash: a node stops, forgets its memory, and boots again.

use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::{Settings, Target};
use wrack_sim::NodeId;
use wrack_sim::world::TailChance;

use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "crash",
    code: "X06",
    doc: "\
A node stops at once, between two of its reactions. Its memory and its timers are gone, and \
messages to it are lost while it is down. On its disk everything survives that a sync had made \
durable; what was only appended is lost. Healing boots the node: it starts anew with its disk as \
the crash left it.

`for` is the downtime. With `every` and `times` nodes crash one after the other; with `{ role = \
\"leader\" }` whoever leads at that moment.

Disks are not always that orderly: with the probability `lucky` some of the first unsynced records \
survive all the same, and with the probability `torn` the next one survives in part, which a node \
must notice when it reads its log.

If two crashes of a node overlap it boots when the last of them is over. Nodes that the scenario \
lists in `stays_down` are not booted when everything is healed. A client never crashes: it stands \
for the users, who remember what they saw.",
    parameters: &[
        ParameterInfo::required("target", ParameterKind::Target, "Who crashes."),
        ParameterInfo::new(
            "lucky",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(0),
            "Probability that some unsynced records survive.",
        ),
        ParameterInfo::new(
            "torn",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(0),
            "Probability that a record survives in part.",
        ),
    ],
    effect: "records and messages lost",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let share = |name| settings.per_million(name).expect("it has a default");
    Box::new(Crash {
        target: settings.target("target").expect("`target` is required"),
        tail: TailChance { lucky_per_million: share("lucky"), torn_per_million: share("torn") },
        down: Down::default(),
    })
}

struct Crash {
    target: Target,
    tail: TailChance,
    down: Down,
}

/// Those whom a fault keeps down until it is healed.
#[derive(Default)]
pub(crate) struct Down(Vec<NodeId>);

impl Down {
    /// Crashes them.
    pub fn crash(
        &mut self,
        nodes: Vec<NodeId>,
        tail: TailChance,
        stage: &mut Stage<'_>,
    ) -> Injected {
        for node in &nodes {
            stage.world.crash(stage.handle, *node, tail);
        }
        self.0.clone_from(&nodes);
        Injected { detail: stage.name(&nodes), nodes }
    }

    /// Whether all of them stay down even when everything is healed.
    pub fn stays(&self, stage: &Stage<'_>) -> bool {
        !self.0.is_empty() && self.0.iter().all(|node| stage.stays_down(*node))
    }

    /// Boots all but those that are to stay down.
    pub fn boot(&mut self, stage: &mut Stage<'_>) {
        for node in self.0.drain(..) {
            if !stage.stays_down(node) {
                stage.world.release(stage.handle, node);
            }
        }
    }
}

impl FaultBehaviour for Crash {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let nodes = stage.resolve_servers(&self.target)?;
        Ok(self.down.crash(nodes, self.tail, stage))
    }

    fn stays(&self, stage: &Stage<'_>) -> bool {
        self.down.stays(stage)
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        self.down.boot(stage);
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::{Setting, Target};

    use crate::testbed::{HEAL_MS, MS, Testbed, fault, run};

    #[test]
    fn a_node_is_silent_while_it_is_down_and_boots_with_its_disk() {
        let result = run(&[fault("crash").at(200).lasts(100).on("n2")]);
        assert!(
            result.heard_by(1, 200, 300).is_empty() && !result.heard_by(1, 300, 320).is_empty()
        );
        assert_eq!(result.times_of("crashed"), [200]);
        assert_eq!(result.times_of("booted"), [0, 0, 0, 0, 0, 0, 0, 300]);
        assert!(result.engine_disk_durable(1) > result.syncs_between(1, 0, 200, |_| ()).len());
        // At least the messages of every 10 ms from four nodes.
        assert!(result.faults[0].effect >= 36, "{}", result.faults[0].effect);
        assert_eq!(result.faults[0].unit, "records and messages lost");
        assert_eq!(result.faults[0].nodes, ["n2"]);
        assert_eq!(result.recording.history.nemesis.len(), 2);
        assert_eq!(result.recording.history.nemesis[0].detail, "n2");
    }

    #[test]
    fn a_node_that_two_crashes_keep_down_boots_when_the_last_is_over() {
        let first = fault("crash").id(0).at(200).lasts(200).on("n2");
        let second = fault("crash").id(1).at(300).lasts(200).on("n2");
        let result = run(&[first, second]);
        assert_eq!(result.times_of("crashed"), [200]);
        assert_eq!(result.times_of("booted").last(), Some(&500));
        assert!(result.faults.iter().all(|fault| fault.effect > 30));
    }

    #[test]
    fn everybody_boots_at_the_heal_but_for_those_that_stay_down() {
        let testbed = Testbed { stays_down: vec!["n2".into()], ..Testbed::default() };
        let result = testbed.run(&[
            fault("crash").id(0).at(200).on("n2"),
            fault("crash").id(1).at(210).on("n3"),
            fault("crash").id(2).at(220).lasts(30).on("n2"),
        ]);
        let booted = result.times_of("booted");
        assert_eq!(booted[7..], [HEAL_MS]);
        let healed = result.faults.iter().map(|fault| fault.healed_ns);
        let healed = healed.collect::<Vec<_>>();
        assert_eq!(healed, [None, Some(HEAL_MS * MS), Some(250 * MS)]);
    }

    #[test]
    fn a_client_never_crashes() {
        let clients = Setting::Target(Target::Clients);
        let result = run(&[fault("crash").at(200).with("target", clients)]);
        assert!(result.times_of("crashed").is_empty());
        assert_eq!(result.faults[0].effect, 0);
    }

    #[test]
    fn lucky_and_torn_records_survive() {
        let crash = |share| {
            let crash = fault("crash").at(200).lasts(100).on("n2");
            let crash = crash.with("lucky", Setting::PerMillion(share));
            let slow = fault("slow-disk").id(1).at(100).lasts(200).on("n2");
            let result = run(&[crash.with("torn", Setting::PerMillion(share)), slow]);
            (result.faults[0].effect, result.engine_disk_durable(1))
        };
        let (strict, lucky) = (crash(0), crash(1_000_000));
        assert!(lucky.0 < strict.0, "{lucky:?} {strict:?}");
    }
}
