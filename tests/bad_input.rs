//! Files that are none of what a command reads: one clear message, exit
//! status 2, and no memory or time worth speaking of.

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::{command, etinspect, fixture, message, model};

/// Commands that read a file, with what makes them do so.
const READERS: [&[&str]; 3] = [&["run"], &["events"], &["show"]];

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a writable folder");
    path
}

/// Runs every reader on `path`; the message of each names the file and has `part`.
#[track_caller]
fn refused(path: &Path, part: &str) {
    for reader in READERS {
        let start = Instant::now();
        let ran = etinspect(reader.iter().map(Path::new).chain([path]));
        assert_eq!(ran.status, Some(2), "{reader:?}: {}", ran.stderr);
        let message = message(&ran);
        assert!(message.starts_with(&format!("{}: ", path.display())), "{reader:?}: {message}");
        assert!(message.contains(part), "{reader:?}: no {part:?} in {message}");
        assert!(start.elapsed() < Duration::from_secs(10), "took {:?}", start.elapsed());
    }
}

#[test]
fn a_missing_file_is_reported() {
    refused(&folder().path().join("missing.pte"), "no such file");
}

#[test]
fn a_folder_is_reported() {
    refused(folder().path(), "is a directory");
}

#[test]
fn an_empty_file_is_reported() {
    let folder = folder();
    refused(&write(folder.path(), "empty.pte", b""), "the file is empty");
}

#[test]
fn a_file_of_one_byte_is_reported() {
    let folder = folder();
    refused(&write(folder.path(), "one.pte", b"\x1c"), "found 1 byte");
}

#[test]
fn a_picture_is_reported() {
    let folder = folder();
    let jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9";
    refused(&write(folder.path(), "cat.pte", jpeg), "expected file identifier");
}

#[test]
fn a_sparse_file_of_3_gib_costs_nothing() {
    let folder = folder();
    let path = folder.path().join("sparse.pte");
    File::create(&path).and_then(|file| file.set_len(3 << 30)).expect("a sparse file");
    refused(&path, "expected file identifier");
}

/// The header claims what the file has not.
#[test]
fn a_program_that_goes_on_for_3_gib_of_nothing_is_read() {
    let folder = folder();
    let path = write(folder.path(), "long.pte", &fs::read(model("softmax")).expect("a fixture"));
    let file = File::options().write(true).open(&path).expect("a file");
    file.set_len(3 << 30).expect("a sparse file");
    let ran = etinspect([Path::new("run"), &path]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
}

#[test]
fn a_truncated_program_is_reported_with_both_sizes() {
    let folder = folder();
    let bytes = fs::read(model("linear")).expect("a fixture");
    let path = write(folder.path(), "cut.pte", &bytes[..1500]);
    let ran = etinspect([Path::new("run"), &path]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(
        message(&ran),
        format!(
            "{}: not a readable ExecuTorch program (.pte): at byte 32: expected 60 bytes of \
             segments at 1536, found a file of 1500 bytes (truncated?)",
            path.display()
        )
    );
}

#[test]
fn a_file_of_another_format_is_named() {
    let ran = etinspect([Path::new("run"), &fixture("traces/linear__it3.etdp")]);
    assert_eq!(ran.status, Some(2));
    assert!(message(&ran).contains("expected file identifier \"ET12\""), "{}", ran.stderr);
    let ran = etinspect([Path::new("events"), &model("linear")]);
    assert_eq!(ran.status, Some(2));
    assert!(
        message(&ran).ends_with("of another format: ExecuTorch program (.pte)"),
        "{}",
        ran.stderr
    );
}

/// Names come from the command line, and messages go to a terminal.
#[test]
fn terminal_escapes_in_a_name_are_not_printed() {
    let ran = etinspect(["run", "evil\u{1b}[2Jname.pte"]);
    assert_eq!(ran.status, Some(2));
    assert!(message(&ran).starts_with("evil\\u{1b}[2Jname.pte: "));
}

#[test]
fn standard_input_that_is_a_file_is_mapped() {
    let folder = folder();
    let path = folder.path().join("sparse.pte");
    File::create(&path).and_then(|file| file.set_len(3 << 30)).expect("a sparse file");
    let start = Instant::now();
    let input = File::open(&path).expect("a file");
    let ran = command().args(["run", "-"]).stdin(input).output().expect("a run").into();
    assert!(message(&ran).starts_with("-: not a readable"), "{}", ran.stderr);
    assert!(start.elapsed() < Duration::from_secs(10), "took {:?}", start.elapsed());
}
