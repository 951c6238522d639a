//! The backends that ExecuTorch programs are delegated to, and what their
//! payloads are.
//!
//! Ids and payloads as the exporters of release 1.5 write them
//! (`backends/*/…preprocess.py`): most are an opaque binary of the vendor's
//! compiler, some have a header or a mark of their own.

use et_schema::pte::{Delegate, File};

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Its id in programs.
    pub id: &'static str,
    /// What it is, for people.
    pub name: &'static str,
    /// What runs it.
    pub hardware: &'static str,
    /// What a payload is if it bears no known mark.
    payload: &'static str,
    /// Whether the payload's constants are in the program's named data.
    pub named_data: bool,
}

const fn backend(
    id: &'static str,
    name: &'static str,
    hardware: &'static str,
    payload: &'static str,
    named_data: bool,
) -> Backend {
    Backend { id, name, hardware, payload, named_data }
}

/// Every backend that is known by id.
pub const BACKENDS: &[Backend] = &[
    backend("XnnpackBackend", "XNNPACK", "CPUs of Arm, x86 and RISC-V", "XNNPACK graph", true),
    backend("EthosUBackend", "Arm Ethos-U", "Ethos-U55, U65 and U85", "Vela blocks", true),
    backend("VgfBackend", "Arm VGF", "Vulkan with the ML extensions", "VGF file", false),
    backend("TOSABackend", "TOSA", "tools only", "TOSA graph", false),
    backend("CoreMLBackend", "Core ML", "Apple CPU, GPU and Neural Engine", "Core ML model", true),
    backend("CoreAIBackend", "Core AI", "Apple CPU, GPU and Neural Engine", "Core AI model", true),
    backend("MPSBackend", "Metal Performance Shaders", "Apple GPU", "MPS graph", false),
    backend("MetalBackend", "Metal (AOTInductor)", "Apple GPU", "keys of named data", true),
    backend("MLXBackend", "MLX", "Apple GPU", "MLX graph", true),
    backend("QnnBackend", "Qualcomm AI Engine Direct", "Hexagon NPU", "QNN context", false),
    backend("VulkanBackend", "Vulkan", "GPUs", "Vulkan graph", true),
    backend("OpenvinoBackend", "OpenVINO", "Intel CPU, GPU and NPU", "compiled model", false),
    backend("NeuropilotBackend", "MediaTek NeuroPilot", "MediaTek APU", "compiled model", true),
    backend("EnnBackend", "Samsung ENN", "Exynos NPU", "ENN context", false),
    backend("NeutronBackend", "NXP eIQ Neutron", "Neutron NPU", "Neutron microcode", true),
    backend("CadenceBackend", "Cadence", "Xtensa DSPs", "compiled graph", false),
    backend("CudaBackend", "CUDA (AOTInductor)", "NVIDIA GPU", "keys of named data", true),
    backend("NativeBackend", "native graph", "any CPU", "native graph", true),
];

impl Backend {
    /// The backend with an id.
    pub fn find(id: &str) -> Option<&'static Backend> {
        BACKENDS.iter().find(|backend| backend.id == id)
    }
}

/// Marks at an offset, and what a payload with one is.
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"vela_bin_stream\0", "Vela blocks"),
    (0, b"COP1", "Ethos-U command stream without blocks"),
    (4, b"XH00", "XNNPACK graph with header"),
    (4, b"XN00", "XNNPACK graph"),
    (4, b"XN01", "XNNPACK graph"),
    (4, b"VH00", "Vulkan graph with header"),
    (4, b"VK00", "Vulkan graph"),
    (4, b"MLX0", "MLX graph"),
    (4, b"TOSA", "TOSA graph"),
    (4, b"MP00", "MPS graph"),
    (4, b"NPTG", "native graph"),
    (0, b"VGF1", "VGF file"),
    (0, b"CMJR", "reference to a Core ML model in named data"),
    (0, b"PK\x03\x04", "zip archive"),
    (0, b"\x7fELF", "ELF shared library"),
];

/// The end of a Core ML model package in one file: a list of its files, written
/// backwards.
const CORE_ML_END: &[u8] = br#":"sedon"{"#;

/// What the payload of `delegate` is: by its mark, else by what its backend writes.
pub fn payload_kind(file: &File<'_>, delegate: &Delegate<'_>) -> Option<&'static str> {
    let payload = delegate.payload(file).unwrap_or_default();
    let marked = MARKS
        .iter()
        .find(|(at, mark, _)| payload.get(*at..).is_some_and(|bytes| bytes.starts_with(mark)));
    if payload.ends_with(CORE_ML_END) {
        return Some("Core ML model package in one file");
    }
    let usual = || Backend::find(delegate.id()).map(|backend| backend.payload);
    marked.map(|(_, _, kind)| *kind).or_else(usual)
}

/// Keys of named data that a payload of lines of text is, as AOTInductor's
/// backends write it.
pub fn named_parts<'a>(file: &File<'a>, delegate: &Delegate<'a>) -> Vec<(&'a str, u64)> {
    let payload = delegate.payload(file).unwrap_or_default();
    let Ok(text) = std::str::from_utf8(payload) else { return Vec::new() };
    text.lines()
        .take(16)
        .filter_map(|key| {
            let data = file.find_named_data(key).ok().flatten()?;
            Some((key, data.len() as u64))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        for (index, backend) in BACKENDS.iter().enumerate() {
            assert!(BACKENDS[..index].iter().all(|other| other.id != backend.id), "{}", backend.id);
        }
    }
}
