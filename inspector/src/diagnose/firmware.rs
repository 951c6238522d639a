//! What the firmware's ELF file alone says is wrong, and what it adds to a
//! journal: the ends of the stack, and the places of pools.

use super::Case;
use super::address::is_pool;
use crate::findings::{Code, Finding};
use crate::stack::{Frame, kernel};
use etdump::journal::{Event, Snapshot};

/// ExecuTorch's runners align pools to 16 bytes; planned buffers in them need
/// that, and kernels with vectors rely on it.
const POOL_ALIGNMENT: u64 = 16;

/// The part of a stack that should stay free.
const RESERVE_PERCENT: u64 = 10;

/// Where the stack ends, and where it begins if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Its lowest address.
    pub limit: u64,
    /// The address behind its highest byte.
    pub top: Option<u64>,
}

/// Bytes of a kernel's own frame from which on its locals are large.
const LARGE_FRAME: u64 = 1024;

/// Kernels that are listed.
const LISTED: usize = 8;

/// The findings about the firmware's image.
pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = pools(case);
    findings.extend(frames(case));
    findings
}

/// The kernels of the method's operators in the firmware, the deepest first.
pub(super) fn kernels<'a>(case: &Case<'a>) -> Vec<(String, &'a Frame)> {
    let frames = case.evidence.symbols.frames();
    let operators = case.evidence.method.operators().map(|operator| operator.to_string());
    let found = operators.filter_map(|name| kernel(frames, &name).map(|frame| (name, frame)));
    let mut kernels: Vec<(String, &Frame)> = found.collect();
    kernels.sort_by_key(|(_, frame)| std::cmp::Reverse(frame.depth));
    kernels
}

/// `aten::addmm.out keeps 1264 bytes of its own on the stack, 1,890 with its calls`.
pub(super) fn describe(operator: &str, frame: &Frame) -> String {
    let more = match (frame.recursive, frame.varies) {
        (true, _) => ", and calls itself",
        (_, true) => ", and more that is only known when it runs",
        _ => "",
    };
    format!(
        "{operator} takes {} bytes of the stack of its own, {} with its calls{more}",
        frame.bytes, frame.depth
    )
}

/// Kernels with large locals or that recurse, and paths longer than the stack.
fn frames(case: &Case<'_>) -> Option<Finding> {
    let frames = case.evidence.symbols.frames();
    let stack = case.evidence.symbols.stack();
    let size = stack.and_then(|stack| Some(stack.top? - stack.limit));
    let deepest = frames.iter().max_by_key(|frame| frame.depth)?;
    let kernels = kernels(case);
    let risky = |frame: &Frame| {
        frame.recursive
            || frame.bytes >= LARGE_FRAME
            || size.is_some_and(|size| frame.depth.saturating_mul(2) > size)
    };
    let listed: Vec<&(String, &Frame)> =
        kernels.iter().filter(|(_, frame)| risky(frame)).take(LISTED).collect();
    let too_deep = size.filter(|size| deepest.depth > *size);
    let title = match (too_deep, listed.first()) {
        (Some(size), _) => format!(
            "{} and what it calls take at least {} bytes of the stack, which has {size}",
            deepest.name, deepest.depth
        ),
        (None, Some((operator, frame))) => describe(operator, frame),
        (None, None) => return None,
    };
    let need = if too_deep.is_some() { deepest.depth } else { listed.first()?.1.depth };
    let remedy = format!(
        "give the thread that runs the model a stack of at least {} bytes",
        need.saturating_add(need / 2).next_multiple_of(256)
    );
    let finding = Finding::new(Code::StackAtRisk, title, remedy).with_some("stack_bytes", size);
    let describe = |(operator, frame): &&(String, &Frame)| describe(operator, frame);
    Some(listed.iter().map(describe).fold(finding, |finding, text| finding.with("kernel", text)))
}

/// Pools at addresses that are not aligned.
fn pools(case: &Case<'_>) -> Vec<Finding> {
    let symbols = case.evidence.symbols.data();
    let pools = symbols.iter().filter(|symbol| is_pool(&symbol.name));
    pools
        .filter(|pool| !pool.start.is_multiple_of(POOL_ALIGNMENT))
        .map(|pool| {
            let behind = pool.start % POOL_ALIGNMENT;
            Finding::new(
                Code::PoolMisaligned,
                format!(
                    "{} lies at {:#x}, {behind} bytes behind a multiple of {POOL_ALIGNMENT}",
                    pool.name, pool.start
                ),
                format!("declare it as alignas({POOL_ALIGNMENT}) unsigned char {}[…]", pool.name),
            )
            .with("address", format!("{:#x}", pool.start))
            .with("bytes", pool.size)
            .with("alignment", POOL_ALIGNMENT)
        })
        .collect()
}

/// The lowest stack pointer of a journal against the stack's end.
pub(super) fn stack(case: &Case<'_>, journal: &Snapshot) -> Option<Finding> {
    let recorded = journal.records.iter().rev().find_map(|record| match record.event {
        Some(Event::Stack { lowest, limit }) if limit != 0 => Some((lowest, limit)),
        _ => None,
    });
    let stack = case
        .evidence
        .symbols
        .stack()
        .or_else(|| recorded.map(|(_, limit)| Stack { limit: limit.into(), top: None }))?;
    let seen = [Some(journal.lowest_stack), recorded.map(|(lowest, _)| lowest)];
    let lowest = seen.into_iter().flatten().filter(|lowest| *lowest != 0).min()?;
    let lowest = u64::from(lowest);
    let remedy = |size: u64| format!("give the stack at least {size} bytes in the linker script");
    let used = stack.top.map(|top| top.saturating_sub(lowest));
    let size = stack.top.map_or(0, |top| top.saturating_sub(stack.limit));
    let enough = used.map_or_else(
        || "make the stack larger in the linker script".to_owned(),
        |used| remedy(used + used / 2),
    );
    let title = if lowest < stack.limit {
        let over = stack.limit - lowest;
        format!("the stack reached {lowest:#x}, {over} bytes below its end at {:#x}", stack.limit)
    } else if size > 0 && (lowest - stack.limit) * 100 < size * RESERVE_PERCENT {
        format!("only {} of {size} bytes of the stack were never used", lowest - stack.limit)
    } else {
        return None;
    };
    Some(
        Finding::new(Code::StackOverrun, title, enough)
            .with("lowest_stack_pointer", format!("{lowest:#x}"))
            .with("stack_limit", format!("{:#x}", stack.limit))
            .with_some("stack_used", used),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Diagnosis, Evidence, Symbol, Symbols, diagnose};
    use et_schema::layout::Abi;
    use et_schema::pte::File;
    use etdump::journal::{Config, Journal};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A firmware with a pool at an address, and a stack.
    struct Image {
        pool: u64,
        stack: Option<Stack>,
        frames: Vec<Frame>,
    }

    impl Symbols for Image {
        fn find(&self, _: u64) -> Option<Symbol> {
            None
        }

        fn data(&self) -> Vec<Symbol> {
            let symbol = |name: &str, start| Symbol {
                start,
                size: 1024,
                name: name.to_owned(),
                code: false,
                line: None,
            };
            vec![symbol("method_allocation_pool", self.pool), symbol("something_else", 3)]
        }

        fn stack(&self) -> Option<Stack> {
            self.stack
        }

        fn frames(&self) -> &[Frame] {
            &self.frames
        }
    }

    fn diagnosis(image: &Image, journal: Option<&Snapshot>) -> Diagnosis {
        let path = "../tests/fixtures/models/linear/model.pte";
        let bytes = std::fs::read(format!("{}/{path}", env!("CARGO_MANIFEST_DIR")));
        let bytes = bytes.expect("a fixture");
        let file = File::parse(&bytes).expect("a program");
        diagnose(Evidence {
            file: &file,
            method: file.methods().next().expect("a method"),
            abi: Abi::Arm32,
            target: None,
            log: None,
            journal,
            trace: None,
            symbols: image,
        })
        .expect("a diagnosis")
    }

    fn journal(write: impl FnOnce(&Journal<'_>)) -> Snapshot {
        let memory: Vec<AtomicU32> = (0..512).map(|_| AtomicU32::new(0)).collect();
        write(&Journal::create(&memory, Config::for_bytes(2048)).expect("a journal"));
        let words = memory.iter().map(|word| word.load(Ordering::Relaxed).to_le_bytes());
        Snapshot::parse(&words.flatten().collect::<Vec<u8>>()).expect("a journal")
    }

    fn has(diagnosis: &Diagnosis, code: Code) -> bool {
        diagnosis.findings.iter().any(|finding| finding.code == code)
    }

    #[test]
    fn pools_must_be_aligned() {
        let image = |pool| Image { pool, stack: None, frames: Vec::new() };
        assert!(has(&diagnosis(&image(0x2000_0004), None), Code::PoolMisaligned));
        assert!(!has(&diagnosis(&image(0x2000_0010), None), Code::PoolMisaligned));
    }

    #[test]
    fn the_lowest_stack_pointer_is_held_against_the_linkers_limit() {
        let stack = Some(Stack { limit: 0x2000_1000, top: Some(0x2000_2000) });
        let image = Image { pool: 0, stack, frames: Vec::new() };
        let found = |lowest| {
            let journal = journal(|journal| journal.heartbeat(1, lowest));
            has(&diagnosis(&image, Some(&journal)), Code::StackOverrun)
        };
        assert!(found(0x2000_0ff0), "below its end");
        assert!(found(0x2000_1010), "less than a tenth left");
        assert!(!found(0x2000_1800));
    }

    #[test]
    fn kernels_with_large_locals_and_deep_paths_are_found() {
        let stack = Some(Stack { limit: 0x2000_1000, top: Some(0x2000_2000) });
        let found = |name: &str, bytes, depth, recursive| {
            let frame =
                Frame { name: name.to_owned(), start: 0, bytes, depth, recursive, varies: false };
            diagnosis(&Image { pool: 0, stack, frames: vec![frame] }, None)
        };
        let kernel = "torch::executor::native::addmm_out(int)";
        assert!(!has(&found(kernel, 200, 900, false), Code::StackAtRisk));
        assert!(has(&found(kernel, 2000, 2000, false), Code::StackAtRisk));
        assert!(has(&found(kernel, 200, 900, true), Code::StackAtRisk));
        // Other functions count only if they are deeper than the stack.
        assert!(!has(&found("main", 2000, 3000, true), Code::StackAtRisk));
        let deep = found("main", 100, 5000, false);
        let finding = deep.findings.iter().find(|f| f.code == Code::StackAtRisk);
        assert_eq!(
            finding.map(|f| f.title.as_str()),
            Some("main and what it calls take at least 5000 bytes of the stack, which has 4096")
        );
    }

    #[test]
    fn a_limit_in_the_journal_serves_without_an_image() {
        let journal = journal(|journal| {
            journal.record(1, Event::Stack { lowest: 0x2000_0f00, limit: 0x2000_1000 });
        });
        let image = Image { pool: 0, stack: None, frames: Vec::new() };
        assert!(has(&diagnosis(&image, Some(&journal)), Code::StackOverrun));
    }
}
