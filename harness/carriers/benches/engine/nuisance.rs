//! A controller that lays faults on some links and leaves them there.

use wrack_history::FactRecord;
use wrack_history::setting::Delay;
use wrack_sim::network::{LinkAction, LinkRule, Messages};
use wrack_sim::{Controller, NodeId, Watched, World};

use crate::ping::LEADER;

/// The way to the first follower loses messages, the way back from the second is slow.
#[derive(Default)]
pub struct Nuisance {
    done: bool,
}

impl Controller for Nuisance {
    fn next_ns(&self) -> Option<u64> {
        (!self.done).then_some(0)
    }

    fn act(&mut self, world: &mut dyn World) {
        self.done = true;
        let delay = Delay::uniform(1_000_000, 20_000_000);
        let slow = LinkAction::Delay { delay, per_million: 300_000 };
        let lossy = LinkAction::Lose { per_million: 100_000 };
        let rules = [(LEADER, NodeId(1), lossy), (NodeId(2), LEADER, slow)];
        for (id, (from, to, action)) in (0..).zip(rules) {
            let fault = world.open_fault();
            let (from, to) = ([from].into_iter().collect(), [to].into_iter().collect());
            world.add_rule(fault, LinkRule { id, from, to, messages: Messages::All, action });
        }
    }

    fn watched(&self) -> Watched {
        Watched::Nothing
    }

    fn on_fact(&mut self, _: &FactRecord, _: &mut dyn World) {}
}
