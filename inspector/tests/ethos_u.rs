//! Ethos-U streams taken apart, against what Vela reports of the same programs
//! (`scripts/vela_reference.py`).

use et_inspector::ethos_u::{Unit, findings, units};
use et_inspector::findings::Finding;
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
    let mut ratios = Vec::new();
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
            compare("weights", unit.stream.weights(), summary("total_npu_encoded_weights") as u64);
            let used = |memory: &str| summary(&format!("{memory}_memory_used")) * 1024.0;
            let used: f64 =
                ["sram", "dram", "on_chip_flash", "off_chip_flash"].map(used).iter().sum();
            // Without weights a block of one byte stands for them.
            let constants = if (used as u64).is_multiple_of(16) && unit.payload.weights.len() == 1 {
                0
            } else {
                unit.payload.weights.len() as u64
            };
            let memory = constants + u64::from(unit.payload.scratch) + unit.fast_scratch();
            // Vela may keep more fast memory than operations touch.
            if unit.fast_scratch() == 0 || memory > used as u64 {
                compare("memory", memory, used as u64);
            }
            ratios.push(total.cycles as f64 / summary("cycles_total"));
        });
        assert_eq!(index, reports.len(), "{name}");
    });
    assert!(count >= 100, "{count} programs");
    // Cycles are an estimate, from the stream alone.
    let within = |factor: f64| {
        let range = 1.0 / factor..factor;
        ratios.iter().filter(|ratio| range.contains(*ratio)).count() as f64 / ratios.len() as f64
    };
    let shares = [2.0, 1.25, 1.1].map(within);
    eprintln!("within 2, 1.25 and 1.1 times Vela's: {shares:?}");
    assert!(shares[0] > 0.95 && shares[1] > 0.75 && shares[2] > 0.6, "{shares:?}");
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

/// What is found in a fixture whose first payload was altered.
fn altered(name: &str, alter: impl FnOnce(&mut [u8])) -> Vec<Finding> {
    let path = fixtures().join("models").join(name).join("model.pte");
    found(std::fs::read(path).expect("the fixture"), alter)
}

/// What is found in a program whose first payload was altered.
fn found(mut bytes: Vec<u8>, alter: impl FnOnce(&mut [u8])) -> Vec<Finding> {
    let at = {
        let file = File::parse(&bytes).expect("a program");
        let method = file.methods().next().expect("a method");
        let delegate = method.delegates().next().expect("a delegate");
        let payload = delegate.payload(&file).expect("a payload");
        let start = payload.as_ptr() as usize - bytes.as_ptr() as usize;
        start..start + payload.len()
    };
    alter(&mut bytes[at]);
    let file = File::parse(&bytes).expect("a program");
    let method = file.methods().next().expect("a method");
    findings(&file, &method)
}

/// Where the data of a block begins.
fn block(payload: &[u8], name: &str) -> usize {
    let at = payload
        .windows(name.len() + 1)
        .position(|window| window.starts_with(name.as_bytes()) && window.ends_with(&[0]));
    at.expect("the block") + 32
}

/// Where the commands with `code` are.
fn commands(payload: &[u8], code: u16) -> Vec<usize> {
    let data = block(payload, "cmd_data");
    let word = |at: usize| u32::from_le_bytes(payload[at..at + 4].try_into().expect("a word"));
    let end = data + word(data - 16) as usize;
    let mut at = data + 32;
    let mut found = Vec::new();
    while at < end {
        if word(at) as u16 == code {
            found.push(at);
        }
        at += if word(at) & 0xC000 == 0x4000 { 8 } else { 4 };
    }
    found
}

/// Where the `nth` command with `code` is.
fn command(payload: &[u8], code: u16, nth: usize) -> usize {
    commands(payload, code)[nth]
}

fn put(payload: &mut [u8], at: usize, value: u32) {
    payload[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn altered_streams_have_the_right_finding() {
    type Alter = fn(&mut [u8]);
    let cases: [(&str, &str, &str, Alter); 15] = [
        ("u55_add", "ETD021", "configuration of 256 MACs", |p| {
            let at = block(p, "cmd_data") + 8;
            put(p, at, 0x3008);
        }),
        ("u85_add", "ETD021", "a unit that does not exist", |p| {
            let at = block(p, "cmd_data") + 8;
            put(p, at, 0x7000_0118);
        }),
        ("u55_linear", "ETD024", "scratch of 16 bytes", |p| {
            let at = block(p, "scratch_size");
            put(p, at, 16);
        }),
        ("u55_linear", "ETD024", "input outside of the scratch", |p| {
            let at = block(p, "inputs") + 4 + 7 * 4;
            put(p, at, 0x1000);
        }),
        ("u55_linear", "ETD024", "feature map outside", |p| {
            let at = command(p, 0x4000, 0) + 4;
            put(p, at, 0x10_0000);
        }),
        ("u85_cnn_bn_relu", "ETD024", "weights longer than their block", |p| {
            let at = command(p, 0x4021, 0) + 4;
            put(p, at, 0x10_0000);
        }),
        ("u55_mv2_w010", "ETD024", "a copy to behind the scratch", |p| {
            let at = command(p, 0x4031, 0) + 4;
            put(p, at, 0x10_0000);
        }),
        ("u55_linear", "ETD024", "a region that ExecuTorch does not give", |p| {
            let at = command(p, 0x10F, 0);
            put(p, at, 0x0005_010F);
        }),
        ("u55_mv2_w010", "ETD025", "weights at an odd address", |p| {
            let at = command(p, 0x4020, 3) + 4;
            let value = u32::from_le_bytes(p[at..at + 4].try_into().expect("a word"));
            put(p, at, value + 1);
        }),
        ("u55_mv2_w010", "ETD026", "no wait for a copy", |p| {
            // A counter's switch in place of the wait.
            let at = command(p, 0x11, 0);
            put(p, at, 0x13);
        }),
        ("u55_softmax", "ETD026", "blocks that begin before their input is there", |p| {
            // Every operation may begin three blocks early.
            commands(p, 0x12F).into_iter().for_each(|at| put(p, at, 0x0003_012F));
        }),
        ("u55_linear", "ETD027", "an input of other bytes", |p| {
            let at = command(p, 0x4000, 0) + 4;
            put(p, at, 0x18);
        }),
        ("u85_softmax", "ETD028", "an output elsewhere", |p| {
            let size = block(p, "scratch_size");
            put(p, size, 0x1000);
            let out = block(p, "outputs") + 4 + 7 * 4;
            put(p, out, 0x800);
        }),
        ("u85_softmax", "ETD023", "no stop", |p| {
            let at = command(p, 0, 0);
            put(p, at, 0x13);
        }),
        ("u55_softmax", "ETD022", "a command that does not exist", |p| {
            let at = command(p, 0x10F, 0);
            put(p, at, 0x1F0);
        }),
    ];
    for (model, code, what, alter) in cases {
        let found = altered(model, alter);
        let codes: Vec<_> = found.iter().map(|finding| finding.code.page().code).collect();
        assert!(codes.contains(&code), "{model}, {what}: {codes:?}");
        assert!(found.iter().all(|f| f.at.is_some()), "{model}: {found:?}");
    }
}

/// The word of the driver's header that says which unit the stream is for.
fn configuration(payload: &[u8]) -> u32 {
    let at = block(payload, "cmd_data") + 8;
    u32::from_le_bytes(payload[at..at + 4].try_into().expect("a word"))
}

#[test]
fn a_stream_of_any_unit_is_refused_by_every_other() {
    let mut programs = Vec::new();
    references(|name, program, _| {
        if name.starts_with("add.") {
            let mut word = 0;
            let intact = found(program.to_vec(), |payload| word = configuration(payload));
            assert!(intact.is_empty(), "{name}: {intact:?}");
            programs.push((name.to_owned(), program.to_vec(), word));
        }
    });
    // U55 with 32 to 256 MACs, U65 with 256 and 512, U85 with 128 to 2048.
    assert_eq!(programs.len(), 11);
    for (name, program, own) in &programs {
        for (other, _, word) in programs.iter().filter(|(_, _, word)| word != own) {
            let found = found(program.clone(), |payload| {
                let at = block(payload, "cmd_data") + 8;
                put(payload, at, *word);
            });
            let codes: Vec<_> = found.iter().map(|finding| finding.code.page().code).collect();
            assert!(codes.contains(&"ETD021"), "{name} as {other}: {codes:?}");
        }
    }
}

#[test]
fn the_old_layout_is_said_to_be_old() {
    let found = altered("u55_linear", |payload| {
        let at = block(payload, "scratch_size") - 32;
        payload[at..at + 12].copy_from_slice(b"scratch_data");
    });
    let old = found.iter().find(|finding| finding.code.page().code == "ETD020");
    let old = old.unwrap_or_else(|| panic!("{found:?}"));
    assert!(format!("{old:?}").contains("scratch_data"), "{old:?}");
}

#[test]
fn damaged_streams_are_checked_without_panic() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % bound as u64) as usize
    };
    for model in ["u55_linear", "u55_softmax", "u85_cnn_bn_relu", "u85_add"] {
        for _ in 0..250 {
            let mut changes = Vec::new();
            for _ in 0..=next(4) {
                changes.push((next(4000), next(256) as u8));
            }
            altered(model, |payload| {
                for (at, byte) in changes {
                    let at = at % payload.len();
                    payload[at] = byte;
                }
            });
        }
    }
}
