//! The CUDA kernels that are written by hand, as PTX. Each `NAME.ptx` is made from `NAME.cu` by `cargo xtask ptx` and
//! committed, so that nobody needs a CUDA toolkit; its first line holds a hash of the sources, which `cargo xtask ptx --check`
//! compares.

/// A file of kernels: its name, and its PTX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// The name without an ending: `gemm`.
    pub stem: &'static str,
    /// The PTX, for compute capability 8.0 and later.
    pub ptx: &'static str,
}

macro_rules! files {
    ($($(#[doc = $doc:literal])* $NAME:ident $stem:literal;)*) => {
        $($(#[doc = $doc])* pub const $NAME: File = File { stem: $stem, ptx: include_str!(concat!($stem, ".ptx")) };)*
        /// All of them.
        pub const ALL: &[File] = &[$($NAME),*];
    };
}
files! {
    /// Convolution, forward and both ways back.
    CONV "conv";
    /// Matrix products.
    GEMM "gemm";
    /// Adding by index.
    INDEX "index";
    /// The sums of batch normalisation.
    NORM "norm";
    /// Pooling, forward and back.
    POOL "pool";
    /// Reductions, and where the extremes are.
    REDUCE "reduce";
    /// Softmax and the cross-entropy behind it.
    SOFTMAX "softmax";
}

impl File {
    /// The kernels in it, in their order: each name, and the size of its one parameter in bytes.
    pub fn entries(&self) -> Vec<(&'static str, usize)> {
        let mut entries = Vec::new();
        for part in self.ptx.split(".entry ").skip(1) {
            let name = part.split('(').next().unwrap_or_default().trim();
            let size = part.split(['[', ']']).nth(1).and_then(|size| size.parse().ok()).unwrap_or(0);
            entries.push((name, size));
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_is_listed_with_the_size_of_its_parameter() {
        let entries = GEMM.entries();
        assert_eq!(entries.iter().map(|e| e.0).collect::<Vec<_>>(), ["gemm_f32", "gemm_f64"]);
        assert!(entries.iter().all(|e| e.1 == 96), "{entries:?}");
    }
}
