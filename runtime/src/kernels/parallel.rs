//! Work in shares, one per thread.

/// Runs `work` on each chunk of `data` with its index, on up to `threads`
/// threads. Each chunk is `size` elements long, the last one may be shorter.
#[cfg(feature = "std")]
pub(super) fn chunks<T: Send>(
    data: &mut [T],
    size: usize,
    threads: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    let size = size.max(1);
    if threads <= 1 || data.len() <= size {
        return serially(data, size, work);
    }
    rayon::scope(|scope| {
        let work = &work;
        for (index, chunk) in data.chunks_mut(size).enumerate() {
            scope.spawn(move |_| work(index, chunk));
        }
    });
}

/// Without the standard library there are no threads.
#[cfg(not(feature = "std"))]
pub(super) fn chunks<T>(
    data: &mut [T],
    size: usize,
    _threads: usize,
    work: impl Fn(usize, &mut [T]),
) {
    serially(data, size.max(1), work);
}

fn serially<T>(data: &mut [T], size: usize, work: impl Fn(usize, &mut [T])) {
    for (index, chunk) in data.chunks_mut(size).enumerate() {
        work(index, chunk);
    }
}
