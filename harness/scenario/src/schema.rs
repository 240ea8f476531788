//! The JSON Schema of a scenario file, for editors and for other tools.
//!
//! Forms of values come from the types in [`forms`], sections from the same tables of parameters
//! that the reader uses, names from the catalogue.

mod forms;
mod object;
mod sections;

use serde_json::{Value, json};
use wrack_history::catalogue::{Catalogue, MESSAGES};

use crate::schema::sections::Builder;
use crate::scope::{facts, names};

/// The JSON Schema (draft 2020-12) of the scenario files that may be written with `catalogue`.
///
/// It accepts every file that [`read`](crate::read) accepts. What JSON Schema cannot say, such as
/// faults that overlap or that the design does not tolerate, only `read` finds.
pub fn schema(catalogue: &Catalogue) -> Value {
    let mut builder = Builder::new(catalogue);
    let sections = builder.sections();
    let variants = catalogue.designs.iter().map(|design| builder.variants_of(design)).collect();
    let mut root = builder.root();
    root["title"] = json!("Wrack scenario");
    for (name, section) in sections {
        root["properties"][name] = section;
    }
    let required = root["required"].as_array_mut().expect("the title is required");
    required.extend([json!("design"), json!("workload")]);
    root["allOf"] = variants;
    fill_in_names(&mut root["$defs"], catalogue);
    root
}

/// Names of the catalogue, where a form leaves them open.
fn fill_in_names(forms: &mut Value, catalogue: &Catalogue) {
    let codes = catalogue.guarantees.iter().map(|info| info.code.to_owned()).collect::<Vec<_>>();
    let designs = &catalogue.designs;
    let roles = designs.iter().flat_map(|design| design.roles).map(|role| (*role).to_owned());
    let messages = designs.iter().flat_map(|d| names(d.messages)).map(str::to_owned);
    let failpoints = designs.iter().flat_map(|d| names(d.failpoints)).map(str::to_owned);
    let all = [
        ("expected", ["valid".to_owned()].into_iter().chain(codes.iter().cloned()).collect()),
        ("anomaly", codes),
        ("role", roles.collect()),
        ("failpoint", failpoints.collect()),
        ("messages", messages.chain(MESSAGES.iter().map(|name| (*name).to_owned())).collect()),
        ("fact", designs.iter().flat_map(|design| facts(design)).collect::<Vec<_>>()),
    ];
    for (form, mut names) in all {
        names.sort();
        names.dedup();
        if let Some(form) = forms.get_mut(form).filter(|_| !names.is_empty()) {
            form["enum"] = json!(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::schema;
    use crate::testing::{catalogue, example, mangled, whole};

    /// Checks that the schema and the reader agree on `fixture`.
    #[track_caller]
    fn check(fixture: &str, good: bool) {
        let text = whole(fixture);
        let value = toml::from_str::<Value>(&text).unwrap();
        let schema = schema(&catalogue());
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let errors = validator.iter_errors(&value).map(|error| error.to_string());
        let errors = errors.collect::<Vec<_>>();
        let read = crate::read("a.toml", &text, &catalogue());
        assert_eq!(errors.is_empty(), good, "{fixture}\n{errors:#?}");
        assert_eq!(read.is_ok(), good, "{fixture}\n{read:?}");
    }

    #[test]
    fn the_schema_is_itself_valid() {
        let schema = schema(&catalogue());
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::draft202012::meta::validate(&schema).unwrap();
    }

    #[test]
    fn the_schema_accepts_what_the_reader_accepts() {
        check("", true);
        check(example(), true);
        check(&crate::template("raft/first"), true);
        check(
            "[[fault]]\nkind = \"disk_loss\"\ntarget = \"n1\"\nat = \"1s\"\n[phases]\nbeyond_model = true",
            true,
        );
        check("[[slo]]\nmetric = \"M10\"\nat_most = 0", true);
    }

    #[test]
    fn the_schema_accepts_a_mangled_file_if_the_reader_does() {
        let catalogue = catalogue();
        let validator = jsonschema::draft202012::new(&schema(&catalogue)).unwrap();
        let good = |text: &String| crate::read("a.toml", text, &catalogue).is_ok();
        let good = mangled(example(), 4_000).filter(good).collect::<Vec<_>>();
        assert!(good.len() > 200, "only {} are good", good.len());
        for text in good {
            let value = toml::from_str::<Value>(&text).unwrap();
            assert!(validator.is_valid(&value), "{text}");
        }
    }

    #[test]
    fn the_schema_refuses_what_it_can_see() {
        check("[workload]\nname = \"regster\"", false);
        check("[workload]\nname = \"register\"\nclients = 0", false);
        check("[workload]\nname = \"register\"\nmix = { enqueue = 1 }", false);
        check("[workload]\nname = \"register\"\nrate = \"50\"", false);
        check("[variants.nobody]\nexpect = \"valid\"", false);
        check("[variants.reference]\nexpect = \"lin\"", false);
        check("[[fault]]\nkind = \"crash\"\ntarget = { role = \"boss\" }\nat = \"1s\"", false);
        check("[[fault]]\nkind = \"crash\"\ntarget = { some = \"few\" }\nat = \"1s\"", false);
        check(
            "[[fault]]\nkind = \"crash\"\ntarget = { count = 1, role = \"leader\" }\nat = \"1s\"",
            false,
        );
        check("[[fault]]\nkind = \"crash\"\ntarget = \"n1\"", false);
        check("[[fault]]\nkind = \"crash\"\nat = \"1s\"", false);
        check(
            "[[fault]]\nkind = \"clock_step\"\ntarget = \"n1\"\noffset = \"1s\"\nat = \"1s\"\nfor = \"1s\"",
            false,
        );
        check("[[fault]]\nkind = \"crash\"\ntarget = \"n1\"\non = { fact = \"elected\" }", false);
        check("[network]\npeer_latency = { exponential = \"5ms\", sigma = 1 }", false);
        check("[network]\npeer_latency = \"5\"", false);
        check("[[slo]]\nmetric = \"availability\"\nat_most = \"1%\"", false);
        check("[[guarantee]]\ncode = \"STALE\"", false);
        check("[client]\nretries = 3", false);
        check("[variants.reference]\nexpect = \"valid\"\nparameters = { nodse = 3 }", false);
    }
}
