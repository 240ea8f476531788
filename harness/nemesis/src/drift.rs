//! Drift: clocks run fast or slow.

use wrack_history::catalogue::{FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind};
use wrack_history::{Settings, Target};
use wrack_sim::NodeId;
use wrack_sim::world::ClockUse;

use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "drift",
    code: "X11",
    doc: "\
A node's clocks run at another rate than time does: `ppm` millionths faster, or slower if \
negative. Both its clocks drift, and its timers with them. A crystal drifts by some 100 ppm; a \
virtual machine that is short of processor time by far more.

What breaks is whatever trusts two nodes to measure the same duration: a lease that its holder \
believes in for longer than the one who granted it. A guard band of a tenth is only used up by a \
drift of more than 100,000 ppm, so use steps and pauses against leases with a guard.

The offset grows steadily; no clock ever jumps. Healing sets the rate right and keeps the offset \
that has built up. Two drifts of one node add up.",
    parameters: &[
        ParameterInfo::required("target", ParameterKind::Target, "Whose clocks."),
        ParameterInfo::required(
            "ppm",
            ParameterKind::Integer { min: -990_000, max: 9_000_000 },
            "How much faster than time they run, in millionths.",
        )
        .drawn_from(-100_000, 100_000),
    ],
    effect: "clock reads and timers shifted",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    Box::new(Drift {
        target: settings.target("target").expect("`target` is required"),
        ppm: settings.integer("ppm").expect("`ppm` is required") as i32,
        nodes: Vec::new(),
    })
}

struct Drift {
    target: Target,
    ppm: i32,
    nodes: Vec<NodeId>,
}

impl FaultBehaviour for Drift {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        self.nodes = stage.resolve(&self.target)?;
        for node in &self.nodes {
            stage.world.set_drift(stage.handle, *node, self.ppm);
            stage.world.watch_clock(stage.handle, *node, ClockUse::Any);
        }
        Ok(Injected {
            detail: format!("{:+} ppm at {}", self.ppm, stage.name(&self.nodes)),
            nodes: self.nodes.clone(),
        })
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        for node in self.nodes.drain(..) {
            stage.world.set_drift(stage.handle, node, 0);
            stage.world.forget_clock(stage.handle, node);
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{MS, fault, run};

    #[test]
    fn the_offset_grows_and_stays_when_it_is_healed() {
        let drift = fault("drift").at(200).lasts(400).on("n2");
        let result = run(&[drift.with("ppm", Setting::Integer(500_000))]);
        let ahead = |at| {
            let heard = result.heard_by(1, at, at + 10);
            heard.last().map(|heard| (heard.local_ns - heard.at_ns) / MS)
        };
        assert_eq!(ahead(190), Some(0));
        assert!((95..=105).contains(&ahead(395).unwrap()));
        assert_eq!((ahead(650), ahead(900)), (Some(200), Some(200)));
        // Its beats come every 10 ms on its own clock.
        let beats = |from, to| result.beats(1, from, to);
        assert!((28..=31).contains(&beats(300, 500)) && (19..=21).contains(&beats(700, 900)));
        assert!(result.faults[0].effect > 60, "{}", result.faults[0].effect);
        assert_eq!(result.faults[0].detail, "+500000 ppm at n2");
    }

    #[test]
    fn drifts_of_one_node_add_up_and_heal_apart() {
        let drift = |id, at, ppm| {
            let drift = fault("drift").id(id).at(at).lasts(200).on("n2");
            drift.with("ppm", Setting::Integer(ppm))
        };
        let result = run(&[drift(0, 200, 500_000), drift(1, 300, -500_000)]);
        let heard = result.heard_by(1, 700, 800);
        assert!(heard.iter().all(|heard| heard.local_ns == heard.at_ns));
        let heard = result.heard_by(1, 320, 390);
        assert!(heard.iter().all(|heard| heard.local_ns == heard.at_ns + 50 * MS));
    }
}
