//! Whole programs with XNNPACK delegates, called twice with other inputs, against
//! what the real runtime gave: outputs, and names and places of delegate events.
//!
//! `scripts/xnnpack_programs.py` made them with ExecuTorch; `XNNPACK_PROGRAMS`
//! names a folder with others.

mod support;

use ::etdump::{Contents, EtDumpWriter, SystemClock};
use et_runtime::{LoadOptions, Method, Program};
use et_schema::etdump::{DelegateId, Event, File as Trace};
use et_schema::pte::File;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Rows of chain, instruction and name.
type Rows = Vec<(i64, i64, String)>;

/// Runs both cases as one loaded method.
fn record(dir: &Path) -> Result<Rows, String> {
    let bytes = fs::read(dir.join("model.pte")).expect("the program");
    let program = Program::new(File::parse(&bytes).map_err(|e| e.to_string())?);
    let mut writer = EtDumpWriter::new(SystemClock::default(), Contents::InspectorCompatible);
    let mut method = Method::load(&program, "forward", LoadOptions::default(), &mut writer)
        .map_err(|e| e.to_string())?;
    for case in 0..2 {
        support::set_inputs(&mut method, &dir.join(format!("io/forward/case{case}")))?;
        method.execute(&mut writer).map_err(|e| e.to_string())?;
    }
    let trace = writer.finish().bytes;
    let trace = Trace::parse(&trace).map_err(|e| e.to_string())?;
    let mut rows = Vec::new();
    for event in trace.runs().flat_map(|run| run.events()) {
        let Event::Profile(event) = event else { continue };
        if let Some(DelegateId::Name(name)) = event.delegate_id {
            rows.push((event.chain_index.into(), event.instruction_id.into(), name.to_owned()));
        }
    }
    Ok(rows)
}

fn check(dir: &Path) -> Result<(), String> {
    let is_half = dir.file_name().is_some_and(|name| name.to_string_lossy().contains("f16"));
    let (rtol, atol) = if is_half { (1e-2, 1e-2) } else { (1e-4, 1e-5) };
    support::check_model(dir, "forward", rtol, atol)?;
    let real = fs::read(dir.join("events.json")).expect("rows");
    let real: Rows = serde_json::from_slice(&real).expect("rows");
    let ours = record(dir)?;
    if ours != real {
        let first = ours.iter().zip(&real).position(|(a, b)| a != b);
        let at = first.unwrap_or(ours.len().min(real.len()));
        let (a, b) = (ours.get(at), real.get(at));
        return Err(format!(
            "event {at}: ours {a:?}, real {b:?} of {} and {}",
            ours.len(),
            real.len()
        ));
    }
    Ok(())
}

/// The folder that is named, or the programs of the repository in a folder that is kept.
fn programs() -> (Option<PathBuf>, PathBuf) {
    if let Some(root) = std::env::var_os("XNNPACK_PROGRAMS") {
        return (None, root.into());
    }
    let archive = fs::File::open(support::fixtures().join("xnnpack_programs.zip"));
    let mut archive = zip::ZipArchive::new(archive.expect("the programs")).expect("an archive");
    let root = std::env::temp_dir().join(format!("xnnpack_programs_{}", std::process::id()));
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).expect("a member");
        let Some(name) = member.enclosed_name().filter(|_| member.is_file()) else { continue };
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        io::copy(&mut member, &mut fs::File::create(path).expect("a file")).expect("its bytes");
    }
    (Some(root.clone()), root)
}

#[test]
fn whole_programs_give_the_recorded_outputs_and_events() {
    let (temporary, root) = programs();
    let entries = fs::read_dir(&root).expect("the programs").map(|e| e.expect("an entry").path());
    let mut dirs: Vec<PathBuf> = entries.collect();
    dirs.sort();
    let mut wrong = Vec::new();
    for dir in &dirs {
        if let Err(error) = check(dir) {
            let name = dir.file_name().unwrap_or_default().to_string_lossy();
            wrong.push(format!("{name}: {error}"));
        }
    }
    if let Some(root) = temporary {
        fs::remove_dir_all(root).expect("the folder");
    }
    assert!(dirs.len() >= 25, "{} programs", dirs.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), dirs.len(), wrong.join("\n"));
}
