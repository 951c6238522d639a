//! The map of planned memory: which tensor lies at each place of the screen. It is
//! made once for a program and a size of the screen, off the drawing thread if
//! there are many tensors; a cursor that moves over it does not change it.

use crate::app::App;
use crate::later::{FEW, Made, Work};
use crate::session::{Buffer, Memory, Tensor};
use std::cell::RefCell;
use std::sync::Arc;

/// The map of a shape, or the work that leads to it.
pub(crate) type Drawn = RefCell<Option<(Shape, Made<Option<Map>>)>>;

/// Columns of instructions; a few instructions do not become walls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub steps: usize,
    pub width: usize,
}

impl Columns {
    pub fn new(steps: usize, width: usize) -> Self {
        Columns { steps, width: width.max(1).min(steps.saturating_mul(12)) }
    }

    /// First and last instruction of a column.
    pub fn steps(&self, column: usize) -> (usize, usize) {
        let first = column * self.steps / self.width;
        let end = (column + 1) * self.steps / self.width;
        (first, end.max(first + 1) - 1)
    }

    /// The first column that shows an instruction.
    fn first_of(&self, step: usize) -> usize {
        let first = (step * self.width).div_ceil(self.steps.max(1));
        first.min(self.last_of(step))
    }

    /// The last column that shows an instruction.
    fn last_of(&self, step: usize) -> usize {
        (((step + 1) * self.width - 1) / self.steps.max(1)).min(self.width - 1)
    }

    /// Whether a column stands for an instruction.
    pub fn shows(&self, column: usize, step: usize) -> bool {
        let (first, last) = self.steps(column);
        (first..=last).contains(&step)
    }
}

/// What the map is of: its columns, and the rows of each planned buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub columns: Columns,
    /// Index of the buffer, and its rows.
    pub rows: Vec<(usize, usize)>,
}

/// First byte of a row of a buffer, and the one behind its last.
pub(crate) fn bytes_of_row(buffer: &Buffer, row: usize, rows: usize) -> (u128, u128) {
    let at = |row: usize| u128::from(buffer.size) * row as u128 / rows as u128;
    (at(row), at(row + 1).max(at(row) + 1))
}

/// Tensors by row and column, buffer after buffer.
#[derive(Debug)]
pub(crate) struct Map {
    width: usize,
    cells: Vec<Option<u32>>,
}

impl Map {
    /// Of `memory`, unless nobody waits for it.
    pub fn new(memory: &Memory, shape: &Shape, work: &Work) -> Self {
        let width = shape.columns.width;
        let rows: usize = shape.rows.iter().map(|(_, rows)| rows).sum();
        let mut map = Map { width, cells: vec![None; rows * width] };
        let count = memory.tensors.len();
        for (index, tensor) in memory.tensors.iter().enumerate().filter(|(_, t)| t.bytes > 0) {
            if !work.goes_on(index, count) {
                break;
            }
            let mut first = 0;
            for (buffer, rows) in &shape.rows {
                let buffer = &memory.buffers[*buffer];
                if buffer.id == tensor.buffer {
                    map.paint(index as u32, tensor, buffer, (first, *rows), &shape.columns);
                }
                first += rows;
            }
        }
        map
    }

    /// Where two tensors are in one cell, the first of them is seen.
    fn paint(
        &mut self,
        index: u32,
        tensor: &Tensor,
        buffer: &Buffer,
        (first, rows): (usize, usize),
        columns: &Columns,
    ) {
        let start = u128::from(tensor.offset);
        let end = start + u128::from(tensor.bytes);
        // Not far before the row of the first byte.
        let near = start * rows as u128 / u128::from(buffer.size.max(1));
        let near = near.saturating_sub(1).min(rows as u128) as usize;
        for row in near..rows {
            let (from, to) = bytes_of_row(buffer, row, rows);
            if from >= end {
                break;
            }
            if start >= to {
                continue;
            }
            let line = (first + row) * self.width;
            for (begins, ends) in &tensor.ranges {
                let (from, to) = (columns.first_of(*begins), columns.last_of(*ends));
                for cell in &mut self.cells[line + from.min(to)..=line + to] {
                    cell.get_or_insert(index);
                }
            }
        }
    }

    /// The tensors of a row, column by column.
    pub fn row(&self, row: usize) -> &[Option<u32>] {
        self.cells.get(row * self.width..(row + 1) * self.width).unwrap_or(&[])
    }
}

impl App {
    /// Hands out the map of a shape, once it is there.
    pub(crate) fn map(&self, shape: Shape, draw: impl FnOnce(&Shape, Option<&Map>)) {
        let mut map = self.map.borrow_mut();
        if map.as_ref().is_none_or(|(known, _)| *known != shape) {
            let (session, own) = (Arc::clone(&self.session), shape.clone());
            let count = session.memory.as_ref().map_or(0, |memory| memory.tensors.len());
            let made = Made::of(count, FEW, move |work| {
                session.memory.as_ref().map(|memory| Map::new(memory, &own, work))
            });
            *map = Some((shape, made));
        }
        match &*map {
            Some((shape, Made::Now(map))) => draw(shape, map.as_ref()),
            Some((shape, Made::Later(_))) => draw(shape, None),
            None => {}
        }
    }

    /// Whether the map is being made.
    pub(crate) fn maps(&self) -> bool {
        matches!(&*self.map.borrow(), Some((_, Made::Later(_))))
    }

    /// Takes the map that another thread has made; whether there is any.
    pub(crate) fn poll_map(&mut self) -> bool {
        let Some((_, made)) = self.map.get_mut() else { return false };
        let Made::Later(later) = made else { return false };
        let Some(map) = later.take() else { return false };
        *made = Made::Now(map.flatten());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_has_its_columns_and_no_other() {
        for steps in [1, 2, 3, 7, 50, 153, 1000] {
            for width in [1, 2, 5, 40, 107, 300] {
                let columns = Columns::new(steps, width);
                for step in 0..steps {
                    let own: Vec<usize> =
                        (0..columns.width).filter(|column| columns.shows(*column, step)).collect();
                    let found: Vec<usize> =
                        (columns.first_of(step)..=columns.last_of(step)).collect();
                    assert_eq!(found, own, "instruction {step} of {steps} in {width} columns");
                }
            }
        }
    }

    #[test]
    fn a_tensor_is_where_its_bytes_are_while_it_lives() {
        let tensor = |offset, bytes, ranges: &[(usize, usize)]| Tensor {
            label: String::new(),
            buffer: 1,
            offset,
            bytes,
            ranges: ranges.to_vec(),
        };
        let memory = Memory {
            buffers: vec![Buffer { id: 1, size: 100, lower_bound: 0 }],
            tensors: vec![
                tensor(0, 10, &[(0, 1)]),
                tensor(45, 10, &[(1, 2), (4, 4)]),
                tensor(90, u64::MAX, &[(3, 3)]),
                tensor(0, 100, &[(0, 0)]),
            ],
            live: vec![0; 5],
            peak: 0,
            most: 2,
            method_allocator: 0,
            temp: 0,
            board: Vec::new(),
            suggestions: Vec::new(),
        };
        let shape = Shape { columns: Columns::new(5, 5), rows: vec![(0, 10)] };
        let map = Map::new(&memory, &shape, &Work::default());
        let text = |row: usize| -> String {
            let letter = |cell: &Option<u32>| cell.map_or('.', |i| (b'a' + i as u8) as char);
            map.row(row).iter().map(letter).collect()
        };
        assert_eq!(text(0), "aa...");
        assert_eq!([text(3), text(4), text(5)], ["d....", "dbb.b", "dbb.b"]);
        assert_eq!([text(8), text(9)], ["d....", "d..c."]);
        assert_eq!(text(10), "");
    }
}
