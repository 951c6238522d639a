//! The stages that a runner goes through, as far as its log shows them.

/// How far a runner came. Each is shown by the line that the runner prints
/// when it gets there; what it does next is what a silent log hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub enum Stage {
    /// Nothing of ExecuTorch in the log.
    #[default]
    Silent,
    /// The board is up.
    Started,
    /// The program's address is known.
    ProgramFound,
    /// The program's size is known.
    ProgramLoaded,
    /// The program's header was read.
    ProgramRead,
    /// The method was chosen.
    MethodChosen,
    /// The method allocator has its pool.
    PoolsReady,
    /// Planned buffers were set up.
    PlannedBuffersReady,
    /// The method was loaded.
    MethodLoaded,
    /// Inputs are being prepared.
    PreparingInputs,
    /// Inputs are there.
    InputsReady,
    /// The method began to execute.
    Executing,
    /// The method ended.
    Executed,
    /// Outputs were printed.
    OutputsPrinted,
    /// The runner is done.
    Complete,
}

impl Stage {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Silent => "nothing",
            Stage::Started => "started",
            Stage::ProgramFound => "program_found",
            Stage::ProgramLoaded => "program_loaded",
            Stage::ProgramRead => "program_read",
            Stage::MethodChosen => "method_chosen",
            Stage::PoolsReady => "pools_ready",
            Stage::PlannedBuffersReady => "planned_buffers_ready",
            Stage::MethodLoaded => "method_loaded",
            Stage::PreparingInputs => "preparing_inputs",
            Stage::InputsReady => "inputs_ready",
            Stage::Executing => "executing",
            Stage::Executed => "executed",
            Stage::OutputsPrinted => "outputs_printed",
            Stage::Complete => "complete",
        }
    }

    /// What had happened, for people.
    pub fn happened(self) -> &'static str {
        match self {
            Stage::Silent => "the log has no line of an ExecuTorch runner",
            Stage::Started => "the board started",
            Stage::ProgramFound => "the program was found in memory",
            Stage::ProgramLoaded => "the program's data was there",
            Stage::ProgramRead => "the program was read",
            Stage::MethodChosen => "the method was chosen",
            Stage::PoolsReady => "the method allocator was set up",
            Stage::PlannedBuffersReady => "the planned buffers were set up",
            Stage::MethodLoaded => "the method was loaded",
            Stage::PreparingInputs => "the inputs were being prepared",
            Stage::InputsReady => "the inputs were ready",
            Stage::Executing => "execution began",
            Stage::Executed => "execution ended",
            Stage::OutputsPrinted => "the outputs were printed",
            Stage::Complete => "the runner finished",
        }
    }

    /// What the runner does from here to its next line.
    pub fn next(self) -> &'static str {
        match self {
            Stage::Silent | Stage::Started => "starting the board and finding the program",
            Stage::ProgramFound => "reading the program's size",
            Stage::ProgramLoaded => "checking the program's header and tables (Program::load)",
            Stage::ProgramRead => "choosing the method",
            Stage::MethodChosen => "setting up the method allocator",
            Stage::PoolsReady => "allocating the planned buffers",
            Stage::PlannedBuffersReady => {
                "loading the method (Program::load_method): values, delegates, operators"
            }
            Stage::MethodLoaded | Stage::PreparingInputs => "preparing the inputs",
            Stage::InputsReady => "starting the execution",
            Stage::Executing => "executing the method's instructions",
            Stage::Executed => "printing numbers and outputs",
            Stage::OutputsPrinted => "finishing",
            Stage::Complete => "nothing",
        }
    }
}
