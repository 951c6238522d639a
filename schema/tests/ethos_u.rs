//! The reader of Ethos-U payloads, against the listings that Vela itself made
//! (`scripts/vela_reference.py`) and the public programs.

use et_schema::ethos_u::{BACKEND, Item, Payload, Register};
use et_schema::pte::File;
use std::fmt::Write;
use std::io::Read;
use std::path::Path;

/// Every payload of a program.
fn payloads(bytes: &[u8], mut each: impl FnMut(&Payload<'_>)) -> usize {
    let file = File::parse(bytes).expect("a program");
    let mut count = 0;
    for method in file.methods() {
        for delegate in method.delegates().filter(|delegate| delegate.id() == BACKEND) {
            let bytes = delegate.payload(&file).expect("a payload");
            let named = |key: &str| file.find_named_data(key).ok().flatten();
            each(&Payload::parse(bytes, named).expect("an Ethos-U payload"));
            count += 1;
        }
    }
    count
}

/// The lines of registers as Vela prints them, without the names of the kinds
/// of values: `0x000004: 000005a0 0000 4000 - NPU_SET_IFM_BASE0 0, addr = 0x5a0`.
fn listing(payload: &Payload<'_>) -> String {
    let product = payload.driver.configuration.expect("a configuration").product();
    let product = product.expect("a known unit");
    let mut text = String::new();
    for item in payload.driver.stream.items() {
        let Item::Command(command) = item else { panic!("{item:?}") };
        let register = Register::find(product, command.code).expect("a known command");
        let payload = command.payload.map(|payload| format!("{payload:08x}")).unwrap_or_default();
        let (offset, parameter, code) = (command.word * 4, command.parameter, command.code);
        write!(text, "0x{offset:06x}: {payload} {parameter:04x} {code:04x} {} ", register.name)
            .expect("a string");
        write!(text, "{parameter}").expect("a string");
        for field in register.fields(&command) {
            let value = match (field.value_name, field.is_address) {
                (Some(name), _) => name.to_owned(),
                (None, true) => format!("{:#x}", field.value),
                (None, false) => field.value.to_string(),
            };
            write!(text, ", {} = {value}", field.name).expect("a string");
        }
        text.push('\n');
    }
    text
}

/// One of Vela's lines in the form of [`listing`].
fn normal(line: &str) -> String {
    let (head, fields) = line.split_once(", ").unwrap_or((line, ""));
    let head: Vec<&str> = head.split_whitespace().filter(|word| *word != "-").collect();
    let head = match head.len() {
        // Offset, parameter, code, name, parameter: no payload.
        5 => format!("{}  {}", head[0], head[1..].join(" ")),
        _ => head.join(" "),
    };
    fields.split(", ").filter(|field| !field.is_empty()).fold(head, |text, field| {
        let (name, value) = field.split_once(" = ").expect("name = value");
        format!("{text}, {name} = {value}")
    })
}

/// Whether the lines are equal but for the kinds of values that Vela puts
/// before their names (`ACTIVATION_TYPE_SIGNED` for `SIGNED`).
fn same(ours: &str, vela: &str) -> bool {
    let (ours, vela): (Vec<_>, Vec<_>) = (ours.split(", ").collect(), vela.split(", ").collect());
    ours.len() == vela.len()
        && ours.iter().zip(&vela).all(|(ours, vela)| match ours.split_once(" = ") {
            Some((name, value)) => vela
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(" = "))
                .is_some_and(|found| found == value || found.ends_with(&format!("_{value}"))),
            None => ours == vela,
        })
}

#[test]
fn every_word_is_listed_as_vela_lists_it() {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/ethos_u/references.zip");
    let mut archive = zip::ZipArchive::new(std::fs::File::open(archive).expect("the archive"))
        .expect("a zip archive");
    let names: Vec<String> =
        archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
    let mut read = |name: &str| {
        let mut bytes = Vec::new();
        archive.by_name(name).expect(name).read_to_end(&mut bytes).expect(name);
        bytes
    };
    let (mut programs, mut lines) = (0, 0);
    for model in names.iter().filter(|name| name.ends_with(".pte")) {
        let vela = String::from_utf8(read(&model.replace("model.pte", "vela.txt"))).expect("text");
        let mut ours = String::new();
        payloads(&read(model), |payload| ours += &listing(payload));
        let vela: Vec<String> =
            vela.lines().filter(|line| line.starts_with("0x")).map(normal).collect();
        assert_eq!(ours.lines().count(), vela.len(), "{model}");
        for (ours, vela) in ours.lines().zip(&vela) {
            // Vela prints some negative scalars one too small; the word beside says so.
            if !ours.contains("NPU_SET_OP_SCALAR") {
                assert!(same(ours, vela), "{model}\n ours {ours}\n vela {vela}");
            }
        }
        programs += 1;
        lines += vela.len();
    }
    assert!(programs >= 100 && lines > 10_000, "{programs} programs, {lines} lines");
}

#[test]
fn public_programs_account_for_every_word() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/models");
    let mut count = 0;
    for entry in std::fs::read_dir(models).expect("the fixtures") {
        let program = entry.expect("an entry").path().join("model.pte");
        let Ok(bytes) = std::fs::read(&program) else { continue };
        count += payloads(&bytes, |payload| {
            let words: u32 = payload
                .driver
                .stream
                .items()
                .map(|item| match item {
                    Item::Command(command) => command.words(),
                    Item::Undecodable { .. } => panic!("{item:?}"),
                })
                .sum();
            assert_eq!(words, payload.driver.promised_words, "{}", program.display());
            assert!(payload.is_complete && payload.driver.trailing == 0);
        });
    }
    assert!(count >= 7, "{count} payloads");
}

/// The first payload of a public program.
fn payload(model: &str) -> Vec<u8> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../tests/fixtures/models/{model}/model.pte"));
    let bytes = std::fs::read(program).expect("the fixture");
    let file = File::parse(&bytes).expect("a program");
    let delegate = file.methods().next().and_then(|m| m.delegates().next()).expect("a delegate");
    delegate.payload(&file).expect("a payload").to_vec()
}

/// `payload` with another block in the place of one.
fn with_block(payload: &[u8], old: &str, name: &str, data: &[u8], external: bool) -> Vec<u8> {
    let intact = Payload::parse(payload, |_| None).expect("a payload");
    let mut bytes = Vec::new();
    for block in &intact.blocks {
        let own = block.name == old;
        let (name, data) = if own { (name, data) } else { (block.name, block.data) };
        let mut header = [0; 32];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[16..20].copy_from_slice(&(data.len() as u32).to_le_bytes());
        header[20] = u8::from(own && external);
        bytes.extend(header);
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(16), 0);
    }
    bytes
}

#[test]
fn the_layout_of_older_exporters_is_read() {
    let bytes = payload("u55_linear");
    let intact = Payload::parse(&bytes, |_| None).expect("a payload");
    let scratch = vec![0; intact.scratch as usize];
    let old = with_block(&bytes, "scratch_size", "scratch_data", &scratch, false);
    let read = Payload::parse(&old, |_| None).expect("the old layout");
    assert!(read.has_old_layout && !intact.has_old_layout && read.is_complete);
    assert_eq!((read.scratch, read.weights), (intact.scratch, intact.weights));
    assert_eq!((&read.inputs, &read.outputs), (&intact.inputs, &intact.outputs));
    assert_eq!(read.driver.stream.words(), intact.driver.stream.words());
}

#[test]
fn blocks_outside_of_the_payload_are_found_by_their_key() {
    let bytes = payload("u55_linear");
    let intact = Payload::parse(&bytes, |_| None).expect("a payload");
    let outside = with_block(&bytes, "weight_data", "weight_data", b"a key", true);
    let named = |key: &str| (key == "a key").then_some(intact.weights);
    let read = Payload::parse(&outside, named).expect("named data");
    assert_eq!(read.weights, intact.weights);
    let block = read.blocks.iter().find(|block| block.name == "weight_data").expect("the block");
    assert!(block.is_external && block.data == b"a key");
    let missing = Payload::parse(&outside, |_| None).expect_err("no named data").to_string();
    assert!(missing.contains("a key") && missing.contains("weight_data"), "{missing}");
}

#[test]
fn damaged_payloads_are_refused_or_read_to_their_end() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/models/u85_cnn_bn_relu/model.pte");
    let bytes = std::fs::read(program).expect("the fixture");
    let file = File::parse(&bytes).expect("a program");
    let delegate = file.methods().next().and_then(|m| m.delegates().next()).expect("a delegate");
    let intact = delegate.payload(&file).expect("a payload").to_vec();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % bound as u64) as usize
    };
    for round in 0..4000 {
        let mut bytes = intact.clone();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            bytes[at] = next(256) as u8;
        }
        if round % 4 == 0 {
            bytes.truncate(next(bytes.len()));
        }
        if let Ok(payload) = Payload::parse(&bytes, |_| None) {
            let words: u32 = payload
                .driver
                .stream
                .items()
                .map(|item| match item {
                    Item::Command(command) => command.words(),
                    Item::Undecodable { words, .. } => words,
                })
                .sum();
            assert_eq!(words, payload.driver.stream.words());
        }
    }
}
