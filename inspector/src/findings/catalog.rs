//! Every code that a finding can have, with what it means and what to do.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// May go wrong.
    Warning,
    /// Does not work.
    Error,
}

impl Severity {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A page of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Stable code, such as `ETM001`.
    pub code: &'static str,
    /// How bad a case of it is.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it happens.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = {
        code: $code:literal,
        severity: $severity:ident,
        title: $title:literal,
        meaning: $meaning:literal,
        remedy: $remedy:literal,
    },)+) => {
        /// Kind of a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$name,)+];

            /// The catalog's page.
            pub fn page(self) -> &'static Page {
                match self {
                    $(Code::$name => &Page {
                        code: $code,
                        severity: Severity::$severity,
                        title: $title,
                        meaning: $meaning,
                        remedy: $remedy,
                    },)+
                }
            }
        }
    };
}

codes! {
    /// A pool is too small.
    PoolExhausted = {
        code: "ETM001",
        severity: Error,
        title: "an allocator is too small for the program",
        meaning: "ExecuTorch's runtime takes planned buffers, its own objects and scratch memory \
                  from pools of fixed size. The program needs more of one of them than it has, \
                  so loading stops with MemoryAllocationFailed (0x21).",
        remedy: "Make the pool at least as large as the finding says. If the board has no such \
                 memory, plan less: quantize activations, use smaller inputs, or place planned \
                 buffers in another memory.",
    },
    /// Live tensors that share bytes.
    Overlap = {
        code: "ETM002",
        severity: Error,
        title: "two live tensors share bytes of a planned buffer",
        meaning: "The memory plan puts a tensor where another one lies that is still read later. \
                  Writing the one destroys the other, and results are wrong without any error.",
        remedy: "Export the program again with ExecuTorch's own memory planning. If the plan is \
                 made by a custom pass, check the lifetimes that it works with.",
    },
    /// A tensor reaches out of its planned buffer.
    OutsideBuffer = {
        code: "ETM003",
        severity: Error,
        title: "a tensor does not lie in its planned buffer",
        meaning: "The plan gives a tensor a place that ends behind the planned buffer, or in a \
                  buffer that the program does not have. Loading stops with \
                  MemoryAllocationFailed (0x21).",
        remedy: "Export the program again: its plan and the sizes of its planned buffers \
                 disagree, as after an edit of the file.",
    },
    /// A planned buffer much larger than what is live in it.
    Fragmented = {
        code: "ETM004",
        severity: Info,
        title: "the memory plan leaves gaps",
        meaning: "No plan for the same order of instructions can need less than the largest sum \
                  of bytes that are live at one moment. This plan needs considerably more, \
                  because tensors lie so that free bytes between them are of no use.",
        remedy: "Try the other memory planning algorithms of the exporter; `etinspect memory` \
                 shows what a better plan would need.",
    },
    /// A memory of the board is too small.
    MemoryExhausted = {
        code: "ETM005",
        severity: Error,
        title: "a memory of the target is too small for the pools in it",
        meaning: "Each pool lies in one memory of the board. The pools in this one, together with \
                  what the rest of the firmware takes, need more than it has.",
        remedy: "Move a pool to another memory of the board, give planned buffers a memory of \
                 their own, or make the program need less: quantize activations, use smaller \
                 inputs, delegate.",
    },
    /// An allocator that took something else than predicted.
    MeasuredDiffers = {
        code: "ETM006",
        severity: Warning,
        title: "measured memory differs from the prediction",
        meaning: "A trace or a log of the device shows an allocator that gave out more, less or \
                  other allocations than the program calls for under today's runtime. Usual \
                  causes: another ABI, no temp allocator, a backend or a custom kernel that \
                  allocates, another release of ExecuTorch, or a trace of another program.",
        remedy: "Size the pool by the larger of both numbers, and look at the first allocation \
                 that differs: it names the object at which device and prediction part.",
    },
    /// A limit of a budget that is exceeded.
    OverBudget = {
        code: "ETM007",
        severity: Error,
        title: "the program needs more than its budget allows",
        meaning: "The budget of the project limits how large the program, or one of its \
                  allocators, may become. A change of the model, of its quantization or of the \
                  exporter made it larger.",
        remedy: "Compare with the program before the change (`etinspect memory` of both: peak, \
                 tensors, suggestions), and undo what made it larger; or raise the limit of that \
                 name on purpose. `--budget-template` prints the limits of today.",
    },
    /// Operators without a kernel.
    MissingOperator = {
        code: "ETR001",
        severity: Error,
        title: "the program calls an operator that the runtime has no kernel for",
        meaning: "Each operator of a program needs a kernel of the same name and overload, built \
                  into the runtime. One that is missing stops loading with OperatorMissing (0x14).",
        remedy: "Register the kernels in the firmware (select them by the names that the finding \
                 lists), or export the program without these operators, for example by \
                 delegating or decomposing them.",
    },
    /// A write outside of the outputs.
    WriteOutside = {
        code: "ETR002",
        severity: Error,
        title: "an instruction changed memory that belongs to none of its outputs",
        meaning: "A kernel may write its outputs and nothing else. This one changed other bytes of \
                  a planned buffer, so some other tensor has lost its value.",
        remedy: "Look at the kernel of that operator and at the sizes of its output: the buffer \
                 that it was given is smaller than what it writes.",
    },
    /// A read of a value that nothing wrote.
    NeverWritten = {
        code: "ETR003",
        severity: Error,
        title: "an instruction reads a tensor that nothing has written",
        meaning: "At this instruction, the bytes of the tensor hold no value: it is no input, has \
                  no initial data, and no instruction has put it out. On a device it reads \
                  whatever lies there.",
        remedy: "Export the program again. If it comes from the exporter like this, check the \
                 passes that move or drop instructions; a buffer that is state needs an initial \
                 value.",
    },
    /// Two live tensors in the same bytes.
    LiveOverlap = {
        code: "ETR004",
        severity: Error,
        title: "a tensor is written over another one that is still to be read",
        meaning: "The memory plan gives the same bytes to two tensors that are needed at the same \
                  time, so that the later one destroys the earlier one.",
        remedy: "Plan the memory again (export with another MemoryPlanningPass algorithm), and \
                 check custom passes that set offsets.",
    },
    /// A value read after its bytes went to another.
    BytesReused = {
        code: "ETR005",
        severity: Error,
        title: "an instruction reads a tensor whose bytes were reused before",
        meaning: "The tensor had been written, but another one was written to the same bytes \
                  since, so what is read is the other one's value.",
        remedy: "The plan ends the tensor's life too early, or the instruction reads the wrong \
                 value: plan the memory again, and check the argument.",
    },
    /// A run without an end.
    RunsAway = {
        code: "ETR006",
        severity: Error,
        title: "the program runs without coming to an end",
        meaning: "The runtime stops when an execution has done more instructions than its limit, \
                  ten million unless told otherwise. A jump goes back and its condition never \
                  becomes true.",
        remedy: "Look at the jump behind that instruction and at what computes its condition.",
    },
    /// A tensor with two writers.
    WrittenTwice = {
        code: "ETR007",
        severity: Error,
        title: "two instructions write the same tensor",
        meaning: "An exported program writes each tensor at one place, unless it is state. Here a \
                  second instruction writes it, so one of them writes to the wrong place, and the \
                  tensor that it should write is left as it was.",
        remedy: "Check the output arguments of both instructions.",
    },
    /// An input that is written.
    OverwritesInput = {
        code: "ETR010",
        severity: Error,
        title: "an instruction overwrites an input of the method or a value of the program",
        meaning: "Inputs, and tensors whose value comes with the program, are there to be read. \
                  Only operators that work in place write them.",
        remedy: "Check the output argument of that instruction.",
    },
    /// A pool at an address that is not aligned.
    PoolMisaligned = {
        code: "ETM009",
        severity: Warning,
        title: "a pool of the firmware lies at an address that is not aligned",
        meaning: "Offsets of planned tensors and scratch memory are multiples of 16 from the start \
                  of their pool. If the pool itself is not aligned, nothing in it is: kernels with \
                  vectors and the neural processing unit fault, or read other bytes.",
        remedy: "Declare the array with alignas(16), as ExecuTorch's runners do, or place it by \
                 the linker script.",
    },
    /// An input that the program plans no memory for.
    InputUnplanned = {
        code: "ETM010",
        severity: Warning,
        title: "an input has no planned memory",
        meaning: "The program was exported so that the caller gives the memory of its inputs. The \
                  Arm runner does not: it writes the input's elements to where the tensor points, \
                  and that is address 0. Zephyr's sample, and runners that copy their inputs, do.",
        remedy: "Give the input memory with Method::set_input before executing, or export with \
                 MemoryPlanningPass(alloc_graph_input=True), the default.",
    },
    /// An output that nothing wrote.
    OutputNeverWritten = {
        code: "ETR008",
        severity: Error,
        title: "the method ends without having written an output",
        meaning: "No instruction wrote this output of the method. What the caller gets is what lay \
                  in its memory before.",
        remedy: "Check which instruction should write it: its output argument names another value.",
    },
    /// State without a value.
    StateWithoutValue = {
        code: "ETR009",
        severity: Warning,
        title: "state is read that has no value before the first run",
        meaning: "A buffer that the program keeps from one run to the next, such as a cache, is \
                  read in the first run. The program has no initial value for it, so on a device \
                  it holds whatever lies there; the C++ runtime does not clear planned buffers.",
        remedy: "Clear the planned buffers before the first run, or export with \
                 InitializedMutableBufferPass so that the program brings the initial value.",
    },
    /// The first NaN or infinity.
    NonFinite = {
        code: "ETN001",
        severity: Warning,
        title: "a number became NaN or infinite",
        meaning: "Everything before was finite. What follows from here spreads through the rest of \
                  the program.",
        remedy: "Look at the inputs of that instruction: a division by zero, the logarithm or root \
                 of a negative number, or an overflow (float16 ends at 65,504).",
    },
    /// Outputs that are not those of the bundle.
    OutputsDiffer = {
        code: "ETN002",
        severity: Error,
        title: "the outputs differ from those that the bundled program expects",
        meaning: "The runner compared the outputs with the bundle's, and at least one number is \
                  further away than its tolerance allows. verify_method_outputs returns NotFound \
                  (0x20) for that, which has nothing to do with a missing backend or file.",
        remedy: "Find the first instruction that differs with a trace that has the intermediate \
                 values and `etinspect compare`, or allow more (ET_ATOL and ET_RTOL in the Arm \
                 runner, --bundleio_atol and --bundleio_rtol elsewhere).",
    },
    /// Execution that did not come back.
    Hang = {
        code: "ETH001",
        severity: Error,
        title: "execution began and never ended",
        meaning: "The runner said that it starts the execution, and nothing after it. One of the \
                  instructions did not come back: its kernel or delegate waits, loops, or ran \
                  into a fault whose handler is silent.",
        remedy: "Check the candidates in their order. A journal in the firmware (docs/journal.md) \
                 names the instruction, and a fault handler that prints PC, CFSR and BFAR names \
                 the cause.",
    },
    /// A runner that fell silent before execution.
    SilentBefore = {
        code: "ETH002",
        severity: Error,
        title: "the runner fell silent before execution",
        meaning: "The log ends at a stage before the first instruction, without a failure. What \
                  the runner does between this line and the next did not come back.",
        remedy: "Look at what the finding says comes next, and at the pools that are used there.",
    },
    /// A runner that went on after a failed load.
    WentOn = {
        code: "ETH003",
        severity: Error,
        title: "the runner went on after a step that failed",
        meaning: "A step failed, the runner logged it and used the result all the same. The \
                  assertion or the crash that follows is a consequence and not the cause.",
        remedy: "Repair the first failure. In a runner of your own, return when \
                 Program::load_method has no value.",
    },
    /// A fault of the processor.
    ProcessorFault = {
        code: "ETH004",
        severity: Error,
        title: "the processor took a fault",
        meaning: "The processor refused an access or an instruction and called its fault handler. \
                  The fault status registers say which; an address register counts only if its \
                  valid bit is set.",
        remedy: "Follow the finding's reading of the registers. `arm-none-eabi-addr2line -e \
                 firmware.elf PC` names the line.",
    },
    /// A restart in mid-run.
    Reset = {
        code: "ETH005",
        severity: Error,
        title: "the board restarted in the middle of a run",
        meaning: "The log begins again before the run had ended. A watchdog ends what takes longer \
                  than its period, hung or slow; a brown-out or a lock-up restarts without a word.",
        remedy: "Read the reset reason register first. For a slow model, feed the watchdog from a \
                 timer or lengthen its period; for a hang, see the instruction that was in flight.",
    },
    /// A stack that is too small.
    StackOverrun = {
        code: "ETH006",
        severity: Error,
        title: "the stack is too small",
        meaning: "The stack grew beyond its end. On a processor with a stack limit register that \
                  is a fault (STKOF); on others the stack overwrites what lies below it, and \
                  anything can follow.",
        remedy: "Give the thread that runs the model a larger stack, fill it with a pattern at \
                 start, and look how much of the pattern is left after a run that works.",
    },
    /// An NPU that fails or never answers.
    NpuSilent = {
        code: "ETH007",
        severity: Error,
        title: "the neural processing unit fails or does not answer",
        meaning: "The Ethos-U driver waits for an interrupt without a limit, and refuses command \
                  streams that were made for another configuration. A wrong interrupt vector, a \
                  unit without power or clock, a scratch buffer that it cannot reach, or a stream \
                  for another unit show as silence or as an invocation error.",
        remedy: "Compare the configuration that the program was compiled for with the board's, \
                 check that the interrupt handler calls ethosu_irq_handler, and that scratch memory \
                 and command stream lie in memory that the unit can read.",
    },
    /// Memory that ran out where the runtime does not look.
    NullWrite = {
        code: "ETH008",
        severity: Error,
        title: "the method allocator runs out where the runtime does not check",
        meaning: "While it unpacks lists, ExecuTorch's loader does not check that the allocator \
                  gave it memory, and writes through the null pointer. The board faults or hangs \
                  instead of reporting MemoryAllocationFailed (0x21).",
        remedy: "Make the method allocator's pool as large as the finding says.",
    },
    /// A process that a signal ended.
    Killed = {
        code: "ETH009",
        severity: Error,
        title: "the process was ended by a signal",
        meaning: "The system or the program itself ended the process. `Aborted` is an assertion \
                  of the runtime or of a library, `Killed` mostly the system's reaction to memory \
                  that ran out, and the others are accesses that the processor refused.",
        remedy: "Read the last line before it. For `Killed`, look at what the system says about \
                 memory (`dmesg`, logcat's lowmemorykiller), and at what the method needs \
                 (`etinspect memory`).",
    },
    /// An output that looks as if nothing wrote it.
    OutputUnchanged = {
        code: "ETH010",
        severity: Warning,
        title: "an output looks as if nothing had written it",
        meaning: "All elements that the runner printed of an output have the same value, 0 or a \
                  pattern with which memory is filled. Either the model says so, or what should \
                  write the output did not, or wrote elsewhere: a neural processing unit whose \
                  base address or cache is not right reports success and leaves the output as it \
                  was.",
        remedy: "Run the same inputs on the host (`etinspect run`) and compare. If they differ, \
                 check where the output lies, that caches are cleaned before and invalidated \
                 after the delegate, and that the scratch memory is what the unit was given.",
    },
    /// Code that takes much of the stack.
    StackAtRisk = {
        code: "ETH011",
        severity: Warning,
        title: "the firmware's code takes more of the stack than there may be",
        meaning: "The frames of functions are counted from the firmware's code: saved registers and \
                  locals, and the deepest path of calls. A kernel with large locals or one that \
                  calls itself, or a path that is longer than the stack, writes below the stack's \
                  end. Calls through pointers are not seen, so that more may be needed.",
        remedy: "Give the thread that runs the model a stack of at least the depth that the \
                 finding says, with room for interrupts, or move large locals of the kernel into \
                 scratch memory.",
    },
    /// An assertion of the runtime.
    AssertFailed = {
        code: "ETR013",
        severity: Error,
        title: "an assertion of the runtime failed",
        meaning: "The runtime found a state that it takes for impossible and stopped the program. \
                  On a board without a console that is a silent hang.",
        remedy: "Read what the assertion says. Most often a call before it failed, and its result \
                 was used all the same.",
    },
    /// A program at an address that is not aligned.
    ProgramUnaligned = {
        code: "ETF001",
        severity: Error,
        title: "the program lies at an address that is not aligned",
        meaning: "ExecuTorch reads tables and constants in place. The program must lie at an \
                  address that is a multiple of 16; elsewhere loading is refused, or kernels read \
                  unaligned data, which faults on some processors.",
        remedy: "Declare the array with alignas(16), or place its section so in the linker script.",
    },
    /// A log, journal or trace of another program.
    OtherProgram = {
        code: "ETF002",
        severity: Warning,
        title: "the log or trace is of another program than the one that was given",
        meaning: "The sizes that the runner printed, or the operators that it traced, are not \
                  those of this program, so what is said about its instructions and tensors may \
                  not hold for the one on the board.",
        remedy: "Give the .pte that was built into the firmware.",
    },
    /// A trace that several methods may have left.
    SeveralMethods = {
        code: "ETF003",
        severity: Info,
        title: "the trace fits several methods of the program",
        meaning: "A trace names operators and instructions, but not the method. Methods with the \
                  same operators at the same instructions leave the same events.",
        remedy: "Name the method that ran with --method.",
    },
    /// An instruction that failed with a status.
    InstructionFailed = {
        code: "ETR011",
        severity: Error,
        title: "an instruction failed",
        meaning: "A kernel or a delegate returned an error, and the method stopped there.",
        remedy: "Look at the arguments of that instruction: shapes and types that the kernel does \
                 not take, or an output that it cannot resize.",
    },
    /// A status that the runner printed.
    StatusReported = {
        code: "ETR012",
        severity: Error,
        title: "the runner reported an error of the runtime",
        meaning: "A call of the runtime returned an error code.",
        remedy: "`etinspect explain CODE` says what it comes from.",
    },
    /// A clock that stands still.
    ClockStands = {
        code: "ETP001",
        severity: Warning,
        title: "the device's clock stands still",
        meaning: "All times of the trace are the same. On cores without a cycle counter, or where \
                  nothing starts it, et_pal_current_ticks returns 0.",
        remedy: "Start the cycle counter (DWT or the PMU), or give et_pal_current_ticks a timer of \
                 the board.",
    },
    /// A clock that wrapped around.
    ClockWrapped = {
        code: "ETP002",
        severity: Warning,
        title: "the device's clock wrapped around",
        meaning: "An event ends before it began: a 32-bit cycle counter starts again from 0 after \
                  2^32 cycles, which are 10.7 seconds at 400 MHz. Times across the wrap are wrong.",
        remedy: "Use a 64-bit timer in et_pal_current_ticks, or count the wraps in an interrupt.",
    },
    /// An allocator that grows from run to run.
    Growth = {
        code: "ETM008",
        severity: Warning,
        title: "an allocator grows from one run to the next",
        meaning: "A run takes memory that it does not give back. The temp allocator must be reset \
                  between runs, or the pool is used up after some of them.",
        remedy: "Reset the temp allocator after each execution, and look for allocations that a \
                 backend makes in every call.",
    },
    /// A backend that is not there.
    MissingBackend = {
        code: "ETD001",
        severity: Error,
        title: "the program has a delegate whose backend the runtime does not have",
        meaning: "A delegate is a part of the program that only its own backend can run. A \
                  runtime without that backend stops loading with NotFound (0x20).",
        remedy: "Link the backend into the firmware, or export the program without it.",
    },
    /// A backend that was stood in for.
    StubbedBackend = {
        code: "ETD002",
        severity: Info,
        title: "delegates were not run, their outputs are zeros",
        meaning: "With --stub-delegates a run goes on without the backends of its delegates. \
                  Whatever is computed from a delegate's outputs is computed from zeros.",
        remedy: "Use such a run for times and memory of the rest, not for its numbers.",
    },
    /// Operators between two delegates of the same backend.
    PartitionGap = {
        code: "ETD010",
        severity: Info,
        title: "operators on the CPU between two calls of the same backend",
        meaning: "The partitioner left these operators out, so that what could be one delegate is \
                  two: tensors cross the border twice, and each call has a cost of its own.",
        remedy: "Write the model so that these operators are not there or are ones that the \
                 backend takes, or change their element type or shape to what it takes.",
    },
    /// An Ethos-U payload that cannot be read, or only by another release.
    NpuPayload = {
        code: "ETD020",
        severity: Error,
        title: "an Ethos-U payload is damaged or of another release",
        meaning: "The backend reads the payload's blocks when the method is loaded. A block that \
                  is missing, too long or of an older layout stops loading with InvalidProgram \
                  (0x23).",
        remedy: "Export the program again, with the release of ExecuTorch that the firmware has.",
    },
    /// A command stream for another unit.
    NpuConfiguration = {
        code: "ETD021",
        severity: Error,
        title: "a command stream is for another Ethos-U than the one named",
        meaning: "The driver compares the unit that a stream was made for with the one that it \
                  has, and refuses a stream for another one. If the check is left out, the unit \
                  hangs or computes something else.",
        remedy: "Export with an EthosUCompileSpec for the unit of the board, with its number of \
                 MACs.",
    },
    /// Words of a command stream that are no commands.
    NpuStream = {
        code: "ETD022",
        severity: Error,
        title: "a command stream holds words that are no commands of the unit",
        meaning: "The unit stops with an error at a command that it does not know, or goes on \
                  with registers that were never set. Usual causes: a damaged file, or a stream \
                  for another generation of the unit.",
        remedy: "Export the program again; if the file was copied to the board, compare its hash \
                 there.",
    },
    /// A stream that never ends.
    NpuNoStop = {
        code: "ETD023",
        severity: Error,
        title: "a command stream does not end with a stop",
        meaning: "Only the stop at the end raises the interrupt that the driver waits for. Without \
                  it the unit runs into whatever follows, and the call never returns: the backend \
                  has no timeout.",
        remedy: "Export the program again: the stream is cut or damaged.",
    },
    /// An access outside of its region.
    NpuOutside = {
        code: "ETD024",
        severity: Error,
        title: "an Ethos-U operation reads or writes outside of its memory",
        meaning: "The unit is given the weights, a scratch memory and a fast scratch memory. An \
                  operation that leaves them reads bytes of others, destroys bytes of others, or \
                  faults on the bus and never answers.",
        remedy: "Export the program again: sizes and command stream disagree. A payload that was \
                 edited by hand needs at least the bytes that the finding names.",
    },
    /// An address that the unit cannot use.
    NpuMisaligned = {
        code: "ETD025",
        severity: Error,
        title: "an Ethos-U operation has an address that is not aligned",
        meaning: "Bricks of channels, weights and scales begin at multiples of 16 bytes, elements \
                  at multiples of their size. The unit ignores the lower bits, and so reads and \
                  writes somewhere else.",
        remedy: "Export the program again: the addresses in the command stream are damaged.",
    },
    /// A copy that is not waited for.
    NpuNoWait = {
        code: "ETD026",
        severity: Error,
        title: "an Ethos-U operation does not wait for bytes that are still being moved",
        meaning: "Copies run beside the arithmetic. An operation that uses their bytes without \
                  waiting gets old ones now and then, so that results change from run to run.",
        remedy: "Export the program again; if the stream was made by a compiler of your own, put \
                 a wait in front of the operation that the finding names.",
    },
    /// A read of bytes that nothing wrote.
    NpuNeverWritten = {
        code: "ETD027",
        severity: Error,
        title: "an Ethos-U operation reads bytes that nothing has written",
        meaning: "The scratch memory holds whatever was there before: the result depends on \
                  it, and changes with what ran earlier.",
        remedy: "Export the program again: addresses or shapes in the command stream are damaged.",
    },
    /// An output that no operation writes.
    NpuOutput = {
        code: "ETD028",
        severity: Error,
        title: "no Ethos-U operation writes an output",
        meaning: "The call succeeds, but the tensor behind the output holds what was in the \
                  scratch memory before.",
        remedy: "Export the program again: the places of inputs and outputs do not fit the \
                 command stream.",
    },
}

impl Code {
    /// The code with this name, in any letter case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.page().code.eq_ignore_ascii_case(name))
    }
}
