//! The works that are measured.

use super::group::{Column, Group, Program, Request, Row, Unit};
use super::layers;

/// Every group, in the order of the report.
pub fn all() -> Vec<Group> {
    let mut groups = vec![step(), crates(), inference(), product()];
    groups.extend(layers::convolutions());
    groups.extend([pass(1 << 20, "1 M"), pass(1 << 24, "16 M"), overhead(), memory(), growth()]);
    groups
}

/// PyTorch on images in both formats, eager and compiled.
fn torch_on_images() -> Vec<Column> {
    let variants = [
        ("PyTorch", "first eager"),
        ("channels last", "last eager"),
        ("compiled", "first compiled"),
        ("channels last, compiled", "last compiled"),
    ];
    variants.map(|(label, words)| Column::peer(label, Program::Torch).asked(Request::With(words))).to_vec()
}

fn step() -> Group {
    let mut columns = vec![Column::ours(), Column::one_thread()];
    columns.extend(torch_on_images());
    columns.extend([Column::peer("Keras on TensorFlow", Program::Keras), Column::peer("JAX", Program::Jax)]);
    let rows = vec![
        Row::new("CNN, batch 128", "step cnn 128", 0.0).goal(0.33),
        Row::new("MLP, batch 32", "step mlp 32", 0.0).goal(0.2).beside(Program::Torch),
        Row::new("dropout MLP, batch 128", "step dropout 128", 0.0).goal(0.5),
    ];
    Group { name: "step", title: "One training step", unit: Unit::Milliseconds, seconds: 0.8, columns, rows }
}

fn crates() -> Group {
    let peers = [("burn (flex)", "burn"), ("candle", "candle"), ("dfdx", "dfdx")];
    let peers = peers.map(|(label, word)| Column::peer(label, Program::RustSteps).asked(Request::With(word)));
    let columns = [Column::ours(), Column::one_thread()].into_iter().chain(peers).collect();
    let rows = vec![Row::new("MLP, batch 32", "step mlp 32", 0.0).goal(0.35)];
    let title = "One training step, beside Rust crates";
    Group { name: "crates", title, unit: Unit::Milliseconds, seconds: 0.8, columns, rows }
}

fn inference() -> Group {
    let mut columns = vec![Column::ours(), Column::one_thread(), Column::peer("onnxruntime", Program::Onnx)];
    columns.extend(torch_on_images());
    let rows = [1, 1000]
        .map(|batch| Row::new(format!("CNN, batch {batch}"), format!("infer {batch}"), 0.0).goal(0.7))
        .to_vec();
    Group { name: "inference", title: "Inference", unit: Unit::Milliseconds, seconds: 0.4, columns, rows }
}

fn product() -> Group {
    let mut columns = vec![
        Column::ours(),
        Column::limit("FMA peak", Request::Always("peak 1000000000"), Some(1e9)),
        Column::limit("right after it", Request::After("peak 40000000"), Some(4e7)),
        Column::peer("PyTorch", Program::Torch),
    ];
    columns.extend(
        ["faer", "gemm", "matrixmultiply"].map(|name| Column::peer(name, Program::Rust).asked(Request::By(name))),
    );
    let cubes = [512, 1024, 2048, 64].map(|n: u64| (format!("{n}³"), [n; 3]));
    let others = [[32, 128, 784], [128, 128, 9216], [64, 288, 73728], [73728, 64, 288]];
    let others = others.map(|[m, n, k]| (format!("{m} × {n}, depth {k}"), [m, n, k]));
    let row = |(name, [m, n, k]): (String, [u64; 3])| {
        Row::new(name, format!("gemm {m} {n} {k}"), (2 * m * n * k) as f64).goal(1.0)
    };
    let rows = cubes.into_iter().chain(others).map(row).collect();
    let title = "Matrix products of f32";
    Group { name: "product", title, unit: Unit::Giga("FLOP/s"), seconds: 0.3, columns, rows }
}

/// Passes over `count` numbers; the amount is the bytes that must be read and written.
fn pass(count: usize, size: &str) -> Group {
    let columns = vec![
        Column::ours(),
        Column::limit(
            "copy",
            Request::Always(if count > 1 << 20 { "copy 16777216" } else { "copy 1048576" }),
            Some(8.0 * count as f64),
        ),
        Column::peer("PyTorch", Program::Torch).asked(Request::With("fresh")),
        Column::peer("into memory that is there", Program::Torch).asked(Request::With("there")),
    ];
    let ops = [
        ("add", 12.0),
        ("relu", 8.0),
        ("exp", 8.0),
        ("gelu", 8.0),
        ("sum", 4.0),
        ("softmax", 8.0),
        ("batch_norm", 8.0),
        ("max_pool", 5.0),
    ];
    let row = |(op, bytes): (&str, f64)| {
        let row = Row::new(format!("{op}, {size}"), format!("over {op} {count}"), bytes * count as f64);
        row.goal(1.0).or_of_limit(0.9)
    };
    let title = if count > 1 << 20 { "Passes over 16 M numbers" } else { "Passes over 1 M numbers" };
    let rows = ops.map(row).to_vec();
    Group { name: "pass", title, unit: Unit::Giga("B/s"), seconds: 0.15, columns, rows }
}

fn overhead() -> Group {
    let columns = vec![Column::ours(), Column::peer("PyTorch", Program::Torch)];
    let rows = vec![Row::new("add of 16 elements, recorded", "overhead", 0.0).goal(1.0)];
    Group { name: "overhead", title: "A small op", unit: Unit::Nanoseconds, seconds: 0.2, columns, rows }
}

fn memory() -> Group {
    let mut columns = vec![Column::ours()];
    columns.extend(torch_on_images().into_iter().take(2));
    columns.push(Column::peer("Keras on TensorFlow", Program::Keras));
    let rows = vec![Row::new("training the CNN, batch 128", "step cnn 128", 0.0).goal(0.5)];
    Group { name: "memory", title: "Peak memory", unit: Unit::Mebibytes, seconds: 2.0, columns, rows }
}

/// How the cost grows. The amount is that of the dense arithmetic, whether it is done or not.
fn growth() -> Group {
    let mut columns = vec![Column::ours()];
    columns.extend(torch_on_images().into_iter().take(2));
    let batches = [1, 4, 16, 64, 256, 1024, 4096].map(|batch| {
        let dense = 2.0 * batch as f64 * (2 * 26 * 26 * 32 * 9 + 3 * (24 * 24 * 64 * 288 + 9216 * 128)) as f64;
        Row::new(format!("CNN, batch {batch}"), format!("step cnn {batch}"), dense)
    });
    let images = |batch: usize, image: usize, width: usize| {
        let (first, second) = ((image - 2).pow(2) * 32 * 27, (image - 4).pow(2) * width * 288);
        let name = format!("images of {image} × {image}, {width} filters, batch {batch}");
        Row::new(name, format!("step images {batch} {image} {width}"), (2 * batch * (2 * first + 3 * second)) as f64)
    };
    let sides = [28, 56, 112, 224].map(|image| images(8, image, 64));
    let widths = [32, 128, 256, 512].map(|width| images(8, 56, width));
    let rows = batches.into_iter().chain(sides).chain(widths).collect();
    let title = "Growth of a training step";
    Group { name: "growth", title, unit: Unit::Giga("FLOP/s"), seconds: 0.2, columns, rows }
}
