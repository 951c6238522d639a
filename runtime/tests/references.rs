//! What the selection of kernel references covers: each family of operators is
//! checked (`kernels.rs`) with every kind of shape that it takes.

mod support;

use et_schema::bundled;
use et_schema::pte::{File, Method, Tensor, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use support::fixtures;

/// What is special about the shapes of a call that the real runtime answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    NoDimensions,
    NoElements,
    /// A dimension of size 1 beside a longer one of another tensor.
    Broadcast,
    /// Not the order of dimensions that PyTorch calls contiguous.
    OtherOrder,
}

use Kind::{Broadcast, NoDimensions, NoElements, OtherOrder};

/// The kinds that the operators of a family take.
const TAKEN: &[(&str, &[Kind])] = &[
    ("binary", &[NoDimensions, NoElements, Broadcast, OtherOrder]),
    ("convolution", &[OtherOrder]),
    ("cortex_m", &[OtherOrder]),
    ("indexing", &[NoDimensions, NoElements, Broadcast, OtherOrder]),
    ("matrix", &[NoElements, Broadcast]),
    ("norms", &[NoElements, OtherOrder]),
    ("pooling", &[OtherOrder]),
    ("quantized", &[NoDimensions, NoElements]),
    ("reduction", &[NoDimensions, NoElements]),
    ("shape", &[NoDimensions, NoElements, Broadcast, OtherOrder]),
    ("softmax", &[NoDimensions, NoElements]),
    ("unary", &[NoDimensions, NoElements, OtherOrder]),
];

#[test]
fn every_family_is_checked_with_every_kind_of_shape_that_it_takes() {
    let mut found: BTreeMap<String, BTreeSet<Kind>> = BTreeMap::new();
    let folder = fixtures().join("kernels");
    for entry in fs::read_dir(folder.join("manifest")).expect("the manifests") {
        let path = entry.expect("a manifest").path();
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
        let name = path.file_stem().expect("a name").to_string_lossy();
        let bytes = fs::read(folder.join(format!("{name}.bpte"))).expect("the cases");
        let bundled = bundled::File::parse(&bytes).expect("a bundled program");
        let file = File::parse(bundled.program()).expect("a program");
        let kinds = found.entry(manifest["family"].as_str().expect("a family").into()).or_default();
        for case in manifest["cases"].as_array().expect("a list") {
            if case.get("error").is_none_or(serde_json::Value::is_null) {
                let method = file.method(case["method"].as_str().expect("a name"));
                kinds.extend(kinds_of(&method.expect("the method")));
            }
        }
    }
    for (family, taken) in TAKEN {
        let found = found.get(*family).cloned().unwrap_or_default();
        let missing: Vec<_> = taken.iter().filter(|kind| !found.contains(kind)).collect();
        assert!(missing.is_empty(), "{family}: no case with {missing:?}, only {found:?}");
    }
}

/// The kinds of the shapes of a call's inputs.
fn kinds_of(method: &Method<'_>) -> Vec<Kind> {
    let tensors: Vec<Tensor<'_>> = method
        .inputs()
        .filter_map(|input| match method.value(input) {
            Ok(Value::Tensor(tensor)) => Some(tensor),
            _ => None,
        })
        .collect();
    let shapes: Vec<Vec<i32>> = tensors.iter().map(|it| it.sizes().iter().collect()).collect();
    let stretched =
        |a: &[i32], b: &[i32]| a.iter().rev().zip(b.iter().rev()).any(|(a, b)| *a == 1 && *b > 1);
    let in_order = |tensor: &Tensor<'_>| tensor.dim_order().is_sorted();
    let mut kinds = Vec::new();
    let mut note = |kind, is: bool| kinds.extend(is.then_some(kind));
    note(NoDimensions, shapes.iter().any(Vec::is_empty));
    note(NoElements, shapes.iter().any(|shape| shape.contains(&0)));
    note(Broadcast, shapes.iter().any(|a| shapes.iter().any(|b| stretched(a, b))));
    note(OtherOrder, !tensors.iter().all(in_order));
    kinds
}
