//! A firmware's ELF file: symbols, and source lines from its debug information.

use crate::failure::Failure;
use addr2line::gimli::{DwarfSections, EndianSlice, RunTimeEndian};
use et_inspector::diagnose::{Stack, Symbol, Symbols};
use et_inspector::stack::{Frame, Function};
use object::{Architecture, Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use std::borrow::Cow;
use std::path::Path;

type Reader<'d> = EndianSlice<'d, RunTimeEndian>;

/// The sections with debug information, kept while a [`Firmware`] reads them.
pub struct DebugSections<'d>(DwarfSections<Cow<'d, [u8]>>, RunTimeEndian);

/// A firmware.
pub struct Firmware<'d> {
    /// Sorted by address: address, bytes, name, whether it is code.
    symbols: Vec<(u64, u64, String, bool)>,
    lines: Option<addr2line::Context<Reader<'d>>>,
    stack: Option<Stack>,
    frames: Vec<Frame>,
}

/// Names of linker scripts for the lowest address of the stack, and for the
/// address behind it (CMSIS, Arm's toolchain, Zephyr, ST, newlib).
const STACK_LIMITS: [&str; 7] = [
    "__StackLimit",
    "__stack_limit",
    "__stack_limit__",
    "_stack_limit",
    "_sstack",
    "StackLimit",
    "_stack_end",
];
const STACK_TOPS: [&str; 6] =
    ["__StackTop", "__stack_top", "__stack", "_estack", "_stack_start", "StackTop"];

/// The linker's marks of the main stack.
fn stack(object: &object::File<'_>) -> Option<Stack> {
    let mark = |names: &[&str]| {
        let named = |symbol: &object::Symbol<'_, '_>| {
            symbol.name().is_ok_and(|name| names.contains(&name)) && symbol.address() != 0
        };
        object.symbols().find(named).map(|symbol| symbol.address())
    };
    let limit = mark(&STACK_LIMITS)?;
    Some(Stack { limit, top: mark(&STACK_TOPS).filter(|top| *top > limit) })
}

/// What the functions of an image for Cortex-M take of the stack.
fn frames(object: &object::File<'_>, symbols: &[(u64, u64, String, bool)]) -> Vec<Frame> {
    if object.architecture() != Architecture::Arm {
        return Vec::new();
    }
    let sections: Vec<(u64, &[u8])> = object
        .sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .filter_map(|section| Some((section.address(), section.data().ok()?)))
        .collect();
    let code = |start: u64, size: u64| {
        sections.iter().find_map(|(address, bytes)| {
            let from = usize::try_from(start.checked_sub(*address)?).ok()?;
            bytes.get(from..from.checked_add(usize::try_from(size).ok()?)?)
        })
    };
    // Functions may share code; a damaged table must not make the work grow without limit.
    let mut left = sections.iter().map(|(_, bytes)| bytes.len()).sum::<usize>().saturating_mul(4);
    let mut functions: Vec<Function<'_>> = Vec::new();
    for (start, size, name, _) in symbols.iter().filter(|(.., is_code)| *is_code) {
        let Some(code) = code(*start, *size) else { continue };
        let Some(rest) = left.checked_sub(code.len()) else { break };
        left = rest;
        functions.push(Function { name: name.clone(), start: *start, code });
    }
    et_inspector::stack::frames(&functions)
}

impl<'d> DebugSections<'d> {
    /// The sections of the ELF file `bytes`; damaged ones count as missing.
    pub fn read(object: &object::File<'d>) -> Self {
        let endian =
            if object.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let load = |id: addr2line::gimli::SectionId| -> Result<Cow<'d, [u8]>, ()> {
            let section = object.section_by_name(id.name());
            Ok(section.and_then(|s| s.uncompressed_data().ok()).unwrap_or_default())
        };
        let dwarf = DwarfSections::load(load).unwrap_or_default();
        DebugSections(dwarf, endian)
    }
}

/// The ELF file `bytes` of `path`.
///
/// # Errors
/// It is none.
pub fn parse<'d>(path: &Path, bytes: &'d [u8]) -> Result<object::File<'d>, Failure> {
    object::File::parse(bytes)
        .map_err(|e| Failure::input(path, format!("expected an ELF file of a firmware: {e}")))
}

impl<'d> Firmware<'d> {
    /// The symbols of `object`, with lines from `sections`.
    pub fn new(object: &object::File<'_>, sections: &'d DebugSections<'_>) -> Self {
        let mut symbols: Vec<(u64, u64, String, bool)> = object
            .symbols()
            .filter(|s| matches!(s.kind(), SymbolKind::Text | SymbolKind::Data) && s.size() > 0)
            .filter_map(|s| {
                let code = s.kind() == SymbolKind::Text;
                let name = addr2line::demangle_auto(Cow::Borrowed(s.name().ok()?), None);
                // The lowest bit of a function's address says that it is Thumb code.
                let start = if code { s.address() & !1 } else { s.address() };
                Some((start, s.size(), name.into_owned(), code))
            })
            .collect();
        symbols.sort();
        let dwarf = sections.0.borrow(|section| EndianSlice::new(section, sections.1));
        let lines = addr2line::Context::from_dwarf(dwarf).ok();
        let frames = frames(object, &symbols);
        Firmware { symbols, lines, stack: stack(object), frames }
    }

    fn line(&self, address: u64) -> Option<String> {
        let location = self.lines.as_ref()?.find_location(address).ok()??;
        Some(format!("{}:{}", location.file?, location.line?))
    }
}

impl Symbols for Firmware<'_> {
    fn find(&self, address: u64) -> Option<Symbol> {
        let after = self.symbols.partition_point(|(start, ..)| *start <= address);
        let (start, size, name, code) = self.symbols.get(after.checked_sub(1)?)?;
        (address - start < *size).then(|| Symbol {
            start: *start,
            size: *size,
            name: name.clone(),
            code: *code,
            line: if *code { self.line(address) } else { None },
        })
    }

    fn data(&self) -> Vec<Symbol> {
        let data = self.symbols.iter().filter(|(.., code)| !code);
        data.map(|(start, size, name, _)| Symbol {
            start: *start,
            size: *size,
            name: name.clone(),
            code: false,
            line: None,
        })
        .collect()
    }

    fn stack(&self) -> Option<Stack> {
        self.stack
    }

    fn frames(&self) -> &[Frame] {
        &self.frames
    }
}
