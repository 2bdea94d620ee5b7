//! Where the operands of a product lie.

use std::borrow::Cow;
use std::ops::Range;

/// Steps of k that lie evenly in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// The place of the first.
    pub at: isize,
    /// How many.
    pub len: usize,
    /// How many steps before it, which also B has, are left out.
    pub skip: usize,
}

/// Where the rows of a matrix lie: row i at `lines[(skip + i) / width] + (skip + i) % width · row`. A matrix is one line of
/// rows; the windows of a convolution are a line for each of their rows.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// The place of each line.
    pub lines: Cow<'static, [isize]>,
    /// The rows in a line.
    pub width: usize,
    /// The rows of the first line that are left out.
    pub skip: usize,
    /// The distance between the rows of a line.
    pub row: isize,
}

impl Rows {
    /// Rows as far apart as that.
    pub fn even(row: isize) -> Self {
        Self { lines: Cow::Borrowed(&[0]), width: usize::MAX, skip: 0, row }
    }

    /// Writes the places of `count` rows as far apart as `row` to `to`.
    pub fn find_even<T>(base: *const T, row: isize, count: usize, to: &mut Vec<*const T>) {
        to.clear();
        to.extend((0..count as isize).map(|r| base.wrapping_offset(r * row)));
    }

    /// Writes the places of some rows, counted from `base`, to `to`.
    pub fn find<T>(&self, base: *const T, rows: Range<usize>, to: &mut Vec<*const T>) {
        to.clear();
        let mut row = rows.start + self.skip;
        let end = rows.end + self.skip;
        while row < end {
            let (line, column) = if row < self.width { (0, row) } else { (row / self.width, row % self.width) };
            let at = base.wrapping_offset(self.lines[line] + column as isize * self.row);
            let count = (self.width - column).min(end - row);
            to.extend((0..count).map(|r| at.wrapping_offset(r as isize * self.row)));
            row += count;
        }
    }

    /// Whether the first `rows` rows, `cols` long, lie in a buffer of so many numbers, each behind the one before.
    pub fn hold(&self, rows: usize, cols: usize, len: usize) -> bool {
        let last = self.skip + rows - 1;
        let line = (last.min(self.width - 1)) as isize * self.row + cols as isize;
        let rises = self.lines[..=last / self.width].windows(2).all(|l| l[1] - l[0] >= line);
        let apart = rows == 1 || self.width == 1 || self.row >= cols as isize;
        self.lines[0] >= 0 && rises && apart && self.place(rows - 1) as usize + cols <= len
    }

    /// The place of a row.
    pub fn place(&self, row: usize) -> isize {
        let row = self.skip + row;
        self.lines[row / self.width] + (row % self.width) as isize * self.row
    }
}

/// Where rows of a block of A are: step j of run r of row i at `runs[r].at + j·step` from `rows[i]`. A matrix is a run of
/// steps; a convolution's patches have a run for each row of taps.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a, T> {
    /// The first number of each row.
    pub rows: &'a [*const T],
    /// The runs in rising order. Steps of the block that are in none of them are 0.
    pub runs: &'a [Run],
    /// The distance between the steps of a run.
    pub step: isize,
    /// Whether it lies in main memory rather than in a cache; its steps touch then, or its rows.
    pub cold: bool,
}

impl<T> Left<'_, T> {
    /// The steps of all runs.
    #[inline(never)]
    pub fn depth(&self) -> usize {
        self.runs.iter().map(|run| run.len).sum()
    }
}

/// The block of A that a thread computes with, in memory that it uses again and again.
pub(crate) struct LeftBlock<T> {
    /// As [`Left`] has them, those of all groups.
    pub rows: Vec<*const T>,
    pub runs: Vec<Run>,
    pub step: isize,
    pub cold: bool,
    /// Rows that have the same runs, side by side; without any all rows have all runs.
    pub groups: Vec<Group>,
    /// Which row of the block each one is, if there are groups.
    pub order: Vec<usize>,
    /// The rows that were copied last, where a block of A keeps them.
    pub held: Range<usize>,
}

/// Some rows of a block of A, and their runs.
#[derive(Clone)]
pub(crate) struct Group {
    pub rows: Range<usize>,
    pub runs: Range<usize>,
}

impl<T> LeftBlock<T> {
    /// No block yet.
    pub fn new() -> Self {
        let (groups, order) = (Vec::new(), Vec::new());
        Self { rows: Vec::new(), runs: Vec::new(), step: 0, cold: false, groups, order, held: 0..0 }
    }

    /// The groups that have rows, and where their rows of C begin, of which `out` has all in order.
    pub fn groups<'a>(&'a self, out: &'a mut Vec<*const T>) -> impl Iterator<Item = (Left<'a, T>, &'a [*const T])> {
        if !self.groups.is_empty() {
            *out = self.order.iter().map(|&row| out[row]).collect();
        }
        let out = &*out;
        let left = |Group { rows, runs }: Group| {
            let (rows_of_c, rows, runs) = (&out[rows.clone()], &self.rows[rows], &self.runs[runs]);
            (Left { rows, runs, step: self.step, cold: self.cold }, rows_of_c)
        };
        let all = Group { rows: 0..self.rows.len(), runs: 0..self.runs.len() };
        let groups = (0..self.groups.len().max(1)).map(move |i| self.groups.get(i).unwrap_or(&all).clone());
        groups.filter(|group| !group.rows.is_empty()).map(left)
    }
}

/// Where a block of B is: element (k, j) of panel p (as wide as a tile) at `p·panel + k·step + j`.
#[derive(Clone, Copy)]
pub(crate) struct Right<T> {
    /// The first element.
    pub at: *const T,
    /// From panel to panel.
    pub panel: usize,
    /// From k to k.
    pub step: isize,
}

impl<T> Right<T> {
    /// So many steps on.
    #[inline(always)]
    pub fn later(self, steps: isize) -> Self {
        Self { at: self.at.wrapping_offset(steps * self.step), ..self }
    }
}
