//! Apache Parquet: one row per event of the file, for fleets of devices.
//!
//! Nothing is summed up. The columns are described in `docs/exports.md`; a
//! column that does not apply to an event is null.

use et_inspector::events::{TimeScale, Times};
use et_schema::etdump::{DelegateId, Event, File, Run};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

const SCHEMA: &str = "
message etinspect_events_1 {
  REQUIRED INT32 run;
  REQUIRED BYTE_ARRAY run_name (UTF8);
  OPTIONAL INT32 bundled_input_index;
  REQUIRED INT64 event;
  REQUIRED BYTE_ARRAY kind (UTF8);
  OPTIONAL BYTE_ARRAY name (UTF8);
  OPTIONAL INT64 chain;
  OPTIONAL INT32 instruction;
  OPTIONAL BYTE_ARRAY delegate_id (UTF8);
  OPTIONAL INT64 start_ticks (INTEGER(64,false));
  OPTIONAL INT64 end_ticks (INTEGER(64,false));
  OPTIONAL DOUBLE duration_ns;
  OPTIONAL BYTE_ARRAY allocator (UTF8);
  OPTIONAL INT64 allocation_bytes (INTEGER(64,false));
}
";

/// Rows that are held in memory at a time.
const ROWS_PER_GROUP: usize = 65_536;

/// A column in the making: which rows have a value, and the values.
struct Column<T> {
    levels: Vec<i16>,
    values: Vec<T>,
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Column { levels: Vec::new(), values: Vec::new() }
    }
}

impl<T> Column<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(value.is_some().into());
        self.values.extend(value);
    }
}

/// Rows of a group, by column.
#[derive(Default)]
struct Rows {
    run: Column<i32>,
    run_name: Column<ByteArray>,
    bundled_input_index: Column<i32>,
    event: Column<i64>,
    kind: Column<ByteArray>,
    name: Column<ByteArray>,
    chain: Column<i64>,
    instruction: Column<i32>,
    delegate_id: Column<ByteArray>,
    start: Column<i64>,
    end: Column<i64>,
    duration: Column<f64>,
    allocator: Column<ByteArray>,
    allocation_bytes: Column<i64>,
}

/// Strings of the file, each held once.
#[derive(Default)]
struct Strings<'a>(HashMap<&'a str, ByteArray>);

impl<'a> Strings<'a> {
    fn get(&mut self, text: &'a str) -> ByteArray {
        self.0.entry(text).or_insert_with(|| ByteArray::from(text)).clone()
    }
}

/// Writes the events of `file`. `nanoseconds` converts ticks; of a clock in
/// cycles there are no durations.
///
/// # Errors
/// What `output` says.
pub fn parquet(file: &File<'_>, nanoseconds: &Times, output: impl Write + Send) -> Result<()> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder().set_created_by("etinspect".into()).build();
    let mut writer = SerializedFileWriter::new(output, schema, Arc::new(properties))?;
    let mut rows = Rows::default();
    let mut strings = Strings::default();
    for (index, run) in file.runs().enumerate() {
        let allocators: Vec<&str> = run.allocators().collect();
        for (number, event) in run.events().enumerate() {
            rows.place(&mut strings, index, &run, number);
            rows.event(&mut strings, &event, &allocators, nanoseconds);
            if rows.run.levels.len() == ROWS_PER_GROUP {
                std::mem::take(&mut rows).write(&mut writer)?;
            }
        }
    }
    if !rows.run.levels.is_empty() {
        rows.write(&mut writer)?;
    }
    writer.close().map(|_| ())
}

impl Rows {
    fn place<'a>(&mut self, strings: &mut Strings<'a>, index: usize, run: &Run<'a>, event: usize) {
        self.run.push(i32::try_from(index).ok().or(Some(i32::MAX)));
        self.run_name.push(Some(strings.get(run.name())));
        self.bundled_input_index.push(run.bundled_input_index().map(|i| i as i32));
        self.event.push(Some(event as i64));
    }

    fn event<'a>(
        &mut self,
        strings: &mut Strings<'a>,
        event: &Event<'a>,
        allocators: &[&'a str],
        nanoseconds: &Times,
    ) {
        let (mut kind, mut name, mut place, mut delegate, mut times) =
            ("empty", "", None, None, None);
        let mut allocation = None;
        match event {
            Event::Profile(e) => {
                kind = "profile";
                (name, delegate) = (e.name, e.delegate_id);
                place = Some((i64::from(e.chain_index), e.instruction_id));
                times = Some((e.start_time, e.end_time));
            }
            Event::Debug(e) => {
                kind = "debug";
                (name, delegate) = (e.name, e.delegate_id);
                place = Some((e.chain_index as i64, e.instruction_id));
            }
            Event::Allocation(e) => {
                kind = "allocation";
                let number = usize::try_from(e.allocator_id).unwrap_or(0).wrapping_sub(1);
                allocation = Some((allocators.get(number).copied(), e.size));
            }
            Event::Empty => {}
        }
        let delegate = delegate.map(|id| match id {
            DelegateId::Name(name) => strings.get(name),
            DelegateId::Int(id) => ByteArray::from(id.to_string().as_str()),
        });
        let cycles = nanoseconds.target() == TimeScale::Cycles;
        let elapsed = |(start, end)| nanoseconds.elapsed(start, end).filter(|_| !cycles);
        self.kind.push(Some(strings.get(kind)));
        self.name.push(Some(name).filter(|n| !n.is_empty()).map(|name| strings.get(name)));
        self.chain.push(place.map(|(chain, _)| chain));
        self.instruction.push(place.map(|(_, instruction)| instruction));
        self.delegate_id.push(delegate);
        self.start.push(times.map(|(start, _)| start as i64));
        self.end.push(times.map(|(_, end)| end as i64));
        self.duration.push(times.and_then(elapsed));
        let allocator = allocation.and_then(|(name, _)| name);
        self.allocator.push(allocator.map(|name| strings.get(name)));
        self.allocation_bytes.push(allocation.map(|(_, size)| size as i64));
    }

    fn write<W: Write + Send>(self, writer: &mut SerializedFileWriter<W>) -> Result<()> {
        let mut group = writer.next_row_group()?;
        // In the order of the schema.
        column::<Int32Type, W>(&mut group, &self.run, false)?;
        column::<ByteArrayType, W>(&mut group, &self.run_name, false)?;
        column::<Int32Type, W>(&mut group, &self.bundled_input_index, true)?;
        column::<Int64Type, W>(&mut group, &self.event, false)?;
        column::<ByteArrayType, W>(&mut group, &self.kind, false)?;
        column::<ByteArrayType, W>(&mut group, &self.name, true)?;
        column::<Int64Type, W>(&mut group, &self.chain, true)?;
        column::<Int32Type, W>(&mut group, &self.instruction, true)?;
        column::<ByteArrayType, W>(&mut group, &self.delegate_id, true)?;
        column::<Int64Type, W>(&mut group, &self.start, true)?;
        column::<Int64Type, W>(&mut group, &self.end, true)?;
        column::<DoubleType, W>(&mut group, &self.duration, true)?;
        column::<ByteArrayType, W>(&mut group, &self.allocator, true)?;
        column::<Int64Type, W>(&mut group, &self.allocation_bytes, true)?;
        group.close().map(|_| ())
    }
}

/// Writes the next column of the group.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column<T::T>,
    optional: bool,
) -> Result<()> {
    let Some(mut writer) = group.next_column()? else { return Ok(()) };
    let levels = optional.then_some(column.levels.as_slice());
    writer.typed::<T>().write_batch(&column.values, levels, None)?;
    writer.close()
}
