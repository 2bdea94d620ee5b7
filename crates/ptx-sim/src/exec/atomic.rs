//! Atomics: a read, an operation and a write that nobody comes between.

use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

use super::Checked;
use super::access::global_value;
use super::block::Block;
use super::lane::lanes_of;
use super::warp::Warp;
use crate::ins::{AtomicOp, Ins};
use crate::race::Touch;
use crate::types::{Class, Space, Type};

/// Held while 8 bytes of global memory are changed, which are two words.
static WIDE: Mutex<()> = Mutex::new(());

/// The new value: of the old one, an operand, and for compare-and-swap the replacement.
#[inline(always)]
pub fn apply(op: AtomicOp, ty: Type, old: u64, b: u64, c: u64) -> u64 {
    let signed = |x: u64| if ty == Type::S32 { i64::from(x as i32) } else { x as i64 };
    match op {
        AtomicOp::Add => match ty {
            Type::F32 => (f32::from_bits(old as u32) + f32::from_bits(b as u32)).to_bits().into(),
            Type::F64 => (f64::from_bits(old) + f64::from_bits(b)).to_bits(),
            _ => old.wrapping_add(b),
        },
        AtomicOp::Min if ty.is_signed() => {
            if signed(b) < signed(old) {
                b
            } else {
                old
            }
        }
        AtomicOp::Max if ty.is_signed() => {
            if signed(b) > signed(old) {
                b
            } else {
                old
            }
        }
        AtomicOp::Min => old.min(b),
        AtomicOp::Max => old.max(b),
        AtomicOp::And => old & b,
        AtomicOp::Or => old | b,
        AtomicOp::Xor => old ^ b,
        AtomicOp::Exchange => b,
        AtomicOp::CompareAndSwap => {
            if old == b {
                c
            } else {
                old
            }
        }
        AtomicOp::Increment => {
            if old >= b {
                0
            } else {
                old + 1
            }
        }
        AtomicOp::Decrement => {
            if old == 0 || old > b {
                b
            } else {
                old - 1
            }
        }
    }
}

impl Block<'_> {
    #[inline(never)]
    #[allow(clippy::too_many_arguments)]
    pub fn atomic(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        active: u32,
        op: AtomicOp,
        space: Space,
        ty: Type,
        base: Class,
    ) -> Checked {
        let addresses = self.addresses(warp, ins.regs[1], base, ins.imm);
        let parts = match space {
            Space::Generic => Self::spaces(&addresses, active),
            _ => [(space, active, addresses), (space, 0, addresses), (space, 0, addresses)],
        };
        let (size, class) = (ty.size(), ty.class());
        for (space, active, addresses) in parts {
            match space {
                _ if active == 0 => continue,
                Space::Shared => self.count_shared(&addresses, active, size),
                Space::Local => {}
                _ => self.count_global(&addresses, active, size),
            }
            for lane in lanes_of(active) {
                let address = addresses[lane];
                self.aligned(warp.id, ins, lane, address, size)?;
                let operand = |i: usize| match class {
                    Class::Wide => warp.wides[usize::from(ins.regs[i])][lane],
                    _ => warp.words[usize::from(ins.regs[i])][lane].into(),
                };
                let (b, c) = (operand(2), if op == AtomicOp::CompareAndSwap { operand(3) } else { 0 });
                let f = |old| apply(op, ty, old, b, c);
                let old = match space {
                    Space::Shared => self.atomic_shared(warp.id, ins, lane, address, size, f)?,
                    Space::Local => {
                        let at = self.in_local(warp, ins, lane, address, size)?;
                        let old = warp.local[lane].load(at, size);
                        warp.local[lane].store(at, size, f(old));
                        old
                    }
                    _ => self.atomic_global(warp.id, ins, lane, address, size, f)?,
                };
                match class {
                    Class::Wide => warp.wides[usize::from(ins.regs[0])][lane] = old,
                    _ => warp.words[usize::from(ins.regs[0])][lane] = old as u32,
                }
            }
        }
        Ok(())
    }

    fn atomic_shared(
        &mut self,
        warp: u32,
        ins: &Ins,
        lane: usize,
        address: u64,
        size: usize,
        f: impl Fn(u64) -> u64,
    ) -> Checked<u64> {
        let at = self.in_shared(warp, ins, lane, address, size)?;
        self.touch(warp, ins, lane, at, size, Touch::Atomic)?;
        let old = self.shared.load(at, size);
        self.shared.store(at, size, f(old));
        Ok(old)
    }

    fn atomic_global(
        &mut self,
        warp: u32,
        ins: &Ins,
        lane: usize,
        address: u64,
        size: usize,
        f: impl Fn(u64) -> u64,
    ) -> Checked<u64> {
        let (region, at) = self.region(warp, ins, lane, address, size)?;
        if self.options.check_unwritten && !region.is_written(at, size) {
            return Err(self.unwritten(warp, ins, lane, "global", address, size));
        }
        if size == 4 {
            let old = region.word(at).fetch_update(Relaxed, Relaxed, |old| Some(f(old.into()) as u32));
            return Ok(old.expect("always some").into());
        }
        let _guard = WIDE.lock().expect("no holder panics");
        let old = global_value(region, at, 8, self.options.check_unwritten);
        let new = f(old);
        region.store(at, 4, new as u32);
        region.store(at + 4, 4, (new >> 32) as u32);
        Ok(old)
    }
}
