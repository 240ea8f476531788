//! What holds of every report, whatever the run.

mod export;
mod gameday;
mod sample;

use wrack_history::gate::Unit;
use wrack_history::picture::{
    Budget, Burn, Mark, Message, Metric, Series, SpaceTime, Step, StepKind, Story, series,
};
use wrack_history::{Anomaly, Fact, FactRecord, Judgement, Moment, Outcome, Picture, Run, Verdict};
use wrack_reports::{
    Links, Sweep, SweepCluster, SweepGroup, html, html_against, human, sweep_html,
};

const HOSTILE: &str = "<script>alert('1')</script>\"'&\u{1b}[31m";

/// A run in which every text is an attack.
fn hostile() -> Run {
    let mut run = sample::invalid(200);
    run.scenario_path = HOSTILE.into();
    run.scenario_source = HOSTILE.into();
    run.scenario_hash = HOSTILE.into();
    for text in [
        &mut run.scenario,
        &mut run.title,
        &mut run.story,
        &mut run.hypothesis,
        &mut run.design,
        &mut run.engine,
        &mut run.trace_hash,
        &mut run.wrack_version,
        &mut run.replay,
    ] {
        text.insert_str(0, HOSTILE);
    }
    run.variant = HOSTILE.into();
    run.doubts = vec![HOSTILE.into()];
    for name in &mut run.nodes {
        *name = HOSTILE.into();
    }
    for fault in &mut run.faults {
        fault.kind = HOSTILE.into();
        fault.detail = HOSTILE.into();
        fault.unit = HOSTILE.into();
        fault.nodes = vec![HOSTILE.into()];
    }
    for slo in &mut run.slos {
        slo.name = HOSTILE.into();
        slo.objective = HOSTILE.into();
        slo.observed = HOSTILE.into();
    }
    for operation in &mut run.history.operations {
        operation.key = format!("{HOSTILE}{}", operation.id % 3).into();
        operation.function = HOSTILE.into();
        operation.argument = HOSTILE.into();
        operation.details_mut().error = Some(HOSTILE.into());
    }
    for record in &mut run.facts {
        if let Fact::Role { role, .. } = &mut record.fact {
            *role = HOSTILE.into();
        }
    }
    for judgement in &mut run.judgements {
        attack(judgement);
    }
    run.sometimes = [(HOSTILE.into(), 1)].into();
    run.picture = hostile_picture();
    run
}

/// A picture in which every text is an attack.
fn hostile_picture() -> Picture {
    let message = |from, to, lost| Message {
        from,
        to,
        sent_ns: 12_012_000_000,
        ended_ns: Some(12_020_000_000),
        lost,
        text: HOSTILE.into(),
    };
    let step =
        |kind| Step { ns: 12_000_000_000, kind, text: format!("{HOSTILE} answered by, under F1") };
    let burn = |severity: &str| Burn {
        windows: HOSTILE.into(),
        severity: severity.into(),
        threshold_tenths: 144,
        points: vec![(0, 3), (1_000_000_000, 200)],
        fired_ns: Some(1_000_000_000),
        detected_after_ns: None,
        recovered_after_ns: Some(5),
    };
    let line = |name: &str, node| Series {
        name: name.into(),
        unit: Unit::Ns,
        node,
        points: vec![(0, -5_000_000), (9_000_000_000, 7_000_000)],
    };
    Picture {
        series: vec![
            line(series::CLOCK_OFFSET, Some(0)),
            line(series::REPLICA_LAG, Some(9_999)),
            line(series::EVENT_LAG_AS_SEEN, None),
            line(series::BACKLOG, None),
        ],
        metrics: vec![Metric { name: HOSTILE.into(), observed: HOSTILE.into() }],
        budget: Some(Budget {
            objective_per_million: 999_000,
            declared: false,
            remaining: vec![(0, 1_000_000), (5_000_000_000, -400_000)],
            burns: vec![burn("page"), burn(HOSTILE)],
        }),
        space_time: Some(SpaceTime {
            windows: vec![(12_000_000_000, 12_040_000_000)],
            messages: vec![message(0, 9, false), message(0, 1, true), message(60_000, 1, false)],
            marks: vec![Mark { ns: 12_010_000_000, node: 0, text: HOSTILE.into() }],
            left_out: 3,
        }),
        stories: vec![Story {
            anomaly: 0,
            steps: [StepKind::Fault, StepKind::Node, StepKind::Client, StepKind::Effect]
                .map(step)
                .into(),
            left_out: 2,
        }],
    }
}

fn attack(judgement: &mut Judgement) {
    judgement.code = HOSTILE.into();
    judgement.bound = Some(HOSTILE.into());
    judgement.observed = Some(HOSTILE.into());
    judgement.reason = Some(HOSTILE.into());
    judgement.algorithm = Some(HOSTILE.into());
    judgement.examined = [(HOSTILE.into(), 2)].into();
    for anomaly in &mut judgement.anomalies {
        anomaly.code = HOSTILE.into();
        anomaly.explanation = HOSTILE.into();
        anomaly.key = Some(HOSTILE.into());
    }
}

/// Every attribute and its value, of every tag but those within the script.
fn attributes(page: &str) -> Vec<(&str, &str)> {
    let tags = page.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
    let mut attributes = Vec::new();
    for (tag, _) in tags {
        let mut rest = tag;
        while let Some((name, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').expect("an attribute value is closed");
            attributes.push((name.rsplit(' ').next().unwrap(), value));
            rest = after;
        }
    }
    attributes
}

/// The page without what its scripts hold.
fn without_scripts(page: &str) -> String {
    let mut parts = page.split("<script");
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |page, part| page + part.split_once("</script>").expect("it is closed").1)
}

#[test]
fn every_text_of_a_run_is_escaped() {
    let page = html(&hostile());
    assert!(page.matches("<script").count() <= 2, "a text became a tag");
    assert!(!page.contains("<script>alert"), "a text became a tag");
    assert!(!page.contains("alert('1')"), "a text kept its quotes");
    assert!(page.contains("&#60;script&#62;"), "the texts are in the page at all");
}

#[test]
fn what_is_measured_is_drawn_with_its_numbers() {
    let run = Run { picture: hostile_picture(), ..sample::invalid(500) };
    let page = without_scripts(&html(&run));
    for id in
        ["space-time-1", "clocks", "replica-lag", "event-lag", "backlog", "budget-left", "burn"]
    {
        assert!(page.contains(&format!("id=\"{id}-title\"")), "{id}");
    }
    for words in
        ["How it came about", "would have paged", "Clock offset", "3 messages of these stretches"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn five_hundred_nodes_and_long_names_have_a_page() {
    let mut run = sample::invalid(300);
    run.nodes = (0..500).map(|node| format!("{node}-{}", "x".repeat(200)).into()).collect();
    run.clients = 8;
    run.facts = (0..500).map(|node| flapping(node, 500)).collect();
    let message = |number: u16| Message {
        from: number % 500,
        to: (number * 7 + 1) % 500,
        sent_ns: 12_000_000_000 + u64::from(number) * 10_000,
        ended_ns: None,
        lost: false,
        text: "x".repeat(200).into(),
    };
    run.picture.space_time = Some(SpaceTime {
        windows: vec![(12_000_000_000, 12_040_000_000)],
        messages: (0..1_500).map(message).collect(),
        ..SpaceTime::default()
    });
    let page = html(&run);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page.contains("more nodes are not drawn"));
    assert!(page.contains("Page 32 of 32"), "every message has a page");
}

#[test]
fn a_run_of_operations_in_doubt_has_a_page() {
    let mut run = sample::valid(200);
    for operation in &mut run.history.operations {
        operation.outcome = Outcome::Info;
        operation.complete = Moment::NEVER;
    }
    run.counts = run.history.counts();
    let page = html(&run);
    assert!(page.contains("200 of 200 did not end ok"));
    run.history.operations.clear();
    run.counts = run.history.counts();
    assert!(html(&run).contains("0 of 0 did not end ok"));
}

#[test]
fn a_sweep_has_a_map_of_its_seeds_its_kinds_of_failure_and_what_was_never_reached() {
    let group = SweepGroup {
        scenario: HOSTILE.into(),
        variant: "reference".into(),
        expected: "valid".into(),
        seeds: 1_000,
        found: 998,
        failures: vec![3, 700],
        unknown: vec![5],
        coverage: [(HOSTILE.into(), 0), ("a leader falls".into(), 7)].into(),
        missing: vec![HOSTILE.into()],
        ..SweepGroup::default()
    };
    let cluster = SweepCluster {
        scenario: HOSTILE.into(),
        variant: "reference".into(),
        code: "LIN".into(),
        shape: "write read".into(),
        seeds: vec![3, 700],
        example: "a/reference/3".into(),
        ..SweepCluster::default()
    };
    let sweep = Sweep { seeds: 0..1_000, groups: vec![group], clusters: vec![cluster] };
    let page = sweep_html(&sweep);
    assert_eq!(page, sweep_html(&sweep.clone()));
    for words in
        ["NOT AS EXPECTED", "<title>seed 3</title>", "1 of 2 never reached", "a/reference/3"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(!without_scripts(&page).contains("<script>alert"));
    assert!(sweep_html(&Sweep::default()).contains("UNKNOWN"));
}

#[test]
fn a_text_of_a_run_cannot_steer_the_terminal() {
    let run = hostile();
    let links = Links { report: Some("a\rb"), replay: Some(&run.replay) };
    let text = human(&run, &links);
    let steers = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(steers), "{text:?}");
}

#[test]
fn a_page_asks_nobody_for_anything() {
    for run in [sample::crowded(500), sample::invalid(500), hostile()] {
        let page = without_scripts(&html(&run));
        for (name, value) in attributes(&page) {
            assert!(!value.contains("//"), "{name}={value}");
            assert!(!["src", "style", "srcset", "action"].contains(&name), "{name}={value}");
            assert!(name != "href" || value.starts_with('#'), "{name}={value}");
            assert!(!name.starts_with("on"), "{name}={value}");
        }
        assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
        assert!(page.contains("; script-src 'sha256-") && !page.contains("unsafe"));
        assert!(!page.contains("url(http") && !page.contains("@import"));
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let run = sample::invalid(700);
    assert_eq!(html(&run), html(&run.clone()));
    let links = Links::default();
    assert_eq!(human(&run, &links), human(&run.clone(), &links));
}

#[test]
fn a_page_stays_small_however_long_the_run() {
    const BYTES_MAX: usize = 2_000_000;
    let mut run = sample::invalid(100_000);
    let long = "words and more words ".repeat(10_000);
    run.story.clone_from(&long);
    run.scenario_source.clone_from(&long);
    run.faults = (0..5_000).map(|index| run.faults[index % 3].clone()).collect();
    let nodes = run.nodes.len() as u64;
    run.nodes = (0..60).map(|index| format!("n{index}").into()).collect();
    run.clients = 8;
    run.facts = (0..50_000).map(|index| flapping(index, nodes)).collect();
    let everything: Vec<u64> = (0..100_000).collect();
    let anomaly = Anomaly {
        code: "LIN".into(),
        explanation: long,
        operations: everything,
        ..Anomaly::default()
    };
    run.judgements[0].anomalies = vec![anomaly; 1_000];
    let page = html(&run);
    assert!(page.len() < BYTES_MAX, "{} bytes", page.len());
    assert!(page.contains("4800 more are left out here"), "what is left out is counted");
}

fn flapping(index: u64, nodes: u64) -> FactRecord {
    let role = if index.is_multiple_of(2) { "leader" } else { "follower" };
    FactRecord {
        ns: index * 1_200_000,
        node: (index / 2 % nodes) as u16,
        fact: Fact::Role { role: role.into(), epoch: index },
    }
}

#[test]
fn every_fault_and_promise_and_objective_is_in_both_reports() {
    let run = sample::unknown(500);
    let (page, text) = (html(&run), human(&run, &Links::default()));
    let plain = page
        .replace("&#38;", "&")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">");
    for (position, fault) in run.faults.iter().enumerate() {
        assert!(page.contains(&format!("<b>F{}</b> {}", position + 1, fault.kind)));
        for report in [&plain, &text] {
            assert!(report.contains(fault.detail.as_str()), "{}", fault.detail);
        }
    }
    for report in [&plain, &text] {
        assert!(report.contains("did not bite"));
        for judgement in &run.judgements {
            assert!(report.contains(judgement.code.as_str()));
        }
        for slo in &run.slos {
            assert!(report.contains(&slo.objective) && report.contains(&slo.observed));
        }
    }
}

#[test]
fn panels_stand_in_their_order_and_each_chart_has_a_name_and_its_numbers() {
    let page = html(&sample::invalid(500));
    let ids = [
        "verdict",
        "impact",
        "anomalies",
        "promises",
        "blast-radius",
        "faults",
        "lanes",
        "over-time",
        "functions",
        "slos",
        "coverage",
        "source",
        "origin",
        "notes",
    ];
    let places = ids.map(|id| page.find(&format!("id=\"{id}\"")).expect(id));
    assert!(places.is_sorted(), "{places:?}");
    for id in ["blast", "phases", "latency", "throughput", "nodes-over-time", "anomaly-1"] {
        assert!(page.contains(&format!("aria-labelledby=\"{id}-title {id}-description\"")));
        assert!(page.contains(&format!("<title id=\"{id}-title\">")));
        assert!(page.contains(&format!("<desc id=\"{id}-description\">")));
    }
    for id in ["blast", "phases", "latency", "throughput", "by-function", "nodes-over-time"] {
        assert!(page.contains(&format!("<details class=\"numbers-of\" id=\"{id}-numbers\">")));
    }
    assert_eq!(without_scripts(&page).matches("<svg class=\"chart").count(), 7);
    assert!(page.contains("No anomaly was found in these seeds, within these bounds"));
}

#[test]
fn a_baseline_shows_what_was_run_and_what_became_better_or_worse() {
    let before = sample::valid(500);
    let now = Run { trace_hash: "c0ffee".into(), ..sample::invalid(500) };
    let page = html_against(&now, &before);
    assert_eq!(page, html_against(&now, &before));
    let found = now.anomalies().count();
    let anomalies =
        format!("<th scope=\"row\">Anomalies</th><td>0</td><td>{found}</td><td>+{found}</td>");
    for cells in [
        anomalies.as_str(),
        "<th scope=\"row\">Variant</th><td>reference</td><td>stale_local_read</td>",
        "<th scope=\"row\">Verdict</th><td>valid</td><td>invalid</td>",
    ] {
        assert!(page.contains(cells), "{cells}");
    }
    assert!(page.contains("every difference has a cause"));
    assert!(!html(&now).contains("Difference to a baseline"));
    let same = html_against(&before, &before);
    assert!(same.contains("0 worse, 0 better") && same.contains("event for event"));
    let other = Run { seed: 7, ..sample::valid(500) };
    assert!(html_against(&now, &other).contains("may be chance"));
    let empty = html_against(&Run::default(), &hostile());
    assert!(!empty.contains("<script>alert") && !empty.contains("alert('1')"));
}

#[test]
fn functions_are_counted_by_how_they_ended() {
    let run = sample::valid(500);
    let page = html(&run);
    for function in ["read", "write"] {
        let of = run.history.operations.iter().filter(|one| one.function == function);
        let ended = |outcome| of.clone().filter(|one| one.outcome == outcome).count();
        let [ok, fail, info] = [Outcome::Ok, Outcome::Fail, Outcome::Info].map(ended);
        let all = ok + fail + info;
        let cells = format!(
            "<th scope=\"row\">{function}</th><td>{all}</td><td>{ok}</td><td>{fail}</td><td>{info}</td>"
        );
        assert!(page.contains(&cells), "{cells}");
    }
    let mut run = sample::valid(500);
    for operation in &mut run.history.operations {
        operation.function = format!("f{}", operation.id % 100).into();
    }
    let page = html(&run);
    assert!(page.contains(">25 functions<") && page.contains("<th scope=\"row\">others</th>"));
}

#[test]
fn ids_are_unique_and_tags_are_closed() {
    let compared = html_against(&sample::crowded(500), &hostile());
    let drawn = Run { picture: hostile_picture(), ..sample::invalid(500) };
    let runs = [sample::valid(500), sample::invalid(500), sample::unknown(50), hostile(), drawn];
    for page in runs.iter().map(html).chain([compared]) {
        let page = without_scripts(&page);
        let attributes = attributes(&page);
        let mut ids: Vec<&str> =
            attributes.iter().filter(|(name, _)| *name == "id").map(|(_, id)| *id).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
        // A mark that is not defined is not drawn, and nobody complains.
        for drawn in page.split("url(#").skip(1) {
            let id = drawn.split(')').next().unwrap();
            assert!(ids.binary_search(&id).is_ok(), "url(#{id}) leads nowhere");
        }
        for tag in [
            "svg", "g", "table", "tr", "td", "section", "details", "div", "ul", "figure", "span",
            "p",
        ] {
            let opened = page.matches(&format!("<{tag}>")).count()
                + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}

#[test]
fn an_anomaly_is_drawn_with_its_operations_and_the_fault_behind_them() {
    let page = html(&sample::invalid(500));
    for label in ["write 4 → ok", "write 5 → ok", "write 6 → info", "write 9 → fail", "read → 4"]
    {
        assert!(page.contains(&format!(">{label}</text>")), "{label}");
        assert!(page.contains(&format!("<code>{label}</code>")), "{label}");
    }
    assert!(page.contains("process 6: write 6 → info, invoked 11.990 s, never completed"));
    assert!(page.contains("<title>F1 partition: n1 from the others</title>"));
}

#[test]
fn the_first_line_is_the_verdict() {
    let first = |run: &Run| human(run, &Links::default()).lines().next().unwrap().to_owned();
    assert_eq!(
        first(&sample::valid(3_012)),
        "valid: 1 seed, 3,012 operations (2,844 ok, 117 fail, 51 info); LIN examined 1,506 reads \
         on 5 keys; 3 of 3 faults bit"
    );
    let invalid = sample::invalid(500);
    let start = "INVALID, as expected (stale_local_read → LIN): process 3 read 4 at 12.031 s, but ";
    assert!(first(&invalid).starts_with(start), "{}", first(&invalid));
    let foreign = Run { as_expected: false, foreign: vec!["RAFT".into()], ..invalid };
    let start = "INVALID, not as expected (stale_local_read → LIN, RAFT): n1 and n3 both acted";
    assert!(first(&foreign).starts_with(start), "{}", first(&foreign));
    let start = "unknown: fault F3 (clock_step) touched nothing";
    assert!(first(&sample::unknown(500)).starts_with(start));
}

#[test]
fn a_valid_run_that_should_have_shown_an_anomaly_says_so() {
    let run =
        Run { variant: "stale_local_read".into(), expected: "LIN".into(), ..sample::valid(500) };
    assert!(
        html(&run)
            .contains("is expected to show LIN (linearizability), and with this seed it did not")
    );
    assert!(
        human(&run, &Links::default())
            .contains("LIN is expected of stale_local_read and was not found")
    );
}

#[test]
fn the_text_ends_with_where_to_go_on() {
    let run = sample::valid(100);
    let links = Links {
        report: Some("wrack-out/a/report.html"),
        replay: Some("wrack run a.toml --seed 42"),
    };
    let end = "\nnext\n  report  wrack-out/a/report.html\n  replay  wrack run a.toml --seed 42\n";
    assert!(human(&run, &links).ends_with(end));
    assert!(!human(&run, &Links::default()).contains("\nnext\n"));
}

#[test]
fn an_empty_run_has_reports_too() {
    let run = Run { expected: "valid".into(), as_expected: true, ..Run::default() };
    assert!(html(&run).contains("Nothing was promised"));
    let text = human(&run, &Links::default());
    assert_eq!(text, "valid: 1 seed, 0 operations (0 ok, 0 fail, 0 info); no faults\n");
    let invalid = Run { verdict: Verdict::Invalid, ..run };
    assert!(
        html(&invalid).contains("INVALID")
            && human(&invalid, &Links::default()).starts_with("INVALID")
    );
}
