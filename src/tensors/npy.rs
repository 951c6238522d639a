//! NumPy's `.npy` and `.npz` files.

use super::{Array, index_order};
use et_schema::ScalarType;
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, TypeStr, WriterBuilder};
use std::io::{self, Cursor, Read, Write};

/// Deflate makes data at most 1032 times smaller.
const DEFLATE_RATIO: u64 = 1032;

/// Reads the tensor of a `.npy` file.
///
/// # Errors
/// No such file format, an element type that ExecuTorch has not, big-endian
/// elements, or fewer elements than the shape says.
pub fn read_npy(bytes: &[u8]) -> io::Result<Array> {
    let mut reader = Cursor::new(bytes);
    let header = NpyHeader::from_reader(&mut reader)?;
    let scalar_type = scalar_type(&header.dtype())?;
    let sizes: Vec<i32> = header
        .shape()
        .iter()
        .map(|size| i32::try_from(*size).map_err(|_| invalid(format!("a size of {size}"))))
        .collect::<io::Result<_>>()?;
    let nbytes = sizes.iter().try_fold(scalar_type.size(), |n, s| n.checked_mul(*s as usize));
    let nbytes = nbytes.ok_or_else(|| invalid(format!("a shape of {sizes:?}")))?;
    let data = bytes.get(reader.position() as usize..).unwrap_or_default();
    let data = data.get(..nbytes).ok_or_else(|| {
        invalid(format!("expected {nbytes} bytes of elements, found {}", data.len()))
    })?;
    let data = match header.order() {
        Order::C => data.to_vec(),
        Order::Fortran => from_fortran_order(data, &sizes, scalar_type.size())?,
    };
    Ok(Array { scalar_type, sizes, data })
}

/// Reads the tensors of a `.npz` file with their names: in file order, or, if
/// all names end in a number (`arr_0`, `in_1`), in the order of those numbers.
///
/// # Errors
/// No zip file, or an entry that is no `.npy` file.
pub fn read_npz(bytes: &[u8]) -> io::Result<Vec<(String, Array)>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut arrays = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index)?;
        let name = entry.name()?.trim_end_matches(".npy").to_owned();
        let mut content = Vec::new();
        entry.take(bytes.len() as u64 * DEFLATE_RATIO).read_to_end(&mut content)?;
        let array = read_npy(&content).map_err(|e| invalid(format!("entry {name:?}: {e}")))?;
        arrays.push((name, array));
    }
    let number = |name: &str| {
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        name[name.len() - digits..].parse::<u64>().ok()
    };
    if arrays.iter().all(|(name, _)| number(name).is_some()) {
        arrays.sort_by_key(|(name, _)| number(name));
    }
    Ok(arrays)
}

/// Writes a tensor as a `.npy` file. NumPy has no bfloat16: it is written as
/// its bits, in uint16, and complex numbers of two float16 as uint32.
///
/// # Errors
/// Those of `writer`.
pub fn write_npy(array: &Array, writer: &mut dyn Write) -> io::Result<()> {
    let shape: Vec<u64> = array.sizes.iter().map(|s| *s as u64).collect();
    let descr: TypeStr = type_str(array.scalar_type)
        .parse()
        .map_err(|_| invalid(format!("no NumPy type for {}", array.scalar_type)))?;
    npyz::WriteOptions::new_header_only()
        .dtype(DType::Plain(descr))
        .shape(&shape)
        .writer(&mut *writer)
        .write_header_only()?;
    writer.write_all(&array.data)
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn scalar_type(dtype: &DType) -> io::Result<ScalarType> {
    let unsupported = || invalid(format!("element type {} is not supported", dtype.descr()));
    let DType::Plain(plain) = dtype else { return Err(unsupported()) };
    if plain.endianness() == Endianness::Big && plain.num_bytes() != Some(1) {
        return Err(invalid("big-endian elements are not supported".into()));
    }
    Ok(match (plain.type_char(), plain.num_bytes()) {
        (TypeChar::Float, Some(2)) => ScalarType::Half,
        (TypeChar::Float, Some(4)) => ScalarType::Float,
        (TypeChar::Float, Some(8)) => ScalarType::Double,
        (TypeChar::Complex, Some(8)) => ScalarType::ComplexFloat,
        (TypeChar::Complex, Some(16)) => ScalarType::ComplexDouble,
        (TypeChar::Int, Some(1)) => ScalarType::Char,
        (TypeChar::Int, Some(2)) => ScalarType::Short,
        (TypeChar::Int, Some(4)) => ScalarType::Int,
        (TypeChar::Int, Some(8)) => ScalarType::Long,
        (TypeChar::Uint, Some(1)) => ScalarType::Byte,
        (TypeChar::Uint, Some(2)) => ScalarType::UInt16,
        (TypeChar::Uint, Some(4)) => ScalarType::UInt32,
        (TypeChar::Uint, Some(8)) => ScalarType::UInt64,
        (TypeChar::Bool, _) => ScalarType::Bool,
        // ml_dtypes writes bfloat16 as two raw bytes.
        (TypeChar::RawData, Some(2)) => ScalarType::BFloat16,
        _ => return Err(unsupported()),
    })
}

fn type_str(scalar_type: ScalarType) -> &'static str {
    match scalar_type {
        ScalarType::Char | ScalarType::QInt8 => "|i1",
        ScalarType::Short => "<i2",
        ScalarType::Int | ScalarType::QInt32 => "<i4",
        ScalarType::Long => "<i8",
        ScalarType::Half => "<f2",
        ScalarType::Float => "<f4",
        ScalarType::Double => "<f8",
        ScalarType::ComplexFloat => "<c8",
        ScalarType::ComplexDouble => "<c16",
        ScalarType::Bool => "|b1",
        ScalarType::BFloat16 | ScalarType::Bits16 | ScalarType::UInt16 => "<u2",
        ScalarType::UInt32 | ScalarType::ComplexHalf => "<u4",
        ScalarType::UInt64 => "<u8",
        _ => "|u1",
    }
}

/// Elements in C order, from elements whose first index moves fastest.
fn from_fortran_order(data: &[u8], sizes: &[i32], size: usize) -> io::Result<Vec<u8>> {
    let mut strides = Vec::with_capacity(sizes.len());
    let mut stride = 1i32;
    for extent in sizes {
        strides.push(stride);
        stride = stride
            .checked_mul((*extent).max(1))
            .ok_or_else(|| invalid(format!("a shape of {sizes:?}")))?;
    }
    Ok(index_order(sizes, &strides).flat_map(|o| &data[o * size..][..size]).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(array: &Array) -> Array {
        let mut bytes = Vec::new();
        write_npy(array, &mut bytes).unwrap();
        read_npy(&bytes).unwrap()
    }

    #[test]
    fn written_arrays_read_back() {
        for scalar_type in
            [ScalarType::Float, ScalarType::Char, ScalarType::Bool, ScalarType::ComplexDouble]
        {
            let data = vec![1; 6 * scalar_type.size()];
            let array = Array { scalar_type, sizes: vec![2, 3], data };
            assert_eq!(round_trip(&array), array);
        }
        let scalar = Array { scalar_type: ScalarType::Long, sizes: vec![], data: vec![7; 8] };
        assert_eq!(round_trip(&scalar), scalar);
    }

    #[test]
    fn fortran_order_is_brought_into_index_order() {
        let header = b"{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }";
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16 + 1).to_le_bytes());
        bytes.extend(header);
        bytes.extend(b"\n\x00\x03\x01\x04\x02\x05");
        assert_eq!(read_npy(&bytes).unwrap().data, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn missing_elements_are_reported() {
        let array = Array { scalar_type: ScalarType::Int, sizes: vec![4], data: vec![0; 16] };
        let mut bytes = Vec::new();
        write_npy(&array, &mut bytes).unwrap();
        bytes.truncate(bytes.len() - 1);
        let error = read_npy(&bytes).unwrap_err().to_string();
        assert_eq!(error, "expected 16 bytes of elements, found 15");
    }
}
