//! The lease service: it says who owns, under which epoch, and never takes an epoch back.
//!
//! It stands in for a consensus store (Chubby, ZooKeeper, etcd): one node whose grants are durable.
//! Two rules are all of it:
//!
//! - A lease runs on *one* clock at each end. The holder counts from when it *sent* its bid, the
//!   service from when it granted it, which is later; so the holder stops first, whatever the
//!   network did, as long as both clocks run at about the same rate.
//! - Every bid that wins gets an epoch of its own. Nobody need trust the clocks after all: whoever
//!   keeps the highest epoch that it has seen refuses the past (that is the store).
//!
//! The rest is speed: a bid from the node that holds the lease already means that its former life is
//! over, so it wins at once.

use serde::{Deserialize, Serialize};
use wrack_sim::{FlowContext, NodeId, Wire};

use super::message::{Message, Peer};

/// The cell that holds the last grant.
const GRANT: &str = "grant";

/// Who owns, under which epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Grant {
    epoch: u64,
    holder: NodeId,
    bid: u64,
}

/// What becomes of a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// It holds the lease already, and goes on.
    Renew(Grant),
    /// It wins the lease, under a new epoch.
    Win(Grant),
    /// Somebody else holds the lease.
    Refuse(NodeId),
}

/// What the service is made with.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long a lease lasts, in nanoseconds.
    pub ttl_ns: u64,
    /// The variant `dual_owner`.
    pub promotes: bool,
}

/// The service, as a flow: one bid after the other.
pub async fn lease(cx: FlowContext<Message>, rules: Rules) {
    let mut grant = recover(&cx);
    // When the last grant was renewed is not on the disk: after a boot it may have been just now.
    let mut renewed_ns = cx.now();
    loop {
        let (from, message) = cx.recv().await;
        let Wire::Peer(Peer::Acquire { bid, sent_ns }) = message else {
            continue;
        };
        let runs = cx.now() < renewed_ns + rules.ttl_ns;
        let missed = cx.now() >= renewed_ns + rules.ttl_ns / 2;
        let decision = match rules.promotes && missed {
            true => promote(grant, (from, bid)),
            false => decide(grant, runs, (from, bid)),
        };
        let won = match decision {
            Decision::Refuse(holder) => {
                cx.send(from, Wire::Peer(Peer::Refused { holder }));
                continue;
            }
            Decision::Renew(grant) => grant,
            Decision::Win(grant) => {
                cx.put(GRANT, &grant);
                // A grant that is not durable was never made: the bidder asks again.
                if cx.sync().await.is_err() {
                    continue;
                }
                grant
            }
        };
        grant = Some(won);
        renewed_ns = cx.now();
        cx.failpoint("lease.granted");
        let epoch = won.epoch;
        cx.send(from, Wire::Peer(Peer::Granted { bid, sent_ns, epoch }));
    }
}

fn recover(cx: &FlowContext<Message>) -> Option<Grant> {
    cx.cell(GRANT).expect("the disk of the lease is sound")
}

fn decide(last: Option<Grant>, runs: bool, (bidder, bid): (NodeId, u64)) -> Decision {
    let fresh = |epoch| Grant { epoch, holder: bidder, bid };
    match last {
        None => Decision::Win(fresh(1)),
        Some(last) if (last.holder, last.bid) == (bidder, bid) => Decision::Renew(last),
        Some(last) if runs && last.holder != bidder => Decision::Refuse(last.holder),
        Some(last) => Decision::Win(fresh(last.epoch + 1)),
    }
}

/// The variant `dual_owner`: the holder has missed a renewal, so the next who asks takes its place,
/// as if it were the holder itself. That one goes on until its lease is over.
fn promote(last: Option<Grant>, (bidder, bid): (NodeId, u64)) -> Decision {
    match last {
        Some(last) if last.holder != bidder => Decision::Win(Grant { holder: bidder, bid, ..last }),
        _ => decide(last, true, (bidder, bid)),
    }
}

#[cfg(test)]
mod tests {
    use wrack_sim::NodeId;

    use super::{Decision, Grant, decide, promote};

    const HELD: Grant = Grant { epoch: 7, holder: NodeId(0), bid: 40 };

    fn check(runs: bool, bidder: u16, bid: u64, expected: Decision) {
        assert_eq!(decide(Some(HELD), runs, (NodeId(bidder), bid)), expected);
    }

    fn win(bidder: u16, bid: u64) -> Decision {
        Decision::Win(Grant { epoch: 8, holder: NodeId(bidder), bid })
    }

    #[test]
    fn the_holder_goes_on_under_its_epoch_even_if_nobody_asked_in_time() {
        check(true, 0, 40, Decision::Renew(HELD));
        check(false, 0, 40, Decision::Renew(HELD));
    }

    #[test]
    fn somebody_else_wins_a_new_epoch_once_the_lease_has_run_out() {
        check(true, 1, 50, Decision::Refuse(NodeId(0)));
        check(false, 1, 50, win(1, 50));
    }

    #[test]
    fn a_promotion_takes_the_lease_over_as_it_is() {
        let promoted = Grant { epoch: 7, holder: NodeId(1), bid: 50 };
        assert_eq!(promote(Some(HELD), (NodeId(1), 50)), Decision::Win(promoted));
        assert_eq!(promote(Some(HELD), (NodeId(0), 40)), Decision::Renew(HELD));
    }

    #[test]
    fn the_next_life_of_the_holder_wins_a_new_epoch_at_once() {
        check(true, 0, 41, win(0, 41));
    }
}
