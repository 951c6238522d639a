//! Operators that compute each row of their output from few rows of the input:
//! convolutions, pools, and what works element by element. Rows are dimension
//! 2 of a tensor with four.

use crate::memory::operators::works_in_place;
use crate::memory::plan::Plan;
use et_schema::ids::ValueId;
use et_schema::operators::{Kind, Signature, find_overload};
use et_schema::pte::{Args, Instruction, Method, Tensor, Value};

const ROWS: usize = 2;

/// More operators whose rows stay apart, without namespace.
const BY_ROW: [&str; 9] = [
    "_to_dim_order_copy",
    "dequantize_per_tensor",
    "maximum",
    "minimum",
    "quantize_per_tensor",
    "quantized_activation",
    "quantized_add",
    "quantized_div",
    "quantized_mul",
];

/// Rows of the input that a row of the output needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// From the first to the last.
    pub span: u64,
    /// From one output row to the next.
    pub stride: u64,
}

/// What an instruction reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    /// The window, if it is known to work by rows.
    pub window: Option<Window>,
    /// Storages of which it reads rows.
    pub rows_of: Vec<usize>,
    /// Storages that it reads otherwise.
    pub whole: Vec<usize>,
    /// Storages that it writes.
    pub writes: Vec<usize>,
}

impl Call {
    /// The call of `instruction`, `None` if it is none.
    pub fn new(
        method: &Method<'_>,
        plan: &Plan,
        storage_of: &[Option<usize>],
        step: u32,
        instruction: Instruction<'_>,
    ) -> Option<Self> {
        let Instruction::KernelCall { operator, args } = instruction else { return None };
        let operator = method.operator(operator).ok()?;
        let signature = find_overload(operator.name, operator.overload)?;
        let find = |id: ValueId| storage_of.get(id.index()).copied().flatten();
        let mut call = Call::default();
        let mut rows = None;
        for (arg, id) in signature.args.iter().zip(args.ids()) {
            if matches!(arg.kind, Kind::TensorList | Kind::OptionalTensorList) {
                return None;
            }
            let Some(storage) = find(id) else { continue };
            // Memory for the kernel's own use is neither.
            if arg.out || arg.name.starts_with("scratch") {
                call.writes.push(storage);
                if arg.out && plan.storages[storage].written == Some(step) {
                    rows = rows.or(height(method, id));
                }
            }
        }
        call.window = rows.and_then(|_| window(method, signature, args, operator.name));
        for (index, (arg, id)) in signature.args.iter().zip(args.ids()).enumerate() {
            let Some(storage) = find(id).filter(|_| !arg.out) else { continue };
            if arg.name.starts_with("scratch") {
                continue;
            }
            let is_input = index == 0 || call.window == Some(SAME);
            let by_rows = match call.window {
                Some(SAME) => height(method, id) == rows,
                _ => height(method, id).is_some(),
            };
            if is_input && by_rows { &mut call.rows_of } else { &mut call.whole }.push(storage);
        }
        Some(call)
    }

    /// Every storage that it touches.
    pub fn touches(&self) -> impl Iterator<Item = usize> + '_ {
        self.rows_of.iter().chain(&self.whole).chain(&self.writes).copied()
    }
}

/// Each output row of the input row at the same place.
const SAME: Window = Window { span: 1, stride: 1 };

/// Rows of a tensor of one image.
pub(super) fn height(method: &Method<'_>, id: ValueId) -> Option<u64> {
    let Ok(Value::Tensor(tensor)) = method.value(id) else { return None };
    let sizes = tensor.sizes();
    let is_image = sizes.len() == 4 && sizes.get(0) == 1;
    is_image.then(|| u64::try_from(sizes.get(ROWS)).ok())?.filter(|rows| *rows > 0)
}

fn window(
    method: &Method<'_>,
    signature: &Signature,
    args: Args<'_>,
    name: &str,
) -> Option<Window> {
    let base = name.rsplit("::").next().unwrap_or(name);
    if works_in_place(name) || BY_ROW.contains(&base) {
        return Some(SAME);
    }
    let named = |wanted: &str| {
        let index = signature.args.iter().position(|arg| arg.name == wanted)?;
        method.value(args.ids().nth(index)?).ok()
    };
    let kernel = match base {
        "convolution" => match (named("transposed")?, named("weight")?) {
            (Value::Bool(false), Value::Tensor(weight)) => size(&weight, ROWS)?,
            _ => return None,
        },
        // Weights of CMSIS-NN have rows and columns before the channels.
        "quantized_conv2d" | "quantized_depthwise_conv2d" => match named("weight")? {
            Value::Tensor(weight) => size(&weight, 1)?,
            _ => return None,
        },
        "max_pool2d_with_indices"
        | "avg_pool2d"
        | "quantized_max_pool2d"
        | "quantized_avg_pool2d" => first(method, named("kernel_size")?)?,
        _ => return None,
    };
    let stride = named("stride").and_then(|stride| first(method, stride)).unwrap_or(kernel);
    let dilation = named("dilation").and_then(|dilation| first(method, dilation)).unwrap_or(1);
    let span = dilation.checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
    Some(Window { span, stride: stride.max(1) })
}

fn size(tensor: &Tensor<'_>, dimension: usize) -> Option<u64> {
    let sizes = tensor.sizes();
    (sizes.len() == 4).then(|| u64::try_from(sizes.get(dimension)).ok())?
}

/// The first number of a list, that of rows; `None` of an empty list.
fn first(method: &Method<'_>, list: Value<'_>) -> Option<u64> {
    let Value::IntList(list) = list else { return None };
    match method.value(list.ids().next()?).ok()? {
        Value::Int(int) => u64::try_from(int).ok(),
        _ => None,
    }
}
