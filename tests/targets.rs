//! `etinspect targets`, and programs on boards.

mod support;

use serde_json::Value;
use std::fs;
use support::{etinspect, fixture, message, model};

/// A board whose pools have 1,024 bytes, as that of the user report.
fn small_board(folder: &tempfile::TempDir) -> String {
    let path = folder.path().join("small.toml");
    let text = r#"
name = "small"
title = "A board with pools of 1,024 bytes"
core = "Cortex-M0+"
abi = "arm32"
source = "the user report"

[[memory]]
name = "SRAM"
kind = "sram"
size = "16K"
source = "the user report"

[pools]
method = { memory = "SRAM", size = 1024 }
temp = { memory = "SRAM", size = 1024 }
"#;
    fs::write(&path, text).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

fn memory(model: &std::path::Path, target: &str) -> (Option<i32>, Value) {
    let model = model.to_str().expect("UTF-8");
    let ran = etinspect(["memory", model, "--target", target, "--format", "json"]);
    (ran.status, serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e} {}", ran.stderr)))
}

#[test]
fn every_board_is_listed_and_shown_with_its_sources() {
    let ran = etinspect(["targets", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(document["schema"], "etinspect.targets/1");
    let targets = document["targets"].as_array().expect("a list");
    assert!(targets.len() >= 20, "{}", targets.len());
    for target in targets {
        let name = target["name"].as_str().expect("a name");
        let ran = etinspect(["targets", name]);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        for memory in target["memories"].as_array().expect("a list") {
            let source = memory["source"].as_str().expect("a source");
            let start: String = source.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            assert!(ran.stdout.contains(&start), "{name}: no {start:?} in {}", ran.stdout);
        }
    }
}

#[test]
fn every_memory_of_a_board_has_a_speed_or_a_limit_of_it_with_its_source() {
    let ran = etinspect(["targets", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let (mut known, mut limited) = (0, 0);
    for target in document["targets"].as_array().expect("a list") {
        let name = target["name"].as_str().expect("a name");
        let note = target["note"].as_str().unwrap_or("");
        let why = "No source found for the core clock";
        assert_eq!(target["clock_mhz"].is_null(), note.contains(why), "{name}: {note}");
        let page = etinspect(["targets", name]).stdout;
        for memory in target["memories"].as_array().expect("a list") {
            let place = format!("{name}, {}", memory["name"]);
            let source = memory["speed_source"].as_str().unwrap_or_else(|| panic!("{place}"));
            assert!(page.contains(&format!("speed: {source}")), "{place}: {page}");
            let speeds = [&memory["clock_mhz"], &memory["bandwidth_mb_s"]];
            let none = speeds.iter().all(|speed| speed.is_null());
            let limit = memory["bandwidth_at_most_mb_s"].as_u64();
            assert_eq!(none, limit.is_some(), "{place}: {memory}");
            let says_limit = source.starts_with("at most what the core moves")
                && source.contains("no source found of its own speed: ");
            assert_eq!(none, says_limit, "{place}: {source}");
            if let Some(mb) = limit {
                assert!(page.contains(&format!(" at most {mb} MB/s")), "{place}: {page}");
                // Buses of four or eight bytes.
                let mhz = target["clock_mhz"].as_u64().expect("the core's clock");
                assert!(mb == 4 * mhz || mb == 8 * mhz, "{place}: {mb} MB/s at {mhz} MHz");
            }
            // Nothing moves more than 16 bytes per cycle of its clock.
            if let [Some(mhz), Some(mb)] = speeds.map(Value::as_u64) {
                assert!(0 < mb && mb <= 16 * mhz, "{place}: {mb} MB/s at {mhz} MHz");
            }
            (known, limited) = (known + usize::from(!none), limited + usize::from(none));
        }
    }
    assert!(known >= 81 && limited <= 8, "{known} memories with a speed, {limited} with a limit");
}

#[test]
fn clocks_and_bandwidths_of_a_board_stand_below_each_other() {
    let page = etinspect(["targets", "nucleo-h743zi"]).stdout;
    let rows: Vec<&str> = page
        .lines()
        .skip_while(|line| !line.trim_start().starts_with("memory "))
        .take_while(|line| !line.is_empty())
        .collect();
    assert_eq!(rows.len(), 8, "{page}");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{page}");
    assert!(rows[0].ends_with(" bandwidth") && rows[6].ends_with(" 480 MHz  3840 MB/s"), "{page}");
    // One column for all rows, whatever a row lacks.
    let page = etinspect(["targets", "corstone-300"]).stdout;
    let row = |name: &str| page.lines().find(|line| line.trim_start().starts_with(name));
    let (itcm, sram) = (row("ITCM ").expect("ITCM"), row("SRAM ").expect("SRAM"));
    assert!(itcm.ends_with(" 32 MHz") && sram.ends_with(" 4000 MB/s"), "{page}");
    assert!(itcm.len() < sram.len(), "{page}");
}

#[test]
fn template_is_a_profile_that_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let ran = etinspect(["targets", "--template", "-o", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let (status, document) = memory(&model("softmax"), path.to_str().expect("UTF-8"));
    assert_eq!(status, Some(0));
    assert_eq!(document["target"], "my-board");
    assert_eq!(document["methods"][0]["fit"]["fits"], true);
}

#[test]
fn mistakes_in_a_profile_are_told_with_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = small_board(&folder);
    let text = fs::read_to_string(&path).expect("the file");
    fs::write(&path, text.replace("kind = \"sram\"", "kind = \"ram\"")).expect("a file");
    let ran = etinspect(["targets", &path]);
    assert_eq!(ran.status, Some(2));
    let message = message(&ran);
    assert!(message.starts_with(&format!("{path}: line 10: ")), "{message}");
    assert!(message.contains("sram"), "{message}");
    let ran = etinspect(["targets", "stm32h743"]);
    assert_eq!(ran.status, Some(2));
    let ran = etinspect(["memory", model("add").to_str().expect("UTF-8"), "--target", "alif-e9"]);
    assert!(ran.stderr.contains("alif-e8"), "{}", ran.stderr);
}

#[test]
fn the_reported_board_is_too_small_for_the_quantized_mobilenet() {
    let folder = tempfile::tempdir().expect("a folder");
    let board = small_board(&folder);
    let (status, document) = memory(&model("mv2_w010_q"), &board);
    assert_eq!(status, Some(1), "it does not fit");
    let method = &document["methods"][0];
    assert_eq!(method["fit"]["fits"], false);
    let codes: Vec<&str> = document["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|f| f["code"].as_str())
        .collect();
    assert!(codes.contains(&"ETM001") && codes.contains(&"ETM005"), "{codes:?}");
    let needed = method["settings"]["method_pool_with_planned_bytes"].as_u64().expect("bytes");
    assert_eq!(needed, 1_154_688 + 97_260 + 20, "planned, loaded, inputs");
    let options = method["settings"]["arm_runner"].as_str().expect("options");
    assert!(options.contains("METHOD_ALLOCATOR_POOL_SIZE=0x131a80"), "{options}");

    let (status, document) = memory(&fixture("user_report/softmax_dim0_2x2.pte"), &board);
    assert_eq!(status, Some(0));
    assert_eq!(document["methods"][0]["fit"]["fits"], true);
}

#[test]
fn a_run_has_the_pools_of_its_target() {
    let folder = tempfile::tempdir().expect("a folder");
    let board = small_board(&folder);
    let softmax = model("softmax");
    let ran = etinspect(["run", softmax.to_str().expect("UTF-8"), "--target", &board]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("200 B"), "counted as on 32-bit Arm: {}", ran.stdout);
    let mobilenet = model("mv2_w010_q");
    let ran = etinspect(["run", mobilenet.to_str().expect("UTF-8"), "--target", &board]);
    assert_eq!(ran.status, Some(4));
    assert!(ran.stderr.contains("1154688B requested"), "{}", ran.stderr);
    assert!(ran.stdout.contains("ETM001"), "{}", ran.stdout);
}

#[test]
fn scratch_of_the_npu_counts_for_the_temp_pool() {
    let path = model("u55_mv2_w010");
    let (_, document) = memory(&path, "corstone-300");
    let method = &document["methods"][0];
    let scratch = method["delegates"][0]["scratch_bytes"].as_u64().expect("known");
    assert!(scratch > 10_000, "{scratch}");
    assert_eq!(method["settings"]["temp_pool_bytes"], scratch);
}

/// A board with one pool of `bytes` for planned buffers, method and inputs.
fn board_of(folder: &tempfile::TempDir, bytes: u64) -> String {
    let path = folder.path().join(format!("board_{bytes}.toml"));
    let text = format!(
        "name = \"board\"\ntitle = \"Board\"\ncore = \"Cortex-M4\"\nabi = \"arm32\"\n\
         source = \"its log\"\n[[memory]]\nname = \"SRAM\"\nkind = \"sram\"\nsize = \"2M\"\n\
         source = \"its log\"\n[pools]\nmethod = {{ memory = \"SRAM\", size = {bytes} }}\n\
         temp = {{ memory = \"SRAM\", size = 140 }}\n"
    );
    std::fs::write(&path, text).expect("a board");
    path.to_string_lossy().into_owned()
}

#[test]
fn the_settings_run_and_one_byte_less_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let softmax = model("softmax");
    let softmax = softmax.to_str().expect("UTF-8");
    let needs = 32 + 200 + 16;
    for (bytes, runs) in [(needs, true), (needs - 1, false), (needs - 17, false)] {
        let board = board_of(&folder, bytes);
        let ran = etinspect(["run", softmax, "--target", &board]);
        assert_eq!(ran.status, Some(if runs { 0 } else { 4 }), "{bytes}: {}", ran.stderr);
        let (status, document) = memory(&model("softmax"), &board);
        assert_eq!(status, Some(if runs { 0 } else { 1 }), "{bytes}");
        assert_eq!(document["methods"][0]["fit"]["fits"], runs, "{bytes}");
        assert_eq!(ran.stdout.contains("ETM001"), !runs, "{}", ran.stdout);
    }
}

#[test]
fn what_makes_it_fit_was_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    // A board that has room, but small pools.
    let (_, document) = memory(&model("linear"), &board_of(&folder, 600));
    let remedies = document["methods"][0]["fit"]["remedies"].as_array().expect("a list").clone();
    assert_eq!(remedies[0]["change"], "sizes");
    // Portenta H7: 512 KiB on the chip, and SDRAM beside it.
    let (status, document) = memory(&model("mv2_w010_q"), "arduino-portenta-h7");
    assert_eq!(status, Some(1));
    let remedies = document["methods"][0]["fit"]["remedies"].as_array().expect("a list").clone();
    assert_eq!(remedies[0]["places"]["planned"], "SDRAM");
    assert_eq!(remedies[0]["places"]["method"], "AXI_SRAM");
    let changes: Vec<&str> = remedies.iter().filter_map(|r| r["change"].as_str()).collect();
    assert_eq!(changes, ["places", "int8", "tile"]);
    // With the profile that it names, it fits, with as much left.
    let ran = etinspect(["targets", "arduino-portenta-h7", "--format", "json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let text = include_str!("../targets/arduino-portenta-h7.toml")
        .replace("[pools]", "[pools]\nplanned = { memory = \"SDRAM\" }");
    let path = folder.path().join("moved.toml");
    std::fs::write(&path, text).expect("a board");
    let (status, document) = memory(&model("mv2_w010_q"), path.to_str().expect("UTF-8"));
    assert_eq!(status, Some(0), "{document}");
    let memories = document["methods"][0]["fit"]["memories"].as_array().expect("a list").clone();
    let free = memories
        .iter()
        .filter(|m| m["used_bytes"] != 0)
        .map(|m| m["size_bytes"].as_u64().unwrap_or(0) - m["used_bytes"].as_u64().unwrap_or(0));
    assert_eq!(remedies[0]["free_bytes"], free.min().expect("a memory"));
}

#[test]
fn a_divided_buffer_lies_in_two_memories_of_the_board() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("two.toml");
    let memory_of = |name: &str, kind: &str, size: &str| {
        format!(
            "[[memory]]\nname = \"{name}\"\nkind = \"{kind}\"\nsize = \"{size}\"\nsource = \"x\"\n"
        )
    };
    let text = format!(
        "name = \"two\"\ntitle = \"Two memories\"\ncore = \"Cortex-M7\"\nabi = \"arm32\"\n\
         source = \"x\"\n{}{}{}[pools]\nmethod = {{ memory = \"SRAM\" }}\ntemp = {{ memory = \"SRAM\" }}\n",
        memory_of("SRAM", "sram", "800K"),
        memory_of("SRAM2", "sram", "640K"),
        memory_of("DTCM", "tcm", "64K"),
    );
    std::fs::write(&path, text).expect("a board");
    let (status, document) = memory(&model("mv2_w010_q"), path.to_str().expect("UTF-8"));
    assert_eq!(status, Some(1));
    let remedies = document["methods"][0]["fit"]["remedies"].as_array().expect("a list").clone();
    let split = remedies.iter().find(|r| r["change"] == "split").expect("a divided buffer");
    let title = split["title"].as_str().expect("a text");
    assert!(title.contains("575104 and 579584 bytes"), "{title}");
    assert!(title.ends_with(", the second in SRAM2"), "{title}");
    // 640 KiB with the second part; 800 KiB with the first, the method and its inputs.
    let second = 640 * 1024 - 579_584;
    let first = 800 * 1024 - (575_104 + 97_260 + 4 + 16 + 308);
    assert!(second < first);
    assert_eq!(split["free_bytes"], second);
}
