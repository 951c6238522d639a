//! The `--abi` option.

use clap::ValueEnum;
use et_schema::layout::Abi;

/// ABIs by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AbiName {
    /// 32-bit Arm, such as Cortex-M
    Arm32,
    /// 64-bit Arm
    Aarch64,
    /// x86-64
    #[value(name = "x86_64")]
    X86_64,
}

impl From<AbiName> for Abi {
    fn from(name: AbiName) -> Self {
        match name {
            AbiName::Arm32 => Abi::Arm32,
            AbiName::Aarch64 => Abi::Aarch64,
            AbiName::X86_64 => Abi::X86_64,
        }
    }
}
