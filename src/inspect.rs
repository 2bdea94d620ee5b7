//! Looking inside a computation: where a NaN came from, what holds memory, where the time goes, what computes.
//!
//! ```
//! use cotangent::{inspect, prelude::*};
//!
//! # fn main() -> cotangent::Result<()> {
//! print!("{}", inspect::build_info());
//!
//! let (x, y) = (Tensor::ones([64, 8]), Tensor::zeros([64, 1]));
//! let mut model = Sequential::new([8]).add(Dense::new(1)).build(&Device::best(), Seed(0))?;
//! model.compile(Sgd::new(0.01), MeanSquaredError, [Accuracy]);
//!
//! let (values, profile) = inspect::profile(|| model.train_step(&x, &y));
//! println!("loss {}\n{profile}", values?[0]); // a table by op
//!
//! let _guard = inspect::detect_anomaly(); // from now on, a NaN ends training with the name of the op that made it
//! model.fit(&x, &y).verbose(0).run()?;
//! println!("{}", inspect::memory_report());
//! # Ok(())
//! # }
//! ```

pub use cotangent_core::inspect::*;

/// What this program was built as, and what it computes with: what a bug report should say.
///
/// ```
/// let info = cotangent::inspect::build_info();
/// assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
/// assert!(info.threads > 0);
/// ```
pub fn build_info() -> BuildInfo {
    let features = [
        ("cuda", cfg!(feature = "cuda")),
        ("download", cfg!(feature = "download")),
        ("figures", cfg!(feature = "figures")),
    ];
    let on = features.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
    BuildInfo::new(env!("CARGO_PKG_VERSION"), cfg!(debug_assertions), on)
}
