//! What XNNPACK makes one operator of, as its traces show it.

use super::draft::{Draft, Drafts};
use super::value::Values;
use et_schema::xnnpack::{
    BinaryOperator, ConvolutionKind, DataType, Operation, UnaryOperator, flags,
};

/// Fuses what XNNPACK fuses, in its order.
pub(super) fn fuse(drafts: &mut Drafts<'_>, values: &Values) {
    squares(drafts);
    let mut uses = Uses::of(drafts, values);
    clamps(drafts, &mut uses);
    transposes(drafts, &uses);
    reshapes(drafts, &uses);
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

/// A number times itself.
fn squares(drafts: &mut Drafts<'_>) {
    for draft in &mut drafts.nodes {
        let Operation::Binary { operator: BinaryOperator::Multiply, .. } = draft.operation else {
            continue;
        };
        if let [a, b] = draft.inputs[..]
            && a == b
        {
            draft.inputs.pop();
            draft.operation = Operation::Unary {
                operator: UnaryOperator::Square,
                input: 0,
                output: 0,
                parameter: 0.0,
            };
        }
    }
}

/// Matrices whose rows and columns change places before they are multiplied
/// from the right.
fn transposes(drafts: &mut Drafts<'_>, uses: &Uses) {
    for index in 0..drafts.nodes.len() {
        let Some(producer) = transpose(drafts, uses, index) else { continue };
        let input = std::mem::take(&mut drafts.nodes[producer].inputs)[0];
        drafts.nodes[producer].outputs.clear();
        let node = &mut drafts.nodes[index];
        node.inputs[1] = input;
        if let Operation::Binary { flags, .. } = &mut node.operation {
            *flags ^= flags::TRANSPOSE_WEIGHTS;
        }
    }
}

/// The node that swaps the last two dimensions of the right matrices of `index`.
fn transpose(drafts: &Drafts<'_>, uses: &Uses, index: usize) -> Option<usize> {
    let draft = &drafts.nodes[index];
    let Operation::Binary { operator: BinaryOperator::BatchMatrixMultiply, .. } = draft.operation
    else {
        return None;
    };
    let producer = uses.private_producer(*draft.inputs.get(1)?, index)?;
    let node = &drafts.nodes[producer];
    let Operation::Transpose { permutation, .. } = node.operation else { return None };
    let rank = permutation.len();
    let swapped = |(at, from): (usize, u32)| {
        from as usize
            == match rank - at {
                1 => at - 1,
                2 => at + 1,
                _ => at,
            }
    };
    let fits = rank >= 2 && node.inputs.len() == 1 && permutation.iter().enumerate().all(swapped);
    fits.then_some(producer)
}

/// Reshapes after each other: the last one is enough.
fn reshapes(drafts: &mut Drafts<'_>, uses: &Uses) {
    let is_reshape = |draft: &Draft<'_>| matches!(draft.operation, Operation::Reshape { .. });
    for index in 0..drafts.nodes.len() {
        let node = &drafts.nodes[index];
        let input = node.inputs.first().filter(|_| is_reshape(node));
        let before = input
            .and_then(|input| uses.private_producer(*input, index))
            .filter(|before| is_reshape(&drafts.nodes[*before]));
        if let Some(before) = before {
            drafts.nodes[before].outputs.clear();
            drafts.nodes[index].inputs = std::mem::take(&mut drafts.nodes[before].inputs);
        }
    }
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

/// Operators of one number after each other, from integers to integers: a
/// table of 256 results.
fn tables(drafts: &mut Drafts<'_>, values: &Values, uses: &Uses) {
    for last in 0..drafts.nodes.len() {
        let small = |value: Option<&usize>| {
            value.is_some_and(|value| {
                let data_type = values.tensors[*value].data_type;
                matches!(data_type, DataType::QINT8 | DataType::QUINT8)
            })
        };
        if !is_element_wise(&drafts.nodes[last]) || !small(drafts.nodes[last].outputs.first()) {
            continue;
        }
        // The longest chain that begins with integers.
        let (mut chain, mut longest) = (vec![last], 1);
        while let Some(before) = chain.last().and_then(|index| {
            let input = drafts.nodes[*index].inputs.first()?;
            let before = uses.private_producer(*input, *index)?;
            is_element_wise(&drafts.nodes[before]).then_some(before)
        }) {
            chain.push(before);
            if small(drafts.nodes[before].inputs.first()) {
                longest = chain.len();
            }
        }
        if longest > 1 {
            chain[1..longest].iter().for_each(|index| {
                drafts.nodes[*index].silent = true;
                drafts.nodes[*index].table = false;
            });
            drafts.nodes[last].table = true;
        }
    }
}

/// Whether a node computes each number from one number.
fn is_element_wise(draft: &Draft<'_>) -> bool {
    use UnaryOperator as U;
    match draft.operation {
        Operation::Unary { operator, .. } => {
            !matches!(operator, U::Copy | U::Softmax | U::GlobalAvgPooling2d)
        }
        _ => false,
    }
}
