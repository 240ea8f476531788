//! The pump of one member: brings what it sends, what it gets and what is due there.

use std::pin::pin;

use wrack_sim::{Controller, Node, NodeId, Observer};

use crate::hub::Hub;

/// What a pump needs of whatever carries its member.
pub trait Carrier {
    /// Nanoseconds since the run began.
    fn now_ns(&self) -> u64;
    /// Waits until then; a carrier may cut time coarsely and come back later, never before;
    /// one that lets the hub ring for what is due need not come back at all.
    fn sleep_until(&self, ns: u64) -> impl Future<Output = ()> + use<Self>;
    /// Sends a frame, at the latest when frames are waited for. It may be lost with the life of its
    /// receiver, but frames to one member stay in order; nobody waits for it.
    fn send(&mut self, to: NodeId, frame: &[u8]);
    /// Waits for frames, and hands each of those that are there to `take`. Giving up loses none.
    fn recv(&mut self, take: impl FnMut(&[u8])) -> impl Future<Output = ()>;
}

/// A member without anything that is due waits until then, 36 years after the run began.
const NEVER_NS: u64 = 1 << 60;

/// Carries a member until its life ends: then whoever runs this drops it. What `carrier` is made of
/// hears already.
pub async fn carry<N: Node, C: Controller, O: Observer>(
    hub: &Hub<N, C, O>,
    member: NodeId,
    mut carrier: impl Carrier,
) {
    hub.listen(member);
    // A timer is set only if another time is due next: most messages that arrive change nothing of that.
    let mut alarm = pin!(carrier.sleep_until(NEVER_NS));
    let mut alarm_ns = NEVER_NS;
    loop {
        hub.hush(member);
        hub.send(member, |to, frame| carrier.send(to, frame));
        let (now_ns, due_ns) = (carrier.now_ns(), hub.next_due_ns(member).unwrap_or(NEVER_NS));
        if due_ns <= now_ns {
            hub.turn(member, now_ns);
            continue;
        }
        if due_ns != alarm_ns {
            alarm.set(carrier.sleep_until(due_ns));
            alarm_ns = due_ns;
        }
        tokio::select! {
            biased;
            () = carrier.recv(|frame| hub.receive(member, frame)) => {}
            () = hub.bell(member) => {}
            // It has gone off: the next one is another, even for the same time.
            () = alarm.as_mut() => alarm_ns = 0,
        }
    }
}
