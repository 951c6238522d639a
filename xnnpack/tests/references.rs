//! Programs that are one delegate call, against what the real delegate gave for
//! the same inputs: outputs and the names of its events.
//!
//! `scripts/xnnpack_references.py` made them with ExecuTorch;
//! `XNNPACK_REFERENCES` names a folder with others.

use et_schema::ids::{DelegateId, ValueId};
use et_schema::pte::{File, Instruction, Method, Value};
use et_schema::xnnpack::Payload;
use et_xnnpack::{Graph, Observer};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

#[derive(Default)]
struct Names(Vec<String>);

impl Observer for Names {
    fn begin(&mut self, _name: &str) -> u64 {
        0
    }

    fn end(&mut self, name: &str, _begun: u64) {
        self.0.push(name.to_owned());
    }
}

/// Files of a reference by name.
type Files = BTreeMap<String, Vec<u8>>;

/// References by name: those of the repository, or of the folder that is named.
fn references() -> BTreeMap<String, Files> {
    let mut references: BTreeMap<String, Files> = BTreeMap::new();
    if let Some(root) = std::env::var_os("XNNPACK_REFERENCES") {
        for folder in fs::read_dir(root).expect("the folder") {
            let folder = folder.expect("an entry").path();
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let files = references.entry(name).or_default();
            for file in fs::read_dir(&folder).expect("a folder") {
                let path = file.expect("an entry").path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.insert(name, fs::read(&path).expect("a file"));
            }
        }
        return references;
    }
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/xnnpack_references.zip");
    let archive = fs::File::open(path).expect("the references");
    let mut archive = zip::ZipArchive::new(archive).expect("an archive");
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).expect("a member");
        let name = member.name().expect("a name").into_owned();
        let (folder, file) = name.split_once('/').expect("a folder");
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).expect("its bytes");
        references.entry(folder.to_owned()).or_default().insert(file.to_owned(), bytes);
    }
    references
}

fn array(file: &[u8]) -> (Vec<usize>, Vec<u8>) {
    let header = npyz::NpyFile::new(file).expect("an array");
    let dims = header.shape().iter().map(|dim| *dim as usize).collect();
    let elements = header.shape().iter().product::<u64>() as usize;
    let size = match header.dtype() {
        npyz::DType::Plain(text) => text.size_field() as usize,
        other => panic!("{other:?}"),
    };
    (dims, file[file.len() - elements * size..].to_vec())
}

/// The arguments of the one instruction, if it is a call of a delegate.
fn only_call(method: &Method<'_>) -> Option<(DelegateId, Vec<ValueId>)> {
    let mut chains = method.chains();
    let chain = chains.next().filter(|_| chains.next().is_none())?;
    let mut instructions = chain.instructions();
    let first = instructions.next().filter(|_| instructions.next().is_none())?;
    match first {
        Instruction::DelegateCall { delegate, args } => Some((delegate, args.ids().collect())),
        _ => None,
    }
}

/// Runs a reference; `None` if it is more than one delegate call.
fn run(files: &Files) -> Option<Result<Vec<String>, String>> {
    let file = File::parse(&files["model.pte"]).expect("a program");
    let method = file.method("forward")?;
    let (delegate, args) = only_call(&method)?;
    // Constants of the method may be arguments too; the runtime's tests have those.
    let outside = |id: &ValueId| method.inputs().chain(method.outputs()).any(|own| own == *id);
    if !args.iter().all(outside) {
        return None;
    }
    let delegate = method.delegate(delegate).expect("the delegate");
    let payload = Payload::parse(delegate.payload(&file).expect("a payload"));
    let payload = payload.unwrap_or_else(|e| panic!("{e}"));
    let named = |key: &str| file.find_named_data(key).ok().flatten();
    let mut graph = match Graph::load(&payload, &named, 1) {
        Ok(graph) => graph,
        Err(error) => return Some(Err(error.to_string())),
    };
    let dtype = |id: ValueId| match method.value(id).expect("a value") {
        Value::Tensor(tensor) => tensor.scalar_type().expect("a type").size(),
        _ => 0,
    };
    let mut names = Names::default();
    // Twice: memory is used again.
    for _ in 0..2 {
        names.0.clear();
        for (k, id) in method.inputs().enumerate() {
            let Some(argument) = args.iter().position(|arg| *arg == id) else { continue };
            let (dims, data) = array(&files[&format!("in_{k}.npy")]);
            if let Err(error) = graph.set_input(argument as u32, &dims, &data) {
                return Some(Err(error.to_string()));
            }
        }
        if let Err(error) = graph.run(&mut names) {
            return Some(Err(error.to_string()));
        }
    }
    for (k, id) in method.outputs().enumerate() {
        let argument = args.iter().position(|arg| *arg == id).expect("an argument") as u32;
        let (_, wanted) = array(&files[&format!("out_{k}.npy")]);
        let mut found = vec![0; wanted.len()];
        if let Err(error) = graph.write_output(argument, dtype(id), &mut found) {
            return Some(Err(error.to_string()));
        }
        if let Err(error) = compare(&wanted, &found, dtype(id)) {
            return Some(Err(format!("output {k}: {error}")));
        }
    }
    Some(Ok(names.0))
}

/// Within what sums in another order may differ.
fn compare(wanted: &[u8], found: &[u8], size: usize) -> Result<(), String> {
    let numbers = |bytes: &[u8]| -> Vec<f32> {
        match size {
            2 => {
                let pairs = bytes.as_chunks().0.iter();
                pairs.map(|b| half::f16::from_le_bytes(*b).to_f32()).collect()
            }
            4 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            _ => bytes.iter().map(|b| f32::from(*b)).collect(),
        }
    };
    let (relative, absolute) = if size == 2 { (4e-3, 2e-3) } else { (1e-5, 2e-6) };
    let (wanted, found) = (numbers(wanted), numbers(found));
    let mut worst: (f32, usize) = (0.0, 0);
    for (index, (a, b)) in wanted.iter().zip(&found).enumerate() {
        let difference = (a - b).abs();
        if (difference > absolute + relative * a.abs() || b.is_nan() != a.is_nan())
            && difference >= worst.0
        {
            worst = (difference, index);
        }
    }
    let count = wanted.len();
    match worst {
        (0.0, _) => Ok(()),
        (_, i) => Err(format!("element {i} of {count}: {} instead of {}", found[i], wanted[i])),
    }
}

/// What is wrong with a reference, nothing if it is as it should be.
fn check(name: &str, files: &Files) -> Option<Result<(), String>> {
    let text = files.get("delegate_events.json")?;
    let rows: Vec<(i64, i64, String)> = serde_json::from_slice(text).expect("rows");
    let real: Vec<String> = rows.into_iter().map(|(_, _, name)| name).collect();
    Some(match run(files)? {
        Err(error) => Err(format!("{name}: {error}")),
        Ok(ours) if ours != real => Err(format!("{name}:\n  ours {ours:?}\n  real {real:?}")),
        Ok(_) => Ok(()),
    })
}

#[test]
fn recorded_programs_give_the_recorded_outputs_and_events() {
    let references = references();
    let results: Vec<_> =
        references.iter().filter_map(|(name, files)| check(name, files)).collect();
    let wrong: Vec<String> = results.iter().filter_map(|result| result.clone().err()).collect();
    assert!(results.len() >= 10, "{} references", results.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), results.len(), wrong.join("\n"));
}

/// A small generator of numbers: damage must be the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

#[test]
fn damaged_payloads_are_refused_or_run() {
    let references = references();
    let mut numbers = Numbers(7);
    let names = ["f32_net", "qc8_net", "dyn_mlp", "int4_wide", "f32_cat7", "f32_sdpa", "f32_prelu"];
    let (mut loaded, mut refused) = (0, 0);
    for name in names {
        let files = &references[name];
        let file = File::parse(&files["model.pte"]).expect("a program");
        let method = file.method("forward").expect("the method");
        let delegate = method.delegates().next().expect("a delegate");
        let payload = delegate.payload(&file).expect("a payload");
        for _ in 0..300 {
            let mut damaged = payload.to_vec();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(damaged.len());
                damaged[at] ^= 1 << numbers.below(8);
            }
            let named = |key: &str| file.find_named_data(key).ok().flatten();
            let graph = Payload::parse(&damaged).map_err(|e| e.to_string());
            let graph = graph.and_then(|it| Graph::load(&it, &named, 1).map_err(|e| e.to_string()));
            let Ok(mut graph) = graph else {
                refused += 1;
                continue;
            };
            loaded += 1;
            let inputs: Vec<u32> = graph.arguments().0.collect();
            for (k, argument) in inputs.into_iter().enumerate() {
                let Some(input) = files.get(&format!("in_{k}.npy")) else { continue };
                let (dims, data) = array(input);
                let _ = graph.set_input(argument, &dims, &data);
            }
            let _ = graph.run(&mut Names::default());
        }
    }
    assert!(loaded > 100 && refused > 100, "{loaded} loaded, {refused} refused");
}
