//! A trap at a failpoint: a node crashes or pauses in the middle of what it does.

use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::duration::{self, MILLISECOND};
use wrack_history::setting::percent;
use wrack_history::{Settings, SmolStr, Target};
use wrack_sim::NodeId;
use wrack_sim::world::{FailpointAction, Trap};

use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: "failpoint",
    code: "X07",
    doc: "\
A node crashes or pauses at a named point of its code, between one step and the next: after it \
published and before it marked the row, after it voted and before the vote was durable. `wrack \
explain` lists the failpoints of a design. Such a moment lasts a microsecond; a crash at a random \
time practically never falls there.

The fault sets a trap. From then on hits of the point are counted, on every node, or on the \
`target` alone. The trap springs at the `nth` hit, or from then on at each hit with the \
probability `chance`, and at most `count` times. What the node did before the point stands: what \
it sent is sent. `crash` drops the rest and takes the node down for `down`; `pause` keeps the rest \
for so long and then does it, as if nothing had happened.

`for` says how long the trap is set. Healing removes it, and who is still down or paused by it \
comes back at once.",
    parameters: &[
        ParameterInfo::required("point", ParameterKind::Failpoint, "The failpoint."),
        ParameterInfo::new(
            "action",
            ParameterKind::Choice(&["crash", "pause"]),
            DefaultSetting::Choice("crash"),
            "What happens there.",
        ),
        ParameterInfo::optional(
            "target",
            ParameterKind::Target,
            "Only on these nodes, each with a trap of its own; any node if absent.",
        ),
        ParameterInfo::new(
            "nth",
            ParameterKind::Integer { min: 1, max: u32::MAX as i64 },
            DefaultSetting::Integer(1),
            "The hit at which it springs, counted from 1 while the trap is set.",
        )
        .drawn_from(1, 100),
        ParameterInfo::new(
            "chance",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(1_000_000),
            "Probability that it springs at a hit, from the nth on.",
        ),
        ParameterInfo::new(
            "count",
            ParameterKind::Integer { min: 1, max: u32::MAX as i64 },
            DefaultSetting::Integer(1),
            "How often it springs at most.",
        ),
        ParameterInfo::new(
            "down",
            ParameterKind::Duration,
            DefaultSetting::Duration(500 * MILLISECOND),
            "How long the node is down or paused each time.",
        ),
        ParameterInfo::new(
            "clock",
            ParameterKind::Choice(&["runs", "stops"]),
            DefaultSetting::Choice("runs"),
            "For a pause: whether its clocks run on or stand still.",
        ),
    ],
    effect: "times sprung",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    let down_ns = settings.duration("down").expect("`down` has a default");
    let count = |name| settings.integer(name).expect("it has a default") as u32;
    let action = match settings.choice("action").as_deref() {
        Some("pause") => FailpointAction::Pause {
            pause_ns: down_ns,
            clock_stops: settings.choice("clock").as_deref() == Some("stops"),
        },
        _ => FailpointAction::Crash { down_ns },
    };
    Box::new(Failpoint {
        point: settings.choice("point").expect("`point` is required"),
        target: settings.target("target"),
        nth: count("nth"),
        per_million: settings.per_million("chance").expect("it has a default"),
        times: count("count"),
        action,
    })
}

struct Failpoint {
    point: SmolStr,
    target: Option<Target>,
    nth: u32,
    per_million: u32,
    times: u32,
    action: FailpointAction,
}

impl Failpoint {
    fn trap(&self, stage: &Stage<'_>, node: Option<NodeId>) -> Trap {
        // Traps of one fault on several nodes draw apart.
        let place = node.map_or(0, |node| u64::from(node.0) + 1);
        Trap {
            id: stage.key ^ place << 16,
            failpoint: self.point.clone(),
            node,
            nth: self.nth,
            per_million: self.per_million,
            times: self.times,
            action: self.action.clone(),
        }
    }

    fn words(&self, place: &str) -> String {
        let (what, down_ns) = match &self.action {
            FailpointAction::Crash { down_ns } => ("crash", *down_ns),
            FailpointAction::Pause { pause_ns, .. } => ("pause", *pause_ns),
        };
        let chance = match self.per_million {
            1_000_000 => String::new(),
            share => format!(" with {}", percent(share)),
        };
        let (point, nth, down) = (&self.point, self.nth, duration::format(down_ns));
        format!("{what} of {down} at {point} on {place}, from hit {nth}{chance}")
    }
}

impl FaultBehaviour for Failpoint {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let target = self.target.as_ref();
        let target = target.map(|target| stage.resolve_servers(target)).transpose()?;
        let (traps, place) = match &target {
            Some(nodes) => {
                let traps = nodes.iter().map(|node| self.trap(stage, Some(*node)));
                (traps.collect(), stage.name(nodes))
            }
            None => (vec![self.trap(stage, None)], "any node".into()),
        };
        for trap in traps {
            stage.world.set_trap(stage.handle, trap);
        }
        Ok(Injected { detail: self.words(&place), nodes: target.unwrap_or_default() })
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        stage.world.remove_traps(stage.handle);
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{END_MS, MS, Scheduled, fault, run};

    fn trap(action: &str) -> Scheduled {
        let trap = fault("failpoint").at(200).on("n2");
        let trap = trap.with("point", Setting::Choice("heard".into()));
        let trap = trap.with("down", Setting::Duration(50 * MS));
        trap.with("action", Setting::Choice(action.into()))
    }

    #[test]
    fn the_nth_hit_crashes_the_node_and_drops_the_rest_of_its_reaction() {
        let result = run(&[trap("crash").with("nth", Setting::Integer(3))]);
        let third = result.heard_by(1, 200, 900)[2];
        let crashed = result.times_of("crashed");
        assert_eq!(crashed, [third.at_ns / MS]);
        assert_eq!(result.times_of("booted")[7..], [crashed[0] + 50]);
        // The fact that stands behind the failpoint is missing for this one message.
        assert_eq!(result.notes_of(1), result.heard_by(1, 0, END_MS).len() - 1);
        assert_eq!(result.faults[0].effect, 1);
        assert_eq!(result.faults[0].unit, "times sprung");
        let detail = "crash of 50ms at heard on n2, from hit 3";
        assert_eq!(result.faults[0].detail, detail);
    }

    #[test]
    fn a_pause_releases_the_rest_when_the_node_goes_on() {
        let result = run(&[trap("pause").with("count", Setting::Integer(2))]);
        let (paused, resumed) = (result.times_of("paused"), result.times_of("resumed"));
        assert_eq!((paused.len(), resumed.len()), (2, 2));
        assert_eq!(resumed[0], paused[0] + 50);
        assert_eq!(result.notes_of(1), result.heard_by(1, 0, END_MS).len());
        assert_eq!(result.faults[0].effect, 2);
    }

    #[test]
    fn a_trap_springs_by_chance_on_any_node_and_is_gone_when_it_is_healed() {
        let mut trap = trap("crash").lasts(300).with("count", Setting::Integer(1_000));
        trap.remove("target");
        let result = run(&[trap.with("chance", Setting::PerMillion(50_000))]);
        let crashed = result.times_of("crashed");
        assert!(crashed.len() > 5 && crashed.iter().all(|ms| (200..=500).contains(ms)));
        assert_eq!(result.faults[0].effect, crashed.len() as u64);
        assert!(result.times_of("booted").iter().all(|ms| *ms <= 500));
        assert_eq!(result.times_of("booted").len(), 7 + crashed.len());
    }
}
