//! Convolution and pooling: windows of every geometry, both formats.

use crate::{Op, Rounding, UNIT, off_zero};
use cotangent_base::Slide;
use cotangent_core::{Conv2dSpec, DataFormat, Padding, Tensor, WindowSpec};
use cotangent_gradcheck::sample::Domain;

const FORMATS: [DataFormat; 2] = [DataFormat::ChannelsLast, DataFormat::ChannelsFirst];

pub fn ops() -> Vec<Op> {
    vec![conv2d(), conv2d_relu(), conv2d_max_pool2d(), conv2d_max_pool2d_relu(), max_pool2d(), avg_pool2d()]
}

/// A window, by what is special about it.
struct Named {
    name: &'static str,
    window: WindowSpec,
}

fn window(name: &'static str, kernel: [usize; 2], set: impl FnOnce(&mut WindowSpec)) -> Named {
    let mut window = WindowSpec::new(kernel);
    set(&mut window);
    Named { name, window }
}

/// The geometries that fit into an image of 5 × 6.
fn windows() -> Vec<Named> {
    vec![
        window("1 × 1", [1, 1], |_| {}),
        window("3 × 2", [3, 2], |_| {}),
        window("stride 2", [2, 2], |w| w.stride = [2, 2]),
        window("stride below the kernel", [3, 3], |w| w.stride = [2, 1]),
        window("stride beyond the kernel", [2, 1], |w| w.stride = [3, 2]),
        window("same", [3, 3], |w| w.padding = Padding::Same),
        window("same, even kernel, stride 2", [2, 4], |w| (w.padding, w.stride) = (Padding::Same, [2, 2])),
        window("uneven padding", [3, 3], |w| w.padding = Padding::Explicit([1, 0, 0, 2])),
        window("ceil", [2, 2], |w| (w.stride, w.ceil) = ([2, 4], true)),
        window("the whole image", [5, 6], |_| {}),
    ]
}

fn dilated() -> Named {
    window("dilation", [2, 3], |w| w.dilation = [2, 1])
}

fn conv2d() -> Op {
    let mut row = Op::new("conv2d").rules(&["conv2d_dx", "conv2d_dw"]);
    for Named { name, window } in windows().into_iter().chain([dilated()]) {
        for format in FORMATS {
            let [kh, kw] = window.kernel;
            let (x, w) = (format.shape([2, 5, 6, 2]), [kh, kw, 2, 3]);
            let spec = Conv2dSpec { format, ..Conv2dSpec::new(window) };
            row = row.at(format!("{name}, {format:?}"), &[(&x, UNIT), (&w, UNIT), (&[3], UNIT)], move |x| {
                x[0].conv2d(&x[1], Some(&x[2]), &spec)
            });
        }
    }
    for (groups, filters, format) in [(2, 6, FORMATS[0]), (4, 4, FORMATS[0]), (4, 8, FORMATS[1])] {
        let x = format.shape([1, 4, 4, 4]);
        let spec = Conv2dSpec { groups, format, ..Conv2dSpec::new(WindowSpec::new([2, 3])) };
        let name = format!("{groups} groups, {format:?}");
        row =
            row.at(name, &[(&x, UNIT), (&[2, 3, 4 / groups, filters], UNIT)], move |x| x[0].conv2d(&x[1], None, &spec));
    }
    let spec = Conv2dSpec::new(WindowSpec::new([3, 3]));
    row.at("no images", &[(&[0, 4, 4, 2], UNIT), (&[3, 3, 2, 2], UNIT)], move |x| x[0].conv2d(&x[1], None, &spec)).at(
        "beyond one block",
        &[(&[1, 9, 9, 17], UNIT), (&[3, 3, 17, 19], UNIT)],
        move |x| x[0].conv2d(&x[1], None, &spec),
    )
}

fn conv2d_relu() -> Op {
    let mut row = Op::new("conv2d_relu");
    let three = Conv2dSpec::new(WindowSpec::new([3, 3]));
    let stride = Conv2dSpec { window: WindowSpec { stride: [2, 1], ..WindowSpec::new([2, 3]) }, ..three };
    let cases: [(_, _, &[&[usize]]); 5] = [
        ("with a bias", three, &[&[1, 4, 5, 2], &[3, 3, 2, 3], &[3]]),
        ("channels first", Conv2dSpec { format: FORMATS[1], ..three }, &[&[1, 2, 4, 5], &[3, 3, 2, 3], &[3]]),
        ("2 groups, with strides, no bias", Conv2dSpec { groups: 2, ..stride }, &[&[1, 4, 4, 4], &[2, 3, 2, 2]]),
        ("whole vectors", three, &[&[1, 4, 4, 16], &[3, 3, 16, 16], &[16]]),
        ("no images", three, &[&[0, 4, 4, 2], &[3, 3, 2, 2]]),
    ];
    for (name, spec, shapes) in cases {
        let inputs: Vec<(&[usize], Domain)> = shapes.iter().map(|&shape| (shape, UNIT)).collect();
        row = row.at(name, &inputs, move |x| x[0].conv2d_relu(&x[1], x.get(2), &spec));
        row = row.clear(move |x| off_zero(&x[0].conv2d(&x[1], x.get(2), &spec)));
    }
    row
}

fn conv2d_max_pool2d_relu() -> Op {
    let two = WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) };
    let mut row = Op::new("conv2d_max_pool2d_relu");
    let cases: [(_, &[&[usize]]); 3] = [
        (FORMATS[0], &[&[1, 6, 6, 2], &[3, 3, 2, 3], &[3]]),
        (FORMATS[1], &[&[1, 2, 6, 6], &[3, 3, 2, 3], &[3]]),
        (FORMATS[0], &[&[1, 4, 4, 16], &[3, 3, 16, 16]]),
    ];
    for (format, shapes) in cases {
        let conv = Conv2dSpec { format, ..Conv2dSpec::new(WindowSpec::new([3, 3])) };
        let inputs: Vec<(&[usize], Domain)> = shapes.iter().map(|&shape| (shape, UNIT)).collect();
        let name = format!("{format:?}, {} operands", shapes.len());
        row = row.at(name, &inputs, move |x| x[0].conv2d_max_pool2d_relu(&x[1], x.get(2), &conv, &two));
        row = row.clear(move |x| {
            let y = x[0].conv2d_max_pool2d(&x[1], x.get(2), &conv, &two);
            off_zero(&y) && Pooled { conv, pool: two }.is_clear(&x[0].conv2d(&x[1], None, &conv))
        });
    }
    row
}

/// A convolution and the pooling behind it.
#[derive(Clone, Copy)]
struct Pooled {
    conv: Conv2dSpec,
    pool: WindowSpec,
}

impl Pooled {
    /// The row with this case; without a bias if there are two operands.
    fn at(self, row: Op, name: impl Into<String>, shapes: &[&[usize]]) -> Op {
        let inputs: Vec<(&[usize], Domain)> = shapes.iter().map(|&shape| (shape, UNIT)).collect();
        let row = row.at(name, &inputs, move |x| x[0].conv2d_max_pool2d(&x[1], x.get(2), &self.conv, &self.pool));
        row.clear(move |x| self.is_clear(&x[0].conv2d(&x[1], None, &self.conv)))
    }

    /// Whether the greatest of each window is far above the others.
    fn is_clear(self, z: &Tensor) -> bool {
        let [n, h, w, c] = self.conv.format.nhwc(&z.shape());
        let window = self.pool.over("max_pool2d", [h, w]).expect("it fits");
        let last = match self.conv.format {
            DataFormat::ChannelsLast => z.clone(),
            DataFormat::ChannelsFirst => z.permute(&[0, 2, 3, 1]),
        };
        let z = last.to_vec::<f64>();
        let taps = |out: usize, slide: Slide| (0..slide.kernel).filter_map(move |tap| slide.at(out, tap));
        let seen = |image: usize, channel: usize, row: usize, column: usize| {
            let at = move |y: usize, x: usize| ((image * h + y) * w + x) * c + channel;
            let places = taps(row, window.h).flat_map(|y| taps(column, window.w).map(move |x| at(y, x)));
            places.map(|at| z[at]).collect::<Vec<f64>>()
        };
        let clear = |mut seen: Vec<f64>| {
            seen.sort_by(|a, b| b.total_cmp(a));
            seen.len() < 2 || seen[0] - seen[1] >= 8e-2
        };
        let columns = |image, channel, row| (0..window.w.output).all(|column| clear(seen(image, channel, row, column)));
        (0..n).all(|n| (0..c).all(|k| (0..window.h.output).all(|row| columns(n, k, row))))
    }
}

fn conv2d_max_pool2d() -> Op {
    let two = WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) };
    let three = Conv2dSpec::new(WindowSpec::new([3, 3]));
    let mut row = Op::new("conv2d_max_pool2d");
    // every geometry once as the convolution's, and once as the pooling's behind one of the usual kind
    for Named { name, window } in windows().into_iter().filter(|w| w.window.kernel != [5, 6]).chain([dilated()]) {
        for (format, pool) in [(FORMATS[0], two), (FORMATS[1], WindowSpec::new([2, 1]))] {
            let ([kh, kw], x) = (window.kernel, format.shape([1, 5, 6, 2]));
            let pooled = Pooled { conv: Conv2dSpec { format, ..Conv2dSpec::new(window) }, pool };
            row = pooled.at(row, format!("{name}, {format:?}"), &[&x, &[kh, kw, 2, 2], &[2]]);
            let pooled = Pooled { conv: Conv2dSpec { format, ..three }, pool: window };
            row = pooled.at(row, format!("pooling {name}, {format:?}"), &[&format.shape([1, 6, 6, 2]), &[3, 3, 2, 1]]);
        }
    }
    let groups = Pooled { conv: Conv2dSpec { groups: 2, ..three }, pool: two };
    row = groups.at(row, "2 groups", &[&[1, 6, 6, 4], &[3, 3, 2, 6]]);
    let plain = Pooled { conv: three, pool: two };
    row = plain.at(row, "no images", &[&[0, 6, 6, 2], &[3, 3, 2, 2]]);
    row = plain.at(row, "whole vectors", &[&[1, 6, 6, 16], &[3, 3, 16, 16], &[16]]);
    plain.at(row, "odd numbers", &[&[1, 5, 5, 17], &[3, 3, 17, 19]])
}

fn max_pool2d() -> Op {
    let mut row = Op::new("max_pool2d").rules(&["max_pool2d_dx"]).rounding(Rounding::Exact);
    for Named { name, window } in windows().into_iter().chain([dilated()]) {
        for format in FORMATS {
            let shape = format.shape([1, 5, 6, 3]);
            row = row.at(format!("{name}, {format:?}"), &[(&shape, Domain::Distinct)], move |x| {
                x[0].max_pool2d(&window, format)
            });
        }
    }
    let window = WindowSpec::new([2, 2]);
    row.at("no images", &[(&[0, 4, 4, 2], UNIT)], move |x| x[0].max_pool2d(&window, FORMATS[0]))
}

fn avg_pool2d() -> Op {
    let mut row = Op::new("avg_pool2d").rules(&["avg_pool2d_dx"]);
    for Named { name, window } in windows() {
        for (format, count_padding) in [(FORMATS[0], false), (FORMATS[1], true)] {
            let shape = format.shape([1, 5, 6, 2]);
            let name =
                format!("{name}, {format:?}, padding {}", if count_padding { "counts" } else { "does not count" });
            row = row.at(name, &[(&shape, UNIT)], move |x| x[0].avg_pool2d(&window, format, count_padding));
        }
    }
    row
}
