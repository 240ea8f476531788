//! A cluster of any size in which every node passes on what it hears: what a message costs as
//! clusters grow.

use serde::{Deserialize, Serialize};
use wrack_sim::chance::{finish, scale};
use wrack_sim::{Cx, Node, NodeId};

/// A rumour, and how often it is still passed on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Rumour {
    seed: u64,
    hops: u32,
}

/// A node that passes rumours on to nodes of all kinds of distances.
pub struct Gossip {
    /// Nodes in the cluster.
    pub nodes: u16,
    /// How often each node's rumour is passed on.
    pub hops: u32,
}

impl Gossip {
    fn pass_on(&self, Rumour { seed, hops }: Rumour, cx: &mut Cx<'_, Self>) {
        if hops > 0 {
            let seed = finish(seed);
            let to = scale(seed, u64::from(self.nodes)) as u16;
            cx.send(NodeId(to), Rumour { seed, hops: hops - 1 });
        }
    }
}

impl Node for Gossip {
    type Message = Rumour;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        let seed = u64::from(cx.id().0) + 1;
        self.pass_on(Rumour { seed, hops: self.hops }, cx);
    }

    #[inline]
    fn on_message(&mut self, _: NodeId, rumour: Rumour, cx: &mut Cx<'_, Self>) {
        self.pass_on(rumour, cx);
    }

    fn on_timer(&mut self, _: u64, _: &mut Cx<'_, Self>) {}
}
