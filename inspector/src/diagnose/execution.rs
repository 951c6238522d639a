//! The execution: which instruction was in flight when the device fell silent
//! or faulted, and what may have stopped it.

use super::candidates::{Candidate, Likelihood};
use super::fault::{self, fault_bits};
use super::in_flight::InFlight;
use super::same_program::is_same_program;
use super::work::multiply_accumulates;
use super::{Case, npu};
use crate::findings::{Code, Fault, Finding, guarded};
use crate::log::{Crash, Register, Run, Stage};
use crate::stack::is_kernel_of;
use crate::target::Needs;
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::{Instruction, Method};
use std::fmt::Write;

/// Multiply-accumulates that no board takes long for: some milliseconds at
/// ten cycles each.
const QUICK: u64 = 1_000_000;

/// Operators whose kernels pick functions by element type through tables of
/// function pointers. Where startup code leaves such tables zero, these fault
/// or hang while others run (ExecuTorch issues 7177 and 9356).
const BY_TABLE: [&str; 10] = [
    "aten::add.",
    "aten::sub.",
    "aten::mul.",
    "aten::div.",
    "aten::sigmoid.",
    "aten::addmm.",
    "aten::linear.",
    "aten::where.",
    "aten::clamp.",
    "aten::maximum.",
];

/// What is known of the execution.
#[derive(Default)]
pub(super) struct Execution {
    pub in_flight: Option<InFlight>,
    pub candidates: Vec<Candidate>,
    pub findings: Vec<Finding>,
}

/// Looks at the execution.
pub(super) fn look(case: &Case<'_>) -> Execution {
    let mut execution = Execution::default();
    let Some(run) = case.run else { return execution };
    if let Some((chain, instruction)) = run.endless {
        execution.findings.push(endless(case, chain, instruction));
    }
    let executing = run.stage == Stage::Executing;
    let stopped = run.endless.is_some()
        || run.npu_error.is_some()
        || run.failures.iter().any(|f| f.line >= run.reached.line);
    // An assertion that is none of a failed call is the instruction's own.
    let failed = stopped || run.asserts.iter().any(|assert| assert.line < run.reached.line);
    if executing && !failed {
        execution.in_flight = in_code(case, &run.crash).or_else(|| first(&case.evidence.method));
    }
    if !run.crash.is_empty() {
        let after = run.happened();
        let hung = execution.in_flight.as_ref();
        execution.findings.push(crash(case, &run.crash, hung, &after));
    } else if executing
        && !failed
        && run.asserts.is_empty()
        && run.killed.is_none()
        && run.heap.is_none()
    {
        execution.candidates = candidates(case, run, execution.in_flight.as_ref());
        execution.findings.push(hang(run, execution.in_flight.as_ref(), &execution.candidates));
    }
    if let Some((used, size)) = run.stack.filter(|(used, size)| used >= size) {
        execution.findings.push(
            Finding::new(
                Code::StackOverrun,
                format!("the thread used {used} bytes of its stack of {size}"),
                format!("give the thread at least {} bytes of stack", used.saturating_mul(2)),
            )
            .with("used_bytes", used)
            .with("stack_bytes", size),
        );
    }
    execution
}

/// The first instruction of the method: it or a later one was in flight.
fn first(method: &Method<'_>) -> Option<InFlight> {
    let count: usize = method.chains().map(|chain| chain.instruction_count()).sum();
    (count > 0).then(|| InFlight::at(method, (ChainId(0), InstructionId(0)), count > 1))
}

/// The instruction whose kernel the processor was in, or returned to: the first,
/// if there are several of its operator. Of a backtrace, the innermost kernel.
fn in_code(case: &Case<'_>, crash: &Crash) -> Option<InFlight> {
    let method = &case.evidence.method;
    let of_register = |register| {
        let address = *crash.registers.get(&register)?;
        Some(case.evidence.symbols.find(address & !1)?.name.to_string())
    };
    let registers = [Register::Pc, Register::Lr].into_iter().filter_map(of_register);
    let frames = crash.frames.iter().cloned();
    registers.chain(frames).find_map(|function| {
        let of_kernel = |place: &(ChainId, InstructionId)| {
            is_kernel_of(&function, &crate::memory::operator_name(method, *place))
        };
        let mut places = places_of(method).filter(of_kernel);
        let place = places.next()?;
        Some(InFlight::at(method, place, places.next().is_some()))
    })
}

/// Every instruction of the method.
fn places_of(method: &Method<'_>) -> impl Iterator<Item = (ChainId, InstructionId)> {
    method.chains().enumerate().flat_map(|(chain, instructions)| {
        let count = instructions.instruction_count() as u32;
        (0..count).map(move |index| (ChainId(chain as u32), InstructionId(index)))
    })
}

fn endless(case: &Case<'_>, chain: u64, instruction: u64) -> Finding {
    let index = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let place = (ChainId(index(chain)), InstructionId(index(instruction)));
    let operator = crate::memory::operator_name(&case.evidence.method, place);
    guarded(Fault::RunsAway(10_000_000), Some(place), Some(operator), &[], &(0..0))
}

fn hang(run: &Run, in_flight: Option<&InFlight>, candidates: &[Candidate]) -> Finding {
    let where_ = in_flight.map_or_else(|| "an instruction".to_owned(), or_later);
    let finding = Finding::new(
        Code::Hang,
        format!("{}, {where_} never ended", run.happened()),
        match candidates.first() {
            Some(first) => format!("most probable: {}. {}", first.cause, first.check),
            None => "see `etinspect explain ETH001`".to_owned(),
        },
    );
    let finding = finding
        .with("line", run.reached.line)
        .with("text", &run.reached.text)
        .with_some("executions_ended", Some(run.executions.ended).filter(|ended| *ended > 0))
        .with_some("timed_out_line", run.timed_out)
        .with_some("watchdog_line", run.barked)
        .with_some(
            "silent_after_micros",
            run.times.map(|(first, last)| last.saturating_sub(first)),
        );
    match in_flight {
        Some(at) => finding.at((at.chain, at.instruction), at.operator.clone()),
        None => finding,
    }
}

/// `instruction 0:0 (aten::add.out)`, `... or a later one`.
pub(super) fn or_later(in_flight: &InFlight) -> String {
    let later = if in_flight.or_later { " or a later one" } else { "" };
    format!("instruction {}{later}", in_flight.place())
}

/// The finding of a fault, in an instruction or `after` something.
pub(super) fn crash(
    case: &Case<'_>,
    crash: &Crash,
    in_flight: Option<&InFlight>,
    after: &str,
) -> Finding {
    let reading = fault::read(crash);
    let register = |r| crash.registers.get(&r).copied();
    let bits = fault_bits(register(Register::Cfsr), register(Register::Hfsr));
    let code = if reading.stack { Code::StackOverrun } else { Code::ProcessorFault };
    let during = match in_flight {
        Some(at) => format!("in {}", or_later(at)),
        None => format!("after {after}"),
    };
    let explain = |address: u64| {
        let known = case.addresses.explain(address);
        let outside = case.addresses.has_memory(address) == Some(false);
        known.unwrap_or_else(|| {
            if outside { "no memory of the board".into() } else { "unknown".into() }
        })
    };
    let mut finding = Finding::new(code, format!("{} {during}", reading.cause), reading.remedy)
        .with_some("line", (crash.line > 0).then_some(crash.line))
        .with_some("kinds", (!crash.kinds.is_empty()).then(|| crash.kinds.join(", ")));
    if let Some(address) = reading.address {
        finding =
            finding.with("address", format!("{address:#x}")).with("address_is", explain(address));
    }
    let shown = [("pc", "pc_is", Register::Pc), ("lr", "lr_is", Register::Lr)];
    for (name, is, r) in shown {
        if let Some(value) = register(r) {
            finding = finding.with(name, format!("{value:#x}")).with(is, explain(value & !1));
        }
    }
    if let Some(sp) = register(Register::Sp) {
        finding = finding.with("sp", format!("{sp:#x}")).with("sp_is", explain(sp));
    }
    let registers = [("cfsr", Register::Cfsr), ("hfsr", Register::Hfsr)];
    for (name, r) in registers {
        finding = finding.with_some(name, register(r).map(|value| format!("{value:#010x}")));
    }
    for bit in bits {
        finding = finding.with("bit", format!("{}: {}", bit.name, bit.meaning));
    }
    match in_flight {
        Some(at) => finding.at((at.chain, at.instruction), at.operator.clone()),
        None => finding,
    }
}

/// The causes of a silent execution, ranked.
fn candidates(case: &Case<'_>, run: &Run, in_flight: Option<&InFlight>) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = [
        unit(case, run),
        tables(case, run, in_flight),
        Some(stack(case, run)),
        Some(silent_fault()),
        of_a_later_execution(case, run),
        temp(case, run),
        Some(endless_loop(case)),
        Some(slow(case)),
        pools(case, run),
        alignment(run),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|candidate| candidate.likelihood);
    all
}

fn unit(case: &Case<'_>, run: &Run) -> Option<Candidate> {
    let method = &case.evidence.method;
    let mut ids: Vec<&str> = method.delegates().map(|delegate| delegate.id()).collect();
    ids.dedup();
    let id = *ids.first()?;
    let ethos = id == npu::BACKEND;
    let places = places(&npu::calls(method, id));
    Some(Candidate {
        code: Code::NpuSilent,
        cause: format!("delegate {id} does not come back{places}"),
        likelihood: Likelihood::Likely,
        why: match (ethos, ended_before(case, run)) {
            (true, None) => "its driver waits for the unit's interrupt without a limit".into(),
            (true, Some(ended)) => format!(
                "its driver waits for the unit's interrupt without a limit; it came in {ended}"
            ),
            (false, _) => format!("the method gives work to {}", ids.join(", ")),
        },
        check: if ethos {
            "Check the unit's power, clock and interrupt vector, and its configuration against \
             the program's"
                .into()
        } else {
            "Look into the backend: a thread that waits, or memory that it waits for".into()
        },
    })
}

/// `the 3 executions before`, if there were some of the program that was given.
fn ended_before(case: &Case<'_>, run: &Run) -> Option<String> {
    match run.executions.ended {
        _ if !is_same_program(case, run) => None,
        0 => None,
        1 => Some("the execution before".into()),
        ended => Some(format!("the {ended} executions before")),
    }
}

/// What tells an execution from those before it, which went well.
fn of_a_later_execution(case: &Case<'_>, run: &Run) -> Option<Candidate> {
    let ended = ended_before(case, run)?;
    Some(Candidate {
        code: Code::Growth,
        cause: "memory was used up or overwritten since the first execution".into(),
        likelihood: Likelihood::Possible,
        why: format!(
            "{ended} ran the same instructions to their end; what differs is the input, and what \
             was done to memory since"
        ),
        check: "Print what the allocators and the stack have left after each execution, reset the \
                temp allocator there, and run the input that hangs on the host: `etinspect run`"
            .into(),
    })
}

/// The instructions that call an operator.
fn calls(method: &Method<'_>, operator: &str) -> Vec<(ChainId, InstructionId)> {
    let chains = method.chains().enumerate();
    let places = chains.flat_map(|(chain, instructions)| {
        (0..instructions.instruction_count())
            .map(move |index| (ChainId(chain as u32), InstructionId(index as u32)))
    });
    places.filter(|at| crate::memory::operator_name(method, *at) == operator).collect()
}

/// `, in instruction 0:1`, `, first in instruction 0:1 of 3`.
fn places(calls: &[(ChainId, InstructionId)]) -> String {
    match calls {
        [] => String::new(),
        [(chain, instruction)] => format!(", in instruction {chain}:{instruction}"),
        [(chain, instruction), ..] => {
            format!(", first in instruction {chain}:{instruction} of {}", calls.len())
        }
    }
}

fn tables(case: &Case<'_>, run: &Run, in_flight: Option<&InFlight>) -> Option<Candidate> {
    let method = &case.evidence.method;
    let by_table = |name: &str| BY_TABLE.iter().any(|known| name.starts_with(known));
    let called = method.operators().map(|o| o.to_string()).find(|name| by_table(name))?;
    let places = places(&calls(method, &called));
    let first = in_flight.is_some_and(|at| by_table(&at.operator) || !at.or_later);
    let refuted = ended_before(case, run);
    let likelihood = match refuted {
        Some(_) => Likelihood::RuledOut,
        None if first => Likelihood::Likely,
        None => Likelihood::Possible,
    };
    let why = refuted.map(|ended| format!("{ended} went through the same tables"));
    Some(Candidate {
        code: Code::ProcessorFault,
        cause: format!(
            "{called} jumps through a function pointer that startup code left zero{places}"
        ),
        likelihood,
        why: why.unwrap_or_else(|| {
            "its kernel picks functions by element type through a table in .data.rel.ro or .got; \
             on boards where softmax runs and add does not, this was the reason"
                .into()
        }),
        check: "Check that the linker script copies .data.rel.ro and .got, that __libc_init_array \
                runs before main, and print PC in the fault handler"
            .into(),
    })
}

fn stack(case: &Case<'_>, run: &Run) -> Candidate {
    let (likelihood, mut why) = match run.stack {
        Some((used, size)) if used.saturating_mul(4) >= size.saturating_mul(3) => {
            (Likelihood::Likely, format!("the thread had used {used} of its {size} bytes before"))
        }
        Some((used, size)) => (
            Likelihood::Possible,
            format!("the thread had used {used} of its {size} bytes before the kernel"),
        ),
        None if ended_before(case, run).is_some() => (
            Likelihood::Unlikely,
            "kernels take about as much of the stack in each execution".into(),
        ),
        None => (
            Likelihood::Possible,
            "kernels keep sizes, strides and index ranges of up to 16 dimensions on the stack; the \
             log does not say how large it is"
                .into(),
        ),
    };
    if let Some(ended) = ended_before(case, run) {
        let _ = write!(why, "; {ended} had enough of it");
    }
    if let Some((operator, frame)) = super::firmware::kernels(case).first() {
        let _ = write!(why, "; {}", super::firmware::describe(operator, frame));
    }
    Candidate {
        code: Code::StackOverrun,
        cause: "the stack overflowed in a kernel".into(),
        likelihood,
        why,
        check: "Give the thread 8 KiB or more, fill the stack with a pattern and look what is left"
            .into(),
    }
}

fn silent_fault() -> Candidate {
    Candidate {
        code: Code::ProcessorFault,
        cause: "a fault in a kernel, with a handler that only loops".into(),
        likelihood: Likelihood::Possible,
        why: "the log has no line of a fault handler, and the default ones print nothing".into(),
        check: "Print PC, LR, CFSR, HFSR and BFAR in HardFault_Handler, or halt the board with a \
                debugger"
            .into(),
    }
}

fn temp(case: &Case<'_>, run: &Run) -> Option<Candidate> {
    let refused = run.allocation_failures.iter().rfind(|f| f.after == Stage::Executing);
    if let Some(refused) = refused.filter(|f| f.line >= run.reached.line) {
        return Some(Candidate {
            code: Code::PoolExhausted,
            cause: "memory was refused that the execution asked for".into(),
            likelihood: Likelihood::Likely,
            why: format!("line {}: {} bytes were refused", refused.line, refused.requested),
            check: "Give the MemoryManager a larger temp allocator, and reset it after each \
                    execution"
                .into(),
        });
    }
    let method = &case.evidence.method;
    let topk = method.operators().find(|operator| operator.name == "aten::topk");
    let scratch = case.memory.delegates.iter().filter_map(|d| d.scratch).max().unwrap_or(0);
    let needs = topk.is_some() || scratch > 0;
    Some(Candidate {
        code: Code::PoolExhausted,
        cause: "a kernel or delegate gets no scratch memory".into(),
        likelihood: if needs { Likelihood::Possible } else { Likelihood::RuledOut },
        why: if needs {
            format!("the method needs a temp allocator at run time ({scratch} bytes of scratch)")
        } else {
            "no kernel of this method takes scratch memory at run time".into()
        },
        check: "Give the MemoryManager a temp allocator".into(),
    })
}

fn endless_loop(case: &Case<'_>) -> Candidate {
    let chains = case.evidence.method.chains();
    let jumps = chains
        .flat_map(|chain| chain.instructions())
        .filter(|i| matches!(i, Instruction::JumpFalse { .. }))
        .count();
    Candidate {
        code: Code::RunsAway,
        cause: "the program loops without end".into(),
        likelihood: if jumps > 0 { Likelihood::Possible } else { Likelihood::RuledOut },
        why: match jumps {
            0 => "the method has no jumps".into(),
            n => {
                format!("the method has {n} jumps; the runtime stops after 10,000,000 instructions")
            }
        },
        check: "Run it on the host: `etinspect run` stops at the same limit".into(),
    }
}

fn slow(case: &Case<'_>) -> Candidate {
    let work = multiply_accumulates(&case.evidence.method);
    let clock = case.evidence.target.and_then(|target| target.clock_mhz);
    let seconds = |cycles: u64| {
        let mhz = u64::from(clock.unwrap_or(100)).max(1);
        work.saturating_mul(cycles) as f64 / (mhz as f64 * 1e6)
    };
    let quick = work < QUICK;
    Candidate {
        code: Code::Hang,
        cause: "it is not hung but slow".into(),
        likelihood: if quick { Likelihood::RuledOut } else { Likelihood::Possible },
        why: if quick {
            format!("the whole method is {work} multiply-accumulates")
        } else {
            format!(
                "the method is {work} multiply-accumulates: {:.1} to {:.1} s at 1 to 30 cycles \
                 each and {} MHz",
                seconds(1),
                seconds(30),
                clock.unwrap_or(100)
            )
        },
        check: "Wait that long, or toggle a pin in a timer interrupt".into(),
    }
}

fn pools(case: &Case<'_>, run: &Run) -> Option<Candidate> {
    let pool = run.method_pool?;
    let needs = Needs::of(&case.memory, case.evidence.file.bytes().len() as u64);
    let without_temp = case.memory.used_without_temp_allocator;
    let more = without_temp.saturating_sub(case.memory.loading.method_used);
    let required = needs.method_pool(None).saturating_add(more);
    let fits = required <= pool && is_same_program(case, run);
    let (least, _) = super::pools::required(case, run);
    let short = pool < least && is_same_program(case, run);
    Some(Candidate {
        code: Code::NullWrite,
        cause: "the method allocator ran out and the runtime went on".into(),
        likelihood: match (fits, short) {
            (true, _) => Likelihood::RuledOut,
            (false, true) => Likelihood::Possible,
            (false, false) => Likelihood::Unlikely,
        },
        why: if fits {
            format!("the method needs at most {required} of the pool's {pool} bytes")
        } else if short {
            format!(
                "the pool has {pool} bytes and the program needs {least}, although the runner said \
                 that the method was loaded"
            )
        } else {
            "the runner said that the method was loaded".into()
        },
        check: "`etinspect memory` says how large the pool must be".into(),
    })
}

fn alignment(run: &Run) -> Option<Candidate> {
    let address = run.program_address?;
    let aligned = address.is_multiple_of(16);
    Some(Candidate {
        code: Code::ProgramUnaligned,
        cause: "the program lies unaligned".into(),
        likelihood: if aligned { Likelihood::RuledOut } else { Likelihood::Likely },
        why: format!("its address is {address:#x}"),
        check: "Declare the program's array with alignas(16)".into(),
    })
}
