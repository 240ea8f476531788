//! Load surge: clients ask for more, and many of them for the same thing.

use wrack_history::catalogue::{
    DefaultSetting, FaultInfo, Lasting, Needs, ParameterInfo, ParameterKind,
};
use wrack_history::setting::percent;
use wrack_history::{Settings, Target};
use wrack_sim::client::SURGE;
use wrack_sim::{Control, NodeId};

use crate::stage::{Injected, Nobody, Stage};
use crate::{FaultBehaviour, FaultEntry};

/// How it describes itself.
pub const INFO: FaultInfo = FaultInfo {
    name: SURGE,
    code: "X33",
    doc: "\
A sale opens, a link goes round, a batch job starts: clients ask `multiplier` times as often as the workload \
says, and a share of what they ask (`hot`) is about one key, the first of the workload.

What breaks is whatever was sized for the usual load: queues grow, and with them the age of what is in \
them; replicas fall behind and caches are filled by many at once; retries of what times out make it worse; \
writers of one key conflict that hardly ever met. A promise about correctness must hold all the same; one \
about time need not.

Each client still has one operation open at a time: one that is not answered in time asks later, as a pool \
of connections does that is used up. Operations come of the workload as usual, only sooner, so that a seed \
asks for the same things with and without a surge. Healing goes back to the usual rate. A scenario whose \
operations are written out has no load to multiply: there it does nothing.",
    parameters: &[
        ParameterInfo::required(
            "multiplier",
            ParameterKind::Integer { min: 1, max: 1_000 },
            "How many times as often.",
        )
        .drawn_from(2, 10),
        ParameterInfo::new(
            "hot",
            ParameterKind::PerMillion,
            DefaultSetting::PerMillion(0),
            "Which share of what is asked is about the hot key.",
        ),
        ParameterInfo::new("target", ParameterKind::Target, DefaultSetting::Clients, "Who asks."),
    ],
    effect: "operations asked meanwhile",
    lasts: Lasting::For,
    needs: Needs::Nothing,
};

/// Its entry in the list of all faults.
pub const ENTRY: FaultEntry = FaultEntry { info: &INFO, build };

fn build(settings: &Settings) -> Box<dyn FaultBehaviour> {
    Box::new(LoadSurge { settings: settings.clone(), nodes: Vec::new() })
}

struct LoadSurge {
    settings: Settings,
    nodes: Vec<NodeId>,
}

impl LoadSurge {
    fn target(&self) -> Target {
        self.settings.target("target").expect("`target` has a default")
    }

    /// In words.
    fn what(&self) -> String {
        let multiplier = self.settings.integer("multiplier").expect("`multiplier` is required");
        match self.settings.per_million("hot").unwrap_or(0) {
            0 => format!("{multiplier} times the load from"),
            hot => {
                format!("{multiplier} times the load, {} of it about one key, from", percent(hot))
            }
        }
    }
}

impl FaultBehaviour for LoadSurge {
    fn inject(&mut self, stage: &mut Stage<'_>) -> Result<Injected, Nobody> {
        let mut nodes = stage.resolve(&self.target())?;
        nodes.retain(|node| !stage.is_server(*node));
        let mut asked = self.settings.clone();
        asked.0.remove("target");
        for node in &nodes {
            let control = Control { name: SURGE, settings: asked.clone(), is_over: false };
            stage.world.control(stage.handle, *node, control);
        }
        let detail = format!("{} {}", self.what(), stage.name(&nodes));
        self.nodes.clone_from(&nodes);
        Ok(Injected { detail, nodes })
    }

    fn heal(&mut self, stage: &mut Stage<'_>) {
        for node in self.nodes.drain(..) {
            stage.world.end_control(stage.handle, node);
        }
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::Setting;

    use crate::testbed::{fault, run};

    #[test]
    fn clients_alone_are_told_how_much_to_ask_and_when_that_is_over() {
        let surge = fault("load-surge")
            .at(200)
            .lasts(250)
            .with("multiplier", Setting::Integer(4))
            .with("hot", Setting::PerMillion(500_000));
        let result = run(&[surge]);
        assert_eq!(result.times_of("load-surge"), [200; 2]);
        assert_eq!(result.times_of("over"), [450; 2]);
        // The testbed says that each client touches three.
        assert_eq!(result.faults[0].effect, 6);
        assert_eq!(result.faults[0].unit, "operations asked meanwhile");
        assert_eq!(
            result.faults[0].detail,
            "4 times the load, 50% of it about one key, from client-1 and client-2"
        );
    }
}
