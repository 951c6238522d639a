//! One image per format; records as the formats' documentation has them.

use super::*;

fn pieces(image: &Image<'_>) -> Vec<(Option<u64>, Vec<u8>)> {
    image.segments.iter().map(|s| (s.address, s.bytes.to_vec())).collect()
}

#[test]
fn intel_hex_with_an_upper_address() {
    let text = ":020000042000DA\r\n:0400100001020304E2\r\n:0200140005FFE6\r\n:00000001FF\r\n";
    let image = Image::read(text.as_bytes());
    assert_eq!(image.format, Format::IntelHex);
    assert_eq!(pieces(&image), [(Some(0x2000_0010), vec![1, 2, 3, 4, 5, 0xff])]);
    assert!(image.left_out.is_empty(), "{:?}", image.left_out);
}

#[test]
fn a_damaged_record_is_left_out_and_said() {
    let text = ":0400100001020304E2\n:0200140005FFE7\n:01002000AA35\n";
    let image = Image::read(text.as_bytes());
    assert_eq!(pieces(&image), [(Some(0x10), vec![1, 2, 3, 4]), (Some(0x20), vec![0xaa])]);
    assert_eq!(image.left_out, ["line 2: the checksum is off by 1"]);
}

#[test]
fn s_records_of_each_width() {
    let text =
        "S00600004844521B\nS1051000AABB85\nS2061010000102D6\nS30720000000CAFE10\nS9030000FC\n";
    let image = Image::read(text.as_bytes());
    assert_eq!(image.format, Format::SRecord);
    let expected = [
        (Some(0x1000), vec![0xaa, 0xbb]),
        (Some(0x0010_1000), vec![1, 2]),
        (Some(0x2000_0000), vec![0xca, 0xfe]),
    ];
    assert_eq!(pieces(&image), expected, "{:?}", image.left_out);
}

#[test]
fn uf2_blocks_follow_each_other() {
    let block = |address: u32, data: &[u8]| {
        let mut block = vec![0; 512];
        let words = [0x0a32_4655u32, 0x9e5d_5157, 0, address, data.len() as u32, 0, 2, 0];
        for (at, word) in words.iter().enumerate() {
            block[at * 4..][..4].copy_from_slice(&word.to_le_bytes());
        }
        block[32..32 + data.len()].copy_from_slice(data);
        block[508..].copy_from_slice(&0x0ab1_6f30u32.to_le_bytes());
        block
    };
    let mut file = block(0x1000_0000, &[7; 256]);
    file.extend(block(0x1000_0100, &[8; 4]));
    file.extend([0; 100]);
    let image = Image::read(&file);
    assert_eq!(image.format, Format::Uf2);
    assert_eq!(image.segments.len(), 1);
    assert_eq!(image.len(), 260);
    assert_eq!(image.left_out, ["byte 1024: no UF2 block"]);
}

#[test]
fn base64_lines_of_the_arm_runner() {
    let text = "I [executorch:a.cpp:1] [base64] buffer size: 12\n#[RUN THIS]\n\
                echo \"RUQwMA==\" | base64 -d >etdump.bin\r\n\
                echo \"AAECAwQF\" | base64 -d >debug_buffer.bin\necho \"AAEC";
    let image = Image::read(text.as_bytes());
    assert_eq!(image.format, Format::Capture);
    let names: Vec<_> = image.segments.iter().map(|s| s.name.as_deref()).collect();
    assert_eq!(names, [Some("etdump.bin"), Some("debug_buffer.bin"), None]);
    assert_eq!(&*image.segments[0].bytes, b"ED00");
    assert_eq!(&*image.segments[2].bytes, [0, 1, 2]);
    assert_eq!(image.left_out.len(), 1);
}

#[test]
fn anything_else_is_raw_memory() {
    let image = Image::read(&[0, 1, 2, 3]);
    assert_eq!((image.format, image.len()), (Format::Raw, 4));
    let image = Image::read(b"\x7fELF\x01");
    assert_eq!((image.format, image.left_out.len()), (Format::Raw, 1));
    assert!(Image::read(b"").is_empty());
}

#[test]
fn an_image_is_never_larger_than_its_file() {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    let seeds: [&[u8]; 4] = [
        b":020000042000DA\n:0400100001020304E2\n",
        b"S1051000AABB85\nS2061010000102D6\n",
        b"echo \"AAECAwQF\" | base64 -d >debug_buffer.bin\n",
        include_bytes!("../../../tests/fixtures/models/softmax/model.pte"),
    ];
    for round in 0..4_000 {
        let mut bytes = seeds[round % 4].to_vec();
        for _ in 0..1 + next() % 8 {
            let at = next() % bytes.len();
            bytes[at] = next() as u8;
        }
        let image = Image::read(&bytes);
        assert!(image.len() <= bytes.len());
    }
}
