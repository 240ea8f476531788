//! A clock step: a wall clock jumps.

use wrack_history::catalogue::{FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind};
use wrack_history::{Setting, Settings, Target};
use wrack_sim::NodeId;
use wrack_sim::world::ClockUse;

use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "clock-step",
    code: "X10",
    doc: "\
A node's wall clock jumps by `offset`, forwards or backwards, as it does when an operator sets it \
or a time server is wrong. Its monotonic clock and its timers are not touched: a design that \
measures durations on the monotonic clock does not notice.

What breaks is whatever compares wall clocks: timestamps of different nodes that decide which \
write is the last, a lease whose end is written as a date, a token that expires.

With `strobe` the clock jumps to and fro: so long it is off by the offset, so long it is right, \
and so on.

Healing steps the clock back, which is a jump in the other direction.",
    parameters: &[
        ParameterInfo::required("target", ParameterKind::Target, "Whose clock."),
        ParameterInfo::required("offset", ParameterKind::Offset, "By how much it jumps."),
        ParameterInfo::optional(
            "strobe",
            ParameterKind::Duration,
            "It jumps to and fro at this distance; once if absent.",
        ),
    ],
    effect: "clock reads shifted",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    Box::new(ClockStep {
        target: settings.target("target").expect("`target` is required"),
        offset_ns: settings.offset("offset").expect("`offset` is required"),
        strobe_ns: settings.duration("strobe"),
        nodes: Vec::new(),
        is_off: false,
    })
}

struct ClockStep {
    target: Target,
    offset_ns: i64,
    strobe_ns: Option<u64>,
    nodes: Vec<NodeId>,
    /// Whether the clocks are off at the moment.
    is_off: bool,
}

impl ClockStep {
    /// Steps the clocks off, or back.
    fn step(&mut self, stage: &mut Stage<'_>) {
        for node in &self.nodes {
            if self.is_off {
                stage.world.step_clock(*node, -self.offset_ns);
                stage.world.forget_clock(stage.handle, *node);
            } else {
                stage.world.step_clock(*node, self.offset_ns);
                stage.world.watch_clock(stage.handle, *node, ClockUse::Wall);
            }
        }
        self.is_off = !self.is_off;
    }
}

impl FaultBehaviour for ClockStep {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        self.nodes = stage.resolve(&self.target)?;
        self.step(stage);
        let offset = Setting::Offset(self.offset_ns);
        Ok(Injected {
            detail: format!("{offset} at {}", stage.name(&self.nodes)),
            nodes: self.nodes.clone(),
        })
    }

    fn period_ns(&self) -> Option<u64> {
        self.strobe_ns
    }

    fn turn(&mut self, stage: &mut Stage<'_>) {
        self.step(stage);
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        if self.is_off {
            self.step(stage);
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{MS, Outcome, fault, run};

    /// How far the wall clock of n2 was from its monotonic one, in milliseconds.
    fn offsets(result: &Outcome, from_ms: u64, to_ms: u64) -> Vec<i64> {
        let heard = result.heard_by(1, from_ms, to_ms);
        let mut offsets = heard.iter().map(|h| h.wall_offset_ns() / MS as i64).collect::<Vec<_>>();
        offsets.dedup();
        offsets
    }

    #[test]
    fn the_wall_clock_jumps_back_and_forth_again_at_the_heal() {
        let step = fault("clock-step").at(200).lasts(300).on("n2");
        let result = run(&[step.with("offset", Setting::Offset(-2_000 * MS as i64))]);
        assert_eq!(offsets(&result, 0, 200), [0]);
        assert_eq!(offsets(&result, 201, 500), [-2_000]);
        assert_eq!(offsets(&result, 501, 900), [0]);
        let reads = result.heard_by(1, 200, 500).len() as u64;
        assert_eq!(result.faults[0].effect, reads);
        assert_eq!(result.faults[0].unit, "clock reads shifted");
        assert_eq!(result.faults[0].detail, "-2s at n2");
    }

    #[test]
    fn a_strobing_clock_jumps_to_and_fro_and_is_right_in_the_end() {
        let step = fault("clock-step").at(200).lasts(250).on("n2");
        let step = step.with("offset", Setting::Offset(50 * MS as i64));
        let result = run(&[step.with("strobe", Setting::Duration(100 * MS))]);
        assert_eq!(offsets(&result, 0, 900), [0, 50, 0, 50, 0]);
        assert_eq!(offsets(&result, 301, 400), [0]);
        assert_eq!(offsets(&result, 401, 450), [50]);
        assert_eq!(offsets(&result, 451, 900), [0]);
        let off = result.heard_by(1, 200, 300).len() + result.heard_by(1, 400, 450).len();
        assert_eq!(result.faults[0].effect, off as u64);
    }
}
