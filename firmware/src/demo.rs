//! The demonstrations: the three boards of the project's first bug report, and
//! a fault.

use crate::{clock, uart};
use et_runtime::kernels::{Args, Kernel, Outs};
use et_runtime::{KernelResult, LoadOptions, Method, OutputRef, PoolLimits, Program};
use et_schema::layout::Abi;
use et_schema::pte::File;
use etdump::journal::{Detail, Journal, JournalTracer};

/// A program in flash, aligned as ExecuTorch asks for.
#[repr(C, align(16))]
struct Aligned<T: ?Sized>(T);

static SOFTMAX: &Aligned<[u8]> =
    &Aligned(*include_bytes!("../../tests/fixtures/user_report/softmax_dim0_2x2.pte"));
static LINEAR: &Aligned<[u8]> =
    &Aligned(*include_bytes!("../../tests/fixtures/user_report/toy_linear_3_3.pte"));

static MOBILENET: &Aligned<[u8]> =
    &Aligned(*include_bytes!("../../tests/fixtures/models/mv2_w010_q/model.pte"));

/// Pool of the method allocator on the reported boards.
const POOL: u64 = 1024;

/// A program that runs to its end.
pub fn softmax(journal: Journal<'static>) -> bool {
    run(&SOFTMAX.0, journal, LoadOptions { limits: pools(POOL), ..options() })
}

/// A kernel that waits for an interrupt that never comes.
pub fn hang(journal: Journal<'static>) -> bool {
    const WAITING: &[(&str, Kernel)] = &[("aten::addmm.out", waits)];
    run(&LINEAR.0, journal, LoadOptions { kernels: WAITING, ..options() })
}

/// A quantized MobileNetV2 in the pool that was enough for the softmax.
pub fn small_pool(journal: Journal<'static>) -> bool {
    let limits = PoolLimits { planned: Some(POOL), ..pools(POOL) };
    run(&MOBILENET.0, journal, LoadOptions { limits, ..options() })
}

/// A kernel that reads where there is no memory.
pub fn fault(journal: Journal<'static>) -> bool {
    const FAULTING: &[(&str, Kernel)] = &[("aten::addmm.out", faults)];
    run(&LINEAR.0, journal, LoadOptions { kernels: FAULTING, ..options() })
}

fn options() -> LoadOptions {
    LoadOptions { abi: Abi::Arm32, ..LoadOptions::default() }
}

fn pools(method: u64) -> PoolLimits {
    PoolLimits { method: Some(method), ..PoolLimits::default() }
}

fn waits(_: &Args<'_>, _: &mut Outs<'_>) -> KernelResult {
    loop {
        cortex_m::asm::wfi();
    }
}

fn faults(_: &Args<'_>, _: &mut Outs<'_>) -> KernelResult {
    // SAFETY: none, that is the point: the access faults.
    let value = unsafe { (0xe300_0000 as *const u32).read_volatile() };
    uart::line(format_args!("read {value}"));
    Ok(())
}

/// Loads and runs `bytes` on ones, as ExecuTorch's runners do without inputs.
fn run(bytes: &'static [u8], journal: Journal<'static>, options: LoadOptions) -> bool {
    uart::line(format_args!(
        "I [executorch:demo.rs:1] PTE @ {:#x} [----ET12]",
        bytes.as_ptr() as usize
    ));
    uart::line(format_args!(
        "I [executorch:demo.rs:1] PTE Model data loaded. Size: {} bytes.",
        bytes.len()
    ));
    let file = match File::parse(bytes) {
        Ok(file) => file,
        Err(error) => return fails("program", &error),
    };
    let program = Program::new(file);
    let mut tracer = JournalTracer::new(journal, clock::now, Detail::Kernels, "forward");
    let mut method = match Method::load(&program, "forward", options, &mut tracer) {
        Ok(method) => method,
        Err(error) => {
            uart::line(format_args!(
                "I [executorch:demo.rs:1] Loading of method forward failed with status {:#x}",
                error.code.code()
            ));
            return fails("load", &error);
        }
    };
    uart::line(format_args!("I [executorch:demo.rs:1] Method 'forward' loaded."));
    if let Err(error) = method.set_inputs_to_ones() {
        return fails("inputs", &error);
    }
    uart::line(format_args!("I [executorch:demo.rs:1] Starting running 1 inferences..."));
    if let Err(error) = method.execute(&mut tracer) {
        return fails("execute", &error);
    }
    for (index, output) in method.outputs().enumerate() {
        if let OutputRef::Tensor(tensor) = output {
            for (element, bytes) in tensor.bytes().chunks_exact(4).enumerate() {
                let bits = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                let value = f32::from_bits(bits);
                uart::line(format_args!(
                    "Output[{index}][{element}]: (float) {value:?} bits {bits:#010x}"
                ));
            }
        }
    }
    uart::line(format_args!("I [executorch:demo.rs:1] Program complete, exiting."));
    true
}

fn fails(what: &str, error: &dyn core::fmt::Display) -> bool {
    uart::line(format_args!("E [executorch:demo.rs:1] {what}: {error}"));
    false
}
