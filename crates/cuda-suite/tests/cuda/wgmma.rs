//! Large products by the instructions of compute capability 9.0, on the simulator, which plays such a GPU. No GPU has run them yet.

use super::precision::{PRECISIONS, check, there, wide};
use super::tiles::{ORDERS, products};
use cotangent::MatmulPrecision::{self, Bf16, Fp32, Tf32};
use cotangent::prelude::*;
use cotangent_cuda_suite::{Counts, counts_in, on_simulator, simulator, this_program};
use std::collections::BTreeMap;
use std::path::PathBuf;

const BOTH: [MatmulPrecision; 2] = [Tf32, Bf16];

/// A GPU of compute capability 9.0 whose every product goes there, as far as it can.
const ALWAYS: [(&str, &str); 2] = [("PTXSIM_ARCH", "90"), ("COTANGENT_WGMMA", "1")];

on_simulator! {
    fn products_of_every_order(ALWAYS) {
        for size in [[130, 270, 100], [129, 128, 33], [257, 130, 64], [1, 2, 3], [64, 66, 700]] {
            products(1, size, &ORDERS, &PRECISIONS, false);
        }
    }

    fn wide_products_in_batches(ALWAYS) {
        products(32, [130, 270, 40], &ORDERS, &BOTH, false);
        products(32, [130, 258, 330], &["rr"], &BOTH, false);
        products(3, [130, 200, 40], &ORDERS, &[Fp32], false);
    }

    fn a_wide_product_with_a_bias(ALWAYS) {
        products(1, [1100, 3602, 20], &["rc"], &BOTH, false);
    }

    fn products_that_fill_their_memory(ALWAYS) {
        // what is stored beyond a matrix is in the next one, or outside of all memory
        for columns in [2, 64, 192] {
            products(128, [8, columns, 8], &["rr"], &BOTH, false);
            products(64, [8, columns, 8], &["rr"], &PRECISIONS, false);
        }
    }

    fn numbers_that_are_not_finite(ALWAYS) {
        products(1, [130, 270, 100], &["rr", "cc"], &[Tf32], true);
        products(1, [130, 270, 100], &ORDERS, &[Fp32], true);
        products(3, [129, 100, 70], &["rr", "hc"], &[Fp32], true);
    }

    fn one_matrix_for_many(ALWAYS) {
        let rng = &mut Rng::new(3);
        let [a, b] = [[3, 140, 50], [1, 50, 90]].map(|shape| Tensor::uniform(shape, -1.0, 1.0, DType::F32, rng));
        let product = |change: &dyn Fn(&Tensor) -> Tensor| change(&a).matmul(&change(&b).select(0, 0));
        let (want, size) = (product(&wide), product(&|x| wide(x).abs()));
        for precision in PRECISIONS {
            check(&product(&|x| there(x, precision)), &want, &size, 50, precision, "by one matrix");
        }
    }
}

#[test]
fn finite_products_are_computed_once() {
    // with an infinity fp32 takes the multiplications of fp32 beside the tensor cores
    let path = concat!(module_path!(), "::finite_products_are_computed_once");
    let command = || {
        let mut command = simulator(this_program());
        command.envs(ALWAYS);
        command
    };
    let work = || products(1, [128, 128, 64], &ORDERS, &[Fp32], false);
    let Some(report) = counts_in(path, command, work) else { return };
    let counts = &report["wgmma_128_f32"];
    assert!(counts["macs"] > 0 && counts["single"] * 1024 <= 2 * counts["macs"], "{counts:?}");
}

/// What kernels did in a product of n³ of TF32 on a GPU of compute capability 9.0, with these variables; its result was right.
fn counts(test: &str, n: usize, variables: &[(&str, String)]) -> Option<BTreeMap<String, Counts>> {
    let command = || {
        let mut command = simulator(this_program());
        command.env("PTXSIM_ARCH", "90").env_remove("COTANGENT_WGMMA").envs(variables.iter().cloned());
        command
    };
    counts_in(&format!("{}::{test}", module_path!()), command, || {
        let rng = &mut Rng::new(3);
        let [a, b] = [[n, 512], [512, n]].map(|shape| Tensor::uniform(shape, -1.0, 1.0, DType::F32, rng));
        let (want, size) = (a.matmul(&b), a.abs().matmul(&b.abs()));
        check(&there(&a, Tf32).matmul(&there(&b, Tf32)), &want, &size, 512, Tf32, "a product");
    })
}

fn macs(report: &BTreeMap<String, Counts>, kernels: &str) -> u64 {
    report.iter().filter(|(name, _)| name.starts_with(kernels)).map(|(_, counts)| counts["macs"]).sum()
}

#[test]
fn they_are_taken_where_it_is_said() {
    for value in ["0", "1"] {
        let name = "they_are_taken_where_it_is_said";
        let Some(report) = counts(name, 128, &[("COTANGENT_WGMMA", value.to_owned())]) else { return };
        let all = 128 * 128 * 512;
        let want = if value == "0" { (all, 0) } else { (0, all) };
        assert_eq!((macs(&report, "gemm"), macs(&report, "wgmma")), want, "{report:?}");
    }
}

#[test]
fn large_products_take_them_when_they_agree() {
    let Some(report) = counts("large_products_take_them_when_they_agree", 2048, &[]) else { return };
    assert!(macs(&report, "wgmma_256") >= 2048 * 2048 * 512 && macs(&report, "gemm") > 0, "{report:?}");
}

#[test]
fn kernels_that_do_not_agree_are_not_taken() {
    // sums that begin at one
    let folder = std::env::temp_dir().join(format!("cotangent-wgmma-{}", std::process::id()));
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../kernels/gemm_tf32_sm90a.ptx");
    let text = std::fs::read_to_string(source).expect("the PTX is there");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let wrong = text.replace("0f00000000", "0f3F800000");
    assert_ne!(wrong, text);
    std::fs::write(folder.join("gemm_tf32_sm90a.ptx"), wrong).expect("it can be written");
    let instead = ("PTXSIM_INSTEAD", folder.display().to_string());
    let report = counts("kernels_that_do_not_agree_are_not_taken", 2048, &[instead]);
    std::fs::remove_dir_all(&folder).ok();
    let Some(report) = report else { return };
    let all = 2048 * 2048 * 512;
    assert!(macs(&report, "gemm") >= all && (1..all).contains(&macs(&report, "wgmma")), "{report:?}");
}
