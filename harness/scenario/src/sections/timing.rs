//! How long a fault lasts, and how often it comes: `for`, `every`, `times`, `jitter` …

use wrack_history::When;
use wrack_history::catalogue::{DefaultSetting, FaultInfo, Lasting, ParameterInfo, ParameterKind};
use wrack_history::duration::{SECOND, format};

use crate::diagnostic::Span;
use crate::fields::Fields;
use crate::mistake::Mistake;
use crate::parameters::{self, Given};
use crate::scope::Scope;

/// A fault comes at most so often.
const TIMES_MAX: i64 = 10_000;

/// Keys of every `[[fault]]`, beside `kind`, `at`, `on` and the fault's own.
pub(crate) const KEYS: &[ParameterInfo] = &[
    ParameterInfo::optional(
        "for",
        ParameterKind::Duration,
        "How long until it is healed; until the end of the fault phase if absent.",
    ),
    ParameterInfo::optional(
        "every",
        ParameterKind::Duration,
        "The distance between the starts of its occurrences.",
    ),
    ParameterInfo::optional(
        "times",
        ParameterKind::Integer { min: 1, max: TIMES_MAX },
        "How often it comes; without it once, or with `every` as often as the phase has room for.",
    ),
    ParameterInfo::new(
        "jitter",
        ParameterKind::Duration,
        DefaultSetting::Duration(0),
        "Each start is moved by up to this much, either way.",
    ),
    ParameterInfo::new(
        "within",
        ParameterKind::Duration,
        DefaultSetting::Duration(2 * SECOND),
        "How long a role that nobody holds is waited for.",
    ),
    ParameterInfo::new(
        "min_effect",
        ParameterKind::Integer { min: 1, max: i64::MAX },
        DefaultSetting::Integer(1),
        "Less effect than this makes a valid verdict unknown.",
    ),
    ParameterInfo::optional(
        "id",
        ParameterKind::Integer { min: 0, max: u32::MAX as i64 },
        "What random draws are keyed by; the position in the file, from 0, if absent.",
    ),
    ParameterInfo::optional(
        "occurrence",
        ParameterKind::Integer { min: 0, max: TIMES_MAX },
        "Which occurrence of the fault with this id comes first here, from 0: draws are keyed by it, too.",
    ),
];

/// What these keys say.
pub(crate) struct Timing {
    pub id: Option<u32>,
    pub occurrence: u32,
    pub id_span: Option<Span>,
    pub lasts_ns: Option<u64>,
    pub every_ns: Option<u64>,
    pub times: u32,
    pub jitter_ns: u64,
    pub within_ns: u64,
    pub min_effect: u64,
}

/// Reads these keys, but for those that the fault has as parameters of its own.
pub(crate) fn read(
    fields: &mut Fields,
    info: &FaultInfo,
    when: Option<&When>,
    scope: &Scope,
) -> Option<Timing> {
    let own = |key: &&ParameterInfo| !info.parameters.iter().any(|own| own.name == key.name);
    let keys = KEYS.iter().filter(own).copied().collect::<Vec<_>>();
    let given = parameters::read(fields, &keys, scope);
    given.positive(fields, &["for", "every"]);
    let lasts = judge_lasting(fields, &given, info);
    if !given.sound {
        return None;
    }
    let (settings, when) = (&given.settings, when?);
    let mut timing = Timing {
        id: settings.integer("id").map(|id| id as u32),
        occurrence: settings.integer("occurrence").unwrap_or(0) as u32,
        id_span: given.span("id"),
        lasts_ns: settings.duration("for"),
        every_ns: settings.duration("every"),
        times: settings.integer("times").unwrap_or(1) as u32,
        jitter_ns: settings.duration("jitter").unwrap_or(0),
        within_ns: settings.duration("within").unwrap_or(2 * SECOND),
        min_effect: settings.integer("min_effect").unwrap_or(1) as u64,
    };
    if timing.every_ns.is_some() && settings.integer("times").is_none() {
        timing.times = as_often_as_fits(fields, &given, when, scope)?;
    }
    let place = Judge { fields, given: &given, timing: &timing };
    place.repetition();
    place.overlap(lasts);
    if let (When::At(at_ns), Some(faults_ns)) = (when, scope.faults_ns) {
        place.start(*at_ns, faults_ns);
    }
    Some(timing)
}

/// Whether the fault lasts; if it does not, it must not say how long.
fn judge_lasting(fields: &Fields, given: &Given, info: &FaultInfo) -> bool {
    match (info.lasts, given.span("for")) {
        (Lasting::For, None) => {
            fields.default("for", "until the heal");
            true
        }
        (Lasting::For, Some(_)) => true,
        (Lasting::Instant, None) => false,
        (Lasting::Instant, Some(span)) => {
            let title = format!("`{}` happens at once: it has no `for`", info.name);
            fields.report(Mistake::new(span, title, "leave it out"));
            false
        }
    }
}

/// How many occurrences start in the fault phase.
fn as_often_as_fits(fields: &Fields, given: &Given, when: &When, scope: &Scope) -> Option<u32> {
    let every = given.settings.duration("every").filter(|every| *every > 0)?;
    let When::At(at_ns) = when else {
        let title = "`every` needs `times` in a fault that waits for a fact";
        let label = "how often is it to come?";
        fields.report(Mistake::new(given.span("every")?, title, label));
        return None;
    };
    let jitter = given.settings.duration("jitter").unwrap_or(0);
    let room = scope.faults_ns?.saturating_sub(at_ns.saturating_add(jitter));
    let times = room.div_ceil(every).clamp(1, TIMES_MAX as u64) as u32;
    fields.default("times", times);
    Some(times)
}

/// Judges a timing as a whole.
struct Judge<'a, 'b> {
    fields: &'a Fields<'b>,
    given: &'a Given,
    timing: &'a Timing,
}

impl Judge<'_, '_> {
    fn span(&self, key: &str) -> Span {
        self.given.span(key).unwrap_or_else(|| self.fields.place_of(key))
    }

    fn repetition(&self) {
        if self.timing.times > 1 && self.timing.every_ns.is_none() {
            let title = "`times` needs `every`";
            let label = "at what distance?";
            self.fields.report(Mistake::new(self.span("times"), title, label));
        }
    }

    /// An occurrence must be over before the next one starts.
    fn overlap(&self, lasts: bool) {
        let (Some(every), true) = (self.timing.every_ns, lasts && self.timing.times > 1) else {
            return;
        };
        let moved = 2 * self.timing.jitter_ns.min(u64::MAX / 4);
        let Some(length) = self.timing.lasts_ns else {
            let title = "a fault that lasts until the heal cannot come again";
            let mistake = Mistake::new(self.span("every"), title, "would overlap itself");
            return self.fields.report(mistake.help("say how long each occurrence lasts: `for`"));
        };
        let (length_text, every_text) = (format(length), format(every));
        let title = match every {
            0 => return,
            every if every < length => {
                format!("it comes every {every_text} but lasts {length_text}")
            }
            every if every - length < moved => {
                format!("it comes every {every_text}, lasts {length_text} and is moved by jitter")
            }
            _ => return,
        };
        let mistake =
            Mistake::new(self.span("every"), title, "an occurrence would overlap the next");
        self.fields.report(mistake.related(self.span("for"), "lasts this long"));
    }

    /// Every occurrence must start in the fault phase; if it ends later, the heal ends it.
    fn start(&self, at_ns: u64, faults_ns: u64) {
        let later = u64::from(self.timing.times - 1)
            .saturating_mul(self.timing.every_ns.unwrap_or(0))
            .saturating_add(at_ns);
        let moved = later.saturating_add(self.timing.jitter_ns);
        let (key, what) = match faults_ns {
            end if at_ns >= end => ("at", format!("the fault starts at {}", format(at_ns))),
            end if later >= end => {
                ("times", format!("the last occurrence starts at {}", format(later)))
            }
            end if moved >= end => ("jitter", format!("jitter moves a start to {}", format(moved))),
            _ => return,
        };
        let title = format!("{what}, after the fault phase");
        let label = format!("the fault phase ends at {}", format(faults_ns));
        let mistake = Mistake::new(self.span(key), title, label);
        self.fields.report(mistake.help("`phases.faults` says how long the fault phase lasts"));
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{check, read_good};

    fn crash(lines: &str, expected: &str) {
        check(&format!("[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\n{lines}"), expected);
    }

    #[test]
    fn a_fault_starts_in_the_fault_phase_and_may_end_after_it() {
        crash(
            "at = «\"50s\"»",
            "the fault starts at 50s, after the fault phase\nthe fault phase ends at 50s\n`phases.faults`",
        );
        crash(
            "at = \"5s\"\nfor = \"1s\"\nevery = \"15s\"\ntimes = «4»",
            "the last occurrence starts at 50s, after the fault phase",
        );
        crash(
            "at = \"49s\"\njitter = «\"1s\"»",
            "jitter moves a start to 50s, after the fault phase",
        );
        read_good("[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\nat = \"49s\"\nfor = \"1h\"");
    }

    #[test]
    fn an_occurrence_is_over_before_the_next_one_starts() {
        crash(
            "at = \"5s\"\nfor = \"10s\"\nevery = «\"5s\"»\ntimes = 3",
            "it comes every 5s but lasts 10s\nlasts this long",
        );
        crash(
            "at = \"5s\"\nfor = \"9s\"\nevery = «\"10s\"»\ntimes = 3\njitter = \"1s\"",
            "it comes every 10s, lasts 9s and is moved by jitter",
        );
        crash(
            "at = \"5s\"\nevery = «\"10s\"»\ntimes = 3",
            "a fault that lasts until the heal cannot come again\n`for`",
        );
    }

    #[test]
    fn repetition_needs_a_distance_and_an_end() {
        crash("at = \"5s\"\nfor = \"1s\"\ntimes = «3»", "`times` needs `every`");
        crash(
            "on = { fact = \"booted\" }\nfor = \"1s\"\nevery = «\"5s\"»",
            "`every` needs `times` in a fault that waits for a fact",
        );
        crash(
            "at = \"5s\"\nfor = \"1s\"\nevery = «\"0s\"»\ntimes = 2",
            "`fault.every`: must be longer than zero",
        );
        crash("at = \"5s\"\nfor = «\"0s\"»", "`fault.for`: must be longer than zero");
        crash("at = \"5s\"\ntimes = «0»", "`fault.times`: 0 is out of bounds");
        crash(
            "at = \"5s\"\nmin_effect = «0»",
            "`fault.min_effect`: 0 is out of bounds\nmust be at least 1",
        );
    }

    #[test]
    fn without_times_it_comes_as_often_as_the_phase_has_room_for() {
        let times = |at: &str| {
            let fault = format!("[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\nat = \"{at}\"");
            read_good(&format!("{fault}\nfor = \"5s\"\nevery = \"15s\"")).faults[0].times
        };
        assert_eq!(times("5s"), 3);
        assert_eq!(times("4s"), 4);
        assert_eq!(times("49s"), 1);
    }

    #[test]
    fn a_fault_that_happens_at_once_does_not_last() {
        check(
            "[[fault]]\nkind = \"clock_step\"\ntarget = \"n1\"\noffset = \"-2s\"\nat = \"5s\"\nfor = «\"1s\"»",
            "`clock_step` happens at once: it has no `for`",
        );
    }
}
