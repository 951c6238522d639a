//! What a failed run says about the program.

use super::RunArgs;
use et_inspector::findings::{Finding, Limits, missing_backend, missing_operator, pool_exhausted};
use et_inspector::memory::{LoadRequest, Requirements};
use et_runtime::{Error, Program};
use et_schema::ErrorCode;

/// The findings behind `error`, which running method `name` of `program` ended with.
pub fn of(program: &Program<'_>, name: &str, args: &RunArgs, error: &Error) -> Vec<Finding> {
    let file = program.file();
    let Some(method) = file.method(name) else { return Vec::new() };
    match error.code {
        ErrorCode::MemoryAllocationFailed => {
            let request = LoadRequest {
                file,
                method: &method,
                abi: args.abi.into(),
                temp_pool: args.temp_pool,
                external_data: program.has_external_data(),
            };
            let limits = Limits { method: args.method_pool, planned: args.planned_pool };
            Requirements::of(request).map(|n| pool_exhausted(&n, limits)).unwrap_or_default()
        }
        ErrorCode::OperatorMissing => et_runtime::missing_operators(&method)
            .unwrap_or_default()
            .into_iter()
            .map(|m| missing_operator(&m.name, m.first, m.count))
            .collect(),
        ErrorCode::NotFound => method
            .delegates()
            .map(|delegate| missing_backend(delegate.id()))
            .fold(Vec::new(), |mut found, finding| {
                if !found.contains(&finding) {
                    found.push(finding);
                }
                found
            }),
        _ => Vec::new(),
    }
}
