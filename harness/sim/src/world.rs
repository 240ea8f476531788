//! The world as the nemesis sees it: what can be done to a run from outside.

use wrack_history::history::NemesisEvent;
use wrack_history::setting::Delay;
use wrack_history::{Fact, FactRecord, SmolStr};

use crate::chance::Stream;
use crate::disk::{CrashTail, Damage};
use crate::network::{FaultHandle, LinkRule, RuleId};
use crate::node::{Control, NodeId};
use crate::record::FaultEffect;

/// What a failpoint does when it is hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailpointAction {
    /// The node crashes there, and boots again after so long.
    Crash {
        /// Nanoseconds until it boots again.
        down_ns: u64,
    },
    /// The node pauses there, for so long.
    Pause {
        /// Nanoseconds until it goes on.
        pause_ns: u64,
        /// Whether its clocks stand still meanwhile.
        clock_stops: bool,
    },
}

/// A failpoint with a trap in it.
#[derive(Clone, Debug)]
pub struct Trap {
    /// Stable identity: its draws are keyed by it.
    pub id: u64,
    /// The failpoint's name.
    pub failpoint: SmolStr,
    /// Only on this node; any if absent.
    pub node: Option<NodeId>,
    /// Which hit springs it, counted from 1 from now on; with a chance, the first to be eligible.
    pub nth: u32,
    /// Each eligible hit springs it with this probability, in millionths.
    pub per_million: u32,
    /// How often it may spring.
    pub times: u32,
    /// What happens.
    pub action: FailpointAction,
}

/// What a fault does to a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskFault {
    /// Stable identity: its draws are keyed by it.
    pub id: u64,
    /// Share of syncs, in millionths; of no meaning for a full disk.
    pub per_million: u32,
    /// What happens to them.
    pub trouble: DiskTrouble,
}

/// What is wrong with a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskTrouble {
    /// A sync takes longer by so much.
    Slow(Delay),
    /// A sync comes back without having done anything.
    Lying,
    /// A sync fails.
    Error,
    /// The disk is full, or will be.
    Full {
        /// So many bytes fit beyond what the disk holds now.
        spare_bytes: usize,
    },
}

/// Which uses of a node's clocks count as touched by a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockUse {
    /// Reads of the wall clock.
    Wall,
    /// Reads of either clock, and timers armed.
    Any,
}

/// What a crash draws for the records that were not durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TailChance {
    /// The probability that some unsynced records survive, in millionths.
    pub lucky_per_million: u32,
    /// The probability that the next one is torn, in millionths.
    pub torn_per_million: u32,
}

impl TailChance {
    /// Draws what a crash leaves of `unsynced` records.
    pub fn draw(self, stream: &mut Stream, unsynced: usize) -> CrashTail {
        let lucky = stream.chance(self.lucky_per_million);
        let lucky_records = if lucky { stream.between(0, unsynced as u64) as usize } else { 0 };
        let torn = stream.chance(self.torn_per_million);
        let torn_bytes = if torn { stream.between(1, 16) as usize } else { 0 };
        CrashTail { lucky_records, torn_bytes }
    }
}

/// What can be done to a run, and seen of it, from outside. Only the nemesis holds one.
pub trait World {
    /// True time, in nanoseconds since the run began.
    fn now_ns(&self) -> u64;
    /// The seed of the run.
    fn seed(&self) -> u64;
    /// Names of nodes, then of clients.
    fn names(&self) -> &[SmolStr];
    /// How many of them are servers.
    fn servers(&self) -> usize;
    /// Whether the node is up, paused or not.
    fn is_up(&self, node: NodeId) -> bool;
    /// The role that the node last claimed since it booted, and its epoch.
    fn role(&self, node: NodeId) -> Option<(SmolStr, u64)>;
    /// Time so far during which an operation was open, in nanoseconds.
    fn open_ns(&self) -> u64;

    /// Starts to count what a fault touches.
    fn open_fault(&mut self) -> FaultHandle;
    /// Counts something that the fault touched.
    fn touch(&mut self, fault: FaultHandle, count: u64);
    /// What the fault touched so far.
    fn effect(&self, fault: FaultHandle) -> FaultEffect;
    /// Writes into the history that the nemesis acted.
    fn record(&mut self, event: NemesisEvent);

    /// Lays a rule on links.
    fn add_rule(&mut self, fault: FaultHandle, rule: LinkRule) -> RuleId;
    /// Removes a rule; what it held back is sent on.
    fn remove_rule(&mut self, rule: RuleId);
    /// Crashes a node, and keeps it down until the fault lets go of it; a node that is down already
    /// is only kept down.
    fn crash(&mut self, fault: FaultHandle, node: NodeId, tail: TailChance);
    /// Pauses a node until the fault lets go of it; a node that is paused already is only kept so,
    /// and one that is down is left alone.
    fn pause(&mut self, fault: FaultHandle, node: NodeId, clock_stops: bool);
    /// The fault lets go of a node that it keeps down or paused: it boots or goes on at this very
    /// instant, but after the caller is done, and only if no other fault keeps it.
    fn release(&mut self, fault: FaultHandle, node: NodeId);
    /// Moves the wall clock of a node.
    fn step_clock(&mut self, node: NodeId, offset_ns: i64);
    /// Counts uses of the node's clocks for the fault, until [`World::forget_clock`].
    fn watch_clock(&mut self, fault: FaultHandle, node: NodeId, what: ClockUse);
    /// No longer counts uses of the node's clocks for the fault.
    fn forget_clock(&mut self, fault: FaultHandle, node: NodeId);
    /// Says by how much the fault makes a node's clocks run faster than true time, in millionths;
    /// several faults add up.
    fn set_drift(&mut self, fault: FaultHandle, node: NodeId, ppm: i32);
    /// Lays a fault on the disk of a node.
    fn add_disk_fault(&mut self, fault: FaultHandle, node: NodeId, what: DiskFault);
    /// Removes it.
    fn remove_disk_fault(&mut self, fault: FaultHandle, node: NodeId);
    /// How many records are on the disk of a node, durable or not.
    fn records(&self, node: NodeId) -> usize;
    /// Damages a record on the disk of a node; nothing, if there is no such record.
    fn damage_record(&mut self, fault: FaultHandle, node: NodeId, record: usize, damage: Damage);
    /// Replaces the disk of a node by an empty one. The node must be down: it does not notice
    /// otherwise.
    fn replace_disk(&mut self, fault: FaultHandle, node: NodeId);
    /// Asks something of a node, until it is ended: instead of what the fault asked of it before. A
    /// node that is down or paused hears it when it is back.
    fn control(&mut self, fault: FaultHandle, node: NodeId, control: Control);
    /// The fault no longer asks it of the node.
    fn end_control(&mut self, fault: FaultHandle, node: NodeId);
    /// Sets a trap at a failpoint.
    fn set_trap(&mut self, fault: FaultHandle, trap: Trap);
    /// Removes all traps of the fault; who is down or paused by one comes back at once.
    fn remove_traps(&mut self, fault: FaultHandle);
}

/// Which facts a controller wants to see: each costs a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// None.
    Nothing,
    /// Who claims which role.
    Roles,
    /// All of them.
    Everything,
}

impl Watched {
    /// Whether this fact is among them.
    pub fn covers(self, fact: &Fact) -> bool {
        match self {
            Self::Nothing => false,
            Self::Roles => matches!(fact, Fact::Role { .. }),
            Self::Everything => true,
        }
    }
}

/// Who acts on a run from outside, at times and on facts: the nemesis.
pub trait Controller {
    /// When it wants to act next, in true time.
    fn next_ns(&self) -> Option<u64>;
    /// That time has come.
    fn act(&mut self, world: &mut dyn World);
    /// Which facts it wants to see.
    fn watched(&self) -> Watched;
    /// A node noted a fact; its callback has ended.
    fn on_fact(&mut self, record: &FactRecord, world: &mut dyn World);
}

/// Nobody acts.
impl Controller for () {
    fn next_ns(&self) -> Option<u64> {
        None
    }

    fn act(&mut self, _: &mut dyn World) {}

    fn watched(&self) -> Watched {
        Watched::Nothing
    }

    fn on_fact(&mut self, _: &FactRecord, _: &mut dyn World) {}
}

/// Who sees every fact in order.
pub trait Observer {
    /// The next facts. They come soon after they were noted, and before the run returns.
    fn facts(&mut self, records: &[FactRecord]);
}

/// Nobody looks.
impl Observer for () {
    fn facts(&mut self, _: &[FactRecord]) {}
}
