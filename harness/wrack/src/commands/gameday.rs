//! `wrack gameday`: the page before, the day, and the page after.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use wrack_history::Run;
use wrack_history::gameday::{
    CheckDone, GAMEDAY_FORMAT, GameDay, Part, Standing, StepDone, StopWatched, Stopped,
};
use wrack_runner::gameday::{signals, stopped};
use wrack_runner::{Group, Standing as Of, engines, parallel, run_observed};
use wrack_scenario::{Plan, Playlist, Scenario, Step, read_playlist};

use super::{carried_by, files, watch::watch};
use crate::Catalogue;
use crate::cli::{self, Format, Gameday, GamedayPage};
use crate::exit::{Exit, Failure};
use crate::output::{print, read_text, write_file};
use crate::results;

/// So many runs are held in memory at once.
const CHUNK: usize = 64;
/// What a run leaves, which the post-mortem reads.
const JSON: &str = "gameday.json";
/// A page that is watched asks for itself again; it needs no script for that.
const REFRESH: &str = "<meta http-equiv=\"refresh\" content=\"2\">";

/// Does what is wanted of a game day, once or whenever a file of it is saved.
pub fn gameday(designs: &Catalogue, what: &Gameday) -> Result<Exit, Failure> {
    let page = match what {
        Gameday::Brief(page) | Gameday::Postmortem(page) => page,
        Gameday::Run(run) => &run.page,
    };
    let once = || match what {
        Gameday::Brief(page) => brief(designs, page),
        Gameday::Run(run) => day(designs, run),
        Gameday::Postmortem(page) => postmortem(designs, page),
    };
    match page.watch {
        true => watch(once, || sources(designs, page, matches!(what, Gameday::Postmortem(_)))),
        false => once(),
    }
}

/// The files that a page is made of: the playlist, what it names, and after the day what `run` left.
fn sources(designs: &Catalogue, page: &GamedayPage, after: bool) -> Vec<PathBuf> {
    let opened = RefCell::new(Vec::new());
    let text = read_text(&page.playlist).unwrap_or_default();
    let note = |path: &str| {
        opened.borrow_mut().push(beside(&page.playlist, path));
        Err(String::new())
    };
    let _ = read_playlist("", &text, &designs.names(), note);
    let mut files = opened.into_inner();
    files.push(page.playlist.clone());
    files.extend(after.then(|| page.out.join(JSON)));
    files
}

fn brief(designs: &Catalogue, page: &GamedayPage) -> Result<Exit, Failure> {
    let playlist = read(designs, page)?;
    write_page(page, "brief.html", wrack_reports::gameday_brief(&playlist))?;
    Ok(Exit::AsExpected)
}

fn postmortem(designs: &Catalogue, page: &GamedayPage) -> Result<Exit, Failure> {
    let playlist = read(designs, page)?;
    let path = page.out.join(JSON);
    let shown = path.display();
    let first = format!("run the day first: wrack gameday run {}", page.playlist.display());
    if !path.exists() {
        return Err(Failure {
            exit: Exit::File,
            message: format!("{shown} is not there: {first}"),
        });
    }
    let text = read_text(&path)?;
    let day: GameDay = serde_json::from_str(&text).map_err(|error| {
        let place = format!("{shown}:{}:{}", error.line(), error.column());
        Failure::input(format!("{place}: not what this version of Wrack writes: {error}"))
    })?;
    if day.format != GAMEDAY_FORMAT {
        let message = format!("{shown}: format {} is not known: {first}", day.format);
        return Err(Failure::input(message));
    }
    if day.playlist_hash != playlist.hash {
        let message = "the playlist or a scenario of it has changed since the day was run";
        return Err(Failure::input(format!("{}: {message}: {first}", page.playlist.display())));
    }
    let mut runs = Vec::new();
    for (place, step) in day.steps.iter().enumerate() {
        if let Some(folder) = &step.result {
            runs.push((place, results::read(&page.out.join(folder))?));
        }
    }
    write_page(page, "postmortem.html", wrack_reports::gameday_postmortem(&day, &runs))?;
    Ok(Exit::AsExpected)
}

fn write_page(page: &GamedayPage, name: &str, html: String) -> Result<(), Failure> {
    let path = page.out.join(name);
    write_html(page, &path, html)?;
    print(format!("wrote {}\n", path.display()))
}

fn write_html(page: &GamedayPage, path: &Path, html: String) -> Result<(), Failure> {
    let html = match page.watch {
        true => html.replacen("<head>", &format!("<head>{REFRESH}"), 1),
        false => html,
    };
    write_file(path, |to| to.write_all(html.as_bytes()))
}

/// Reads the playlist and its scenarios; a scenario that stands in it twice is read once.
fn read(designs: &Catalogue, page: &GamedayPage) -> Result<Playlist, Failure> {
    let path = &page.playlist;
    let text = read_text(path)?;
    let shown = path.display().to_string();
    let known = RefCell::new(BTreeMap::<PathBuf, Result<Scenario, String>>::new());
    let open = |file: &str| {
        let file = beside(path, file);
        let mut known = known.borrow_mut();
        known.entry(file.clone()).or_insert_with(|| scenario(designs, &file)).clone()
    };
    read_playlist(&shown, &text, &designs.names(), open).map_err(|diagnostics| {
        anstream::eprintln!("{}", diagnostics.render(true));
        Failure::input(format!("{shown}: not a game day that can be run"))
    })
}

fn scenario(designs: &Catalogue, file: &Path) -> Result<Scenario, String> {
    let names = designs.names();
    let text = files::scenario_text(file, &names).map_err(|failure| failure.message)?;
    let shown = file.display().to_string();
    wrack_scenario::read(&shown, &text, &names).map_err(|diagnostics| {
        anstream::eprintln!("{}", diagnostics.render(true));
        format!("{shown} has mistakes, which are shown by themselves")
    })
}

/// A path that a playlist says, from where Wrack is run: `a/../b` is `b`.
fn beside(playlist: &Path, file: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in playlist.parent().unwrap_or(Path::new("")).join(file).components() {
        let inside = matches!(path.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::ParentDir if inside => drop(path.pop()),
            Component::CurDir => (),
            part => path.push(part),
        }
    }
    path
}

/// Runs the checks and the steps, and writes everything.
fn day(designs: &Catalogue, run: &cli::GamedayRun) -> Result<Exit, Failure> {
    let designs = &carried_by(designs, run.on.engine)?;
    let (page, format) = (&run.page, run.format);
    let playlist = read(designs, page)?;
    let day = begun(&playlist, run);
    let mut going = Going { designs, page, format, day, runs: Vec::new() };
    if !run.on.engine.deterministic {
        going.tell(format!("on {}: not deterministic", run.on.engine.name))?;
    }
    going.checks(&playlist)?;
    going.steps(&playlist)?;
    going.finish()
}

/// A day on which nothing happened yet.
fn begun(playlist: &Playlist, run: &cli::GamedayRun) -> GameDay {
    let parts = playlist.roles.iter().map(|role| Part {
        role: role.name.clone(),
        task: role.task.clone(),
        person: role.person.clone(),
    });
    let stops = playlist.stops.iter();
    let stops =
        stops.map(|stop| StopWatched { sign: stop.sign.clone(), because: stop.because.clone() });
    GameDay {
        format: GAMEDAY_FORMAT,
        wrack_version: env!("CARGO_PKG_VERSION").into(),
        playlist: playlist.path.clone(),
        playlist_hash: playlist.hash.clone(),
        title: playlist.title.clone(),
        objective: playlist.objective.clone(),
        roles: parts.collect(),
        stops: stops.collect(),
        engine: run.on.engine.name.into(),
        replay: format!(
            "wrack gameday run {}{}",
            run.page.playlist.display(),
            engines::flag(run.on.engine)
        ),
        ..GameDay::default()
    }
}

/// A day that goes on.
struct Going<'a> {
    designs: &'a Catalogue,
    page: &'a GamedayPage,
    format: Format,
    day: GameDay,
    /// The run that is told of each step, by its place.
    runs: Vec<(usize, Run)>,
}

impl Going<'_> {
    fn tell(&self, line: String) -> Result<(), Failure> {
        if self.format == Format::Human { print(line + "\n") } else { Ok(()) }
    }

    fn checks(&mut self, playlist: &Playlist) -> Result<(), Failure> {
        for check in &playlist.checks {
            let (standing, found) = match &check.plan {
                None => (Standing::Open, "people look at it".into()),
                Some(plan) => {
                    let played = play(self.designs, plan);
                    (standing_of(played.group.standing), line(&played.group))
                }
            };
            let word = if check.plan.is_none() { "for people" } else { word(standing) };
            self.tell(format!("check   {word}: {} ({found})", check.title))?;
            self.day.checks.push(CheckDone { title: check.title.clone(), standing, found });
            if matches!(standing, Standing::NotAsExpected | Standing::Unknown) {
                let because = format!("the check \"{}\" is {}", check.title, word.to_lowercase());
                self.stop(0, because)?;
            }
        }
        Ok(())
    }

    fn stop(&mut self, after_step: usize, because: String) -> Result<(), Failure> {
        if self.day.stopped.is_none() {
            self.day.stopped = Some(Stopped { after_step, because: because.clone() });
            self.tell(format!("stopped: {because}"))?;
        }
        Ok(())
    }

    fn steps(&mut self, playlist: &Playlist) -> Result<(), Failure> {
        for (place, step) in playlist.steps.iter().enumerate() {
            if self.day.stopped.is_some() {
                self.tell(format!("step {}  not run: {}", place + 1, step.title))?;
                self.day.steps.push(not_run(step));
                continue;
            }
            let Played { group, runs, example, in_full } = play(self.designs, &step.plan);
            let seen = signals(step, &runs, example);
            let of_signals = seen.iter().map(|signal| signal.standing);
            let of_signals = of_signals.filter(|standing| *standing != Standing::Open).max();
            let standing = standing_of(group.standing).max(of_signals.unwrap_or_default());
            let folder = results::folder_of(&in_full);
            results::write(&in_full, &self.page.out.join(&folder))?;
            let done = StepDone {
                found: group.found,
                standing,
                signals: seen,
                example_seed: Some(in_full.seed),
                result: Some(folder.display().to_string()),
                slos: in_full.slos.clone(),
                alerts: in_full.alerts.clone(),
                ..not_run(step)
            };
            self.tell_step(place + 1, &done, &group)?;
            self.day.steps.push(done);
            self.runs.push((place, in_full));
            if let Some(because) = stopped(&playlist.stops, standing, &runs) {
                self.stop(place + 1, because)?;
            }
        }
        Ok(())
    }

    fn tell_step(&self, number: usize, done: &StepDone, group: &Group) -> Result<(), Failure> {
        let StepDone { title, standing, .. } = done;
        self.tell(format!("step {number}  {}: {title} ({})", word(*standing), line(group)))?;
        for signal in &done.signals {
            let within = signal.within_ns.map(wrack_history::duration::format);
            let within = within.map(|within| format!(" within {within}")).unwrap_or_default();
            let what = format!("{}{within}", signal.sign);
            self.tell(match signal.standing {
                Standing::Open => format!("        for people: {what}"),
                Standing::AsExpected => {
                    format!("        seen: {what}, in {} of {} seeds", signal.seeds, done.seeds)
                }
                _ => {
                    format!("        NOT SEEN: {what}, in {} of {} seeds", signal.seeds, done.seeds)
                }
            })?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Exit, Failure> {
        let steps = self.day.steps.iter().map(|step| step.standing);
        let checks = self.day.checks.iter().map(|check| check.standing);
        let judged = steps.chain(checks).filter(|standing| *standing != Standing::Open);
        let worst = judged.max().unwrap_or_default();
        // What was not run says nothing.
        let cut = if self.day.stopped.is_some() && self.not_all_ran() {
            Standing::Unknown
        } else {
            worst
        };
        self.day.standing = worst.max(cut);
        let html = wrack_reports::gameday_report(&self.day, &self.runs);
        let report = self.page.out.join("report.html");
        write_html(self.page, &report, html)?;
        results::write_json(&self.page.out.join(JSON), &self.day)?;
        match self.format {
            Format::Human => {
                let playlist = self.page.playlist.display();
                let next = format!("after   wrack gameday postmortem {playlist}");
                self.tell(format!("report  {}\n{next}", report.display()))?;
            }
            Format::Json => {
                let json = serde_json::to_string_pretty(&self.day).expect("a day is plain data");
                print(json + "\n")?;
            }
        }
        Ok(match self.day.standing {
            Standing::AsExpected | Standing::Open => Exit::AsExpected,
            Standing::Unknown => Exit::Unknown,
            Standing::NotAsExpected => Exit::NotAsExpected,
        })
    }

    fn not_all_ran(&self) -> bool {
        self.day.steps.iter().any(|step| step.example_seed.is_none())
    }
}

/// What a plan gave.
struct Played {
    group: Group,
    /// Every run, without what only its report needs.
    runs: Vec<Run>,
    /// The place among them of the run that is told.
    example: usize,
    /// That run.
    in_full: Run,
}

/// Runs every seed. The first run that shows its anomaly is told, or else the first that is not as
/// expected, or else the first.
fn play(designs: &Catalogue, plan: &Plan) -> Played {
    let Plan { scenario, variant, seeds } = plan;
    let design = designs.of(scenario);
    let mut group = Group::new(&scenario.name, variant);
    let mut runs = Vec::new();
    let mut best: Option<(u8, usize, Run)> = None;
    let all: Vec<u64> = seeds.clone().collect();
    for chunk in all.chunks(CHUNK) {
        let observed = |seed: &u64| run_observed(scenario, design, variant, *seed);
        for run in parallel::map(chunk, observed) {
            let standing = group.add(&run);
            let rank = match (run.found(), standing) {
                (true, _) => 2,
                (false, Of::AsExpected) => 0,
                (false, _) => 1,
            };
            let slim = slim(&run);
            if best.as_ref().is_none_or(|(before, ..)| rank > *before) {
                best = Some((rank, runs.len(), run));
            }
            runs.push(slim);
        }
    }
    let (_, example, mut in_full) = best.expect("a range of seeds is never empty");
    in_full.picture = wrack_runner::picture::of(&in_full, scenario, design, variant);
    Played { group, runs, example, in_full }
}

/// What signals and stop conditions are looked up in.
fn slim(run: &Run) -> Run {
    let (judgements, slos) = (run.judgements.clone(), run.slos.clone());
    Run { judgements, slos, alerts: run.alerts.clone(), ..Run::default() }
}

fn not_run(step: &Step) -> StepDone {
    let Plan { scenario, variant, seeds } = &step.plan;
    let open = |signal: &wrack_scenario::Signal| wrack_history::gameday::SignalSeen {
        sign: signal.sign.clone(),
        within_ns: signal.within_ns,
        standing: Standing::Open,
        seeds: 0,
        at_ns: None,
    };
    StepDone {
        title: step.title.clone(),
        scenario: scenario.name.clone(),
        variant: variant.variant.to_string(),
        hidden: step.hidden,
        question: step.question.clone(),
        expected: variant.expected().into(),
        first_seed: seeds.start,
        seeds: seeds.end - seeds.start,
        standing: Standing::Open,
        signals: step.signals.iter().map(open).collect(),
        ..StepDone::default()
    }
}

fn standing_of(standing: Of) -> Standing {
    match standing {
        Of::AsExpected => Standing::AsExpected,
        Of::Unknown => Standing::Unknown,
        Of::NotAsExpected => Standing::NotAsExpected,
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::AsExpected => "as expected",
        Standing::Open => "open",
        Standing::Unknown => "UNKNOWN",
        Standing::NotAsExpected => "NOT AS EXPECTED",
    }
}

fn line(group: &Group) -> String {
    let Group { scenario, variant, expected, found, seeds, .. } = group;
    format!("{scenario} {variant} → {expected} in {found} of {seeds} seeds")
}
