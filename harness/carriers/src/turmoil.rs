//! The carrier turmoil: every member is a host, every message a UDP datagram.
//!
//! turmoil runs host after host through each tick and rounds timers to milliseconds, so time is as
//! coarse as the tick. Its cost grows faster than the square of the number of hosts.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use ::turmoil::net::UdpSocket;
use ::turmoil::{Builder, Sim};
use wrack_history::SmolStr;
use wrack_sim::clock::WALL_EPOCH_NS;
use wrack_sim::{LimitError, Node, NodeId, Recording};

use crate::config::{Boot, CarrierConfig};
use crate::driver::{Carrier, Driver};
use crate::journal::Journal;
use crate::stage::{Act, Links, Stage};
use crate::thread;

/// More hosts than this cost more than they teach.
pub const HOSTS_MAX: usize = 25;
/// Every member listens here.
const PORT: u16 = 7_000;
/// A datagram is shorter than this.
const DATAGRAM_BYTES_MAX: usize = 1 << 20;
/// So many datagrams may wait for a member at once; what comes then is lost.
const DATAGRAMS_WAITING_MAX: usize = 1 << 16;

/// Runs a cluster on turmoil, and calls `act` before each step.
///
/// Bounds: at most [`HOSTS_MAX`] members. Errors: a node spins without letting time pass.
///
/// # Panics
/// If the cluster is larger, or something panics outside of a node.
pub fn run<N: Node + 'static>(
    config: &CarrierConfig,
    boot: Boot<N>,
    act: &mut Act<'_>,
) -> Result<Recording, LimitError> {
    let hosts = config.engine.names.len();
    assert!(hosts <= HOSTS_MAX, "turmoil carries at most {HOSTS_MAX} members, not {hosts}");
    thread::alone(|| simulate(config, &boot, act))
}

fn simulate<N: Node + 'static>(
    config: &CarrierConfig,
    boot: &Boot<N>,
    act: &mut Act<'_>,
) -> Result<Recording, LimitError> {
    let mut sim = builder(config).build();
    let journal = Journal::new(config);
    let directory = Rc::new(Directory::new(&sim, &config.engine.names));
    for id in config.members() {
        let parts = (Rc::clone(&directory), boot.clone(), config.clone(), journal.clone());
        sim.host(config.name(id), move || {
            let (directory, boot, config, journal) = parts.clone();
            async move {
                let carrier = Datagrams::bind(directory).await?;
                Driver::new(id, carrier, &boot, (config, journal)).run().await;
                Ok(())
            }
        });
    }
    let mut now_ns = 0;
    while now_ns < config.duration_ns && !journal.is_limited() {
        let links = &mut Hosts { sim: &sim, names: &config.engine.names };
        let members = config.engine.names.len();
        act(&mut Stage { now_ns, members, journal: &journal, links });
        sim.step().expect("no host fails: panics of nodes are caught by their drivers");
        now_ns = sim.elapsed().as_nanos() as u64;
    }
    journal.finish(now_ns)
}

fn builder(config: &CarrierConfig) -> Builder {
    let (latency_min, latency_max) = config.latency();
    let mut builder = Builder::new();
    builder
        .rng_seed(config.engine.seed)
        .epoch(UNIX_EPOCH + Duration::from_nanos(WALL_EPOCH_NS))
        .tick_duration(config.tick())
        .simulation_duration(Duration::from_nanos(config.duration_ns))
        .udp_capacity(DATAGRAMS_WAITING_MAX)
        .min_message_latency(latency_min)
        .max_message_latency(latency_max);
    builder
}

/// Who lives where.
struct Directory {
    addresses: Vec<IpAddr>,
    members: BTreeMap<IpAddr, NodeId>,
}

impl Directory {
    fn new(sim: &Sim<'_>, names: &[SmolStr]) -> Self {
        let addresses: Vec<_> = names.iter().map(|name| sim.lookup(name.as_str())).collect();
        let members = addresses.iter().copied().zip((0..).map(NodeId)).collect();
        Self { addresses, members }
    }
}

/// The links between hosts.
struct Hosts<'a> {
    sim: &'a Sim<'a>,
    names: &'a [SmolStr],
}

impl Links for Hosts<'_> {
    fn cut(&mut self, (one, other): (NodeId, NodeId), is_cut: bool) {
        let pair = (self.names[one.index()].as_str(), self.names[other.index()].as_str());
        if is_cut {
            self.sim.partition(pair.0, pair.1);
        } else {
            self.sim.repair(pair.0, pair.1);
        }
    }
}

/// The socket of one member.
struct Datagrams {
    socket: UdpSocket,
    directory: Rc<Directory>,
    buffer: Vec<u8>,
}

impl Datagrams {
    async fn bind(directory: Rc<Directory>) -> std::io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
        Ok(Self { socket, directory, buffer: vec![0; DATAGRAM_BYTES_MAX] })
    }
}

impl Carrier for Datagrams {
    fn now_ns(&self) -> u64 {
        let elapsed = ::turmoil::sim_elapsed().expect("a driver runs inside of a host");
        elapsed.as_nanos() as u64
    }

    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<> {
        tokio::time::sleep(Duration::from_nanos(ns.saturating_sub(self.now_ns())))
    }

    fn send(&mut self, to: NodeId, bytes: &[u8]) {
        assert!(bytes.len() < DATAGRAM_BYTES_MAX, "a message fits into a datagram");
        let address = SocketAddr::new(self.directory.addresses[to.index()], PORT);
        // A link that is cut refuses at once; to a node that is as good as a loss.
        let _ = self.socket.try_send_to(bytes, address);
    }

    async fn recv(&mut self) -> (NodeId, Vec<u8>) {
        let received = self.socket.recv_from(&mut self.buffer).await;
        let (length, origin) = received.expect("a socket in a simulation does not fail");
        (self.directory.members[&origin.ip()], self.buffer[..length].to_vec())
    }
}
