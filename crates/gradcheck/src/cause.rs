//! [`Cause`]: what kind of mistake fits the numbers.

use cotangent_base::Layout;
use cotangent_core::Shape;
use std::fmt;

/// The likely cause of a wrong gradient.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// The rule gives NaN or ±∞.
    NotFinite,
    /// The function itself is not finite around the point.
    OutsideDomain,
    /// The function has a kink or jump at the point.
    Kink,
    /// The gradient is 0 everywhere: the graph is cut, or a mask is inverted.
    Cut,
    /// The gradient is the negative of the right one.
    Sign,
    /// The gradient is this many times the right one; the text says what that number is.
    Factor(f64, String),
    /// The gradient of this other input stands here.
    Exchanged(usize),
    /// The axes are in the wrong order; this order sets them right.
    Transposed(Vec<usize>),
    /// The gradient is reversed along an axis.
    Reversed(usize),
    /// The gradient is shifted along an axis by one.
    Shifted(usize),
    /// A factor of this power of the input is missing (positive) or too much (negative).
    Power(i32),
    /// A term is missing that is the same along this axis.
    MissingAlong(usize),
    /// Only elements at the border of an axis are wrong.
    Border(usize),
    /// The gradient is 0 where it should not be, right elsewhere.
    MaskTooWide,
    /// The gradient is not 0 where it should be, right elsewhere.
    MaskTooNarrow,
    /// No simple pattern fits.
    Unknown,
}

/// What is known of one wrong input, the outputs weighted at random.
pub(crate) struct Evidence<'a> {
    pub shape: Shape,
    pub x: &'a [f64],
    pub analytic: &'a [f64],
    pub numeric: &'a [f64],
    /// At the worst element, how rough the function is as a share of the error.
    pub roughness: f64,
    /// The numeric gradients of the other inputs of the same count.
    pub others: Vec<(usize, Vec<f64>)>,
}

/// Two gradients are the same for the purpose of finding a cause.
fn same(a: f64, n: f64, scale: f64) -> bool {
    (a - n).abs() <= 1e-4 * n.abs() + 1e-6 * scale
}

fn greatest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |m, x| m.max(x.abs()))
}

impl Evidence<'_> {
    /// The first pattern that fits.
    pub fn cause(&self) -> Cause {
        if self.numeric.iter().any(|n| !n.is_finite()) {
            return Cause::OutsideDomain;
        }
        if self.analytic.iter().any(|a| !a.is_finite()) {
            return Cause::NotFinite;
        }
        if self.roughness > 0.1 {
            return Cause::Kink;
        }
        if greatest(self.analytic) <= 1e-9 * greatest(self.numeric) {
            return Cause::Cut;
        }
        let patterns = [Self::factor, Self::exchanged, Self::rearranged, Self::shifted, Self::power];
        let patterns = patterns.into_iter().chain([Self::masked, Self::border, Self::missing]);
        patterns.filter_map(|pattern| pattern(self)).next().unwrap_or(Cause::Unknown)
    }

    /// Whether the analytic gradient is `other`, which is not the right one.
    fn is(&self, other: &[f64]) -> bool {
        let scale = greatest(self.numeric);
        let matches = self.analytic.iter().zip(other).all(|(a, o)| same(*a, *o, scale));
        matches && other.iter().zip(self.numeric).any(|(o, n)| !same(*o, *n, scale))
    }

    fn factor(&self) -> Option<Cause> {
        let (aa, an): (f64, f64) =
            self.analytic.iter().zip(self.numeric).fold((0.0, 0.0), |(s, t), (a, n)| (s + a * n, t + n * n));
        let c = aa / an;
        let scaled: Vec<f64> = self.numeric.iter().map(|n| c * n).collect();
        if !self.is(&scaled) {
            return None;
        }
        if (c + 1.0).abs() < 1e-4 {
            return Some(Cause::Sign);
        }
        let plain = [c, 1.0 / c].iter().any(|c| (c - c.round()).abs() < 1e-3 * c.abs() && c.abs() < 1e6);
        (plain || self.numeric.len() > 2).then(|| Cause::Factor(c, self.name(c)))
    }

    /// What a factor might be.
    fn name(&self, c: f64) -> String {
        let is = |n: usize| n > 1 && [c, 1.0 / c].iter().any(|c| (c.abs() - n as f64).abs() < 1e-3 * n as f64);
        match (0..self.shape.rank()).find(|&axis| is(self.shape[axis])) {
            Some(axis) => format!(", the size of axis {axis}"),
            None if is(self.shape.count()) => ", the number of elements".into(),
            None => String::new(),
        }
    }

    fn exchanged(&self) -> Option<Cause> {
        self.others.iter().find(|(_, n)| self.is(n)).map(|(i, _)| Cause::Exchanged(*i))
    }

    /// The numeric gradient read through another layout.
    fn through(&self, layout: Layout) -> Vec<f64> {
        layout.places().map(|place| self.numeric[place]).collect()
    }

    fn rearranged(&self) -> Option<Cause> {
        let straight = Layout::contiguous(self.shape);
        if self.shape.rank() <= 4 {
            let orders = orders(self.shape.rank());
            if let Some(order) = orders.into_iter().find(|order| self.is(&self.through(straight.permute(order)))) {
                return Some(Cause::Transposed(order));
            }
        }
        let flip = |axis: usize| straight.slice(axis, self.shape[axis].max(1) - 1, self.shape[axis], -1);
        (0..self.shape.rank()).find(|&axis| self.is(&self.through(flip(axis)))).map(Cause::Reversed)
    }

    fn shifted(&self) -> Option<Cause> {
        let scale = greatest(self.numeric);
        let straight = Layout::contiguous(self.shape);
        let along = |axis: usize, from: usize, len: usize| -> Vec<usize> {
            straight.slice(axis, from, len, 1).places().collect()
        };
        (0..self.shape.rank())
            .find(|&axis| {
                let n = self.shape[axis];
                if n < 4 {
                    return false;
                }
                let (early, late) = (along(axis, 0, n - 1), along(axis, 1, n - 1));
                let fits = |a: &[usize], b: &[usize]| {
                    a.iter().zip(b).all(|(&a, &b)| same(self.analytic[a], self.numeric[b], scale))
                };
                fits(&early, &late) || fits(&late, &early)
            })
            .map(Cause::Shifted)
    }

    fn power(&self) -> Option<Cause> {
        let fits = |p: &i32| {
            let powered: Vec<f64> = self.numeric.iter().zip(self.x).map(|(n, x)| n * x.powi(-p)).collect();
            self.numeric.len() > 2 && self.is(&powered)
        };
        [1, -1, 2, -2].into_iter().find(fits).map(Cause::Power)
    }

    /// The elements that differ.
    fn wrong(&self) -> Vec<usize> {
        let scale = greatest(self.numeric);
        (0..self.numeric.len()).filter(|&i| !same(self.analytic[i], self.numeric[i], scale)).collect()
    }

    fn masked(&self) -> Option<Cause> {
        let (wrong, scale) = (self.wrong(), greatest(self.numeric).max(greatest(self.analytic)));
        if wrong.is_empty() || wrong.len() == self.numeric.len() {
            return None;
        }
        let none = |of: &[f64]| wrong.iter().all(|&i| of[i].abs() <= 1e-9 * scale);
        match (none(self.analytic), none(self.numeric)) {
            (true, _) => Some(Cause::MaskTooWide),
            (_, true) => Some(Cause::MaskTooNarrow),
            _ => None,
        }
    }

    fn border(&self) -> Option<Cause> {
        let wrong = self.wrong();
        let straight = Layout::contiguous(self.shape);
        let at_border = |axis: usize| {
            let (n, stride) = (self.shape[axis], straight.strides()[axis] as usize);
            let at = |i: usize| i / stride % n;
            n > 2 && (wrong.iter().all(|&i| at(i) == 0) || wrong.iter().all(|&i| at(i) == n - 1))
        };
        if wrong.is_empty() { None } else { (0..self.shape.rank()).find(|&axis| at_border(axis)).map(Cause::Border) }
    }

    fn missing(&self) -> Option<Cause> {
        let missing: Vec<f64> = self.numeric.iter().zip(self.analytic).map(|(n, a)| n - a).collect();
        let scale = greatest(&missing);
        let straight = Layout::contiguous(self.shape);
        let constant = |axis: usize| {
            let first = straight.slice(axis, 0, 1, 1).expand(self.shape).expect("an axis of 1 stretches");
            straight.places().zip(first.places()).all(|(i, j)| same(missing[i], missing[j], 100.0 * scale))
        };
        (0..self.shape.rank()).find(|&axis| self.shape[axis] > 1 && constant(axis)).map(Cause::MissingAlong)
    }
}

/// The orders of `rank` axes, without the usual one.
fn orders(rank: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![vec![]];
    for _ in 0..rank {
        let longer = |order: &Vec<usize>| {
            let left = (0..rank).filter(|axis| !order.contains(axis)).collect::<Vec<_>>();
            left.into_iter().map(|axis| [order.clone(), vec![axis]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all.retain(|order| !order.is_sorted());
    all
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Cause::NotFinite => write!(f, "the rule gives NaN or ∞ where the function is smooth: a 0/0 or an overflow"),
            Cause::OutsideDomain => {
                write!(f, "the function is not finite around the point: choose inputs inside its domain")
            }
            Cause::Kink => {
                write!(f, "the function has a kink or a jump at the point: choose inputs 1e-2 away from it")
            }
            Cause::Cut => write!(f, "no gradient arrives: the graph is cut (detach, no_grad), or a mask is inverted"),
            Cause::Sign => write!(f, "the sign: the gradient is the negative of the right one"),
            Cause::Factor(c, what) if c.abs() < 1.0 => {
                write!(f, "a factor: the gradient is {} times too small{what}", Plain(1.0 / c))
            }
            Cause::Factor(c, what) => write!(f, "a factor: the gradient is {} times too large{what}", Plain(*c)),
            Cause::Exchanged(i) => write!(f, "the gradients of two inputs are exchanged: this is the one of input {i}"),
            Cause::Transposed(order) => {
                write!(f, "a transposed argument: the gradient is right with its axes in the order {order:?}")
            }
            Cause::Reversed(axis) => write!(f, "the gradient is reversed along axis {axis}"),
            Cause::Shifted(axis) => write!(f, "off by one: the gradient is shifted along axis {axis}"),
            Cause::Power(p) if *p > 0 => write!(f, "a factor x{} is missing", Exponent(*p)),
            Cause::Power(p) => write!(f, "a factor x{} too much", Exponent(-p)),
            Cause::MissingAlong(axis) => {
                write!(f, "a missing term that is the same along axis {axis}, such as a sum or mean over it")
            }
            Cause::Border(axis) => {
                write!(f, "only the border of axis {axis} is wrong: a window or range off by one, or padding")
            }
            Cause::MaskTooWide => write!(f, "a mask: the gradient is 0 where it should not be, right elsewhere"),
            Cause::MaskTooNarrow => write!(f, "a mask: the gradient should be 0 in places where it is not"),
            Cause::Unknown => write!(f, "no simple pattern fits: a term is missing or wrong"),
        }
    }
}

/// A factor without the noise of the differences.
struct Plain(f64);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let near = self.0.round();
        if (self.0 - near).abs() < 1e-3 * near.abs() { write!(f, "{near}") } else { write!(f, "{:.4}", self.0) }
    }
}

/// A power, unwritten if 1.
struct Exponent(i32);

impl fmt::Display for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0 == 1 { Ok(()) } else { write!(f, "^{}", self.0) }
    }
}

#[cfg(test)]
#[path = "cause/tests.rs"]
mod tests;
