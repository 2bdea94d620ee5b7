//! [`CosineDecay`]: down half a cosine, perhaps after a climb.

use super::{Schedule, cosine, part};

/// From `initial` to `alpha · initial` along half a cosine (Loshchilov, Hutter 2017, SGDR,
/// <https://arxiv.org/abs/1608.03983>), and no further.
///
/// With a [`warmup`](CosineDecay::warmup) the rate climbs from `initial` to a target first, in a line, and decays from
/// there. Keras's `CosineDecay`.
///
/// ```
/// use cotangent_nn::{CosineDecay, Schedule};
/// let decay = CosineDecay::new(0.0, 100).warmup(0.5, 10);
/// assert_eq!([0, 5, 10, 60, 110, 999].map(|steps| decay.rate(steps)), [0.0, 0.25, 0.5, 0.25, 0.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CosineDecay {
    initial: f64,
    decay_steps: u64,
    alpha: f64,
    /// Its target and its steps.
    warmup: Option<(f64, u64)>,
}

impl CosineDecay {
    /// From `initial` to 0 in `decay_steps` steps.
    ///
    /// # Panics
    /// If `decay_steps` is 0.
    #[track_caller]
    pub fn new(initial: f64, decay_steps: u64) -> Self {
        assert!(decay_steps > 0, "[cosine_decay] over 0 steps");
        Self { initial, decay_steps, alpha: 0.0, warmup: None }
    }

    /// Which part of the greatest rate stays at the end.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Climbs to `target` in `steps` steps before the decay.
    pub fn warmup(mut self, target: f64, steps: u64) -> Self {
        self.warmup = Some((target, steps));
        self
    }
}

impl Schedule for CosineDecay {
    fn rate(&self, steps: u64) -> f64 {
        let (top, warm) = self.warmup.unwrap_or((self.initial, 0));
        if steps < warm {
            return self.initial + (top - self.initial) * part(steps, warm);
        }
        cosine(top, self.alpha * top, part(steps - warm, self.decay_steps))
    }
}
