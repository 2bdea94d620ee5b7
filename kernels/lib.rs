//! The CUDA kernels that are written by hand, as PTX. Each `NAME.ptx` is made from `NAME.cu` by `cargo xtask ptx` and
//! committed, so that nobody needs a CUDA toolkit; its first line holds a hash of the sources, which `cargo xtask ptx --check`
//! compares.

/// A file of kernels: its name, and its PTX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// The name without an ending: `gemm`.
    pub stem: &'static str,
    /// The PTX: for compute capability 7.5 and later, or 8.0 where tensor cores are used, or 9.0 alone where the name says so.
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
    /// Convolution on tensor cores, near fp32.
    CONV_3XTF32 "conv_3xtf32";
    /// Convolution on tensor cores, of TF32.
    CONV_TF32 "conv_tf32";
    /// Convolution on tensor cores, of bf16.
    CONV_BF16 "conv_bf16";
    /// Matrix products.
    GEMM "gemm";
    /// Matrix products on tensor cores, near fp32.
    GEMM_3XTF32 "gemm_3xtf32";
    /// Matrix products on tensor cores, of TF32.
    GEMM_TF32 "gemm_tf32";
    /// Matrix products on tensor cores, of bf16.
    GEMM_BF16 "gemm_bf16";
    /// Large matrix products near fp32, for compute capability 9.0 alone.
    GEMM_3XTF32_SM90A "gemm_3xtf32_sm90a";
    /// Large matrix products of TF32, for compute capability 9.0 alone.
    GEMM_TF32_SM90A "gemm_tf32_sm90a";
    /// Large matrix products of bf16, for compute capability 9.0 alone.
    GEMM_BF16_SM90A "gemm_bf16_sm90a";
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

    /// The PTX with kernel `name` alone.
    ///
    /// # Panics
    /// If there is no such kernel.
    pub fn only(&self, name: &str) -> String {
        const ENTRY: &str = ".visible .entry ";
        let mut parts = self.ptx.split(ENTRY);
        let head = parts.next().unwrap_or_default();
        let kernel = parts.find(|part| part.split('(').next() == Some(name));
        [head, ENTRY, kernel.unwrap_or_else(|| panic!("{} has no kernel {name}", self.stem))].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_is_listed_with_the_size_of_its_parameter() {
        let entries = GEMM.entries();
        assert_eq!(entries.iter().map(|e| e.0).collect::<Vec<_>>(), ["gemm_f32", "gemm_f64"]);
        assert!(entries.iter().all(|e| e.1 == 112), "{entries:?}");
    }

    #[test]
    fn a_kernel_is_whole_without_its_file() {
        for file in ALL {
            for (name, _) in file.entries() {
                let text = file.only(name);
                assert!(text.starts_with("// source ") && text.trim_end().ends_with('}'), "{name}");
                assert_eq!((text.matches(".entry").count(), text.matches(".target").count()), (1, 1), "{name}");
            }
        }
    }
}
