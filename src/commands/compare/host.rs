//! Our runtime as the reference: the program is run on the same inputs as
//! often as the trace has runs with values, and all its values are kept.

use super::CompareArgs;
use crate::commands::run::{add_data, bundled, inputs, method_name};
use crate::failure::Failure;
use crate::input;
use crate::text::escape;
use et_runtime::{LoadOptions, Method, Program};
use et_schema::bundled::File as Bundle;
use et_schema::pte::File;
use etdump::{Contents, DebugLevel, EtDump, EtDumpWriter, SystemClock};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What [`CompareArgs::reference`] puts out, a program or one bundled with its
/// inputs, over as many runs as there are `methods`, each of the method that it
/// names.
///
/// # Errors
/// The files cannot be read, the inputs do not fit, or the program fails.
pub(super) fn run(
    args: &CompareArgs,
    bytes: &[u8],
    bundle: Option<&Bundle<'_>>,
    methods: &[Option<&str>],
) -> Result<EtDump, Failure> {
    let path = &args.reference;
    let program = bundle.map_or(bytes, |bundle| bundle.program());
    let file = File::parse(program).map_err(|e| Failure::input(path, e))?;
    let named =
        |method: &Option<&str>| method_name(args.method.as_deref().or(*method), path, &file);
    let runs = methods.iter().map(named).collect::<Result<Vec<_>, _>>()?;
    let data = args.data.iter().map(|path| input::open(path)).collect::<Result<Vec<_>, _>>()?;
    let mut program = Program::new(file);
    for (path, bytes) in args.data.iter().zip(&data) {
        add_data(&mut program, path, bytes)?;
    }
    let mut trace = EtDumpWriter::new(SystemClock::default(), Contents::Full);
    trace.log_values(DebugLevel::IntermediateOutputs, None);
    let failed = |e: et_runtime::Error| {
        let message = format!("{}: the reference fails: {e}", path.display());
        Failure::Runtime(escape(&message))
    };
    let mut loaded = BTreeMap::new();
    for name in runs {
        let (method, given) = match loaded.entry(name) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let given = match bundle {
                    Some(bundle) if args.input.is_empty() && args.inputs.is_none() => {
                        bundled::test_case(path, bundle, entry.key(), args.testset)?.inputs
                    }
                    _ => inputs::read(&args.input, args.inputs.as_deref())?,
                };
                let options = LoadOptions::default();
                let method = Method::load(&program, entry.key(), options, &mut trace);
                entry.insert((method.map_err(failed)?, given))
            }
        };
        inputs::set(method, given)?;
        method.execute(&mut trace).map_err(failed)?;
    }
    Ok(trace.finish())
}
