//! A payload becomes a graph: its nodes are drafted, fused as XNNPACK fuses
//! them, and turned into steps with packed weights.

mod draft;
mod fuse;
mod name;
mod step;
mod value;
mod widen;

use crate::error::{Result, ensure};
use crate::graph::Graph;
use draft::Drafts;
use et_schema::xnnpack::Payload;

/// Finds a constant that is not in the payload but in the program's named data.
pub type Constants<'a, 'f> = &'f dyn Fn(&str) -> Option<&'a [u8]>;

impl Graph {
    /// Loads `payload` to run with up to `threads` threads.
    ///
    /// # Errors
    /// A node or element type that is not supported, by name; a constant that
    /// is missing or too small; a graph that contradicts itself.
    pub fn load<'a>(
        payload: &Payload<'a>,
        constants: Constants<'a, '_>,
        threads: usize,
    ) -> Result<Self> {
        let mut values = value::Values::read(payload, constants)?;
        let mut drafts = Drafts::of(payload, &mut values)?;
        widen::widen(&mut drafts, &mut values);
        fuse::fuse(&mut drafts, &values);
        let names = name::names(&drafts, &values);
        let (inputs, outputs) = values.externals()?;
        let mut steps = Vec::with_capacity(drafts.nodes.len());
        let mut known: Vec<bool> = values.tensors.iter().map(|tensor| tensor.constant).collect();
        inputs.iter().for_each(|(_, index)| known[*index] = true);
        for (draft, name) in drafts.nodes.into_iter().zip(names) {
            let (index, kind) = (draft.node, draft.kind);
            for input in &draft.inputs {
                ensure!(known[*input], "node {index} ({kind}) reads a value before it is there");
            }
            for output in &draft.outputs {
                ensure!(!known[*output], "node {index} ({kind}) writes a value a second time");
                known[*output] = true;
            }
            let step = step::step(draft, name, &values).map_err(|e| e.at(index, kind))?;
            steps.push(step);
        }
        for (id, index) in &outputs {
            ensure!(known[*index], "no node writes output {id}");
        }
        Ok(Graph::new(values.into_tensors(&steps), steps, (inputs, outputs), threads))
    }
}
