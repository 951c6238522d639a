//! The Ethos-U delegates of a program.

use super::{Disassembly, Estimate, Estimates, Fault, Region, Regions, System, check, estimates};
use crate::findings::{Code, Finding};
use et_schema::ethos_u::{BACKEND, Configuration, Payload, Product};
use et_schema::ids::{ChainId, InstructionId};
use et_schema::pte::{Delegate, File, Instruction, Method};

/// A delegate, taken apart.
#[derive(Debug)]
pub struct Unit<'a> {
    /// Its index in the method.
    pub index: usize,
    /// The first instruction that calls it.
    pub at: Option<(ChainId, InstructionId)>,
    /// Its payload.
    pub payload: Payload<'a>,
    /// The unit that it was made for.
    pub configuration: Configuration,
    /// Its operations.
    pub stream: Disassembly,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// The system that it was compiled for.
    pub system: System,
    /// What its operations take.
    pub estimates: Estimates,
}

impl Unit<'_> {
    /// What all operations take.
    pub fn total(&self) -> Estimate {
        self.estimates.total
    }

    /// Bytes of fast scratch memory that the stream uses.
    pub fn fast_scratch(&self) -> u64 {
        self.stream.extent(Region::FastScratch)
    }
}

/// Every Ethos-U delegate of `method` by its index, or why it cannot be read.
pub fn units<'a>(file: &File<'a>, method: &Method<'a>) -> Vec<Result<Unit<'a>, Finding>> {
    let delegates = method.delegates().enumerate();
    delegates
        .filter(|(_, delegate)| delegate.id() == BACKEND)
        .map(|(index, delegate)| unit(file, method, index, &delegate))
        .collect()
}

/// The Ethos-U delegate `index` of `method`, taken apart and checked.
///
/// # Errors
/// The finding that says why its payload cannot be read.
pub fn unit<'a>(
    file: &File<'a>,
    method: &Method<'a>,
    index: usize,
    delegate: &Delegate<'a>,
) -> Result<Unit<'a>, Finding> {
    let at = first_call(method, index);
    let damaged = |error: String| {
        placed(
            at,
            Finding::new(
                Code::NpuPayload,
                format!("the payload of Ethos-U delegate {index} cannot be read: {error}"),
                "export the program again, with the release of ExecuTorch that the firmware has",
            ),
        )
        .with("delegate", index)
    };
    let bytes = delegate.payload(file).map_err(|error| damaged(error.to_string()))?;
    let named = |key: &str| file.find_named_data(key).ok().flatten();
    let payload = Payload::parse(bytes, named).map_err(|error| damaged(error.to_string()))?;
    let options = options(delegate);
    Ok(Unit { index, at, ..Unit::new(payload, accelerator(delegate), &options) })
}

impl<'a> Unit<'a> {
    /// The payload of a delegate, taken apart and checked; `spec` is the
    /// accelerator that its compile specs name, and `options` the compiler's
    /// that name the system.
    pub fn new(payload: Payload<'a>, spec: Option<String>, options: &str) -> Self {
        let (configuration, mut faults) = match payload.driver.configuration {
            Some(unit) if unit.exists() => {
                let differs = spec.filter(|spec| *spec != unit.accelerator());
                let fault = differs.map(|spec| {
                    let made = unit.accelerator();
                    Fault::Configuration(format!(
                        "compiled for {spec}, but the stream is for {made}"
                    ))
                });
                (unit, Vec::from_iter(fault))
            }
            Some(unit) => {
                let text = format!("there is no unit like {unit} ({})", unit.accelerator());
                (unit, vec![Fault::Configuration(text)])
            }
            None => {
                let text = "the driver's header does not name the unit".to_owned();
                (Configuration { config: 0, id: 0 }, vec![Fault::Configuration(text)])
            }
        };
        let product = configuration.product().unwrap_or(Product::U55);
        let stream = Disassembly::new(&payload, product);
        let regions = Regions {
            weights: payload.weights.len() as u64,
            scratch: payload.scratch.into(),
            fast_scratch: None,
        };
        faults.extend(check(&payload, &stream, &regions));
        let system = System::of_options(configuration, options);
        let estimates = estimates(&stream.operations, configuration, &system);
        Unit { index: 0, at: None, payload, configuration, stream, faults, system, estimates }
    }
}

/// The compile specs as one text, which has the compiler's options.
fn options(delegate: &Delegate<'_>) -> String {
    let mut options = String::new();
    for spec in delegate.compile_specs() {
        options.push_str(&String::from_utf8_lossy(spec.value));
        options.push(' ');
    }
    options
}

/// The accelerator in the compile specs, such as `ethos-u55-128`.
pub(crate) fn accelerator(delegate: &Delegate<'_>) -> Option<String> {
    delegate.compile_specs().find_map(|spec| {
        let text = String::from_utf8_lossy(spec.value).to_lowercase();
        let at = text.find("ethos-u")?;
        let end = text[at..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        Some(text[at..end.map_or(text.len(), |end| at + end)].to_owned())
    })
}

fn first_call(method: &Method<'_>, wanted: usize) -> Option<(ChainId, InstructionId)> {
    method.chains().enumerate().find_map(|(chain, instructions)| {
        let at = instructions.instructions().position(|instruction| {
            matches!(instruction, Instruction::DelegateCall { delegate, .. }
                if delegate.index() == wanted)
        })?;
        Some((ChainId(chain as u32), InstructionId(at as u32)))
    })
}

fn placed(at: Option<(ChainId, InstructionId)>, finding: Finding) -> Finding {
    match at {
        Some(at) => finding.at(at, BACKEND),
        None => finding,
    }
}

/// What is wrong with the Ethos-U delegates of `method`; several faults of one
/// kind are one finding.
pub fn findings(file: &File<'_>, method: &Method<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for unit in units(file, method) {
        match unit {
            Err(finding) => findings.push(finding),
            Ok(unit) => of_unit(&unit, &mut findings),
        }
    }
    findings
}

fn of_unit(unit: &Unit<'_>, findings: &mut Vec<Finding>) {
    let index = unit.index;
    if unit.payload.has_old_layout || !unit.payload.is_complete {
        let what = match unit.payload.has_old_layout {
            true => "has a block scratch_data, which today's runtime refuses",
            false => "ends without its last block",
        };
        let finding = Finding::new(
            Code::NpuPayload,
            format!("the payload of Ethos-U delegate {index} {what}"),
            "export the program again, with the release of ExecuTorch that the firmware has",
        );
        findings.push(placed(unit.at, finding).with("delegate", index));
    }
    let mut kinds: Vec<(Code, Vec<&Fault>)> = Vec::new();
    for fault in &unit.faults {
        let code = code(fault);
        match kinds.iter_mut().find(|(known, _)| *known == code) {
            Some((_, faults)) => faults.push(fault),
            None => kinds.push((code, vec![fault])),
        }
    }
    for (code, faults) in kinds {
        let more = match faults.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let title = format!("Ethos-U delegate {index}: {}{more}", faults[0]);
        let mut finding = placed(unit.at, Finding::new(code, title, code.page().remedy))
            .with("delegate", index)
            .with("faults", faults.len())
            .with("unit", unit.configuration);
        if let Fault::Outside { range, size, .. } = faults[0] {
            finding = finding
                .with("region", range.region)
                .with("region_bytes", size)
                .with("needed_bytes", range.end);
        }
        findings.push(finding);
    }
}

fn code(fault: &Fault) -> Code {
    match fault {
        Fault::Configuration(_) => Code::NpuConfiguration,
        Fault::Length { .. } | Fault::UnknownCommand { .. } | Fault::Undecodable { .. } => {
            Code::NpuStream
        }
        Fault::NoStop => Code::NpuNoStop,
        Fault::Outside { .. } => Code::NpuOutside,
        Fault::Misaligned { .. } => Code::NpuMisaligned,
        Fault::NoWait { .. } | Fault::BlockDependency { .. } => Code::NpuNoWait,
        Fault::NeverWritten { .. } | Fault::NoTable { .. } => Code::NpuNeverWritten,
        Fault::OutputNeverWritten { .. } => Code::NpuOutput,
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Configuration(text) => f.write_str(text),
            Fault::Length { promised, found, trailing } => write!(
                f,
                "the header promises {promised} words, {found} are there, and {trailing} bytes \
                 behind them"
            ),
            Fault::UnknownCommand { word, code } => {
                write!(f, "word {word}: the unit has no command {code:#06x}")
            }
            Fault::Undecodable { word, words } => {
                write!(f, "word {word}: no command; the last {words} words mean nothing")
            }
            Fault::NoStop => f.write_str("the stream does not end with a stop"),
            Fault::Outside { word, what, range, size } => {
                if let Some(word) = word {
                    write!(f, "word {word}: ")?;
                }
                write!(f, "{what} at {range}, of which {size} bytes exist")
            }
            Fault::Misaligned { word, what, address, alignment } => {
                write!(f, "word {word}: {what} at {address:#x}, not a multiple of {alignment}")
            }
            Fault::NoWait { word, of, range } => {
                write!(f, "word {word}: {range} is used without waiting for word {of}")
            }
            Fault::BlockDependency { word, of, set, allowed } => write!(
                f,
                "word {word}: {set} blocks begin before word {of} is done, of which {allowed} may"
            ),
            Fault::NeverWritten { word, what, range } => {
                write!(f, "word {word}: {what}: nothing has written {range}")
            }
            Fault::NoTable { word } => write!(f, "word {word}: a table that was never copied"),
            Fault::OutputNeverWritten { output, range } => {
                write!(f, "output {output}: nothing writes {range}")
            }
        }
    }
}
