//! The pump of one member: brings what it sends, what it gets and what is due there.

use wrack_sim::{Controller, Node, NodeId, Observer};

use crate::hub::Hub;

/// What a pump needs of whatever carries its member.
pub trait Carrier {
    /// Nanoseconds since the run began.
    fn now_ns(&self) -> u64;
    /// Waits until then; a carrier may cut time coarsely and come back later, never before.
    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<Self>;
    /// Sends a frame. It may be lost with the life of its receiver, but frames to one member stay in
    /// order; nobody waits for it.
    fn send(&mut self, to: NodeId, frame: Vec<u8>);
    /// Waits for frames, and hands each of those that are there to `take`. Giving up loses none.
    fn recv(&mut self, take: impl FnMut(&[u8])) -> impl Future<Output = ()>;
}

/// A member without anything that is due looks up this often, in nanoseconds.
const IDLE_NS: u64 = 3_600_000_000_000;

/// Carries a member until its life ends: then whoever runs this drops it. What `carrier` is made of
/// hears already.
pub async fn carry<N: Node, C: Controller, O: Observer>(
    hub: &Hub<N, C, O>,
    member: NodeId,
    mut carrier: impl Carrier,
) {
    hub.listen(member);
    loop {
        for parcel in hub.take_outbox(member) {
            carrier.send(parcel.to, parcel.frame);
        }
        let due_ns = hub.next_due_ns(member).unwrap_or_else(|| carrier.now_ns() + IDLE_NS);
        if due_ns > carrier.now_ns() {
            let due = carrier.sleep_until(due_ns);
            tokio::select! {
                biased;
                () = carrier.recv(|frame| hub.receive(member, frame)) => {}
                () = hub.bell(member) => {}
                () = due => {}
            }
        }
        hub.turn(member, carrier.now_ns());
    }
}
