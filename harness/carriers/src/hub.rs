//! The hub: the one cluster that all pumps of a run share. It gives callbacks, facts and the acts
//! of the nemesis one order.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wrack_history::SmolStr;
use wrack_sim::engine::Boot;
use wrack_sim::engine::carried::LifeChange;
use wrack_sim::{
    Carried, Controller, Engine, EngineConfig, LimitError, Node, NodeId, Observer, Recording,
};

/// What is to be carried.
pub struct Cargo<N: Node, C, O> {
    /// What our own engine would be made for.
    pub config: EngineConfig,
    /// How a member boots.
    pub boot: Boot<N>,
    /// Who injects faults.
    pub controller: C,
    /// Who sees every fact in order.
    pub observer: O,
    /// How many operations there may be about.
    pub operations: usize,
}

/// What was carried, and what became of it.
pub struct Delivered<C, O> {
    /// What was recorded.
    pub recording: Recording,
    /// Who injected faults.
    pub controller: C,
    /// Who saw the facts.
    pub observer: O,
    /// When it ended, in nanoseconds.
    pub end_ns: u64,
    /// A bound that was met.
    pub limit: Option<LimitError>,
}

/// A cluster in the hands of its pumps, which take turns on one thread.
pub struct Hub<N: Node, C, O> {
    cluster: RefCell<Carried<N, C, O>>,
    /// Wakes the pump of a member when another turn gave it something to do, or when it is due.
    bells: Vec<Bell>,
}

impl<N: Node, C: Controller, O: Observer> Hub<N, C, O> {
    /// A hub with all members booted.
    pub fn new(cargo: Cargo<N, C, O>) -> Rc<Self> {
        let Cargo { config, boot, controller, observer, operations } = cargo;
        let mut cluster = Carried::new(config, boot, controller, observer);
        cluster.expect_operations(operations);
        let bells = (0..cluster.members()).map(|_| Bell::default()).collect();
        Rc::new(Self { cluster: RefCell::new(cluster), bells })
    }

    /// The names of all members.
    pub fn names(&self) -> Vec<SmolStr> {
        self.cluster.borrow().names().to_vec()
    }

    /// Whether the run is over, by a bound or as `is_over` says.
    pub fn is_over(&self, is_over: impl Fn(&Engine<N>) -> bool) -> bool {
        let cluster = self.cluster.borrow();
        cluster.is_limited() || is_over(cluster.engine())
    }

    /// Somebody listens for a member from now on.
    pub fn listen(&self, member: NodeId) {
        self.cluster.borrow_mut().listen(member);
    }

    /// Something may be due at a member.
    pub fn turn(&self, member: NodeId, now_ns: u64) {
        self.act(|cluster| cluster.turn(member, now_ns));
    }

    /// A frame reaches a member. What is no frame of this run is left alone.
    pub fn receive(&self, member: NodeId, frame: &[u8]) {
        let _ = self.cluster.borrow_mut().receive(member, frame);
    }

    /// Lets the nemesis act, looks after members that are down, and says who crashed or booted.
    pub fn manage(&self, now_ns: u64) -> Vec<LifeChange> {
        self.act(|cluster| {
            cluster.manage(now_ns);
            cluster.take_changes()
        })
    }

    /// Rings for every member at which something is due by now.
    pub fn ring_due(&self, now_ns: u64) {
        for (member, bell) in (0..).map(NodeId).zip(&self.bells) {
            if self.next_due_ns(member).is_some_and(|due_ns| due_ns <= now_ns) {
                bell.ring();
            }
        }
    }

    /// Hands what a member has to send to `send`, in order; nothing once a bound was met. While it
    /// sends, the hub is held: it must not be asked anything.
    pub fn send(&self, member: NodeId, mut send: impl FnMut(NodeId, &[u8])) {
        let mut cluster = self.cluster.borrow_mut();
        let is_limited = cluster.is_limited();
        cluster.outbox(member).empty(|to, frame| {
            if !is_limited {
                send(to, frame);
            }
        });
    }

    /// When something is due at a member next; never again once a bound was met.
    pub fn next_due_ns(&self, member: NodeId) -> Option<u64> {
        let cluster = self.cluster.borrow();
        cluster.next_due_ns(member).filter(|_| !cluster.is_limited())
    }

    /// When [`Hub::manage`] has something to do.
    pub fn next_managed_ns(&self) -> u64 {
        self.cluster.borrow().next_managed_ns()
    }

    /// A pump looks at everything that its bell has rung for.
    pub fn hush(&self, member: NodeId) {
        self.bells[member.index()].has_rung.set(false);
    }

    /// Waits until the bell of the member rings.
    pub async fn bell(&self, member: NodeId) {
        let bell = &self.bells[member.index()];
        poll_fn(|cx| bell.poll(cx)).await;
    }

    fn act<R>(&self, act: impl FnOnce(&mut Carried<N, C, O>) -> R) -> R {
        let mut cluster = self.cluster.borrow_mut();
        let result = act(&mut cluster);
        cluster.take_stirred(|member| self.bells[member.index()].ring());
        result
    }

    /// Ends the run.
    ///
    /// # Panics
    /// If a pump still runs.
    pub fn finish(self: Rc<Self>, now_ns: u64) -> Delivered<C, O> {
        let hub = Rc::try_unwrap(self).ok().expect("every pump has ended");
        let cluster = hub.cluster.into_inner();
        let (engine, controller, observer, limit) = cluster.finish(now_ns);
        let end_ns = engine.now_ns();
        Delivered { recording: engine.finish(), controller, observer, end_ns, limit }
    }
}

/// Wakes one pump, which is on the same thread. What rings while nobody waits is heard later.
#[derive(Default)]
struct Bell {
    has_rung: Cell<bool>,
    waits: Cell<Option<Waker>>,
}

impl Bell {
    fn ring(&self) {
        self.has_rung.set(true);
        if let Some(waker) = self.waits.take() {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        if self.has_rung.take() {
            return Poll::Ready(());
        }
        self.waits.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}
