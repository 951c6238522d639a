//! A tensor data file: its named tensors and blobs.

use super::document_name;
use super::program::count;
use super::values::{dtype, quoted, shape};
use crate::text::{bytes, escape};
use et_schema::ptd::{File, NamedData};
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

/// Sizes, header and entries, but for those that `hidden` names.
pub fn text(path: &Path, file: &File<'_>, hidden: impl Fn(usize) -> Range<usize>) -> String {
    let (header, size) = (file.header(), bytes(file.bytes().len() as u64));
    let name = escape(&path.to_string_lossy());
    let mut text = format!("{name}: tensor data (FT01, version {}), {size}\n", file.version());
    let _ = writeln!(
        text,
        "  FlatBuffer {}; {}, {} from byte {}; header {} B",
        bytes(header.flatbuffer_offset.saturating_add(header.flatbuffer_size)),
        count(file.segments().len() as u64, "segment"),
        bytes(header.segment_data_size),
        header.segment_base_offset,
        header.length
    );
    let entries = file.entries();
    let hidden = hidden(entries.len());
    let tensors = file.entries().filter(|entry| entry.tensor_layout().is_some()).count();
    let (tensors, blobs) = (tensors as u64, (entries.len() - tensors) as u64);
    let _ = writeln!(text, "  {}, {}", count(tensors, "tensor"), count(blobs, "blob"));
    for (index, entry) in entries.enumerate() {
        if index == hidden.start && !hidden.is_empty() {
            let _ = writeln!(text, "    ... {} not shown; --all shows them", hidden.len());
        }
        if !hidden.contains(&index) {
            let _ = writeln!(text, "    {}", entry_text(file, &entry));
        }
    }
    text
}

fn entry_text(file: &File<'_>, entry: &NamedData<'_>) -> String {
    let what = entry.tensor_layout().map_or("blob".into(), |layout| {
        format!("{}{}", dtype(layout.scalar_type()), shape(layout.sizes().iter()))
    });
    let place = match file.data(entry) {
        Ok(data) => {
            format!("{} in segment {}", bytes(data.len() as u64), entry.segment_index())
        }
        Err(error) => escape(&error.to_string()),
    };
    format!("{}  {what}  {place}", quoted(entry.key()))
}

/// The whole file but for its data.
pub fn json(path: &Path, file: &File<'_>) -> Json {
    let header = file.header();
    let segments = file.segments().map(|s| json!({ "offset": s.offset, "size_bytes": s.size }));
    let entries = file.entries().map(|entry| {
        let data = file.data(&entry);
        json!({
            "name": entry.key(),
            "segment": entry.segment_index(),
            "size_bytes": data.as_ref().ok().map(|data| data.len()),
            "error": data.err().map(|error| error.to_string()),
            "tensor": entry.tensor_layout().map(|layout| json!({
                "dtype": dtype(layout.scalar_type()),
                "shape": layout.sizes().iter().collect::<Vec<_>>(),
                "dim_order": layout.dim_order(),
            })),
        })
    });
    json!({
        "schema": "etinspect.show/1",
        "model": document_name(path),
        "format": "tensor_data",
        "file": {
            "size_bytes": file.bytes().len(),
            "version": file.version(),
            "header": {
                "length_bytes": header.length,
                "flatbuffer_offset": header.flatbuffer_offset,
                "flatbuffer_bytes": header.flatbuffer_size,
                "segment_base_offset": header.segment_base_offset,
                "segment_data_bytes": header.segment_data_size,
            },
            "segments": segments.collect::<Vec<_>>(),
        },
        "entries": entries.collect::<Vec<_>>(),
    })
}
