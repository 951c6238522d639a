//! The unit that a stream was made for.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// Generations of the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Ethos-U55.
    U55,
    /// Ethos-U65: the same commands, two cores, 40-bit addresses.
    U65,
    /// Ethos-U85: its own commands.
    U85,
}

impl Product {
    /// Arm's name.
    pub fn name(self) -> &'static str {
        match self {
            Product::U55 => "Ethos-U55",
            Product::U65 => "Ethos-U65",
            Product::U85 => "Ethos-U85",
        }
    }
}

/// What the driver compares with the unit's own registers `CONFIG` and `ID`
/// before it starts a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The register `CONFIG`.
    pub config: u32,
    /// The register `ID`.
    pub id: u32,
}

impl Configuration {
    /// The product, bits 28 to 31 of `CONFIG`; `None` for one that does not exist.
    pub fn product(self) -> Option<Product> {
        match self.config >> 28 {
            0 => Some(Product::U55),
            1 => Some(Product::U65),
            2 => Some(Product::U85),
            _ => None,
        }
    }

    /// Multiplications per cycle, of all cores: a power of two.
    pub fn macs(self) -> u32 {
        1 << (self.config & 0xF)
    }

    /// Version of the commands.
    pub fn stream_version(self) -> u32 {
        self.config >> 4 & 0xF
    }

    /// KiB of the unit's own RAM (Ethos-U55 and U65).
    pub fn shared_ram_kib(self) -> Option<u32> {
        matches!(self.product(), Some(Product::U55 | Product::U65))
            .then_some(self.config >> 8 & 0xFF)
    }

    /// Major, minor and patch revision of the architecture, from `ID`.
    pub fn architecture(self) -> (u32, u32, u32) {
        (self.id >> 28, self.id >> 20 & 0xFF, self.id >> 16 & 0xF)
    }

    /// Whether Arm makes such a unit.
    pub fn exists(self) -> bool {
        let macs = self.macs();
        match self.product() {
            Some(Product::U55) => matches!(macs, 32 | 64 | 128 | 256),
            Some(Product::U65) => matches!(macs, 256 | 512),
            Some(Product::U85) => matches!(macs, 128 | 256 | 512 | 1024 | 2048),
            None => false,
        }
    }

    /// Name as exporters take it, such as `ethos-u55-128`.
    pub fn accelerator(self) -> String {
        let family = match self.product() {
            Some(Product::U55) => "u55",
            Some(Product::U65) => "u65",
            Some(Product::U85) => "u85",
            None => "unknown",
        };
        format!("ethos-{family}-{}", self.macs())
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.product() {
            Some(product) => write!(f, "{} with {} MACs", product.name(), self.macs()),
            None => write!(f, "an unknown unit (CONFIG {:#010x})", self.config),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_decoded() {
        let u55 = Configuration { config: 0x1807, id: 0x1006_6001 };
        assert_eq!(u55.accelerator(), "ethos-u55-128");
        assert_eq!((u55.shared_ram_kib(), u55.architecture()), (Some(24), (1, 0, 6)));
        let u85 = Configuration { config: 0x2000_0118, id: 0x2000_7000 };
        assert_eq!((u85.accelerator().as_str(), u85.stream_version()), ("ethos-u85-256", 1));
        assert!(u55.exists() && u85.exists());
        assert!(!Configuration { config: 0x7000_0003, id: 0 }.exists());
    }
}
