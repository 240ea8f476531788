//! Schemas of the sections, from the same tables of parameters that the reader uses.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use wrack_history::catalogue::{
    Catalogue, DefaultSetting, DesignInfo, FaultInfo, GuaranteeInfo, Lasting, MetricInfo,
    ParameterInfo, ParameterKind, WorkloadInfo,
};
use wrack_history::setting::Setting;

use crate::scenario::BY_DEADLINE;
use crate::schema::forms;
use crate::schema::object::Object;
use crate::sections;

/// Builds the schemas of sections, and collects the forms that they refer to.
pub(super) struct Builder<'a> {
    generator: SchemaGenerator,
    catalogue: &'a Catalogue,
}

impl<'a> Builder<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        let generator = SchemaSettings::draft2020_12().into_generator();
        Self { generator, catalogue }
    }

    /// The top level with every form that was referred to.
    pub(super) fn root(self) -> Value {
        self.generator.into_root_schema_for::<forms::Scenario>().to_value()
    }

    /// The sections beside those of [`forms::Scenario`].
    pub(super) fn sections(&mut self) -> Vec<(&'static str, Value)> {
        let catalogue = self.catalogue;
        let choices = |choices: Vec<Value>, doc| json!({ "description": doc, "oneOf": choices });
        let designs = catalogue.designs.iter().map(|design| self.design(design)).collect();
        let workloads = catalogue.workloads.iter().map(|info| self.workload(info)).collect();
        let faults = catalogue.faults.iter().map(|fault| self.fault(fault)).collect();
        let metrics = catalogue.metrics.iter().map(|metric| self.objective(metric)).collect();
        let promise = |info: &&'static GuaranteeInfo| {
            self.object(info.parameters).named("code", info.code, info.name).build()
        };
        let promises = catalogue.guarantees.iter().map(promise).collect();
        let mut sections = vec![
            ("design", choices(designs, "The design under test, with its parameters.")),
            ("workload", choices(workloads, doc_of("workload"))),
            ("operation", array(self.operation())),
            ("fault", array(choices(faults, doc_of("fault")))),
            ("guarantee", array(choices(promises, "What is promised with a bound."))),
            ("slo", array(choices(metrics, "A service level objective."))),
        ];
        for section in sections::ALL {
            if !matches!(section.name, "workload" | "operation" | "fault") {
                let mut object = self.object(section.keys).describe(section.doc);
                object = match section.name {
                    "phases" => object.optional("stays_down", stays_down()),
                    "swarm" => self.swarm(object),
                    _ => object,
                };
                sections.push((section.name, object.build()));
            }
        }
        sections
    }

    fn design(&mut self, info: &DesignInfo) -> Value {
        self.object(info.parameters).named("name", info.name, info.title).build()
    }

    fn workload(&mut self, info: &WorkloadInfo) -> Value {
        let weight = json!({ "type": "integer", "minimum": 0, "maximum": 1_000_000 });
        let weights = info.functions.iter().map(|name| ((*name).into(), weight.clone()));
        let mix = json!({
            "description": "Weights of the functions; those left out weigh nothing.",
            "type": "object",
            "properties": weights.collect::<Map<_, _>>(),
            "additionalProperties": false,
        });
        let (rate, distribution) = (self.form::<forms::Rate>(), self.form::<forms::Distribution>());
        let common = sections::keys_of("workload");
        self.object(&[common, info.parameters].concat())
            .named("name", info.name, info.doc)
            .optional("rate", rate)
            .optional("distribution", distribution)
            .optional("mix", mix)
            .build()
    }

    fn operation(&mut self) -> Value {
        let text = json!({ "type": "string", "pattern": r"\S" });
        let functions = self.catalogue.workloads.iter().flat_map(|info| info.functions);
        let functions: BTreeSet<&&str> = functions.collect();
        self.object(sections::keys_of("operation"))
            .describe(doc_of("operation"))
            .required("at", self.form::<forms::Duration>())
            .required("client", json!({ "type": "string", "pattern": "^client-" }))
            .required("function", json!({ "enum": functions }))
            .required("key", text.clone())
            .optional("to", text)
            .build()
    }

    fn fault(&mut self, info: &FaultInfo) -> Value {
        let own = |key: &&ParameterInfo| info.parameters.iter().any(|own| own.name == key.name);
        let timing = sections::keys_of("fault").iter().filter(|key| !own(key)).copied();
        let timing = timing.filter(|key| key.name != "for" || info.lasts == Lasting::For);
        let keys = info.parameters.iter().copied().chain(timing).collect::<Vec<_>>();
        let (at, on) = (self.form::<forms::Duration>(), self.form::<forms::Trigger>());
        let object = self.object(&keys).named("kind", info.name, info.doc);
        let mut fault = object.optional("at", at).optional("on", on).build();
        fault["oneOf"] = json!([{ "required": ["at"] }, { "required": ["on"] }]);
        fault
    }

    fn swarm(&self, object: Object) -> Object {
        let faults = self.catalogue.faults.iter().map(|fault| fault.name).collect::<Vec<_>>();
        let lists = |doc: &str, items: Value| {
            let list = json!({ "type": "array", "items": items, "minItems": 1 });
            json!({ "description": doc, "type": "object", "additionalProperties": list })
        };
        let weight = json!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 });
        let named = array(json!({ "enum": faults }));
        let mut reach = array(json!({ "type": "string" }));
        reach["description"] = "Situations of the design that a sweep must reach.".into();
        object
            .optional("faults", named.clone())
            .optional("without", named)
            .optional("reach", reach)
            .optional("parameters", lists("Settings of the design, one of each list.", json!({})))
            .optional("mix", lists("Weights of functions, one of each list.", weight))
    }

    fn objective(&mut self, info: &MetricInfo) -> Value {
        let bound = match info.kind {
            ParameterKind::PerMillion => self.form::<forms::Share>(),
            ParameterKind::Integer { .. } => json!({ "type": "integer", "minimum": 0 }),
            _ => self.form::<forms::Duration>(),
        };
        let key = if info.higher_is_better { "at_least" } else { "at_most" };
        let quantile = self.form::<forms::Quantile>();
        let mut object = self.object(&[]).named("metric", info.name, info.doc);
        object = object.required(key, bound);
        if info.kind == ParameterKind::Duration {
            object = object.optional("quantile", quantile);
        }
        if info.name == BY_DEADLINE {
            let deadline = self.form::<forms::Duration>();
            object = object.required("deadline", deadline);
        }
        if info.name == "latency" {
            object = object.optional("function", json!({ "type": "string" }));
        }
        object.build()
    }

    fn object(&mut self, keys: &[ParameterInfo]) -> Object {
        keys.iter().fold(Object::default(), |object, info| {
            let value = self.parameter(info);
            match info.default.is_some() || info.optional {
                true => object.optional(info.name, value),
                false => object.required(info.name, value),
            }
        })
    }

    fn parameter(&mut self, info: &ParameterInfo) -> Value {
        let mut value = match info.kind {
            ParameterKind::Duration => self.form::<forms::Duration>(),
            ParameterKind::Offset => self.form::<forms::Offset>(),
            ParameterKind::PerMillion => self.form::<forms::Share>(),
            ParameterKind::Delay => self.form::<forms::Delay>(),
            ParameterKind::Target => self.form::<forms::Target>(),
            ParameterKind::Groups => self.form::<forms::Groups>(),
            ParameterKind::Failpoint => self.form::<forms::Failpoint>(),
            ParameterKind::Messages => self.form::<forms::Messages>(),
            ParameterKind::Flag => json!({ "type": "boolean" }),
            ParameterKind::Choice(names) => json!({ "enum": names }),
            ParameterKind::Integer { min, max: i64::MAX } => {
                json!({ "type": "integer", "minimum": min })
            }
            ParameterKind::Integer { min, max } => {
                json!({ "type": "integer", "minimum": min, "maximum": max })
            }
        };
        value["description"] = info.doc.into();
        if let Some(default) = info.default {
            value["default"] = default_of(default);
        }
        value
    }

    /// With this design, only its variants and its parameters may be named.
    pub(super) fn variants_of(&mut self, design: &DesignInfo) -> Value {
        let is_design = json!({ "properties": { "name": { "const": design.name } } });
        let variants = design.variants.iter().map(|variant| variant.name).collect::<Vec<_>>();
        let parameters = self.object(design.parameters).all_optional();
        let own = json!({
            "propertyNames": { "enum": variants },
            "additionalProperties": { "properties": { "parameters": parameters.build() } },
        });
        json!({
            "if": { "properties": { "design": is_design } },
            "then": { "properties": { "variants": own } },
        })
    }

    /// A reference to the form, which goes to `$defs`.
    fn form<T: JsonSchema>(&mut self) -> Value {
        self.generator.subschema_for::<T>().to_value()
    }
}

/// A default as a file would say it.
fn default_of(default: DefaultSetting) -> Value {
    match default {
        DefaultSetting::Integer(integer) => integer.into(),
        DefaultSetting::Flag(flag) => flag.into(),
        DefaultSetting::All => json!({ "some": "all" }),
        DefaultSetting::Clients => json!({ "some": "clients" }),
        other => Setting::from(other).to_string().into(),
    }
}

fn doc_of(section: &str) -> &'static str {
    sections::ALL.iter().find(|s| s.name == section).map_or("", |section| section.doc)
}

fn array(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn stays_down() -> Value {
    json!({
        "description": "Names of nodes whose crash is not healed, less than half.",
        "type": "array",
        "items": { "type": "string" },
        "uniqueItems": true,
    })
}
