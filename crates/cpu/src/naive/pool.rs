//! Pooling, window by window and tap by tap.

use cotangent_base::{Layout, PoolGeometry, Window};

/// For each element of y in row-major order: the places in x under its window, each with its tap.
fn windows(g: &PoolGeometry) -> Vec<Vec<(usize, usize)>> {
    let Window { h, w } = g.window;
    let x = Layout::contiguous(g.x_shape());
    let y = Layout::contiguous(g.y_shape());
    let mut all = vec![Vec::new(); g.y_shape().count()];
    let place = |l: &Layout, nhwc: [usize; 4]| -> usize {
        let at = g.format.shape(nhwc);
        at.iter().zip(l.strides()).map(|(&i, &s)| i * s as usize).sum()
    };
    for n in 0..g.batch {
        for oh in 0..h.output {
            for ow in 0..w.output {
                for c in 0..g.channels {
                    for kh in 0..h.kernel {
                        for kw in 0..w.kernel {
                            if let (Some(ih), Some(iw)) = (h.at(oh, kh), w.at(ow, kw)) {
                                let to = place(&y, [n, oh, ow, c]);
                                all[to].push((place(&x, [n, ih, iw, c]), kh * w.kernel + kw));
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

/// The greatest of each window and its tap.
#[inline]
pub fn max_pool2d(x: &[f64], g: &PoolGeometry) -> (Vec<f64>, Vec<usize>) {
    let best = |window: Vec<(usize, usize)>| {
        let mut best: Option<(f64, usize)> = None;
        for (place, tap) in window {
            let new = x[place];
            if best.is_none_or(|(old, _)| new > old || (new.is_nan() && !old.is_nan())) {
                best = Some((new, tap));
            }
        }
        best.unwrap_or((f64::NEG_INFINITY, 0))
    };
    windows(g).into_iter().map(best).unzip()
}

/// The cotangent of x under [`max_pool2d`].
#[inline]
pub fn max_pool2d_dx(dy: &[f64], taps: &[usize], g: &PoolGeometry) -> Vec<f64> {
    let mut dx = vec![0.0; g.x_shape().count()];
    for (i, window) in windows(g).into_iter().enumerate() {
        for (place, tap) in window {
            if tap == taps[i] {
                dx[place] += dy[i];
            }
        }
    }
    dx
}

/// How many taps a window's mean is over.
fn divisor(window: &[(usize, usize)], g: &PoolGeometry, count_padding: bool) -> f64 {
    if count_padding { (g.window.h.kernel * g.window.w.kernel) as f64 } else { window.len().max(1) as f64 }
}

/// The mean of each window.
#[inline]
pub fn avg_pool2d(x: &[f64], g: &PoolGeometry, count_padding: bool) -> Vec<f64> {
    let mean = |window: &Vec<(usize, usize)>| {
        window.iter().map(|&(place, _)| x[place]).sum::<f64>() / divisor(window, g, count_padding)
    };
    windows(g).iter().map(mean).collect()
}

/// The cotangent of x under [`avg_pool2d`].
#[inline]
pub fn avg_pool2d_dx(dy: &[f64], g: &PoolGeometry, count_padding: bool) -> Vec<f64> {
    let mut dx = vec![0.0; g.x_shape().count()];
    for (i, window) in windows(g).into_iter().enumerate() {
        for &(place, _) in &window {
            dx[place] += dy[i] / divisor(&window, g, count_padding);
        }
    }
    dx
}
