//! Writes a trace of about the given size, for measuring readers:
//! `large_trace MEGABYTES OUT.etdp`.
//!
//! Each run has 150 instructions with the names of a network's operators; the
//! clock is made up, and the same on every run of this program.

use et_schema::ids::{ChainId, InstructionId};
use etdump::{Contents, EtDumpWriter, Place, Ticks, Tracer};
use std::error::Error;

const INSTRUCTIONS: u32 = 150;
const OPERATORS: [&str; 6] = [
    "native_call_convolution.out",
    "native_call_hardtanh.out",
    "native_call_add.out",
    "native_call_mean.out",
    "native_call_view_copy.out",
    "native_call_addmm.out",
];
/// Of two events with their part of the vectors, and of the run's names.
const BYTES_PER_INSTRUCTION: usize = 84;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(megabytes), Some(path)) = (args.next(), args.next()) else {
        return Err("usage: large_trace MEGABYTES OUT.etdp".into());
    };
    let runs =
        megabytes.parse::<usize>()? * 1_000_000 / (BYTES_PER_INSTRUCTION * INSTRUCTIONS as usize);
    let mut now = 1_000_000_000u64;
    let clock = move || {
        // A linear congruential step, so that times differ from run to run.
        now += 200 + (now.wrapping_mul(6_364_136_223_846_793_005) >> 52);
        Ticks(now)
    };
    let mut writer = EtDumpWriter::new(clock, Contents::InspectorCompatible);
    for _ in 0..runs {
        writer.begin_run("Execute", &[]);
        let method = writer.begin("Method::execute", Place::Method);
        for index in 0..INSTRUCTIONS {
            let place = Place::Instruction(ChainId(0), InstructionId(index));
            let name = OPERATORS[index as usize % OPERATORS.len()];
            let call = writer.begin("OPERATOR_CALL", place);
            let kernel = writer.begin(name, place);
            writer.end(name, place, kernel);
            writer.end("OPERATOR_CALL", place, call);
        }
        writer.end("Method::execute", Place::Method, method);
    }
    std::fs::write(path, writer.finish().bytes)?;
    Ok(())
}
