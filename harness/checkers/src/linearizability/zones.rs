//! Blocks and zones of a register whose values are unique. [`super::register`] has the proof.

use wrack_sequential::cas_register::Step;

use super::call::Call;

/// What the zones say.
#[derive(Debug)]
pub(super) enum Zones {
    /// The changes, in an order in which they and all reads are legal.
    Plan(Vec<u32>),
    /// Operations that contradict each other.
    Contradiction(Vec<u32>),
}

/// The cluster of the initial value.
const INITIAL: usize = wrack_sequential::INITIAL as usize;
/// No cluster, no call.
const NONE: u32 = u32::MAX;

/// A change and the reads of its value.
struct Cluster {
    /// The change; none for the initial value.
    change: u32,
    /// Of its reads the one that completed first, and the one that was invoked last.
    reads: Option<(u32, u32)>,
    /// The cluster of the value that its cas expected.
    previous: u32,
    /// The cluster of the cas that expected its value.
    next: u32,
}

/// Clusters linked by cas.
struct Block {
    /// Its first cluster.
    root: u32,
    /// Index of its first completion, plus 1; 0 if the initial value is in it.
    first: u64,
    /// Index of its last invocation, plus 1.
    last: u64,
    /// The calls of which these are.
    first_call: u32,
    last_call: u32,
}

/// Decides whether the required calls, but for refused cas, have a legal order.
pub(super) fn zones(calls: &[Call<Step>], values: usize) -> Zones {
    let clusters = match Clusters::new(calls, values) {
        Ok(clusters) => clusters,
        Err(among) => return Zones::Contradiction(among),
    };
    match clusters.blocks().and_then(|blocks| clusters.order(blocks)) {
        Ok(blocks) => Zones::Plan(clusters.plan(&blocks)),
        Err(among) => Zones::Contradiction(among),
    }
}

struct Clusters<'a> {
    calls: &'a [Call<Step>],
    clusters: Vec<Cluster>,
    /// The cluster of each call.
    cluster_of: Vec<u32>,
}

/// Operations that contradict each other, by their positions within the key.
type Contradiction = Vec<u32>;

impl<'a> Clusters<'a> {
    fn new(calls: &'a [Call<Step>], values: usize) -> Result<Self, Contradiction> {
        let mut clusters = Vec::with_capacity(calls.len() + 1);
        clusters.push(Cluster::of(NONE));
        let mut this = Self { calls, clusters, cluster_of: vec![NONE; calls.len()] };
        let mut cluster_of_value = vec![NONE; values];
        cluster_of_value[INITIAL] = INITIAL as u32;
        for (index, call) in this.required() {
            if let Step::Write(value) | Step::Cas { new: value, .. } = call.step {
                let cluster = this.clusters.len() as u32;
                cluster_of_value[value as usize] = cluster;
                this.cluster_of[index as usize] = cluster;
                this.clusters.push(Cluster::of(index));
            }
        }
        for (index, call) in this.required() {
            match call.step {
                Step::Read(Some(value)) => {
                    this.add_read(index, cluster_of_value[value as usize])?;
                }
                Step::Cas { expected, .. } => {
                    this.link(index, cluster_of_value[expected as usize])?;
                }
                _ => (),
            }
        }
        Ok(this)
    }

    fn required(&self) -> impl Iterator<Item = (u32, &'a Call<Step>)> + use<'a> {
        let calls = self.calls.iter().enumerate();
        calls.filter(|(_, call)| call.required).map(|(index, call)| (index as u32, call))
    }

    fn add_read(&mut self, read: u32, cluster: u32) -> Result<(), Contradiction> {
        if cluster == NONE {
            return Err(self.operations([read]));
        }
        self.cluster_of[read as usize] = cluster;
        let calls = self.calls;
        let reads = &mut self.clusters[cluster as usize].reads;
        let (first, last) = reads.unwrap_or((read, read));
        let complete = |call: u32| calls[call as usize].complete;
        let invoke = |call: u32| calls[call as usize].invoke;
        *reads = Some((
            if complete(read) < complete(first) { read } else { first },
            if invoke(read) > invoke(last) { read } else { last },
        ));
        Ok(())
    }

    /// Puts the cluster of a cas behind that of the value it expected.
    fn link(&mut self, cas: u32, previous: u32) -> Result<(), Contradiction> {
        if previous == NONE {
            return Err(self.operations([cas]));
        }
        let cluster = self.cluster_of[cas as usize];
        let Cluster { next, change, .. } = &mut self.clusters[previous as usize];
        if *next != NONE {
            let (other, change) = (*next, *change);
            let rival = self.clusters[other as usize].change;
            return Err(self.operations([change, rival, cas]));
        }
        *next = cluster;
        self.clusters[cluster as usize].previous = previous;
        Ok(())
    }

    /// The blocks, each in order by itself.
    fn blocks(&self) -> Result<Vec<Block>, Contradiction> {
        let roots = (0..self.clusters.len() as u32)
            .filter(|cluster| self.clusters[*cluster as usize].previous == NONE);
        let mut members = 0;
        let mut blocks = Vec::with_capacity(self.clusters.len());
        for root in roots {
            let (block, size) = self.block(root)?;
            members += size;
            blocks.push(block);
        }
        if members < self.clusters.len() {
            return Err(self.ring());
        }
        Ok(blocks)
    }

    /// The block that begins with a cluster, and how many clusters it has.
    fn block(&self, root: u32) -> Result<(Block, usize), Contradiction> {
        let initial = root as usize == INITIAL;
        let mut block = Block {
            root,
            first: if initial { 0 } else { u64::MAX },
            last: 0,
            first_call: NONE,
            last_call: NONE,
        };
        let mut size = 0;
        for cluster in self.chain(root) {
            size += 1;
            let Cluster { change, reads, .. } = self.clusters[cluster as usize];
            if change != NONE {
                self.put(&mut block, change, change)?;
            }
            if let Some((first, last)) = reads {
                self.put(&mut block, first, last)?;
            }
        }
        Ok((block, size))
    }

    /// Appends calls to a block: one cluster's change, or its reads by their extremes.
    fn put(&self, block: &mut Block, first: u32, last: u32) -> Result<(), Contradiction> {
        let complete = self.calls[first as usize].complete.saturating_add(1);
        let invoke = self.calls[last as usize].invoke + 1;
        if complete < block.last {
            return Err(self.path(block.last_call, first));
        }
        if complete < block.first {
            (block.first, block.first_call) = (complete, first);
        }
        if invoke > block.last {
            (block.last, block.last_call) = (invoke, last);
        }
        Ok(())
    }

    /// The blocks in a legal order.
    fn order(&self, mut blocks: Vec<Block>) -> Result<Vec<Block>, Contradiction> {
        blocks.sort_by_key(|block| (block.first.saturating_add(block.last), block.root));
        let mut latest: Option<&Block> = None;
        for block in &blocks {
            if let Some(before) = latest
                && block.first < before.last
            {
                return Err(self.conflict(before, block));
            }
            if latest.is_none_or(|before| before.last < block.last) {
                latest = Some(block);
            }
        }
        Ok(blocks)
    }

    fn plan(&self, blocks: &[Block]) -> Vec<u32> {
        let clusters = blocks.iter().flat_map(|block| self.chain(block.root));
        clusters
            .map(|cluster| self.clusters[cluster as usize].change)
            .filter(|change| *change != NONE)
            .collect()
    }

    fn chain(&self, root: u32) -> impl Iterator<Item = u32> {
        let next = |cluster: &u32| Some(self.clusters[*cluster as usize].next);
        std::iter::successors(Some(root), move |cluster| next(cluster).filter(|next| *next != NONE))
    }

    /// What holds two blocks together and apart.
    fn conflict(&self, x: &Block, y: &Block) -> Contradiction {
        let mut among = Vec::new();
        for block in [x, y] {
            let ends = [block.first_call, block.last_call].map(|call| match call {
                NONE => block.root,
                call => self.cluster_of[call as usize],
            });
            among.extend(self.between(ends[0], ends[1]));
            among.extend([block.first_call, block.last_call]);
        }
        self.operations(among)
    }

    /// Two calls of one block that stand in the wrong order, and what links them.
    fn path(&self, earlier: u32, later: u32) -> Contradiction {
        let ends = [earlier, later].map(|call| self.cluster_of[call as usize]);
        let mut among = self.between(ends[0], ends[1]);
        among.extend([earlier, later]);
        self.operations(among)
    }

    /// The changes from one cluster of a block to another, both included.
    fn between(&self, one: u32, other: u32) -> Vec<u32> {
        let upto = |from: u32, to: u32| {
            let mut changes = Vec::new();
            for cluster in self.chain(from) {
                changes.push(self.clusters[cluster as usize].change);
                if cluster == to {
                    return Some(changes);
                }
            }
            None
        };
        upto(one, other).or_else(|| upto(other, one)).expect("clusters of one block are linked")
    }

    /// Cas that expect each other's values in a circle.
    fn ring(&self) -> Contradiction {
        let mut reached = vec![false; self.clusters.len()];
        for root in 0..self.clusters.len() as u32 {
            if self.clusters[root as usize].previous == NONE {
                self.chain(root).for_each(|cluster| reached[cluster as usize] = true);
            }
        }
        let start = reached.iter().position(|reached| !reached);
        let start = start.expect("some cluster is in no block") as u32;
        let mut ring = vec![self.clusters[start as usize].change];
        for cluster in self.chain(start).skip(1).take_while(|cluster| *cluster != start) {
            ring.push(self.clusters[cluster as usize].change);
        }
        self.operations(ring)
    }

    fn operations(&self, calls: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let calls = calls.into_iter().filter(|call| *call != NONE);
        let mut operations: Vec<u32> =
            calls.map(|call| self.calls[call as usize].operation).collect();
        operations.sort_unstable();
        operations.dedup();
        operations
    }
}

impl Cluster {
    fn of(change: u32) -> Self {
        Self { change, reads: None, previous: NONE, next: NONE }
    }
}
