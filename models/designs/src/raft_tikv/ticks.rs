//! The library's time: it counts ticks, and ours come from the node's monotonic clock.

use ::raft::{Config, ProgressState, RawNode, ReadOnlyOption, SnapshotStatus};
use slog::{Discard, Logger, o};
use wrack_history::setting::Delay;
use wrack_sim::{Cluster, Cx, NodeId};

use super::info::Variant;
use super::store::Store;
use super::{Server, Timer, library_id};

/// Timeouts, in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    id: u64,
    pub tick_ns: u64,
    heartbeat: u64,
    /// Election timeouts are drawn from here …
    pub shortest: u64,
    /// … to here.
    longest: u64,
    check_quorum: bool,
    pre_vote: bool,
    message_bytes: u64,
}

impl Ticks {
    pub fn new(cluster: &Cluster, id: NodeId) -> Self {
        let tick_ns = cluster.duration("tick").max(1);
        let flag = |name| cluster.settings.flag(name).expect("it is declared");
        let delay = cluster.settings.delay("election_timeout").expect("it is declared");
        let (shortest_ns, longest_ns) = match delay {
            Delay::Uniform { min_ns, max_ns } => (min_ns, max_ns),
            Delay::Exponential { min_ns, mean_ns } => (min_ns, min_ns + 2 * mean_ns),
            Delay::LogNormal { median_ns, .. } => (median_ns, 2 * median_ns),
        };
        let heartbeat = (cluster.duration("heartbeat") / tick_ns).max(1);
        // The library wants elections to take longer than heartbeats.
        let shortest = (shortest_ns / tick_ns).max(heartbeat + 1);
        Self {
            id: library_id(id),
            tick_ns,
            heartbeat,
            shortest,
            longest: (longest_ns / tick_ns).max(shortest),
            check_quorum: flag("check_quorum"),
            pre_vote: flag("pre_vote"),
            message_bytes: cluster.integer("message_bytes") as u64,
        }
    }

    /// The library, which finds its log in `store`.
    pub fn library(&self, store: Store, variant: Variant) -> RawNode<Store> {
        let config = Config {
            id: self.id,
            election_tick: self.shortest as usize,
            heartbeat_tick: self.heartbeat as usize,
            min_election_tick: self.shortest as usize,
            max_election_tick: self.longest as usize + 1,
            applied: store.base(),
            max_size_per_msg: self.message_bytes,
            // Without it the library refuses leases.
            check_quorum: self.check_quorum || variant == Variant::LeaseReads,
            pre_vote: self.pre_vote,
            read_only_option: match variant {
                Variant::LeaseReads => ReadOnlyOption::LeaseBased,
                _ => ReadOnlyOption::Safe,
            },
            ..Config::default()
        };
        let silent = Logger::root(Discard, o!());
        RawNode::new(&config, store, &silent).expect("the scenario's settings fit the library")
    }
}

impl Server {
    /// One tick.
    pub(super) fn tick(&mut self, cx: &mut Cx<'_, Self>) {
        self.library.tick();
        self.draw_timeout(cx);
        self.report_lost_snapshots();
        cx.arm(Timer::Tick, self.settings.tick_ns);
    }

    /// Wherever the library begins to wait anew it has drawn an election timeout from its thread: before
    /// that counts, another one is drawn from the node's stream.
    pub(super) fn draw_timeout(&mut self, cx: &mut Cx<'_, Self>) {
        if self.library.raft.election_elapsed == 0 {
            let Ticks { shortest, longest, .. } = self.settings;
            let timeout = cx.random().between(shortest, longest) as usize;
            self.library.raft.set_randomized_election_timeout(timeout);
        }
    }

    /// While a follower is sent a snapshot the library sends it nothing else, until somebody says what
    /// became of it. A network says nothing: after an election timeout it counts as lost.
    fn report_lost_snapshots(&mut self) {
        if !self.leads() {
            self.snapshot_ticks.clear();
            return;
        }
        let mut lost = Vec::new();
        for (peer, progress) in self.library.raft.prs().iter() {
            if progress.state != ProgressState::Snapshot {
                self.snapshot_ticks.remove(peer);
                continue;
            }
            let ticks = self.snapshot_ticks.entry(*peer).or_default();
            *ticks += 1;
            if *ticks > self.settings.longest {
                *ticks = 0;
                lost.push(*peer);
            }
        }
        for peer in lost {
            self.library.report_snapshot(peer, SnapshotStatus::Failure);
        }
    }
}
