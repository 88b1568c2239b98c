//! Small products of matrices on one thread, for whatever vectors the processor has.
//!
//! A few rows by a few vectors of columns are summed in registers. The columns are the outer loop, so
//! that those of the right matrix stay in the first cache for all rows.

use pulp::{Simd, WithSimd};

use super::simd::arch;

/// Rows computed together.
pub(crate) const ROWS: usize = 6;

/// A row-major matrix, perhaps a part of a wider one.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    /// Begins with the first row.
    pub(crate) values: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// From one row to the next.
    pub(crate) stride: usize,
}

/// A [`Matrix`] to write to.
pub(crate) struct MatrixMut<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) stride: usize,
}

impl<'a> Matrix<'a> {
    /// One without gaps between its rows.
    pub(crate) fn new(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            rows: values.len() / columns,
            columns,
            stride: columns,
        }
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.stride..][..self.columns]
    }

    /// The transpose, without gaps.
    pub(crate) fn transposed(&self) -> Vec<f32> {
        /// The side of a block that stays in the first cache both ways.
        const SIDE: usize = 16;
        let mut transposed = vec![0.0; self.rows * self.columns];
        for first_row in (0..self.rows).step_by(SIDE) {
            for first_column in (0..self.columns).step_by(SIDE) {
                for column in first_column..self.columns.min(first_column + SIDE) {
                    let block = first_row..self.rows.min(first_row + SIDE);
                    let output = &mut transposed[column * self.rows..][block.clone()];
                    for (output, row) in output.iter_mut().zip(block) {
                        *output = self.values[row * self.stride + column];
                    }
                }
            }
        }
        transposed
    }
}

impl<'a> MatrixMut<'a> {
    /// One without gaps between its rows.
    pub(crate) fn new(values: &'a mut [f32], columns: usize) -> Self {
        Self {
            values,
            stride: columns,
        }
    }
}

/// `output = left * right`, each row plus the bias if there is one.
pub(crate) fn multiply(
    left: Matrix<'_>,
    right: Matrix<'_>,
    bias: Option<&[f32]>,
    output: MatrixMut<'_>,
) {
    assert_eq!(left.columns, right.rows, "the matrices do not fit");
    arch().dispatch(Product {
        left: Rows(left),
        right,
        bias,
        output,
    });
}

/// `output = transpose(left) * right`.
pub(crate) fn multiply_transposed(left: Matrix<'_>, right: Matrix<'_>, output: MatrixMut<'_>) {
    assert_eq!(left.rows, right.rows, "the matrices do not fit");
    arch().dispatch(Product {
        left: Columns::new(left),
        right,
        bias: None,
        output,
    });
}

/// A left matrix, by what each step of the sums takes of it.
trait Left {
    /// Rows of the product.
    fn height(&self) -> usize;

    /// The coefficients of [`ROWS`] rows in each step; those beyond the last row are any.
    fn coefficients(&self, first: usize) -> impl Fn(usize) -> [f32; ROWS];
}

/// A matrix as it is.
struct Rows<'a>(Matrix<'a>);

impl Left for Rows<'_> {
    #[inline(always)]
    fn height(&self) -> usize {
        self.0.rows
    }

    #[inline(always)]
    fn coefficients(&self, first: usize) -> impl Fn(usize) -> [f32; ROWS] {
        let last = self.0.rows - 1;
        let mut rows = [self.0.row(first); ROWS];
        for (index, row) in rows.iter_mut().enumerate() {
            *row = self.0.row((first + index).min(last));
        }
        move |step| rows.map(|row| row[step])
    }
}

/// A matrix to be transposed: [`ROWS`] of its columns at a time lie together.
struct Columns {
    packed: Vec<[f32; ROWS]>,
    columns: usize,
    rows: usize,
}

impl Columns {
    fn new(matrix: Matrix<'_>) -> Self {
        let Matrix { rows, columns, .. } = matrix;
        let mut packed = vec![[0.0; ROWS]; columns.div_ceil(ROWS) * rows];
        for row in 0..rows {
            let (whole, rest) = matrix.row(row).as_chunks();
            let mut blocks = packed[row..].iter_mut().step_by(rows);
            for (values, block) in whole.iter().zip(blocks.by_ref()) {
                *block = *values;
            }
            if let Some(block) = blocks.next() {
                block[..rest.len()].copy_from_slice(rest);
            }
        }
        Self {
            packed,
            columns,
            rows,
        }
    }
}

impl Left for Columns {
    #[inline(always)]
    fn height(&self) -> usize {
        self.columns
    }

    #[inline(always)]
    fn coefficients(&self, first: usize) -> impl Fn(usize) -> [f32; ROWS] {
        let block = &self.packed[first / ROWS * self.rows..][..self.rows];
        move |step| block[step]
    }
}

struct Product<'a, L> {
    left: L,
    right: Matrix<'a>,
    bias: Option<&'a [f32]>,
    output: MatrixMut<'a>,
}

impl<L: Left> WithSimd for Product<'_, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let columns = self.right.columns;
        let lanes = S::F32_LANES;
        if columns < lanes {
            return self.run_narrow();
        }
        let mut panel = vec![simd.splat_f32s(0.0); 2 * self.right.rows];
        let mut start = 0;
        while start < columns {
            // A block may overlap the one before: the same values are computed again.
            let rest = columns - start;
            if rest > lanes && columns >= 2 * lanes {
                self.run_columns::<S, 2>(simd, start.min(columns - 2 * lanes), &mut panel);
                start += 2 * lanes;
            } else {
                self.run_columns::<S, 1>(simd, start.min(columns - lanes), &mut panel);
                start += lanes;
            }
        }
    }
}

impl<L: Left> Product<'_, L> {
    /// All rows of `VECTORS` vectors of columns. These are copied first: at a distance that is a
    /// power of two few of them would fit into the first cache.
    #[inline(always)]
    fn run_columns<S: Simd, const VECTORS: usize>(
        &mut self,
        simd: S,
        start: usize,
        panel: &mut [S::f32s],
    ) {
        let end = start + VECTORS * S::F32_LANES;
        let (panel, _) = panel.as_chunks_mut::<VECTORS>();
        let panel = &mut panel[..self.right.rows];
        for (step, right) in panel.iter_mut().enumerate() {
            right.copy_from_slice(S::as_simd_f32s(&self.right.row(step)[start..end]).0);
        }
        let mut bias = [simd.splat_f32s(0.0); VECTORS];
        if let Some(values) = self.bias {
            bias.copy_from_slice(S::as_simd_f32s(&values[start..end]).0);
        }
        for first in (0..self.left.height()).step_by(ROWS) {
            let coefficients = self.left.coefficients(first);
            let mut sums = [bias; ROWS];
            for (step, right) in panel.iter().enumerate() {
                for (sums, left) in sums.iter_mut().zip(coefficients(step)) {
                    let left = simd.splat_f32s(left);
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = simd.mul_add_f32s(left, *right, *sum);
                    }
                }
            }
            for (row, sums) in (first..self.left.height()).zip(sums) {
                let output = &mut self.output.values[row * self.output.stride..][start..end];
                S::as_mut_simd_f32s(output).0.copy_from_slice(&sums);
            }
        }
    }

    /// For fewer columns than a vector has lanes.
    #[inline(always)]
    fn run_narrow(self) {
        let columns = self.right.columns;
        for first in (0..self.left.height()).step_by(ROWS) {
            let coefficients = self.left.coefficients(first);
            for (index, row) in (first..self.left.height()).take(ROWS).enumerate() {
                let output = &mut self.output.values[row * self.output.stride..][..columns];
                match self.bias {
                    Some(bias) => output.copy_from_slice(bias),
                    None => output.fill(0.0),
                }
                for step in 0..self.right.rows {
                    let left = coefficients(step)[index];
                    for (output, right) in output.iter_mut().zip(self.right.row(step)) {
                        *output += left * right;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes on both sides of all blocks, with gaps between the rows of every matrix.
    #[test]
    fn products_are_those_of_a_naive_loop() {
        for rows in [1, 5, 6, 7, 13] {
            for inner in [1, 2, 9] {
                for columns in [1, 3, 7, 8, 15, 16, 17, 31, 33, 40, 49, 70] {
                    check(rows, inner, columns);
                }
            }
        }
    }

    fn check(rows: usize, inner: usize, columns: usize) {
        let values = [numbers(rows * (inner + 2)), numbers(inner * (columns + 3))];
        let left = with_gaps(&values[0], inner, 2);
        let right = with_gaps(&values[1], columns, 3);
        let bias = numbers(columns);
        let turned = left.transposed();
        let turned = Matrix::new(&turned, rows);

        let stride = columns + 1;
        let mut outputs = [vec![f32::NAN; rows * stride], vec![f32::NAN; rows * stride]];
        let [plain, transposed] = outputs
            .each_mut()
            .map(|values| MatrixMut { values, stride });
        multiply(left, right, Some(&bias), plain);
        multiply_transposed(turned, right, transposed);

        for row in 0..rows {
            for column in 0..columns {
                let products = left.row(row).iter().enumerate();
                let expected: f32 = products
                    .map(|(step, left)| left * right.row(step)[column])
                    .sum();
                let [plain, transposed] = outputs.each_ref().map(|o| o[row * stride + column]);
                assert!((plain - expected - bias[column]).abs() < 1e-4);
                assert!((transposed - expected).abs() < 1e-4);
            }
            assert!(outputs.iter().all(|o| o[row * stride + columns].is_nan()));
        }
    }

    #[test]
    fn a_transpose_leaves_gaps_out() {
        let values = numbers(37 * 25);
        let matrix = with_gaps(&values, 21, 4);
        let transposed = matrix.transposed();
        for (column, values) in transposed.chunks(37).enumerate() {
            for (row, value) in values.iter().enumerate() {
                assert_eq!(*value, matrix.row(row)[column]);
            }
        }
    }

    fn numbers(count: usize) -> Vec<f32> {
        let number = |index| (index * 37 % 101) as f32 / 25.0 - 2.0;
        (0..count).map(number).collect()
    }

    fn with_gaps(values: &[f32], columns: usize, gap: usize) -> Matrix<'_> {
        let stride = columns + gap;
        Matrix {
            values,
            rows: values.len() / stride,
            columns,
            stride,
        }
    }
}
