use super::*;
use crate::dispatch::for_dtype;
use crate::{cases, naive};

const OPS: [Compare; 6] = [Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge];

#[test]
fn comparisons_and_choices_agree_with_the_specification() {
    for layout in cases::every_layout() {
        for dtype in DType::ALL {
            for_dtype!(dtype, T => {
                let (a, b) = (cases::some_numbers::<T>(&layout, 0), cases::some_numbers::<T>(&layout, 1));
                let view = |buffer| View { buffer, layout };
                for op in OPS {
                    let got = compare(op, view(&a), view(&b));
                    assert_eq!(got.as_slice::<bool>(), naive::pointwise::compare::<T>(op, view(&a), view(&b)));
                }
                let mask = cases::some_numbers::<u8>(&layout, 0).as_slice::<u8>().iter().map(|&x| x > 3).collect::<Vec<_>>();
                let mask = Buffer::from_slice(&mask);
                let want = naive::pointwise::select::<T>(view(&mask), view(&a), view(&b));
                assert_eq!(select(view(&mask), view(&a), view(&b)).as_slice::<T>(), want);
            });
        }
    }
}

#[test]
fn nan_equals_nothing() {
    let (a, b) = (Buffer::from_slice(&[f64::NAN, 1.0]), Buffer::from_slice(&[f64::NAN, f64::NAN]));
    let view = |buffer| View { buffer, layout: cotangent_base::Layout::contiguous([2].into()) };
    for op in OPS {
        assert_eq!(compare(op, view(&a), view(&b)).as_slice::<bool>(), [op == Compare::Ne; 2]);
    }
}

#[test]
fn integer_maps_wrap_to_their_dtype() {
    let backwards = cotangent_base::Layout::contiguous([3].into()).slice(0, 2, 3, -1);
    let product = |a: Buffer, b: Buffer| {
        let [a, b] = [&a, &b].map(|buffer| View { buffer, layout: backwards });
        map_integers(IntegerOp::Mul, a, b)
    };
    let bytes = product(Buffer::from_slice(&[16u8, 2, 255]), Buffer::from_slice(&[16u8, 3, 255]));
    assert_eq!(bytes.as_slice::<u8>(), [1, 6, 0]);
    let words = product(Buffer::from_slice(&[1u32 << 31, 7, 0]), Buffer::from_slice(&[2u32, 3, 255]));
    assert_eq!(words.as_slice::<u32>(), [0, 21, 0]);
    let long = product(Buffer::from_slice(&[i64::MAX, -7, 1]), Buffer::from_slice(&[2i64, 3, 5]));
    assert_eq!(long.as_slice::<i64>(), [5, -21, -2]);
}
