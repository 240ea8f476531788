//! The second way to write a node: an `async fn` that reads from top to bottom.
//!
//! A [`Flow`] *is* a [`Node`]: each callback of the engine polls the future once. State machines
//! suit consensus and replication; flows suit relays, sagas, stores and clients.
//!
//! ```
//! use wrack_sim::{Flow, FlowContext, NodeId};
//!
//! // Answers every message with its double, a millisecond later.
//! async fn doubler(cx: FlowContext<u64>) {
//!     loop {
//!         let (from, number) = cx.recv().await;
//!         cx.sleep(1_000_000).await;
//!         cx.send(from, 2 * number);
//!     }
//! }
//! let node = Flow::new(doubler);
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Poll, Waker};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wrack_history::{Fact, Settings, SmolStr, Value};

use crate::chance::{Purpose, Stream};
use crate::clock::Reading;
use crate::disk::{Disk, DiskError, Recovered};
use crate::node::{Context, Control, Cx, Effects, LazyStream, Node, NodeId, Payload, Tag};

/// What a flow and its node share.
struct Shared<M> {
    id: NodeId,
    clocks: Reading,
    stream: LazyStream,
    effects: Effects<M>,
    disk: Disk,
    inbox: VecDeque<(NodeId, M)>,
    next_timer: u64,
    fired: Vec<u64>,
    next_sync: u64,
    /// How many writes there were, and how many of them the last good sync was asked for.
    written: u64,
    durable: u64,
    synced: Vec<(u64, Result<(), DiskError>)>,
    /// What is asked of the node now.
    controls: Vec<Control>,
}

impl<M> Default for Shared<M> {
    fn default() -> Self {
        Self {
            id: NodeId(0),
            clocks: Reading::default(),
            stream: LazyStream::new(0, Purpose::Node, 0, 0),
            effects: Effects::default(),
            disk: Disk::default(),
            inbox: VecDeque::new(),
            next_timer: 0,
            fired: Vec::new(),
            next_sync: 0,
            written: 0,
            durable: 0,
            synced: Vec::new(),
            controls: Vec::new(),
        }
    }
}

/// An `async fn` as a node.
pub struct Flow<M> {
    shared: Rc<RefCell<Shared<M>>>,
    /// Absent once it has returned: the node then ignores everything.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl<M: 'static> Flow<M> {
    /// The node that runs `flow` from its start at every boot.
    pub fn new<F: Future<Output = ()> + 'static>(
        flow: impl FnOnce(FlowContext<M>) -> F + 'static,
    ) -> Self {
        let shared = Rc::new(RefCell::new(Shared::default()));
        let cx = FlowContext { shared: Rc::clone(&shared) };
        Self { shared, future: Some(Box::pin(async move { flow(cx).await })) }
    }

    fn poll(&mut self, cx: &mut Context<'_, M, u64>, event: impl FnOnce(&mut Shared<M>)) {
        let Some(future) = &mut self.future else {
            return;
        };
        {
            let shared = &mut *self.shared.borrow_mut();
            shared.id = cx.id;
            shared.clocks = cx.clocks;
            std::mem::swap(&mut shared.stream, cx.stream);
            std::mem::swap(&mut shared.effects, cx.effects);
            event(shared);
        }
        let waker = &mut std::task::Context::from_waker(Waker::noop());
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(waker)));
        let shared = &mut *self.shared.borrow_mut();
        std::mem::swap(&mut shared.stream, cx.stream);
        std::mem::swap(&mut shared.effects, cx.effects);
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(())) => self.future = None,
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl<M: Payload> Node for Flow<M> {
    type Message = M;
    type Timer = u64;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        let disk = cx.disk.clone();
        self.poll(cx, |shared| shared.disk = disk);
    }

    fn on_message(&mut self, from: NodeId, message: M, cx: &mut Cx<'_, Self>) {
        self.poll(cx, |shared| shared.inbox.push_back((from, message)));
    }

    fn on_timer(&mut self, timer: u64, cx: &mut Cx<'_, Self>) {
        self.poll(cx, |shared| shared.fired.push(timer));
    }

    fn on_synced(&mut self, tag: u64, result: Result<(), DiskError>, cx: &mut Cx<'_, Self>) {
        self.poll(cx, |shared| shared.synced.push((tag, result)));
    }

    fn on_control(&mut self, control: &Control, cx: &mut Cx<'_, Self>) {
        self.poll(cx, |shared| {
            shared.controls.retain(|other| other.name != control.name);
            if !control.is_over {
                shared.controls.push(control.clone());
            }
        });
    }
}

/// All that a flow sees of the world. Its calls mean what those of [`Context`] mean.
pub struct FlowContext<M> {
    shared: Rc<RefCell<Shared<M>>>,
}

impl<M> Clone for FlowContext<M> {
    fn clone(&self) -> Self {
        Self { shared: Rc::clone(&self.shared) }
    }
}

impl<M> FlowContext<M> {
    /// Runs `act` with the plain context of the callback that polls the flow now.
    fn with<R>(&self, act: impl FnOnce(&mut Context<'_, M, u64>) -> R) -> R {
        let shared = &mut *self.shared.borrow_mut();
        let Shared { id, clocks, stream, effects, disk, .. } = shared;
        act(&mut Context::at(*id, *clocks, stream, disk, effects))
    }

    /// Who the node is.
    pub fn id(&self) -> NodeId {
        self.with(|cx| cx.id())
    }

    /// The monotonic clock, in nanoseconds.
    pub fn now(&self) -> u64 {
        self.with(|cx| cx.now())
    }

    /// The wall clock, in nanoseconds since 1970.
    pub fn wall(&self) -> u64 {
        self.with(|cx| cx.wall())
    }

    /// Draws from the node's own random stream.
    pub fn random<R>(&self, draw: impl FnOnce(&mut Stream) -> R) -> R {
        self.with(|cx| draw(cx.random()))
    }

    /// The log as the disk held it when the node booted.
    pub fn recover<R: DeserializeOwned>(&self) -> Recovered<R> {
        self.with(|cx| cx.disk().recover())
    }

    /// A named cell as the disk held it when the node booted.
    pub fn cell<V: DeserializeOwned>(&self, name: &str) -> Result<Option<V>, DiskError> {
        self.with(|cx| cx.disk().cell(name))
    }

    /// What is asked of the node from outside under this name, as long as it is.
    pub fn control(&self, name: &str) -> Option<Settings> {
        let shared = self.shared.borrow();
        let control = shared.controls.iter().find(|control| control.name == name);
        control.map(|control| control.settings.clone())
    }

    /// Says how much the control of this name touched.
    pub fn touched(&self, control: &'static str, count: u64) {
        self.with(|cx| cx.touched(control, count));
    }

    /// Sends a message.
    pub fn send(&self, to: NodeId, message: M) {
        self.with(|cx| cx.send(to, message));
    }

    /// Appends a record to the log.
    pub fn append(&self, record: &impl Serialize) {
        self.shared.borrow_mut().written += 1;
        self.with(|cx| cx.append(record));
    }

    /// Writes a named cell.
    pub fn put(&self, cell: &'static str, value: &impl Serialize) {
        self.shared.borrow_mut().written += 1;
        self.with(|cx| cx.put(cell, value));
    }

    /// Keeps the first `records` of the log.
    pub fn truncate(&self, records: usize) {
        self.with(|cx| cx.truncate(records));
    }

    /// Notes a fact.
    pub fn note(&self, fact: Fact) {
        self.with(|cx| cx.note(fact));
    }

    /// Notes that an operation took effect.
    pub fn effect(&self, tag: Tag, key: &SmolStr, value: &Value, position: u64) {
        self.with(|cx| cx.effect(tag, key, value, position));
    }

    /// A named place where the nemesis may cut.
    pub fn failpoint(&self, name: &'static str) {
        self.with(|cx| cx.failpoint(name));
    }

    /// States what must hold.
    #[track_caller]
    pub fn always(&self, name: &'static str, condition: bool) {
        // Not in a closure: the assertion names the place of its caller.
        let shared = &mut *self.shared.borrow_mut();
        let Shared { id, clocks, stream, effects, disk, .. } = shared;
        let cx = &mut Context::<M, u64>::at(*id, *clocks, stream, disk, effects);
        cx.always(name, condition);
    }

    /// States that a situation worth reaching was reached.
    pub fn sometimes(&self, name: &'static str) {
        self.with(|cx| cx.sometimes(name));
    }

    /// The next message, in the order of arrival. Dropping the future loses none.
    pub async fn recv(&self) -> (NodeId, M) {
        poll_fn(|_| match self.shared.borrow_mut().inbox.pop_front() {
            Some(message) => Poll::Ready(message),
            None => Poll::Pending,
        })
        .await
    }

    /// All messages that are there, in the order of arrival; waits for one if there is none.
    pub async fn recv_all(&self) -> Vec<(NodeId, M)> {
        poll_fn(|_| match std::mem::take(&mut self.shared.borrow_mut().inbox) {
            empty if empty.is_empty() => Poll::Pending,
            messages => Poll::Ready(messages.into()),
        })
        .await
    }

    /// Waits on the node's monotonic clock.
    pub async fn sleep(&self, ns: u64) {
        let timer = {
            let shared = &mut *self.shared.borrow_mut();
            shared.next_timer += 1;
            shared.next_timer - 1
        };
        self.with(|cx| cx.arm(timer, ns));
        let mut armed = Armed { cx: self, timer, fired: false };
        poll_fn(|_| {
            let fired = &mut self.shared.borrow_mut().fired;
            match fired.iter().position(|other| *other == timer) {
                Some(place) => {
                    fired.swap_remove(place);
                    armed.fired = true;
                    Poll::Ready(())
                }
                None => Poll::Pending,
            }
        })
        .await;
    }

    /// Whether everything that was written since the boot is durable, as far as the disk says.
    pub fn is_durable(&self) -> bool {
        let shared = self.shared.borrow();
        shared.durable == shared.written
    }

    /// Makes durable what was appended so far, and waits for it.
    pub async fn sync(&self) -> Result<(), DiskError> {
        let (tag, written) = {
            let shared = &mut *self.shared.borrow_mut();
            shared.next_sync += 1;
            (shared.next_sync - 1, shared.written)
        };
        self.with(|cx| cx.sync(tag));
        poll_fn(|_| {
            let shared = &mut *self.shared.borrow_mut();
            let place = shared.synced.iter().position(|(other, _)| *other == tag);
            let Some(place) = place else { return Poll::Pending };
            let (_, result) = shared.synced.swap_remove(place);
            if result.is_ok() {
                shared.durable = shared.durable.max(written);
            }
            Poll::Ready(result)
        })
        .await
    }

    /// The outcome of `future`, or `None` if it takes longer than `timeout_ns`.
    pub async fn within<R>(&self, timeout_ns: u64, future: impl Future<Output = R>) -> Option<R> {
        let mut future = pin!(future);
        let mut timeout = pin!(self.sleep(timeout_ns));
        poll_fn(|waker| {
            if let Poll::Ready(result) = future.as_mut().poll(waker) {
                return Poll::Ready(Some(result));
            }
            timeout.as_mut().poll(waker).map(|()| None)
        })
        .await
    }
}

/// Disarms a timer whose wait is given up.
struct Armed<'a, M> {
    cx: &'a FlowContext<M>,
    timer: u64,
    fired: bool,
}

impl<M> Drop for Armed<'_, M> {
    fn drop(&mut self) {
        // A node that crashes drops its flow outside of any callback: its timers are gone already.
        if !self.fired && self.cx.shared.try_borrow_mut().is_ok() {
            self.cx.with(|cx| cx.disarm(self.timer));
        }
    }
}
