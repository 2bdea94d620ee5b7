//! [`Init`]: how a parameter's first values are drawn, with Keras's formulas.

use cotangent_core::{DType, Rng, Shape, Tensor};

/// How a parameter begins.
///
/// The scaled ones depend on the fans: `fan_in` numbers go into each output, each input goes to `fan_out`. For a
/// matrix `[in, out]` they are its sizes; for a convolution's `[kh, kw, C, K]` they are kh·kw·C and kh·kw·K.
///
/// | | draws | source |
/// |---|---|---|
/// | Glorot | variance 2 / (fan_in + fan_out) | Glorot, Bengio 2010 |
/// | He | variance 2 / fan_in | He et al. 2015 |
/// | Lecun | variance 1 / fan_in | LeCun et al. 1998 |
///
/// The uniform forms draw from ±√(3 · variance). The normal forms are truncated at two standard deviations, and
/// widened so that the variance after truncation is the one above.
///
/// ```
/// use cotangent_core::{DType, Rng};
/// use cotangent_nn::Init;
/// let w = Init::GlorotUniform.draw([784, 128], DType::F32, &mut Rng::new(0));
/// assert!(w.to_vec::<f32>().iter().all(|w| w.abs() <= 0.081112));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// 0 everywhere.
    Zeros,
    /// 1 everywhere.
    Ones,
    /// This number everywhere.
    Constant(f64),
    /// Uniform in ±√(6 / (fan_in + fan_out)): Keras's default for kernels.
    GlorotUniform,
    /// Truncated normal of variance 2 / (fan_in + fan_out).
    GlorotNormal,
    /// Uniform in ±√(6 / fan_in).
    HeUniform,
    /// Truncated normal of variance 2 / fan_in.
    HeNormal,
    /// Uniform in ±√(3 / fan_in).
    LecunUniform,
    /// Truncated normal of variance 1 / fan_in.
    LecunNormal,
    /// Uniform in `[low, high)`. Keras's default is ±0.05.
    Uniform {
        /// The least value.
        low: f64,
        /// The bound above.
        high: f64,
    },
    /// Normal. Keras's default is mean 0, standard deviation 0.05.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Normal, values beyond `2·std` from the mean drawn again; the standard deviation of what is left is 0.8796·std.
    TruncatedNormal {
        /// The mean.
        mean: f64,
        /// The standard deviation before truncation.
        std: f64,
    },
}

/// The standard deviation of a standard normal that is truncated to ±2.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

impl Init {
    /// A tensor of `shape` drawn so.
    pub fn draw(self, shape: impl Into<Shape>, dtype: DType, rng: &mut Rng) -> Tensor {
        let shape = shape.into();
        let (fan_in, fan_out) = fans(&shape);
        match self {
            Init::Zeros => Tensor::full(shape, 0.0, dtype),
            Init::Ones => Tensor::full(shape, 1.0, dtype),
            Init::Constant(value) => Tensor::full(shape, value, dtype),
            Init::Uniform { low, high } => Tensor::uniform(shape, low, high, dtype, rng),
            Init::Normal { mean, std } => Tensor::normal(shape, mean, std, dtype, rng),
            Init::TruncatedNormal { mean, std } => truncated_normal(shape, mean, std, dtype, rng),
            Init::GlorotUniform => uniform(shape, 2.0 / (fan_in + fan_out), dtype, rng),
            Init::HeUniform => uniform(shape, 2.0 / fan_in, dtype, rng),
            Init::LecunUniform => uniform(shape, 1.0 / fan_in, dtype, rng),
            Init::GlorotNormal => normal(shape, 2.0 / (fan_in + fan_out), dtype, rng),
            Init::HeNormal => normal(shape, 2.0 / fan_in, dtype, rng),
            Init::LecunNormal => normal(shape, 1.0 / fan_in, dtype, rng),
        }
    }
}

/// `(fan_in, fan_out)`, at least 1 each.
fn fans(shape: &Shape) -> (f64, f64) {
    let (fan_in, fan_out) = match **shape {
        [] => (1, 1),
        [n] => (n, n),
        [ref taps @ .., c, k] => {
            let taps: usize = taps.iter().product();
            (taps * c, taps * k)
        }
    };
    (fan_in.max(1) as f64, fan_out.max(1) as f64)
}

fn uniform(shape: Shape, variance: f64, dtype: DType, rng: &mut Rng) -> Tensor {
    let limit = (3.0 * variance).sqrt();
    Tensor::uniform(shape, -limit, limit, dtype, rng)
}

fn normal(shape: Shape, variance: f64, dtype: DType, rng: &mut Rng) -> Tensor {
    truncated_normal(shape, 0.0, variance.sqrt() / TRUNCATED_STD, dtype, rng)
}

/// By rejection: draws as many as are wanting, keeps those within two standard deviations in order, draws again for
/// the rest (4.55 % each time). In f64, so that every dtype gets the same numbers, rounded.
fn truncated_normal(shape: Shape, mean: f64, std: f64, dtype: DType, rng: &mut Rng) -> Tensor {
    let mut kept = Vec::with_capacity(shape.count());
    while kept.len() < shape.count() {
        let drawn = Tensor::normal([shape.count() - kept.len()], 0.0, 1.0, DType::F64, rng);
        kept.extend(drawn.to_vec::<f64>().into_iter().filter(|x| x.abs() <= 2.0).map(|x| mean + std * x));
    }
    Tensor::from_slice(&kept, shape).cast(dtype)
}
