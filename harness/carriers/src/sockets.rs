//! The carrier tokio: real sockets on loopback, in real time, all members on one thread.
//!
//! Every life of a member is one task with sockets of its own: a crash drops them, and whatever the
//! kernel still had for it. Datagrams are UDP; what does not fit into one goes by TCP. Nothing here
//! is the same twice.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, sleep};
use wrack_sim::{Controller, Engine, Node, NodeId, Observer};

use crate::hub::{Cargo, Delivered, Hub};
use crate::pump::{self, Carrier};

/// A longer frame goes by TCP.
const DATAGRAM_BYTES_MAX: usize = 60_000;
/// No frame is longer.
const FRAME_BYTES_MAX: u32 = 1 << 30;
/// Whether the run is over, and who crashed, is looked at at least this often.
const LOOK_NS: u64 = 1_000_000;

/// Runs a cluster on real sockets until `is_over` says so.
///
/// # Panics
/// If the system gives no sockets on loopback, or something panics outside of a node.
pub fn run<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    cargo: Cargo<N, C, O>,
    is_over: impl Fn(&Engine<N>) -> bool,
) -> Delivered<C, O> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("the system gives a poll to wait on");
    LocalSet::new().block_on(&runtime, supervise(cargo, is_over))
}

async fn supervise<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    cargo: Cargo<N, C, O>,
    is_over: impl Fn(&Engine<N>) -> bool,
) -> Delivered<C, O> {
    let hub = Hub::new(cargo);
    let members = hub.names().len();
    let town = Town::new(members);
    let mut lives = Vec::new();
    for member in (0..members as u16).map(NodeId) {
        lives.push(Some(begin(&hub, member, &town).await));
    }
    while !hub.is_over(&is_over) {
        let now_ns = town.now_ns();
        for change in hub.manage(now_ns) {
            let life = &mut lives[change.member.index()];
            if let Some(ended) = life.take() {
                end(ended).await;
            }
            if change.is_up {
                *life = Some(begin(&hub, change.member, &town).await);
            }
        }
        let next_ns = hub.next_managed_ns().min(now_ns + LOOK_NS);
        town.sleep_until(next_ns).await;
    }
    for life in lives.into_iter().flatten() {
        end(life).await;
    }
    let end_ns = town.now_ns();
    hub.finish(end_ns)
}

/// Begins a life of a member, on sockets that are bound when this returns.
async fn begin<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    hub: &Rc<Hub<N, C, O>>,
    member: NodeId,
    town: &Rc<Town>,
) -> JoinHandle<()> {
    let (home, visitors) = Home::bind(member, Rc::clone(town)).await;
    let hub = Rc::clone(hub);
    spawn_local(async move {
        let arrives = home.arrives.clone();
        tokio::select! {
            () = pump::carry(&hub, member, home) => {}
            () = welcome(visitors, arrives) => {}
        }
    })
}

/// Ends a life; its sockets are closed when this returns.
async fn end(life: JoinHandle<()>) {
    life.abort();
    match life.await {
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        _ => {}
    }
}

/// Who lives where, and since when there is time.
struct Town {
    began: Instant,
    homes: RefCell<Vec<Address>>,
}

#[derive(Clone, Copy)]
struct Address {
    datagrams: SocketAddr,
    streams: SocketAddr,
}

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Town {
    fn new(members: usize) -> Rc<Self> {
        let nowhere = Address { datagrams: LOOPBACK, streams: LOOPBACK };
        Rc::new(Self { began: Instant::now(), homes: RefCell::new(vec![nowhere; members]) })
    }

    fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<> {
        sleep(Duration::from_nanos(ns.saturating_sub(self.now_ns())))
    }

    fn address(&self, member: NodeId) -> Address {
        self.homes.borrow()[member.index()]
    }

    fn knows(&self, origin: SocketAddr) -> bool {
        self.homes.borrow().iter().any(|home| home.datagrams == origin)
    }
}

/// The sockets of one life of a member.
struct Home {
    town: Rc<Town>,
    datagrams: UdpSocket,
    buffer: Vec<u8>,
    /// Frames that came by TCP.
    arrived: UnboundedReceiver<Vec<u8>>,
    arrives: UnboundedSender<Vec<u8>>,
}

impl Home {
    async fn bind(member: NodeId, town: Rc<Town>) -> (Self, TcpListener) {
        let datagrams = UdpSocket::bind(LOOPBACK).await.expect("loopback has a free port");
        let streams = TcpListener::bind(LOOPBACK).await.expect("loopback has a free port");
        let known = "a socket that is bound has an address";
        town.homes.borrow_mut()[member.index()] = Address {
            datagrams: datagrams.local_addr().expect(known),
            streams: streams.local_addr().expect(known),
        };
        let (arrives, arrived) = unbounded_channel();
        let buffer = vec![0; DATAGRAM_BYTES_MAX];
        (Self { town, datagrams, buffer, arrived, arrives }, streams)
    }
}

impl Carrier for Home {
    fn now_ns(&self) -> u64 {
        self.town.now_ns()
    }

    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<> {
        self.town.sleep_until(ns)
    }

    fn send(&mut self, to: NodeId, frame: &[u8]) {
        let Address { datagrams, streams } = self.town.address(to);
        if frame.len() <= DATAGRAM_BYTES_MAX {
            // What the kernel does not take is lost, as datagrams are.
            let _ = self.datagrams.try_send_to(frame, datagrams);
            return;
        }
        let frame = frame.to_vec();
        spawn_local(async move {
            // A receiver that is gone does not hear it.
            let _ = visit(streams, &frame).await;
        });
    }

    async fn recv(&mut self, mut take: impl FnMut(&[u8])) {
        tokio::select! {
            Some(frame) = self.arrived.recv() => take(&frame),
            _ = self.datagrams.readable() => {}
        }
        while let Ok((length, origin)) = self.datagrams.try_recv_from(&mut self.buffer) {
            if self.town.knows(origin) {
                take(&self.buffer[..length]);
            }
        }
    }
}

/// Takes in frames that come by TCP.
async fn welcome(visitors: TcpListener, arrives: UnboundedSender<Vec<u8>>) {
    while let Ok((visitor, _)) = visitors.accept().await {
        let arrives = arrives.clone();
        spawn_local(async move {
            if let Ok(frame) = listen(visitor).await {
                // The life that it was for may have ended.
                let _ = arrives.send(frame);
            }
        });
    }
}

/// One frame, its length before it.
async fn listen(mut visitor: TcpStream) -> std::io::Result<Vec<u8>> {
    let length = visitor.read_u32().await?;
    if length > FRAME_BYTES_MAX {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut frame = Vec::new();
    (&mut visitor).take(u64::from(length)).read_to_end(&mut frame).await?;
    Ok(frame)
}

async fn visit(address: SocketAddr, frame: &[u8]) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_u32(frame.len() as u32).await?;
    stream.write_all(frame).await?;
    stream.shutdown().await
}
