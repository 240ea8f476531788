//! The carrier turmoil: every node is a host, all clients together are one more, and every message is a UDP
//! datagram.
//!
//! turmoil runs host after host through each tick, so time is as coarse as the tick, and no member
//! needs a timer: before each step the hub rings for those at whom something is due by then. Its cost
//! grows faster than the square of the number of hosts.
//!
//! [`builder`] and [`steps`] are of use for any hosts: people's own services are stepped by them, too.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::{ControlFlow, Range};
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
    let addresses = (0..names.len()).map(|index| match index.checked_sub(servers) {
        None => SocketAddr::new(sim.lookup(names[index].as_str()), PORT),
        Some(client) => SocketAddr::new(sim.lookup(CLIENTS), PORT + client as u16),
    });
    let town = Rc::new(Town { addresses: addresses.collect(), ..Town::default() });
    let hosts = names[..servers].iter().map(|name| name.as_str()).chain([CLIENTS]);
    for (first, host) in hosts.enumerate() {
        let end = if first < servers { first + 1 } else { names.len() };
        let (hub, town) = (Rc::clone(&hub), Rc::clone(&town));
        sim.host(host, move || carry(Rc::clone(&hub), first..end, Rc::clone(&town)));
    }
    let end_ns = steps(&mut sim, |sim, now_ns| {
        town.now_ns.set(now_ns);
        for change in hub.manage(now_ns) {
            let name = names[change.member.index()].as_str();
            match change.is_up {
                true => sim.bounce(name),
                false => sim.crash(name),
            }
        }
        hub.ring_due(now_ns);
        match hub.is_over(&is_over) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let end_ns = end_ns.expect("no host ends by itself: panics of nodes are caught");
    drop(sim);
    hub.finish(end_ns)
}

/// Carries the members that live in one host.
async fn carry<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    hub: Rc<Hub<N, C, O>>,
    members: Range<usize>,
    town: Rc<Town>,
) -> ::turmoil::Result {
    let mut pumps = JoinSet::new();
    for index in members {
        let (hub, town) = (Rc::clone(&hub), Rc::clone(&town));
        pumps.spawn_local(async move {
            let carrier = Datagrams::bind(index, town).await?;
            pump::carry(&hub, NodeId(index as u16), carrier).await;
            std::io::Result::Ok(())
        });
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

/// What all members of a run share.
#[derive(Default)]
struct Town {
    /// Where everybody lives.
    addresses: Vec<SocketAddr>,
    /// When the step began that is done now, in nanoseconds: time passes from step to step.
    now_ns: Cell<u64>,
    /// Takes what arrives, and is as long as the longest datagram that was sent.
    buffer: RefCell<Vec<u8>>,
}

/// The socket of one member.
struct Datagrams {
    socket: UdpSocket,
    town: Rc<Town>,
}

impl Datagrams {
    async fn bind(index: usize, town: Rc<Town>) -> std::io::Result<Self> {
        let port = town.addresses[index].port();
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
        Ok(Self { socket, town })
    }
}

impl Carrier for Datagrams {
    fn now_ns(&self) -> u64 {
        self.town.now_ns.get()
    }

    /// The hub rings, before the first step that is not too early.
    fn sleep_until(&self, _: u64) -> impl Future<Output = ()> + use<> {
        std::future::pending()
    }

    fn send(&mut self, to: NodeId, frame: &[u8]) {
        let mut buffer = self.town.buffer.borrow_mut();
        let length = buffer.len().max(frame.len());
        buffer.resize(length, 0);
        // Nobody listens where a node is down; to a node that is as good as a loss.
        let _ = self.socket.try_send_to(frame, self.town.addresses[to.index()]);
    }

    async fn recv(&mut self, mut take: impl FnMut(&[u8])) {
        self.socket.readable().await.expect("a socket in a simulation does not fail");
        let mut buffer = self.town.buffer.borrow_mut();
        while let Ok((length, _)) = self.socket.try_recv_from(&mut buffer) {
            take(&buffer[..length]);
        }
    }
}
