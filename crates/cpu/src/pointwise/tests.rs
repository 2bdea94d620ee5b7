use super::*;
use crate::simd::WIDEST;
use crate::{cases, naive};
use cotangent_base::{Element, Float, Layout, Shape};

#[derive(Clone, Copy)]
struct Affine;
impl Map<3> for Affine {
    #[inline(always)]
    fn eval<L: Lane>(self, [a, b, c]: [L; 3]) -> L {
        (a - b).max(c) * L::splat(0.5)
    }
}

/// The same with no SIMD.
#[derive(Clone, Copy)]
struct SlowAffine;
impl Map<3> for SlowAffine {
    const FAST: bool = false;
    #[inline(always)]
    fn eval<L: Lane>(self, x: [L; 3]) -> L {
        Affine.eval(x)
    }
}

/// The layouts of the operands of one map: all kinds for one of them, all of one shape.
fn operands() -> Vec<[Layout; 3]> {
    let constant = Layout::contiguous(Shape::SCALAR);
    let each = |layout: Layout| {
        let plain = Layout::contiguous(layout.shape);
        let constant = constant.expand(layout.shape).expect("a scalar fits");
        [[layout, plain, constant], [plain, layout, layout], [layout; 3]]
    };
    cases::every_layout().into_iter().flat_map(each).collect()
}

fn maps_agree<T: Float>() {
    for layouts in operands() {
        let buffers: [Buffer; 3] = std::array::from_fn(|k| cases::some_numbers::<T>(&layouts[k], k));
        let x = std::array::from_fn(|k| View { buffer: &buffers[k], layout: layouts[k] });
        let want = naive::pointwise::map::<T, 3, _>(Affine, x);
        assert_eq!(map(Affine, x).as_slice::<T>(), want, "{layouts:?}");
        assert_eq!(map(SlowAffine, x).as_slice::<T>(), want, "{layouts:?}");
    }
}

#[test]
fn maps_agree_with_the_specification() {
    maps_agree::<f32>();
    maps_agree::<f64>();
}

fn maps_over_agree<T: Float>() {
    let sizes = [0, 1, 15, 16, 17, 100, 1024, 1040, 100_003].map(|count| [Layout::contiguous([count].into()); 3]);
    for layouts in operands().into_iter().chain(sizes) {
        let flat = Layout::contiguous(layouts[0].shape);
        let buffers: [Buffer; 3] = std::array::from_fn(|k| cases::some_numbers::<T>(&layouts[k], k));
        let before = cases::some_numbers::<T>(&flat, 3);
        for held in 0..3 {
            let view = |k: usize| (k != held).then(|| View { buffer: &buffers[k], layout: layouts[k] });
            let x: [_; 3] = std::array::from_fn(view);
            let all = x.map(|x| x.unwrap_or(View { buffer: &before, layout: flat }));
            let want = naive::pointwise::map::<T, 3, _>(Affine, all);
            let [mut fast, mut slow] = [(); 2].map(|()| Buffer::from_slice(before.as_slice::<T>()));
            map_over(Affine, x, &mut fast, flat.shape);
            map_over(SlowAffine, x, &mut slow, flat.shape);
            assert_eq!(fast.as_slice::<T>(), want, "{layouts:?} over operand {held}");
            assert_eq!(slow.as_slice::<T>(), want, "{layouts:?} over operand {held}");
        }
    }
}

#[test]
fn maps_in_the_memory_of_an_operand_agree_with_the_specification() {
    maps_over_agree::<f32>();
    maps_over_agree::<f64>();
}

#[test]
fn every_level_computes_every_element_once() {
    use crate::simd::{Level, run_at};
    for level in Level::available() {
        for len in [16, 17, 31, 33, 1000] {
            let [a, b] = [3, 5].map(|salt| (0..len).map(|i| (i * salt % 17) as f32).collect::<Vec<_>>());
            let constant = [-2.0; WIDEST];
            let x = [(&a[..], 1), (&b[..], 1), (&constant[..], 0)];
            let mut out = vec![f32::NAN; len + 1];
            let [a, b, c] = x.map(|(x, step)| Operand { from: x.as_ptr().cast(), step });
            let operands: [Operand; OPERANDS] = [a, b, c, c];
            run_at::<f32, _>(level, Mapped::<3, _> { op: Affine, x: &operands, out: out.as_mut_ptr().cast(), len });
            let want = (0..len).map(|i| Affine.eval([x[0].0[i], x[1].0[i], -2.0]));
            assert!(want.eq(out[..len].iter().copied()) && out[len].is_nan(), "{level:?} {len}");
        }
    }
}

/// A rule like an optimizer's with momentum.
#[derive(Clone, Copy)]
struct Rule;
impl Update<2> for Rule {
    #[inline(always)]
    fn step<L: Lane>(self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let m = m * L::splat(0.5) + g;
        (p - m, [m, v.max(g.abs())])
    }
}

fn updates_agree<T: Float>() {
    for layout in cases::every_layout() {
        let flat = Layout::contiguous([layout.shape.count()].into());
        let g = cases::some_numbers::<T>(&layout, 0);
        let g = View { buffer: &g, layout };
        let mut p = cases::some_numbers::<T>(&flat, 1);
        let [mut m, mut v] = [2, 3].map(|salt| cases::some_numbers::<T>(&flat, salt));
        let mut want = p.as_slice::<T>().to_vec();
        let mut state = [m.as_slice::<T>().to_vec(), v.as_slice::<T>().to_vec()];
        for _ in 0..2 {
            update(Rule, &mut p, g, [&mut m, &mut v]);
            naive::pointwise::update(Rule, &mut want, g, &mut state);
        }
        assert_eq!(p.as_slice::<T>(), want, "{layout:?}");
        assert_eq!([m.as_slice::<T>(), v.as_slice::<T>()], [&state[0][..], &state[1][..]], "{layout:?}");
        accumulate(&mut p, g);
        naive::pointwise::update(Accumulate, &mut want, g, &mut []);
        assert_eq!(p.as_slice::<T>(), want, "{layout:?}");
    }
}

#[test]
fn updates_agree_with_the_specification() {
    updates_agree::<f32>();
    updates_agree::<f64>();
}

#[test]
fn state_that_fades_becomes_zero() {
    let [mut p, zero] = [1.0, 0.0].map(|x| Buffer::from_slice(&[x as f32; 20]));
    let g = View { buffer: &zero, layout: Layout::contiguous([20].into()) };
    let [mut m, mut v] = [3.0 * f32::MIN_POSITIVE, -f32::MIN_POSITIVE].map(|x| Buffer::from_slice(&[x; 20]));
    for fading in [1.5 * f32::MIN_POSITIVE, 0.0, 0.0] {
        update(Rule, &mut p, g, [&mut m, &mut v]);
        assert_eq!(m.as_slice::<f32>(), [fading; 20]);
    }
    let mut ends = [f32::NAN, f32::INFINITY, 2.0 * f32::MIN_POSITIVE].map(|x| Buffer::from_slice(&[x; 20]));
    ends.iter_mut().for_each(|m| update(Rule, &mut p, g, [m, &mut v]));
    assert!(ends[0].as_slice::<f32>().iter().all(|m| m.is_nan()));
    assert_eq!(ends[1].as_slice::<f32>(), [f32::INFINITY; 20]);
    assert_eq!(ends[2].as_slice::<f32>(), [f32::MIN_POSITIVE; 20]);
}

#[test]
#[should_panic(expected = "[map] is for floats, not for u8")]
fn a_map_over_integers_is_refused() {
    let x = Buffer::from_slice(&[u8::from_f64(1.0)]);
    let view = View { buffer: &x, layout: Layout::contiguous([1].into()) };
    map(Affine, [view; 3]);
}
