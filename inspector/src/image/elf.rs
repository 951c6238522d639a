//! ELF: the loadable segments of a core file or a firmware.

use super::{Format, Image, Segment};
use object::{Object, ObjectSegment};
use std::borrow::Cow;

pub(super) fn read(bytes: &[u8]) -> Image<'_> {
    let file = match object::File::parse(bytes) {
        Ok(file) => file,
        Err(error) => {
            // What is left of a damaged ELF file is memory all the same.
            let mut image = Image::raw(bytes);
            image
                .left_out
                .push(format!("the ELF headers cannot be read ({error}); taken as raw memory"));
            return image;
        }
    };
    let mut image = Image { format: Format::Elf, segments: Vec::new(), left_out: Vec::new() };
    for segment in file.segments() {
        match segment.data() {
            Ok([]) => {}
            Ok(data) => image.segments.push(Segment {
                address: Some(segment.address()),
                name: None,
                bytes: Cow::Borrowed(data),
            }),
            Err(error) => {
                image.left_out.push(format!("segment at {:#x}: {error}", segment.address()));
            }
        }
    }
    image
}
