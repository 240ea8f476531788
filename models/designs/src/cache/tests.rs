//! The rules, each driven by hand on one node.

use std::sync::Arc;

use wrack_history::duration::{MILLISECOND, SECOND};
use wrack_history::{Setting, Settings, Value};
use wrack_sim::{Control, NodeId};

use super::Cache;
use super::message::{News, Peer};
use crate::authority::{Change, Row};
use crate::bench::{Bench, peers, read, told, write};

const APP: u16 = 0;
const DATABASE: u16 = 2;

fn change(version: u64) -> Change {
    Change { key: "k".into(), version }
}

fn fetched(number: u64, asked_ns: u64, version: u64, as_of: u64) -> Peer {
    let row = Row { value: Value::Integer(version as i64), version };
    Peer::Fetched { request: read(number), asked_ns, row, as_of }
}

/// An app that follows the announcements from the version 4 on, and has cached that version of the key.
fn app(variant: &str) -> Bench<Cache> {
    following(variant, &[])
}

fn following(variant: &str, parameters: &[(&str, Setting)]) -> Bench<Cache> {
    let mut app = Bench::with(variant, APP, parameters);
    confirm(&mut app, None, (0, 4));
    app.receive(DATABASE, fetched(1, app.now_ns, 4, 4));
    app
}

/// The database answers what the app asks now: nothing new up to this number and version.
fn confirm(app: &mut Bench<Cache>, after: Option<u64>, (upto, as_of): (u64, u64)) {
    let news = News { after, asked_ns: app.now_ns, upto, as_of, changes: Vec::new() };
    app.receive(DATABASE, Peer::News(news));
}

/// Whether a read is a hit, and of what.
fn hit(app: &mut Bench<Cache>) -> Option<Value> {
    told(&app.ask(&read(9))).pop()
}

#[test]
fn a_read_is_a_hit_until_the_key_changes() {
    let mut app = app("reference");
    assert_eq!(hit(&mut app), Some(4.into()));
    app.receive(DATABASE, Peer::Invalidation(1, change(5)));
    let sent = peers(app.ask(&read(9)));
    assert!(matches!(&sent[..], [(NodeId(DATABASE), Peer::Fetch { .. })]), "{sent:?}");
}

#[test]
fn a_row_that_comes_after_the_invalidation_of_what_it_says_is_not_kept() {
    let late = |variant| {
        let mut app = app(variant);
        app.receive(DATABASE, Peer::Invalidation(1, change(5)));
        let sent = app.receive(DATABASE, fetched(2, 1, 4, 4));
        (told(&sent), hit(&mut app))
    };
    // Whoever asked before the change is answered all the same.
    assert_eq!(late("reference"), (vec![4.into()], None));
    assert_eq!(late("unversioned_fill"), (vec![4.into()], Some(4.into())));
}

#[test]
fn hits_end_when_no_answer_comes_and_the_time_counts_from_the_question() {
    let mut app = app("reference");
    app.now_ns = 3 * SECOND;
    assert_eq!(hit(&mut app), Some(4.into()));
    app.now_ns = 4 * SECOND;
    assert_eq!(hit(&mut app), None);
    confirm(&mut app, Some(0), (0, 4));
    app.now_ns = 7 * SECOND;
    assert_eq!(hit(&mut app), Some(4.into()));
    let mut app = self::app("lost_invalidation");
    app.now_ns = 800 * SECOND;
    assert_eq!(hit(&mut app), Some(4.into()));
}

#[test]
fn a_gap_in_the_numbers_is_asked_for_and_what_was_missed_is_forgotten() {
    let mut app = app("reference");
    let other = Change { key: "other".into(), version: 6 };
    let sent = peers(app.receive(DATABASE, Peer::Invalidation(2, other)));
    assert!(matches!(&sent[..], [(_, Peer::Watch { after: Some(0), .. })]), "{sent:?}");
    let changes = vec![change(5)];
    let asked_ns = app.now_ns;
    let news = News { after: Some(0), asked_ns, upto: 2, as_of: 6, changes };
    app.receive(DATABASE, Peer::News(news));
    assert_eq!(hit(&mut app), None);
    // The next one leaves no gap.
    assert!(app.receive(DATABASE, Peer::Invalidation(3, change(7))).is_empty());
}

#[test]
fn an_app_that_booted_keeps_nothing_from_before_it_followed() {
    let mut app = app("reference");
    let sent = peers(app.restart());
    assert!(matches!(&sent[..], [(_, Peer::Watch { after: None, .. })]), "{sent:?}");
    // Nothing is kept before the first answer, and nothing that is older than that.
    app.receive(DATABASE, fetched(2, 1, 4, 8));
    assert_eq!(hit(&mut app), None);
    confirm(&mut app, None, (3, 8));
    app.receive(DATABASE, fetched(2, 1, 4, 7));
    assert_eq!(hit(&mut app), None);
    app.receive(DATABASE, fetched(2, 1, 4, 8));
    assert_eq!(hit(&mut app), Some(4.into()));
    // An answer to a question of the former boot says nothing of what this one has missed.
    app.now_ns = 5 * SECOND;
    confirm(&mut app, Some(7), (7, 9));
    assert_eq!(hit(&mut app), None);
}

#[test]
fn a_writer_that_was_answered_misses_what_it_replaced() {
    let mut app = app("no_invalidation");
    let sent = app.receive(DATABASE, Peer::Committed(write(3), 5));
    assert_eq!(told(&sent), [Value::Nil]);
    assert_eq!(hit(&mut app), None);
}

#[test]
fn quiet_keys_live_no_longer_than_a_hit_may_be_old_whatever_is_asked() {
    let lives = |variant, class: &'static str, key_is_quiet| {
        let quiet = ("quiet_keys", Setting::Flag(key_is_quiet));
        let ttl = ("ttl", Setting::Duration(SECOND));
        let mut app = following(variant, &[quiet, ttl]);
        let settings = Settings::default()
            .with("class", Setting::Choice(class.into()))
            .with("ttl", Setting::Duration(900 * SECOND));
        let mut control = Control { name: "ttl", settings, is_over: false };
        app.control(&control);
        app.now_ns = 100 * SECOND;
        confirm(&mut app, Some(0), (0, 4));
        let changed = hit(&mut app).is_some();
        control.is_over = true;
        app.control(&control);
        assert_eq!(hit(&mut app), None, "it is turned back");
        changed
    };
    // `k` ends in an odd byte.
    assert!(lives("reference", "announced", false));
    assert!(!lives("reference", "announced", true));
    assert!(!lives("reference", "quiet", true));
    assert!(lives("global_ttl", "announced", true));
}

#[test]
fn what_is_evicted_is_gone() {
    let mut app = app("reference");
    let settings = Settings::default().with("share", Setting::PerMillion(1_000_000));
    app.control(&Control { name: "evict", settings, is_over: false });
    assert_eq!(hit(&mut app), None);
}

#[test]
fn of_more_keys_than_fit_the_one_that_was_fetched_longest_ago_is_forgotten() {
    let mut app = app("reference");
    let settings =
        Settings::default().with("share", Setting::PerMillion(0)).with("keys", Setting::Integer(1));
    let mut control = Control { name: "evict", settings, is_over: false };
    let another_key_comes = |app: &mut Bench<Cache>| {
        let mut request = Arc::unwrap_or_clone(read(2));
        request.key = "another".into();
        let (request, row) = (Arc::new(request), Row { value: 1.into(), version: 4 });
        app.receive(DATABASE, Peer::Fetched { request, asked_ns: app.now_ns + 1, row, as_of: 4 });
    };
    app.control(&control);
    assert_eq!(hit(&mut app), Some(4.into()), "one fits");
    another_key_comes(&mut app);
    assert_eq!(hit(&mut app), None);
    control.is_over = true;
    app.control(&control);
    app.receive(DATABASE, fetched(3, app.now_ns, 4, 4));
    another_key_comes(&mut app);
    assert_eq!(hit(&mut app), Some(4.into()), "both fit again");
}

/// What the database tells apps, and then its writer, when a write comes and when it is durable.
fn told_by_database(variant: &str) -> [Vec<&'static str>; 2] {
    let mut database = Bench::<Cache>::new(variant, DATABASE);
    let words = |sent| {
        let word = |(_, peer): (NodeId, Peer)| match peer {
            Peer::Invalidation(1, _) => "invalidation",
            Peer::Committed(_, 1) => "committed",
            other => panic!("unexpected: {other:?}"),
        };
        peers(sent).into_iter().map(word).collect()
    };
    [words(database.receive(APP, Peer::Commit(write(1)))), words(database.synced())]
}

#[test]
fn the_database_announces_what_is_durable_to_every_app() {
    let (both, none) = (["invalidation"; 2], Vec::new());
    assert_eq!(
        told_by_database("reference"),
        [none.clone(), vec!["invalidation", "invalidation", "committed"]]
    );
    let early = told_by_database("invalidate_before_commit");
    assert_eq!(early, [both.to_vec(), vec!["committed"]]);
    assert_eq!(told_by_database("no_invalidation"), [none, vec!["committed"]]);
}

#[test]
fn a_database_that_booted_has_all_announcements_again_and_knows_what_it_committed() {
    let mut database = Bench::<Cache>::new("reference", DATABASE);
    for number in [1, 2] {
        database.receive(APP, Peer::Commit(write(number)));
        database.synced();
    }
    database.receive(APP, Peer::Commit(write(3)));
    database.restart();
    let asked_ns = 5 * MILLISECOND;
    let sent = peers(database.receive(APP, Peer::Watch { after: Some(1), asked_ns }));
    let [(_, Peer::News(News { upto: 2, as_of: 2, changes, .. }))] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert_eq!(changes[..], [change(2)]);
    let again = peers(database.receive(APP, Peer::Commit(write(2))));
    assert!(matches!(&again[..], [(_, Peer::Committed(_, 2))]), "{again:?}");
    // What was not durable never came, and may come again.
    database.receive(APP, Peer::Commit(write(3)));
    let sent = peers(database.synced());
    assert!(matches!(sent.last(), Some((_, Peer::Committed(_, 3)))), "{sent:?}");
    // A late copy of an older write is ignored.
    assert!(database.receive(APP, Peer::Commit(write(1))).is_empty());
}

#[test]
fn a_write_whose_sync_failed_never_came() {
    let mut database = Bench::<Cache>::new("reference", DATABASE);
    database.receive(APP, Peer::Commit(write(1)));
    database.sync_fails();
    database.receive(APP, Peer::Commit(write(1)));
    let sent = peers(database.synced());
    assert!(matches!(sent.last(), Some((_, Peer::Committed(_, 1)))), "{sent:?}");
}
