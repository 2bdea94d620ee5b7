//! [`Capture`]: a step that a GPU records once and does again without the host.

mod carry;
#[cfg(feature = "cuda")]
mod record;

pub use carry::{Carry, Ledger};

use cotangent_base::{Result, Update};
#[cfg(feature = "cuda")]
use record::Stage;

/// A step of a loop: on a GPU it is computed at the first call, recorded at the second, and from the third on the record is
/// run, which costs the host next to nothing, and the GPU less as well: in a record, chains of pointwise ops are one
/// kernel each. On the CPU it is computed every time. The results are the same, to the last bit.
///
/// What changes from call to call is *carried*: parameters, an optimizer, random numbers, the batch. It is handed to the step
/// as its one argument, often a tuple; see [`Carry`]. Everything else that the step uses must stay as it is, and new batches
/// are written over the old one with [`assign_`](crate::Tensor::assign_). A number that the step computes on the host, say
/// `0.1 / epoch as f64`, stays what it was when the step was recorded; optimizers and generators of random numbers move on
/// as if the step were computed.
///
/// ```
/// use cotangent_core::{Capture, Tensor};
/// let mut carried = (Tensor::from([1.0_f32, 2.0]), Tensor::zeros([2])); // a batch, and a sum over batches
/// let mut capture = Capture::new();
/// for batch in [[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]] {
///     carried.0.assign_(&Tensor::from(batch));
///     let squares = capture.run(&mut carried, |(x, sum)| {
///         let squares = x.square();
///         sum.assign_(&(&*sum + &squares));
///         Ok(squares)
///     })?;
///     assert_eq!(squares.to_vec::<f32>(), batch.map(|x| x * x));
/// }
/// assert_eq!(carried.1.to_vec::<f32>(), [35.0, 56.0]);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
///
/// In a record nobody can refuse an index or a class number beyond its axis: it counts as the nearest within.
///
/// A step that reads numbers on the host ([`item`](crate::Tensor::item), [`to_vec`](crate::Tensor::to_vec)) or makes
/// tensors of the host's cannot be recorded; it is computed every time, and [`refused`](Capture::refused) says why. So is a
/// step whose carried tensors are in other memory than before, or shared with anybody: it is computed then, and recorded
/// anew at the next call.
pub struct Capture<R> {
    #[cfg(feature = "cuda")]
    stage: Stage<R>,
    #[cfg(not(feature = "cuda"))]
    result: std::marker::PhantomData<R>,
}

impl<R> Default for Capture<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> Capture<R> {
    /// Of a step that has not been called yet.
    pub fn new() -> Self {
        Self {
            #[cfg(feature = "cuda")]
            stage: Stage::default(),
            #[cfg(not(feature = "cuda"))]
            result: std::marker::PhantomData,
        }
    }

    /// Does the step: computes it, or runs the record of it. The tensors in the result of a record are the same at each call,
    /// with new values; copy what is to stay.
    ///
    /// # Errors
    /// Those of the step, and those of the device.
    pub fn run<C: Carry + ?Sized>(&mut self, carried: &mut C, step: impl FnOnce(&mut C) -> Result<R>) -> Result<R>
    where
        R: Clone,
    {
        #[cfg(feature = "cuda")]
        return self.stage.run(carried, step);
        #[cfg(not(feature = "cuda"))]
        step(carried)
    }

    /// Whether there is a record, which the next call runs if what is carried is where it was.
    pub fn is_recorded(&self) -> bool {
        #[cfg(feature = "cuda")]
        return matches!(self.stage, Stage::Recorded(_));
        #[cfg(not(feature = "cuda"))]
        false
    }

    /// Why the step cannot be recorded, if it was tried and could not be.
    pub fn refused(&self) -> Option<&str> {
        #[cfg(feature = "cuda")]
        if let Stage::Refused(why) = &self.stage {
            return Some(why);
        }
        None
    }
}

/// Whether a record is being run, which takes the numbers of the rule from here: nothing is to be computed then.
pub(crate) fn counted<const S: usize, U: Update<S>>(rule: U) -> bool {
    #[cfg(feature = "cuda")]
    return cotangent_cuda::capture::counted(rule);
    #[cfg(not(feature = "cuda"))]
    {
        let _ = rule;
        false
    }
}
