//! Who keeps a node down or paused: several faults may at once, and only when the last of them has
//! let go does the node come back.

use super::{Due, Engine, FaultHandle, Node, NodeId, Timed};

/// A fault that keeps a node down or paused.
pub(super) struct Hold {
    pub fault: FaultHandle,
    /// When it lets go by itself, as a trap at a failpoint does; such a trap counts how often it
    /// springs, and nothing else.
    pub until_ns: Option<u64>,
    /// For a pause: whether the node's clocks stand still.
    pub clock_stops: bool,
    /// For a pause: since when, and how long operations had been open by then.
    pub since: (u64, u64),
}

impl Hold {
    /// The fault that counts what the hold touches, if it does.
    pub fn counts_for(&self) -> Option<FaultHandle> {
        self.until_ns.is_none().then_some(self.fault)
    }
}

impl<N: Node> Engine<N> {
    pub(super) fn hold(
        &self,
        fault: FaultHandle,
        until_ns: Option<u64>,
        clock_stops: bool,
    ) -> Hold {
        let since = (self.now, self.record.open_ns(self.now));
        Hold { fault, until_ns, clock_stops, since }
    }

    /// One more fault keeps a node that is down or paused where it is, unless it does already.
    pub(super) fn join(&mut self, id: NodeId, hold: Hold) {
        let member = &mut self.members[id.index()];
        let holds = match &mut member.pause {
            Some(pause) => &mut pause.holds,
            None if member.node.is_none() => &mut member.down,
            None => return,
        };
        if holds.iter().all(|other| other.fault != hold.fault) {
            if hold.clock_stops {
                member.clock.stop(self.now);
            }
            holds.push(hold);
        }
    }

    /// The fault lets go of the node, which comes back at this very instant if it was the last: in
    /// an event of its own, because whoever acts on the world must not run into a design's panic.
    pub(super) fn let_go(&mut self, id: NodeId, fault: FaultHandle) {
        if self.drop_holds(id, |hold| hold.fault == fault) {
            self.plan_return(id, self.now);
        }
    }

    /// At that time it is seen whether the node comes back.
    pub(super) fn plan_return(&mut self, id: NodeId, at_ns: u64) {
        let due = Due::new(at_ns, 0, self.next_sequence());
        let life = self.members[id.index()].life;
        self.timed.push(due, Timed::Return(id, life));
    }

    /// The node boots or goes on, unless somebody still keeps it from that.
    pub(super) fn come_back(&mut self, id: NodeId) {
        let now = self.now;
        self.drop_holds(id, |hold| hold.until_ns.is_some_and(|until| until <= now));
        let member = &self.members[id.index()];
        match &member.pause {
            Some(pause) if pause.holds.is_empty() => self.resume_node(id),
            None if member.node.is_none() && member.down.is_empty() => self.boot_node(id),
            _ => {}
        }
    }

    /// Drops the holds that are over; whether there were any.
    fn drop_holds(&mut self, id: NodeId, over: impl Fn(&Hold) -> bool) -> bool {
        let member = &mut self.members[id.index()];
        let before = member.down.len();
        member.down.retain(|hold| !over(hold));
        let Some(pause) = &mut member.pause else {
            return member.down.len() < before;
        };
        let (gone, kept) =
            std::mem::take(&mut pause.holds).into_iter().partition::<Vec<_>, _>(over);
        let stops = |holds: &[Hold]| holds.iter().any(|hold| hold.clock_stops);
        let clock_goes_on = stops(&gone) && !stops(&kept);
        pause.holds = kept;
        self.count_pauses(&gone);
        if clock_goes_on {
            self.members[id.index()].clock.go_on(self.now);
            self.remap_timers(id);
        }
        !gone.is_empty()
    }

    /// Each pause counts the milliseconds during which operations were open.
    pub(super) fn count_pauses(&mut self, holds: &[Hold]) {
        let open_ns = self.record.open_ns(self.now);
        for hold in holds {
            let (since_ns, open_ns_before) = hold.since;
            let paused_ms = (open_ns - open_ns_before) / 1_000_000;
            if let Some(fault) = hold.counts_for() {
                self.record.touch_span(fault, paused_ms, (since_ns, self.now));
            }
        }
    }
}
