//! Lifetimes where branches of `torch.cond` join, in programs that ExecuTorch
//! 1.5.1 exported.

mod support;

use et_inspector::memory::MethodMemory;
use et_inspector::memory::plan::{Overlap, Plan, Role};
use et_schema::layout::Abi;
use et_schema::pte::File;
use support::fixtures;

fn program(name: &str) -> Vec<u8> {
    std::fs::read(fixtures().join("memory").join(name)).unwrap()
}

fn plan(bytes: &[u8]) -> (Plan, Vec<Overlap>) {
    let file = File::parse(bytes).unwrap();
    let method = file.method("forward").unwrap();
    let plan = Plan::new(&method);
    let overlaps = plan.overlaps(&method);
    (plan, overlaps)
}

#[test]
fn results_of_branches_inside_branches_are_alternatives() {
    let (plan, overlaps) = plan(&program("nested_branches.pte"));
    assert_eq!(overlaps, []);
    // Three results of 12 bytes in the same bytes; one of them is what is read.
    let joined: Vec<_> = plan.storages.iter().filter(|s| !s.through.is_empty()).collect();
    assert_eq!(joined.len(), 3);
    assert!(joined.iter().all(|s| s.merged == joined[0].merged && s.offset == joined[0].offset));
    let buffer = plan.buffers[0];
    assert!(buffer.lower_bound <= buffer.size, "{buffer:?}");
    // Where nothing but inputs, the alternatives and the output are live: the
    // sum has one alternative.
    let step = joined[0].last().unwrap();
    let live: u64 = plan.storages.iter().filter(|s| s.is_live(step)).map(|s| s.bytes).sum();
    assert_eq!(plan.live_bytes()[step as usize], live - 2 * 12);
}

/// The real runtime's outputs for this program are wrong: the loop after the
/// branches writes over their result, whose life the exporter ended too early.
#[test]
fn a_result_of_branches_that_a_loop_overwrites_is_found() {
    let bytes = program("overwritten_branch.pte");
    let (plan, overlaps) = plan(&bytes);
    let pairs: Vec<(u32, u32)> = overlaps
        .iter()
        .map(|overlap| match *overlap {
            Overlap::Shared { first, second, .. } => {
                (plan.storages[first].values[0].0, plan.storages[second].values[0].0)
            }
            Overlap::Outside { .. } => panic!("{overlap:?}"),
        })
        .collect();
    assert_eq!(pairs, [(21, 42), (27, 42), (29, 42)], "each result with what the loop writes");
    let file = File::parse(&bytes).unwrap();
    let memory = MethodMemory::new(&file, file.method("forward").unwrap(), Abi::Arm32).unwrap();
    let codes: Vec<&str> = memory.findings.iter().map(|f| f.code.page().code).collect();
    assert_eq!(codes, ["ETM002"; 3], "the outputs that Moves make are written");
    assert!(memory.findings[0].remedy.contains(".clone()"), "{}", memory.findings[0].remedy);
    let results = plan.storages.iter().filter(|s| !s.through.is_empty());
    assert!(results.clone().all(|s| s.role == Role::Output));
    assert_eq!(results.count(), 3);
}
