//! The distinct convolutions of ResNet-18 and VGG-16 on eight images of 224 × 224.

use super::group::{Column, Group, Program, Row, Unit};

/// Image size, channels, filters, kernel, stride, padding.
const LAYERS: [[u64; 6]; 20] = [
    [224, 3, 64, 7, 2, 3],
    [56, 64, 64, 3, 1, 1],
    [56, 64, 128, 3, 2, 1],
    [56, 64, 128, 1, 2, 0],
    [28, 128, 128, 3, 1, 1],
    [28, 128, 256, 3, 2, 1],
    [28, 128, 256, 1, 2, 0],
    [14, 256, 256, 3, 1, 1],
    [14, 256, 512, 3, 2, 1],
    [14, 256, 512, 1, 2, 0],
    [7, 512, 512, 3, 1, 1],
    [224, 3, 64, 3, 1, 1],
    [224, 64, 64, 3, 1, 1],
    [112, 64, 128, 3, 1, 1],
    [112, 128, 128, 3, 1, 1],
    [56, 128, 256, 3, 1, 1],
    [56, 256, 256, 3, 1, 1],
    [28, 256, 512, 3, 1, 1],
    [28, 512, 512, 3, 1, 1],
    [14, 512, 512, 3, 1, 1],
];

const BATCH: u64 = 8;

/// A group for each data format and direction.
pub fn convolutions() -> Vec<Group> {
    let titles = [
        ["Convolution forward, channels last", "Convolution forward, channels first"],
        ["Convolution to its images (dx), channels last", "Convolution to its images (dx), channels first"],
        ["Convolution to its weights (dw), channels last", "Convolution to its weights (dw), channels first"],
    ];
    let ways = ["forward", "dx", "dw"].into_iter().zip(titles);
    ways.flat_map(|(way, titles)| ["last", "first"].into_iter().zip(titles).map(move |(f, title)| group(way, f, title)))
        .collect()
}

fn group(way: &str, format: &str, title: &'static str) -> Group {
    let row = |[size, c, k, kernel, stride, pad]: [u64; 6]| {
        let out = (size + 2 * pad - kernel) / stride + 1;
        let name = format!("{size}²: {c} to {k}, {kernel} × {kernel} / {stride}");
        let work = format!("conv {way} {format} {BATCH} {size} {c} {k} {kernel} {stride} {pad}");
        Row::new(name, work, (2 * BATCH * out * out * c * k * kernel * kernel) as f64).goal(1.0)
    };
    // The images themselves need no cotangent.
    let rows = LAYERS.into_iter().filter(|layer| way != "dx" || layer[1] > 3).map(row).collect();
    let columns = vec![Column::ours(), Column::peer("PyTorch", Program::Torch)];
    Group { name: "convolution", title, unit: Unit::Giga("FLOP/s"), seconds: 0.05, columns, rows }
}
