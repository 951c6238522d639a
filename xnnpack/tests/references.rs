//! Programs that are one delegate call, against what the real delegate gave for
//! the same inputs: outputs and the names of its events.
//!
//! The programs in `tests/fixtures/models` were made with ExecuTorch;
//! `XNNPACK_REFERENCES` names a folder with more, as
//! `scripts/xnnpack_references.py` makes it.

use et_schema::ids::{DelegateId, ValueId};
use et_schema::pte::{File, Instruction, Method, Value};
use et_schema::xnnpack::Payload;
use et_xnnpack::{Graph, Observer};
use std::fs;
use std::path::{Path, PathBuf};

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

fn bytes(path: &Path) -> (Vec<usize>, Vec<u8>) {
    let file = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let header = npyz::NpyFile::new(&file[..]).expect("an array");
    let dims = header.shape().iter().map(|dim| *dim as usize).collect();
    let elements: usize = header.shape().iter().product::<u64>() as usize;
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

/// Runs `folder`; `None` if it is more than one delegate call.
fn run(folder: &Path, inputs: &Path) -> Option<Result<Vec<String>, String>> {
    let program = fs::read(folder.join("model.pte")).expect("the program");
    let file = File::parse(&program).expect("a program");
    let method = file.method("forward")?;
    let (delegate, args) = only_call(&method)?;
    // Constants of the method may be arguments too; the runtime's tests have those.
    let outside = |id: &ValueId| method.inputs().chain(method.outputs()).any(|own| own == *id);
    if !args.iter().all(outside) {
        return None;
    }
    let delegate = method.delegate(delegate).expect("the delegate");
    let payload = Payload::parse(delegate.payload(&file).expect("a payload"));
    let payload = payload.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
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
            let (dims, data) = bytes(&inputs.join(format!("in_{k}.npy")));
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
        let (_, wanted) = bytes(&inputs.join(format!("out_{k}.npy")));
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

fn check(folder: &Path, inputs: &Path, events: Option<Vec<String>>) -> Option<String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match (run(folder, inputs)?, events) {
        (Err(error), _) => Some(format!("{name}: {error}")),
        (Ok(names), Some(events)) if names != events => {
            Some(format!("{name}:\n  ours {names:?}\n  real {events:?}"))
        }
        _ => Some(String::new()),
    }
}

#[test]
fn recorded_programs_give_the_recorded_outputs_and_events() {
    let Some(root) = std::env::var_os("XNNPACK_REFERENCES") else {
        eprintln!("skipped: XNNPACK_REFERENCES names no folder");
        return;
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.sort();
    let (mut checked, mut wrong) = (0, Vec::new());
    for folder in folders.iter().filter(|folder| folder.join("delegate_events.json").exists()) {
        let text = fs::read_to_string(folder.join("delegate_events.json")).expect("events");
        let rows: Vec<(i64, i64, String)> = serde_json::from_str(&text).expect("rows");
        let events = rows.into_iter().map(|(_, _, name)| name).collect();
        if let Some(error) = check(folder, folder, Some(events)) {
            checked += 1;
            if !error.is_empty() {
                wrong.push(error);
            }
        }
    }
    println!("{checked} programs");
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
}
