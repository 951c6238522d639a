//! Programs for backends that do not run here: real ones, of the exporters that
//! run anywhere (`scripts/backend_programs.py`), and the same under the ids of all others.

mod support;

use et_inspector::backends::BACKENDS;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use support::{Ran, etinspect, fixture};

fn ask(words: &[&str], program: &Path) -> Ran {
    etinspect(words.iter().map(OsStr::new).chain([program.as_os_str()]))
}

/// Everything that is to work without the backend; `id` calls it at `instruction`.
fn check(program: &Path, id: &str, instruction: &str) {
    let show = ask(&["show"], program);
    assert_eq!(show.status, Some(0), "{id}: {}", show.stderr);
    assert!(show.stdout.contains(&format!("0 {id}")), "{}", show.stdout);
    for words in [&["memory"][..], &["diagnose"], &["report", "--format", "json", "--model"]] {
        let ran = ask(words, program);
        assert_eq!(ran.status, Some(0), "{id}, {words:?}: {}", ran.stderr);
        assert!(!ran.stdout.is_empty(), "{id}, {words:?}");
    }
    let report = ask(&["report", "--format", "markdown", "--model"], program);
    assert!(report.stdout.contains(id), "{id}: {}", report.stdout);
    let run = ask(&["run"], program);
    assert_eq!(run.status, Some(4), "{id}");
    let wanted = format!("NotFound (0x20) at instruction {instruction} in delegate {id}");
    assert!(run.stderr.contains(&wanted), "{}", run.stderr);
    let stub = ask(&["run", "--stub-delegates"], program);
    assert_eq!(stub.status, Some(0), "{id}: {}", stub.stderr);
    let wanted = format!("ETD002: 1 delegate of {id} did not run");
    assert!(stub.stdout.contains(&wanted), "{}", stub.stdout);
}

#[test]
fn real_programs_of_other_backends_are_explained_and_stubbed() {
    for (name, id, instruction, payload) in [
        ("coreml", "CoreMLBackend", "0:0", "Core ML model package in one file"),
        ("native", "NativeBackend", "0:0", "native graph"),
        ("tosa", "TOSABackend", "0:0", "TOSA graph"),
        ("vulkan", "VulkanBackend", "0:1", "Vulkan graph with header"),
    ] {
        let program = fixture("backends").join(format!("{name}.pte"));
        check(&program, id, instruction);
        let show = ask(&["show"], &program).stdout;
        assert!(show.contains(payload), "{show}");
    }
    let show = ask(&["show"], &fixture("backends/tosa.pte")).stdout;
    assert!(show.contains("\"tosa_spec\" = \"TOSA-1.0+FP\""), "{show}");
}

/// `bytes` with `new` in the place of `old`, at every place; both as long.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(old.len()).position(|window| window == old) {
        bytes[at + found..][..new.len()].copy_from_slice(new);
        at += found + new.len();
    }
    bytes
}

#[test]
fn every_backend_is_named_and_stubbed() {
    let vulkan = fs::read(fixture("backends/vulkan.pte")).expect("the program");
    let folder = tempfile::tempdir().expect("a folder");
    let mut ids: Vec<&str> = BACKENDS.iter().map(|backend| backend.id).collect();
    ids.push("NobodysBackend");
    let mut count = 0;
    for id in ids {
        // The length, the text and the bytes that fill it up to four: longer ids do not fit.
        let text = |id: &str| {
            let mut bytes = (id.len() as u32).to_le_bytes().to_vec();
            bytes.extend(id.as_bytes());
            bytes.resize(20, 0);
            bytes
        };
        // XNNPACK runs, and what Ethos-U streams are is checked.
        if id.len() > 15 || ["XnnpackBackend", "EthosUBackend"].contains(&id) {
            continue;
        }
        let bytes = replaced(&vulkan, &text("VulkanBackend"), &text(id));
        // Its payload is no longer Vulkan's.
        let bytes = replaced(&bytes, b"VH00", b"\xff\xfe\xfd\xfc");
        let program = folder.path().join(format!("{id}.pte"));
        fs::write(&program, bytes).expect("a file");
        check(&program, id, "0:1");
        if let Some(backend) = BACKENDS.iter().find(|backend| backend.id == id) {
            let show = ask(&["show"], &program).stdout;
            assert!(show.contains(backend.name) || id.starts_with(backend.name), "{show}");
        }
        count += 1;
    }
    assert!(count >= 16, "{count} backends");
}
