//! What program and ETRecord say of an event, in `etinspect.events/1`.

use et_inspector::correlate::{Argument, Call, InstructionFacts, Origin, Role, Site};
use serde::ser::{Serialize, Serializer};

/// What the ETRecord says, in the Inspector's columns.
#[derive(serde::Serialize)]
pub(super) struct NodesJson<'a> {
    op_types: Vec<&'a str>,
    delegate_backend_name: Option<&'a str>,
    debug_handles: Option<&'a [i64]>,
    num_outputs: Option<u32>,
    stack_traces: InOrder<Option<&'a str>>,
    module_hierarchy: InOrder<Option<InOrder<[&'a str; 2]>>>,
}

/// A JSON object in the order of its entries.
struct InOrder<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for InOrder<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'a> NodesJson<'a> {
    pub fn new(origin: &Origin<'a>) -> Self {
        let nodes = origin.distinct_nodes();
        // The Inspector appends an underscore to the names of nodes.
        let name = |name: &str| format!("{name}_");
        let stacks = nodes.iter().map(|n| (name(&n.name), n.stack_trace.as_deref()));
        let modules = nodes.iter().map(|n| {
            let stack = n.modules.as_deref().map(|modules| {
                let entry = |m: &'a et_schema::etrecord::Module| {
                    (m.key.clone(), [m.path.as_str(), m.class.as_str()])
                };
                InOrder(modules.iter().map(entry).collect())
            });
            (name(&n.name), stack)
        });
        NodesJson {
            op_types: origin.op_types().collect(),
            delegate_backend_name: origin.backend,
            debug_handles: origin.debug_handles,
            num_outputs: origin.output_count,
            stack_traces: InOrder(stacks.collect()),
            module_hierarchy: InOrder(modules.collect()),
        }
    }
}

/// What the program says.
#[derive(serde::Serialize)]
pub(super) struct InstructionJson<'a> {
    operator: &'a str,
    delegate: Option<u32>,
    arguments: Vec<ArgumentJson<'a>>,
    producers: Vec<SiteJson>,
    consumers: Vec<SiteJson>,
}

#[derive(serde::Serialize)]
struct ArgumentJson<'a> {
    value: u32,
    role: &'static str,
    dtype: &'a str,
    shape: &'a [i32],
    bytes: Option<u64>,
    memory_id: Option<u32>,
    offset: Option<u64>,
    name: Option<&'a str>,
}

#[derive(serde::Serialize)]
struct SiteJson {
    chain: u32,
    instruction: u32,
}

impl<'a> InstructionJson<'a> {
    pub fn new(facts: &'a InstructionFacts) -> Self {
        let delegate = match &facts.call {
            Call::Delegate { index, .. } => Some(*index),
            _ => None,
        };
        let sites = |sites: &[Site]| {
            let json = |s: &Site| SiteJson { chain: s.chain.0, instruction: s.instruction.0 };
            sites.iter().map(json).collect()
        };
        InstructionJson {
            operator: facts.name(),
            delegate,
            arguments: facts.arguments.iter().map(ArgumentJson::new).collect(),
            producers: sites(&facts.producers),
            consumers: sites(&facts.consumers),
        }
    }
}

impl<'a> ArgumentJson<'a> {
    fn new(argument: &'a Argument) -> Self {
        ArgumentJson {
            value: argument.value.0,
            role: match argument.role {
                Role::Input => "input",
                Role::Output => "output",
            },
            dtype: argument.dtype,
            shape: &argument.sizes,
            bytes: argument.bytes,
            memory_id: argument.allocation.map(|a| a.memory_id.0),
            offset: argument.allocation.map(|a| a.offset),
            name: argument.name.as_deref(),
        }
    }
}
