//! `etinspect targets`: the boards that `--target` knows.

use crate::cli::Global;
use crate::failure::{Failure, Status};
use crate::text::{bytes, escape};
use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use et_inspector::target::{BUILTIN, Memory, TEMPLATE, Target};
use serde_json::{Value, json};
use std::fmt::Write;

/// List the boards that --target knows, or show one in full
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  All boards:
    etinspect targets

  One board, or a file of your own, which is checked:
    etinspect targets stm32n6570-dk
    etinspect targets my-board.toml

  A file to start from:
    etinspect targets --template > my-board.toml")]
pub struct TargetsArgs {
    /// Board to show, by name or as a file [default: list all]
    #[arg(value_name = "NAME|FILE.toml")]
    name: Option<String>,

    /// Print a profile to start from
    #[arg(long, conflicts_with_all = ["name", "format"])]
    template: bool,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// `etinspect.targets/1`
    Json,
}

/// Runs the command.
pub fn run(args: &TargetsArgs, global: &Global) -> Result<Status, Failure> {
    let targets = match &args.name {
        Some(name) => vec![crate::target::open(name)?],
        None => BUILTIN.iter().filter_map(|(_, text)| Target::parse(text).ok()).collect(),
    };
    let mut output = global.open_output()?;
    if args.template {
        output.text(TEMPLATE)?;
    } else if args.format == Format::Json {
        let list: Vec<Value> = targets.iter().map(target_json).collect();
        let document = json!({ "schema": "etinspect.targets/1", "targets": list });
        output.text(&format!("{document:#}\n"))?;
    } else if args.name.is_some() {
        output.text(&page(&targets[0]))?;
    } else {
        output.text(&list(&targets))?;
    }
    output.finish()?;
    Ok(Status::Done)
}

fn list(targets: &[Target]) -> String {
    let mut table = table(&["name", "core", "method pool in", "board"]);
    for target in targets {
        let pool = target.memory(&target.pools.method.memory);
        let place = pool.map_or_else(String::new, |m| format!("{} {}", m.name, bytes(m.size)));
        table.add_row([target.name.clone(), target.core.clone(), place, target.title.clone()]);
    }
    lines(&table)
}

fn page(target: &Target) -> String {
    let mut text = format!("{}  {}\n\n", escape(&target.name), escape(&target.title));
    let clock = target.clock_mhz.map_or_else(String::new, |mhz| format!(" at {mhz} MHz"));
    let _ = writeln!(text, "  core    {}{clock}, {}", escape(&target.core), target.abi.name());
    if let Some(npu) = &target.npu {
        let _ = writeln!(text, "  NPU     {}", escape(npu));
    }
    let _ = writeln!(text, "  source  {}", escape(&target.source));
    if let Some(note) = &target.note {
        let _ = writeln!(text, "  note    {}", escape(note));
    }
    let header = ["memory", "kind", "size", "reserved", "address", "clock", "bandwidth"];
    let mut memories = table(&header);
    for column in memories.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for memory in &target.memories {
        memories.add_row([
            escape(&memory.name),
            memory.kind.name().to_owned(),
            bytes(memory.size),
            bytes(memory.reserved),
            memory.address.map_or_else(String::new, |at| format!("{at:#x}")),
            memory.clock_mhz.map_or_else(String::new, |mhz| format!("{mhz} MHz")),
            bandwidth(memory),
        ]);
    }
    let _ = write!(text, "\n{}\n", lines(&memories));
    let names = target.memories.iter().map(|memory| escape(&memory.name));
    let width = names.clone().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, memory) in names.zip(&target.memories) {
        let _ = writeln!(text, "  {name:width$}  {}", escape(&memory.source));
        if let Some(speed) = &memory.speed_source {
            let _ = writeln!(text, "  {:width$}  speed: {}", "", escape(speed));
        }
    }
    let pools = &target.pools;
    let mut table = table(&["pool", "in", "size"]);
    let fixed = [
        ("method", Some(&pools.method)),
        ("planned", pools.planned.as_ref()),
        ("temp", Some(&pools.temp)),
        ("fast_scratch", pools.fast_scratch.as_ref()),
        ("program", pools.program.as_ref()),
    ];
    for (name, pool) in fixed {
        let row = match pool {
            Some(pool) => {
                let size = pool.size.map_or_else(|| "what is left".into(), bytes);
                [name.to_owned(), escape(&pool.memory), size]
            }
            None if name == "planned" => [name.into(), "the method pool".into(), String::new()],
            None if name == "fast_scratch" => continue,
            None => [name.into(), "not counted".into(), String::new()],
        };
        table.add_row(row);
    }
    let _ = write!(text, "\n{}", lines(&table));
    text
}

fn bandwidth(memory: &Memory) -> String {
    match (memory.bandwidth_mb_s, memory.bandwidth_at_most_mb_s) {
        (Some(mb), _) => format!("{mb} MB/s"),
        (None, Some(mb)) => format!("at most {mb} MB/s"),
        (None, None) => String::new(),
    }
}

fn target_json(target: &Target) -> Value {
    let memories = target.memories.iter().map(|m| {
        json!({
            "name": m.name,
            "kind": m.kind.name(),
            "size_bytes": m.size,
            "reserved_bytes": m.reserved,
            "address": m.address,
            "clock_mhz": m.clock_mhz,
            "bandwidth_mb_s": m.bandwidth_mb_s,
            "bandwidth_at_most_mb_s": m.bandwidth_at_most_mb_s,
            "source": m.source,
            "speed_source": m.speed_source,
        })
    });
    json!({
        "name": target.name,
        "title": target.title,
        "core": target.core,
        "clock_mhz": target.clock_mhz,
        "npu": target.npu,
        "abi": target.abi.name(),
        "source": target.source,
        "note": target.note,
        "memories": memories.collect::<Vec<_>>(),
    })
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| format!(" {}\n", line.trim_end())).collect()
}
