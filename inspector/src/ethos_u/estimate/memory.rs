//! The memories behind the unit, as Vela's configuration file describes them
//! (`vela.ini` of Vela 5.2): which one holds what, and how fast it is.

use crate::ethos_u::feature_map::Region;
use et_schema::ethos_u::{Configuration, Product};

/// A memory on one of the unit's ports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// Bytes per cycle of the unit.
    pub bandwidth: f64,
    /// Bytes that are moved at once at best.
    pub burst: u64,
    /// Cycles until the first byte is there.
    pub read_latency: u64,
    /// Cycles until a write is done.
    pub write_latency: u64,
    /// Reads and writes that may be under way.
    pub at_once: [u32; 2],
    /// Ports that lead to it.
    pub ports: u32,
}

/// What each region lies in.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Name of the system configuration.
    pub name: &'static str,
    /// Name of the memory mode.
    pub mode: &'static str,
    constants: usize,
    arena: usize,
    cache: usize,
    memories: [Memory; 2],
}

/// Clock scale, burst, latencies of read and write, reads and writes at once, ports.
type Port = (f64, u64, u64, u64, [u32; 2], u32);

const fn port(scale: f64, burst: u64, latency: (u64, u64), at_once: [u32; 2], ports: u32) -> Port {
    (scale, burst, latency.0, latency.1, at_once, ports)
}

/// Systems by name: the SRAM, and the memory beside it.
#[rustfmt::skip]
const SYSTEMS: [(&str, Product, Port, Port); 11] = [
    ("Ethos_U55_Deep_Embedded", Product::U55, port(1.0, 32, (32, 32), [8, 8], 1), port(0.0625, 128, (64, 0), [2, 0], 1)),
    ("Ethos_U55_High_End_Embedded", Product::U55, port(1.0, 32, (32, 32), [4, 4], 1), port(0.125, 128, (64, 0), [2, 0], 1)),
    ("Ethos_U65_Embedded", Product::U65, port(1.0, 32, (32, 32), [8, 8], 1), port(0.0625, 128, (64, 0), [2, 0], 1)),
    ("Ethos_U65_Mid_End", Product::U65, port(1.0, 32, (32, 32), [8, 8], 1), port(0.46875, 128, (500, 250), [12, 6], 1)),
    ("Ethos_U65_High_End", Product::U65, port(1.0, 32, (32, 32), [16, 16], 1), port(0.234375, 128, (500, 250), [24, 12], 1)),
    ("Ethos_U65_Client_Server", Product::U65, port(1.0, 32, (32, 32), [16, 16], 1), port(0.75, 128, (500, 250), [24, 12], 1)),
    ("Ethos_U85_SYS_Flash_Low", Product::U85, port(1.0, 64, (8, 8), [8, 8], 2), port(0.0625, 128, (32, 0), [2, 0], 1)),
    ("Ethos_U85_SYS_Flash_High", Product::U85, port(1.0, 64, (32, 32), [8, 8], 2), port(0.0625, 128, (64, 0), [2, 0], 1)),
    ("Ethos_U85_SYS_DRAM_Low", Product::U85, port(1.0, 64, (16, 16), [8, 8], 2), port(0.46875, 128, (500, 250), [24, 12], 1)),
    ("Ethos_U85_SYS_DRAM_Mid", Product::U85, port(1.0, 64, (32, 32), [8, 8], 2), port(0.75, 128, (500, 250), [64, 32], 1)),
    ("Ethos_U85_SYS_DRAM_High", Product::U85, port(1.0, 64, (32, 32), [8, 8], 4), port(0.75, 128, (500, 250), [64, 32], 2)),
];

/// Modes by name: which of the two memories holds constants, the delegate's
/// scratch memory, and its fast scratch memory.
const MODES: [(&str, [usize; 3]); 3] =
    [("Sram_Only", [0, 0, 0]), ("Shared_Sram", [1, 0, 0]), ("Dedicated_Sram", [1, 1, 0])];

impl System {
    /// What ExecuTorch exports for where nothing else is said.
    pub fn default_of(unit: Configuration) -> Self {
        let (name, mode) = match unit.product() {
            Some(Product::U85) => ("Ethos_U85_SYS_DRAM_Mid", "Sram_Only"),
            Some(Product::U65) => ("Ethos_U65_High_End", "Dedicated_Sram"),
            _ => ("Ethos_U55_High_End_Embedded", "Shared_Sram"),
        };
        Self::find(unit, name, mode).unwrap_or_else(|| Self::new(0, 0))
    }

    /// The system of the options that the program was compiled with, such as
    /// `--system-config=Ethos_U65_High_End --memory-mode=Dedicated_Sram_384KB`.
    pub fn of_options(unit: Configuration, options: &str) -> Self {
        let value = |name: &str| {
            let (_, rest) = options.split_once(name)?;
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            Some(&rest[..end.unwrap_or(rest.len())])
        };
        let usual = Self::default_of(unit);
        let name = value("--system-config=").unwrap_or(usual.name);
        let mode = value("--memory-mode=").unwrap_or(usual.mode);
        Self::find(unit, name, mode).unwrap_or(usual)
    }

    fn find(unit: Configuration, name: &str, mode: &str) -> Option<Self> {
        let system = SYSTEMS.iter().position(|(own, product, ..)| {
            *own == name && unit.product().unwrap_or(Product::U55) == *product
        })?;
        // A mode may name the size of the fast memory too.
        let mode = MODES.iter().position(|(own, _)| mode.starts_with(own))?;
        Some(Self::new(system, mode))
    }

    fn new(system: usize, mode: usize) -> Self {
        let (name, product, sram, other) = SYSTEMS[system];
        let (mode, [constants, arena, cache]) = MODES[mode];
        let width = if product == Product::U55 { 8.0 } else { 16.0 };
        let memory = |(scale, burst, read_latency, write_latency, at_once, ports): Port| Memory {
            bandwidth: width * scale * f64::from(ports),
            burst,
            read_latency,
            write_latency,
            at_once,
            ports,
        };
        System { name, mode, constants, arena, cache, memories: [memory(sram), memory(other)] }
    }

    /// Index of the memory that `region` lies in.
    pub fn place(&self, region: Region) -> usize {
        match region {
            Region::Weights => self.constants,
            Region::FastScratch => self.cache,
            _ => self.arena,
        }
    }

    /// The memory with an index of [`System::place`].
    pub fn memory(&self, place: usize) -> &Memory {
        &self.memories[place.min(1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const U55: Configuration = Configuration { config: 0x1807, id: 0 };
    const U85: Configuration = Configuration { config: 0x2000_0118, id: 0 };

    #[test]
    fn options_name_the_system() {
        let options = "-verbose --system-config=Ethos_U55_Deep_Embedded\0--memory-mode=Sram_Only;";
        let system = System::of_options(U55, options);
        assert_eq!((system.name, system.mode), ("Ethos_U55_Deep_Embedded", "Sram_Only"));
        assert_eq!(system.place(Region::Weights), 0);
        let usual = System::of_options(U85, "--memory-mode=Dedicated_Sram_512KB");
        assert_eq!((usual.name, usual.mode), ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram"));
        assert_eq!([Region::Scratch, Region::FastScratch].map(|it| usual.place(it)), [1, 0]);
        // Of another unit.
        let wrong = System::of_options(U55, "--system-config=Ethos_U85_SYS_DRAM_Mid");
        assert_eq!(wrong, System::default_of(U55));
    }

    #[test]
    fn bandwidths_are_those_that_the_file_says() {
        let of = |name, unit| System::find(unit, name, "Shared_Sram").expect("a system");
        let system = of("Ethos_U55_High_End_Embedded", U55);
        // 4 GB/s and 0.5 GB/s at 500 MHz.
        assert_eq!([0, 1].map(|place| system.memory(place).bandwidth), [8.0, 1.0]);
        let system = of("Ethos_U85_SYS_DRAM_High", U85);
        // 64 GB/s and 24 GB/s at 1 GHz.
        assert_eq!([0, 1].map(|place| system.memory(place).bandwidth), [64.0, 24.0]);
    }
}
