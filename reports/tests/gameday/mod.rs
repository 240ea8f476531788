//! Pages of game days, over runs that nobody ran.

use wrack_history::Run;
use wrack_history::gameday::{
    CheckDone, GAMEDAY_FORMAT, GameDay, Sign, SignalSeen, Standing, StepDone, Stopped,
};
use wrack_reports::{gameday_postmortem, gameday_report};

use crate::sample;

const HOSTILE: &str = "<script>alert('1')</script>\"'&";

fn day(words: &str) -> (GameDay, Vec<(usize, Run)>) {
    let runs = vec![(0, sample::invalid(300)), (1, sample::valid(300))];
    let signal = |sign, standing, at_ns| SignalSeen {
        sign,
        within_ns: Some(5_000_000_000),
        standing,
        seeds: 1,
        at_ns,
    };
    let step = |run: &Run| StepDone {
        title: words.into(),
        scenario: words.into(),
        variant: words.into(),
        hidden: true,
        question: words.into(),
        expected: "LIN".into(),
        seeds: 1,
        found: 1,
        standing: Standing::AsExpected,
        signals: vec![
            signal(Sign::Anomaly("LIN".into()), Standing::AsExpected, Some(12_031_000_000)),
            signal(Sign::People(words.into()), Standing::Open, None),
        ],
        example_seed: Some(run.seed),
        slos: run.slos.clone(),
        ..StepDone::default()
    };
    let steps = vec![
        step(&runs[0].1),
        step(&runs[1].1),
        StepDone { title: words.into(), standing: Standing::Open, ..StepDone::default() },
    ];
    let stopped = Some(Stopped { after_step: 2, because: words.into() });
    let check =
        CheckDone { title: words.into(), standing: Standing::AsExpected, found: words.into() };
    let day = GameDay {
        format: GAMEDAY_FORMAT,
        title: words.into(),
        objective: words.into(),
        playlist: words.into(),
        replay: words.into(),
        checks: vec![check],
        steps,
        stopped,
        standing: Standing::Unknown,
        ..GameDay::default()
    };
    (day, runs)
}

#[test]
fn every_text_of_a_day_is_escaped_and_the_pages_are_the_same_twice() {
    let (day, runs) = day(HOSTILE);
    for page in [gameday_report, gameday_postmortem] {
        let html = page(&day, &runs);
        assert!(!html.contains("<script>alert") && !html.contains(HOSTILE));
        assert!(html.contains("&#60;script&#62;"));
        assert_eq!(html, page(&day, &runs));
        let ids = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let mut ids: Vec<_> = ids.collect();
        ids.sort_unstable();
        let twice: Vec<_> = ids.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "an id is used twice: {twice:?}");
    }
}

#[test]
fn a_report_says_how_the_day_went_and_has_a_part_for_each_step_that_ran() {
    let (day, runs) = day("Leaders go away");
    let html = gameday_report(&day, &runs);
    for words in
        ["2 of 3 steps ran, 2 of them as expected; 2 of 2 expected signals seen.", "not run"]
    {
        assert!(html.contains(words), "{words}");
    }
    assert!(html.contains("Stopped after step 2: Leaders go away."));
    for link in ["#s1\"", "#s2\""] {
        assert!(html.contains(link), "{link}");
    }
    assert!(!html.contains("#s3\""));
}

#[test]
fn a_post_mortem_tells_what_happened_in_order_of_time() {
    let (day, runs) = day("Leaders go away");
    let html = gameday_postmortem(&day, &runs);
    let begins = html.find("partition begins").unwrap();
    let anomaly = html.find("LIN: process 3 read 4").or_else(|| html.find("LIN: Process 3 read 4"));
    let over = html.find("partition is over").unwrap();
    assert!(begins < anomaly.unwrap() && anomaly.unwrap() < over);
    assert!(html.contains("11.900 s, 1.90 s after the first fault"));
    assert!(html.contains("Re-test on") && html.contains("What made it possible"));
}
