//! The carrier madsim, with `--cfg madsim`: every member is a node, every message goes through its
//! `Endpoint`.
//!
//! madsim makes every send and receive wait for a millisecond, and its receive loses a message when
//! it is given up; so each send is a task of its own, and another task pumps what arrives into a
//! channel.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::madsim::net::{Endpoint, NetSim};
use ::madsim::runtime::{NodeHandle, Runtime};
use ::madsim::task;
use ::madsim::time::{TimeHandle, sleep};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use wrack_sim::{LimitError, Node, NodeId, Recording};

use crate::config::{Boot, CarrierConfig};
use crate::driver::{Carrier, Driver};
use crate::journal::Journal;
use crate::stage::{Act, Links, Stage};
use crate::thread;

/// Every member listens here.
const PORT: u16 = 7_000;
/// All messages carry this tag: madsim's mailboxes are sorted by it.
const TAG: u64 = 0;
/// A message is shorter than this.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// madsim takes time to start its nodes; a run still ends when it says.
const TICK_NS_MIN: u64 = 1_000_000;

/// Runs a cluster on madsim, and calls `act` between steps.
///
/// Errors: a node spins without letting time pass.
///
/// # Panics
/// If something panics outside of a node.
pub fn run<N: Node + 'static>(
    config: &CarrierConfig,
    boot: Boot<N>,
    act: &mut Act<'_>,
) -> Result<Recording, LimitError> {
    thread::alone(|| {
        let mut settings = ::madsim::Config::default();
        let (latency_min, latency_max) = config.latency();
        settings.net.send_latency = latency_min..latency_max + Duration::from_nanos(1);
        let runtime = Runtime::with_seed_and_config(config.engine.seed, settings);
        runtime.block_on(supervise(&runtime, config, &boot, act))
    })
}

async fn supervise<N: Node + 'static>(
    runtime: &Runtime,
    config: &CarrierConfig,
    boot: &Boot<N>,
    act: &mut Act<'_>,
) -> Result<Recording, LimitError> {
    let journal = Journal::new(config);
    let nodes = config.members().map(|id| start(runtime, id, config, boot, &journal));
    let nodes: Vec<NodeHandle> = nodes.collect();
    let mut links = Network { nodes: &nodes };
    let tick = Duration::from_nanos(config.tick_ns.max(TICK_NS_MIN));
    let mut now_ns = elapsed_ns();
    while now_ns < config.duration_ns && !journal.is_limited() {
        let members = nodes.len();
        act(&mut Stage { now_ns, members, journal: &journal, links: &mut links });
        sleep(tick).await;
        now_ns = elapsed_ns();
    }
    journal.finish(now_ns)
}

/// Starts a member on a node of its own.
fn start<N: Node + 'static>(
    runtime: &Runtime,
    id: NodeId,
    config: &CarrierConfig,
    boot: &Boot<N>,
    journal: &Journal,
) -> NodeHandle {
    let parts = (config.clone(), journal.clone(), boot.clone());
    let carry = move || {
        let (config, journal, boot) = parts.clone();
        async move {
            let carrier = Mail::bind(id).await;
            Driver::new(id, carrier, &boot, (config, journal)).run().await;
        }
    };
    let node = runtime.create_node().name(config.name(id)).ip(address(id).ip());
    node.init(carry).build()
}

fn elapsed_ns() -> u64 {
    TimeHandle::current().elapsed().as_nanos() as u64
}

fn address(id: NodeId) -> SocketAddr {
    let [high, low] = (id.0 + 1).to_be_bytes();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)), PORT)
}

fn member(address: SocketAddr) -> NodeId {
    let IpAddr::V4(ip) = address.ip() else { unreachable!("members have addresses of version 4") };
    let [_, _, high, low] = ip.octets();
    NodeId(u16::from_be_bytes([high, low]) - 1)
}

/// The links between nodes.
struct Network<'a> {
    nodes: &'a [NodeHandle],
}

impl Links for Network<'_> {
    fn cut(&mut self, (one, other): (NodeId, NodeId), is_cut: bool) {
        let network = NetSim::current();
        let (one, other) = (self.nodes[one.index()].id(), self.nodes[other.index()].id());
        for (from, to) in [(one, other), (other, one)] {
            if is_cut {
                network.clog_link(from, to);
            } else {
                network.unclog_link(from, to);
            }
        }
    }
}

/// The endpoint of one member.
struct Mail {
    endpoint: Endpoint,
    arrived: UnboundedReceiver<(NodeId, Vec<u8>)>,
}

impl Mail {
    async fn bind(id: NodeId) -> Self {
        let bound = Endpoint::bind(address(id)).await;
        let endpoint = bound.expect("a member has its address for itself");
        let (arrives, arrived) = unbounded_channel();
        let receiving = endpoint.clone();
        task::spawn(async move {
            let mut buffer = vec![0; MESSAGE_BYTES_MAX];
            while let Ok((length, origin)) = receiving.recv_from(TAG, &mut buffer).await {
                if arrives.send((member(origin), buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
        });
        Self { endpoint, arrived }
    }
}

impl Carrier for Mail {
    fn now_ns(&self) -> u64 {
        elapsed_ns()
    }

    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<> {
        sleep(Duration::from_nanos(ns.saturating_sub(elapsed_ns())))
    }

    fn send(&mut self, to: NodeId, bytes: &[u8]) {
        assert!(bytes.len() < MESSAGE_BYTES_MAX, "a message fits into the buffer");
        let (endpoint, bytes) = (self.endpoint.clone(), Arc::<[u8]>::from(bytes));
        task::spawn(async move {
            // A link that is cut may refuse; to a node that is as good as a loss.
            let _ = endpoint.send_to(address(to), TAG, &bytes).await;
        });
    }

    async fn recv(&mut self) -> (NodeId, Vec<u8>) {
        self.arrived.recv().await.expect("the pump lives as long as the node")
    }
}
