//! Where an event comes from.

use super::program::InstructionFacts;
use et_schema::etrecord::{Module, Node};

/// Where an event comes from, as far as program and ETRecord tell.
#[derive(Clone, Debug, Default)]
pub struct Origin<'c> {
    /// The method that ran.
    pub method: Option<&'c str>,
    /// The instruction, if there is a program.
    pub instruction: Option<&'c InstructionFacts>,
    /// Why the program does not have it.
    pub mismatch: Option<String>,
    /// Debug handles, in the exporter's order.
    pub debug_handles: Option<&'c [i64]>,
    /// Number of outputs, as the ETRecord has it.
    pub output_count: Option<u32>,
    /// Backend of a delegate call and of the operations in it.
    pub backend: Option<&'c str>,
    /// Nodes of the graph before lowering, once for each time that a handle names them.
    pub nodes: Vec<&'c Node>,
}

impl<'c> Origin<'c> {
    /// Operators of the nodes.
    pub fn op_types(&self) -> impl Iterator<Item = &'c str> {
        self.nodes.iter().map(|node| node.op_type())
    }

    /// The nodes, each once.
    pub fn distinct_nodes(&self) -> Vec<&'c Node> {
        let mut distinct: Vec<&Node> = Vec::new();
        for node in &self.nodes {
            if !distinct.iter().any(|known| known.name == node.name) {
                distinct.push(node);
            }
        }
        distinct
    }

    /// Path of the innermost module that all nodes are in, such as
    /// `blocks.0.norm1`; empty if that is the model itself.
    pub fn module(&self) -> Option<&'c str> {
        let mut paths = self.nodes.iter().filter_map(|node| node.module()).map(|m| m.path.as_str());
        let first = paths.next()?;
        Some(paths.fold(first, common_path))
    }

    /// All modules around any of the nodes, each once.
    pub fn modules(&self) -> Vec<&'c Module> {
        let mut distinct: Vec<&Module> = Vec::new();
        for module in self.nodes.iter().filter_map(|node| node.modules.as_deref()).flatten() {
            if !distinct.iter().any(|known| known.key == module.key) {
                distinct.push(module);
            }
        }
        distinct
    }

    /// File and line in the model's source, `file:line`: of the first node, or
    /// of the stack that the program has.
    pub fn source(&self) -> Option<String> {
        if let Some((file, line)) = self.nodes.iter().find_map(|node| node.source()) {
            return Some(format!("{file}:{line}"));
        }
        let (file, line) = self.instruction?.source.as_ref()?;
        Some(format!("{file}:{line}"))
    }
}

/// The longest path that both are in.
fn common_path<'p>(a: &'p str, b: &str) -> &'p str {
    let mut end = 0;
    let mut other = b.split('.');
    for part in a.split('.') {
        if other.next() != Some(part) {
            break;
        }
        // The separator goes with the part behind it.
        end += part.len() + usize::from(end > 0);
    }
    &a[..end]
}

#[cfg(test)]
mod tests {
    use super::common_path;

    #[test]
    fn modules_have_a_common_path() {
        for (a, b, common) in [
            ("blocks.0.norm1", "blocks.0.norm2", "blocks.0"),
            ("blocks.0", "blocks.10", "blocks"),
            ("fc1", "fc2", ""),
            ("fc1", "fc1", "fc1"),
            ("fc1.a", "fc1", "fc1"),
            ("", "fc1", ""),
        ] {
            assert_eq!(common_path(a, b), common, "{a} {b}");
            assert_eq!(common_path(b, a), common, "{b} {a}");
        }
    }
}
