//! The scenario that `wrack new` writes.

use toml::Value;

/// A commented scenario that runs at once: the leader of `raft` is cut off.
///
/// `name` is that of the file, `raft/leader-isolated`; its last part becomes the title.
pub fn template(name: &str) -> String {
    TEMPLATE.replace("TITLE", &Value::String(title(name)).to_string())
}

/// The last part of a name as a title.
fn title(name: &str) -> String {
    let event = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let event = event.strip_suffix(".toml").unwrap_or(event).replace(['-', '_'], " ");
    let event = event.trim();
    let title = if event.is_empty() { "Something happens" } else { event };
    let mut letters = title.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).collect()
}

/// A commented playlist that runs at once, over the scenario at `scenario`, a path from the playlist.
pub fn playlist_template(name: &str, scenario: &str) -> String {
    let quoted = |text: &str| Value::String(text.into()).to_string();
    PLAYLIST.replace("TITLE", &quoted(&title(name))).replace("SCENARIO", &quoted(scenario))
}

/// The scenario that goes with it: a leader is cut off together with a client, and a broken variant
/// reads what is no longer true.
pub fn playlist_scenario_template(name: &str) -> String {
    let instead = [
        (
            "name = \"raft\" ",
            "check_quorum = false               # whoever is cut off goes on believing that it leads\nname = \"raft\" ",
        ),
        (
            "# [variants.stale_local_read]\n# expect = \"LIN\"\n",
            "[variants.stale_local_read]\nexpect = \"LIN\"\n",
        ),
        ("shape = \"isolate\"\n", "shape = \"isolate\"\nclients_with_target = 1\n"),
        (
            "# … and a broken variant must break one, in at least this share of the seeds.",
            "# … and a broken variant must break one.",
        ),
    ];
    instead.iter().fold(template(name), |text, (from, to)| {
        debug_assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

const PLAYLIST: &str = r#"# A game day: scenarios in an order, with people around them.
# Before:    wrack gameday brief THIS_FILE          (a page to print, for whoever leads the day)
# The day:   wrack gameday run THIS_FILE            (runs everything; a report and gameday.json)
# After:     wrack gameday postmortem THIS_FILE     (a page filled in as far as a machine can)
# While you edit: wrack gameday run THIS_FILE --watch
# Keys that are commented out are optional.

title = TITLE
objective = "What we want to learn: do we notice that the leader is cut off, and how soon?"

[[role]]
name = "facilitator"
task = "Starts each step, keeps the time, ends the day if a stop condition holds."
# person = "who has it"              # or { secret = "who has it" }: never shown

[[role]]
name = "on call"
task = "Says what is wrong, from what the report shows alone."

# What must hold before anything is broken: people look at it …
[[check]]
title = "Everybody who takes part is on the call"

# … or it runs.
[[check]]
title = "The design keeps its promises"
scenario = SCENARIO
seeds = "0..2"

[[step]]
title = "Something happens to the leader"
scenario = SCENARIO
variant = "stale_local_read"
seeds = "0..2"
hidden = true                        # the page before the day does not say which variant it is
question = "What would you look at first?"

# What should be seen: anomaly, slo, alert (with within = "30s"), or people.
[[step.signal]]
anomaly = "LIN"

[[step.signal]]
people = "Somebody says which clients read what was no longer true."

# When the day ends early.
[[stop]]
standing = "not-as-expected"         # or "unknown"; or anomaly = "…", slo = "…", alert = "page"
because = "what was found by accident comes first"

[[stop]]
people = "A real incident begins."
"#;

const TEMPLATE: &str = r#"# A scenario says what runs, what goes wrong, and what is expected to hold.
# Run it:        wrack run THIS_FILE --seeds 0..20
# What exists:   wrack list designs|variants|workloads|faults|guarantees
# What it means: wrack explain NAME
# Keys that are commented out show their defaults.

title = TITLE
story = """
What happens, as one would tell it to a colleague: the leader loses the network for ten seconds,
three times, while clients go on reading and writing."""
hypothesis = "The others elect a new leader, and no client reads a value that was overwritten."
# owner = "who answers for this scenario"
# tier = 1

[design]
name = "raft"                      # its parameters stand here, beside its name

# What is expected of which variant: the reference holds its promises …
[variants.reference]
expect = "valid"

# … and a broken variant must break one, in at least this share of the seeds.
# [variants.stale_local_read]
# expect = "LIN"
# share = "90%"
# follows = [{ code = "STALE", because = "the old leader answers from its own copy" }]

[workload]
name = "register"
clients = 5
keys = 5
rate = "50/s"                      # of all clients together
# pace = "open"                    # or "closed": a think time after each operation
# distribution = "uniform"         # or { zipf = 1.1 }
# mix = { read = 2, write = 1 }    # without it all functions weigh the same

[[fault]]
kind = "partition"
shape = "isolate"
target = { role = "leader" }       # or "n1", { random = "follower" }, { some = "minority" } …
at = "5s"                          # or on = { fact = "role.leader", nth = 2 }
for = "10s"
every = "15s"
times = 3

# [network]
# peer_latency = "1ms..5ms"        # or { lognormal = "2ms", sigma = 0.5 }
# client_latency = "1ms..3ms"

# [disk]
# sync_latency = "1ms..4ms"

# [client]
# timeout = "500ms"
# attempts = 3
# backoff = "50ms"

# [phases]
# faults = "50s"                   # then everything is healed,
# quiet = "10s"                    # and liveness and convergence are judged

# Promises with a bound, and objectives, beside what the design promises always.
# [[guarantee]]
# code = "STALE"
# bound = "5s"

# [[slo]]
# metric = "availability"
# at_least = "99%"
"#;

#[cfg(test)]
mod tests {
    use super::template;
    use crate::testing::catalogue;

    fn check(name: &str, title: &str) {
        let scenario = crate::read("new.toml", &template(name), &catalogue());
        assert_eq!(scenario.unwrap_or_else(|wrong| panic!("{wrong}")).title, title);
    }

    #[test]
    fn the_template_is_a_good_scenario_whatever_its_name() {
        check("raft/leader-isolated.toml", "Leader isolated");
        check("switch \"A\" \\ fails", "Fails");
        check("a \"quoted\" name", "A \"quoted\" name");
        check("", "Something happens");
    }

    #[test]
    fn what_the_template_comments_out_is_good_as_well() {
        let prose = ["# A ", "# Run ", "# What ", "# Keys ", "# …", "# Promises "];
        let uncomment = |line: &str| match line.strip_prefix("# ") {
            Some(code) if !prose.iter().any(|start| line.starts_with(start)) => code.to_owned(),
            _ => line.to_owned(),
        };
        let text = template("all").lines().map(uncomment).collect::<Vec<_>>().join("\n");
        crate::read("new.toml", &text, &catalogue()).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}
