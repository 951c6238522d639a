//! The format of a board's profile, in TOML.
//!
//! A profile says which memories the board has, where each number comes from,
//! and in which memory each pool lies. A user's own file has the same format.

use crate::config::{at_line, bytes, some_bytes};
use et_schema::ids::MemoryId;
use et_schema::layout::Abi;
use serde::Deserialize;
use serde::de::Error as _;
use std::collections::BTreeMap;
use std::fmt;

/// A board.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name on the command line.
    pub name: String,
    /// The board and its chip, for people.
    pub title: String,
    /// Processor core that runs ExecuTorch.
    pub core: String,
    /// Its clock in MHz, where the source says one.
    pub clock_mhz: Option<u32>,
    /// Neural processing unit, if any.
    pub npu: Option<String>,
    /// Object sizes.
    #[serde(deserialize_with = "abi")]
    pub abi: Abi,
    /// Where core, clock and NPU are documented.
    pub source: String,
    /// What else a user should know.
    pub note: Option<String>,
    /// The memories.
    #[serde(rename = "memory")]
    pub memories: Vec<Memory>,
    /// Where the pools lie.
    pub pools: Pools,
}

/// One memory of a board.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Name in the chip's documentation.
    pub name: String,
    /// What kind of memory.
    pub kind: MemoryKind,
    /// Bytes.
    #[serde(deserialize_with = "bytes")]
    pub size: u64,
    /// Bytes that the rest of the firmware takes.
    #[serde(default, deserialize_with = "bytes")]
    pub reserved: u64,
    /// First address.
    #[serde(default, deserialize_with = "some_bytes")]
    pub address: Option<u64>,
    /// Clock of its interface in MHz, where a source says one.
    pub clock_mhz: Option<u32>,
    /// The most that one core or NPU can read, in megabytes (10^6) per second,
    /// where a source says it or its clock and width.
    pub bandwidth_mb_s: Option<u32>,
    /// A limit of it in megabytes per second where no source says the speed of
    /// the memory itself: what the core's bus moves.
    pub bandwidth_at_most_mb_s: Option<u32>,
    /// Where size and address are documented.
    pub source: String,
    /// Where clock and bandwidth are documented, or why only a limit is known.
    pub speed_source: Option<String>,
}

/// Kind of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemoryKind {
    /// Tightly coupled to the core.
    Tcm,
    /// On the chip.
    Sram,
    /// Pseudo-static RAM outside of the chip or stacked on it.
    Psram,
    /// Dynamic RAM outside of the chip.
    Dram,
    /// Not volatile: flash, MRAM, RRAM.
    Flash,
}

impl MemoryKind {
    /// Name in the format.
    pub fn name(self) -> &'static str {
        match self {
            MemoryKind::Tcm => "tcm",
            MemoryKind::Sram => "sram",
            MemoryKind::Psram => "psram",
            MemoryKind::Dram => "dram",
            MemoryKind::Flash => "flash",
        }
    }
}

/// Where the pools lie.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pools {
    /// Method allocator.
    pub method: Pool,
    /// Planned buffers; without it they come out of the method allocator's
    /// pool, as in ExecuTorch's Arm runner and its Zephyr samples.
    pub planned: Option<Pool>,
    /// Planned buffers by memory id, where one lies elsewhere than the rest.
    #[serde(default)]
    pub planned_by_id: BTreeMap<String, Pool>,
    /// Temp allocator.
    pub temp: Pool,
    /// Fast scratch memory of an NPU; without it, it lies beside the temp
    /// allocator.
    pub fast_scratch: Option<Pool>,
    /// The program itself; without it, it is not counted.
    pub program: Option<Pool>,
}

/// A pool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Name of its memory.
    pub memory: String,
    /// Bytes that the firmware gives it; without, as many as the memory has left.
    #[serde(default, deserialize_with = "some_bytes")]
    pub size: Option<u64>,
}

/// What is wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError(String);

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProfileError {}

impl Target {
    /// Reads and checks a profile.
    ///
    /// # Errors
    /// The place in the text, what was expected and what was found.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let target: Target = toml::from_str(text).map_err(|e| ProfileError(at_line(text, &e)))?;
        target.check()?;
        Ok(target)
    }

    /// The memory of this name.
    pub fn memory(&self, name: &str) -> Option<&Memory> {
        self.memories.iter().find(|memory| memory.name == name)
    }

    /// The pool of planned buffer `id`, `None` if it is the method allocator's.
    pub fn planned(&self, id: MemoryId) -> Option<&Pool> {
        self.pools.planned_by_id.get(&id.to_string()).or(self.pools.planned.as_ref())
    }

    fn check(&self) -> Result<(), ProfileError> {
        let fail = |message: String| Err(ProfileError(message));
        for (field, text) in
            [("name", &self.name), ("title", &self.title), ("source", &self.source)]
        {
            if text.trim().is_empty() {
                return fail(format!("{field}: expected a text, found an empty one"));
            }
        }
        for (index, memory) in self.memories.iter().enumerate() {
            memory.check()?;
            if self.memories[..index].iter().any(|other| other.name == memory.name) {
                let place = format!("memory {:?}", memory.name);
                return fail(format!("{place}: there are two of this name; rename one"));
            }
        }
        self.check_pools()
    }

    fn check_pools(&self) -> Result<(), ProfileError> {
        for (name, pool) in self.all_pools() {
            let Some(memory) = self.memory(&pool.memory) else {
                let names: Vec<&str> = self.memories.iter().map(|m| m.name.as_str()).collect();
                return Err(ProfileError(format!(
                    "pools.{name}.memory: expected one of {}, found {:?}",
                    names.join(", "),
                    pool.memory
                )));
            };
            if pool.size.is_some_and(|size| size > memory.size) {
                return Err(ProfileError(format!(
                    "pools.{name}.size: expected at most the {} bytes of {}, found {}",
                    memory.size,
                    memory.name,
                    pool.size.unwrap_or(0)
                )));
            }
        }
        for id in self.pools.planned_by_id.keys() {
            if !id.parse::<u32>().is_ok_and(|id| id > 0) {
                return Err(ProfileError(format!(
                    "pools.planned_by_id: expected memory ids from 1 on, found {id:?}"
                )));
            }
        }
        Ok(())
    }

    fn all_pools(&self) -> impl Iterator<Item = (String, &Pool)> {
        let pools = &self.pools;
        let fixed = [
            ("method", Some(&pools.method)),
            ("planned", pools.planned.as_ref()),
            ("temp", Some(&pools.temp)),
            ("fast_scratch", pools.fast_scratch.as_ref()),
            ("program", pools.program.as_ref()),
        ];
        let fixed = fixed.into_iter().filter_map(|(name, pool)| Some((name.to_owned(), pool?)));
        let by_id = pools.planned_by_id.iter();
        fixed.chain(by_id.map(|(id, pool)| (format!("planned_by_id.{id}"), pool)))
    }
}

impl Memory {
    fn check(&self) -> Result<(), ProfileError> {
        let place = format!("memory {:?}", self.name);
        let fail = |message: String| Err(ProfileError(message));
        if self.size == 0 || self.reserved > self.size {
            return fail(format!(
                "{place}: expected a size above 0 and not below what is reserved, found \
                 size {} with {} reserved",
                self.size, self.reserved
            ));
        }
        if self.source.trim().is_empty() {
            return fail(format!("{place}: source: say where the size is documented"));
        }
        if self.speed_source.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return fail(format!(
                "{place}: speed_source: say where clock and bandwidth are documented, or why \
                 neither is known"
            ));
        }
        let known = self.clock_mhz.or(self.bandwidth_mb_s).is_some();
        if self.bandwidth_at_most_mb_s.is_some() && known {
            return fail(format!(
                "{place}: bandwidth_at_most_mb_s: expected no clock_mhz and no bandwidth_mb_s \
                 beside it; it is for memories of which neither is known"
            ));
        }
        Ok(())
    }
}

fn abi<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Abi, D::Error> {
    let name = String::deserialize(deserializer)?;
    let names = || Abi::ALL.map(Abi::name).join(", ");
    Abi::ALL.into_iter().find(|abi| abi.name() == name).ok_or_else(|| {
        D::Error::custom(format!("expected an abi, one of {}, found {name:?}", names()))
    })
}
