//! Relay down: nobody carries events from where they are kept to where they are needed.

use wrack_history::catalogue::{FaultInfo, Lasting, Needs};
use wrack_history::duration::MILLISECOND;
use wrack_history::{Settings, SmolStr};
use wrack_sim::NodeId;
use wrack_sim::world::TailChance;

use crate::crash::Down;
use crate::stage::{Injected, Nobody, Stage, claimants};
use crate::{FaultBehaviour, FaultEntry};

/// The role of those who go down.
const ROLE: &str = "relay";
/// So often it is looked at whether an operation is open that they are missing for. Their crash alone
/// loses nothing: relays keep nothing, and nobody sends them anything that they did not ask for.
const LOOK_NS: u64 = 10 * MILLISECOND;

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "relay-down",
    code: "X24",
    doc: "\
Every node that works as a relay at that moment crashes, and stays down: the deployment of the \
relays is gone, while the services that write events and those that read them are as healthy as \
ever. Events pile up where they are kept. It is the outage that no dashboard of a service shows: \
no operation fails.

If nobody has the role `relay` at that moment it is waited for, as for any role. Relays that stand \
by are left alone; if they take over within `for`, they go on.

`for` is how long they are down. Healing boots them; then the backlog is to be worked off.",
    parameters: &[],
    effect: "ms without relays",
    lasts: Lasting::For,
    needs: Needs::Role(ROLE),
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(_: &Settings) -> Box<dyn FaultBehaviour> {
    Box::new(RelayDown { down: Down::default() })
}

struct RelayDown {
    down: Down,
}

impl FaultBehaviour for RelayDown {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let nodes: Vec<NodeId> = claimants(stage.world, ROLE).map(|(node, _)| node).collect();
        if nodes.is_empty() {
            return Err(Nobody { role: SmolStr::new_static(ROLE) });
        }
        Ok(self.down.crash(nodes, TailChance::default(), stage))
    }

    fn period_ns(&self) -> Option<u64> {
        Some(LOOK_NS)
    }

    fn turn(&mut self, stage: &mut Stage<'_>) {
        stage.world.touch(stage.handle, LOOK_NS / MILLISECOND);
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
    use crate::testbed::{MS, Testbed, fault};

    #[test]
    fn whoever_is_a_relay_is_down_until_it_is_healed() {
        let claims = vec![(50, 1, "relay", 0), (50, 2, "standby", 0), (50, 3, "relay", 0)];
        let testbed = Testbed { claims, ..Testbed::default() };
        let result = testbed.run(&[fault("relay-down").at(200).lasts(100)]);
        assert_eq!(result.faults[0].nodes, ["n2", "n4"]);
        assert_eq!(result.faults[0].healed_ns, Some(300 * MS));
        assert!((90..=100 + 5 * 20).contains(&result.faults[0].effect), "{:?}", result.faults);
        assert_eq!(result.faults[0].unit, "ms without relays");
        assert_eq!(result.times_of("crashed"), [200, 200]);
        assert_eq!(result.times_of("booted")[7..], [300, 300]);
        assert!(
            result.heard_by(1, 200, 300).is_empty() && !result.heard_by(2, 200, 300).is_empty()
        );
    }

    #[test]
    fn a_relay_is_waited_for() {
        let testbed = Testbed { claims: vec![(250, 1, "relay", 0)], ..Testbed::default() };
        let result = testbed.run(&[fault("relay-down").at(200).lasts(200)]);
        assert_eq!(result.times_of("crashed"), [250]);
    }
}
