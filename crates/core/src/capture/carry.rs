//! [`Carry`]: what a captured step changes, and the [`Ledger`] that keeps track of it.

use crate::Tensor;
use crate::device::{Device, Storage};
use cotangent_base::{Layout, Rng};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What a step of a [`Capture`](super::Capture) finds and leaves changed: tensors that it writes over, generators of random
/// numbers, optimizers, models, and tuples, lists and options of these.
pub trait Carry {
    /// Hands its parts to the ledger, at each call the same ones in the same order.
    fn carry(&mut self, ledger: &mut Ledger);
}

/// The parts of what is carried.
#[derive(Default)]
pub struct Ledger {
    pub(super) tensors: Vec<Place>,
    pub(super) generators: Vec<Rng>,
    pub(super) settings: Vec<u64>,
    pub(super) refused: Option<&'static str>,
    /// How many streams each generator gives in a step that a record does in its place.
    pub(super) drawn: Option<Vec<u64>>,
}

/// Where a tensor is.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Place {
    memory: *const Storage,
    layout: Layout,
    pub device: Device,
    pub sole: bool,
}

impl Ledger {
    /// A tensor.
    pub fn tensor(&mut self, x: &mut Tensor) {
        if self.drawn.is_none() {
            let (memory, device, sole) = (Arc::as_ptr(&x.storage), x.device(), x.is_sole());
            self.tensors.push(Place { memory, layout: x.layout, device, sole });
        }
    }

    /// A generator of random numbers.
    pub fn generator(&mut self, rng: &mut Rng) {
        if let Some(drawn) = &self.drawn {
            rng.next += drawn[self.generators.len()];
        }
        self.generators.push(*rng);
    }

    /// Whatever must be the same for the step to be the same: if it is not, the step is recorded anew.
    pub fn setting(&mut self, setting: impl Hash) {
        let mut hasher = DefaultHasher::new();
        setting.hash(&mut hasher);
        self.settings.push(hasher.finish());
    }

    /// Says that there is something here which no record can do.
    pub fn refuse(&mut self, why: &'static str) {
        self.refused = Some(why);
    }

    /// Whether a record is about to be run: then what the step changes on the host is to be changed here.
    pub fn replays(&self) -> bool {
        self.drawn.is_some()
    }
}

impl Carry for Tensor {
    fn carry(&mut self, ledger: &mut Ledger) {
        ledger.tensor(self);
    }
}

impl Carry for Rng {
    fn carry(&mut self, ledger: &mut Ledger) {
        ledger.generator(self);
    }
}

impl Carry for () {
    fn carry(&mut self, _: &mut Ledger) {}
}

impl<C: Carry + ?Sized> Carry for &mut C {
    fn carry(&mut self, ledger: &mut Ledger) {
        (**self).carry(ledger);
    }
}

impl<C: Carry + ?Sized> Carry for Box<C> {
    fn carry(&mut self, ledger: &mut Ledger) {
        (**self).carry(ledger);
    }
}

/// Its length is part of it.
impl<C: Carry> Carry for [C] {
    fn carry(&mut self, ledger: &mut Ledger) {
        ledger.setting(self.len());
        self.iter_mut().for_each(|part| part.carry(ledger));
    }
}

impl<C: Carry> Carry for Vec<C> {
    fn carry(&mut self, ledger: &mut Ledger) {
        self.as_mut_slice().carry(ledger);
    }
}

impl<C: Carry, const N: usize> Carry for [C; N] {
    fn carry(&mut self, ledger: &mut Ledger) {
        self.as_mut_slice().carry(ledger);
    }
}

impl<C: Carry> Carry for Option<C> {
    fn carry(&mut self, ledger: &mut Ledger) {
        self.as_mut_slice().carry(ledger);
    }
}

macro_rules! tuples {
    ($($($part:ident)+;)+) => {$(
        impl<$($part: Carry),+> Carry for ($($part,)+) {
            #[allow(non_snake_case, reason = "a part is named as its type")]
            fn carry(&mut self, ledger: &mut Ledger) {
                let ($($part,)+) = self;
                $($part.carry(ledger);)+
            }
        }
    )+};
}
tuples! { A; A B; A B C; A B C D; A B C D E; A B C D E F; }
