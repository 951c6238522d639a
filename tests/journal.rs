//! `run --journal`, `run --timeout` and `recover`, as a user runs them.

#![cfg(unix)]

mod support;

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::etinspect;

fn model(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    fixtures.join(name).join("model.pte")
}

fn json(args: &[&OsStr]) -> (Option<i32>, Value) {
    let format = [OsStr::new("--format"), OsStr::new("json")];
    let ran = etinspect(args.iter().chain(&format).copied());
    let document = serde_json::from_str(&ran.stdout);
    (ran.status, document.unwrap_or_else(|e| panic!("{e}: {}\n{}", ran.stdout, ran.stderr)))
}

#[test]
fn a_journal_holds_the_run_and_becomes_its_trace() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (journal, trace) = (folder.path().join("run.etj"), folder.path().join("run.etdp"));
    let ran = etinspect([
        OsStr::new("run"),
        model("lstm").as_os_str(),
        OsStr::new("--journal"),
        journal.as_os_str(),
        OsStr::new("--etdump"),
        trace.as_os_str(),
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let out = folder.path().join("out");
    let (status, found) = json(&[
        OsStr::new("recover"),
        journal.as_os_str(),
        OsStr::new("--output-dir"),
        out.as_os_str(),
    ]);
    assert_eq!(status, Some(0));
    assert_eq!(found["schema"], "etinspect.recover/1");
    assert_eq!(found["journals"][0]["trace"]["unfinished"], 0);
    // The same clock readings, so the same trace to the byte.
    assert!(fs::read(out.join("run.etdp")).expect("a trace") == fs::read(&trace).expect("a trace"));
}

#[test]
fn a_process_that_is_killed_leaves_its_instruction() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = model("mv2_w010");
    for (round, wait) in [30, 70, 110, 180].into_iter().enumerate() {
        let journal = folder.path().join(format!("run{round}.etj"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_etinspect"))
            .arg("run")
            .arg(&path)
            .args(["--iterations", "1000000", "--journal"])
            .arg(&journal)
            .stdout(Stdio::null())
            .spawn()
            .expect("the program");
        // Until the method executes, there is no instruction to be in.
        let executes =
            || fs::read(&journal).is_ok_and(|b| b.get(52..56).is_some_and(|w| w != [0; 4]));
        while !executes() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().expect("a running child");
        child.wait().expect("an end");
        let (_, found) = json(&[
            OsStr::new("diagnose"),
            path.as_os_str(),
            OsStr::new("--journal"),
            journal.as_os_str(),
        ]);
        let sentence = found["verdict"]["sentence"].as_str().expect("a sentence");
        if found["findings"].as_array().is_some_and(Vec::is_empty) {
            // Killed between two executions: nothing had begun that did not end.
            assert!(sentence.contains("came to"), "{found:#}");
        } else {
            assert_eq!(found["findings"][0]["code"], "ETH001", "{found:#}");
            // It may be killed between two instructions.
            assert!(sentence.contains("instruction"), "{sentence}");
        }
        let (_, recovered) =
            json(&[OsStr::new("recover"), journal.as_os_str(), OsStr::new("--list")]);
        let records = &recovered["journals"][0]["records"];
        assert_eq!(records["corrupt"], 0, "{records}");
        assert!(records["torn"].as_u64().is_some_and(|torn| torn <= 1), "{records}");
    }
}

#[test]
fn a_run_past_its_timeout_is_stopped_and_told() {
    let path = model("mv2_w010");
    let (status, found) = json(&[
        OsStr::new("run"),
        path.as_os_str(),
        OsStr::new("--iterations"),
        OsStr::new("1000000"),
        OsStr::new("--timeout"),
        OsStr::new("1.5"),
    ]);
    assert_eq!(status, Some(3));
    assert_eq!(found["error"]["name"], "Timeout");
    assert_eq!(found["findings"][0]["code"], "ETH001");
    assert_eq!(found["findings"][0]["evidence"]["progress"], "true");
    assert!(found["allocators"].as_array().is_some_and(|a| a.len() == 3), "{found:#}");
}

/// A child that is killed from outside, as by a system without memory.
#[test]
fn a_supervised_process_that_is_killed_is_told_with_its_instruction() {
    if !Path::new("/proc/self/task").exists() {
        return; // the child's number is looked up there
    }
    let path = model("mv2_w010");
    let parent = Command::new(env!("CARGO_BIN_EXE_etinspect"))
        .arg("run")
        .arg(&path)
        .args(["--iterations", "1000000", "--timeout", "60", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let list = format!("/proc/{0}/task/{0}/children", parent.id());
    let child = (0..5000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(2));
        let text = fs::read_to_string(&list).unwrap_or_default();
        text.split_whitespace().next().map(str::to_owned)
    });
    let child = child.expect("a child process");
    std::thread::sleep(Duration::from_millis(700));
    let killed = Command::new("kill").args(["-9", &child]).status().expect("kill");
    assert!(killed.success());
    let output = parent.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(4));
    let found: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(found["error"]["name"], "Crash");
    let message = found["error"]["message"].as_str().expect("a message");
    assert!(message.contains("signal 9"), "{message}");
}

/// `/dev/full` is a disk without room.
#[test]
fn a_full_disk_and_a_reader_that_leaves_are_survived() {
    let path = model("softmax");
    let program = || Command::new(env!("CARGO_BIN_EXE_etinspect"));
    if Path::new("/dev/full").exists() {
        for option in [["--etdump", "/dev/full"], ["--journal", "/dev/full"], ["-o", "/dev/full"]] {
            let ran = program().arg("run").arg(&path).args(option).output().expect("the program");
            let message = String::from_utf8_lossy(&ran.stderr);
            assert_eq!(ran.status.code(), Some(2), "{option:?}: {message}");
            assert!(message.contains("/dev/full"), "{message}");
        }
    }
    for timeout in [&[][..], &["--timeout", "60"]] {
        let mut child = program()
            .args(["run", "--iterations", "20"])
            .arg(&path)
            .args(timeout)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("an end");
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{message}");
        assert!(message.is_empty(), "{message}");
    }
}

#[test]
fn a_run_within_its_timeout_is_as_without_one() {
    let path = model("softmax");
    let ran = |extra: &[&str]| {
        let mut args = vec![OsStr::new("run"), path.as_os_str()];
        args.extend(extra.iter().map(OsStr::new));
        etinspect(args)
    };
    let with = ran(&["--timeout=60", "--method-pool", "16"]);
    assert_eq!(with.status, Some(4), "{}", with.stderr);
    assert_eq!(ran(&["--timeout", "60"]).status, Some(0));
    assert_eq!(ran(&["--timeout", "0"]).status, Some(2));
}

#[test]
fn a_dump_without_a_journal_says_so() {
    let (status, found) =
        json(&[OsStr::new("recover"), model("softmax").as_os_str(), OsStr::new("--list")]);
    assert_eq!(status, Some(1));
    assert_eq!(found["journals"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_capture_of_a_console_gives_its_trace() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces");
    let trace = fs::read(fixtures.join("add_mul__it3.etdp")).expect("a trace");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let uart = folder.path().join("uart.txt");
    let coded = base64(&trace);
    let text = format!(
        "I [executorch:arm_executor_runner.cpp:1] [base64] buffer size: 9\r\n#[RUN THIS]\r\n\
         echo \"{coded}\" | base64 -d >etdump.bin\r\n#[END]\r\n"
    );
    fs::write(&uart, text).expect("a capture");
    let (status, found) = json(&[
        OsStr::new("recover"),
        uart.as_os_str(),
        OsStr::new("--output-dir"),
        folder.path().as_os_str(),
    ]);
    assert_eq!(status, Some(0), "{found:#}");
    assert_eq!(found["traces"][0]["place"]["name"], "etdump.bin");
    assert!(fs::read(folder.path().join("uart.etdp")).expect("a trace") == trace);
}

/// As `base64` of a shell.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = word >> (18 - 6 * digit) & 63;
            text.push(if digit > chunk.len() { '=' } else { DIGITS[value as usize] as char });
        }
    }
    text
}

#[test]
fn a_pool_too_small_for_the_planned_buffers_is_in_the_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("run.etj");
    let program = model("mv2_w010_q");
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let (program, journal) = (text(&program), text(&journal));
    let pools = ["--planned-pool", "1024", "--method-pool", "1024", "--abi", "arm32"];
    let ran = etinspect(["run", &program, "--journal", &journal].iter().chain(&pools));
    assert_eq!(ran.status, Some(4), "{}", ran.stderr);
    let said = etinspect(["diagnose", &program, "--dump", &journal]);
    assert!(said.stdout.contains("1024 bytes, the program needs 1154688"), "{}", said.stdout);
    assert!(said.stdout.contains("MemoryAllocationFailed (0x21)"), "{}", said.stdout);
}

#[test]
fn a_trace_at_the_end_of_a_dump_may_be_cut_off() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces");
    let whole = fs::read(fixtures.join("lstm__it1_dbg.etdp")).expect("a fixture");
    let dump = folder.path().join("ram.bin");
    let half = &whole[..whole.len() / 2];
    fs::write(&dump, [&[0x5a; 1000], half].concat()).expect("a dump");
    let arguments = [
        OsStr::new("recover"),
        dump.as_os_str(),
        OsStr::new("--output-dir"),
        folder.path().as_os_str(),
    ];
    let (status, found) = json(&arguments);
    assert_eq!(status, Some(0));
    assert_eq!(found["traces"][0]["bytes"], half.len());
    assert_eq!(found["traces"][0]["expected_bytes"], whole.len());
    let page = etinspect(arguments).stdout;
    assert!(page.contains("the dump ends in it"), "{page}");
    assert!(fs::read(folder.path().join("ram.etdp")).expect("the trace") == half);
}
