//! The commands that set registers and start operations, by their codes.
//!
//! ```text
//! u55.rs    Ethos-U55 and Ethos-U65
//! u85.rs    Ethos-U85
//! names.rs  names of the values of fields
//! ```

/// `CODE "NAME" { FIELD: SHIFT, BITS, NAMES; … }`, sorted by code.
macro_rules! registers {
    ($($code:literal $name:literal { $($field:ident: $shift:tt $(, $bits:literal $(, $names:ident)?)?;)* })+) => {
        /// Sorted by code.
        pub(super) static REGISTERS: &[Register] = &[$(Register {
            code: $code,
            name: $name,
            fields: &[$(layout!($field $shift $(, $bits $(, $names)?)?)),*],
        }),+];
    };
}

/// One field.
macro_rules! layout {
    ($field:ident ADDRESS) => {
        super::Layout {
            name: stringify!($field),
            shift: 0,
            bits: 40,
            kind: super::Kind::Address,
        }
    };
    ($field:ident $shift:literal, $bits:literal) => {
        layout!($field $shift, $bits, NONE)
    };
    ($field:ident $shift:literal, $bits:literal, SIGNED) => {
        super::Layout {
            name: stringify!($field),
            shift: $shift,
            bits: $bits,
            kind: super::Kind::Signed,
        }
    };
    ($field:ident $shift:literal, $bits:literal, $names:ident) => {
        super::Layout {
            name: stringify!($field),
            shift: $shift,
            bits: $bits,
            kind: super::Kind::Number($names),
        }
    };
}

mod names;
mod u55;
mod u85;

use super::Product;
use super::command::Command;
use names::{NONE, Names};

/// A kind of command.
#[derive(Debug)]
pub struct Register {
    /// The lower 16 bits of its first word.
    pub code: u16,
    /// Arm's name.
    pub name: &'static str,
    fields: &'static [Layout],
}

/// Where a field is: bits of the 16-bit parameter, with the payload word above.
#[derive(Debug)]
struct Layout {
    name: &'static str,
    shift: u32,
    bits: u32,
    kind: Kind,
}

/// What the bits of a field are.
#[derive(Debug)]
enum Kind {
    /// A number, or one of several values with names.
    Number(Names),
    /// Two's complement.
    Signed,
    /// The whole address of the command.
    Address,
}

/// A field of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Arm's name.
    pub name: &'static str,
    /// Its value.
    pub value: i64,
    /// Name of the value, if values of this field have names and it is known.
    pub value_name: Option<&'static str>,
    /// Whether it is an address or a stride, in bytes.
    pub is_address: bool,
}

impl Register {
    /// The kind of command that `code` is for `product`.
    pub fn find(product: Product, code: u16) -> Option<&'static Register> {
        let table = match product {
            Product::U55 | Product::U65 => u55::REGISTERS,
            Product::U85 => u85::REGISTERS,
        };
        table.binary_search_by_key(&code, |register| register.code).ok().map(|at| &table[at])
    }

    /// The fields of `command`, in the order of their bits.
    pub fn fields(&self, command: &Command) -> impl ExactSizeIterator<Item = Field> + use<> {
        let bits = u64::from(command.parameter) | u64::from(command.payload.unwrap_or(0)) << 16;
        let address = command.address();
        self.fields.iter().map(move |layout| {
            let field = (bits >> layout.shift & ((1 << layout.bits) - 1)) as i64;
            let (value, names): (i64, Names) = match layout.kind {
                Kind::Number(names) => (field, names),
                Kind::Signed => (field << (64 - layout.bits) >> (64 - layout.bits), NONE),
                Kind::Address => (address as i64, NONE),
            };
            let named = names.iter().find(|(number, _)| i64::from(*number) == value);
            Field {
                name: layout.name,
                value,
                value_name: named.map(|(_, name)| *name),
                is_address: matches!(layout.kind, Kind::Address),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_their_fields_fit() {
        for table in [u55::REGISTERS, u85::REGISTERS] {
            assert!(table.is_sorted_by(|a, b| a.code < b.code));
            for register in table {
                let bits = if register.code & 0x4000 == 0 { 16 } else { 48 };
                assert!(register.fields.iter().all(|field| field.shift + field.bits <= bits));
            }
        }
    }

    #[test]
    fn fields_are_taken_from_parameter_and_payload() {
        let command =
            Command { word: 0, code: 0x4024, parameter: 0x001f, payload: Some(0x8000_0001) };
        let register = Register::find(Product::U55, 0x4024).expect("OFM_SCALE");
        let values: Vec<_> = register.fields(&command).map(|f| (f.name, f.value)).collect();
        assert_eq!(values, [("shift", 31), ("scale", 0x8000_0001)]);
        assert!(Register::find(Product::U55, 0x4027).is_none(), "OP_SCALAR is of U85 only");
    }
}
