//! A design: nodes that keep a promise together, and the named variants that break it.

use wrack_history::catalogue::DesignInfo;
use wrack_history::{Settings, SmolStr};

use crate::node::{Node, NodeId, Payload};
use crate::wire::Wire;

/// What the nodes of a design know about their cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Names of the servers, by index.
    pub names: Vec<SmolStr>,
    /// The design's parameters, all filled in.
    pub settings: Settings,
    /// The name of the variant.
    pub variant: SmolStr,
}

impl Cluster {
    /// The servers.
    pub fn servers(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.names.len() as u16).map(NodeId)
    }

    /// A duration among the parameters, in nanoseconds.
    ///
    /// # Panics
    /// If the design does not declare it: a bug of the design.
    pub fn duration(&self, name: &str) -> u64 {
        self.settings.duration(name).unwrap_or_else(|| panic!("no parameter {name}"))
    }

    /// A whole number among the parameters.
    ///
    /// # Panics
    /// If the design does not declare it: a bug of the design.
    pub fn integer(&self, name: &str) -> i64 {
        self.settings.integer(name).unwrap_or_else(|| panic!("no parameter {name}"))
    }
}

/// A reference design, or somebody's own.
pub trait Design: 'static {
    /// What nodes send each other.
    type Peer: Payload;
    /// What its servers are.
    type Node: Node<Message = Wire<Self::Peer>>;
    /// How it describes itself.
    const INFO: &'static DesignInfo;

    /// A server that boots: it knows its cluster, and finds the rest on its disk.
    fn boot(cluster: &Cluster, id: NodeId) -> Self::Node;

    /// The kind of a message between servers, as [`DesignInfo::messages`] declares it; empty if it has
    /// none.
    fn kind(message: &Self::Peer) -> &'static str {
        let _ = message;
        ""
    }

    /// The servers that clients may send their requests to.
    fn entries(cluster: &Cluster) -> Vec<NodeId> {
        cluster.servers().collect()
    }
}

/// Who collects designs: whoever can run them.
pub trait Registry {
    /// Takes a design in.
    fn add<D: Design>(&mut self);
}
