//! Messages around the anomaly: a lane a process, an arrow a message, a page a stretch of time.
//!
//! Source: Lamport, "Time, clocks, and the ordering of events in a distributed system", 1978, figure 1.
//! Pages open without a script.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use wrack_history::picture::{Mark, Message, SpaceTime};
use wrack_history::{Operation, Run};

use super::panel::{Audience, Panel};
use super::sheet::Sheet;
use crate::plot::rows::{px, text_width};
use crate::{summary, text};

/// So many messages fill a page.
const PAGE_MESSAGES: usize = 48;
/// So many lanes are drawn; who has more to do with the anomaly comes first.
const LANES_MAX: usize = 16;
const WIDTH: u32 = 1_040;
const LEFT: u32 = 92;
const RIGHT: u32 = 18;
const HEAD: u32 = 26;
const LANE: u32 = 50;
const FOOT: u32 = 30;
const LABEL_CHARS_MAX: usize = 48;

#[derive(Template)]
#[template(path = "space-time.html")]
struct Body {
    lead: String,
    pages: Vec<Page>,
    left_out: String,
    replay: String,
}

/// One stretch of time.
struct Page {
    id: String,
    name: String,
    summary: String,
    open: bool,
    description: String,
    width: u32,
    height: u32,
    left: u32,
    right: u32,
    floor: u32,
    lanes: Vec<Lane>,
    ticks: Vec<(String, String)>,
    arrows: Vec<Arrow>,
    spots: Vec<Spot>,
    bars: Vec<Bar>,
    rows: Vec<[String; 4]>,
}

struct Lane {
    name: String,
    y: u32,
}

struct Arrow {
    class: &'static str,
    x: String,
    y: u32,
    to_x: String,
    to_y: u32,
    lost: bool,
    words: String,
    label: Option<(String, u32, String)>,
}

struct Spot {
    x: String,
    y: u32,
    words: String,
    label: Option<(String, u32, String)>,
}

struct Bar {
    x: String,
    y: u32,
    width: String,
    words: String,
    label: String,
    label_x: String,
    anchor: &'static str,
}

/// The panel, if messages around an anomaly are known.
pub(crate) fn panel(sheet: &Sheet<'_>) -> Option<Panel> {
    let space_time = sheet.run.picture.space_time.as_ref()?;
    if space_time.messages.is_empty() && space_time.marks.is_empty() {
        return None;
    }
    let named = named(sheet.run);
    let first = summary::first_anomaly(sheet.run);
    let at_ns = first.and_then(|anomaly| anomaly.at_ns);
    let about_nodes = first.map_or(&[][..], |anomaly| &anomaly.nodes);
    let stretches = stretches(space_time);
    let opened =
        stretches.iter().rposition(|(from, to)| at_ns.is_some_and(|ns| *from <= ns && ns <= *to));
    let opened = opened.unwrap_or(stretches.len().saturating_sub(1));
    let pages: Vec<Page> = stretches
        .iter()
        .enumerate()
        .map(|(place, stretch)| {
            let id = sheet.id(&format!("space-time-{}", place + 1));
            let (run, named, stretch) = (sheet.run, named.as_slice(), *stretch);
            let sight = Sight { run, space_time, named, about_nodes, stretch };
            let name = format!("Page {} of {}", place + 1, stretches.len());
            sight.page(id, name, place == opened)
        })
        .collect();
    let body = Body {
        lead: "Time runs to the right. A lane is a process, an arrow a message from when it was sent until it \
               came; a cross is one that was lost, a diamond something that a node noted. Strong arrows \
               are those of the clients whose operations show the anomaly, or of the nodes that it is about."
            .into(),
        pages,
        left_out: match space_time.left_out {
            0 => String::new(),
            more => text::counted(more, "messages"),
        },
        replay: format!("{} --trace", sheet.run.replay.replacen("wrack run", "wrack replay", 1)),
    };
    let count = text::counted(space_time.messages.len() as u64, "messages");
    let panel = sheet.panel("space-time", "Messages around the anomaly", Audience::OnCall, body);
    Some(panel.counted(count))
}

/// The operations that the first anomaly names.
fn named(run: &Run) -> Vec<&Operation> {
    let ids = summary::first_anomaly(run).map(|anomaly| anomaly.operations.as_slice());
    let known = ids.unwrap_or_default().iter().filter_map(|id| run.history.operation(*id));
    known.take(24).collect()
}

/// Each window, cut where a page is full.
fn stretches(space_time: &SpaceTime) -> Vec<(u64, u64)> {
    let mut stretches = Vec::new();
    for (from, to) in &space_time.windows {
        let mut begins = *from;
        let within = space_time.messages.iter().filter(|m| (*from..=*to).contains(&m.sent_ns));
        let sent: Vec<u64> = within.map(|message| message.sent_ns).collect();
        for chunk in sent.chunks(PAGE_MESSAGES).skip(1) {
            if chunk[0] > begins {
                stretches.push((begins, chunk[0]));
                begins = chunk[0];
            }
        }
        stretches.push((begins, *to));
    }
    stretches
}

/// One stretch of what is known.
struct Sight<'a> {
    run: &'a Run,
    space_time: &'a SpaceTime,
    named: &'a [&'a Operation],
    about_nodes: &'a [u16],
    stretch: (u64, u64),
}

impl Sight<'_> {
    fn page(&self, id: String, name: String, open: bool) -> Page {
        let (from, to) = self.stretch;
        let messages: Vec<&Message> =
            self.space_time.messages.iter().filter(|m| self.shows(m)).collect();
        let inside = |mark: &&Mark| (from..=to).contains(&mark.ns);
        let marks: Vec<&Mark> = self.space_time.marks.iter().filter(inside).collect();
        let lanes = self.lanes(&messages, &marks);
        let floor = HEAD + lanes.len() as u32 * LANE;
        let summary = format!("{} to {}", text::moment(from), text::moment(to));
        let count = text::counted(messages.len() as u64, "messages");
        let mut room = Room::default();
        let bars = self.bars(&lanes, &mut room);
        let spots = self.spots(&marks, &lanes, &mut room);
        let arrows = self.arrows(&messages, &lanes, &mut room);
        Page {
            description: format!("{count} between {} processes, {summary}.", lanes.len()),
            summary: format!("{summary}, {count}{}", self.about()),
            id,
            name,
            open,
            width: WIDTH,
            height: floor + FOOT,
            left: LEFT,
            right: WIDTH - RIGHT,
            floor,
            ticks: self.ticks(),
            arrows,
            spots,
            bars,
            rows: self.rows(&messages, &marks),
            lanes: lanes.iter().map(|(node, y)| Lane { name: self.name(*node), y: *y }).collect(),
        }
    }

    /// Which of the named operations stand on this page.
    fn about(&self) -> String {
        let (from, to) = self.stretch;
        let here = self.named.iter().filter(|one| one.invoke.ns <= to && one.complete.ns >= from);
        let words: Vec<String> = here.take(3).map(|one| text::operation(one, true)).collect();
        if words.is_empty() { String::new() } else { format!(": {}", words.join("; ")) }
    }

    fn shows(&self, message: &Message) -> bool {
        let (from, to) = self.stretch;
        message.sent_ns <= to && message.sent_ns >= from
    }

    fn client_of(&self, operation: &Operation) -> u16 {
        let servers = self.run.nodes.len().saturating_sub(self.run.clients as usize);
        (servers + operation.session as usize) as u16
    }

    /// Whether a message belongs to a client while its operation is open; of what is about nodes alone,
    /// whether it is between one of these and another node.
    fn is_key(&self, message: &Message) -> bool {
        if self.named.is_empty() {
            let servers = self.run.nodes.len().saturating_sub(self.run.clients as usize);
            let ends = [message.from, message.to];
            return ends.iter().all(|node| usize::from(*node) < servers)
                && ends.iter().any(|node| self.about_nodes.contains(node));
        }
        self.named.iter().any(|operation| {
            let client = self.client_of(operation);
            let (from, to) = (operation.invoke.ns, operation.complete.ns);
            let came = message.ended_ns.unwrap_or(message.sent_ns);
            (message.from == client && (from..to).contains(&message.sent_ns))
                || (message.to == client && from < came && came <= to)
        })
    }

    /// Who is drawn, and where: nodes first, then clients.
    fn lanes(&self, messages: &[&Message], marks: &[&Mark]) -> BTreeMap<u16, u32> {
        let (from, to) = self.stretch;
        let mut weight = BTreeMap::<u16, usize>::new();
        for message in messages {
            for node in [message.from, message.to] {
                *weight.entry(node).or_default() += if self.is_key(message) { 1_000 } else { 1 };
            }
        }
        for mark in marks {
            *weight.entry(mark.node).or_default() += 2;
        }
        for one in self.named.iter().filter(|one| one.invoke.ns <= to && one.complete.ns >= from) {
            *weight.entry(self.client_of(one)).or_default() += 10_000;
        }
        let mut all: Vec<(usize, u16)> =
            weight.into_iter().map(|(node, weight)| (weight, node)).collect();
        all.sort_unstable_by_key(|(weight, node)| (std::cmp::Reverse(*weight), *node));
        let kept: BTreeSet<u16> = all.into_iter().take(LANES_MAX).map(|(_, node)| node).collect();
        (0..).zip(kept).map(|(place, node)| (node, HEAD + place * LANE + LANE / 2 + 6)).collect()
    }

    fn name(&self, node: u16) -> String {
        self.run
            .nodes
            .get(usize::from(node))
            .map_or_else(|| format!("node {node}"), |name| text::label(name))
    }

    fn x(&self, ns: u64) -> f64 {
        let (from, to) = self.stretch;
        let share = (ns.clamp(from, to) - from) as f64 / (to - from).max(1) as f64;
        f64::from(LEFT) + share * f64::from(WIDTH - LEFT - RIGHT)
    }

    fn ticks(&self) -> Vec<(String, String)> {
        let (from, to) = self.stretch;
        let step = crate::plot::round_step(to - from, 9);
        let first = from.div_ceil(step);
        // The last label would be cut off at the edge.
        let whole = |ns: &u64| self.x(*ns) + 32.0 < f64::from(WIDTH);
        let ticks = (first..=to / step).map(|index| index * step).filter(whole);
        let label = |ns: u64| match step {
            1_000_000.. => text::moment(ns),
            _ => format!("{}.{:06} s", ns / 1_000_000_000, ns % 1_000_000_000 / 1_000),
        };
        ticks.map(|ns| (px(self.x(ns)), label(ns))).collect()
    }

    fn bars(&self, lanes: &BTreeMap<u16, u32>, room: &mut Room) -> Vec<Bar> {
        let (from, to) = self.stretch;
        let here = self.named.iter().filter(|one| one.invoke.ns <= to && one.complete.ns >= from);
        let bars = here.filter_map(|operation| {
            let y = *lanes.get(&self.client_of(operation))?;
            let (x, end) = (self.x(operation.invoke.ns), self.x(operation.complete.ns));
            let label = text::operation(operation, true);
            let width = text_width(&label) * 1.15;
            let at_end = x + width > f64::from(WIDTH - RIGHT);
            let start = if at_end { end - width } else { x };
            room.take(start, width, y - 20);
            Some(Bar {
                x: px(x),
                y: y - 6,
                width: px((end - x).max(4.0)),
                words: format!(
                    "{label}, {} to {}",
                    text::moment(operation.invoke.ns),
                    text::moment(operation.complete.ns)
                ),
                label,
                label_x: px(if at_end { end } else { x }),
                anchor: if at_end { "end" } else { "start" },
            })
        });
        bars.collect()
    }

    fn spots(&self, marks: &[&Mark], lanes: &BTreeMap<u16, u32>, room: &mut Room) -> Vec<Spot> {
        let spot = |mark: &&Mark| {
            let y = *lanes.get(&mark.node)?;
            let x = self.x(mark.ns);
            let words = text::clip(&mark.text, LABEL_CHARS_MAX);
            let label = room.place(x + 7.0, text_width(&words), y - 12);
            Some(Spot {
                x: px(x),
                y,
                words: format!("{} {}: {}", text::moment(mark.ns), self.name(mark.node), mark.text),
                label: label.map(|(x, y)| (px(x), y, words)),
            })
        };
        marks.iter().filter_map(spot).collect()
    }

    fn arrows(
        &self,
        messages: &[&Message],
        lanes: &BTreeMap<u16, u32>,
        room: &mut Room,
    ) -> Vec<Arrow> {
        // Strong ones last, so that they lie above the others.
        let (key, other): (Vec<&Message>, Vec<&Message>) =
            messages.iter().copied().partition(|message| self.is_key(message));
        let other = other.into_iter().filter_map(|message| self.arrow(message, lanes, None));
        let mut all: Vec<Arrow> = other.collect();
        all.extend(key.into_iter().filter_map(|message| self.arrow(message, lanes, Some(room))));
        all
    }

    /// One arrow; with `room` it is a strong one, which has a label where there is room for it.
    fn arrow(
        &self,
        message: &Message,
        lanes: &BTreeMap<u16, u32>,
        room: Option<&mut Room>,
    ) -> Option<Arrow> {
        let (y, to_y) = (*lanes.get(&message.from)?, *lanes.get(&message.to)?);
        let (x, end) = (self.x(message.sent_ns), self.x(message.ended_ns.unwrap_or(u64::MAX)));
        // A message that is lost at once shows where it was going.
        let to_x = if message.lost { end.max(x + 14.0) } else { end };
        let to_y = if message.lost { (y + to_y) / 2 } else { to_y };
        let words = text::label(kind(&message.text));
        let class = if room.is_some() { "m-key" } else { "m-other" };
        let middle = ((x + to_x) / 2.0 + 5.0, (y + to_y) / 2);
        let label = room.and_then(|room| room.place(middle.0, text_width(&words), middle.1));
        Some(Arrow {
            class,
            x: px(x),
            y,
            to_x: px(to_x),
            to_y,
            lost: message.lost,
            words: self.told(message),
            label: label.map(|(x, y)| (px(x), y, words)),
        })
    }

    fn told(&self, message: &Message) -> String {
        let end = match (message.lost, message.ended_ns) {
            (true, _) => "lost".into(),
            (false, Some(ns)) => format!("came {}", text::moment(ns)),
            (false, None) => "still under way".into(),
        };
        format!(
            "{} to {}, sent {}, {end}: {}",
            self.name(message.from),
            self.name(message.to),
            text::moment(message.sent_ns),
            message.text
        )
    }

    /// The page in words, in order of time.
    fn rows(&self, messages: &[&Message], marks: &[&Mark]) -> Vec<[String; 4]> {
        let mut rows: Vec<(u64, [String; 4])> = Vec::new();
        for message in messages {
            let end = match (message.lost, message.ended_ns) {
                (true, _) => "lost".into(),
                (false, Some(ns)) => text::moment(ns),
                (false, None) => "–".into(),
            };
            let who = format!("{} → {}", self.name(message.from), self.name(message.to));
            let sent = text::moment(message.sent_ns);
            rows.push((message.sent_ns, [sent, who, end, message.text.to_string()]));
        }
        for mark in marks {
            let at = text::moment(mark.ns);
            rows.push((mark.ns, [at, self.name(mark.node), "–".into(), mark.text.to_string()]));
        }
        rows.sort_by_key(|(ns, _)| *ns);
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// What kind of message it is: the first word of its content, without what only wraps it.
fn kind(content: &str) -> &str {
    let content = content.trim_start_matches("Peer(");
    let end = content.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(content.len());
    if end == 0 { content } else { &content[..end] }
}

/// Where labels stand already: none is drawn over another.
#[derive(Default)]
struct Room(Vec<(f64, f64, u32)>);

impl Room {
    const HEIGHT: u32 = 14;

    fn is_free(&self, x: f64, width: f64, y: u32) -> bool {
        let clash = |(from, to, at): &(f64, f64, u32)| {
            *from < x + width && x < *to && at.abs_diff(y) < Self::HEIGHT
        };
        !self.0.iter().any(clash) && x + width < f64::from(WIDTH)
    }

    fn take(&mut self, x: f64, width: f64, y: u32) {
        self.0.push((x, x + width, y));
    }

    /// The place, if there is room for it there.
    fn place(&mut self, x: f64, width: f64, y: u32) -> Option<(f64, u32)> {
        self.is_free(x, width, y).then(|| {
            self.take(x, width, y);
            (x, y)
        })
    }
}
