//! `Program::load_method`: accounts for the loader's memory, parses values,
//! resolves operators.

#[cfg(feature = "std")]
use super::fusion;
use super::instruction::{DelegateCall, Instruction, KernelCall};
use super::operands::{self, Workspace};
use super::{LoadOptions, Method, MissingOperator, Pools, constants, planned, values};
use crate::delegate::Delegate;
use crate::error::Error;
use crate::kernels::order::{self, Order};
use crate::kernels::{self, Implementation, Kept, Kernel, Means};
use crate::memory::Pool;
use crate::program::Program;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;
use et_schema::ErrorCode;
use et_schema::ids::{ChainId, DelegateId, InstructionId, ValueId};
use et_schema::layout::{self, LoadSettings, MethodAllocation, Step};
use et_schema::operators;
use et_schema::pte::{self, Method as Plan};
use etdump::{AllocationRecord, Place, Tracer};

impl<'p> Method<'p> {
    /// Loads method `name` of `program`.
    ///
    /// The trace gets a run `Default` with `Method::init`, `Program::load_method`
    /// and the allocations between them.
    ///
    /// # Errors
    /// What ExecuTorch's loader refuses, with its error code: a pool too small
    /// (`MemoryAllocationFailed`), operators without a kernel
    /// (`OperatorMissing`), a backend that is not here (`NotFound`), a program
    /// that contradicts itself (`InvalidProgram`).
    pub fn load(
        program: &Program<'p>,
        name: &str,
        options: LoadOptions,
        tracer: &mut dyn Tracer,
    ) -> Result<Self, Error> {
        let plan = program.file().method(name).ok_or_else(|| {
            Error::new(ErrorCode::InvalidArgument, format!("no method {name:?} in the program"))
        })?;
        let planned = planned::pools(&plan, &options.limits);
        let mut pools = Pools {
            // Without planned buffers a trace shows the pool that is too small for them.
            planned: match &planned {
                Ok(planned) => planned.clone(),
                Err(_) => Vec::from([Pool::new("planned_1", options.limits.planned)]),
            },
            method: Pool::new("method", options.limits.method),
            temp: Pool::new("temp", options.limits.temp),
        };
        pools.begin_run("Default", tracer);
        if let Err(error) = planned {
            tracer.begin("Program::load_method", Place::Method);
            tracer.failed("Program::load_method", Place::Method, error.code);
            return Err(error);
        }
        trace_planned(&pools, tracer);
        let load = tracer.begin("Program::load_method", Place::Method);
        let init = tracer.begin("Method::init", Place::Method);
        let loaded = account(program, &plan, options, &mut pools, tracer)
            .and_then(|()| Self::init(program, &plan, options, pools));
        let method = loaded.inspect_err(|error| {
            tracer.failed("Method::init", Place::Method, error.code);
            tracer.failed("Program::load_method", Place::Method, error.code);
        })?;
        tracer.end("Method::init", Place::Method, init);
        tracer.end("Program::load_method", Place::Method, load);
        Ok(method)
    }

    fn init(
        program: &Program<'p>,
        plan: &Plan<'p>,
        options: LoadOptions,
        mut pools: Pools,
    ) -> Result<Self, Error> {
        let mut arenas = planned::arenas(plan, &pools)?;
        let values = values::parse(program, plan, &mut pools, &mut arenas)?;
        for id in plan.inputs().chain(plan.outputs()) {
            check_value(plan, id)?;
        }
        let delegates = Delegate::load_all(program, plan, options)?;
        // A tensor keeps its dim order for life.
        let plain = values.tensors.iter().all(|tensor| tensor.meta.is_contiguous());
        let mut chains = Resolver::new(plan, plain, options.kernels, &delegates).chains()?;
        let outputs: Vec<ValueId> = plan.outputs().collect();
        if options.kernels.is_empty() {
            operands::refuse_complex(&mut chains, &values);
        }
        constants::mark(&mut chains, &values);
        #[cfg(feature = "std")]
        if options.kernels.is_empty() {
            fusion::find_groups(&mut chains, &values, &outputs);
        }
        Ok(Method {
            name: plan.name(),
            values,
            inputs: plan.inputs().collect(),
            outputs,
            chains,
            delegates,
            arenas,
            pools,
            means: Means { threads: options.threads.max(1), rounding: options.rounding },
            max_instructions: options.max_instructions,
            seed: Cell::new(options.seed),
            workspace: Workspace::default(),
            guard: None,
        })
    }
}

/// Operators of `plan` that this runtime has no kernel for, in order of their first call.
///
/// # Errors
/// An instruction that contradicts the program.
pub fn missing_operators(plan: &Plan<'_>) -> Result<Vec<MissingOperator>, Error> {
    let mut resolver = Resolver::new(plan, true, &[], &[]);
    resolver.resolve_all()?;
    Ok(resolver.missing)
}

/// A planned buffer is one allocation, made before the method loads.
fn trace_planned(pools: &Pools, tracer: &mut dyn Tracer) {
    for (buffer, pool) in pools.planned.iter().enumerate() {
        let (allocator, size) = (pools.planned_index(buffer), pool.limit().unwrap_or(0));
        tracer.allocation(AllocationRecord { allocator, size, offset: 0 });
    }
}

/// Takes from the pools what the C++ runtime takes while it loads the method.
fn account(
    program: &Program<'_>,
    plan: &Plan<'_>,
    options: LoadOptions,
    pools: &mut Pools,
    tracer: &mut dyn Tracer,
) -> Result<(), Error> {
    let settings = LoadSettings {
        abi: options.abi,
        temp_pool: Some(options.limits.temp.unwrap_or(u64::MAX)),
        external_data: program.has_external_data(),
        input_flags: true,
        backend_objects: true,
    };
    for pool in &mut pools.planned {
        // The account of a planned buffer is its one allocation.
        let size = pool.limit().unwrap_or(0);
        let _ = pool.allocate(size, 1);
    }
    layout::method_allocations(program.file(), plan, settings, &mut |step| {
        let allocation = match step {
            Step::ResetTemp => {
                pools.temp.reset();
                return Ok(());
            }
            Step::Allocate(allocation) => allocation,
        };
        let MethodAllocation { size, align, .. } = allocation;
        let (allocator, pool) = match allocation.pool {
            layout::Pool::Method => (pools.method_index(), &mut pools.method),
            layout::Pool::Temp => (pools.temp_index(), &mut pools.temp),
        };
        let offset = pool.allocate(size, align).map_err(|e| Error {
            at: allocation.instruction,
            ..Error::new(ErrorCode::MemoryAllocationFailed, e.message())
        })?;
        tracer.allocation(AllocationRecord { allocator, size, offset });
        Ok(())
    })
}

fn check_value(plan: &Plan<'_>, id: ValueId) -> Result<ValueId, Error> {
    plan.value(id)?;
    Ok(id)
}

/// Turns instructions into calls, and collects operators without a kernel.
struct Resolver<'a, 'p> {
    plan: &'a Plan<'p>,
    /// All tensors are in plain dim order.
    plain: bool,
    kernels: &'static [(&'static str, Kernel)],
    delegates: &'a [Delegate],
    missing: Vec<MissingOperator>,
    by_name: BTreeMap<String, usize>,
}

impl<'a, 'p> Resolver<'a, 'p> {
    fn new(
        plan: &'a Plan<'p>,
        plain: bool,
        kernels: &'static [(&'static str, Kernel)],
        delegates: &'a [Delegate],
    ) -> Self {
        Resolver { plan, plain, kernels, delegates, missing: Vec::new(), by_name: BTreeMap::new() }
    }

    fn chains(mut self) -> Result<Vec<Vec<Instruction>>, Error> {
        let chains = self.resolve_all()?;
        if self.missing.is_empty() {
            return Ok(chains);
        }
        let names: Vec<String> = self
            .missing
            .iter()
            .map(|m| {
                let (chain, instruction) = m.first;
                format!("{} (first at instruction {chain}:{instruction}, {}x)", m.name, m.count)
            })
            .collect();
        let calls: usize = self.missing.iter().map(|m| m.count).sum();
        Err(Error {
            at: Some(self.missing[0].first),
            operator: Some(self.missing[0].name.clone()),
            ..Error::new(
                ErrorCode::OperatorMissing,
                format!(
                    "There are {calls} instructions don't have corresponding operator registered. \
                     Missing: {}",
                    names.join(", ")
                ),
            )
        })
    }

    fn resolve_all(&mut self) -> Result<Vec<Vec<Instruction>>, Error> {
        self.plan
            .chains()
            .enumerate()
            .map(|(chain_index, chain)| {
                let count = chain.instruction_count();
                let mut resolved = Vec::with_capacity(count);
                for (index, instruction) in chain.instructions().enumerate() {
                    let at = (ChainId(chain_index as u32), InstructionId(index as u32));
                    let call = self.resolve(instruction, at, count).map_err(|mut e| {
                        e.at.get_or_insert(at);
                        e
                    })?;
                    resolved.extend(call);
                }
                Ok(resolved)
            })
            .collect()
    }

    /// The call, or nothing for an operator that is missing.
    fn resolve(
        &mut self,
        instruction: pte::Instruction<'p>,
        at: (ChainId, InstructionId),
        count: usize,
    ) -> Result<Option<Instruction>, Error> {
        let value = |id| check_value(self.plan, id);
        Ok(Some(match instruction {
            pte::Instruction::KernelCall { operator, args } => {
                let name = self.plan.operator(operator)?.to_string();
                return self.kernel_call(name, &args, at);
            }
            pte::Instruction::DelegateCall { delegate, args } => {
                Instruction::Delegate(self.delegate_call(delegate, &args)?)
            }
            pte::Instruction::Move { from, to } => {
                Instruction::Move { from: value(from)?, to: value(to)? }
            }
            pte::Instruction::JumpFalse { condition, destination } => {
                // Jumping just past the end finishes the chain.
                if destination.index() > count {
                    return Err(Error::new(
                        ErrorCode::InvalidProgram,
                        format!("jump to instruction {destination} of {count}"),
                    ));
                }
                Instruction::JumpFalse {
                    condition: value(condition)?,
                    destination: destination.index(),
                }
            }
            pte::Instruction::Free { value: id } => Instruction::Free { value: value(id)? },
            pte::Instruction::Unknown(tag) => {
                return Err(Error::new(
                    ErrorCode::InvalidProgram,
                    format!("an instruction of an unknown kind, tag {tag}"),
                ));
            }
        }))
    }

    fn delegate_call(
        &self,
        delegate: DelegateId,
        args: &pte::Args<'p>,
    ) -> Result<DelegateCall, Error> {
        let name = format!("delegate {}", self.plan.delegate(delegate)?.id());
        let args =
            args.ids().map(|id| check_value(self.plan, id)).collect::<Result<Vec<_>, _>>()?;
        // Who only looks for operators has loaded no delegates.
        let loaded = self.delegates.get(delegate.index());
        let (reads, writes) = loaded.map(Delegate::arguments).unwrap_or_default();
        let own = |places: &[usize]| -> Result<Box<[ValueId]>, Error> {
            let argument = |place: &usize| {
                args.get(*place).copied().ok_or_else(|| Error {
                    operator: Some(name.clone()),
                    ..Error::new(
                        ErrorCode::InvalidProgram,
                        format!("{} arguments, the delegate takes more", args.len()),
                    )
                })
            };
            places.iter().map(argument).collect()
        };
        let (reads, writes) = (own(&reads)?, own(&writes)?);
        Ok(DelegateCall { delegate: delegate.index(), name, args: args.into(), reads, writes })
    }

    fn kernel_call(
        &mut self,
        name: String,
        args: &pte::Args<'p>,
        at: (ChainId, InstructionId),
    ) -> Result<Option<Instruction>, Error> {
        let ids = args.ids().map(|id| check_value(self.plan, id)).collect::<Result<Vec<_>, _>>()?;
        let own = self.kernels.iter().find(|(operator, _)| *operator == name);
        let found = match own {
            Some((_, kernel)) => Some(Implementation::Kernel(*kernel)),
            None => kernels::find(&name),
        };
        match found {
            Some(Implementation::Prim(op)) => {
                Ok(Some(Instruction::Prim { name, op, args: ids.into() }))
            }
            Some(Implementation::Kernel(kernel)) if operators::find(&name).is_some() => {
                let Some(signature) = operators::find(&name) else { return Ok(None) };
                let Some(own) = ids.get(..signature.args.len()) else {
                    return Err(Error {
                        operator: Some(name),
                        ..Error::new(
                            ErrorCode::InvalidProgram,
                            format!(
                                "{} arguments, the operator takes {}",
                                ids.len(),
                                signature.args.len()
                            ),
                        )
                    });
                };
                Ok(Some(Instruction::Kernel(KernelCall {
                    event: event_name(&name),
                    order: if self.plain { Order::Heeded } else { order::of(&name) },
                    name,
                    kernel,
                    signature,
                    args: own.into(),
                    constants: 0,
                    lists: Box::default(),
                    kept: Kept::default(),
                    settled: false,
                    prepared: None,
                    #[cfg(feature = "std")]
                    group: None,
                })))
            }
            _ => {
                self.add_missing(name, at);
                Ok(None)
            }
        }
    }

    fn add_missing(&mut self, name: String, at: (ChainId, InstructionId)) {
        if let Some(index) = self.by_name.get(&name) {
            self.missing[*index].count += 1;
        } else {
            self.by_name.insert(name.clone(), self.missing.len());
            self.missing.push(MissingOperator { name, first: at, count: 1 });
        }
    }
}

/// The C++ code generator names the scope after the function, without its namespace.
fn event_name(operator: &str) -> String {
    let function = operator.rsplit_once("::").map_or(operator, |(_, function)| function);
    format!("native_call_{function}")
}
