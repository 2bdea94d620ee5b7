use super::*;
use crate::dispatch::for_dtype;
use crate::{cases, naive};
use cotangent_base::Shape;

#[test]
fn copies_and_downloads_are_in_row_major_order() {
    for layout in cases::every_layout() {
        for dtype in DType::ALL {
            for_dtype!(dtype, T => {
                let buffer = cases::some_numbers::<T>(&layout, 1);
                let x = View { buffer: &buffer, layout };
                let want = naive::elements::<T>(x);
                assert_eq!(copy(x).as_slice::<T>(), want, "{layout:?}");
                assert_eq!(download::<T>(x), want, "{layout:?}");
            });
        }
    }
}

#[test]
fn large_transposes_use_every_tile() {
    let full = Layout::contiguous(Shape::from([3, 70, 5, 67]));
    let flipped = full.slice(3, 66, 67, -1);
    let large = Layout::contiguous(Shape::from([1, 259, 1, 600]));
    for layout in [full, flipped, large] {
        for order in [[0, 3, 1, 2], [3, 2, 1, 0], [3, 0, 1, 2], [1, 3, 0, 2], [0, 1, 3, 2]] {
            let layout = layout.permute(&order);
            let buffer = cases::some_numbers::<f32>(&layout, 0);
            let x = View { buffer: &buffer, layout };
            assert_eq!(copy(x).as_slice::<f32>(), naive::elements::<f32>(x), "{layout:?}");
        }
    }
}

#[test]
fn assignments_write_their_places_and_no_other() {
    for places in cases::every_layout() {
        let mut out = Buffer::from_slice(&vec![0.5f32; places.end() + 3]);
        let mut want = vec![0.5f32; places.end() + 3];
        for layout in
            [Layout::contiguous(places.shape), Layout::contiguous(Shape::SCALAR).expand(places.shape).unwrap()]
        {
            let buffer = cases::some_numbers::<f32>(&layout, 2);
            let x = View { buffer: &buffer, layout };
            assign(&mut out, places, x);
            naive::pointwise::assign(&mut want, places, x);
            assert_eq!(out.as_slice::<f32>(), want, "{places:?}");
        }
    }
}

#[test]
fn casts_go_as_rusts_as() {
    for layout in cases::every_layout().into_iter().filter(|l| l.shape.count() < 5000) {
        for from in DType::ALL {
            for to in DType::ALL {
                for_dtype!(from, S => for_dtype!(to, D => {
                    let buffer = cases::some_numbers::<S>(&layout, 3);
                    let x = View { buffer: &buffer, layout };
                    assert_eq!(cast(x, to).as_slice::<D>(), naive::pointwise::cast::<S, D>(x), "{from} to {to}");
                }));
            }
        }
    }
    let view = |buffer| View { buffer, layout: Layout::contiguous([4].into()) };
    let floats = Buffer::from_slice(&[f32::NAN, -3.9, 300.7, 1e20]);
    assert_eq!(cast(view(&floats), DType::U8).as_slice::<u8>(), [0, 0, 255, 255]);
    assert_eq!(cast(view(&floats), DType::I64).as_slice::<i64>(), [0, -3, 300, i64::MAX]);
    assert_eq!(cast(view(&floats), DType::Bool).as_slice::<bool>(), [true; 4]);
    // 2⁵³ + 1 is a tie of f64: on the way through it to f32 the result would be rounded twice
    let long = Buffer::from_slice(&[(1i64 << 53) + 1, -1, 1 << 32, (1 << 60) + (1 << 36) + 1]);
    assert_eq!(cast(view(&long), DType::U32).as_slice::<u32>(), [1, u32::MAX, 0, 1]);
    assert_eq!(cast(view(&long), DType::F32).as_slice::<f32>()[3], ((1i64 << 60) + (1 << 36) + 1) as f32);
}

#[test]
fn fills_and_ranges_have_each_dtype() {
    for count in [0, 1, 1000, 70_000] {
        assert_eq!(fill(DType::F32, count, -1.5).as_slice::<f32>(), vec![-1.5; count]);
        assert_eq!(fill(DType::U8, count, 300.0).as_slice::<u8>(), vec![255; count]);
        assert_eq!(fill(DType::Bool, count, 2.0).as_slice::<bool>(), vec![true; count]);
        let want: Vec<i64> = (0..count as i64).map(|i| 5 - 3 * i).collect();
        assert_eq!(arange(DType::I64, count, 5.0, -3.0).as_slice::<i64>(), want);
    }
    assert_eq!(upload(&[1u32, 2]).as_slice::<u32>(), [1, 2]);
}
