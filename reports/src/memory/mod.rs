//! The prediction of a program's memory as SVG, HTML, Markdown and a Chrome trace.
//!
//! ```text
//! words.rs     numbers and escaped texts
//! layers.rs    live bytes by what wrote them
//! live.rs      chart: bytes that are live, by instruction
//! map.rs       chart: where each tensor lies, and from when to when
//! board.rs     chart: how full the memories of a board are
//! bars.rs      chart: what each allocator needs
//! compared.rs  chart: predicted beside measured
//! svg.rs       all charts as one picture
//! html.rs      a page that needs no other file and no script
//! markdown.rs  for pull requests
//! chrome.rs    as ExecuTorch's memory-planning trace
//! ```

mod bars;
mod board;
mod chrome;
mod compared;
pub(crate) mod html;
mod layers;
mod live;
mod map;
pub(crate) mod markdown;
pub(crate) mod svg;
pub(crate) mod words;

pub use chrome::chrome;
pub use html::html;
pub use markdown::markdown;
pub use svg::svg;
pub use words::markdown as escape_markdown;

use et_inspector::budget::Check;
use et_inspector::findings::Finding;
use et_inspector::memory::measured::Comparison;
use et_inspector::memory::{MethodMemory, TraceMemory};
use et_inspector::target::{Fit, Needs, Settings, Target};

/// Everything that a document shows.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The program, as the user named it.
    pub model: String,
    /// Bytes of the program file.
    pub program: u64,
    /// Name of the ABI.
    pub abi: &'a str,
    /// The board, if one was named.
    pub target: Option<&'a Target>,
    /// Its methods.
    pub methods: Vec<Page<'a>>,
    /// What was found in all of them.
    pub findings: Vec<Finding>,
}

/// What is shown of one method.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The prediction.
    pub memory: &'a MethodMemory<'a>,
    /// Bytes that each pool must have.
    pub needs: Needs,
    /// Whether it fits the board.
    pub fit: Option<Fit>,
    /// The settings that make it run.
    pub settings: Settings,
    /// What recording a trace takes, if firmware does.
    pub trace: Option<TraceMemory>,
    /// The limits of a budget; empty without one.
    pub budget: Vec<Check>,
    /// What a trace measured.
    pub measured: Option<&'a Comparison>,
}

/// A row of the table of allocators.
struct Need {
    name: String,
    bytes: u64,
    note: String,
}

impl Page<'_> {
    /// What each allocator needs, in the order of the text page.
    fn allocators(&self, program: u64) -> Vec<Need> {
        let (memory, loading) = (self.memory, &self.memory.loading);
        let plans = memory.plan.buffers.iter().zip(memory.our_plans());
        let mut needs: Vec<Need> = plans
            .map(|(buffer, ours)| Need {
                name: format!("planned_{}", buffer.memory_id),
                bytes: buffer.size,
                note: format!(
                    "lower bound {}, our plan {} ({})",
                    words::bytes(buffer.lower_bound),
                    words::bytes(ours.size),
                    ours.planner.name()
                ),
            })
            .collect();
        let mut add = |name: &str, bytes: u64, note: String| {
            needs.push(Need { name: name.to_owned(), bytes, note });
        };
        let allocations = words::number(loading.method.len() as u64);
        let note = match memory.method_used_by_backends() {
            0 => format!("{allocations} allocations while loading"),
            bytes => {
                let bytes = words::bytes(bytes);
                format!("{allocations} allocations while loading, and {bytes} of backends")
            }
        };
        add("method", memory.method_used(), note);
        let inputs = loading.inputs.saturating_add(memory.unplanned_inputs);
        add("inputs", inputs, "of the method allocator, by the runners".into());
        let temp = loading.temp_peak.max(memory.temp_executing());
        let required = words::bytes(memory.temp_required());
        add("temp", temp, format!("a pool of {required} serves every instruction"));
        add("program", program, "in flash or RAM".into());
        for delegate in &memory.delegates {
            let note = delegate.note.unwrap_or("scratch of the temp allocator at each call");
            match delegate.heap {
                Some(heap) => add(&delegate.id, heap, format!("of the heap, {note}")),
                None => add(&delegate.id, delegate.scratch.unwrap_or(0), note.to_owned()),
            }
        }
        if let Some(trace) = self.trace {
            let executions = words::number(trace.request.executions);
            let notes: Vec<String> = [format!("{executions} executions")]
                .into_iter()
                .chain(trace.notes().into_iter().map(str::to_owned))
                .collect();
            add("etdump", trace.etdump, notes.join("; "));
            if trace.request.debug_buffer {
                add("debug_buffer", trace.debug_buffer, "aligned to 64".into());
            }
        }
        needs
    }
}
