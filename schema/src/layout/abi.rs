//! Sizes and alignments of the C++ runtime's objects.

/// Calling convention and data model of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// 32-bit Arm EABI: 4-byte pointers, 8-byte aligned 64-bit integers.
    Arm32,
    /// 64-bit Arm.
    Aarch64,
    /// x86-64 System V, the host's.
    X86_64,
}

impl Abi {
    /// All of them.
    pub const ALL: [Abi; 3] = [Abi::Arm32, Abi::Aarch64, Abi::X86_64];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Abi::Arm32 => "arm32",
            Abi::Aarch64 => "aarch64",
            Abi::X86_64 => "x86_64",
        }
    }

    /// Whether pointers have 4 bytes.
    pub fn is_32_bit(self) -> bool {
        matches!(self, Abi::Arm32)
    }
}

/// An object that the loader allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Object {
    /// `PlatformMemoryAllocator`, in place of a missing temp allocator.
    PlatformMemoryAllocator,
    /// `EValue`
    EValue,
    /// `bool`, one per method input.
    InputFlag,
    /// `NamedData` of an external constant.
    ExternalConstant,
    /// `int32_t` of a tensor's sizes or strides.
    TensorDimension,
    /// `uint8_t` of a tensor's dim order.
    TensorDimOrder,
    /// `TensorImpl`
    TensorImpl,
    /// `Tensor`, a handle in a list.
    Tensor,
    /// `std::optional<Tensor>`
    OptionalTensor,
    /// `EValue*`
    EValuePointer,
    /// `int64_t` of an unpacked integer list.
    ListInteger,
    /// `BoxedEvalueList`
    BoxedList,
    /// `ArrayRef` of a literal list or a string.
    ArrayRef,
    /// `BackendDelegate`
    BackendDelegate,
    /// `MergedDataMap`
    MergedDataMap,
    /// `CompileSpec`
    CompileSpec,
    /// `Chain`
    Chain,
    /// `OpFunction`
    OpFunction,
    /// `InstructionArgs`
    InstructionArgs,
    /// `TensorMeta`, for the operator look-up.
    TensorMeta,
    /// `XNNExecutor`, which the backend makes of a delegate.
    XnnExecutor,
}

impl Object {
    /// Size and alignment in bytes.
    pub fn size_align(self, abi: Abi) -> (u32, u32) {
        let by_width = |narrow, wide| if abi.is_32_bit() { narrow } else { wide };
        match self {
            Object::PlatformMemoryAllocator => by_width((28, 4), (48, 8)),
            Object::EValue => (16, 8),
            Object::InputFlag | Object::TensorDimOrder => (1, 1),
            Object::ExternalConstant => by_width((40, 8), (48, 8)),
            Object::TensorDimension => (4, 4),
            Object::TensorImpl => by_width((32, 4), (64, 8)),
            Object::Tensor | Object::EValuePointer | Object::OpFunction => by_width((4, 4), (8, 8)),
            Object::OptionalTensor | Object::ArrayRef | Object::InstructionArgs => {
                by_width((8, 4), (16, 8))
            }
            Object::ListInteger => (8, 8),
            Object::BoxedList
            | Object::MergedDataMap
            | Object::CompileSpec
            | Object::TensorMeta => by_width((12, 4), (24, 8)),
            Object::BackendDelegate => by_width((40, 8), (56, 8)),
            Object::Chain => by_width((16, 4), (32, 8)),
            // As release 1.5.1 was measured to allocate on x86-64; not known of
            // 32-bit targets, where nothing is counted.
            Object::XnnExecutor => by_width((0, 1), (272, 8)),
        }
    }

    /// The C++ type, as a reader of the runtime's source knows it.
    pub fn name(self) -> &'static str {
        match self {
            Object::PlatformMemoryAllocator => "PlatformMemoryAllocator",
            Object::EValue => "EValue",
            Object::InputFlag => "input flag",
            Object::ExternalConstant => "external constant",
            Object::TensorDimension => "tensor sizes or strides",
            Object::TensorDimOrder => "tensor dim order",
            Object::TensorImpl => "TensorImpl",
            Object::Tensor => "Tensor",
            Object::OptionalTensor => "optional<Tensor>",
            Object::EValuePointer => "EValue*",
            Object::ListInteger => "list of int64",
            Object::BoxedList => "BoxedEvalueList",
            Object::ArrayRef => "ArrayRef",
            Object::BackendDelegate => "BackendDelegate",
            Object::MergedDataMap => "MergedDataMap",
            Object::CompileSpec => "CompileSpec",
            Object::Chain => "Chain",
            Object::OpFunction => "OpFunction",
            Object::InstructionArgs => "InstructionArgs",
            Object::TensorMeta => "TensorMeta",
            Object::XnnExecutor => "XNNExecutor",
        }
    }
}
