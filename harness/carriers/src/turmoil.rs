//! The carrier turmoil: every member is a host, every message a UDP datagram.
//!
//! turmoil runs host after host through each tick and rounds timers to milliseconds, so time is as
//! coarse as the tick. Its cost grows faster than the square of the number of hosts.
//!
//! [`builder`] and [`steps`] are of use for any hosts: people's own services are stepped by them, too.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use ::turmoil::net::UdpSocket;
use ::turmoil::{Builder, Sim};
use wrack_sim::clock::WALL_EPOCH_NS;
use wrack_sim::{Controller, Engine, Node, NodeId, Observer};

use crate::hub::{Cargo, Delivered, Hub};
use crate::pump::{self, Carrier};
use crate::tick;

/// More hosts than this cost more than they teach.
pub const HOSTS_MAX: usize = 25;
/// Every member listens here.
const PORT: u16 = 7_000;
/// A datagram is shorter than this.
const DATAGRAM_BYTES_MAX: usize = 1 << 20;
/// So many datagrams may wait for a member at once; what comes then is lost.
const DATAGRAMS_WAITING_MAX: usize = 1 << 16;

/// Runs a cluster on turmoil until `is_over` says so, on this thread: see [`alone`](crate::thread::alone).
///
/// Bounds: at most [`HOSTS_MAX`] members.
///
/// # Panics
/// If the cluster is larger, or something panics outside of a node.
pub fn run<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    cargo: Cargo<N, C, O>,
    is_over: impl Fn(&Engine<N>) -> bool,
) -> Delivered<C, O> {
    let hosts = cargo.config.names.len();
    assert!(hosts <= HOSTS_MAX, "turmoil carries at most {HOSTS_MAX} members, not {hosts}");
    let tick = tick::for_environment(&cargo.config.environment);
    // Links are the simulator's: turmoil brings a datagram in the next tick.
    let mut builder = builder(cargo.config.seed, tick);
    builder.min_message_latency(Duration::ZERO).max_message_latency(Duration::ZERO);
    let mut sim = builder.build();
    let hub = Hub::new(cargo);
    let names = hub.names();
    let addresses: Rc<[IpAddr]> = names.iter().map(|name| sim.lookup(name.as_str())).collect();
    for (member, name) in (0..).map(NodeId).zip(&names) {
        let (hub, addresses) = (Rc::clone(&hub), Rc::clone(&addresses));
        sim.host(name.as_str(), move || {
            let (hub, addresses) = (Rc::clone(&hub), Rc::clone(&addresses));
            async move {
                let carrier = Datagrams::bind(addresses).await?;
                pump::carry(&hub, member, carrier).await;
                Ok(())
            }
        });
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
    addresses: Rc<[IpAddr]>,
    buffer: Vec<u8>,
}

impl Datagrams {
    async fn bind(addresses: Rc<[IpAddr]>) -> std::io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
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

    fn send(&mut self, to: NodeId, frame: Vec<u8>) {
        assert!(frame.len() < DATAGRAM_BYTES_MAX, "a message fits into a datagram");
        let address = SocketAddr::new(self.addresses[to.index()], PORT);
        // Nobody listens while a host starts; to a node that is as good as a loss.
        let _ = self.socket.try_send_to(&frame, address);
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
