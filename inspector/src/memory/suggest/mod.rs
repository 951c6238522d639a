//! What would make the planned buffers smaller, each with the size that is
//! computed for it by our own planners.
//!
//! ```text
//! layout.rs   blocks by planned buffer, and what they need
//! in_place.rs element-wise outputs that lie where an input ends
//! reorder.rs  another order of independent instructions
//! split.rs    one planned buffer over two memories
//! tile.rs     the layers at the peak in stripes of rows
//! rows.rs     which operators work by rows
//! ```

mod in_place;
mod layout;
mod reorder;
mod rows;
mod split;
mod tile;

use super::plan::{Plan, Step};
use et_schema::ScalarType;
use et_schema::ids::ValueId;
use et_schema::pte::{Method, Value};
use layout::Layout;

/// What to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Place the same tensors better.
    Plan,
    /// Alias outputs of element-wise operators to inputs.
    InPlace,
    /// Make float32 activations int8.
    Int8,
    /// Run independent instructions in another order.
    Reorder,
    /// Run the layers at the peak in stripes.
    Tile,
    /// Divide a planned buffer between two memories.
    Split,
}

impl Change {
    /// Name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Change::Plan => "plan",
            Change::InPlace => "in_place",
            Change::Int8 => "int8",
            Change::Reorder => "reorder",
            Change::Tile => "tile",
            Change::Split => "split",
        }
    }
}

/// A change and what it brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What to change.
    pub change: Change,
    /// What to do, in one sentence.
    pub title: String,
    /// Bytes of planned buffers afterwards; of the larger one after a split.
    pub planned: u64,
    /// Bytes less than now.
    pub saves: u64,
    /// Bytes of each part of a divided planned buffer, empty for other changes.
    pub parts: Vec<u64>,
    /// The tensors that it is about, largest first.
    pub values: Vec<ValueId>,
    /// The instructions that it is about.
    pub steps: Vec<Step>,
}

/// Suggestions for the plan of `method`, the most bytes saved first. Our own
/// plans for it need `ours` bytes.
pub fn suggestions(method: &Method<'_>, plan: &Plan, ours: u64) -> Vec<Suggestion> {
    let now = plan.size();
    let layout = Layout::new(plan);
    let all = [
        better_plan(plan, ours),
        in_place::suggest(method, plan, &layout),
        int8(method, plan, &layout),
        reorder::suggest(method, plan, &layout, ours),
        tile::suggest(method, plan, &layout, ours),
        split::suggest(plan, &layout),
    ];
    let mut found: Vec<Suggestion> = all.into_iter().flatten().collect();
    for suggestion in &mut found {
        suggestion.saves = now.saturating_sub(suggestion.planned);
    }
    found.retain(|suggestion| suggestion.saves > 0);
    found.sort_by_key(|suggestion| std::cmp::Reverse(suggestion.saves));
    found
}

fn better_plan(plan: &Plan, planned: u64) -> Option<Suggestion> {
    (planned < plan.size()).then(|| Suggestion {
        change: Change::Plan,
        title: "place the same tensors better (another memory planning algorithm)".into(),
        planned,
        saves: 0,
        parts: Vec::new(),
        values: plan.peak.live.iter().map(|index| plan.storages[*index].values[0]).collect(),
        steps: vec![plan.peak.step],
    })
}

fn int8(method: &Method<'_>, plan: &Plan, layout: &Layout) -> Option<Suggestion> {
    let is_float = |index: usize| {
        let value = method.value(plan.storages[index].values[0]);
        matches!(value, Ok(Value::Tensor(t)) if t.scalar_type() == Ok(ScalarType::Float))
    };
    let changed: Vec<usize> = (0..plan.storages.len()).filter(|i| is_float(*i)).collect();
    if changed.is_empty() {
        return None;
    }
    let planned = layout.with_bytes(&changed, |bytes| bytes / 4).planned();
    Some(Suggestion {
        change: Change::Int8,
        title: format!(
            "make the {} planned float32 tensors int8 (quantize activations)",
            changed.len()
        ),
        planned,
        saves: 0,
        parts: Vec::new(),
        values: plan
            .peak
            .live
            .iter()
            .filter(|i| is_float(**i))
            .map(|i| plan.storages[*i].values[0])
            .collect(),
        steps: vec![plan.peak.step],
    })
}
