//! `etinspect show`, through the built program, on real programs and on
//! damaged ones.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name)
}

fn show(path: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etinspect"));
    command.arg("show").arg(path).args(args).output().unwrap()
}

/// What is printed for a model of the fixtures.
fn text(name: &str, args: &[&str]) -> String {
    let output = show(&model(name).join("model.pte"), args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(name: &str, args: &[&str]) -> Value {
    serde_json::from_str(&text(name, &[args, &["--format", "json"]].concat())).unwrap()
}

/// What is printed for bytes on standard input.
fn show_bytes(bytes: &[u8], args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etinspect"));
    command.args(["show", "-"]).args(args);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

/// The program of `name` with one run of 32-bit numbers replaced.
fn patched(name: &str, from: &[i32], to: &[i32]) -> Vec<u8> {
    let bytes = |numbers: &[i32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
    let mut program = std::fs::read(model(name).join("model.pte")).unwrap();
    let from = bytes(from);
    let places: Vec<usize> = program
        .windows(from.len())
        .enumerate()
        .filter(|(_, w)| **w == *from)
        .map(|p| p.0)
        .collect();
    assert_eq!(places.len(), 1, "the numbers are not unique");
    program[places[0]..][..from.len()].copy_from_slice(&bytes(to));
    program
}

#[test]
fn a_kernel_call_names_its_arguments_with_types_and_places() {
    let text = text("linear", &[]);
    assert!(text.contains(
        "0:1  aten::addmm.out(self=%1 float32[3] const 2, mat1=%2 float32[2,4] @1+0x50, \
         mat2=%3 float32[4,3] @1+0x0, beta=1, alpha=1, out=%7 float32[2,3] @1+0x30)\n"
    ));
    assert!(
        text.contains("0:0  aten::permute_copy.out(self=%0 float32[3,4] const 1, dims=[1, 0],")
    );
    assert!(text.contains("  inputs\n    0  %2 float32[2,4] @1+0x50\n"));
    assert!(text.contains("  outputs\n    0  %7 float32[2,3] @1+0x30\n"));
    assert!(text.contains("  planned buffers\n    @1  112 B\n"));
    assert!(text.contains("segment 0: 60 B at byte 1536: 2 constants\n"));
    assert!(text.contains("1 call  aten::addmm.out\n"));
}

#[test]
fn external_tensors_have_their_names() {
    assert!(text("mlp_ptd", &[]).contains("self=%0 float32[16,16] ext \"fc1.weight\""));
}

#[test]
fn numbers_that_the_program_computes_are_no_literals() {
    let text = text("map_loop", &[]);
    assert!(text.contains("executorch_prim::add.Scalar(a=%3 Int, b=1, out=%3 Int)"));
    assert!(text.contains("aten::sym_size.int(self=%0 float32[3,4] @1+0x70, dim=0, out=%4 Int)"));
    assert!(text.contains("jump to 1 if not %16 Bool"));
}

#[test]
fn element_types_among_the_arguments_have_names() {
    let text = text("u55_add", &[]);
    assert!(text.contains("quant_max=127, dtype=int8, out=%2 int8[5]"), "{text}");
    assert!(text.contains("out_dtype=None, out=%15 float32[5]"), "{text}");
}

#[test]
fn delegates_have_their_payload_and_compile_specs() {
    let text_u55 = text("u55_add", &[]);
    assert!(text_u55.contains("EthosUBackend (Arm Ethos-U)  1 call, payload "), "{text_u55}");
    assert!(text_u55.contains("\"output_format\" = \"vela\"\n"), "{text_u55}");
    let text_xnn = text("xnn_add", &[]);
    assert!(text_xnn.contains(
        "0 XnnpackBackend (XNNPACK)  1 call, payload in segment 1: 432 B, XNNPACK graph with header\n"
    ));
    assert!(text_xnn.contains("segment 1: 432 B at byte 1152: delegate 0 XnnpackBackend"));
    assert!(text_xnn.contains("0:0  delegate 0 XnnpackBackend(%0 float32[5] @1+0x40, %1 "));
    let text_inline = text("xnn_inline_delegate", &[]);
    assert!(text_inline.contains("payload 0 in the FlatBuffer: "), "{text_inline}");
}

#[test]
fn long_programs_are_cut_in_the_middle() {
    let cut = text("lstm", &[]);
    let all = text("lstm", &["--all"]);
    assert!(cut.contains("... 37 instructions not shown; --all shows them\n"), "{cut}");
    for line in ["    0:0   ", "    0:31  ", "    0:69  ", "    0:76  "] {
        assert!(cut.contains(line) && all.contains(line), "{line}");
    }
    assert!(!cut.contains("    0:32  ") && all.contains("    0:32  "));
    assert!(!all.contains("not shown"));
}

#[test]
fn one_method_can_be_chosen() {
    let both = json("multi_method_forward", &[]);
    assert_eq!(both["methods"].as_array().unwrap().len(), 2);
    let one = text("multi_method_forward", &["--method", "forward_x3"]);
    assert!(one.contains("method \"forward_x3\"") && !one.contains("method \"forward\":"));
    let none = show(&model("add").join("model.pte"), &["--method", "backward"]);
    assert_eq!(none.status.code(), Some(2));
    let message = String::from_utf8(none.stderr).unwrap();
    assert!(message.contains("no method \"backward\"; the program has \"forward\""), "{message}");
}

#[test]
fn source_lines_are_shown_when_asked_for() {
    let line = "in forward: return self.fc2(F.relu(self.fc1(x)))";
    assert!(!text("mlp_stacktrace", &[]).contains(line));
    assert_eq!(text("mlp_stacktrace", &["-v"]).matches(line).count(), 5);
    assert_eq!(text("mlp_stacktrace", &["-v"]).matches(".py:").count(), 5);
    let frames =
        &json("mlp_stacktrace", &[])["methods"][0]["chains"][0]["instructions"][0]["frames"];
    assert_eq!(frames.as_array().unwrap().last().unwrap()["function"], "forward");
}

#[test]
fn the_table_of_values_has_all_of_them() {
    let text = text("map_loop", &["--values"]);
    assert!(text.contains("    %3 Int 0 (set at run time)\n"));
    assert!(text.contains("    %5 Int 0\n"));
    assert!(text.contains("    %8 int64[] const 1\n"));
    assert!(text.contains("    %16 Bool "));
}

#[test]
fn json_agrees_with_the_program() {
    let document = json("linear", &[]);
    assert_eq!(document["schema"], "etinspect.show/1");
    assert_eq!(document["file"]["size_bytes"], 1596);
    assert_eq!(document["file"]["constants"]["count"], 2);
    let method = &document["methods"][0];
    assert_eq!(method["values"].as_array().unwrap().len(), 10);
    assert_eq!(method["planned_buffers"][0]["size_bytes"], 112);
    assert_eq!(method["inputs"][0]["tensor"]["shape"], serde_json::json!([2, 4]));
    let call = &method["chains"][0]["instructions"][1];
    assert_eq!(call["operator"], "aten::addmm.out");
    assert_eq!(call["args"][0], serde_json::json!({"name": "self", "value": 1}));
    assert_eq!(method["values"][7]["tensor"]["offset"], 0x30);
}

#[test]
fn every_fixture_is_shown_with_all_names_known() {
    let mut shown = 0;
    for entry in std::fs::read_dir(model("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let text = text(&name, &["--all", "--values"]);
        assert!(!text.contains("no such") && !text.contains("unknown"), "{name}:\n{text}");
        assert!(!text.contains("arguments not known"), "{name}:\n{text}");
        assert!(!text.contains(" takes ") && !text.contains(") -> "), "{name}:\n{text}");
        let document = json(&name, &[]);
        let count = |v: &Value| v["instructions"].as_array().unwrap().len();
        let methods = document["methods"].as_array().unwrap();
        let chains = methods.iter().flat_map(|m| m["chains"].as_array().unwrap());
        let lines = text.lines().filter(|l| l.starts_with("    0:")).count();
        assert_eq!(chains.map(count).sum::<usize>(), lines, "{name}");
        shown += 1;
    }
    assert!(shown > 40);
}

#[test]
fn an_index_that_points_nowhere_is_shown_as_such() {
    let output = show_bytes(&patched("add", &[5, 0, 1, 3, 2, 2], &[5, 99, -7, 3, 2, 2]), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text.contains("self=%99 (no such value), other=%(negative) (no such value), alpha=1"),
        "{text}"
    );
}

#[test]
fn returned_values_that_are_no_output_are_shown() {
    let output = show_bytes(&patched("add", &[5, 0, 1, 3, 2, 2], &[5, 0, 1, 3, 2, 1]), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("out=%2 float32[5] @1+0x0) -> %1 float32[5] @1+0x20\n"), "{text}");
}

#[test]
fn missing_arguments_are_counted() {
    // The length of the argument list, which is followed by the arguments.
    let output = show_bytes(&patched("add", &[5, 0, 1, 3, 2, 2], &[2, 0, 1, 3, 2, 2]), &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("other=%1 float32[5] @1+0x20) (takes 4 arguments, has 2)"), "{text}");
}

#[test]
fn names_of_the_file_are_escaped() {
    let mut program = std::fs::read(model("add").join("model.pte")).unwrap();
    let at = program.windows(9).position(|w| w == b"aten::add").unwrap();
    program[at..at + 9].copy_from_slice(b"\x1b[31m\x07::x");
    let text = show_bytes(&program, &[]).stdout;
    assert!(!text.contains(&0x1b) && !text.contains(&0x07));
    assert!(String::from_utf8(text).unwrap().contains("\\u{1b}[31m\\u{7}::x.out"));
    program[at..at + 9].copy_from_slice("\u{e0041}\u{9b}\u{7f}é".as_bytes());
    let document = String::from_utf8(show_bytes(&program, &["--format", "json"]).stdout).unwrap();
    // Two units of UTF-16.
    assert!(document.contains("\\udb40\\udc41"), "{document}");
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["methods"][0]["operators"][0]["name"], "\u{e0041}\u{9b}\u{7f}é.out");
    program[at..at + 9].copy_from_slice("\u{202e}\u{9b}\u{7f}é:".as_bytes());
    let document = String::from_utf8(show_bytes(&program, &["--format", "json"]).stdout).unwrap();
    assert!(!document.contains(['\u{202e}', '\u{9b}', '\u{7f}']), "{document}");
    let document: Value = serde_json::from_str(&document).unwrap();
    let name = &document["methods"][0]["operators"][0]["name"];
    assert_eq!(name, "\u{202e}\u{9b}\u{7f}é:.out");
}

#[test]
fn damage_anywhere_is_an_error_or_shown() {
    let program = std::fs::read(model("add").join("model.pte")).unwrap();
    for at in (0..program.len()).step_by(3) {
        let mut damaged = program.clone();
        damaged[at] ^= 0xff;
        let args: &[&str] = if at % 2 == 0 { &["--values"] } else { &["--format", "json"] };
        let output = show_bytes(&damaged, args);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 2)), "byte {at}: {message}");
        assert_eq!(output.status.success(), message.is_empty(), "byte {at}: {message}");
    }
}

#[test]
fn bundled_programs_are_shown_with_their_tests() {
    let path = model("linear").join("model.bpte");
    let text = String::from_utf8(show(&path, &[]).stdout).unwrap();
    assert!(text.contains(": bundled program (BP08, version 2), 2,176 B\n"), "{text}");
    assert!(text.contains("  2 test cases of \"forward\"\n    0  float32[2,4] -> float32[2,3]\n"));
    assert!(text.contains("ExecuTorch program (ET12, version 0), 1,596 B\n"), "{text}");
    assert!(text.contains("    0:1  aten::addmm.out("), "{text}");
    let document: Value =
        serde_json::from_slice(&show(&path, &["--format", "json"]).stdout).unwrap();
    assert_eq!(document["format"], "bundled_program");
    let offset = document["bundled"]["program_offset"].as_u64().unwrap() as usize;
    let program = std::fs::read(model("linear").join("model.pte")).unwrap();
    assert!(std::fs::read(&path).unwrap()[offset..].starts_with(&program));
    assert_eq!(document["bundled"]["suites"][0]["cases"][1]["inputs"][0]["size_bytes"], 32);
    assert_eq!(document["methods"], json("linear", &[])["methods"]);
}

#[test]
fn a_bundled_program_without_a_readable_program_is_an_error() {
    let mut bytes = std::fs::read(model("linear").join("model.bpte")).unwrap();
    let at = bytes.windows(4).position(|w| w == b"ET12").unwrap();
    bytes[at] = b'X';
    let output = show_bytes(&bytes, &[]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(message.contains("has no program: not a readable ExecuTorch program"), "{message}");
}

#[test]
fn tensor_data_is_shown_with_its_entries() {
    let path = model("mlp_ptd").join("_default_external_constant.ptd");
    let text = String::from_utf8(show(&path, &[]).stdout).unwrap();
    assert!(text.contains(": tensor data (FT01, version 0), 2,208 B\n"), "{text}");
    assert!(text.contains("  4 tensors, 0 blobs\n"), "{text}");
    assert!(text.contains("    \"fc2.weight\"  float32[8,16]  512 B in segment 2\n"), "{text}");
    let document: Value =
        serde_json::from_slice(&show(&path, &["--format", "json"]).stdout).unwrap();
    assert_eq!(document["entries"][1]["name"], "fc1.bias");
    assert_eq!(document["entries"][1]["tensor"]["shape"], serde_json::json!([16]));
}

#[test]
fn a_segment_outside_of_tensor_data_is_shown_as_such() {
    let path = model("mlp_ptd").join("_default_external_constant.ptd");
    let mut bytes = std::fs::read(path).unwrap();
    // The offset of segment 2, which nothing else in the file equals.
    let offset = 1152u64.to_le_bytes();
    let places = bytes.windows(8).enumerate().filter(|(_, w)| *w == offset).map(|(i, _)| i);
    let places: Vec<usize> = places.collect();
    assert_eq!(places.len(), 1);
    bytes[places[0]..][..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let output = show_bytes(&bytes, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("\"fc2.weight\"  float32[8,16]  not a readable tensor data"), "{text}");
    assert!(text.contains("\"fc2.bias\"  float32[8]  32 B in segment 3\n"), "{text}");
}

#[test]
fn traces_are_shown_with_their_runs() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces/add_mul__it3.etdp");
    let text = String::from_utf8(show(&path, &[]).stdout).unwrap();
    assert!(text.contains(": trace (ETDump, ED00, version 0, with a size prefix), "), "{text}");
    assert!(text.contains("  run 0 \"Default\": 2 profile events\n"), "{text}");
    assert_eq!(text.matches("\"Execute\": 15 profile events\n").count(), 3, "{text}");
    let document: Value =
        serde_json::from_slice(&show(&path, &["--format", "json"]).stdout).unwrap();
    assert_eq!(document["runs"][3]["profile_events"], 15);
}

#[test]
fn files_of_other_kinds_are_refused() {
    let archive = show_bytes(b"PK\x03\x04 and so on", &[]);
    let message = String::from_utf8(archive.stderr).unwrap();
    assert_eq!(archive.status.code(), Some(2));
    assert!(message.contains("ETRecord"), "{message}");
    let text = show_bytes(b"not a program at all", &[]);
    let message = String::from_utf8(text.stderr).unwrap();
    assert_eq!(text.status.code(), Some(2));
    assert!(message.contains("expected file identifier \"ET12\""), "{message}");
}

#[test]
fn a_file_appears_only_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.json");
    let file = path.to_str().unwrap();
    assert_eq!(text("add", &["--format", "json", "-o", file]), "");
    let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(document["schema"], "etinspect.show/1");
    let failed =
        show(&model("add").join("none.pte"), &["-o", folder.path().join("x").to_str().unwrap()]);
    assert_eq!(failed.status.code(), Some(2));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn etrecords_are_shown_with_what_they_know_of_each_instruction() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces");
    let shown = |name: &str, args: &[&str]| {
        let output = show(&traces.join(name), args);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = shown("linear.etrecord", &[]);
    assert!(text.contains(": ETRecord (zip archive, ETRECORD_V0), "), "{text}");
    assert!(text.contains("graph \"edge_dialect_exported_program/forward\": "), "{text}");
    assert!(text.contains("method forward: "), "{text}");
    assert!(text.contains("aten.addmm.default"), "{text}");
    let text = shown("multi_method_forward.etrecord", &[]);
    assert!(text.contains("method forward_x3: "), "{text}");
    let document: Value =
        serde_json::from_str(&shown("xnn_cnn.etrecord", &["--format", "json"])).unwrap();
    let instruction = &document["methods"][0]["instructions"][0];
    assert_eq!(instruction["delegate"]["name"], "XnnpackBackend", "{instruction}");
}

/// The payload of the first delegate of a model, which lies in its first segment
/// or in the FlatBuffer.
fn payload(name: &str) -> Vec<u8> {
    let bytes = std::fs::read(model(name).join("model.pte")).unwrap();
    let file = et_schema::pte::File::parse(&bytes).unwrap();
    let method = file.methods().next().unwrap();
    method.delegates().next().unwrap().payload(&file).unwrap().to_vec()
}

#[test]
fn payloads_are_shown_without_their_program() {
    for name in ["xnn_cnn", "u55_linear"] {
        let alone = String::from_utf8(show_bytes(&payload(name), &["--all"]).stdout).unwrap();
        let (heading, lines) = alone.split_once('\n').expect("a heading");
        let whole = text(name, &["--all"]);
        let heading = heading.strip_prefix("-: ").expect("the file's name");
        assert!(whole.contains(&format!("  delegate 0: {heading}\n{lines}")), "{alone}\n{whole}");
    }
    let document = show_bytes(&payload("u55_linear"), &["--format", "json"]).stdout;
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(document["format"], "delegate payload");
    // Cut anywhere, it is refused or shown in part.
    let whole = payload("xnn_cnn");
    for cut in (0..whole.len()).step_by(97) {
        assert!(matches!(show_bytes(&whole[..cut], &[]).status.code(), Some(0 | 2)), "{cut}");
    }
}
