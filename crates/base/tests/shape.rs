//! A shape is its sizes, however it was made.

use cotangent_base::{Axes, Shape};

#[test]
fn shapes_of_equal_sizes_are_equal() {
    let long = Shape::from([2, 3, 4, 5, 6, 7]);
    let ways = [
        long.without(5).without(4).without(2).without(0),
        Axes::from_iter([0, 2, 4, 5]).reduce(&long, false),
        Shape::from([5]).inserted(0, 3),
        Shape::from([3]).inserted(1, 5),
        Shape::from([9, 5]).with(0, 3),
        Shape::from([3, 1]).broadcast(&Shape::from([5])).expect("they broadcast"),
    ];
    for shape in ways {
        assert_eq!(shape, Shape::from([3, 5]));
        assert_eq!((shape.rank(), shape.count()), (2, 15));
    }
    assert_eq!(Axes::from_iter([1]).reduce(&Shape::from([3, 5]), true), Shape::from([3, 1]));
    assert_ne!(Shape::from([3]), Shape::from([3, 1]));
}

#[test]
#[should_panic(expected = "7 axes in [2, 1, 2, 2, 2, 2, 2]: at most 6")]
fn a_seventh_axis_is_refused() {
    let _ = Shape::from([2; 6]).inserted(1, 1);
}
