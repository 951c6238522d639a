//! What is written is what the published schemas say.

mod support;

use et_reports::report::{Entry, Report, gitlab, json, sarif};
use jsonschema::Validator;
use serde_json::{Value, json as value};
use std::fs;
use std::path::Path;
use support::{Given, full, linear, model, parsed};

fn schema(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    parsed(&text)
}

fn validator(path: &str) -> Validator {
    jsonschema::validator_for(&schema(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[track_caller]
fn assert_valid(validator: &Validator, document: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

/// Shows reports with everything that a report can have.
fn with_each(look: impl Fn(&Report<'_>)) {
    let base = linear().with(|report| report.figures());
    let counts = "[calls]\nfall_backs = 0\n[time]\ntotal = 1\n[findings]\nETM004 = 0\n";
    let all = [
        linear(),
        full(),
        Given { baseline: Some(&base), ..full() },
        Given { trace: Some("linear__it10"), record: Some("linear"), budget: counts, ..linear() },
        Given { budget: counts, ..linear() },
        Given { name: "xnn", program: model("xnn_cnn"), trace: Some("xnn_cnn__it3"), ..linear() },
        Given { name: "two", program: model("multi_method_forward"), ..linear() },
        Given { name: "u55", program: model("u55_add"), ..linear() },
    ];
    for given in all {
        given.with(&look);
    }
}

#[test]
fn reports_and_baselines_are_as_published() {
    let (report, baseline, history) = (
        validator("docs/schemas/etinspect.report.1.json"),
        validator("docs/schemas/etinspect.baseline.1.json"),
        validator("docs/schemas/etinspect.history.1.json"),
    );
    with_each(|of| {
        assert_valid(&report, &parsed(&json(of)));
        assert_valid(&baseline, &parsed(&of.figures().text()));
        assert_valid(&history, &parsed(&Entry::of(of).line()));
    });
}

#[test]
fn the_published_schemas_know_every_field() {
    /// Fails for a field of `document` that `schema` does not name.
    fn known(schema: &Value, root: &Value, document: &Value, place: &str) {
        let schema = match schema["$ref"].as_str() {
            Some(name) => root.pointer(&name[1..]).expect("a definition"),
            None => schema,
        };
        if let Some(any) = schema["anyOf"].as_array() {
            return match document {
                Value::Null => {}
                document => known(&any[0], root, document, place),
            };
        }
        match document {
            Value::Object(fields) if schema["properties"].is_object() => {
                for (name, field) in fields {
                    let of_field = &schema["properties"][name];
                    assert!(!of_field.is_null(), "{place}/{name} is in no schema");
                    known(of_field, root, field, &format!("{place}/{name}"));
                }
            }
            Value::Array(items) => {
                items.iter().for_each(|item| known(&schema["items"], root, item, place));
            }
            _ => {}
        }
    }
    let root = schema("docs/schemas/etinspect.report.1.json");
    with_each(|report| known(&root, &root, &parsed(&json(report)), ""));
}

#[test]
fn a_document_that_is_none_is_refused() {
    let validator = validator("docs/schemas/etinspect.report.1.json");
    let document = linear().with(|report| parsed(&json(report)));
    for (pointer, wrong) in [
        ("/schema", value!("etinspect.report/2")),
        ("/program/bytes", value!(-1)),
        ("/verdict/meets_budget", value!("yes")),
        ("/methods/0/peak", Value::Null),
    ] {
        let mut document = document.clone();
        *document.pointer_mut(pointer).expect(pointer) = wrong;
        assert!(!validator.is_valid(&document), "{pointer}");
    }
}

#[test]
fn sarif_is_as_oasis_published_it() {
    let mut schema = schema("tests/fixtures/schemas/sarif-2.1.0.json");
    // Its pattern of languages has a bracket too many, which strict readers refuse.
    let language = "/definitions/run/properties/language/pattern";
    *schema.pointer_mut(language).expect("a pattern") = value!("^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let language = "/definitions/toolComponent/properties/language/pattern";
    *schema.pointer_mut(language).expect("a pattern") = value!("^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    with_each(|report| assert_valid(&validator, &parsed(&sarif(report))));
    assert!(!validator.is_valid(&value!({ "version": "2.0.0", "runs": [] })));
}

/// The fields that GitLab requires of a code quality report.
#[test]
fn gitlab_finds_what_it_reads() {
    let text = value!({ "type": "string", "minLength": 1 });
    let validator = jsonschema::validator_for(&value!({
        "type": "array",
        "items": {
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "description": text,
                "check_name": text,
                "fingerprint": text,
                "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
                "location": {
                    "required": ["path", "lines"],
                    "properties": {
                        "path": text,
                        "lines": {
                            "required": ["begin"],
                            "properties": { "begin": { "type": "integer", "minimum": 1 } },
                        },
                    },
                },
            },
        },
    }))
    .expect("a schema");
    with_each(|report| {
        let document = parsed(&gitlab(report));
        assert_valid(&validator, &document);
        let all = document.as_array().expect("a list");
        let worse = report.changes.iter().flat_map(|changes| changes.regressions()).count();
        assert_eq!(all.len(), report.findings().len() + worse);
        let mut prints: Vec<&str> =
            all.iter().map(|one| one["fingerprint"].as_str().expect("text")).collect();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), all.len(), "every one has its own");
    });
}
