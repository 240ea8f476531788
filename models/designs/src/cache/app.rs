//! An app: it serves reads from its cache, and everything else from the database.
//!
//! ```text
//! read ─▶ cached, young enough, and the feed of changes is fresh? ─▶ hit
//!                                └ no ─▶ fetch ─▶ answer; fill, unless something newer is known
//! ```
//! A hit is right for two reasons at once. The entry is no older than the last change of its key that
//! the app heard of, because what is filled must be as new as that. And the app has heard of every
//! change up to `fresh` ago, because it asks the database again and again what it has missed, and
//! stops serving hits when no answer comes: a lease on the cache, counted from when it was asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use wrack_history::{Fact, SmolStr, Value};
use wrack_sim::{Control, Cx, Node, NodeId, Reply, Request, Response, Wire};

use super::class::Class;
use super::message::{Message, News, Peer};
use crate::authority::{Change, Row};
use crate::command::is_read;

/// What an app is told at its boot.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Where the truth is.
    pub database: NodeId,
    /// How old a hit may be at most, in nanoseconds.
    pub fresh_ns: u64,
    /// How long announced keys are cached, in nanoseconds.
    pub ttl_ns: u64,
    /// How long quiet keys are cached, in nanoseconds.
    pub quiet_ttl_ns: u64,
    /// Whether there are keys of the class `quiet`.
    pub quiet_keys: bool,
    /// Whether it asks what it has missed; not in `no_invalidation` and `lost_invalidation`.
    pub asks: bool,
    /// Whether it compares what it fills with what it knows; not in `unversioned_fill`.
    pub compares: bool,
    /// The variant `global_ttl`: all keys live as long.
    pub one_ttl: bool,
}

struct Entry {
    row: Row,
    /// When the database was asked for it.
    asked_ns: u64,
}

/// How far the app has followed the announcements.
#[derive(Clone, Copy)]
struct Followed {
    /// All of the numbers up to this one are known.
    upto: u64,
    /// What was committed when the app began to follow: a row older than that may have changed
    /// unheard.
    since: u64,
}

wrack_sim::timers! {
    /// What an app waits for.
    pub enum AppTimer {
        /// It is time to ask what was missed.
        Watch,
    }
}

/// An app with its cache.
pub struct App {
    rules: Rules,
    entries: BTreeMap<SmolStr, Entry>,
    /// The newest version of each key that was heard of.
    known: BTreeMap<SmolStr, u64>,
    followed: Option<Followed>,
    /// When the app asked the question that was answered last.
    fresh_at_ns: u64,
    /// What operators made of the time to live of a class.
    ttls_ns: BTreeMap<Class, u64>,
    /// So many keys fit, while memory is short.
    keys_max: Option<usize>,
}

impl App {
    /// An app with an empty cache.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            entries: BTreeMap::new(),
            known: BTreeMap::new(),
            followed: None,
            fresh_at_ns: 0,
            ttls_ns: BTreeMap::new(),
            keys_max: None,
        }
    }

    fn class(&self, key: &str) -> Class {
        Class::of(key, self.rules.quiet_keys && !self.rules.one_ttl)
    }

    /// How long what is cached under a key of this class lives. What nobody announces never gets older
    /// than a hit may be, whatever an operator says.
    fn ttl_ns(&self, class: Class) -> u64 {
        let asked = self.ttls_ns.get(&class).copied();
        match class {
            Class::Announced => asked.unwrap_or(self.rules.ttl_ns),
            Class::Quiet => asked.unwrap_or(self.rules.quiet_ttl_ns).min(self.rules.fresh_ns),
        }
    }

    /// What is cached, if it may be served.
    fn hit(&self, key: &str, now_ns: u64) -> Option<Value> {
        let (entry, class) = (self.entries.get(key)?, self.class(key));
        let is_young = now_ns < entry.asked_ns.saturating_add(self.ttl_ns(class));
        let is_fresh = class == Class::Quiet
            || !self.rules.asks
            || now_ns <= self.fresh_at_ns + self.rules.fresh_ns;
        (is_young && is_fresh).then(|| entry.row.value.clone())
    }

    fn read(&mut self, request: Arc<Request>, cx: &mut Cx<'_, Self>) {
        let asked_ns = cx.now();
        let hit = self.hit(&request.key, asked_ns);
        let operation = request.tag.operation();
        cx.note(Fact::CacheRead { operation, hit: hit.is_some() });
        match hit {
            Some(value) => respond(&request, Reply::Ok(value), cx),
            None => {
                cx.send(self.rules.database, Wire::Peer(Peer::Fetch { request, asked_ns }));
            }
        }
    }

    /// A version of a key is known of: nothing older stays cached.
    fn learn(&mut self, change: &Change) {
        let known = self.known.entry(change.key.clone()).or_default();
        *known = (*known).max(change.version);
        if self.entries.get(&change.key).is_some_and(|entry| entry.row.version < change.version) {
            self.entries.remove(&change.key);
        }
    }

    /// Caches what was fetched, if it is as new as all that is known.
    fn fill(&mut self, key: &SmolStr, fetched: (Entry, u64), cx: &mut Cx<'_, Self>) {
        let (entry, as_of) = fetched;
        if self.rules.compares {
            let since = match self.followed {
                Some(followed) => followed.since,
                None if self.rules.asks => return,
                None => 0,
            };
            self.learn(&Change { key: key.clone(), version: entry.row.version });
            if as_of < since.max(self.known[key]) {
                cx.sometimes("a fill is too old");
                return;
            }
        }
        if self.ttls_ns.contains_key(&self.class(key)) {
            cx.touched("ttl", 1);
        }
        self.entries.insert(key.clone(), entry);
        self.make_room(cx);
    }

    fn invalidate(&mut self, number: u64, change: &Change, cx: &mut Cx<'_, Self>) {
        self.learn(change);
        let Some(followed) = &mut self.followed else { return };
        if number == followed.upto + 1 {
            followed.upto = number;
        } else if number > followed.upto {
            cx.sometimes("an invalidation was missed");
            self.ask(cx);
        }
    }

    /// Takes in the answer to what was asked. What a former boot asked renews nothing.
    fn catch_up(&mut self, news: &News) {
        news.changes.iter().for_each(|change| self.learn(change));
        match (&mut self.followed, news.after) {
            (None, None) => {
                self.followed = Some(Followed { upto: news.upto, since: news.as_of });
            }
            (Some(followed), Some(after)) if after <= followed.upto => {
                followed.upto = followed.upto.max(news.upto);
            }
            _ => return,
        }
        self.fresh_at_ns = self.fresh_at_ns.max(news.asked_ns);
    }

    fn ask(&self, cx: &mut Cx<'_, Self>) {
        let (after, asked_ns) = (self.followed.map(|followed| followed.upto), cx.now());
        cx.send(self.rules.database, Wire::Peer(Peer::Watch { after, asked_ns }));
    }

    /// Forgets some of what is cached.
    fn evict(&mut self, control: &Control, cx: &mut Cx<'_, Self>) {
        if let Some(keys) = control.settings.integer("keys") {
            self.keys_max = (!control.is_over).then_some(keys as usize);
        }
        if control.is_over {
            return;
        }
        let share = control.settings.per_million("share").unwrap_or_default();
        let before = self.entries.len();
        self.entries.retain(|_, _| !cx.random().chance(share));
        cx.touched("evict", (before - self.entries.len()) as u64);
        self.make_room(cx);
    }

    /// Forgets what was asked for longest ago, as long as there is more than fits.
    fn make_room(&mut self, cx: &mut Cx<'_, Self>) {
        while self.keys_max.is_some_and(|most| most < self.entries.len()) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.asked_ns);
            let oldest = oldest.map(|(key, _)| key.clone()).expect("there is more than fits");
            self.entries.remove(&oldest);
            cx.touched("evict", 1);
        }
    }

    fn change_ttl(&mut self, control: &Control) {
        let class = control.settings.choice("class").and_then(|class| Class::named(&class));
        let (Some(class), Some(ttl_ns)) = (class, control.settings.duration("ttl")) else {
            return;
        };
        match control.is_over {
            true => self.ttls_ns.remove(&class),
            false => self.ttls_ns.insert(class, ttl_ns),
        };
    }
}

impl Node for App {
    type Message = Message;
    type Timer = AppTimer;

    fn start(&mut self, cx: &mut Cx<'_, Self>) {
        if self.rules.asks {
            self.on_timer(AppTimer::Watch, cx);
        }
    }

    fn on_message(&mut self, _: NodeId, message: Message, cx: &mut Cx<'_, Self>) {
        match message {
            Wire::Request(request) if is_read(&request.function) => self.read(request, cx),
            Wire::Request(request) => {
                cx.send(self.rules.database, Wire::Peer(Peer::Commit(request)));
            }
            Wire::Peer(Peer::Committed(request, version)) => {
                self.learn(&Change { key: request.key.clone(), version });
                respond(&request, Reply::Ok(Value::Nil), cx);
            }
            Wire::Peer(Peer::Fetched { request, asked_ns, row, as_of }) => {
                let reply = Reply::Ok(row.value.clone());
                self.fill(&request.key, (Entry { row, asked_ns }, as_of), cx);
                respond(&request, reply, cx);
            }
            Wire::Peer(Peer::Invalidation(number, change)) => {
                self.invalidate(number, &change, cx);
            }
            Wire::Peer(Peer::News(news)) => self.catch_up(&news),
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: AppTimer, cx: &mut Cx<'_, Self>) {
        match timer {
            AppTimer::Watch => {
                self.ask(cx);
                cx.arm(AppTimer::Watch, self.rules.fresh_ns / 4);
            }
        }
    }

    fn on_control(&mut self, control: &Control, cx: &mut Cx<'_, Self>) {
        match control.name {
            "evict" => self.evict(control, cx),
            "ttl" => self.change_ttl(control),
            _ => {}
        }
    }
}

fn respond(request: &Request, reply: Reply, cx: &mut Cx<'_, App>) {
    let number = request.number;
    cx.send(request.client, Wire::Response(Response { number, reply }));
}
