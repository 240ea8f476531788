//! One run: hosts, clients and the nemesis on turmoil, through all phases.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use turmoil::{Builder, Sim};
use wrack_history::load::Environment;
use wrack_history::setting::Delay;
use wrack_history::{Fact, SmolStr};
use wrack_sim::client::ClientPlan;
use wrack_sim::clock::WALL_EPOCH_NS;
use wrack_sim::{Cluster, Controller, NodeId, Recorder, Recording, TraceLevel};

use crate::scene::{Scene, Shared};
use crate::watcher::{Watched, watch};
use crate::world::Hosts;
use crate::{Host, Service, client, clock, panics};

/// More hosts than this, clients included, cost more than they teach.
pub const HOSTS_MAX: usize = 25;
/// How finely time is cut: hosts run one after the other through a tick.
const TICK: Duration = Duration::from_millis(1);
/// So many segments may wait at a host.
const SEGMENTS_WAITING_MAX: usize = 1 << 12;
/// How often hosts are asked for their roles.
const ROLES_EVERY: Duration = Duration::from_millis(50);
/// Who asks them.
const OBSERVER: &str = "wrack-observer";

/// What is to be run.
pub struct Order {
    /// The seed of the run.
    pub seed: u64,
    /// Names of the hosts, then of the clients.
    pub names: Vec<SmolStr>,
    /// What the hosts know of their cluster.
    pub cluster: Cluster,
    /// How links behave without faults.
    pub environment: Environment,
    /// What the clients do, in the order of their names.
    pub clients: Vec<ClientPlan>,
    /// How much of the trace is kept.
    pub trace: TraceLevel,
    /// The run ends when all clients are done, but not before the first and not after the second of
    /// these times, in virtual nanoseconds.
    pub ends_ns: (u64, u64),
}

/// What a run leaves behind.
pub struct Delivered {
    /// What was recorded.
    pub recording: Recording,
    /// When it ended, in virtual nanoseconds.
    pub end_ns: u64,
    /// Why a valid verdict would say too much.
    pub doubts: Vec<String>,
}

/// Runs a service, on this thread: it must be a fresh one.
///
/// Bounds: at most [`HOSTS_MAX`] hosts, clients included; beyond, the run does not begin, and the doubt
/// says so.
pub fn simulate<S: Service>(order: &Order, controller: &mut dyn Controller) -> Delivered {
    let servers = order.cluster.names.len();
    let recorder = Recorder::new(order.trace, true);
    let scene = Rc::new(RefCell::new(Scene::new(recorder, order.names.clone(), servers)));
    if order.names.len() > HOSTS_MAX {
        let hosts = order.names.len();
        let doubt = format!("turmoil runs {HOSTS_MAX} hosts and clients at most, not {hosts}");
        scene.borrow_mut().doubts.insert(doubt);
        return deliver(scene, 0);
    }
    panics::keep();
    clock::reset();
    let mut sim = builder(order).build();
    let addresses = order.names.iter().map(|name| sim.lookup(name.as_str())).collect();
    let end_ns = watch(Watched { scene: scene.clone(), addresses }, || {
        start::<S>(&mut sim, order, &scene);
        let end_ns = steps(&mut sim, order, &scene, controller);
        drop(sim);
        end_ns
    });
    deliver(scene, end_ns)
}

fn deliver(scene: Shared, end_ns: u64) -> Delivered {
    let mut scene = scene.borrow_mut();
    let end_ns = scene.at(end_ns);
    let recording = std::mem::take(&mut scene.recorder).finish(end_ns);
    Delivered { recording, end_ns, doubts: scene.doubts.iter().cloned().collect() }
}

fn builder(order: &Order) -> Builder {
    let (min_ns, max_ns) = match order.environment.peer_latency {
        Delay::Uniform { min_ns, max_ns } => (min_ns, max_ns),
        Delay::Exponential { min_ns, mean_ns } => (min_ns, min_ns + 3 * mean_ns),
        Delay::LogNormal { median_ns, .. } => (median_ns / 2, median_ns * 2),
    };
    let mut builder = Builder::new();
    builder
        .rng_seed(order.seed)
        .epoch(UNIX_EPOCH + Duration::from_nanos(WALL_EPOCH_NS))
        .tick_duration(TICK)
        .simulation_duration(Duration::MAX)
        .tcp_capacity(SEGMENTS_WAITING_MAX)
        .min_message_latency(Duration::from_nanos(min_ns))
        .max_message_latency(Duration::from_nanos(max_ns));
    builder
}

/// Registers all hosts and clients.
fn start<S: Service>(sim: &mut Sim<'_>, order: &Order, scene: &Shared) {
    let cluster = Arc::new(order.cluster.clone());
    let servers = cluster.names.len();
    for (place, name) in (0u16..).zip(&cluster.names) {
        let host = Host { name: name.clone(), cluster: Arc::clone(&cluster) };
        scene.borrow_mut().note(0, NodeId(place), Fact::Booted { boot: 0 });
        let scene = scene.clone();
        sim.host(name.as_str(), move || {
            let (host, scene) = (host.clone(), scene.clone());
            async move {
                if let Err(error) = S::start(host).await {
                    scene.borrow_mut().fail(client::now_ns(), place, "start", &error.to_string());
                }
                Ok(())
            }
        });
    }
    for (place, plan) in (servers..).zip(&order.clients) {
        let (id, seed) = (NodeId(place as u16), order.seed);
        let (plan, scene) = (plan.clone(), scene.clone());
        sim.host(order.names[place].as_str(), move || {
            let (plan, scene) = (plan.clone(), scene.clone());
            async move {
                client::run::<S>(plan, id, seed, scene).await;
                // What it gave up may still be on its way.
                std::future::pending().await
            }
        });
    }
    if !S::INFO.roles.is_empty() {
        let (names, scene) = (cluster.names.clone(), scene.clone());
        sim.host(OBSERVER, move || observe::<S>(names.clone(), scene.clone()));
    }
}

/// Asks every host for its role, again and again.
async fn observe<S: Service>(
    names: Vec<SmolStr>,
    scene: Shared,
) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        for (place, name) in names.iter().enumerate() {
            let asked = tokio::time::timeout(ROLES_EVERY, S::role(name.clone())).await;
            let mut scene = scene.borrow_mut();
            let is_up = scene.down[place].is_empty();
            let claim = asked.ok().flatten().filter(|_| is_up);
            if scene.roles[place] == claim {
                continue;
            }
            scene.roles[place].clone_from(&claim);
            if let Some((role, epoch)) = claim {
                let now = client::now_ns();
                scene.note(now, NodeId(place as u16), Fact::Role { role, epoch });
            }
        }
        tokio::time::sleep(ROLES_EVERY).await;
    }
}

/// Steps until the end; gives the time of it.
fn steps(sim: &mut Sim<'_>, order: &Order, scene: &Shared, controller: &mut dyn Controller) -> u64 {
    let (ends_from_ns, ends_by_ns) = order.ends_ns;
    loop {
        let now = sim.elapsed().as_nanos() as u64;
        clock::set_now(now);
        let is_done = scene.borrow().done == order.clients.len();
        if now >= ends_by_ns || now >= ends_from_ns && is_done {
            return now;
        }
        act(sim, order, scene, controller);
        let stepped = sim.step();
        look(scene, now, stepped.err());
    }
}

/// The nemesis acts, and sees what was noted.
fn act(sim: &mut Sim<'_>, order: &Order, scene: &Shared, controller: &mut dyn Controller) {
    let now = sim.elapsed().as_nanos() as u64;
    let mut hosts = Hosts { sim, scene, names: &order.names, seed: order.seed };
    let watched = controller.watched();
    loop {
        let fresh = scene.borrow_mut().fresh.pop_front();
        match fresh {
            Some(record) if watched.covers(&record.fact) => controller.on_fact(&record, &mut hosts),
            Some(_) => {}
            None if controller.next_ns().is_some_and(|due| due <= now) => {
                controller.act(&mut hosts)
            }
            None => break,
        }
        hosts.boot();
    }
}

/// Looks at what a step left: panics, and reads of clocks.
fn look(scene: &Shared, now: u64, error: Option<Box<dyn std::error::Error>>) {
    let mut scene = scene.borrow_mut();
    let panicked = panics::take();
    // A panic in the main task of a host is an error of the step, too.
    if let Some(error) = error.filter(|_| panicked.is_empty()) {
        scene.doubts.insert(format!("turmoil: {error}"));
    }
    for (host, message) in panicked {
        match host {
            Some(host) => scene.fail(now, host as u16, "panic", &message),
            None => drop(scene.doubts.insert(format!("a panic outside of the hosts: {message}"))),
        }
    }
    for host in 0..scene.names.len() {
        let reads = clock::take_reads(host);
        let watching: Vec<_> = scene.clocks[host].iter().copied().collect();
        if reads > 0 && !watching.is_empty() {
            scene.touch(watching, reads, now);
        }
    }
}
