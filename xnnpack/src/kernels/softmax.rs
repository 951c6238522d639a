//! Softmax over the last dimension, and attention, which is made of it.

use crate::error::{Error, Result, ensure};
use crate::tensor::{Data, Tensor};

/// Softmax over the last dimension.
pub(crate) fn softmax(input: &Tensor, out: &mut Tensor) -> Result {
    out.dims.clone_from(&input.dims);
    let row = input.dims.last().copied().unwrap_or(1);
    let data = input.data.floats()?;
    let Data::F32(out) = &mut out.data else {
        return Err(Error::new("softmax to integers"));
    };
    out.clear();
    out.extend_from_slice(data);
    out.chunks_mut(row.max(1)).for_each(normalize);
    Ok(())
}

fn normalize(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for x in &mut *row {
        *x = (*x - largest).exp();
        sum += *x;
    }
    let factor = 1.0 / sum;
    row.iter_mut().for_each(|x| *x *= factor);
}

/// `softmax(query * scale × keyᵀ + mask) × value`, on tensors of batch, heads,
/// tokens and channels; the scale is a number per channel.
pub(crate) fn attention(
    [query, key, value, scale, mask]: [&Tensor; 5],
    out: &mut Tensor,
) -> Result {
    let (&[batch, heads, tokens, channels], &[_, own_heads, keys, _]) =
        (&query.dims[..], &key.dims[..])
    else {
        return Err(Error::new("attention takes tensors of four dimensions"));
    };
    let values = value.dims.get(3).copied().unwrap_or(0);
    ensure!(
        key.dims == [batch, own_heads, keys, channels]
            && value.dims == [batch, own_heads, keys, values]
            && (own_heads == heads || own_heads == 1)
            && scale.dims.last() == Some(&channels)
            && mask.dims.ends_with(&[tokens, keys]),
        "attention of {:?}, {:?}, {:?}",
        query.dims,
        key.dims,
        value.dims
    );
    let (q, k, v) = (query.data.floats()?, key.data.floats()?, value.data.floats()?);
    let (scale, mask) = (scale.data.floats()?, mask.data.floats()?);
    out.dims = vec![batch, heads, tokens, values];
    let Data::F32(out) = &mut out.data else {
        return Err(Error::new("attention to integers"));
    };
    out.fill_to(crate::tensor::count(&[batch, heads, tokens, values])?, 0.0);
    let mut weights = vec![0.0; keys];
    for (row, out) in out.chunks_mut(values.max(1)).enumerate() {
        let (head, token) = (row / tokens, row % tokens);
        let own = head / heads * own_heads + (head % heads) % own_heads;
        let query = &q[row * channels..][..channels];
        for (index, weight) in weights.iter_mut().enumerate() {
            let key = &k[(own * keys + index) * channels..][..channels];
            let terms = query.iter().zip(scale).zip(key);
            *weight = terms.map(|((q, s), k)| q * s * k).sum::<f32>() + mask[token * keys + index];
        }
        normalize(&mut weights);
        for (index, weight) in weights.iter().enumerate() {
            let value = &v[(own * keys + index) * values..][..values];
            out.iter_mut().zip(value).for_each(|(out, value)| *out += weight * value);
        }
    }
    Ok(())
}
