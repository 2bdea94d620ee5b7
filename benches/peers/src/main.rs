//! Times the f32 matrix products of other Rust crates: `cotangent-peers THREADS CLOCK` answers requests (see `protocol`).

#[path = "../../measure/protocol.rs"]
mod protocol;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use gemm::Parallelism;
use std::hint::black_box;

const VERSION: &str = "faer 0.24, gemm 0.19 (x86-v4), matrixmultiply 0.3";

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let [_, threads, clock] = &words[..] else { panic!("usage: cotangent-peers THREADS elapsed|processor") };
    let threads: usize = threads.parse().expect("a number of threads");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("no thread works yet");
    protocol::serve(VERSION, clock, |words| {
        let ["gemm", library, m, n, k] = *words else { return None };
        let [m, n, k] = [m, n, k].map(|word| word.parse().expect("a size"));
        let product = Product { m, n, k, a: filled(m * k), b: filled(k * n), c: vec![0.0; m * n] };
        match library {
            "faer" => Some(product.work(move |p| p.by_faer(threads))),
            "gemm" => Some(product.work(move |p| p.by_gemm(threads))),
            "matrixmultiply" => Some(product.work(Product::by_matrixmultiply)),
            _ => None,
        }
    });
}

fn filled(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i % 251) as f32 / 251.0).collect()
}

/// `c = a·b`, all row-major, with `a [m, k]`, `b [k, n]`.
struct Product {
    m: usize,
    n: usize,
    k: usize,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Product {
    /// Computes it by `multiply`, once checked.
    fn work(mut self, multiply: impl Fn(&mut Self) + 'static) -> Box<dyn FnMut()> {
        multiply(&mut self);
        let (i, j) = (self.m - 1, self.n / 2);
        let expected: f64 = (0..self.k).map(|p| self.a[i * self.k + p] as f64 * self.b[p * self.n + j] as f64).sum();
        let error = (self.c[i * self.n + j] as f64 - expected).abs();
        assert!(error <= 1e-3 * expected, "{error} beside {expected}");
        Box::new(move || {
            multiply(&mut self);
            black_box(&mut self.c);
        })
    }

    fn by_faer(&mut self, threads: usize) {
        let a = MatRef::from_row_major_slice(&self.a, self.m, self.k);
        let b = MatRef::from_row_major_slice(&self.b, self.k, self.n);
        let c = MatMut::from_row_major_slice_mut(&mut self.c, self.m, self.n);
        matmul(c, Accum::Replace, a, b, 1.0, if threads > 1 { Par::rayon(threads) } else { Par::Seq });
    }

    fn by_gemm(&mut self, threads: usize) {
        let (m, n, k) = (self.m, self.n, self.k);
        let (a, b, c) = (self.a.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        let (columns, depth) = (n as isize, k as isize);
        let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
        // SAFETY: the three slices are row-major matrices of these sizes, and c is borrowed for writing.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                c,
                1,
                columns,
                false,
                a,
                1,
                depth,
                b,
                1,
                columns,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    }

    /// On as many threads as `MATMUL_NUM_THREADS` says.
    fn by_matrixmultiply(&mut self) {
        let (m, n, k) = (self.m, self.n, self.k);
        let (a, b, c) = (self.a.as_ptr(), self.b.as_ptr(), self.c.as_mut_ptr());
        let (columns, depth) = (n as isize, k as isize);
        // SAFETY: the three slices are row-major matrices of these sizes, and c is borrowed for writing.
        unsafe { matrixmultiply::sgemm(m, k, n, 1.0, a, depth, 1, b, columns, 1, 0.0, c, columns, 1) };
    }
}
