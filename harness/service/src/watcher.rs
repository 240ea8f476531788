//! What turmoil tells by `tracing`: which host runs now, and which messages are lost or held.
//!
//! turmoil has no other way to ask. It enters a span `node` with the host's name around everything
//! that the host runs, spawned tasks included, and tells of each message that a link does not bring.

use std::cell::RefCell;
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use wrack_sim::NodeId;

use crate::clock;
use crate::scene::Shared;

const TARGET: &str = "turmoil";

thread_local! {
    static WATCHED: RefCell<Option<Watched>> = const { RefCell::new(None) };
}

/// The run that is watched on this thread.
pub(crate) struct Watched {
    pub scene: Shared,
    /// Addresses of the members, by their place.
    pub addresses: Vec<IpAddr>,
}

/// Watches a run on this thread while `work` goes on.
pub(crate) fn watch<R>(watched: Watched, work: impl FnOnce() -> R) -> R {
    WATCHED.with(|here| *here.borrow_mut() = Some(watched));
    let result = tracing::subscriber::with_default(Watcher, work);
    WATCHED.with(|here| here.borrow_mut().take());
    clock::set_current(None);
    result
}

fn with<R: Default>(ask: impl FnOnce(&Watched) -> R) -> R {
    WATCHED.with(|here| here.borrow().as_ref().map(ask).unwrap_or_default())
}

struct Watcher;

/// A host has the span of its place, from 1.
const OTHERS: u64 = 1 << 32;

impl Subscriber for Watcher {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            return metadata.name() == "node" && metadata.target().starts_with(TARGET);
        }
        let is_message = metadata.target() == TARGET && *metadata.level() == Level::TRACE;
        // Only while a link has a rule, or a host is down, can a message be lost to a fault.
        let asked = |watched: &Watched| watched.scene.try_borrow().is_ok_and(|scene| scene.loses());
        is_message && with(asked)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut name = Name::default();
        span.record(&mut name);
        let place =
            with(|watched| watched.scene.try_borrow().ok().and_then(|scene| scene.place(&name.0)));
        Id::from_u64(place.map_or(OTHERS, |place| place as u64 + 1))
    }

    fn enter(&self, span: &Id) {
        let place = span.into_u64();
        clock::set_current((place != OTHERS).then(|| place as usize - 1));
    }

    fn exit(&self, _: &Id) {
        clock::set_current(None);
    }

    fn event(&self, event: &Event<'_>) {
        let mut stopped = Stopped::default();
        event.record(&mut stopped);
        let (Some(from), Some(to)) = (stopped.src, stopped.dst) else { return };
        with(|watched| {
            let place = |address: SocketAddr| {
                let place = watched.addresses.iter().position(|other| *other == address.ip());
                place.map(|place| NodeId(place as u16))
            };
            if let (Some(from), Some(to)) = (place(from), place(to))
                && let Ok(mut scene) = watched.scene.try_borrow_mut()
            {
                match stopped.told.as_str() {
                    "Drop" | "Hold" => scene.stopped(from, to),
                    "Send" => scene.sent(to),
                    _ => {}
                }
            }
        });
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}
}

#[derive(Default)]
struct Name(String);

impl Visit for Name {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.0 = value.into();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// A message that is sent, or that a link does not bring.
#[derive(Default)]
struct Stopped {
    told: String,
    src: Option<SocketAddr>,
    dst: Option<SocketAddr>,
}

impl Visit for Stopped {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.told = format!("{value:?}"),
            "src" => self.src = format!("{value:?}").parse().ok(),
            "dst" => self.dst = format!("{value:?}").parse().ok(),
            _ => {}
        }
    }
}
