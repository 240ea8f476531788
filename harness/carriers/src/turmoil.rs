//! The carrier turmoil: every node is a host, all clients together are one more, and every message is a UDP
//! datagram.
//!
//! turmoil runs host after host through each tick and rounds timers to milliseconds, so time is as
//! coarse as the tick. Its cost grows faster than the square of the number of hosts.
//!
//! [`builder`] and [`steps`] are of use for any hosts: people's own services are stepped by them, too.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use ::turmoil::net::UdpSocket;
use ::turmoil::{Builder, Sim};
use tokio::task::JoinSet;
use wrack_sim::clock::WALL_EPOCH_NS;
use wrack_sim::{Controller, Engine, Node, NodeId, Observer};

use crate::hub::{Cargo, Delivered, Hub};
use crate::pump::{self, Carrier};
use crate::tick;

/// More hosts than this cost more than they teach.
pub const HOSTS_MAX: usize = 25;
/// One host is for the clients.
pub const NODES_MAX: usize = HOSTS_MAX - 1;
/// Where clients live, who never crash.
const CLIENTS: &str = "clients";
/// Nodes listen here, and the first client; the next clients at the next ports.
const PORT: u16 = 7_000;
/// A datagram is shorter than this.
const DATAGRAM_BYTES_MAX: usize = 1 << 20;
/// So many datagrams may wait for a member at once; what comes then is lost.
const DATAGRAMS_WAITING_MAX: usize = 1 << 16;

/// Runs a cluster on turmoil until `is_over` says so, on this thread: see [`alone`](crate::thread::alone).
///
/// Bounds: at most [`NODES_MAX`] nodes.
///
/// # Panics
/// If there are more, or something panics outside of a node.
pub fn run<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    cargo: Cargo<N, C, O>,
    is_over: impl Fn(&Engine<N>) -> bool,
) -> Delivered<C, O> {
    let servers = cargo.config.servers;
    assert!(servers <= NODES_MAX, "turmoil carries at most {NODES_MAX} nodes, not {servers}");
    let tick = tick::for_environment(&cargo.config.environment);
    // Links are the simulator's: turmoil brings a datagram in the next tick.
    let mut builder = builder(cargo.config.seed, tick);
    builder.min_message_latency(Duration::ZERO).max_message_latency(Duration::ZERO);
    let mut sim = builder.build();
    let hub = Hub::new(cargo);
    let names = hub.names();
    let addresses: Rc<[SocketAddr]> = (0..names.len())
        .map(|index| match index.checked_sub(servers) {
            None => SocketAddr::new(sim.lookup(names[index].as_str()), PORT),
            Some(client) => SocketAddr::new(sim.lookup(CLIENTS), PORT + client as u16),
        })
        .collect();
    for (index, name) in names.iter().enumerate().take(servers) {
        let (hub, addresses) = (Rc::clone(&hub), Rc::clone(&addresses));
        sim.host(name.as_str(), move || carry(Rc::clone(&hub), index, Rc::clone(&addresses)));
    }
    {
        let (hub, addresses) = (Rc::clone(&hub), Rc::clone(&addresses));
        sim.host(CLIENTS, move || carry_all(Rc::clone(&hub), servers, Rc::clone(&addresses)));
    }
    let end_ns = steps(&mut sim, |sim, now_ns| {
        for change in hub.manage(now_ns) {
            let name = names[change.member.index()].as_str();
            match change.is_up {
                true => sim.bounce(name),
                false => sim.crash(name),
            }
        }
        match hub.is_over(&is_over) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let end_ns = end_ns.expect("no host ends by itself: panics of nodes are caught");
    drop(sim);
    hub.finish(end_ns)
}

async fn carry<N: Node, C: Controller, O: Observer>(
    hub: Rc<Hub<N, C, O>>,
    index: usize,
    addresses: Rc<[SocketAddr]>,
) -> ::turmoil::Result {
    let carrier = Datagrams::bind(index, addresses).await?;
    pump::carry(&hub, NodeId(index as u16), carrier).await;
    Ok(())
}

/// Carries every member from this one on, in one host.
async fn carry_all<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    hub: Rc<Hub<N, C, O>>,
    first: usize,
    addresses: Rc<[SocketAddr]>,
) -> ::turmoil::Result {
    let mut pumps = JoinSet::new();
    for index in first..addresses.len() {
        let pump = carry(Rc::clone(&hub), index, Rc::clone(&addresses));
        // An error is told in words, because that of turmoil stays on its thread.
        pumps.spawn_local(async { pump.await.map_err(|error| error.to_string()) });
    }
    while let Some(ended) = pumps.join_next().await {
        ended??;
    }
    std::future::pending().await
}

/// A simulation that is the same for the same seed: a fixed epoch, and no end of its own.
pub fn builder(seed: u64, tick: Duration) -> Builder {
    let mut builder = Builder::new();
    builder
        .rng_seed(seed)
        .epoch(UNIX_EPOCH + Duration::from_nanos(WALL_EPOCH_NS))
        .tick_duration(tick)
        .simulation_duration(Duration::MAX)
        .udp_capacity(DATAGRAMS_WAITING_MAX);
    builder
}

/// Steps a simulation until `between`, which acts before every step, breaks off; gives the virtual
/// time at the end, in nanoseconds.
///
/// Errors: the software of a host ended with one, or its main task panicked.
pub fn steps(
    sim: &mut Sim<'_>,
    mut between: impl FnMut(&mut Sim<'_>, u64) -> ControlFlow<()>,
) -> Result<u64, Box<dyn std::error::Error>> {
    loop {
        let now_ns = sim.elapsed().as_nanos() as u64;
        if between(sim, now_ns).is_break() {
            return Ok(now_ns);
        }
        sim.step()?;
    }
}

/// The socket of one member.
struct Datagrams {
    socket: UdpSocket,
    /// Where everybody lives.
    addresses: Rc<[SocketAddr]>,
    buffer: Vec<u8>,
}

impl Datagrams {
    async fn bind(index: usize, addresses: Rc<[SocketAddr]>) -> std::io::Result<Self> {
        let port = addresses[index].port();
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
        Ok(Self { socket, addresses, buffer: vec![0; DATAGRAM_BYTES_MAX] })
    }
}

impl Carrier for Datagrams {
    fn now_ns(&self) -> u64 {
        let elapsed = ::turmoil::sim_elapsed().expect("a pump runs inside of a host");
        elapsed.as_nanos() as u64
    }

    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<> {
        tokio::time::sleep(Duration::from_nanos(ns.saturating_sub(self.now_ns())))
    }

    fn send(&mut self, to: NodeId, frame: &[u8]) {
        assert!(frame.len() < DATAGRAM_BYTES_MAX, "a message fits into a datagram");
        // Nobody listens where a node is down; to a node that is as good as a loss.
        let _ = self.socket.try_send_to(frame, self.addresses[to.index()]);
    }

    async fn recv(&mut self, mut take: impl FnMut(&[u8])) {
        let received = self.socket.recv_from(&mut self.buffer).await;
        let (length, _) = received.expect("a socket in a simulation does not fail");
        take(&self.buffer[..length]);
        while let Ok((length, _)) = self.socket.try_recv_from(&mut self.buffer) {
            take(&self.buffer[..length]);
        }
    }
}
