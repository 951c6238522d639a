//! ETRecords that ExecuTorch's exporter wrote, whole and damaged.

mod support;

use et_schema::ScalarType;
use et_schema::etrecord::{File, SavedValue};
use et_schema::ids::InstructionId;
use std::fs;
use std::hint::black_box;
use std::io::{Cursor, Read, Write};
use support::{Random, fixture, path};

fn handles(file: &File<'_>, method: &str, instruction: u32) -> Option<Vec<i64>> {
    file.debug_handles(method, InstructionId(instruction)).map(|h| h.as_slice().to_vec())
}

#[test]
fn instruction_has_one_handle_or_several() {
    let bytes = fixture("traces/xnn_cnn.etrecord");
    let file = File::parse(&bytes).unwrap();
    let convolutions = vec![1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9];
    assert_eq!(handles(&file, "forward", 0), Some(convolutions));
    assert_eq!(handles(&file, "forward", 1), Some(vec![10]));
    assert_eq!(handles(&file, "forward", 3), None);
    assert_eq!(file.delegate("forward", InstructionId(2)).unwrap().name, "XnnpackBackend");
    assert_eq!(file.delegate("forward", InstructionId(1)), None);
    assert_eq!(file.output_count("forward", InstructionId(0)), 1);
}

#[test]
fn delegate_without_a_map_has_an_empty_one() {
    let bytes = fixture("traces/u55_add.etrecord");
    let file = File::parse(&bytes).unwrap();
    let delegate = file.delegate("forward", InstructionId(2)).unwrap();
    assert_eq!(delegate.name, "EthosUBackend");
    assert!(delegate.operations.is_empty());
}

#[test]
fn nodes_know_their_module_and_source() {
    let bytes = fixture("traces/mlp_stacktrace.etrecord");
    let file = File::parse(&bytes).unwrap();
    let graph = file.edge_program("forward").unwrap().unwrap();
    let nodes: Vec<_> = graph.nodes_of(3).collect();
    assert_eq!(nodes.len(), 2, "a transposition and a product share the handle");
    assert_eq!(nodes[1].name, "aten_addmm_default_1");
    assert_eq!(nodes[1].op_type(), "aten.addmm.default");
    assert_eq!(nodes[1].inputs, ["p_fc2_bias", "aten_relu_default", "aten_permute_copy_default_1"]);
    let module = nodes[1].module().unwrap();
    assert_eq!(module.path, "fc2");
    assert_eq!(module.class, "torch.nn.modules.linear.Linear");
    assert_eq!(nodes[1].source(), Some(("reference/models/generate/zoo.py", 623)));
}

#[test]
fn every_method_has_its_graph() {
    let bytes = fixture("traces/multi_method_forward.etrecord");
    let file = File::parse(&bytes).unwrap();
    assert_eq!(file.methods(), ["forward", "forward_x3"]);
    for method in file.methods() {
        assert!(!file.edge_program(method).unwrap().unwrap().nodes().is_empty());
    }
    assert!(file.edge_program("backward").unwrap().is_none());
    assert!(!file.exported_program().unwrap().unwrap().nodes().is_empty());
}

#[test]
fn representative_inputs_are_tensors() {
    let bytes = fixture("traces/kv_cache.etrecord");
    let inputs = File::parse(&bytes).unwrap().representative_inputs().unwrap().unwrap();
    let tensors = inputs.tensors();
    assert_eq!(tensors.len(), 2);
    assert_eq!(tensors[0].scalar_type, ScalarType::Float);
    assert_eq!(tensors[0].sizes, [1, 1, 8]);
    assert_eq!(tensors[0].data().unwrap(), npy_data("models/kv_cache/io/forward/case0/in_0.npy"));
    assert_eq!(tensors[1].scalar_type, ScalarType::Long);
    assert_eq!(tensors[1].data().unwrap(), npy_data("models/kv_cache/io/forward/case0/in_1.npy"));
}

/// The elements of an NPY file of version 1.
fn npy_data(name: &str) -> Vec<u8> {
    let bytes = fixture(name);
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[10 + header..].to_vec()
}

#[test]
fn weights_that_are_parameters_are_tensors() {
    let bytes = fixture("traces/linear.etrecord");
    let file = File::parse(&bytes).unwrap();
    let weights = file.saved("exported_program_state_dict").unwrap().unwrap();
    let SavedValue::Map(entries) = &weights else { panic!("{weights:?}") };
    assert!(entries.iter().any(|(name, _)| name == "linear.weight"));
    for tensor in weights.tensors() {
        let numel: u64 = tensor.sizes.iter().product();
        assert_eq!(tensor.data().unwrap().len() as u64, numel * 4);
    }
}

#[test]
fn other_files_are_refused_with_what_they_lack() {
    let error = File::parse(&fixture("models/linear/model.pte")).unwrap_err();
    assert!(error.to_string().contains("ETRecord"), "{error}");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("weights.npy", options()).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let error = File::parse(&bytes).unwrap_err();
    assert!(error.to_string().contains("ETRECORD_V0"), "{error}");
}

fn options() -> zip::write::SimpleFileOptions {
    zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated)
}

#[test]
fn zip_bomb_is_not_unpacked() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("ETRECORD_V0", options()).unwrap();
    zip.start_file("debug_handle_map", options()).unwrap();
    for _ in 0..128 {
        zip.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20);
    let error = File::parse(&bytes).unwrap_err();
    assert!(error.to_string().contains("debug_handle_map"), "{error}");
    assert!(error.to_string().contains("at most"), "{error}");
}

/// Everything that a reader offers of one record.
fn walk(bytes: &[u8]) -> usize {
    let Ok(file) = File::parse(bytes) else { return 0 };
    let names: Vec<String> = file.members().map(str::to_owned).collect();
    for method in file.methods() {
        for instruction in 0..64 {
            let id = InstructionId(instruction);
            black_box((file.debug_handles(method, id), file.output_count(method, id)));
            if let Some(delegate) = file.delegate(method, id) {
                black_box((delegate.operations.find_name("x"), delegate.operations.find_number(1)));
            }
        }
    }
    for name in &names {
        if let Ok(Some(graph)) = file.graph(name) {
            graph.nodes().iter().for_each(|n| {
                black_box((n.op_type(), n.source()));
            });
        }
        if let Ok(Some(value)) = file.saved(name) {
            value.tensors().iter().for_each(|t| drop(black_box(t.data())));
        }
    }
    names.len()
}

#[test]
fn damaged_records_do_not_panic() {
    let mut random = Random(4);
    let mut accepted = 0;
    for entry in fs::read_dir(path("traces")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "etrecord") {
            continue;
        }
        let whole = fs::read(path).unwrap();
        assert!(walk(&whole) >= 13);
        for round in 0..40 {
            let mut bytes = whole.clone();
            match round % 3 {
                0 => bytes.truncate(random.below(whole.len())),
                1 => {
                    // The directory at the end decides what is read at all.
                    let at = whole.len() - 1 - random.below(whole.len().min(2000));
                    bytes[at] ^= 1 << random.below(8);
                }
                _ => {
                    let at = random.below(whole.len() - 4);
                    bytes[at..at + 4].copy_from_slice(&(random.next() as u32).to_le_bytes());
                }
            }
            accepted += usize::from(walk(&bytes) > 0);
        }
    }
    assert!(accepted > 0);
}

#[test]
fn damaged_members_with_right_check_values_do_not_panic() {
    let whole = fixture("traces/kv_cache.etrecord");
    let mut random = Random(5);
    for _ in 0..60 {
        walk(&repacked(&whole, &mut random));
    }
}

/// The same archive with one member changed in a few places.
fn repacked(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(whole)).unwrap();
    let victim = random.below(archive.len());
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).unwrap();
        let mut data = Vec::new();
        member.read_to_end(&mut data).unwrap();
        if index == victim && !data.is_empty() {
            for _ in 0..4 {
                let at = random.below(data.len());
                data[at] = random.next() as u8;
            }
        }
        writer.start_file(member.name().unwrap(), options()).unwrap();
        writer.write_all(&data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
