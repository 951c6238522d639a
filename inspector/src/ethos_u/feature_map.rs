//! Tensors as the unit addresses them, and the bytes that they cover.

use std::fmt;

/// A range of addresses that the driver gives the unit a base for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Region {
    /// 0: weights, biases and tables of the program.
    Weights,
    /// 1: the delegate's scratch memory, with inputs and outputs.
    Scratch,
    /// 2: a faster scratch memory.
    FastScratch,
    /// A number that ExecuTorch gives no base for.
    Other(u8),
    /// The unit's own RAM, which holds tables.
    Internal,
}

impl Region {
    /// The region with a number.
    pub fn new(number: u32) -> Self {
        match number {
            0 => Region::Weights,
            1 => Region::Scratch,
            2 => Region::FastScratch,
            other => Region::Other(other as u8),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Region::Weights => f.write_str("weights"),
            Region::Scratch => f.write_str("scratch"),
            Region::FastScratch => f.write_str("fast scratch"),
            Region::Other(number) => write!(f, "region {number}"),
            Region::Internal => f.write_str("the unit's RAM"),
        }
    }
}

/// Bytes of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The region.
    pub region: Region,
    /// First byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}

impl Range {
    /// Whether a byte is in both.
    pub fn overlaps(&self, other: &Range) -> bool {
        self.region == other.region && self.start < other.end && other.start < self.end
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:#x}..{:#x}", self.region, self.start, self.end)
    }
}

/// How elements follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Channels of a pixel side by side.
    Nhwc,
    /// Bricks of 16 channels.
    Nhcwb16,
}

/// Where a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In up to four tiles: upper left, upper right, lower left, lower right.
    Tile2x2,
    /// In up to three tiles above each other.
    Tile3x1,
    /// Not in memory: an operation hands it to the next.
    Chained,
    /// Nowhere.
    None,
}

/// A tensor of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureMap {
    /// Where it lies.
    pub region: Region,
    /// Height, width and depth that the operation touches.
    pub shape: [u32; 3],
    /// Bytes of an element.
    pub element: u32,
    /// Whether elements are signed.
    pub is_signed: bool,
    /// How elements follow each other.
    pub layout: Layout,
    /// Where it is.
    pub storage: Storage,
    /// Addresses of the tiles.
    pub bases: [u64; 4],
    /// Rows of the upper tile, rows of the right or middle one, columns of the left one.
    pub tiles: [u32; 3],
    /// Bytes from row to row, pixel to pixel, brick to brick.
    pub strides: [u64; 3],
}

/// A tile: index of its address, rows and columns.
type Tile = (usize, std::ops::Range<u32>, std::ops::Range<u32>);

impl FeatureMap {
    /// Its type, such as `int8`.
    pub fn data_type(&self) -> String {
        format!("{}int{}", if self.is_signed { "" } else { "u" }, self.element * 8)
    }

    /// Elements.
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|size| u64::from(*size)).product()
    }

    /// The tiles that hold something.
    fn tiles(&self) -> impl Iterator<Item = Tile> + use<> {
        let [height, width, _] = self.shape;
        let [first, second, left] = self.tiles;
        let tiles: [Tile; 4] = match self.storage {
            Storage::Tile2x2 => [
                (0, 0..first.min(height), 0..left.min(width)),
                (1, 0..second.min(height), left..width),
                (2, first..height, 0..left.min(width)),
                (3, second..height, left..width),
            ],
            Storage::Tile3x1 => {
                let middle = first.saturating_add(second);
                [
                    (0, 0..first.min(height), 0..width),
                    (1, first..middle.min(height), 0..width),
                    (2, middle..height, 0..width),
                    (3, 0..0, 0..0),
                ]
            }
            Storage::Chained | Storage::None => std::array::from_fn(|at| (at, 0..0, 0..0)),
        };
        tiles.into_iter().filter(|(_, rows, columns)| !rows.is_empty() && !columns.is_empty())
    }

    /// The range that each of its tiles spans.
    pub fn ranges(&self) -> impl Iterator<Item = Range> + '_ {
        self.tiles().map(|(tile, rows, columns)| {
            let start = self.bases[tile];
            let last = |len: u32| u64::from(len - 1);
            let end = start
                .saturating_add(self.strides[0].saturating_mul(last(rows.len() as u32)))
                .saturating_add(self.pixel().saturating_mul(last(columns.len() as u32)))
                .saturating_add(self.last_channel());
            Range { region: self.region, start, end }
        })
    }

    /// Bytes from pixel to pixel.
    fn pixel(&self) -> u64 {
        match self.layout {
            Layout::Nhwc => self.strides[1],
            Layout::Nhcwb16 => 16 * u64::from(self.element),
        }
    }

    /// Where the last channel of a pixel ends.
    fn last_channel(&self) -> u64 {
        let (depth, element) = (u64::from(self.shape[2]), u64::from(self.element));
        match self.layout {
            Layout::Nhwc => depth * element,
            Layout::Nhcwb16 => {
                let brick = (depth - 1) / 16;
                self.strides[2].saturating_mul(brick).saturating_add((depth - brick * 16) * element)
            }
        }
    }

    /// Calls `visit` with every run of bytes that it covers, until that returns false.
    pub fn runs(&self, mut visit: impl FnMut(u64, u64) -> bool) {
        let element = u64::from(self.element);
        let bricks = match self.layout {
            Layout::Nhwc => 1,
            Layout::Nhcwb16 => u64::from(self.shape[2].div_ceil(16)),
        };
        for (tile, rows, columns) in self.tiles() {
            let width = columns.len() as u64;
            for row in 0..rows.len() as u64 {
                for brick in 0..bricks {
                    let channels = match self.layout {
                        Layout::Nhwc => u64::from(self.shape[2]),
                        Layout::Nhcwb16 => (u64::from(self.shape[2]) - brick * 16).min(16),
                    };
                    let start = self.bases[tile]
                        .wrapping_add(row.wrapping_mul(self.strides[0]))
                        .wrapping_add(brick.wrapping_mul(self.strides[2]));
                    let (pixel, len) = (self.pixel(), channels * element);
                    let is_dense = pixel == len;
                    let (count, len) = if is_dense { (1, len * width) } else { (width, len) };
                    for column in 0..count {
                        if !visit(start.wrapping_add(column.wrapping_mul(pixel)), len) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(layout: Layout, shape: [u32; 3], strides: [u64; 3]) -> FeatureMap {
        FeatureMap {
            region: Region::Scratch,
            shape,
            element: 1,
            is_signed: true,
            layout,
            storage: Storage::Tile2x2,
            bases: [100, 0, 0, 0],
            tiles: [shape[0], shape[0], shape[1]],
            strides,
        }
    }

    #[test]
    fn runs_lie_in_the_ranges() {
        let dense = map(Layout::Nhwc, [2, 3, 5], [15, 5, 1]);
        assert_eq!(dense.ranges().map(|r| (r.start, r.end)).collect::<Vec<_>>(), [(100, 130)]);
        let bricks = map(Layout::Nhcwb16, [2, 3, 20], [96, 16, 48]);
        let mut bytes = 0;
        let range = bricks.ranges().next().expect("a tile");
        bricks.runs(|start, len| {
            assert!(range.start <= start && start + len <= range.end);
            bytes += len;
            true
        });
        assert_eq!((bytes, range.end), (2 * 3 * 20, 100 + 96 + 32 + 48 + 4));
    }

    #[test]
    fn tiles_have_their_own_addresses() {
        let mut tiled = map(Layout::Nhwc, [4, 4, 1], [4, 1, 1]);
        tiled.tiles = [3, 4, 2];
        tiled.bases = [0, 1000, 2000, 3000];
        let starts: Vec<u64> = tiled.ranges().map(|range| range.start).collect();
        assert_eq!(starts, [0, 1000, 2000]);
    }
}
