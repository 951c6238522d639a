//! What is loaded: values and steps, and a run of them.

use crate::buffer::Buffer;
use crate::error::{Error, Result, ensure};
use crate::kernels::convolution::Filter;
use crate::kernels::linear::Weights;
use crate::kernels::{
    binary, convert, convolution, linear, movement, pooling, resize, softmax, unary,
};
use crate::tensor::{Data, Scale, Tensor, count};
use et_schema::xnnpack::{BinaryOperator, Convolution, DataType, Pooling, UnaryOperator};
use smallvec::SmallVec;

/// Values that come from the caller or go there: argument and index of the value.
pub(crate) type External = Vec<(u32, usize)>;

/// A graph, ready to run.
pub struct Graph {
    tensors: Vec<Tensor>,
    steps: Vec<Step>,
    inputs: External,
    outputs: External,
    /// Memory that no value has now.
    free: Free,
    scratch: Vec<f32>,
    threads: usize,
}

/// Told of each operation of a run.
pub trait Observer {
    /// The operation `name` begins; the result is given to [`Observer::end`].
    fn begin(&mut self, name: &str) -> u64;

    /// It is over.
    fn end(&mut self, name: &str, begun: u64);
}

/// A node, ready to run.
pub(crate) struct Step {
    /// Index of the node in the payload.
    pub node: usize,
    pub kind: &'static str,
    /// Of its event; without one it belongs to the next step that has one.
    pub name: Option<String>,
    pub work: Work,
    pub inputs: SmallVec<[usize; 5]>,
    pub outputs: SmallVec<[usize; 2]>,
    pub clamp: (f32, f32),
    /// Values that nobody reads any more.
    pub dead: Vec<usize>,
}

/// What a step does.
pub(crate) enum Work {
    Unary {
        operator: UnaryOperator,
        parameter: f32,
    },
    Convert,
    Copy,
    Softmax,
    GlobalAverage,
    Binary(BinaryOperator),
    BatchProduct {
        transpose_a: bool,
        transpose_b: bool,
    },
    FullyConnected(Weights),
    /// Filter and bias are inputs.
    DynamicFullyConnected {
        transposed: bool,
    },
    Convolution(Convolution, Filter),
    Pooling(Pooling),
    ArgMax {
        padding: [u32; 4],
        kernel: [u32; 2],
        same: bool,
    },
    Concatenate(i32),
    Transpose(Vec<usize>),
    Resize {
        height: usize,
        width: usize,
        aligned: bool,
    },
    Pad {
        before: Vec<usize>,
        after: Vec<usize>,
        value: f32,
    },
    Reshape(Vec<usize>),
    Slice {
        offsets: Vec<usize>,
        sizes: Vec<usize>,
    },
    Attention,
}

impl Graph {
    pub(crate) fn new(
        tensors: Vec<Tensor>,
        mut steps: Vec<Step>,
        (inputs, outputs): (External, External),
        threads: usize,
    ) -> Self {
        let mut seen: Vec<bool> = tensors.iter().map(|tensor| tensor.constant).collect();
        inputs.iter().chain(&outputs).for_each(|(_, index)| seen[*index] = true);
        for step in steps.iter_mut().rev() {
            for value in step.inputs.iter().chain(&step.outputs) {
                if !std::mem::replace(&mut seen[*value], true) {
                    step.dead.push(*value);
                }
            }
        }
        let (free, scratch) = (Free::default(), Vec::new());
        Graph { tensors, steps, inputs, outputs, free, scratch, threads }
    }

    /// Which arguments are inputs, and which outputs.
    pub fn arguments(&self) -> (impl Iterator<Item = u32> + '_, impl Iterator<Item = u32> + '_) {
        let argument = |(argument, _): &(u32, usize)| *argument;
        (self.inputs.iter().map(argument), self.outputs.iter().map(argument))
    }

    /// Sets input `argument` to a tensor of `dims`, which lie in memory in this order.
    ///
    /// # Errors
    /// No such input, or other bytes than the sizes ask for.
    pub fn set_input(&mut self, argument: u32, dims: &[usize], bytes: &[u8]) -> Result {
        let found = self.inputs.iter().find(|(own, _)| *own == argument);
        let (_, index) =
            found.ok_or_else(|| Error::new(format!("argument {argument} is no input")))?;
        let tensor = &mut self.tensors[*index];
        let numbers = count(dims)?;
        let row = dims.last().copied().unwrap_or(1);
        tensor.data.refill(tensor.data_type, bytes, numbers, row)?;
        tensor.dims.clear();
        tensor.dims.extend_from_slice(dims);
        Ok(())
    }

    /// Sizes of output `argument` after a run.
    pub fn output_dims(&self, argument: u32) -> Option<&[usize]> {
        Some(&self.output(argument)?.dims)
    }

    /// Writes output `argument` to `bytes`, whose elements have `element` bytes:
    /// places of largest numbers may be 64-bit integers there.
    ///
    /// # Errors
    /// No such output, or not as many bytes as it has.
    pub fn write_output(&self, argument: u32, element: usize, bytes: &mut [u8]) -> Result {
        let missing = || Error::new(format!("argument {argument} is no output"));
        let tensor = self.output(argument).ok_or_else(missing)?;
        let (numbers, found) = (count(&tensor.dims)?, bytes.len());
        ensure!(
            numbers.checked_mul(element) == Some(found),
            "output {argument} has {numbers} elements of {element} bytes, {found} bytes expected"
        );
        match &tensor.data {
            Data::I32(data) if element == 8 => {
                for (target, number) in bytes.as_chunks_mut().0.iter_mut().zip(data.iter()) {
                    *target = i64::from(*number).to_le_bytes();
                }
            }
            data => {
                let own = tensor.data_type.bits() as usize / 8;
                ensure!(own == element, "output {argument} is {}", tensor.data_type);
                data.write(tensor.data_type, bytes);
            }
        }
        Ok(())
    }

    fn output(&self, argument: u32) -> Option<&Tensor> {
        let (_, index) = self.outputs.iter().find(|(own, _)| *own == argument)?;
        self.tensors.get(*index)
    }

    /// Runs all nodes on the inputs that were set.
    ///
    /// # Errors
    /// Sizes that do not fit, by node.
    pub fn run(&mut self, observer: &mut dyn Observer) -> Result {
        for (argument, index) in &self.inputs {
            let tensor = &self.tensors[*index];
            let (wanted, found) = (count(&tensor.dims)?, tensor.data.len());
            ensure!(wanted == found, "input {argument} was not set");
        }
        let mut begun = None;
        for index in 0..self.steps.len() {
            let name = self.steps[index..].iter().find_map(|step| step.name.as_deref());
            if begun.is_none() {
                begun = name.map(|name| observer.begin(name));
            }
            self.step(index).map_err(|e| e.at(self.steps[index].node, self.steps[index].kind))?;
            if let (Some(name), Some(ticks)) = (self.steps[index].name.as_deref(), begun) {
                observer.end(name, ticks);
                begun = None;
            }
        }
        Ok(())
    }

    fn step(&mut self, index: usize) -> Result {
        let step = &self.steps[index];
        let mut outs: SmallVec<[Tensor; 2]> = SmallVec::new();
        for output in &step.outputs {
            let mut out = std::mem::replace(&mut self.tensors[*output], nothing());
            self.free.give(&mut out);
            outs.push(out);
        }
        let result = work(step, &self.tensors, &mut outs, (&mut self.scratch, self.threads));
        for (output, mut out) in step.outputs.iter().zip(outs) {
            out.round();
            self.tensors[*output] = out;
        }
        for dead in &step.dead {
            self.free.take(&mut self.tensors[*dead]);
        }
        result
    }
}

fn work(
    step: &Step,
    tensors: &[Tensor],
    outs: &mut [Tensor],
    means: (&mut Vec<f32>, usize),
) -> Result {
    let input = |index: usize| -> Result<&Tensor> {
        let missing = || Error::new(format!("no input {index}"));
        step.inputs.get(index).map(|index| &tensors[*index]).ok_or_else(missing)
    };
    let (a, clamp) = (input(0)?, step.clamp);
    let Some((out, more)) = outs.split_first_mut() else {
        return Err(Error::new("no output"));
    };
    match &step.work {
        Work::Unary { operator, parameter } => unary::unary(*operator, *parameter, a, clamp, out),
        Work::Convert => convert::convert(a, out),
        Work::Copy => {
            out.dims.clone_from(&a.dims);
            movement::copy(a, out)
        }
        Work::Softmax => softmax::softmax(a, out),
        Work::GlobalAverage => pooling::global_average(a, clamp, out),
        Work::Binary(operator) => binary::binary(*operator, a, input(1)?, clamp, out),
        Work::BatchProduct { transpose_a, transpose_b } => {
            let transposed = (*transpose_a, *transpose_b);
            linear::batch_product(a, input(1)?, transposed, clamp, out, means)
        }
        Work::FullyConnected(weights) => linear::fully_connected(a, weights, clamp, out, means.1),
        Work::DynamicFullyConnected { transposed } => {
            let bias = (step.inputs.len() > 2).then(|| input(2)).transpose()?;
            let weights = [a, input(1)?];
            linear::dynamic_fully_connected(weights, bias, *transposed, clamp, out, means.1)
        }
        Work::Convolution(it, filter) => {
            convolution::convolution(it, a, filter, clamp, out, means.1)
        }
        Work::Pooling(it) => pooling::pooling(it, a, clamp, out),
        Work::ArgMax { padding, kernel, same } => {
            let Some(indexes) = more.first_mut() else { return Err(Error::new("one output")) };
            pooling::arg_max((*kernel, *padding), *same, a, out, indexes)
        }
        Work::Concatenate(axis) => {
            let inputs: SmallVec<[&Tensor; 5]> =
                step.inputs.iter().map(|index| &tensors[*index]).collect();
            movement::concatenate(&inputs, *axis, out)
        }
        Work::Transpose(order) => movement::transpose(a, order, out),
        Work::Resize { height, width, aligned } => {
            resize::bilinear(a, (*height, *width), *aligned, out)
        }
        Work::Pad { before, after, value } => movement::pad(a, before, after, *value, out),
        Work::Reshape(shape) => movement::reshape(a, shape, out),
        Work::Slice { offsets, sizes } => movement::slice(a, offsets, sizes, out),
        Work::Attention => softmax::attention([a, input(1)?, input(2)?, input(3)?, input(4)?], out),
    }
}

fn nothing() -> Tensor {
    Tensor {
        data_type: DataType::FP32,
        dims: Vec::new(),
        scale: Scale::None,
        data: Data::F32(Buffer::new()),
        rows: Vec::new(),
        constant: false,
    }
}

/// Memory of values that are dead, for the next ones.
#[derive(Default)]
struct Free {
    floats: Vec<Buffer<f32>>,
    small: Vec<Buffer<u8>>,
}

impl Free {
    /// Gives memory to a value that has none.
    fn give(&mut self, tensor: &mut Tensor) {
        let wanted = tensor.dims.iter().product();
        match &mut tensor.data {
            Data::F32(data) if data.capacity() == 0 => *data = pick(&mut self.floats, wanted),
            Data::Small(data) if data.capacity() == 0 => *data = pick(&mut self.small, wanted),
            _ => {}
        }
    }

    /// Takes the memory of a value.
    fn take(&mut self, tensor: &mut Tensor) {
        match &mut tensor.data {
            Data::F32(data) => self.floats.push(std::mem::take(data)),
            Data::Small(data) => self.small.push(std::mem::take(data)),
            Data::I32(_) => {}
        }
    }
}

/// The smallest that has room for as many elements, or the largest, to grow.
/// Among equals the one that was used last, which is nearest.
fn pick<T: Copy + Default>(free: &mut Vec<Buffer<T>>, wanted: usize) -> Buffer<T> {
    let sizes = || free.iter().map(Buffer::capacity).enumerate().rev();
    let fits = sizes().filter(|(_, size)| *size >= wanted).min_by_key(|(_, size)| *size);
    let best = fits.or_else(|| sizes().max_by_key(|(_, size)| *size));
    best.map(|(index, _)| free.remove(index)).unwrap_or_default()
}
