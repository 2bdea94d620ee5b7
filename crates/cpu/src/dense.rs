//! [`Dense`]: a view's elements as one slice, copied only if they do not lie so already.

use crate::{Buffer, memory};
use cotangent_base::{Element, View};
use std::marker::PhantomData;
use std::ops::Deref;

/// The elements of a view in row-major order without gaps.
pub(crate) enum Dense<'a, T> {
    /// They lie so in the view's buffer.
    Here(&'a [T]),
    /// A copy.
    Copied(Buffer, PhantomData<T>),
}

/// The elements of `x`, copied if the layout has gaps or another order.
pub(crate) fn dense<T: Element>(x: View<'_, Buffer>) -> Dense<'_, T> {
    if !x.layout.is_contiguous() {
        return Dense::Copied(memory::copy(x), PhantomData);
    }
    match x.shape().count() {
        0 => Dense::Here(&[]),
        count => Dense::Here(&x.buffer.as_slice()[x.layout.offset..][..count]),
    }
}

/// The buffer of `x`, if it holds these elements in their order and no others.
pub(crate) fn whole(x: View<'_, Buffer>) -> Option<&Buffer> {
    (x.layout.is_contiguous() && x.shape().count() == x.buffer.len()).then_some(x.buffer)
}

impl<T: Element> Deref for Dense<'_, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        match self {
            Dense::Here(slice) => slice,
            Dense::Copied(buffer, _) => buffer.as_slice(),
        }
    }
}
