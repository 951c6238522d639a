//! A convolution and the instructions after it, on a few channels at a time.
//!
//! Between two instructions a tensor goes to memory and back, which takes longer
//! than most operators' arithmetic. Operators that treat each channel on its own
//! can follow while the channel is in the cache. Every operator does what its
//! kernel does, element by element in the same order, so results are the same to
//! the last bit; only tensors that nothing else reads are never written. The first
//! operators after a convolution take its sums before they leave the registers.
//!
//! A trace has an event for each operator. What one takes whose numbers stay in
//! registers cannot be measured there, so in some runs a few channels are computed
//! operator by operator, and the time of all is shared out as theirs.
//!
//! ```text
//! mod.rs      the pipeline: segments, channels at a time
//! stages.rs   operators that change a channel in place
//! product.rs  a constant matrix that is turned, and the product with it
//! times.rs    what each operator takes
//! ```

mod product;
mod stages;
mod times;

pub(crate) use super::scratch::Scratch;
pub(crate) use product::{Constant, Product};
pub(crate) use times::Times;

use super::convolution::blocks::{Convolution, Source};
use super::means::{Means, Rounding};
use super::panel::{After, Tiles};
use super::parallel;
use super::{Args, Outs};
use alloc::vec::Vec;
use core::ops::Range;
use smallvec::SmallVec;
use stages::{Operand, Stage};
use times::{Samples, Stopwatch};

/// Bytes of the planes that are worked on at a time: what a usual second cache
/// holds beside the input.
const BLOCK: usize = 200 << 10;
/// Elements that all stages change before others are: what a usual first cache holds.
const PIECE: usize = 6 << 10;
/// Bytes of planes that are worth a thread.
const WORTH_A_THREAD: usize = 64 << 10;

/// Instructions that run together. Shapes and constants never change.
pub(crate) struct Pipeline {
    segments: Vec<Segment>,
    channels: usize,
    samples: Samples,
}

/// A convolution and what is done to its output in place.
struct Segment {
    convolution: Convolution,
    stages: Vec<Stage>,
}

/// The input of a product, laid out.
pub(crate) struct LaidOut(Source<'static>);

impl Pipeline {
    /// A pipeline of the convolution alone.
    pub fn new(args: &Args<'_>, outs: &mut Outs<'_>) -> Option<Self> {
        let convolution = Convolution::of(args, outs.first_mut()?)?;
        Some(Pipeline {
            channels: convolution.channels(),
            segments: Vec::from([Segment { convolution, stages: Vec::new() }]),
            samples: Samples::new(0),
        })
    }

    /// Adds the call of an operator whose argument `chained` is the output so
    /// far. Returns whether that is possible, and which of its arguments is
    /// another tensor that it reads at every run.
    pub fn add(
        &mut self,
        name: &str,
        chained: usize,
        args: &Args<'_>,
        outs: &mut Outs<'_>,
    ) -> Option<Option<usize>> {
        if name == "aten::convolution.out" {
            let convolution = Convolution::of(args, outs.first_mut()?)?;
            if chained != 0 || !convolution.is_depthwise() {
                return None;
            }
            self.segments.push(Segment { convolution, stages: Vec::new() });
            return Some(None);
        }
        let (stage, other) = Stage::of(name, chained, args, outs)?;
        self.segments.last_mut()?.stages.push(stage);
        Some(other)
    }

    /// How many instructions it has.
    pub fn len(&self) -> usize {
        self.segments.iter().map(|segment| 1 + segment.stages.len()).sum()
    }

    /// Leaves out instructions from number `len` on. There will be no more.
    pub fn finish(&mut self, len: usize) {
        while self.len() > len {
            let Some(last) = self.segments.last_mut() else { return };
            if last.stages.pop().is_none() {
                self.segments.pop();
            }
        }
        self.samples = Samples::new(self.len());
    }

    /// Lays out the input, if that is all that is read of it: then the output
    /// may be where the input was.
    pub fn lay_out(&self, input: &[f32], times: &Times) -> Option<LaidOut> {
        let begun = Stopwatch::start(times);
        let laid_out = self.packing()?.laid_out(input, 0);
        begun.stop(times, 0);
        Some(LaidOut(laid_out))
    }

    /// Whether [`Pipeline::run`] reads the input where it is.
    pub fn reads_planes(&self) -> bool {
        self.segments.first().is_some_and(|first| first.convolution.reads_planes())
    }

    /// Whether [`Pipeline::lay_out`] lays the input out.
    pub fn lays_out(&self) -> bool {
        self.packing().is_some()
    }

    /// The first convolution, if it is a product over one image.
    fn packing(&self) -> Option<&Convolution> {
        let first = &self.segments.first()?.convolution;
        (!first.is_depthwise() && first.batch() == 1).then_some(first)
    }

    /// Runs all instructions on an input that was laid out; for the rest see
    /// [`Pipeline::run`].
    pub fn run_laid_out(
        &self,
        input: LaidOut,
        others: &[&[f32]],
        out: &mut [f32],
        means: Means,
        times: &Times,
    ) {
        self.run_image(0, &input.0, others, out, means, times);
    }

    /// Runs all instructions. `others` are the tensors beside the input that
    /// they read, in their order. Adds up what each took in `times`, unless
    /// there are none.
    pub fn run(
        &self,
        input: &[f32],
        others: &[&[f32]],
        out: &mut [f32],
        means: Means,
        times: &Times,
    ) {
        let (Some(first), Some(last)) = (self.segments.first(), self.segments.last()) else {
            return;
        };
        let image = self.channels * last.convolution.plane();
        for (n, out) in out.chunks_exact_mut(image).enumerate() {
            let source = match first.convolution.reads_planes() {
                true => first.convolution.source(input, n),
                false => {
                    let begun = Stopwatch::start(times);
                    let source = first.convolution.source(input, n);
                    begun.stop(times, 0);
                    source
                }
            };
            self.run_image(n, &source, others, out, means, times);
        }
    }

    fn run_image(
        &self,
        n: usize,
        source: &Source<'_>,
        others: &[&[f32]],
        out: &mut [f32],
        means: Means,
        times: &Times,
    ) {
        let Some(last) = self.segments.last() else { return };
        let plane = last.convolution.plane();
        let (block, threads) = self.block(means.threads);
        let has_sample = n == 0 && !times.is_empty() && self.samples.begin();
        parallel::chunks(out, block * plane, threads, |index, out| {
            let first = index * block;
            let block = Block {
                n,
                channels: first..self.channels.min(first + block),
                others,
                rounding: means.rounding,
                times,
                sample: (has_sample && first == 0).then_some(&self.samples),
            };
            self.run_block(&block, source, out);
        });
        let mut at = 0;
        for segment in &self.segments {
            self.samples.share_out(at..at + 1 + segment.after().1, times);
            at += 1 + segment.stages.len();
        }
    }

    /// Channels that are worked on at a time, and threads that are worth it.
    fn block(&self, threads: usize) -> (usize, usize) {
        let planes = self.segments.iter().map(|segment| segment.convolution.plane());
        let bytes = planes.max().unwrap_or(1).max(1) * size_of::<f32>();
        let threads = threads.min(bytes * self.channels / WORTH_A_THREAD).max(1);
        let share = self.channels.div_ceil(threads);
        // A product that reads its input in place reads all of it for each block.
        let most = match &self.segments[..] {
            [only] if !only.convolution.is_depthwise() && self.reads_planes() => share,
            _ => share.min(BLOCK / bytes),
        };
        ((most / Tiles::STEP).max(1) * Tiles::STEP, threads)
    }

    fn run_block(&self, block: &Block<'_>, source: &Source<'_>, out: &mut [f32]) {
        let mut operands = block.others.iter().copied();
        let mut watch = Stopwatch::start(block.times);
        let mut at = 0;
        let mut before: Option<Scratch<f32>> = None;
        let mut segments = self.segments.iter();
        let last = segments.next_back();
        for segment in segments {
            let mut planes = Scratch::new(block.channels.len() * segment.convolution.plane());
            let input = (source, before.as_deref());
            watch = segment.run(block, input, &mut operands, &mut planes, (at, watch));
            at += 1 + segment.stages.len();
            before = Some(planes);
        }
        if let Some(segment) = last {
            segment.run(block, (source, before.as_deref()), &mut operands, out, (at, watch));
        }
    }
}

/// Some channels of one image.
struct Block<'a> {
    n: usize,
    channels: Range<usize>,
    others: &'a [&'a [f32]],
    rounding: Rounding,
    times: &'a Times,
    /// Where its first channels are a sample.
    sample: Option<&'a Samples>,
}

impl Segment {
    /// What the convolution does to its sums itself, and how many stages that is.
    fn after(&self) -> (After<'_>, usize) {
        match self.convolution.takes_after() {
            true => Stage::after(&self.stages),
            false => (After::default(), 0),
        }
    }

    /// Runs the instructions, of which the first is number `at` of the pipeline, on the
    /// block's channels: of the planes that the segment before has made, or of the source.
    fn run<'a>(
        &self,
        block: &Block<'_>,
        (source, before): (&Source<'_>, Option<&[f32]>),
        operands: &mut impl Iterator<Item = &'a [f32]>,
        planes: &mut [f32],
        (at, mut watch): (usize, Stopwatch),
    ) -> Stopwatch {
        let plane = self.convolution.plane().max(1);
        let before = before.map(|before| Source::Planes(before, block.channels.start));
        let source = before.as_ref().unwrap_or(source);
        let (after, taken) = self.after();
        let mut rest = block.channels.clone();
        let mut planes_of_rest = &mut *planes;
        if let (Some(samples), 1..) = (block.sample, taken) {
            rest.start = Tiles::STEP.min(rest.end);
            let planes;
            (planes, planes_of_rest) = planes_of_rest.split_at_mut(rest.start * plane);
            watch = self.run_sample(block, samples, source, planes, (at, taken, watch));
        }
        if !rest.is_empty() {
            self.convolution.run(source, rest, after, planes_of_rest, block.rounding);
        }
        watch = watch.stop_together(block.times, at);
        let stages = self.stages.iter().zip(at + 1..).skip(taken);
        let stages: SmallVec<[_; 8]> = stages
            .map(|(stage, index)| (stage, index, stage.reads().then(|| operands.next()).flatten()))
            .collect();
        let mut place = (block.n * self.convolution.channels() + block.channels.start) * plane;
        for (first, width, piece) in pieces(block.channels.start, plane, planes) {
            for (stage, index, other) in &stages {
                let operand = other.map(|all| Operand(&all[place..]));
                stage.run(first, width, operand, piece, block.rounding);
                watch = watch.stop(block.times, *index);
            }
            place += piece.len();
        }
        watch
    }

    /// Runs the convolution and the first `taken` stages one by one for the first
    /// channels, whose planes are given and whose times stand for those of all.
    fn run_sample(
        &self,
        block: &Block<'_>,
        samples: &Samples,
        source: &Source<'_>,
        planes: &mut [f32],
        (at, taken, mut watch): (usize, usize, Stopwatch),
    ) -> Stopwatch {
        let plane = self.convolution.plane().max(1);
        let channels = 0..planes.len() / plane;
        self.convolution.run(source, channels, After::default(), planes, block.rounding);
        watch = watch.stop_sample(block.times, samples, at, at);
        for (first, width, piece) in pieces(0, plane, planes) {
            for (stage, index) in self.stages[..taken].iter().zip(at + 1..) {
                stage.run(first, width, None, piece, block.rounding);
                watch = watch.stop_sample(block.times, samples, at, index);
            }
        }
        watch
    }
}

/// Some whole planes at a time, or parts of one, from channel `first` on: the
/// channel, how long its part is, and the elements.
fn pieces(
    first: usize,
    plane: usize,
    planes: &mut [f32],
) -> impl Iterator<Item = (usize, usize, &mut [f32])> {
    let some = (PIECE / plane).max(1);
    let channels = (first..).step_by(some).zip(planes.chunks_mut(some * plane));
    channels.flat_map(move |(first, planes)| {
        let pieces = planes.chunks_mut((some * plane).min(PIECE));
        pieces.map(move |piece| (first, plane.min(piece.len()), piece))
    })
}
