//! How much of the stack a firmware's functions take, from their code: the frame
//! of each, the deepest path of calls below it, and which of them recurse.
//!
//! Calls through pointers are not seen, so that depths are lower bounds: kernels
//! are called through the registry's table, each begins a path of its own.

mod thumb;

use std::collections::HashMap;
use thumb::{Step, step};

/// The code of a function.
#[derive(Clone, Debug)]
pub struct Function<'d> {
    /// Name, demangled.
    pub name: String,
    /// First address, without the Thumb bit.
    pub start: u64,
    /// Its instructions.
    pub code: &'d [u8],
}

/// What a function takes of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Name.
    pub name: String,
    /// First address.
    pub start: u64,
    /// Bytes of its own: saved registers and locals.
    pub bytes: u64,
    /// Bytes with the deepest path of the calls that its code names.
    pub depth: u64,
    /// Whether it calls itself, directly or through others.
    pub recursive: bool,
    /// Whether it makes room by a number that is only known when it runs.
    pub varies: bool,
}

/// The frames of all `functions`, in their order.
pub fn frames(functions: &[Function<'_>]) -> Vec<Frame> {
    let index: HashMap<u64, usize> =
        functions.iter().enumerate().map(|(index, function)| (function.start, index)).collect();
    let scanned: Vec<Scanned> = functions.iter().map(|f| scan(f, &index)).collect();
    let paths = paths(&scanned);
    let frame = |((function, scanned), path): ((&Function<'_>, &Scanned), Path)| Frame {
        name: function.name.clone(),
        start: function.start,
        bytes: scanned.bytes,
        depth: path.depth,
        recursive: path.recursive,
        varies: scanned.varies,
    };
    functions.iter().zip(&scanned).zip(paths).map(frame).collect()
}

struct Scanned {
    bytes: u64,
    varies: bool,
    /// Functions that are called, each once.
    calls: Vec<usize>,
}

/// Goes through a function from its first to its last instruction. The stack is
/// deepest behind the prologue; each epilogue takes it back.
fn scan(function: &Function<'_>, index: &HashMap<u64, usize>) -> Scanned {
    let mut scanned = Scanned { bytes: 0, varies: false, calls: Vec::new() };
    let mut registers = [None; 16];
    let (mut at, mut depth) = (0, 0u64);
    while let Some((length, step)) =
        function.code.get(at..).and_then(|code| step(code, function.start.wrapping_add(at as u64)))
    {
        at += length;
        match step {
            Step::Grow(bytes) => depth += u64::from(bytes),
            Step::Shrink(bytes) => depth = depth.saturating_sub(bytes.into()),
            Step::GrowBy(register) => match registers[usize::from(register)] {
                Some(bytes) => depth += u64::from(bytes),
                None => scanned.varies = true,
            },
            Step::Set(register, number) => registers[usize::from(register)] = Some(number),
            Step::Call(target) => {
                if let Some(called) = index.get(&target).filter(|c| !scanned.calls.contains(c)) {
                    scanned.calls.push(*called);
                }
            }
            Step::Other => {}
        }
        scanned.bytes = scanned.bytes.max(depth);
    }
    scanned
}

#[derive(Clone, Copy, Default)]
struct Path {
    depth: u64,
    recursive: bool,
}

/// A function on the way down.
struct Visit {
    function: usize,
    /// The next of its calls to follow.
    next: usize,
    below: u64,
}

/// The deepest path below each function. A call back into the path that is being
/// followed is a recursion and is not followed further.
fn paths(scanned: &[Scanned]) -> Vec<Path> {
    let mut paths: Vec<Option<Path>> = vec![None; scanned.len()];
    let mut recursive = vec![false; scanned.len()];
    let mut place: Vec<Option<usize>> = vec![None; scanned.len()];
    for root in 0..scanned.len() {
        if paths[root].is_some() {
            continue;
        }
        let mut stack = vec![Visit { function: root, next: 0, below: 0 }];
        place[root] = Some(0);
        while let Some(visit) = stack.last_mut() {
            let Some(&called) = scanned[visit.function].calls.get(visit.next) else {
                let depth = scanned[visit.function].bytes.saturating_add(visit.below);
                let function = visit.function;
                paths[function] = Some(Path { depth, recursive: false });
                place[function] = None;
                stack.pop();
                if let Some(caller) = stack.last_mut() {
                    caller.below = caller.below.max(depth);
                }
                continue;
            };
            visit.next += 1;
            if let Some(known) = paths[called] {
                visit.below = visit.below.max(known.depth);
            } else if let Some(from) = place[called] {
                stack[from..].iter().for_each(|visit| recursive[visit.function] = true);
            } else {
                place[called] = Some(stack.len());
                stack.push(Visit { function: called, next: 0, below: 0 });
            }
        }
    }
    let known =
        |(path, recursive): (Option<Path>, bool)| Path { recursive, ..path.unwrap_or_default() };
    paths.into_iter().zip(recursive).map(known).collect()
}

/// The kernel of an operator among `frames`, by the name that ExecuTorch's
/// kernels have in C++: `torch::executor::native::addmm_out(…)` of `aten::addmm.out`.
pub fn kernel<'f>(frames: &'f [Frame], operator: &str) -> Option<&'f Frame> {
    let [function, plain] = kernel_names(operator)?;
    frames
        .iter()
        .find(|frame| is_function(&frame.name, &function))
        .or_else(|| frames.iter().find(|frame| is_function(&frame.name, &plain)))
}

/// Whether a function, or one inside it, is the kernel of an operator: in C++ by
/// the rule of [`kernel`], in this project's runtime by the operator's plain name.
pub fn is_kernel_of(function: &str, operator: &str) -> bool {
    let ours = function.starts_with("et_runtime::kernels::");
    kernel_names(operator).is_some_and(|[with_overload, plain]| {
        is_function(function, &with_overload)
            || is_function(function, &plain)
            || (ours
                && function.rsplit("::").next() == plain["native::".len()..].strip_suffix("_out"))
    })
}

/// Names of an operator's kernel: with its overload, and without.
fn kernel_names(operator: &str) -> Option<[String; 2]> {
    let name = operator.rsplit("::").next()?;
    let (name, overload) = name.split_once('.').unwrap_or((name, "out"));
    let with_overload = format!("native::{name}_{}", overload.to_lowercase());
    Some([with_overload, format!("native::{name}_out")])
}

/// Whether `text`, a demangled name, is of `function` or of what lies in it.
fn is_function(text: &str, function: &str) -> bool {
    text.find(function).is_some_and(|at| {
        let rest = &text[at + function.len()..];
        rest.is_empty() || rest.starts_with(['(', ' '])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUSH: [u8; 2] = [0xf0, 0xb5]; // push {r4-r7, lr}: 20 bytes
    const POP: [u8; 2] = [0xf0, 0xbd];

    /// `bl` from `at` to `target`, which are less than 1,000 bytes apart.
    fn call(at: u64, target: u64) -> [u8; 4] {
        let offset = (target as i64 - at as i64 - 4) as u32;
        let first = 0xf000 | (offset >> 31 & 1) << 10 | offset >> 12 & 0x3ff;
        let second = 0xf800 | offset >> 1 & 0x7ff;
        let [a, b] = (first as u16).to_le_bytes();
        let [c, d] = (second as u16).to_le_bytes();
        [a, b, c, d]
    }

    fn function(name: &str, start: u64, calls: &[u64]) -> (String, u64, Vec<u8>) {
        let mut code = PUSH.to_vec();
        for target in calls {
            let at = start + code.len() as u64;
            code.extend(call(at, *target));
        }
        code.extend(POP);
        (name.to_owned(), start, code)
    }

    fn read(functions: &[(String, u64, Vec<u8>)]) -> Vec<Frame> {
        let functions: Vec<Function<'_>> = functions
            .iter()
            .map(|(name, start, code)| Function { name: name.clone(), start: *start, code })
            .collect();
        frames(&functions)
    }

    #[test]
    fn depths_add_up_and_recursion_is_seen() {
        let found = read(&[
            function("main", 0x100, &[0x200, 0x300]),
            function("twice", 0x200, &[0x300]),
            function("leaf", 0x300, &[]),
            function("even", 0x400, &[0x500]),
            function("odd", 0x500, &[0x400]),
            function("caller", 0x600, &[0x400]),
        ]);
        let depths: Vec<u64> = found.iter().map(|frame| frame.depth).collect();
        assert_eq!(depths, [60, 40, 20, 40, 20, 60]);
        let recursive: Vec<&str> =
            found.iter().filter(|f| f.recursive).map(|f| f.name.as_str()).collect();
        assert_eq!(recursive, ["even", "odd"]);
    }

    #[test]
    fn large_locals_are_counted_however_they_are_made() {
        let mut code = PUSH.to_vec();
        code.extend([0x41, 0xf2, 0x88, 0x3c]); // movw ip, #5000
        code.extend([0xad, 0xeb, 0x0c, 0x0d]); // sub.w sp, sp, ip
        let varies = [0xad, 0xeb, 0x03, 0x0d]; // sub.w sp, sp, r3
        let found = read(&[("a".into(), 0, code), ("b".into(), 0x100, varies.to_vec())]);
        assert_eq!((found[0].bytes, found[0].varies), (5020, false));
        assert!(found[1].varies);
    }

    #[test]
    fn kernels_are_found_by_their_operator() {
        let frame = |name: &str| Frame {
            name: name.to_owned(),
            start: 0,
            bytes: 0,
            depth: 0,
            recursive: false,
            varies: false,
        };
        let frames = [
            frame("torch::executor::native::add_out_helper(int)"),
            frame("torch::executor::native::add_out(executorch::runtime::KernelRuntimeContext&)"),
            frame("torch::executor::native::add_scalar_out(int)"),
        ];
        let start = |operator| kernel(&frames, operator).map(|f| f.name.as_str());
        assert_eq!(start("aten::add.out"), Some(frames[1].name.as_str()));
        assert_eq!(start("aten::add.Scalar_out"), Some(frames[2].name.as_str()));
        assert_eq!(start("aten::mul.out"), None);
        assert!(is_kernel_of("et_runtime::kernels::linear::addmm", "aten::addmm.out"));
        assert!(is_kernel_of(
            "torch::executor::native::add_out(int)::{lambda()#1}",
            "aten::add.out"
        ));
        assert!(!is_kernel_of("torch::executor::native::add_out(int)", "aten::addmm.out"));
        assert!(!is_kernel_of("my::addmm", "aten::addmm.out"));
    }

    #[test]
    fn any_bytes_are_code() {
        let mut state = 3u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        };
        let functions: Vec<(String, u64, Vec<u8>)> = (0..64u64)
            .map(|n| {
                (n.to_string(), u64::MAX - 20_000 + n * 300, (0..300).map(|_| next()).collect())
            })
            .collect();
        assert_eq!(read(&functions).len(), 64);
    }
}
