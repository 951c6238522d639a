//! The memory block of the Arm runner's log beside the prediction, with the
//! difference explained.
//!
//! `method_allocator_loaded` depends on what the firmware gave the loader, so
//! that it tells which firmware it was; the numbers that follow are predicted
//! for that one. The block is that of
//! `examples/arm/executor_runner/arm_executor_runner.cpp`, whose releases differ:
//! up to 2025 its allocator counted no padding and its inputs were copied.

use crate::log::{Measure, Run};

use super::super::{FAST_MEMORY, Firmware, Loading, MethodMemory, Runner};
use et_schema::ReadError;
use et_schema::pte::File;

/// Alignment of planned buffers in the runner.
const PLANNED_ALIGN: u64 = 16;

/// More bytes than the padding before an object can have.
const MAX_PADDING: u64 = 16;

/// What the log of a board says; `None` where a line is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardNumbers {
    /// Bytes of the program.
    pub program: Option<u64>,
    /// Bytes of each planned buffer, in order.
    pub planned_buffers: Vec<u64>,
    /// `method_allocator_planned`
    pub planned: Option<u64>,
    /// `method_allocator_loaded`
    pub loaded: Option<u64>,
    /// `method_allocator_input`
    pub input: Option<u64>,
    /// `method_allocator_executor`
    pub executor: Option<u64>,
    /// `method_allocator_used`
    pub used: Option<u64>,
    /// Size of the method allocator's pool.
    pub method_pool: Option<u64>,
    /// Size of the temp allocator.
    pub temp_pool: Option<u64>,
    /// Used of the pool of fast memory.
    pub planned_fast: Option<u64>,
    /// Size of the debug buffer, which the runner counts as loaded.
    pub debug_buffer: Option<u64>,
    /// Whether the wording is that of the runner of release 0.5.
    pub release_0_5: bool,
}

impl BoardNumbers {
    /// The numbers in a run's log.
    pub fn of(run: &Run) -> Self {
        let number = |what| run.measure(what).map(|measured| measured.bytes);
        let temp = run.measure(Measure::TempUsed).and_then(|measured| measured.pool);
        BoardNumbers {
            program: run.program_bytes,
            planned_buffers: run.planned.iter().map(|planned| planned.bytes).collect(),
            planned: number(Measure::MethodPlanned),
            loaded: number(Measure::MethodLoaded),
            input: number(Measure::MethodInput),
            executor: number(Measure::MethodExecutor),
            used: number(Measure::MethodUsed),
            method_pool: run.method_pool,
            temp_pool: number(Measure::TempPool).or(temp),
            planned_fast: number(Measure::PlannedFast),
            debug_buffer: run.measure(Measure::EtDump).and_then(|measured| measured.pool),
            release_0_5: run.old_runner,
        }
    }
}

/// One number, predicted and measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardRow {
    /// As the log names it.
    pub name: String,
    /// Bytes that are predicted.
    pub predicted: u64,
    /// Bytes in the log.
    pub measured: u64,
    /// Whether the prediction explains the number.
    pub is_explained: bool,
    /// Why it is so, where the number alone does not say it.
    pub why: Option<String>,
}

/// The memory block, predicted and measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardComparison {
    /// What the firmware gave the loader, as far as the numbers tell.
    pub firmware: Option<Firmware>,
    /// The numbers.
    pub rows: Vec<BoardRow>,
}

impl BoardComparison {
    /// The comparison of `memory` of `file` with `board`.
    ///
    /// # Errors
    /// An index in the program that points nowhere.
    pub fn new(
        file: &File<'_>,
        memory: &MethodMemory<'_>,
        board: &BoardNumbers,
    ) -> Result<Self, ReadError> {
        let mut rows = Vec::new();
        if let Some(measured) = board.program {
            rows.push(row("program", file.bytes().len() as u64, measured));
        }
        for (index, measured) in board.planned_buffers.iter().enumerate() {
            let predicted = memory.plan.buffers.get(index).map_or(0, |buffer| buffer.size);
            rows.push(row(&format!("planned buffer {}", index + 1), predicted, *measured));
        }
        let planned = planned(memory, board.planned_fast.is_some());
        if let Some(measured) = board.planned {
            rows.push(row("method_allocator_planned", planned, measured));
        }
        if let Some(measured) = board.planned_fast {
            rows.push(row("planned_fast_allocator", Runner::Arm.fast_pool(memory), measured));
        }
        let debug = board.debug_buffer.unwrap_or(0);
        let told = match board.loaded {
            Some(loaded) => Told::new(file, memory, board, loaded.saturating_sub(debug))?,
            None => None,
        };
        let firmware = told.as_ref().map(|told| told.firmware);
        let told = match told {
            Some(told) => told,
            None => Told::of(file, memory, Firmware::TempPool)?,
        };
        let loaded = told.loaded.saturating_add(debug);
        if let Some(measured) = board.loaded {
            rows.push(loaded_row(memory, firmware, &told, debug, measured));
        }
        let (inputs, copies) = inputs(memory, &told, board.input);
        if let Some(measured) = board.input {
            let mut row = padded("method_allocator_input", inputs, measured);
            if row.is_explained && copies {
                row.why = Some(COPIES.into());
            }
            rows.push(row);
        }
        if let Some(measured) = board.executor {
            rows.push(row("method_allocator_executor", 0, measured));
        }
        let sum = planned.saturating_add(loaded).saturating_add(inputs);
        if let Some(measured) = board.used {
            rows.push(padded("method_allocator_used", sum, measured));
        }
        if let Some(measured) = board.method_pool {
            rows.push(pool("method allocator pool", sum, measured));
        }
        if let Some(measured) = board.temp_pool {
            rows.push(pool("temp_allocator", memory.temp_required(), measured));
        }
        Ok(BoardComparison { firmware, rows })
    }

    /// Whether every number is explained.
    pub fn is_explained(&self) -> bool {
        self.rows.iter().all(|row| row.is_explained)
    }
}

fn row(name: &str, predicted: u64, measured: u64) -> BoardRow {
    let is_explained = predicted == measured;
    let why = (!is_explained).then(|| "the log may be of another program".to_owned());
    BoardRow { name: name.to_owned(), predicted, measured, is_explained, why }
}

/// A number with the padding that depends on the pool's address.
fn padded(name: &str, predicted: u64, measured: u64) -> BoardRow {
    let apart = measured.abs_diff(predicted);
    if apart == 0 || apart >= MAX_PADDING {
        return row(name, predicted, measured);
    }
    let why = format!("{apart} bytes apart: padding, which depends on the pool's address");
    let name = name.to_owned();
    BoardRow { name, predicted, measured, is_explained: true, why: Some(why) }
}

/// The planned buffers out of the method allocator's pool: all but that of
/// fast memory, if the firmware has such a pool.
fn planned(memory: &MethodMemory<'_>, has_fast: bool) -> u64 {
    let buffers = memory.plan.buffers.iter();
    let here = buffers.filter(|buffer| !(has_fast && buffer.memory_id == FAST_MEMORY));
    here.fold(0u64, |end, buffer| {
        let start = end.checked_next_multiple_of(PLANNED_ALIGN).unwrap_or(u64::MAX);
        start.saturating_add(buffer.size)
    })
}

fn delegates(memory: &MethodMemory<'_>) -> u64 {
    memory.delegates.iter().fold(0u64, |sum, d| sum.saturating_add(d.method_bytes))
}

/// Why inputs take as much as they do in runners that copy them.
const COPIES: &str = "a pointer to each input and a copy of each tensor, as in the Arm runner up to \
                      2025 and in Zephyr's sample";

/// What the bytes after loading tell of the firmware.
struct Told {
    firmware: Firmware,
    /// Bytes of the method allocator after loading.
    loaded: u64,
    /// Bytes of the inputs' values, an `EValue` each.
    values: u64,
    /// Whether the allocator counts the padding between objects.
    counts_padding: bool,
}

impl Told {
    /// The firmware that takes `loaded` bytes while loading; of several, that
    /// of the log's wording.
    fn new(
        file: &File<'_>,
        memory: &MethodMemory<'_>,
        board: &BoardNumbers,
        loaded: u64,
    ) -> Result<Option<Self>, ReadError> {
        let mut known = [
            Firmware::TempPool,
            Firmware::EmptyTempPool,
            Firmware::NoTempAllocator,
            Firmware::Release0_5,
        ];
        if board.release_0_5 {
            known.rotate_right(1);
        }
        let mut near = None;
        for firmware in known {
            let told = Told::of(file, memory, firmware)?;
            match loaded.checked_sub(told.loaded) {
                Some(0) => return Ok(Some(told)),
                Some(padding) if padding < 8 => near = near.or(Some(told)),
                _ => {}
            }
        }
        for firmware in known {
            let told = Told::without_padding(file, memory, firmware)?;
            if told.loaded == loaded {
                return Ok(Some(told));
            }
        }
        Ok(near)
    }

    fn of(
        file: &File<'_>,
        memory: &MethodMemory<'_>,
        firmware: Firmware,
    ) -> Result<Self, ReadError> {
        let loading = Loading::new(file, &memory.method, memory.abi, firmware)?;
        let loaded = loading.method_used.saturating_add(delegates(memory));
        Ok(Told { firmware, loaded, values: loading.inputs, counts_padding: true })
    }

    /// As the allocator of the Arm runner counted up to 2025: an allocation
    /// whose size is a multiple of its alignment adds that size alone.
    fn without_padding(
        file: &File<'_>,
        memory: &MethodMemory<'_>,
        firmware: Firmware,
    ) -> Result<Self, ReadError> {
        let loading = Loading::new(file, &memory.method, memory.abi, firmware)?;
        let used = loading.method.iter().fold(0u64, |used, allocation| {
            let (size, mask) = (allocation.request.size, u64::from(allocation.request.align) - 1);
            let used = if size & mask == 0 { used } else { (used | mask).saturating_add(1) };
            used.saturating_add(size)
        });
        Ok(Told {
            firmware,
            loaded: used.saturating_add(delegates(memory)),
            values: values(memory),
            counts_padding: false,
        })
    }
}

/// Bytes of an `EValue` for each input, without padding.
fn values(memory: &MethodMemory<'_>) -> u64 {
    Runner::Arm.inputs(memory).iter().fold(0u64, |sum, (size, _)| sum.saturating_add(*size))
}

/// Bytes that preparing the inputs takes, and whether they are copied: the way
/// that is nearer to what was measured.
fn inputs(memory: &MethodMemory<'_>, told: &Told, measured: Option<u64>) -> (u64, bool) {
    let values = told.values.saturating_add(memory.unplanned_inputs);
    let copies = Runner::Copying.inputs(memory);
    let copies = copies.iter().fold(0u64, |sum, (size, _)| sum.saturating_add(*size));
    match measured {
        Some(measured) if measured.abs_diff(copies) < measured.abs_diff(values) => (copies, true),
        _ => (values, false),
    }
}

fn loaded_row(
    memory: &MethodMemory<'_>,
    known: Option<Firmware>,
    told: &Told,
    debug: u64,
    measured: u64,
) -> BoardRow {
    let today = format!(
        "today's rule gives {} with a temp allocator, {} with one of size 0, {} with none",
        memory.loading.method_used,
        memory.used_without_temp_pool,
        memory.used_without_temp_allocator
    );
    let mut row = padded("method_allocator_loaded", told.loaded.saturating_add(debug), measured);
    let mut why = match known {
        None => format!("no firmware that is known takes {measured} bytes: {today}"),
        Some(Firmware::TempPool) => "a temp allocator that is large enough".into(),
        Some(Firmware::EmptyTempPool) => {
            "a temp allocator too small for looking operators up".into()
        }
        Some(Firmware::NoTempAllocator) => format!("no temp allocator; {today}"),
        Some(Firmware::Release0_5) => {
            format!("release 0.5: no temp allocator was given, no input flags; {today}")
        }
    };
    if !told.counts_padding {
        why.push_str("; counted without padding, as the Arm runner's allocator did up to 2025");
    }
    if debug > 0 {
        why = format!("{debug} bytes of it are the debug buffer; {why}");
    }
    row.why = Some(why);
    row
}

/// The size of a pool, which is enough or not.
fn pool(name: &str, needs: u64, measured: u64) -> BoardRow {
    let why = (measured < needs).then(|| format!("smaller than the {needs} bytes that are needed"));
    let is_explained = why.is_none();
    BoardRow { name: name.to_owned(), predicted: needs, measured, is_explained, why }
}
