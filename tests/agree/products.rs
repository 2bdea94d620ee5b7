//! Random matrix products against plain loops in f64, over half of them at edge sizes, in every layout, and with C in
//! the midst of numbers that must stay as they are.

use cotangent::gradcheck::sample::{self, Arrangement, Domain};
use cotangent::{DType, Shape, Tensor};
use cotangent_base::{Element, Layout, View};
use cotangent_cpu::Buffer;
use cotangent_cpu::gemm::gemm;
use cotangent_cpu::naive::matmul::matmul;
use rayon::prelude::*;

/// Around vectors, register tiles and blocks, and primes.
const EDGES: [usize; 24] = [0, 1, 2, 3, 5, 6, 7, 8, 9, 11, 13, 14, 15, 16, 17, 29, 31, 32, 33, 37, 47, 63, 64, 65];

/// Rows and columns beyond the blocks that are computed at a time.
const LARGE: [usize; 4] = [97, 131, 257, 409];
/// Depths beyond the blocks that are summed at a time, and one that is split.
const DEEP: [usize; 4] = [257, 521, 1033, 2053];

/// Numbers from a counter, so that each case is the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    /// A size, or now and then one of `large`.
    fn size(&mut self, large: [usize; 4]) -> usize {
        match self.below(20) {
            0..=11 => EDGES[self.below(EDGES.len())],
            12 => large[self.below(4)],
            _ => 1 + self.below(40),
        }
    }
}

/// One product: sizes, layouts, what is broadcast.
struct Product {
    a: Tensor,
    b: Tensor,
    bias: Option<Tensor>,
    sizes: [usize; 3],
    /// Whether both operands repeat one number along the axis that is summed over, so that roundings add up.
    repeats: bool,
}

fn draw(case: u64, dtype: DType, domain: Domain) -> Product {
    let mut dice = Dice(case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    dice.below(2);
    let sizes @ [m, k, n] = [dice.size(LARGE), dice.size(DEEP), dice.size(LARGE)];
    let mut along = [false; 2];
    let mut operand = |shape: [usize; 2], summed: usize, which: usize| {
        let kind = dice.below(8);
        let stretched = match kind {
            6 => Some(0),
            7 => Some(1),
            _ => None,
        };
        along[which] = stretched == Some(summed);
        let drawn = stretched.map_or(Shape::from(shape), |axis| Shape::from(shape).with(axis, 1));
        let x = domain.sample(drawn, case * 3 + which as u64).cast(dtype);
        match stretched {
            Some(_) => x.expand(shape),
            None => Arrangement::ALL[kind % 5].of(&x),
        }
    };
    let (a, b) = (operand([m, k], 1, 0), operand([k, n], 0, 1));
    let bias = (case.is_multiple_of(3)).then(|| domain.sample([n].into(), case * 3 + 2).cast(dtype));
    Product { a, b, bias, sizes, repeats: along == [true; 2] }
}

fn host(x: &Tensor) -> Vec<f64> {
    x.cast(DType::F64).to_vec()
}

impl Product {
    fn got(&self) -> Vec<f64> {
        host(&self.a.linear(&self.b, self.bias.as_ref()))
    }

    /// The result and Σ |terms| for each element.
    fn want(&self) -> (Vec<f64>, Vec<f64>) {
        let bias = self.bias.as_ref().map(host);
        matmul(&host(&self.a), &host(&self.b), bias.as_deref(), self.sizes)
    }

    fn assert(&self, u: f64, case: u64) {
        let (want, size) = self.want();
        match self.a.dtype() {
            DType::F32 => self.assert_onto::<f32>((&want, &size), u, case),
            _ => self.assert_onto::<f64>((&want, &size), u, case),
        }
        let terms = self.sizes[1] as f64 + self.bias.is_some() as u8 as f64;
        let gamma = terms * u / (1.0 - terms * u);
        let likely = if self.repeats { gamma } else { 2.0 * terms.sqrt() * u };
        for (i, ((got, want), size)) in self.got().into_iter().zip(want).zip(size).enumerate() {
            let fine = (got - want).abs() <= gamma.min(likely) * size;
            assert!(fine, "product {case} of sizes {:?}: element {i} is {got}, wants {want}", self.sizes);
        }
    }
}

/// The memory of a tensor of numbers, and NaN wherever it has none.
fn memory<T: Element>(x: &Tensor) -> Buffer {
    let mut all = vec![T::from_f64(f64::NAN); x.layout().end()];
    x.layout().places().zip(x.to_vec::<T>()).for_each(|(place, number)| all[place] = number);
    Buffer::from_slice(&all)
}

impl Product {
    /// `a·b + β·C` in the midst of NaN, none of which may be read or written.
    fn assert_onto<T: Element>(&self, (want, size): (&[f64], &[f64]), u: f64, case: u64) {
        let [m, k, n] = self.sizes;
        let (beta, stride) = ([0.0, 1.0, -0.5][case as usize % 3], n + case as usize % 4);
        let c = Layout::new([m, n].into(), &[stride as isize, 1], 9);
        // C is a multiple of 1/16, or with β = 0 nothing that may be read
        let held = |i: usize| if beta == 0.0 { f64::NAN } else { (i % 31) as f64 / 16.0 - 1.0 };
        let mut out = vec![f64::NAN; 9 + m * stride + 9];
        c.places().enumerate().for_each(|(i, place)| out[place] = held(i));
        let mut out = Buffer::from_slice(&out.into_iter().map(T::from_f64).collect::<Vec<T>>());
        let (a, b) = (memory::<T>(&self.a), memory::<T>(&self.b));
        let view = |buffer, x: &Tensor| View { buffer, layout: x.layout() };
        gemm(view(&a, &self.a), view(&b, &self.b), beta, &mut out, c);
        let mut out: Vec<f64> = out.as_slice::<T>().iter().map(|x| x.to_f64()).collect();
        let bias = self.bias.as_ref().map(host);
        for (i, place) in c.places().enumerate() {
            let product = want[i] - bias.as_ref().map_or(0.0, |b| b[i % n]);
            let before = if beta == 0.0 { 0.0 } else { beta * held(i) };
            let got = std::mem::replace(&mut out[place], f64::NAN);
            // the reference was rounded with its bias
            let bound = (k as f64 + 3.0) * u * (size[i] + before.abs());
            let fine = (got - product - before).abs() <= bound;
            assert!(fine, "product {case} of sizes {:?} + {beta}·C: element {i} is {got}", self.sizes);
        }
        assert!(out.iter().all(|x| x.is_nan()), "product {case} of sizes {:?} wrote beside C", self.sizes);
    }
}

#[test]
fn ten_thousand_products_in_f32() {
    let u = f32::EPSILON as f64 / 2.0;
    (0..10_000u64).into_par_iter().for_each(|case| draw(case, DType::F32, Domain::Range(-1.0, 1.0)).assert(u, case));
}

#[test]
fn two_thousand_products_in_f64() {
    // the reference rounds as well, hence twice the unit
    (0..2_000u64).into_par_iter().for_each(|case| {
        draw(case + 50_000, DType::F64, Domain::Range(-1.0, 1.0)).assert(f64::EPSILON, case);
    });
}

#[test]
fn products_of_integers_are_exact() {
    (0..2_000u64).into_par_iter().for_each(|case| {
        let product = draw(case + 90_000, DType::F32, Domain::Index(9));
        assert_eq!(product.got(), product.want().0, "product {case} of sizes {:?}", product.sizes);
    });
}

#[test]
fn a_product_over_nothing_is_the_bias() {
    let (a, b) = (Tensor::zeros([3, 0]), Tensor::zeros([0, 4]));
    assert_eq!(a.matmul(&b).to_vec::<f32>(), [0.0; 12]);
    let bias = sample::uniform([4], -1.0, 1.0, 1).cast(DType::F32);
    assert_eq!(a.linear(&b, Some(&bias)).to_vec::<f32>(), bias.expand([3, 4]).to_vec::<f32>());
}

#[test]
fn products_of_edge_values_keep_their_class() {
    let inf = f32::INFINITY;
    let a = Tensor::from([[inf, 1.0], [0.0, f32::NAN], [-0.0, 1e-45], [f32::MAX, f32::MAX]]);
    let b = Tensor::from([[1.0_f32, 0.0], [1.0, 1.0]]);
    let y = a.matmul(&b).to_vec::<f32>();
    assert!(y[0] == inf && y[1].is_nan() && y[2].is_nan() && y[3].is_nan() && y[6] == inf, "{y:?}");
    assert_eq!((y[4], y[5], y[7]), (1e-45, 1e-45, f32::MAX));
}
