//! Printing tensors as NumPy does: nested brackets, columns aligned, `…` in place of what is too much.

use crate::{Tensor, no_grad};
use cotangent_base::{DType, Shape};
use std::fmt;

/// With more elements than this, long axes show their first and last elements alone.
const WHOLE: usize = 1000;
/// How many from each end of a long axis.
const EDGE: usize = 3;
/// Longer lines are broken.
const LINE: usize = 96;
/// Digits after the point, unless the format says otherwise: `{:.8}`.
const DIGITS: usize = 4;

/// The values, then shape and dtype.
///
/// ```
/// # use cotangent_core::Tensor;
/// let x = Tensor::from([[1.0_f32, -2.5], [30.0, 4.0]]);
/// let text = "tensor([[ 1.0, -2.5],\n        [30.0,  4.0]], shape=[2, 2], f32)";
/// assert_eq!(x.to_string(), text);
/// ```
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        values(self, f)?;
        write!(f, ", shape={}, {})", self.shape(), self.dtype())
    }
}

/// As `Display`, and the op that made the tensor, if it is in a graph.
impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        values(self, f)?;
        write!(f, ", shape={}, {}", self.shape(), self.dtype())?;
        match &self.node {
            Some(node) => write!(f, ", op={})", node.name()),
            None => f.write_str(")"),
        }
    }
}

/// `tensor(` and the nested values.
fn values(x: &Tensor, f: &mut fmt::Formatter) -> fmt::Result {
    f.write_str("tensor(")?;
    if x.count() == 0 {
        return f.write_str("[]");
    }
    let (shown, cut) = if x.count() > WHOLE { edges(x) } else { (x.detach(), vec![false; x.rank()]) };
    let texts = texts(&shown, f.precision().unwrap_or(DIGITS));
    let width = texts.iter().map(|t| t.chars().count()).max().unwrap_or(0);
    Block { texts: &texts, width, shape: shown.shape(), cut: &cut }.write(f, 0, 0)
}

/// The ends of every long axis, and which axes were cut.
fn edges(x: &Tensor) -> (Tensor, Vec<bool>) {
    let mut shown = x.detach();
    let cut: Vec<bool> = x.shape().iter().map(|&n| n > 2 * EDGE).collect();
    no_grad(|| {
        for axis in (0..x.rank()).filter(|&axis| cut[axis]) {
            let (axis, edge) = (axis as isize, EDGE as isize);
            shown = Tensor::concat(&[&shown.slice(axis, ..edge), &shown.slice(axis, -edge..)], axis);
        }
    });
    (shown, cut)
}

/// Each element's text, all with the same number of digits.
fn texts(x: &Tensor, digits: usize) -> Vec<String> {
    match x.dtype() {
        DType::F32 | DType::F64 => floats(&x.cast(DType::F64).to_vec::<f64>(), digits),
        DType::Bool => x.to_vec::<bool>().iter().map(bool::to_string).collect(),
        DType::U8 | DType::U32 | DType::I64 => x.cast(DType::I64).to_vec::<i64>().iter().map(i64::to_string).collect(),
    }
}

fn floats(values: &[f64], digits: usize) -> Vec<String> {
    let sizes = values.iter().map(|v| v.abs()).filter(|&v| v > 0.0 && v.is_finite());
    let (least, greatest) = sizes.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let scientific = greatest >= 1e8 || least < 1e-4 || greatest / least > 1e3;
    let text = |v: f64, digits: usize| match scientific {
        true => format!("{v:.digits$e}"),
        false => format!("{v:.digits$}"),
    };
    let needed = values.iter().filter(|v| v.is_finite()).map(|&v| fraction(&text(v, digits))).max().unwrap_or(0);
    let finish = |&v: &f64| match v {
        _ if v.is_nan() => "nan".to_string(),
        _ if v.is_infinite() => if v > 0.0 { "inf" } else { "-inf" }.to_string(),
        _ if needed == 0 && !scientific => format!("{v:.0}."),
        _ => text(v, needed),
    };
    values.iter().map(finish).collect()
}

/// How many digits after the point say something.
fn fraction(text: &str) -> usize {
    let mantissa = text.split('e').next().unwrap_or(text);
    mantissa.split_once('.').map_or(0, |(_, digits)| digits.trim_end_matches('0').len())
}

struct Block<'a> {
    texts: &'a [String],
    width: usize,
    shape: Shape,
    cut: &'a [bool],
}

impl Block<'_> {
    /// Writes the sub-tensor along `axis` whose first element is `first`.
    fn write(&self, f: &mut fmt::Formatter, axis: usize, first: usize) -> fmt::Result {
        if axis == self.shape.rank() {
            return write!(f, "{:>1$}", self.texts[first], self.width);
        }
        if axis + 1 == self.shape.rank() {
            return self.row(f, first);
        }
        let step: usize = self.shape[axis + 1..].iter().product();
        let gap = format!(",{}{:2$}", "\n".repeat(self.shape.rank() - axis - 1), "", "tensor(".len() + axis + 1);
        f.write_str("[")?;
        for i in 0..self.shape[axis] {
            if i > 0 {
                f.write_str(&gap)?;
            }
            if i == EDGE && self.cut[axis] {
                write!(f, "…{gap}")?;
            }
            self.write(f, axis + 1, first + i * step)?;
        }
        f.write_str("]")
    }

    /// Writes one row, in several lines if it is long.
    fn row(&self, f: &mut fmt::Formatter, first: usize) -> fmt::Result {
        let (axis, indent) = (self.shape.rank() - 1, "tensor(".len() + self.shape.rank());
        let per_line = ((LINE - indent) / (self.width + 2)).max(1);
        f.write_str("[")?;
        for i in 0..self.shape[axis] {
            match i {
                0 => {}
                _ if i % per_line == 0 && !self.cut[axis] => write!(f, ",\n{:indent$}", "")?,
                _ => f.write_str(", ")?,
            }
            if i == EDGE && self.cut[axis] {
                f.write_str("…, ")?;
            }
            write!(f, "{:>1$}", self.texts[first + i], self.width)?;
        }
        f.write_str("]")
    }
}
