//! Operators that move elements: transpose, concatenate, slice, pad, reshape.

use crate::buffer::Buffer;
use crate::error::{Error, Result, ensure};
use crate::tensor::{Data, Tensor, count};

/// Runs a function on the elements of two tensors of the same kind.
macro_rules! with_elements {
    ($from:expr, $to:expr, $function:expr) => {
        match ($from, $to) {
            (Data::F32(from), Data::F32(to)) => $function(from, to),
            (Data::Small(from), Data::Small(to)) => $function(from, to),
            (Data::I32(from), Data::I32(to)) => $function(from, to),
            _ => return Err(Error::new("an input of another kind than the output")),
        }
    };
}

/// The elements in another shape.
pub(crate) fn reshape(input: &Tensor, shape: &[usize], out: &mut Tensor) -> Result {
    let total = count(&input.dims)?;
    out.dims.clear();
    out.dims.extend_from_slice(shape);
    // A size of 0 is what is left over.
    if let Some(open) = shape.iter().position(|size| *size == 0).filter(|_| total > 0) {
        let rest: Vec<usize> = shape.iter().copied().filter(|size| *size != 0).collect();
        let known = count(&rest)?;
        ensure!(known > 0 && total % known == 0, "{:?} to {shape:?}", input.dims);
        out.dims[open] = total / known;
    }
    ensure!(count(&out.dims)? == total, "{:?} to {shape:?}", input.dims);
    copy(input, out)
}

/// The elements as they are.
pub(crate) fn copy(input: &Tensor, out: &mut Tensor) -> Result {
    with_elements!(&input.data, &mut out.data, copy_all);
    Ok(())
}

fn copy_all<T: Copy + Default>(from: &[T], to: &mut Buffer<T>) {
    to.clear();
    to.extend_from_slice(from);
}

/// Dimensions in another order.
pub(crate) fn transpose(input: &Tensor, order: &[usize], out: &mut Tensor) -> Result {
    let rank = input.dims.len();
    let mut seen = vec![false; rank];
    for index in order {
        ensure!(seen.get(*index) == Some(&false), "order {order:?} of {rank} dimensions");
        seen[*index] = true;
    }
    ensure!(order.len() == rank, "order {order:?} of {rank} dimensions");
    let steps = steps(&input.dims);
    out.dims.clear();
    out.dims.extend(order.iter().map(|index| input.dims[*index]));
    let walk: Vec<(usize, usize)> =
        out.dims.iter().copied().zip(order.iter().map(|i| steps[*i])).collect();
    with_elements!(&input.data, &mut out.data, |from: &[_], to: &mut Buffer<_>| {
        gather(from, 0, &walk, to);
    });
    Ok(())
}

/// A part of each dimension.
pub(crate) fn slice(
    input: &Tensor,
    offsets: &[usize],
    sizes: &[usize],
    out: &mut Tensor,
) -> Result {
    let rank = input.dims.len();
    ensure!(offsets.len() == rank && sizes.len() == rank, "{rank} dimensions, {offsets:?}");
    out.dims.clear();
    for ((dim, offset), size) in input.dims.iter().zip(offsets).zip(sizes) {
        // A size of 0 is all that is left.
        let size = if *size == 0 { dim.saturating_sub(*offset) } else { *size };
        let end = offset.checked_add(size);
        ensure!(end.is_some_and(|end| end <= *dim), "{offset} + {size} of {dim} elements");
        out.dims.push(size);
    }
    let steps = steps(&input.dims);
    let start = offsets.iter().zip(&steps).map(|(offset, step)| offset * step).sum();
    let walk: Vec<(usize, usize)> = out.dims.iter().copied().zip(steps).collect();
    with_elements!(&input.data, &mut out.data, |from: &[_], to: &mut Buffer<_>| {
        gather(from, start, &walk, to);
    });
    Ok(())
}

/// Distance of neighbours along each dimension.
fn steps(dims: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; dims.len()];
    for index in (1..dims.len()).rev() {
        steps[index - 1] = steps[index] * dims[index];
    }
    steps
}

/// Elements from `start` on, by size and step of each dimension.
fn gather<T: Copy + Default>(
    from: &[T],
    start: usize,
    walk: &[(usize, usize)],
    to: &mut Buffer<T>,
) {
    to.clear();
    if walk.iter().any(|(size, _)| *size == 0) {
        return;
    }
    let Some(((size, step), outer)) = walk.split_last() else {
        return to.extend_from_slice(&from[..1]);
    };
    if let [rest @ .., (rows, 1)] = outer
        && *step > 1
    {
        return swap(from, start, rest, (*rows, *size, *step), to);
    }
    let mut index = vec![0; outer.len()];
    let mut place = start;
    loop {
        if *step == 1 {
            to.extend_from_slice(&from[place..][..*size]);
        } else {
            to.extend(from[place..].iter().step_by(*step).take(*size).copied());
        }
        let mut dimension = outer.len();
        loop {
            if dimension == 0 {
                return;
            }
            dimension -= 1;
            let (size, step) = outer[dimension];
            index[dimension] += 1;
            place += step;
            if index[dimension] < size {
                break;
            }
            place -= step * size;
            index[dimension] = 0;
        }
    }
}

/// Rows and columns of a square that is moved at once.
const SQUARE: usize = 16;

/// Matrices whose columns become rows: as many `rows` of neighbours as there
/// are, each of `columns` elements that lie `step` apart in `from`.
fn swap<T: Copy + Default>(
    from: &[T],
    start: usize,
    outer: &[(usize, usize)],
    (rows, columns, step): (usize, usize, usize),
    to: &mut Buffer<T>,
) {
    let matrices: usize = outer.iter().map(|(size, _)| size).product();
    to.set_len(matrices * rows * columns);
    let mut index = vec![0; outer.len()];
    for to in to.chunks_exact_mut(rows * columns) {
        let place: usize = index.iter().zip(outer).map(|(index, (_, step))| index * step).sum();
        let from = &from[start + place..];
        for first in (0..rows).step_by(SQUARE) {
            let height = SQUARE.min(rows - first);
            for column in 0..columns {
                let line = &from[column * step + first..][..height];
                let to = to[first * columns + column..].iter_mut().step_by(columns);
                to.zip(line).for_each(|(to, from)| *to = *from);
            }
        }
        for (index, (size, _)) in index.iter_mut().zip(outer).rev() {
            *index += 1;
            if *index < *size {
                break;
            }
            *index = 0;
        }
    }
}

/// Tensors one after the other along `axis`.
pub(crate) fn concatenate(inputs: &[&Tensor], axis: i32, out: &mut Tensor) -> Result {
    let Some(first) = inputs.first() else { return Err(Error::new("nothing to concatenate")) };
    let rank = first.dims.len();
    let from_end = if axis < 0 { rank as i64 } else { 0 };
    let axis = usize::try_from(i64::from(axis) + from_end).ok().filter(|axis| *axis < rank);
    let Some(axis) = axis else { return Err(Error::new("an axis that is none")) };
    out.dims.clone_from(&first.dims);
    out.dims[axis] = 0;
    for input in inputs {
        let same = |(index, (a, b))| index == axis || a == b;
        ensure!(
            input.dims.len() == rank && input.dims.iter().zip(&first.dims).enumerate().all(same),
            "{:?} beside {:?} along {axis}",
            input.dims,
            first.dims
        );
        out.dims[axis] = out.dims[axis].saturating_add(input.dims[axis]);
    }
    count(&out.dims)?;
    let outer: usize = first.dims[..axis].iter().product();
    let inner: usize = first.dims[axis + 1..].iter().product();
    match &mut out.data {
        Data::F32(data) => data.clear(),
        Data::Small(data) => data.clear(),
        Data::I32(data) => data.clear(),
    }
    for index in 0..outer {
        for input in inputs {
            let size = input.dims[axis] * inner;
            with_elements!(&input.data, &mut out.data, |from: &[_], to: &mut Buffer<_>| {
                to.extend_from_slice(&from[index * size..][..size]);
            });
        }
    }
    Ok(())
}

/// `value` before and after each dimension.
pub(crate) fn pad(
    input: &Tensor,
    before: &[usize],
    after: &[usize],
    value: f32,
    out: &mut Tensor,
) -> Result {
    let rank = input.dims.len();
    ensure!(before.len() == rank && after.len() == rank, "{rank} dimensions, {before:?}");
    out.dims.clear();
    for ((dim, before), after) in input.dims.iter().zip(before).zip(after) {
        out.dims.push(dim.saturating_add(*before).saturating_add(*after));
    }
    let total = count(&out.dims)?;
    let quantization = out.quantization();
    let Tensor { dims, data, .. } = out;
    match (&input.data, data) {
        (Data::F32(from), Data::F32(to)) => {
            place(from, &input.dims, before, dims, to, total, value)
        }
        (Data::Small(from), Data::Small(to)) => {
            let row = quantization.ok_or_else(|| Error::new("padding without a scale"))?;
            let value = super::sums::requantize(value / row.scale, row.zero, crate::tensor::RANGE);
            place(from, &input.dims, before, dims, to, total, value);
        }
        _ => return Err(Error::new("an input of another kind than the output")),
    }
    Ok(())
}

/// Puts the lines of `from` into a larger tensor filled with `value`.
fn place<T: Copy + Default>(
    from: &[T],
    dims: &[usize],
    before: &[usize],
    out_dims: &[usize],
    to: &mut Buffer<T>,
    total: usize,
    value: T,
) {
    to.fill_to(total, value);
    let Some((line, outer)) = dims.split_last() else { return to.copy_from_slice(from) };
    if *line == 0 {
        return;
    }
    let steps = steps(out_dims);
    let mut index = vec![0; outer.len()];
    for line in from.chunks(*line) {
        let own = index.iter().chain([&0]).zip(before).zip(&steps);
        let start: usize = own.map(|((index, before), step)| (index + before) * step).sum();
        to[start..][..line.len()].copy_from_slice(line);
        for (index, size) in index.iter_mut().zip(outer).rev() {
            *index += 1;
            if *index < *size {
                break;
            }
            *index = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Scale;
    use et_schema::xnnpack::DataType;

    fn tensor(dims: &[usize]) -> Tensor {
        let total: usize = dims.iter().product();
        Tensor {
            data_type: DataType::FP32,
            dims: dims.to_vec(),
            scale: Scale::None,
            data: Data::F32((0..total).map(|i| i as f32).collect::<Vec<_>>().into()),
            rows: Vec::new(),
            constant: false,
        }
    }

    #[test]
    fn elements_arrive_where_they_belong() {
        let mut out = tensor(&[]);
        transpose(&tensor(&[2, 3]), &[1, 0], &mut out).unwrap();
        assert_eq!(
            (&out.dims[..], out.data.floats().unwrap()),
            (&[3, 2][..], &[0., 3., 1., 4., 2., 5.][..])
        );
        slice(&tensor(&[3, 4]), &[1, 2], &[2, 2], &mut out).unwrap();
        assert_eq!(out.data.floats().unwrap(), [6., 7., 10., 11.]);
        pad(&tensor(&[1, 2]), &[1, 0], &[0, 1], 9.0, &mut out).unwrap();
        assert_eq!(out.data.floats().unwrap(), [9., 9., 9., 0., 1., 9.]);
        let (a, b) = (tensor(&[2, 1]), tensor(&[2, 2]));
        concatenate(&[&a, &b], -1, &mut out).unwrap();
        assert_eq!(out.data.floats().unwrap(), [0., 0., 1., 1., 2., 3.]);
        reshape(&tensor(&[2, 6]), &[3, 0], &mut out).unwrap();
        assert_eq!(out.dims, [3, 4]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut out = tensor(&[]);
        assert!(transpose(&tensor(&[2, 3]), &[0, 0], &mut out).is_err());
        assert!(slice(&tensor(&[3]), &[2], &[2], &mut out).is_err());
        assert!(reshape(&tensor(&[3]), &[2, 0], &mut out).is_err());
        assert!(concatenate(&[&tensor(&[2, 2]), &tensor(&[3, 1])], 1, &mut out).is_err());
    }
}
