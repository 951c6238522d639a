//! The allocators of a loading method, allocation by allocation.
//!
//! Offsets count from the aligned start of the pool, as
//! [`et_schema::layout`] knows the loader's order and object sizes.

use et_schema::ReadError;
use et_schema::layout::{
    Abi, LoadSettings, MethodAllocation, Object, Pool, Step, method_allocations,
};
use et_schema::pte::{File, Location, Method, Value};

/// What the firmware gives the loader besides the method allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// A temp allocator that is large enough.
    TempPool,
    /// A temp allocator of size 0.
    EmptyTempPool,
    /// No temp allocator at all.
    NoTempAllocator,
    /// Release 0.5: no temp allocator, and no flag per input.
    Release0_5,
}

/// An allocation and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// What is allocated.
    pub request: MethodAllocation,
    /// Bytes lost before it to align it.
    pub padding: u64,
    /// Its first byte in the pool.
    pub offset: u64,
}

/// Everything that loading a method allocates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loading {
    /// From the method allocator, in order.
    pub method: Vec<Allocation>,
    /// Bytes used of the method allocator afterwards.
    pub method_used: u64,
    /// From the temp allocator, in order; it is reset after each operator.
    pub temp: Vec<Allocation>,
    /// The most bytes used of the temp allocator.
    pub temp_peak: u64,
    /// The smallest temp allocator that the loader takes for every operator:
    /// it asks for an upper bound, which may be more than the peak.
    pub temp_required: u64,
    /// Bytes that preparing the inputs adds to the method allocator in
    /// ExecuTorch's runners: one EValue per input, and the padding before them.
    pub inputs: u64,
}

impl Loading {
    /// Loads `method` of `file` for `abi` under `firmware`.
    ///
    /// # Errors
    /// An index in the program that points nowhere.
    pub fn new(
        file: &File<'_>,
        method: &Method<'_>,
        abi: Abi,
        firmware: Firmware,
    ) -> Result<Self, ReadError> {
        let settings = firmware.settings(method, abi);
        let mut loading = Loading::default();
        let mut temp_used = 0;
        method_allocations::<ReadError>(file, method, settings, &mut |step| {
            match step {
                Step::ResetTemp => temp_used = 0,
                Step::Allocate(a) if a.pool == Pool::Method => {
                    loading.method.push(place(a, &mut loading.method_used));
                }
                Step::Allocate(a) => {
                    loading.temp.push(place(a, &mut temp_used));
                    loading.temp_peak = loading.temp_peak.max(temp_used);
                    if a.object == Object::TensorMeta {
                        let need = et_schema::layout::look_up_bytes(a.count, abi);
                        loading.temp_required = loading.temp_required.max(need);
                    }
                }
            }
            Ok(())
        })?;
        loading.inputs = inputs(method, abi, loading.method_used);
        Ok(loading)
    }
}

impl Firmware {
    /// Bytes of the method allocator after loading `method` of `file`.
    ///
    /// # Errors
    /// An index in the program that points nowhere.
    pub fn method_used(
        self,
        file: &File<'_>,
        method: &Method<'_>,
        abi: Abi,
    ) -> Result<u64, ReadError> {
        let mut used = 0;
        method_allocations::<ReadError>(file, method, self.settings(method, abi), &mut |step| {
            if let Step::Allocate(a) = step
                && a.pool == Pool::Method
            {
                place(a, &mut used);
            }
            Ok(())
        })?;
        Ok(used)
    }

    fn settings(self, method: &Method<'_>, abi: Abi) -> LoadSettings {
        LoadSettings {
            abi,
            temp_pool: match self {
                Firmware::TempPool => Some(u64::MAX),
                Firmware::EmptyTempPool => Some(0),
                Firmware::NoTempAllocator | Firmware::Release0_5 => None,
            },
            external_data: has_external_data(method),
            input_flags: self != Firmware::Release0_5,
            backend_objects: false,
        }
    }
}

fn place(request: MethodAllocation, used: &mut u64) -> Allocation {
    let offset = used.checked_next_multiple_of(u64::from(request.align.max(1))).unwrap_or(u64::MAX);
    let padding = offset - *used;
    *used = offset.saturating_add(request.size);
    Allocation { request, padding, offset }
}

fn inputs(method: &Method<'_>, abi: Abi, used: u64) -> u64 {
    let (size, align) = Object::EValue.size_align(abi);
    let start = used.checked_next_multiple_of(u64::from(align)).unwrap_or(u64::MAX);
    start.saturating_add(u64::from(size).saturating_mul(method.inputs().len() as u64)) - used
}

/// Whether a tensor of `method` lies in a `.ptd` file.
pub(super) fn has_external_data(method: &Method<'_>) -> bool {
    method.values().any(|v| matches!(v, Value::Tensor(t) if t.location() == Location::External))
}
