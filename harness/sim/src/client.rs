//! A client: it runs the operations of a workload, one at a time, and owns the retry policy.
//!
//! An operation is `ok` if any attempt was answered ok, `fail` only if every attempt is known to
//! have had no effect and to have none later, and else `info`: a redirected message may come again
//! as a duplicate when that node serves. A cas that is refused after an attempt in doubt is `info`:
//! the attempt in doubt may be what changed the value. After `info` the process is never reused;
//! the session goes on.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use wrack_history::load::{Pace, RetryKey, RetryPolicy};
use wrack_history::{Moment, Operation, Outcome, SmolStr, Value};

use crate::chance::{Purpose, Stream};
use crate::node::{Completed, Control, Cx, Node, NodeId, Payload, Tag};
use crate::wire::{Idempotency, Reply, Request, Response, Wire};

mod surge;

use surge::Surge;
pub use surge::{SURGE, SurgePlan};

/// An operation that a client is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedOperation {
    /// Its number among the client's operations: every draw for it is keyed by this.
    pub number: u32,
    /// Open pace: when it is due, since the run began. Closed: how long after the last completed.
    pub due_ns: u64,
    /// The object.
    pub key: SmolStr,
    /// What to do.
    pub function: SmolStr,
    /// With what.
    pub argument: Argument,
    /// Whom it asks first; whom the client asked last if absent, or if that one serves no clients.
    pub to: Option<NodeId>,
}

/// What an operation is asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// This value.
    Value(Value),
    /// For a cas: from what the client last saw under the key to this value.
    FromSeen(Value),
}

/// The operations of a client, in order. They are made a few at a time as it comes to them, because
/// those of a long run would fill much memory.
#[derive(Clone)]
pub struct Operations(Arc<dyn Fn() -> Coming + Send + Sync>);

/// So many operations are made at once, while the code that makes them is at hand.
const MADE_AT_ONCE: usize = 8;

/// What a client has not come to yet.
struct Coming {
    made: VecDeque<PlannedOperation>,
    rest: Box<dyn Iterator<Item = PlannedOperation> + Send>,
}

impl Iterator for Coming {
    type Item = PlannedOperation;

    fn next(&mut self) -> Option<PlannedOperation> {
        if self.made.is_empty() {
            self.made.extend(self.rest.by_ref().take(MADE_AT_ONCE));
        }
        self.made.pop_front()
    }
}

impl Operations {
    /// What `begin` gives, which must be the same at every call.
    pub fn new<I>(begin: impl Fn() -> I + Send + Sync + 'static) -> Self
    where
        I: Iterator<Item = PlannedOperation> + Send + 'static,
    {
        Self(Arc::new(move || Coming { made: VecDeque::new(), rest: Box::new(begin()) }))
    }

    /// All of them, from the first on.
    pub fn iter(&self) -> impl Iterator<Item = PlannedOperation> + Send + use<> {
        (self.0)()
    }
}

impl FromIterator<PlannedOperation> for Operations {
    fn from_iter<I: IntoIterator<Item = PlannedOperation>>(operations: I) -> Self {
        let operations: Arc<[PlannedOperation]> = operations.into_iter().collect();
        Self::new(move || {
            let operations = Arc::clone(&operations);
            (0..operations.len()).map(move |place| operations[place].clone())
        })
    }
}

impl std::fmt::Debug for Operations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// Its number among the clients, from 0: its session, and its first process.
    pub client: u32,
    /// How many clients there are.
    pub clients: u32,
    /// What it runs, in order.
    pub operations: Operations,
    /// Whether it waits for its last operation.
    pub pace: Pace,
    /// How it retries.
    pub policy: RetryPolicy,
    /// It invokes nothing from this time on, on its own clock.
    pub stops_ns: u64,
    /// Whom it may ask; it starts with the one at its own number.
    pub entries: Vec<NodeId>,
    /// How it takes part in surges of load; it does not if absent.
    pub surge: Option<SurgePlan>,
}

crate::timers! {
    /// What a client waits for.
    pub enum ClientTimer {
        /// The next operation is due.
        Next,
        /// The attempt has waited long enough.
        Timeout,
        /// The wait before the next attempt is over.
        Retry,
        /// A late duplicate is due.
        Late,
    }
}

/// The operation that is open.
#[derive(Clone, Debug)]
struct Open {
    id: u64,
    request: Arc<Request>,
    attempts: u32,
    redirects: u32,
    /// Whether an attempt may have had an effect that nobody learned of.
    doubt: bool,
    why: SmolStr,
}

/// So many redirects are followed at once before one counts as an attempt.
const REDIRECTS_MAX: u32 = 8;

/// A client, as a node.
pub struct Client<P> {
    plan: ClientPlan,
    next: Option<PlannedOperation>,
    coming: Coming,
    process: u32,
    open: Option<Open>,
    /// Position in `entries` of whom to ask.
    target: usize,
    /// What it knows of each key, for a later cas.
    seen: FxHashMap<SmolStr, Value>,
    attempts: u64,
    retries: u64,
    late: Vec<(u64, NodeId, Arc<Request>)>,
    surge: Option<Surge>,
    peer: std::marker::PhantomData<fn(P)>,
}

impl<P> Client<P> {
    /// Whether it has run all its operations.
    pub fn is_done(&self) -> bool {
        self.open.is_none() && self.next.is_none()
    }

    /// A client at the beginning of its plan.
    pub fn new(plan: ClientPlan) -> Self {
        assert!(!plan.entries.is_empty(), "a client has somebody to ask");
        let mut coming = (plan.operations.0)();
        Self {
            target: plan.client as usize % plan.entries.len(),
            process: plan.client,
            plan,
            next: coming.next(),
            coming,
            open: None,
            seen: FxHashMap::default(),
            attempts: 0,
            retries: 0,
            late: Vec::new(),
            surge: None,
            peer: std::marker::PhantomData,
        }
    }
}

impl<P: Payload> Node for Client<P> {
    type Message = Wire<P>;
    type Timer = ClientTimer;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        self.wait_for_next(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Wire<P>, cx: &mut Cx<'_, Self>) {
        let Wire::Response(Response { number, reply }) = message else {
            return;
        };
        let Some(open) = self.open.as_mut().filter(|open| open.request.number == number) else {
            return;
        };
        match reply {
            Reply::Ok(result) => {
                if let Some(place) = self.plan.entries.iter().position(|entry| *entry == from) {
                    self.target = place;
                }
                let refused_in_doubt = open.doubt && refused(&open.request, &result);
                let outcome = if refused_in_doubt { Outcome::Info } else { Outcome::Ok };
                self.complete(outcome, result, cx);
            }
            Reply::Fail(why) => {
                let outcome = if open.doubt { Outcome::Info } else { Outcome::Fail };
                open.why = why;
                self.complete(outcome, Value::Nil, cx);
            }
            Reply::Redirect(hint) => self.redirect(from, hint, cx),
            Reply::Unknown(why) => {
                open.doubt = true;
                open.why = why;
                self.retry(cx);
            }
        }
    }

    fn on_timer(&mut self, timer: ClientTimer, cx: &mut Cx<'_, Self>) {
        match timer {
            ClientTimer::Next => self.invoke(cx),
            ClientTimer::Timeout => {
                if let Some(open) = &mut self.open {
                    open.doubt = true;
                    open.why = SmolStr::new_static("timeout");
                    self.target = (self.target + 1) % self.plan.entries.len();
                    self.retry(cx);
                }
            }
            ClientTimer::Retry => self.attempt(cx),
            ClientTimer::Late => self.send_late(cx),
        }
    }

    fn on_control(&mut self, control: &Control, cx: &mut Cx<'_, Self>) {
        if control.name == SURGE && self.plan.surge.is_some() {
            let now_ns = cx.now();
            let before = self.surge.take().unwrap_or_default();
            self.surge = Some(before.turned(now_ns, control));
            if self.open.is_none() {
                self.wait_for_next(cx);
            }
        }
    }
}

impl<P: Payload> Client<P> {
    fn wait_for_next(&mut self, cx: &mut Cx<'_, Self>) {
        if cx.now() >= self.plan.stops_ns {
            self.next = None;
        }
        let Some(planned) = &self.next else {
            return;
        };
        let after_ns = match (self.plan.pace, &self.surge) {
            (Pace::Open, None) => planned.due_ns.saturating_sub(cx.now()),
            (Pace::Closed, None) => planned.due_ns,
            (Pace::Open, Some(surge)) => surge.until_ns(cx.now(), planned.due_ns),
            (Pace::Closed, Some(surge)) => surge.thought_ns(planned.due_ns),
        };
        let over = |plan: &SurgePlan| cx.now().saturating_add(after_ns) >= plan.ends_ns;
        if self.plan.surge.as_ref().is_some_and(over) {
            self.next = None;
            return;
        }
        cx.arm(ClientTimer::Next, after_ns);
    }

    /// What the next operation is in a surge: it counts, and may be about the hot key.
    fn crowd(&self, planned: &mut PlannedOperation, cx: &mut Cx<'_, Self>) {
        let (Some(surge), Some(plan)) = (&self.surge, &self.plan.surge) else {
            return;
        };
        if surge.is_on() {
            cx.touched(SURGE, 1);
            let client = u64::from(self.plan.client);
            if surge.is_hot(cx.seed(), client, planned.number) {
                planned.key = plan.hot_key.clone();
            }
        }
    }

    fn invoke(&mut self, cx: &mut Cx<'_, Self>) {
        let Some(mut planned) = self.next.take() else { return };
        self.next = self.coming.next();
        self.crowd(&mut planned, cx);
        let entry = planned.to.and_then(|to| self.plan.entries.iter().position(|one| *one == to));
        self.target = entry.unwrap_or(self.target);
        let argument = match planned.argument {
            Argument::Value(value) => value,
            Argument::FromSeen(new) => {
                let seen = self.seen.get(&planned.key).cloned().unwrap_or_default();
                Value::pair(seen, new)
            }
        };
        let number = u64::from(planned.number);
        let id = number * u64::from(self.plan.clients) + u64::from(self.plan.client);
        let sequence = match self.plan.policy.key {
            RetryKey::Unique => Some(number),
            RetryKey::Colliding => Some(number / 2),
            RetryKey::None => None,
        };
        let session = u64::from(self.plan.client);
        let request = Request {
            tag: Tag::of(id),
            client: cx.id(),
            number,
            idempotency: sequence.map(|sequence| Idempotency { session, sequence }),
            key: planned.key,
            function: planned.function,
            argument: argument.clone(),
        };
        cx.invoke(Operation {
            id,
            process: self.process,
            session: self.plan.client,
            key: request.key.clone(),
            function: request.function.clone(),
            argument,
            result: Value::Nil,
            outcome: Outcome::Info,
            invoke: Moment::NEVER,
            complete: Moment::NEVER,
            details: None,
        });
        self.open = Some(Open {
            id,
            request: Arc::new(request),
            attempts: 0,
            redirects: 0,
            doubt: false,
            why: SmolStr::default(),
        });
        self.attempt(cx);
    }

    /// Sends the open request to the current target.
    fn attempt(&mut self, cx: &mut Cx<'_, Self>) {
        let Some(open) = &mut self.open else { return };
        open.attempts += 1;
        self.attempts += 1;
        let to = self.plan.entries[self.target];
        let request = Arc::clone(&open.request);
        cx.send(to, Wire::Request(Arc::clone(&request)));
        cx.arm(ClientTimer::Timeout, self.plan.policy.timeout_ns);
        let share = self.plan.policy.late_duplicate_per_million;
        if share > 0 && stream(cx, self.plan.client, &request, open.attempts).chance(share) {
            let after_ns = self.plan.policy.late_duplicate_after_ns;
            self.late.push((cx.now() + after_ns, to, request));
            if self.late.len() == 1 {
                cx.arm(ClientTimer::Late, after_ns);
            }
        }
    }

    fn send_late(&mut self, cx: &mut Cx<'_, Self>) {
        let (_, to, request) = self.late.remove(0);
        cx.send(to, Wire::Request(request));
        if let Some((due, ..)) = self.late.first() {
            cx.arm(ClientTimer::Late, due.saturating_sub(cx.now()));
        }
    }

    /// Nothing was done there: ask whom it names, or the next one after a wait.
    fn redirect(&mut self, from: NodeId, hint: Option<NodeId>, cx: &mut Cx<'_, Self>) {
        if self.plan.entries[self.target] != from {
            return;
        }
        let Some(open) = &mut self.open else { return };
        // Nothing was done there, but a duplicate of the message may come when that node serves.
        open.doubt = true;
        open.why = SmolStr::new_static("nobody serves it");
        let entries = &self.plan.entries;
        let named = hint.and_then(|hint| entries.iter().position(|entry| *entry == hint));
        if let Some(place) = named.filter(|place| *place != self.target)
            && open.redirects < REDIRECTS_MAX
        {
            open.redirects += 1;
            open.attempts -= 1;
            self.target = place;
            self.attempt(cx);
            return;
        }
        self.target = (self.target + 1) % entries.len();
        self.retry(cx);
    }

    /// Tries again after a wait, or gives up.
    fn retry(&mut self, cx: &mut Cx<'_, Self>) {
        let policy = &self.plan.policy;
        let Some(open) = &self.open else { return };
        let within_budget = policy.budget_per_million.is_none_or(|share| {
            (self.retries + 1) * 1_000_000 <= u64::from(share) * (self.attempts + 1)
        });
        if open.attempts >= policy.attempts_max || !within_budget {
            let outcome = if open.doubt { Outcome::Info } else { Outcome::Fail };
            self.complete(outcome, Value::Nil, cx);
            return;
        }
        self.retries += 1;
        let doublings = (open.attempts - 1).min(32);
        let wait = policy.backoff_ns.saturating_mul(1 << doublings).min(policy.backoff_max_ns);
        let spread = wait / 1_000_000 * u64::from(policy.jitter_per_million)
            + wait % 1_000_000 * u64::from(policy.jitter_per_million) / 1_000_000;
        let mut wait_ns = wait;
        if spread > 0 {
            let mut stream = stream(cx, self.plan.client, &open.request, open.attempts);
            wait_ns = wait - spread + stream.between(0, 2 * spread);
        }
        cx.disarm(ClientTimer::Timeout);
        cx.arm(ClientTimer::Retry, wait_ns);
    }

    fn complete(&mut self, outcome: Outcome, result: Value, cx: &mut Cx<'_, Self>) {
        let Some(open) = self.open.take() else { return };
        let ok = outcome == Outcome::Ok;
        if ok {
            self.remember(&open.request, &result);
        }
        if outcome == Outcome::Info {
            self.process += self.plan.clients;
        }
        cx.complete(Completed {
            operation: open.id,
            outcome,
            result: if ok { result } else { Value::Nil },
            attempts: open.attempts,
            error: if ok { SmolStr::default() } else { open.why },
        });
        cx.disarm(ClientTimer::Timeout);
        cx.disarm(ClientTimer::Retry);
        self.wait_for_next(cx);
    }

    /// Keeps what the client knows of the key, for a later cas.
    fn remember(&mut self, request: &Request, result: &Value) {
        let seen = match request.function.as_str() {
            "read" => result.clone(),
            "write" => request.argument.clone(),
            "cas" if *result == Value::Bool(true) => {
                request.argument.as_pair().map_or(Value::Nil, |(_, new)| new.clone())
            }
            _ => return,
        };
        self.seen.insert(request.key.clone(), seen);
    }
}

/// Whether a cas was refused.
fn refused(request: &Request, result: &Value) -> bool {
    request.function == "cas" && *result == Value::Bool(false)
}

/// The stream of one attempt at one operation of one client.
fn stream<M, T>(
    cx: &mut crate::node::Context<'_, M, T>,
    client: u32,
    request: &Request,
    attempt: u32,
) -> Stream {
    let operation = request.number << 16 | u64::from(attempt);
    Stream::new(cx.seed(), Purpose::Operation, u64::from(client), operation)
}
