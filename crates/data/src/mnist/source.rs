//! Where the digits came from.

use std::fmt;
use std::path::PathBuf;

/// Where the digits of a [`Mnist`](super::Mnist) came from. It displays as one line, to be shown to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Files in the folder that was asked for.
    Folder(PathBuf),
    /// Files that an earlier run left in the cache.
    Cache(PathBuf),
    /// Files downloaded just now, and kept in the cache.
    Download(PathBuf),
    /// Digits that the library drew itself. They are not MNIST: accuracies do not compare with published ones.
    Synthetic {
        /// How many to train on.
        train: usize,
        /// Why there was no MNIST; `None` if synthetic digits were asked for.
        reason: Option<String>,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Source::Folder(path) => write!(f, "MNIST: from {}", path.display()),
            Source::Cache(path) => write!(f, "MNIST: from the cache {}", path.display()),
            Source::Download(path) => write!(f, "MNIST: downloaded to {}", path.display()),
            Source::Synthetic { train, reason: None } => {
                write!(f, "MNIST: {train} synthetic digits drawn by Cotangent")
            }
            Source::Synthetic { train, reason: Some(reason) } => {
                write!(f, "MNIST: {reason}: using {train} synthetic digits drawn by Cotangent")
            }
        }
    }
}
