//! A circle of transactions as a picture: each in a box, with an arrow to the next that says why it comes
//! before it, and one below back to the first.

use askama::Template;
use wrack_history::verdict::Link;

use crate::text;

/// More transactions than this are told in words only.
const NODES_MAX: usize = 12;
const BOX_WIDTH: usize = 90;
const STEP: usize = 170;
const LEFT: usize = 10;

#[derive(Template)]
#[template(path = "circle.html")]
struct Circle {
    id: String,
    title: String,
    width: usize,
    box_width: usize,
    nodes: Vec<Node>,
    arrows: Vec<Arrow>,
}

struct Node {
    x: usize,
    middle: usize,
    name: String,
}

struct Arrow {
    path: String,
    head: String,
    x: usize,
    y: usize,
    kind: String,
}

/// The picture; nothing where there is no circle, or too large a one.
pub(crate) fn draw(id: &str, links: &[Link]) -> Option<String> {
    if links.is_empty() || links.len() > NODES_MAX {
        return None;
    }
    let node = |(place, link): (usize, &Link)| Node {
        x: LEFT + place * STEP,
        middle: LEFT + place * STEP + BOX_WIDTH / 2,
        name: format!("T{}", link.from),
    };
    let reasons: Vec<String> = links.iter().map(|link| text::label(&link.text)).collect();
    let (last, onward) = links.split_last().expect("it is not empty");
    let mut arrows: Vec<Arrow> =
        onward.iter().enumerate().map(|(place, link)| across(place, &link.kind)).collect();
    arrows.push(back(links.len() - 1, &last.kind));
    let circle = Circle {
        id: id.to_owned(),
        title: format!("Each comes before the next: {}", reasons.join("; ")),
        width: 2 * LEFT + (links.len() - 1) * STEP + BOX_WIDTH,
        box_width: BOX_WIDTH,
        nodes: links.iter().enumerate().map(node).collect(),
        arrows,
    };
    Some(circle.render().expect("a template renders into memory"))
}

fn across(place: usize, kind: &str) -> Arrow {
    let from = LEFT + place * STEP + BOX_WIDTH;
    let to = LEFT + (place + 1) * STEP;
    Arrow {
        path: format!("M{from} 35H{}", to - 8),
        head: format!("M{to} 35L{} 30V40Z", to - 10),
        x: (from + to) / 2,
        y: 28,
        kind: text::label(kind),
    }
}

fn back(last: usize, kind: &str) -> Arrow {
    let from = LEFT + last * STEP + BOX_WIDTH / 2;
    let to = LEFT + BOX_WIDTH / 2;
    Arrow {
        path: format!("M{from} 50V90H{to}V60"),
        head: format!("M{to} 50L{} 60H{}Z", to - 5, to + 5),
        x: (from + to) / 2,
        y: 108,
        kind: text::label(kind),
    }
}

#[cfg(test)]
mod tests {
    use wrack_history::verdict::Link;

    use super::draw;

    #[test]
    fn a_circle_is_drawn_with_the_reason_of_each_arrow() {
        let link =
            |from, to, kind: &str| Link { from, to, kind: kind.into(), text: "T1 read <x>".into() };
        let drawn = draw("c", &[link(1, 2, "rw"), link(2, 1, "wr")]).unwrap();
        for part in [">T1<", ">T2<", ">rw<", ">wr<", "&#60;x&#62;"] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        assert_eq!(draw("c", &[]), None);
    }
}
