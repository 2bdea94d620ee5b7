//! Inverted dropout: `y = x · m / (1 − rate)`, m being 1 with probability 1 − rate and else 0; `dx` is the same
//! of dy. The mask is a function of a random stream. Saves it if the device finds it faster to read than to make again.
//!
//! Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: *Dropout: A Simple Way to Prevent Neural Networks from
//! Overfitting*, JMLR 2014.

use crate::autograd::{Op, Saved, apply, is_tracking};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Rng, Saves, ShapeError, Stream};

/// Dropout with the mask of one random stream.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// The probability that an element becomes 0, in `[0, 1)`.
    pub rate: f64,
    /// What decides which.
    pub stream: Stream,
}

impl Op<1> for Dropout {
    const NAME: &'static str = "dropout";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// The mask, if the device would rather read it.
    type Aux = Option<Tensor>;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        check::float("dropout", x)?;
        if !(0.0..1.0).contains(&self.rate) {
            return Err(ShapeError::new("dropout", format!("rate {} is not within [0, 1)", self.rate)));
        }
        Ok(x)
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, Option<Tensor>) {
        kernels::dropout(x, self.rate, self.stream)
    }

    fn vjp(&self, saved: Saved<1, Option<Tensor>>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(match saved.aux {
            Some(mask) if !is_tracking() => kernels::dropout_by(dy, self.rate, mask),
            _ => apply(*self, [&dy]),
        })]
    }
}

impl Tensor {
    /// Inverted dropout, as in training: each element 0 with probability `rate`, else divided by 1 − rate. Takes
    /// one stream of `rng`.
    ///
    /// ```
    /// # use cotangent_core::{Rng, Tensor};
    /// let y = Tensor::ones([1000]).dropout(0.5, &mut Rng::new(0)).to_vec::<f32>();
    /// assert!(y.iter().all(|&y| y == 0.0 || y == 2.0));
    /// ```
    ///
    /// # Panics
    /// If `rate` is not within `[0, 1)`, or the dtype is not a float.
    #[track_caller]
    pub fn dropout(&self, rate: f64, rng: &mut Rng) -> Tensor {
        apply(Dropout { rate, stream: rng.next_stream() }, [self])
    }
}
