//! What XNNPACK makes one operator of, as its traces show it.

use super::draft::{Draft, Drafts};
use super::value::Values;
use et_schema::xnnpack::{ConvolutionKind, DataType, Operation, UnaryOperator, flags};

/// Fuses what XNNPACK fuses, in its order.
pub(super) fn fuse(drafts: &mut Drafts<'_>, values: &Values) {
    let mut uses = Uses::of(drafts, values);
    clamps(drafts, &mut uses);
    paddings(drafts, &uses);
    quantizations(drafts, values);
    tables(drafts, values, &uses);
    drafts.nodes.retain(|draft| !draft.outputs.is_empty());
}

/// Who writes and reads each value.
struct Uses {
    producer: Vec<Option<usize>>,
    /// The last node that reads it.
    reader: Vec<Option<usize>>,
    /// Nodes that read it, and one more for the delegate's caller.
    readers: Vec<usize>,
}

impl Uses {
    fn of(drafts: &Drafts<'_>, values: &Values) -> Self {
        let count = values.tensors.len();
        let readers = values.external.iter().map(|it| usize::from(it.is_some())).collect();
        let mut uses = Uses { producer: vec![None; count], reader: vec![None; count], readers };
        for (index, draft) in drafts.nodes.iter().enumerate() {
            for input in draft.inputs.iter().chain(&draft.weights) {
                uses.reader[*input] = Some(index);
                uses.readers[*input] += 1;
            }
            for output in &draft.outputs {
                uses.producer[*output] = Some(index);
            }
        }
        uses
    }

    /// The node before `index` that writes `value` for it alone.
    fn private_producer(&self, value: usize, index: usize) -> Option<usize> {
        let private = self.readers[value] == 1 && self.reader[value] == Some(index);
        self.producer[value].filter(|producer| private && *producer < index)
    }
}

fn is_unary(draft: &Draft<'_>, wanted: UnaryOperator) -> bool {
    matches!(draft.operation, Operation::Unary { operator, .. } if operator == wanted)
}

/// A clamp behind an operator with bounds of its own.
fn clamps(drafts: &mut Drafts<'_>, uses: &mut Uses) {
    for index in 0..drafts.nodes.len() {
        let clamp = &drafts.nodes[index];
        let bounded = is_unary(clamp, UnaryOperator::Clamp)
            .then(|| clamp.inputs.first().copied())
            .flatten()
            .and_then(|input| uses.private_producer(input, index))
            .filter(|producer| has_bounds(&drafts.nodes[*producer]));
        let Some(producer) = bounded else { continue };
        let clamp = &mut drafts.nodes[index];
        let (low, high) = clamp.clamp;
        // A node without outputs is none any more.
        let outputs = std::mem::take(&mut clamp.outputs);
        clamp.inputs.clear();
        outputs.iter().for_each(|output| uses.producer[*output] = Some(producer));
        let producer = &mut drafts.nodes[producer];
        producer.clamp = (producer.clamp.0.max(low), producer.clamp.1.min(high));
        producer.outputs = outputs;
    }
}

fn has_bounds(draft: &Draft<'_>) -> bool {
    is_unary(draft, UnaryOperator::Clamp)
        || matches!(
            draft.operation,
            Operation::FullyConnected { .. } | Operation::Convolution(_) | Operation::Pooling(_)
        )
}

/// Zeros around an image before a convolution.
fn paddings(drafts: &mut Drafts<'_>, uses: &Uses) {
    for index in 0..drafts.nodes.len() {
        let Some((producer, padding)) = padding(drafts, uses, index) else { continue };
        let pad = &mut drafts.nodes[producer];
        pad.outputs.clear();
        let input = std::mem::take(&mut pad.inputs);
        let node = &mut drafts.nodes[index];
        node.inputs = input;
        if let Operation::Convolution(it) = &mut node.operation {
            it.padding = padding;
        }
    }
}

/// The padding before the convolution `index`, and both paddings together.
fn padding(drafts: &Drafts<'_>, uses: &Uses, index: usize) -> Option<(usize, [u32; 4])> {
    let draft = &drafts.nodes[index];
    let Operation::Convolution(it) = draft.operation else { return None };
    let producer = uses.private_producer(*draft.inputs.first()?, index)?;
    let Operation::Pad { before, after, value, .. } = drafts.nodes[producer].operation else {
        return None;
    };
    let own = [before, after].map(|sizes| sizes.iter().collect::<Vec<_>>());
    let [[0, top, left, 0], [0, bottom, right, 0]] = [&own[0][..], &own[1][..]] else {
        return None;
    };
    let same = it.flags & flags::SAME_PADDING != 0;
    if value != 0.0 || same || it.kind == ConvolutionKind::Transposed {
        return None;
    }
    let mut sums = [0; 4];
    for ((sum, a), b) in sums.iter_mut().zip(it.padding).zip([top, right, bottom, left]) {
        *sum = a.checked_add(*b)?;
    }
    Some((producer, sums))
}

/// Quantization at run time is a part of the layers behind it.
fn quantizations(drafts: &mut Drafts<'_>, values: &Values) {
    let by_row = |value: &usize| values.tensors[*value].data_type == DataType::QDINT8;
    let mut others = vec![false; values.tensors.len()];
    for draft in &drafts.nodes {
        if !matches!(draft.operation, Operation::FullyConnected { .. }) {
            draft.inputs.iter().for_each(|input| others[*input] = true);
        }
    }
    for draft in &mut drafts.nodes {
        let layers = draft.outputs.iter().any(|output| by_row(output) && !others[*output]);
        draft.silent |= layers && is_unary(draft, UnaryOperator::Convert);
    }
}

/// Integers to float32, an operator, and back: a table of 256 results.
fn tables(drafts: &mut Drafts<'_>, values: &Values, uses: &Uses) {
    for last in 0..drafts.nodes.len() {
        let Some([first, middle]) = table(drafts, values, uses, last) else { continue };
        drafts.nodes[first].silent = true;
        drafts.nodes[middle].silent = true;
        drafts.nodes[last].table = true;
    }
}

fn table(drafts: &Drafts<'_>, values: &Values, uses: &Uses, last: usize) -> Option<[usize; 2]> {
    let draft = &drafts.nodes[last];
    let small = |value: usize| {
        matches!(values.tensors[value].data_type, DataType::QINT8 | DataType::QUINT8)
    };
    let output = *draft.outputs.first()?;
    if !is_unary(draft, UnaryOperator::Convert) || !small(output) {
        return None;
    }
    let before = |index: usize| uses.private_producer(*drafts.nodes[index].inputs.first()?, index);
    let middle = before(last)?;
    let element_wise = match drafts.nodes[middle].operation {
        Operation::Unary { operator, .. } => !matches!(
            operator,
            UnaryOperator::Convert
                | UnaryOperator::Copy
                | UnaryOperator::Softmax
                | UnaryOperator::GlobalAvgPooling2d
        ),
        _ => false,
    };
    let first = before(middle).filter(|_| element_wise)?;
    let from = *drafts.nodes[first].inputs.first()?;
    (is_unary(&drafts.nodes[first], UnaryOperator::Convert) && small(from))
        .then_some([first, middle])
}
