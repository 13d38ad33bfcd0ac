//! The general matrix product, by BLAS.

use ndarray::{ArrayView2, ArrayViewMut2, linalg::general_mat_mul};

use crate::element::compiled;

compiled! {
    /// C <- alpha A B + beta C, in the calling thread.
    ///
    /// Each matrix must have unit stride along one axis; otherwise ndarray uses a slower kernel instead of BLAS.
    ///
    /// # Shapes
    ///
    /// A: m x k, B: k x n, C: m x n
    pub(crate) fn gemm<'a, 'b, T>(
        alpha: T,
        a: ArrayView2<'a, T>,
        b: ArrayView2<'a, T>,
        beta: T,
        c: ArrayViewMut2<'a, T>,
    ) {
        let mut c = c;
        debug_assert_eq!(a.ncols(), b.nrows());
        debug_assert_eq!((a.nrows(), b.ncols()), c.dim());
        #[cfg(feature = "openblas")]
        super::openblas::prepare();
        general_mat_mul(alpha, &a, &b, beta, &mut c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, ShapeBuilder, array, s};

    #[test]
    fn small_product_by_hand() {
        let a = array![[1.0, 2.0], [3.0, 4.0]];
        let b = array![[5.0], [6.0]];
        let mut c = array![[1.0], [1.0]];
        gemm(1.0, a.view(), b.view(), 2.0, c.view_mut());
        assert_eq!(c, array![[19.0], [41.0]]);
    }

    #[test]
    fn strided_views_agree_with_the_triple_loop() {
        let (m, k, n) = (20, 33, 17);
        let a = Array2::from_shape_fn((m + 1, k).f(), |(i, j)| ((i * 7 + j * 3) % 11) as f64 - 5.0);
        let b = Array2::from_shape_fn((n, k).f(), |(i, j)| ((i * 5 + j * 2) % 13) as f64 - 6.0);
        let mut c = Array2::<f64>::ones((m + 1, n).f());
        gemm(-0.5, a.slice(s![1.., ..]), b.t(), 1.0, c.slice_mut(s![1.., ..]));
        for i in 0..m {
            for j in 0..n {
                let dot: f64 = (0..k).map(|l| a[[i + 1, l]] * b[[j, l]]).sum();
                assert_eq!(c[[i + 1, j]], 1.0 - 0.5 * dot);
            }
        }
        assert!(c.row(0).iter().all(|&one| one == 1.0), "the row outside stays");
    }
}
