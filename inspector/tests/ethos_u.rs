//! Ethos-U streams taken apart, against what Vela reports of the same programs
//! (`scripts/vela_reference.py`).

use et_inspector::ethos_u::{Unit, findings, units};
use et_schema::pte::File;
use serde_json::Value as Json;
use std::io::Read;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

/// Calls `each` with the name of every reference, its program and Vela's report.
fn references(mut each: impl FnMut(&str, &[u8], &Json)) -> usize {
    let archive = std::fs::File::open(fixtures().join("ethos_u/references.zip"));
    let mut archive = zip::ZipArchive::new(archive.expect("the archive")).expect("a zip archive");
    let names: Vec<String> =
        archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
    let mut read = |name: &str| {
        let mut bytes = Vec::new();
        archive.by_name(name).expect(name).read_to_end(&mut bytes).expect(name);
        bytes
    };
    let models = names.iter().filter_map(|name| name.strip_suffix("/model.pte"));
    let mut count = 0;
    for name in models {
        let program = read(&format!("{name}/model.pte"));
        let vela = serde_json::from_slice(&read(&format!("{name}/vela.json"))).expect("JSON");
        each(name, &program, &vela);
        count += 1;
    }
    count
}

fn each_unit(program: &[u8], mut each: impl FnMut(Unit<'_>)) {
    let file = File::parse(program).expect("a program");
    for method in file.methods() {
        for unit in units(&file, &method) {
            each(unit.expect("a payload that can be read"));
        }
    }
}

#[test]
fn macs_weights_scratch_and_operations_are_velas() {
    let mut differences = Vec::new();
    let (mut cycles, mut vela_cycles) = (0.0, 0.0);
    let count = references(|name, program, vela| {
        let reports = vela.as_array().expect("a list");
        let mut index = 0;
        each_unit(program, |unit| {
            let report = &reports[index];
            index += 1;
            let summary = |key: &str| report["summary"][key].as_f64().expect("a number");
            let total = unit.total();
            let mut compare = |what: &str, ours: u64, vela: u64| {
                if ours != vela {
                    differences.push(format!("{name}: {what} {ours}, Vela {vela}"));
                }
            };
            // Vela counts a transposed convolution of U85 before it takes it
            // apart into the four that the stream has.
            if name != "transposed.ethos-u85-256" {
                compare("MACs", total.macs, summary("nn_macs") as u64);
            }
            let operations = report["operations"].as_array().expect("a list").len() as u64;
            compare("operations", unit.stream.operations.len() as u64, operations);
            compare("words", unit.stream.words.into(), unit.payload.driver.promised_words.into());
            cycles += total.cycles as f64;
            vela_cycles += summary("cycles_total");
        });
        assert_eq!(index, reports.len(), "{name}");
    });
    assert!(count >= 100, "{count} programs");
    eprintln!("cycles {cycles}, Vela {vela_cycles}");
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn real_programs_have_no_faults() {
    let mut faults = Vec::new();
    references(|name, program, _| {
        each_unit(program, |unit| {
            faults.extend(unit.faults.iter().map(|fault| format!("{name}: {fault}")));
        });
    });
    for entry in std::fs::read_dir(fixtures().join("models")).expect("the fixtures") {
        let path = entry.expect("an entry").path().join("model.pte");
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Ok(file) = File::parse(&bytes) else { continue };
        for method in file.methods() {
            let found = findings(&file, &method);
            faults.extend(found.iter().map(|f| format!("{}: {}", path.display(), f.title)));
        }
    }
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}
