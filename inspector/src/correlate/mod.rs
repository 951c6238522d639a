//! Which instruction of a program, and which node of the model, an event is of.
//!
//! A trace only has numbers: chain, instruction and a delegate's own operation.
//! [`Correlation`] resolves them with what there is: the program gives the
//! operator, its tensors with their places in memory, and which instructions
//! they come from and go to; an ETRecord gives the nodes of the graph before
//! lowering, with their modules and source lines.
//!
//! A trace does not say which method ran. Each block of events is matched with
//! the method whose operators it names.
//!
//! Operators, modules and source lines from an ETRecord are those that
//! ExecuTorch's Inspector shows (`_gen_resolve_debug_handles` and
//! `_associate_with_op_graph_nodes` in `devtools/inspector/_inspector.py`),
//! which knows the method `forward` only.

mod coverage;
mod method;
mod module_total;
mod modules;
mod origin;
mod program;
mod record;

pub use coverage::{Coverage, Matches, Unmatched};
pub(crate) use method::is_kernel_of;
pub use method::{CorrelateError, Correlation};
pub use module_total::{find_total_for_module, module_time};
pub use modules::modules;
pub use origin::Origin;
pub use program::{Argument, Call, InstructionFacts, Instructions, Role, Site};
