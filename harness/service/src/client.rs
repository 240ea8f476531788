//! A client of a service: the client of the simulator, whose requests become calls.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wrack_history::TraceKind;
use wrack_sim::chance::{Digest, Purpose};
use wrack_sim::client::{Client, ClientPlan, ClientTimer};
use wrack_sim::clock::WALL_EPOCH_NS;
use wrack_sim::node::{Effect, Effects, LazyStream, TimerCode};
use wrack_sim::record::traced;
use wrack_sim::{Context, Cx, Disk, Node, NodeId, Reply, Request, Response, Wire};

use crate::Service;
use crate::scene::Shared;

/// A call that hangs for so long is given up; its client gave it up long before.
const CALL_MAX: Duration = Duration::from_secs(60);
/// A client without anything to wait for looks up this often.
const IDLE_NS: u64 = 3_600_000_000_000;

/// Who answered, and what.
type Answer = (NodeId, Response);

/// Nanoseconds since the run began.
pub(crate) fn now_ns() -> u64 {
    let elapsed = turmoil::sim_elapsed().expect("only hosts of a simulation ask");
    elapsed.as_nanos() as u64
}

/// Runs the operations of a plan, one after the other.
pub(crate) async fn run<S: Service>(plan: ClientPlan, id: NodeId, seed: u64, scene: Shared) {
    let (answers, inbox) = unbounded_channel();
    let pump = Pump {
        id,
        node: Client::new(plan),
        disk: Disk::default(),
        stream: LazyStream::new(seed, Purpose::Node, u64::from(id.0), 0),
        effects: Effects::default(),
        alarms: BTreeMap::new(),
        answers,
        scene,
    };
    pump.run::<S>(inbox).await;
}

struct Pump {
    id: NodeId,
    node: Client<()>,
    disk: Disk,
    stream: LazyStream,
    effects: Effects<Wire<()>>,
    /// When each timer is due.
    alarms: BTreeMap<u64, u64>,
    answers: UnboundedSender<Answer>,
    scene: Shared,
}

impl Pump {
    async fn run<S: Service>(mut self, mut inbox: UnboundedReceiver<Answer>) {
        self.callback::<S>(|node, cx| node.start(cx));
        while !self.node.is_done() {
            let now = now_ns();
            let due = self.alarms.iter().min_by_key(|(timer, due)| (**due, **timer));
            let due = due.map(|(timer, due)| (*timer, *due));
            let wait_ns = due.map_or(IDLE_NS, |(_, due)| due.saturating_sub(now));
            tokio::select! {
                biased;
                Some((from, response)) = inbox.recv() => {
                    self.callback::<S>(|node, cx| node.on_message(from, Wire::Response(response), cx));
                }
                () = tokio::time::sleep(Duration::from_nanos(wait_ns)) => {
                    let Some((timer, due)) = due else { continue };
                    if due <= now_ns() {
                        self.alarms.remove(&timer);
                        let timer = ClientTimer::from_code(timer);
                        self.callback::<S>(|node, cx| node.on_timer(timer, cx));
                    }
                }
            }
        }
        self.scene.borrow_mut().done += 1;
    }

    fn callback<S: Service>(
        &mut self,
        call: impl FnOnce(&mut Client<()>, &mut Cx<'_, Client<()>>),
    ) {
        let now = now_ns();
        let Self { id, node, disk, stream, effects, .. } = self;
        call(node, &mut Context::new(*id, (now, WALL_EPOCH_NS + now), stream, disk, effects));
        let mut effects = std::mem::take(&mut self.effects);
        for effect in std::mem::take(&mut effects.list) {
            self.carry_out::<S>(effect, &mut effects, now);
        }
        effects.clear();
        self.effects = effects;
    }

    fn carry_out<S: Service>(&mut self, effect: Effect, effects: &mut Effects<Wire<()>>, now: u64) {
        match effect {
            Effect::Send { to, message } => {
                if let Wire::Request(request) = effects.messages.take(message) {
                    self.send::<S>(to, request);
                }
            }
            Effect::Arm { timer, after_ns } => {
                self.alarms.insert(timer, now.saturating_add(after_ns));
            }
            Effect::Disarm { timer } => {
                self.alarms.remove(&timer);
            }
            Effect::Invoke(place) => {
                let operation = effects.operations.take(place);
                let detail = Digest::of(&(operation.id, &operation.argument));
                let scene = &mut *self.scene.borrow_mut();
                let (at, id) = (scene.at(now), self.id);
                let text = || format!("invokes {} {}", operation.function, operation.key).into();
                scene.recorder.trace(traced(TraceKind::Invoke, at, (id, id), detail), text);
                scene.recorder.invoke(operation, at);
            }
            Effect::Complete(place) => {
                let completed = effects.completions.take(place);
                let detail = Digest::of(&(completed.operation, &completed.result));
                let scene = &mut *self.scene.borrow_mut();
                let (at, id) = (scene.at(now), self.id);
                let text = || format!("completes {}", completed.result).into();
                scene.recorder.trace(traced(TraceKind::Complete, at, (id, id), detail), text);
                scene.recorder.complete(completed, at);
            }
            // A client has no disk, and notes nothing.
            _ => {}
        }
    }

    /// A call, in a task of its own: its client may give it up, and ask somebody else.
    fn send<S: Service>(&self, to: NodeId, request: Arc<Request>) {
        let host = {
            let scene = &mut *self.scene.borrow_mut();
            scene.recorder.send();
            scene.calls[to.index()] += 1;
            scene.names[to.index()].clone()
        };
        let (answers, scene) = (self.answers.clone(), self.scene.clone());
        let number = request.number;
        let open = Open { scene, to };
        tokio::task::spawn_local(async move {
            let called = tokio::time::timeout(CALL_MAX, S::call(host, request)).await;
            drop(open);
            let reply = match called {
                Ok(Ok(reply)) => reply,
                // Nobody listened: nothing was done.
                Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                    Reply::Redirect(None)
                }
                Ok(Err(error)) => Reply::Unknown(error.to_string().into()),
                Err(_) => Reply::Unknown("the call hangs".into()),
            };
            // The client may have run all its operations.
            let _ = answers.send((to, Response { number, reply }));
        });
    }
}

/// A call that is open at a host.
struct Open {
    scene: Shared,
    to: NodeId,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Ok(mut scene) = self.scene.try_borrow_mut() {
            scene.calls[self.to.index()] -= 1;
        }
    }
}
