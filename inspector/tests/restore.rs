//! Values of float16 and bfloat16 that ExecuTorch's runtime could not describe,
//! against what it returned.

use et_inspector::debug_data::Value;
use et_inspector::gap;
use et_inspector::restore::{RestoreError, Restored, by_program, restore};
use et_schema::{etdump, pte};
use std::fs;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
}

fn read(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The numbers of a `.npy` file of this project's scripts: `<f2`, `<f4` or `<i8`.
fn npy(name: &str) -> Vec<f64> {
    let bytes = read(name);
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..start]).into_owned();
    let data = &bytes[start..];
    if header.contains("<f2") {
        let number = |b: &[u8]| half::f16::from_le_bytes([b[0], b[1]]).to_f64();
        data.chunks_exact(2).map(number).collect()
    } else if header.contains("<f4") {
        data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect()
    } else {
        assert!(header.contains("<i8"), "{header}");
        data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect()
    }
}

fn restored(case: &str, trace: &str, buffer: &[u8]) -> Option<Result<Restored, RestoreError>> {
    let program = read(&format!("half_debug/{case}/model.pte"));
    let program = pte::File::parse(&program).unwrap();
    let trace = read(trace);
    by_program(&etdump::File::recover(&trace).unwrap(), &program, None, buffer)
}

fn of_case(case: &str) -> Restored {
    let buffer = read(&format!("half_debug/{case}/trace.debug.bin"));
    restored(case, &format!("half_debug/{case}/trace.etdp"), &buffer).unwrap().unwrap()
}

/// What each value that a restored trace has holds, by its place.
fn values(restored: &Restored) -> Vec<(gap::Place, Vec<f64>)> {
    let trace = etdump::File::parse(&restored.trace).unwrap();
    let logged = gap::logged(&trace);
    let numbers = |value: Value<'_>| -> Vec<f64> {
        value.tensors().iter().flat_map(|tensor| tensor.numbers().unwrap()).collect()
    };
    logged
        .iter()
        .map(|l| (l.place.clone(), numbers(Value::of(&l.event, Some(&restored.debug_buffer)))))
        .collect()
}

#[test]
fn outputs_are_those_that_the_runtime_returned() {
    for (case, runs, lost, lists) in
        [("mixed", 3, 15, 0), ("late", 2, 4, 0), ("lists", 2, 10, 2), ("channels", 2, 10, 0)]
    {
        let restored = of_case(case);
        assert_eq!((restored.values, restored.lost_lists), (lost, lists), "{case}");
        let values = values(&restored);
        let outputs = (0..)
            .take_while(|index| fixture(&format!("half_debug/{case}/out_{index}.npy")).exists());
        for output in outputs {
            let expected = npy(&format!("half_debug/{case}/out_{output}.npy"));
            let found: Vec<_> = values
                .iter()
                .filter(|(place, _)| place.is_output && place.position == output)
                .collect();
            assert_eq!(found.len(), runs, "{case}, output {output}");
            assert!(found.iter().all(|(_, numbers)| *numbers == expected), "{case}, {output}");
        }
    }
}

#[test]
fn methods_that_run_in_turns_are_told_apart() {
    let restored = of_case("methods");
    // `mixed` loses 5 values in each run, `double` all of its 5.
    assert_eq!((restored.values, restored.lost_lists), (20, 0));
    let values = values(&restored);
    let of = |run: usize| -> Vec<&Vec<f64>> {
        let is_output = |place: &gap::Place| place.is_output && place.run == run;
        values.iter().filter(|(place, _)| is_output(place)).map(|(_, numbers)| numbers).collect()
    };
    let returned = npy("half_debug/methods/out_0.npy");
    assert_eq!(of(1), [&returned]);
    assert_eq!(of(3), [&returned]);
    let mixed: Vec<Vec<f64>> =
        (0..3).map(|index| npy(&format!("half_debug/mixed/out_{index}.npy"))).collect();
    // Both ran on the same input.
    assert_eq!(of(0), mixed.iter().collect::<Vec<_>>());
    assert_eq!(of(2), mixed.iter().collect::<Vec<_>>());
}

#[test]
fn operators_hold_what_they_put_out() {
    let values = values(&of_case("mixed"));
    let input = npy("half_debug/mixed/in_0.npy");
    let of = |instruction: i32| -> Vec<&Vec<f64>> {
        let is_it = |place: &gap::Place| !place.is_output && place.instruction == instruction;
        values.iter().filter(|(place, _)| is_it(place)).map(|(_, numbers)| numbers).collect()
    };
    let half = |number: f64| half::f16::from_f64(number).to_f64();
    let converted: Vec<f64> = input.iter().map(|x| half(*x)).collect();
    let doubled: Vec<f64> = converted.iter().map(|x| half(x * 2.0)).collect();
    let relu: Vec<f64> = doubled.iter().map(|x| x.max(0.0)).collect();
    for (instruction, expected) in [(0, converted), (2, doubled), (3, relu)] {
        assert_eq!(of(instruction), [&expected; 3], "instruction {instruction}");
    }
    assert_eq!(of(1), [&vec![2.0]; 3]);
}

#[test]
fn other_programs_and_buffers_restore_nothing() {
    let trace = "half_debug/mixed/trace.etdp";
    let buffer = read("half_debug/mixed/trace.debug.bin");
    let refusal = |case: &str, buffer: &[u8]| match restored(case, trace, buffer) {
        Some(Err(error)) => error,
        other => panic!("{case}: {other:?}"),
    };
    assert!(matches!(refusal("late", &buffer), RestoreError::OtherProgram(_)));
    assert_eq!(refusal("mixed", &buffer[..200]), RestoreError::OtherBuffer);
    // Without a value that the trace describes, the bytes alone tell the places.
    let trace = "half_debug/channels/trace.etdp";
    let refusal = |buffer: &[u8]| match restored("channels", trace, buffer) {
        Some(Err(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(&buffer), RestoreError::OtherBuffer);
    let mut noise = read("half_debug/channels/trace.debug.bin");
    noise[3000] = 1;
    assert_eq!(refusal(&noise), RestoreError::OtherBuffer);
}

#[test]
fn values_that_are_alike_everywhere_are_found_anywhere() {
    let zeros = vec![0; 4096];
    let restored = restored("channels", "half_debug/channels/trace.etdp", &zeros);
    let restored = restored.unwrap().unwrap();
    assert!(values(&restored).iter().all(|(_, numbers)| numbers.iter().all(|n| *n == 0.0)));
}

#[test]
fn whole_traces_have_nothing_to_restore() {
    let program = read("models/norms/model.pte");
    let program = pte::File::parse(&program).unwrap();
    let trace = read("traces/norms__it1_dbg.etdp");
    let trace = etdump::File::recover(&trace).unwrap();
    assert!(by_program(&trace, &program, None, &[]).is_none());
    // Asked for all the same, it is the same trace.
    let buffer = read("traces/norms__it1_dbg.debug.bin");
    let restored = restore(&trace, &[program.method("forward").unwrap()], &buffer).unwrap();
    assert_eq!(restored.values, 0);
    let again = etdump::File::parse(&restored.trace).unwrap();
    let events = |file: &etdump::File<'_>| -> Vec<String> {
        let described = |event| match event {
            etdump::Event::Profile(event) => format!("{event:?}"),
            etdump::Event::Debug(event) => {
                format!("{} {}", event.chain_index, event.instruction_id)
            }
            other => format!("{other:?}"),
        };
        file.runs().flat_map(|run| run.events().map(described).collect::<Vec<_>>()).collect()
    };
    assert_eq!(events(&again), events(&trace));
}
