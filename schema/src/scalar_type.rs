//! Element types of tensors.

use core::fmt;

/// Element type of a tensor, numbered as PyTorch's `c10::ScalarType`
/// (`schema/fbs/scalar_type.fbs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum ScalarType {
    /// `u8`
    Byte = 0,
    /// `i8`
    Char = 1,
    /// `i16`
    Short = 2,
    /// `i32`
    Int = 3,
    /// `i64`
    Long = 4,
    /// IEEE binary16
    Half = 5,
    /// `f32`
    Float = 6,
    /// `f64`
    Double = 7,
    /// Two IEEE binary16: real and imaginary part. The schema keeps the numbers
    /// of complex types without naming them; exporters and kernels use them.
    ComplexHalf = 8,
    /// Two `f32`: real and imaginary part
    ComplexFloat = 9,
    /// Two `f64`: real and imaginary part
    ComplexDouble = 10,
    /// One byte, 0 or 1
    Bool = 11,
    /// Quantized `i8`
    QInt8 = 12,
    /// Quantized `u8`
    QUInt8 = 13,
    /// Quantized `i32`
    QInt32 = 14,
    /// bfloat16
    BFloat16 = 15,
    /// Two 4-bit values in a byte
    QUInt4x2 = 16,
    /// Four 2-bit values in a byte
    QUInt2x4 = 17,
    /// 16 uninterpreted bits
    Bits16 = 22,
    /// 8-bit float, 5 exponent bits
    Float8E5M2 = 23,
    /// 8-bit float, 4 exponent bits, finite
    Float8E4M3Fn = 24,
    /// 8-bit float, 5 exponent bits, finite, no negative zero
    Float8E5M2Fnuz = 25,
    /// 8-bit float, 4 exponent bits, finite, no negative zero
    Float8E4M3Fnuz = 26,
    /// `u16`
    UInt16 = 27,
    /// `u32`
    UInt32 = 28,
    /// `u64`
    UInt64 = 29,
}

impl ScalarType {
    /// Every type, in the order of their numbers.
    pub const ALL: [ScalarType; 26] = [
        ScalarType::Byte,
        ScalarType::Char,
        ScalarType::Short,
        ScalarType::Int,
        ScalarType::Long,
        ScalarType::Half,
        ScalarType::Float,
        ScalarType::Double,
        ScalarType::ComplexHalf,
        ScalarType::ComplexFloat,
        ScalarType::ComplexDouble,
        ScalarType::Bool,
        ScalarType::QInt8,
        ScalarType::QUInt8,
        ScalarType::QInt32,
        ScalarType::BFloat16,
        ScalarType::QUInt4x2,
        ScalarType::QUInt2x4,
        ScalarType::Bits16,
        ScalarType::Float8E5M2,
        ScalarType::Float8E4M3Fn,
        ScalarType::Float8E5M2Fnuz,
        ScalarType::Float8E4M3Fnuz,
        ScalarType::UInt16,
        ScalarType::UInt32,
        ScalarType::UInt64,
    ];

    /// The type with this number, if there is one.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|t| *t as i64 == number)
    }

    /// Bytes of one element. The packed sub-byte types count as one byte, as in ExecuTorch.
    pub fn size(self) -> usize {
        use ScalarType::*;
        match self {
            Byte | Char | Bool | QInt8 | QUInt8 | QUInt4x2 | QUInt2x4 | Float8E5M2
            | Float8E4M3Fn | Float8E5M2Fnuz | Float8E4M3Fnuz => 1,
            Short | Half | BFloat16 | Bits16 | UInt16 => 2,
            Int | Float | QInt32 | UInt32 | ComplexHalf => 4,
            Long | Double | UInt64 | ComplexFloat => 8,
            ComplexDouble => 16,
        }
    }

    /// PyTorch's dtype name, such as `float32`.
    pub fn name(self) -> &'static str {
        use ScalarType::*;
        match self {
            Byte => "uint8",
            Char => "int8",
            Short => "int16",
            Int => "int32",
            Long => "int64",
            Half => "float16",
            Float => "float32",
            Double => "float64",
            ComplexHalf => "complex32",
            ComplexFloat => "complex64",
            ComplexDouble => "complex128",
            Bool => "bool",
            QInt8 => "qint8",
            QUInt8 => "quint8",
            QInt32 => "qint32",
            BFloat16 => "bfloat16",
            QUInt4x2 => "quint4x2",
            QUInt2x4 => "quint2x4",
            Bits16 => "bits16",
            Float8E5M2 => "float8_e5m2",
            Float8E4M3Fn => "float8_e4m3fn",
            Float8E5M2Fnuz => "float8_e5m2fnuz",
            Float8E4M3Fnuz => "float8_e4m3fnuz",
            UInt16 => "uint16",
            UInt32 => "uint32",
            UInt64 => "uint64",
        }
    }

    /// ExecuTorch's enumerator name, such as `Float`.
    pub fn enumerator(self) -> &'static str {
        use ScalarType::*;
        match self {
            Byte => "Byte",
            Char => "Char",
            Short => "Short",
            Int => "Int",
            Long => "Long",
            Half => "Half",
            Float => "Float",
            Double => "Double",
            ComplexHalf => "ComplexHalf",
            ComplexFloat => "ComplexFloat",
            ComplexDouble => "ComplexDouble",
            Bool => "Bool",
            QInt8 => "QInt8",
            QUInt8 => "QUInt8",
            QInt32 => "QInt32",
            BFloat16 => "BFloat16",
            QUInt4x2 => "QUInt4x2",
            QUInt2x4 => "QUInt2x4",
            Bits16 => "Bits16",
            Float8E5M2 => "Float8_e5m2",
            Float8E4M3Fn => "Float8_e4m3fn",
            Float8E5M2Fnuz => "Float8_e5m2fnuz",
            Float8E4M3Fnuz => "Float8_e4m3fnuz",
            UInt16 => "UInt16",
            UInt32 => "UInt32",
            UInt64 => "UInt64",
        }
    }

    /// Float16, bfloat16, float32, float64.
    pub fn is_floating(self) -> bool {
        matches!(
            self,
            ScalarType::Half | ScalarType::BFloat16 | ScalarType::Float | ScalarType::Double
        )
    }

    /// Whether ExecuTorch's runtime can describe a tensor of this type in a trace
    /// (`get_flatbuffer_scalar_type` in `devtools/etdump`, release 1.5.1).
    pub fn is_in_traces_of_executorch(self) -> bool {
        use ScalarType::*;
        matches!(self, Byte | Char | Short | Float | Int | Long | Double | Bool | Bits16 | UInt16)
    }

    /// Complex numbers.
    pub fn is_complex(self) -> bool {
        use ScalarType::*;
        matches!(self, ComplexHalf | ComplexFloat | ComplexDouble)
    }

    /// Type of the real and the imaginary part of a complex type.
    pub fn part(self) -> Option<ScalarType> {
        match self {
            ScalarType::ComplexHalf => Some(ScalarType::Half),
            ScalarType::ComplexFloat => Some(ScalarType::Float),
            ScalarType::ComplexDouble => Some(ScalarType::Double),
            _ => None,
        }
    }

    /// Integer types, `bool` included only if asked for.
    pub fn is_integral(self, include_bool: bool) -> bool {
        use ScalarType::*;
        match self {
            Byte | Char | Short | Int | Long | UInt16 | UInt32 | UInt64 => true,
            Bool => include_bool,
            _ => false,
        }
    }
}

impl fmt::Display for ScalarType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
