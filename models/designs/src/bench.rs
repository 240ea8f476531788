//! A bench for tests by hand: one node of a design with its disk, messages in, effects out.

use std::sync::Arc;

use wrack_history::{Setting, SmolStr, Value};
use wrack_sim::chance::Purpose;
use wrack_sim::node::{Effect, Effects, LazyStream, Payload};
use wrack_sim::{
    Cluster, Context, Control, Cx, Design, Disk, DiskError, Idempotency, Node, NodeId, Reply,
    Request, Tag, Wire,
};

/// What a node sent.
pub type Sent<D> = Vec<(NodeId, Wire<<D as Design>::Peer>)>;

/// One node with its disk, whose syncs come back when the test says so.
pub struct Bench<D: Design> {
    cluster: Cluster,
    id: NodeId,
    node: D::Node,
    disk: Disk,
    stream: LazyStream,
    tags: Vec<u64>,
    /// Its monotonic clock.
    pub now_ns: u64,
}

impl<D: Design> Bench<D> {
    /// The node at this place, in this variant of the design.
    pub fn new(variant: &str, id: u16) -> Self {
        Self::with(variant, id, &[])
    }

    /// The same, with some parameters.
    pub fn with(variant: &str, id: u16, parameters: &[(&str, Setting)]) -> Self {
        let mut settings = wrack_history::catalogue::defaults(D::INFO.parameters);
        for (name, setting) in parameters {
            settings = settings.with(name, setting.clone());
        }
        let names = (D::INFO.nodes)(&settings);
        let cluster = Cluster { names, settings, variant: variant.into() };
        let id = NodeId(id);
        let mut bench = Self {
            node: D::boot(&cluster, id),
            cluster,
            id,
            disk: Disk::default(),
            stream: LazyStream::new(1, Purpose::Node, u64::from(id.0), 0),
            tags: Vec::new(),
            now_ns: 1,
        };
        bench.call(|node, cx| node.start(cx));
        bench
    }

    /// A callback; gives what it sent.
    pub fn call(&mut self, act: impl FnOnce(&mut D::Node, &mut Cx<'_, D::Node>)) -> Sent<D> {
        let mut effects = Effects::default();
        let clocks = (self.now_ns, self.now_ns);
        let mut cx = Context::new(self.id, clocks, &mut self.stream, &self.disk, &mut effects);
        act(&mut self.node, &mut cx);
        let mut sent = Vec::new();
        for effect in effects.list {
            match effect {
                Effect::Send { to, message } => sent.push((to, effects.messages.take(message))),
                Effect::Append(range) => {
                    self.disk.append(&effects.bytes[range.start as usize..range.end as usize]);
                }
                Effect::Sync { tag } => self.tags.push(tag),
                _ => {}
            }
        }
        sent
    }

    /// A message of another node.
    pub fn receive(&mut self, from: u16, peer: D::Peer) -> Sent<D> {
        self.call(|node, cx| node.on_message(NodeId(from), Wire::Peer(peer), cx))
    }

    /// What a client asks.
    pub fn ask(&mut self, request: &Arc<Request>) -> Sent<D> {
        let message = Wire::Request(Arc::clone(request));
        self.call(|node, cx| node.on_message(request.client, message, cx))
    }

    /// What somebody outside asks.
    pub fn control(&mut self, control: &Control) {
        self.call(|node, cx| node.on_control(control, cx));
    }

    /// All syncs come back, and those that follow from them.
    pub fn synced(&mut self) -> Sent<D> {
        let mut sent = Vec::new();
        while let Some(tag) = self.tags.pop() {
            let point = self.disk.sync_point();
            self.disk.make_durable(point);
            sent.extend(self.call(|node, cx| node.on_synced(tag, Ok(()), cx)));
        }
        sent
    }

    /// All syncs fail.
    pub fn sync_fails(&mut self) {
        self.disk.crash(wrack_sim::disk::CrashTail::default());
        for tag in std::mem::take(&mut self.tags) {
            self.call(|node, cx| node.on_synced(tag, Err(DiskError::Io), cx));
        }
    }

    /// The node loses its memory, and what its disk had not synced; gives what it sends at its boot.
    pub fn restart(&mut self) -> Sent<D> {
        self.disk.crash(wrack_sim::disk::CrashTail::default());
        self.tags.clear();
        self.node = D::boot(&self.cluster, self.id);
        self.call(|node, cx| node.start(cx))
    }
}

/// The client of all requests.
pub const CLIENT: NodeId = NodeId(99);

/// A client's read of the key `k`.
pub fn read(number: u64) -> Arc<Request> {
    request(number, "read", Value::Nil)
}

/// A client's write of its number to the key `k`.
pub fn write(number: u64) -> Arc<Request> {
    request(number, "write", Value::Integer(number as i64))
}

fn request(number: u64, function: &'static str, argument: Value) -> Arc<Request> {
    Arc::new(Request {
        tag: Tag::of(number),
        client: CLIENT,
        number,
        idempotency: Some(Idempotency { session: 1, sequence: number }),
        key: "k".into(),
        function: SmolStr::new_static(function),
        argument,
    })
}

/// The values that clients were told.
pub fn told<P: Payload>(sent: &[(NodeId, Wire<P>)]) -> Vec<Value> {
    let told = sent.iter().filter_map(|(_, message)| match message {
        Wire::Response(response) => Some(&response.reply),
        _ => None,
    });
    let value = |reply: &Reply| match reply {
        Reply::Ok(value) => value.clone(),
        other => panic!("not ok: {other:?}"),
    };
    told.map(value).collect()
}

/// What nodes were sent.
pub fn peers<P: Payload>(sent: Vec<(NodeId, Wire<P>)>) -> Vec<(NodeId, P)> {
    let peer = |(to, message)| match message {
        Wire::Peer(peer) => Some((to, peer)),
        _ => None,
    };
    sent.into_iter().filter_map(peer).collect()
}
