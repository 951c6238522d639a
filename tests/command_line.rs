//! What holds for every command: help, usage errors, where results go.

mod support;

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::process::Stdio;
use support::{command, etinspect, model};

/// The commands that the program's own help lists.
fn commands() -> Vec<String> {
    let help = etinspect(["--help"]).stdout;
    let list = help.split_once("Commands:\n").expect("a list of commands").1;
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter(|line| !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().expect("a name").to_owned()).collect()
}

#[test]
fn every_command_has_help_with_examples() {
    let commands = commands();
    assert!(commands.contains(&"run".to_owned()), "{commands:?}");
    for name in commands.iter().filter(|name| *name != "help") {
        let ran = etinspect([name, "--help"]);
        assert_eq!(ran.status, Some(0), "{name}");
        assert_eq!(ran.stderr, "", "{name}");
        assert!(ran.stdout.contains("Examples:\n"), "{name} --help has no examples");
        assert!(ran.stdout.contains(&format!("etinspect {name}")), "{name} --help");
        let widest = ran.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{name} --help is {widest:?} columns wide");
    }
}

#[test]
fn a_mistyped_command_is_corrected() {
    let ran = etinspect(["evnts", "trace.etdp"]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("'events'"), "{}", ran.stderr);
}

#[test]
fn a_mistyped_option_is_corrected() {
    let ran = etinspect(["run", "model.pte", "--iteratoins", "3"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("'--iterations'"), "{}", ran.stderr);
}

#[test]
fn no_arguments_print_the_help_and_fail() {
    let ran = etinspect::<_, &str>([]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("Commands:"), "{}", ran.stderr);
}

#[test]
fn the_version_is_that_of_the_package() {
    let ran = etinspect(["--version"]);
    assert_eq!(ran.status, Some(0));
    assert_eq!(ran.stdout, format!("etinspect {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_size_that_is_none_is_explained() {
    let ran = etinspect(["run", "model.pte", "--method-pool", "12 parsecs"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("64K or 1.5MiB"), "{}", ran.stderr);
}

#[test]
fn a_result_goes_to_the_file_that_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.json");
    let model = model("softmax");
    let args = ["run", model.to_str().expect("UTF-8"), "--format", "json"];
    let on_screen = etinspect(args);
    assert_eq!(on_screen.status, Some(0), "{}", on_screen.stderr);
    let ran = etinspect(args.into_iter().chain(["-o", path.to_str().expect("UTF-8")]));
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""));
    let document: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).expect("the result")).expect("JSON");
    assert_eq!(document["schema"], "etinspect.run/1");
    let names: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_failing_command_leaves_the_old_result_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.json");
    fs::write(&path, "old").expect("a writable folder");
    let ran = etinspect(["run", "missing.pte", "-o", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.status, Some(2));
    assert_eq!(fs::read_to_string(&path).expect("the old result"), "old");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("no/such/folder/result.txt");
    let model = model("softmax");
    let ran =
        etinspect(["run", model.to_str().expect("UTF-8"), "-o", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.status, Some(2));
    let line = format!("etinspect: error: cannot write {}: ", path.display());
    assert!(ran.stderr.starts_with(&line), "{}", ran.stderr);
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let model = model("softmax");
    let run = |args: &[&str]| {
        let mut command = command();
        command.args(["run", model.to_str().expect("UTF-8")]).args(args);
        support::Ran::from(command.output().expect("a run")).stdout
    };
    assert!(!run(&[]).contains('\u{1b}'));
    assert!(!run(&["--color", "never"]).contains('\u{1b}'));
    assert!(!run(&["--color", "always", "--format", "json"]).contains('\u{1b}'));
}

#[test]
fn help_and_wrong_usage_have_the_colours_that_are_asked_for() {
    for arguments in [&["memory", "--help"][..], &["memry"]] {
        let with = |colours: &[&str]| {
            let ran = etinspect(arguments.iter().chain(colours));
            (ran.stdout + &ran.stderr).contains('\x1b')
        };
        assert!(with(&["--color", "always"]), "{arguments:?}");
        assert!(with(&["--color=always"]), "{arguments:?}");
        assert!(!with(&["--color=always", "--color", "never"]), "{arguments:?}");
        assert!(!with(&[]), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = command()
        .arg("run")
        .arg(model("softmax"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
    assert_eq!(child.wait().expect("an exit").code(), Some(0));
    assert_eq!(stderr, "");
}

#[test]
fn a_guarded_run_of_a_sound_program_finds_nothing() {
    let ran =
        etinspect([OsStr::new("run"), model("mlp_stacktrace").as_os_str(), OsStr::new("--guard")]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("Guard: nothing found"), "{}", ran.stdout);
}

#[test]
fn threads_do_not_change_the_numbers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = |threads: &str| {
        let dir = folder.path().join(threads);
        let ran = etinspect([
            OsStr::new("run"),
            model("mv2_w010").as_os_str(),
            OsStr::new("--threads"),
            OsStr::new(threads),
            OsStr::new("--output-dir"),
            dir.as_os_str(),
        ]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        fs::read(dir.join("output_0.npy")).expect("an output")
    };
    assert!(output("1") == output("3"));
}

/// As for rounding after each step, instructions that run together and one by one,
/// on one thread and on several, give the same numbers.
#[test]
fn fused_multiply_add_goes_with_other_options() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = |name: &str, options: &[&str]| {
        let (dir, trace) = (folder.path().join(name), folder.path().join("trace.etdp"));
        let mut args = vec![OsStr::new("run"), OsStr::new("--output-dir"), dir.as_os_str()];
        let model = model("mv2_w010");
        args.extend([model.as_os_str(), OsStr::new("--etdump"), trace.as_os_str()]);
        args.extend(options.iter().map(OsStr::new));
        let ran = etinspect(args);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        fs::read(dir.join("output_0.npy")).expect("an output")
    };
    let exact = output("exact", &["--threads", "1"]);
    let fused = output("fused", &["--fused-multiply-add", "--threads", "1"]);
    assert!(output("threads", &["--fused-multiply-add", "--threads", "3"]) == fused);
    assert!(output("guard", &["--fused-multiply-add", "--guard"]) == fused);
    assert!(output("guard exact", &["--guard"]) == exact);
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        assert!(fused != exact);
    }
}

#[test]
fn an_execution_ends_at_the_limit_of_instructions() {
    let ran = etinspect([
        OsStr::new("run"),
        model("lstm").as_os_str(),
        OsStr::new("--max-instructions"),
        OsStr::new("5"),
    ]);
    assert_eq!(ran.status, Some(4), "{}", ran.stderr);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("ETR006") && said.contains("after 5 instructions"), "{said}");
}

/// A command whose input takes `seconds`, and whose standard error is a terminal;
/// what came on the terminal. Nothing where there is no `script`.
#[cfg(target_os = "linux")]
fn on_a_terminal(seconds: &str, options: &str) -> Option<String> {
    let (program, model) = (env!("CARGO_BIN_EXE_etinspect"), model("add"));
    let model = model.display();
    let line =
        format!("(sleep {seconds}; cat '{model}') | '{program}' {options} show - -o /dev/null");
    let mut script = std::process::Command::new("script");
    let ran = script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output();
    let ran = ran.ok().or_else(|| {
        eprintln!("skipped: no script");
        None
    })?;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    Some(String::from_utf8_lossy(&ran.stdout).into_owned())
}

#[test]
#[cfg(target_os = "linux")]
fn progress_is_shown_after_a_second_and_taken_away() {
    let Some(seen) = on_a_terminal("1.7", "") else { return };
    assert!(seen.contains("show 1s"), "{seen:?}");
    assert!(seen.trim_end_matches(['\r', '\n']).ends_with("\u{1b}[2K"), "{seen:?}");
    assert_eq!(on_a_terminal("1.7", "--quiet").as_deref(), Some(""));
    assert_eq!(on_a_terminal("0", "").as_deref(), Some(""));
}
