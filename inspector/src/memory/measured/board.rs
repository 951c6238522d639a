//! The memory block of the Arm runner's log beside the prediction, with the
//! difference explained.
//!
//! `method_allocator_loaded` depends on what the firmware gave the loader, so
//! that it tells which firmware it was; the numbers that follow are predicted
//! for that one. The block is that of
//! `examples/arm/executor_runner/arm_executor_runner.cpp`.

use crate::log::{Measure, Run};

use super::super::{Firmware, Loading, MethodMemory};
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
        let planned = planned(memory);
        if let Some(measured) = board.planned {
            rows.push(row("method_allocator_planned", planned, measured));
        }
        let firmware = board.loaded.and_then(|loaded| guess(memory, board, loaded));
        let told = firmware.unwrap_or(Firmware::TempPool);
        let loading = Loading::new(file, &memory.method, memory.abi, told)?;
        let loaded = loading.method_used.saturating_add(delegates(memory));
        if let Some(measured) = board.loaded {
            rows.push(loaded_row(memory, told, loaded, measured));
        }
        let inputs = loading.inputs.saturating_add(memory.unplanned_inputs);
        if let Some(measured) = board.input {
            rows.push(padded("method_allocator_input", inputs, measured));
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

/// All planned buffers, out of the method allocator's pool.
fn planned(memory: &MethodMemory<'_>) -> u64 {
    memory.plan.buffers.iter().fold(0u64, |end, buffer| {
        let start = end.checked_next_multiple_of(PLANNED_ALIGN).unwrap_or(u64::MAX);
        start.saturating_add(buffer.size)
    })
}

fn delegates(memory: &MethodMemory<'_>) -> u64 {
    memory.delegates.iter().fold(0u64, |sum, d| sum.saturating_add(d.method_bytes))
}

/// The firmware that takes `loaded` bytes while loading; of several, that of
/// the log's wording.
fn guess(memory: &MethodMemory<'_>, board: &BoardNumbers, loaded: u64) -> Option<Firmware> {
    let mut known = [
        (Firmware::TempPool, memory.loading.method_used),
        (Firmware::EmptyTempPool, memory.used_without_temp_pool),
        (Firmware::NoTempAllocator, memory.used_without_temp_allocator),
        (Firmware::Release0_5, memory.used_in_release_0_5),
    ];
    if board.release_0_5 {
        known.rotate_right(1);
    }
    let own = delegates(memory);
    let fits = |used: u64| loaded.checked_sub(used.saturating_add(own)).is_some_and(|pad| pad < 8);
    let exact = known.iter().find(|(_, used)| used.saturating_add(own) == loaded);
    exact.or_else(|| known.iter().find(|(_, used)| fits(*used))).map(|(firmware, _)| *firmware)
}

fn loaded_row(
    memory: &MethodMemory<'_>,
    firmware: Firmware,
    predicted: u64,
    measured: u64,
) -> BoardRow {
    let today = format!(
        "today's rule gives {} with a temp allocator, {} with one of size 0, {} with none",
        memory.loading.method_used,
        memory.used_without_temp_pool,
        memory.used_without_temp_allocator
    );
    let mut row = padded("method_allocator_loaded", predicted, measured);
    row.why = Some(match firmware {
        _ if !row.is_explained => {
            format!("no firmware that is known takes {measured} bytes: {today}")
        }
        Firmware::TempPool => "a temp allocator that is large enough".into(),
        Firmware::EmptyTempPool => "a temp allocator too small for looking operators up".into(),
        Firmware::NoTempAllocator => format!("no temp allocator; {today}"),
        Firmware::Release0_5 => {
            format!("release 0.5: no temp allocator was given, no input flags; {today}")
        }
    });
    row
}

/// The size of a pool, which is enough or not.
fn pool(name: &str, needs: u64, measured: u64) -> BoardRow {
    let why = (measured < needs).then(|| format!("smaller than the {needs} bytes that are needed"));
    let is_explained = why.is_none();
    BoardRow { name: name.to_owned(), predicted: needs, measured, is_explained, why }
}
