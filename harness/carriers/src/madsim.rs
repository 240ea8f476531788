//! The carrier madsim, with `--cfg madsim`: every member is a node, every message goes through its
//! `Endpoint`.
//!
//! madsim makes every send and receive wait for a millisecond, its receive loses a message when it
//! is given up, and tasks that are ready at once run in random order. So one task per receiver
//! sends what has gathered since it sent last, in order and as one message, and a few others, each for
//! some of the senders, pump what arrives into a channel.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::madsim::net::Endpoint;
use ::madsim::runtime::{Handle, NodeHandle, Runtime};
use ::madsim::task;
use ::madsim::time::{TimeHandle, sleep};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wrack_sim::{Controller, Engine, Node, NodeId, Observer};

use crate::hub::{Cargo, Delivered, Hub};
use crate::pump::{self, Carrier};

/// Every member listens here.
const PORT: u16 = 7_000;
/// So many messages are received at once at a member, as each takes a millisecond. Those of one sender
/// come one after the other.
const LANES: u16 = 8;
/// Whether the run is over, and who crashed, is looked at at least this often.
const LOOK_NS: u64 = 1_000_000;

thread_local! {
    /// The hub of the run that this thread does: madsim wants to start its nodes from anywhere, and
    /// a hub belongs to one thread.
    static HUB: RefCell<Option<Rc<dyn Any>>> = const { RefCell::new(None) };
}

/// Runs a cluster on madsim until `is_over` says so, on this thread: see [`alone`](crate::thread::alone).
///
/// # Panics
/// If something panics outside of a node.
pub fn run<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    cargo: Cargo<N, C, O>,
    is_over: impl Fn(&Engine<N>) -> bool,
) -> Delivered<C, O> {
    let mut settings = ::madsim::Config::default();
    // Links are the simulator's: madsim brings a message at once.
    settings.net.send_latency = Duration::ZERO..Duration::from_nanos(1);
    let runtime = Runtime::with_seed_and_config(cargo.config.seed, settings);
    let end_ns = runtime.block_on(supervise(&runtime, cargo, is_over));
    drop(runtime);
    let hub = HUB.take().expect("the run has put it there");
    let hub = hub.downcast::<Hub<N, C, O>>().ok().expect("it is of this run");
    hub.finish(end_ns)
}

async fn supervise<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    runtime: &Runtime,
    cargo: Cargo<N, C, O>,
    is_over: impl Fn(&Engine<N>) -> bool,
) -> u64 {
    let hub = Hub::new(cargo);
    HUB.set(Some(Rc::clone(&hub) as Rc<dyn Any>));
    let names = hub.names();
    let started = (0..).zip(&names).map(|(id, name)| start::<N, C, O>(runtime, NodeId(id), name));
    let nodes: Vec<NodeHandle> = started.collect();
    while !hub.is_over(&is_over) {
        let now_ns = elapsed_ns();
        for change in hub.manage(now_ns) {
            let node = nodes[change.member.index()].id();
            match change.is_up {
                true => Handle::current().restart(node),
                false => Handle::current().kill(node),
            }
        }
        let next_ns = hub.next_managed_ns().min(now_ns + LOOK_NS);
        sleep(Duration::from_nanos(next_ns.saturating_sub(now_ns))).await;
    }
    let end_ns = elapsed_ns();
    for node in nodes {
        Handle::current().kill(node.id());
    }
    // A task that was killed is dropped when its turn comes, and with it its share of the hub.
    sleep(Duration::from_millis(1)).await;
    end_ns
}

/// Starts a member on a node of its own.
fn start<N: Node + 'static, C: Controller + 'static, O: Observer + 'static>(
    runtime: &Runtime,
    member: NodeId,
    name: &str,
) -> NodeHandle {
    let carry = move || async move {
        let hub = HUB.with_borrow(Clone::clone).expect("the run has put it there");
        let hub = hub.downcast::<Hub<N, C, O>>().ok().expect("it is of this run");
        pump::carry(&hub, member, Mail::bind(member).await).await;
    };
    runtime.create_node().name(name).ip(address(member).ip()).init(carry).build()
}

fn elapsed_ns() -> u64 {
    TimeHandle::current().elapsed().as_nanos() as u64
}

fn address(id: NodeId) -> SocketAddr {
    let [high, low] = (id.0 + 1).to_be_bytes();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)), PORT)
}

/// The endpoint of one member.
struct Mail {
    id: NodeId,
    endpoint: Arc<Endpoint>,
    arrived: UnboundedReceiver<Vec<u8>>,
    /// What has gathered for each receiver, and who sends it.
    letters: BTreeMap<NodeId, Letter>,
}

struct Letter {
    bag: Vec<u8>,
    postman: UnboundedSender<Vec<u8>>,
}

impl Mail {
    async fn bind(id: NodeId) -> Self {
        let bound = Endpoint::bind(address(id)).await;
        let endpoint = Arc::new(bound.expect("a member has its address for itself"));
        let (arrives, arrived) = unbounded_channel();
        for lane in 0..LANES {
            let (endpoint, arrives) = (Arc::clone(&endpoint), arrives.clone());
            task::spawn(async move {
                while let Ok((bag, _)) = endpoint.recv_from_raw(tag(NodeId(lane))).await {
                    let bag = bag.downcast::<Vec<u8>>().expect("members send nothing else");
                    if arrives.send(*bag).is_err() {
                        return;
                    }
                }
            });
        }
        Self { id, endpoint, arrived, letters: BTreeMap::new() }
    }

    /// Starts the task that sends to one receiver.
    fn postman(endpoint: &Arc<Endpoint>, from: NodeId, to: NodeId) -> UnboundedSender<Vec<u8>> {
        let endpoint = Arc::clone(endpoint);
        let (sends, mut sent) = unbounded_channel::<Vec<u8>>();
        task::spawn(async move {
            while let Some(mut bag) = sent.recv().await {
                while let Ok(next) = sent.try_recv() {
                    bag.extend_from_slice(&next);
                }
                // Nobody listens where a node is down; to a node that is as good as a loss.
                let _ = endpoint.send_to_raw(address(to), tag(from), Box::new(bag)).await;
            }
        });
        sends
    }

    /// Gives everything that has gathered to those who send it.
    fn post(&mut self) {
        for letter in self.letters.values_mut().filter(|letter| !letter.bag.is_empty()) {
            // It fails only if its task was killed with the node, and then this pump is gone, too.
            let _ = letter.postman.send(std::mem::take(&mut letter.bag));
        }
    }
}

/// madsim's mailboxes are sorted by tags: that of a sender is its lane.
fn tag(from: NodeId) -> u64 {
    u64::from(from.0 % LANES)
}

/// Puts a frame into what is sent at once, its length before it.
fn put(bag: &mut Vec<u8>, frame: &[u8]) {
    bag.extend_from_slice(&(frame.len() as u32).to_be_bytes());
    bag.extend_from_slice(frame);
}

/// Takes the frames out again.
fn empty(mut bag: &[u8], mut take: impl FnMut(&[u8])) {
    while let Some((length, rest)) = bag.split_at_checked(4) {
        let length = u32::from_be_bytes(length.try_into().expect("it is as long as that"));
        let (frame, rest) = rest.split_at(length as usize);
        take(frame);
        bag = rest;
    }
}

impl Carrier for Mail {
    fn now_ns(&self) -> u64 {
        elapsed_ns()
    }

    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<> {
        sleep(Duration::from_nanos(ns.saturating_sub(elapsed_ns())))
    }

    fn send(&mut self, to: NodeId, frame: &[u8]) {
        let Self { id, endpoint, letters, .. } = self;
        let letter = letters.entry(to).or_insert_with(|| Letter {
            bag: Vec::new(),
            postman: Self::postman(endpoint, *id, to),
        });
        put(&mut letter.bag, frame);
    }

    async fn recv(&mut self, mut take: impl FnMut(&[u8])) {
        self.post();
        let bag = self.arrived.recv().await;
        empty(&bag.expect("the tasks that receive live as long as the node"), &mut take);
        while let Ok(bag) = self.arrived.try_recv() {
            empty(&bag, &mut take);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn frames_that_are_sent_at_once_are_taken_out_as_they_were() {
        let frames: [&[u8]; 3] = [b"one", b"", b"three"];
        let mut bag = Vec::new();
        frames.iter().for_each(|frame| super::put(&mut bag, frame));
        let mut taken = Vec::new();
        super::empty(&bag, |frame| taken.push(frame.to_vec()));
        assert_eq!(taken, frames);
    }
}
