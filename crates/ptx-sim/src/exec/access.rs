//! Loads and stores.

use std::sync::atomic::Ordering::Relaxed;

use super::Checked;
use super::block::Block;
use super::lane::{File, Wides, Words, lanes_of};
use super::warp::Warp;
use crate::ins::Ins;
use crate::memory::{POISON, Region};
use crate::race::Touch;
use crate::types::{Class, Space, Type};

/// The value as it lies in a register: signed ones extended.
#[inline(always)]
fn extended(ty: Type, bits: u64) -> u64 {
    match ty {
        Type::S8 => bits as i8 as u32 as u64,
        Type::S16 => bits as i16 as u32 as u64,
        _ => bits,
    }
}

impl Warp {
    #[inline(always)]
    fn set(&mut self, register: u16, lane: usize, class: Class, value: u64) {
        match class {
            Class::Wide => self.wides[usize::from(register)][lane] = value,
            _ => self.words[usize::from(register)][lane] = value as u32,
        }
    }

    #[inline(always)]
    fn value(&self, register: u16, lane: usize, class: Class) -> u64 {
        match class {
            Class::Wide => self.wides[usize::from(register)][lane],
            _ => self.words[usize::from(register)][lane].into(),
        }
    }
}

impl Block<'_> {
    pub fn load_param(&mut self, warp: &mut Warp, ins: &Ins, active: u32, ty: Type, lanes: u8) {
        let size = ty.size();
        for element in 0..usize::from(lanes) {
            let at = ins.imm as usize + element * size;
            let mut bytes = [0; 8];
            // Beyond the last parameter there is padding.
            let data = self.launch.params.get(at..at + size).unwrap_or(&[]);
            bytes[..data.len()].copy_from_slice(data);
            let value = extended(ty, u64::from_le_bytes(bytes));
            match ty.class() {
                Class::Wide => warp.put(ins.regs[element], [value; 32], active),
                _ => warp.put(ins.regs[element], [value as u32; 32], active),
            }
        }
    }

    #[inline(never)]
    #[allow(clippy::too_many_arguments)]
    pub fn load(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        active: u32,
        space: Space,
        ty: Type,
        lanes: u8,
        base: Class,
    ) -> Checked {
        let addresses = self.addresses(warp, ins.regs[usize::from(lanes)], base, ins.imm);
        if space != Space::Generic {
            return self.load_from(warp, ins, active, space, ty, lanes, &addresses);
        }
        for (space, active, addresses) in Self::spaces(&addresses, active) {
            if active != 0 {
                self.load_from(warp, ins, active, space, ty, lanes, &addresses)?;
            }
        }
        Ok(())
    }

    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn load_from(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        active: u32,
        space: Space,
        ty: Type,
        lanes: u8,
        addresses: &Wides,
    ) -> Checked {
        let (size, class, lanes) = (ty.size(), ty.class(), usize::from(lanes));
        let bytes = size * lanes;
        let check = self.options.check_unwritten;
        match space {
            Space::Global | Space::Generic => {
                if lanes == 1 && size == 4 && in_a_row(addresses, active) {
                    return self.load_row(warp, ins, addresses);
                }
                self.count_global(addresses, active, bytes);
                for lane in lanes_of(active) {
                    self.aligned(warp.id, ins, lane, addresses[lane], bytes)?;
                    let (region, at) = self.region(warp.id, ins, lane, addresses[lane], bytes)?;
                    if check && !region.is_written(at, bytes) {
                        return Err(self.unwritten(warp.id, ins, lane, "global", addresses[lane], bytes));
                    }
                    for element in 0..lanes {
                        let value = global_value(region, at + element * size, size, check);
                        warp.set(ins.regs[element], lane, class, extended(ty, value));
                    }
                }
            }
            Space::Shared => {
                self.count_shared(addresses, active, bytes);
                match (size, lanes) {
                    (4, 1) => return self.load_words::<1>(warp, ins, active, addresses),
                    (4, 2) => return self.load_words::<2>(warp, ins, active, addresses),
                    (4, 4) => return self.load_words::<4>(warp, ins, active, addresses),
                    _ => {}
                }
                for lane in lanes_of(active) {
                    let at = self.in_shared(warp.id, ins, lane, addresses[lane], bytes)?;
                    self.touch(warp.id, ins, lane, at, bytes, Touch::Read)?;
                    for element in 0..lanes {
                        let value = self.shared.load(at + element * size, size);
                        warp.set(ins.regs[element], lane, class, extended(ty, value));
                    }
                }
            }
            Space::Local => {
                for lane in lanes_of(active) {
                    self.aligned(warp.id, ins, lane, addresses[lane], bytes)?;
                    let at = self.in_local(warp, ins, lane, addresses[lane], bytes)?;
                    if check && !warp.local[lane].is_written(at, bytes) {
                        return Err(self.unwritten(warp.id, ins, lane, "local", addresses[lane], bytes));
                    }
                    for element in 0..lanes {
                        let value = warp.local[lane].load(at + element * size, size);
                        warp.set(ins.regs[element], lane, class, extended(ty, value));
                    }
                }
            }
            Space::Param => {
                for lane in lanes_of(active) {
                    let single = Ins { imm: addresses[lane] as i64, ..ins.clone() };
                    self.load_param(warp, &single, 1 << lane, ty, lanes as u8);
                }
            }
        }
        Ok(())
    }

    /// `N` words of shared memory for each lane, the most frequent requests there.
    fn load_words<const N: usize>(&mut self, warp: &mut Warp, ins: &Ins, active: u32, addresses: &Wides) -> Checked {
        let (mut result, mut seen, mut words) = ([[0; 32]; N], u64::MAX, [0; N]);
        for lane in lanes_of(active) {
            // Neighbours often read the same, which needs no second look.
            if addresses[lane] != seen {
                let at = self.in_shared(warp.id, ins, lane, addresses[lane], 4 * N)?;
                self.touch(warp.id, ins, lane, at, 4 * N, Touch::Read)?;
                (seen, words) = (addresses[lane], self.shared.words::<N>(at));
            }
            for (lanes, word) in result.iter_mut().zip(words) {
                lanes[lane] = word;
            }
        }
        for (element, lanes) in result.into_iter().enumerate() {
            warp.put(ins.regs[element], lanes, active);
        }
        Ok(())
    }

    /// Neighbouring words for a whole warp, the most frequent request to global memory.
    fn load_row(&mut self, warp: &mut Warp, ins: &Ins, addresses: &Wides) -> Checked {
        self.counts.global_requests += 1;
        self.counts.global_sectors += (addresses[0] % 32 + 128).div_ceil(32);
        self.aligned(warp.id, ins, 0, addresses[0], 4)?;
        let Ok((region, at)) = self.region(warp.id, ins, 0, addresses[0], 128) else {
            return self.first_outside(warp, ins, addresses);
        };
        if self.options.check_unwritten && !region.is_written(at, 128) {
            let lane = (0..32).find(|lane| !region.is_written(at + 4 * lane, 4)).unwrap_or(0);
            return Err(self.unwritten(warp.id, ins, lane, "global", addresses[lane], 4));
        }
        let masks = region.masks(at / 4, 32);
        let slot = &mut warp.words[usize::from(ins.regs[0])];
        for (lane, word) in region.words(at / 4, 32).iter().enumerate() {
            slot[lane] = if masks[lane].load(Relaxed) == 0 { POISON } else { word.load(Relaxed) };
        }
        Ok(())
    }

    /// Names the first lane of a row whose word lies outside.
    #[cold]
    fn first_outside(&mut self, warp: &Warp, ins: &Ins, addresses: &Wides) -> Checked {
        (0..32).try_for_each(|lane| self.region(warp.id, ins, lane, addresses[lane], 4).map(|_| ()))
    }

    #[inline(never)]
    #[allow(clippy::too_many_arguments)]
    pub fn store(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        active: u32,
        space: Space,
        ty: Type,
        lanes: u8,
        base: Class,
    ) -> Checked {
        let addresses = self.addresses(warp, ins.regs[0], base, ins.imm);
        if space != Space::Generic {
            return self.store_to(warp, ins, active, space, ty, lanes, &addresses);
        }
        for (space, active, addresses) in Self::spaces(&addresses, active) {
            if active != 0 {
                self.store_to(warp, ins, active, space, ty, lanes, &addresses)?;
            }
        }
        Ok(())
    }

    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn store_to(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        active: u32,
        space: Space,
        ty: Type,
        lanes: u8,
        addresses: &Wides,
    ) -> Checked {
        let (size, class, lanes) = (ty.size(), ty.class(), usize::from(lanes));
        let bytes = size * lanes;
        match space {
            Space::Shared => {
                self.count_shared(addresses, active, bytes);
                for lane in lanes_of(active) {
                    let at = self.in_shared(warp.id, ins, lane, addresses[lane], bytes)?;
                    self.touch(warp.id, ins, lane, at, bytes, Touch::Write)?;
                    for element in 0..lanes {
                        let value = warp.value(ins.regs[1 + element], lane, class);
                        self.shared.store(at + element * size, size, value);
                    }
                }
            }
            Space::Local => {
                for lane in lanes_of(active) {
                    self.aligned(warp.id, ins, lane, addresses[lane], bytes)?;
                    let at = self.in_local(warp, ins, lane, addresses[lane], bytes)?;
                    for element in 0..lanes {
                        let value = warp.value(ins.regs[1 + element], lane, class);
                        warp.local[lane].store(at + element * size, size, value);
                    }
                }
            }
            _ => {
                if lanes == 1 && size == 4 && in_a_row(addresses, active) {
                    return self.store_row(warp, ins, addresses);
                }
                self.count_global(addresses, active, bytes);
                for lane in lanes_of(active) {
                    self.aligned(warp.id, ins, lane, addresses[lane], bytes)?;
                    let (region, at) = self.region(warp.id, ins, lane, addresses[lane], bytes)?;
                    for element in 0..lanes {
                        let value = warp.value(ins.regs[1 + element], lane, class);
                        set_global(region, at + element * size, size, value);
                    }
                }
            }
        }
        Ok(())
    }

    fn store_row(&mut self, warp: &Warp, ins: &Ins, addresses: &Wides) -> Checked {
        self.counts.global_requests += 1;
        self.counts.global_sectors += (addresses[0] % 32 + 128).div_ceil(32);
        self.aligned(warp.id, ins, 0, addresses[0], 4)?;
        let Ok((region, at)) = self.region(warp.id, ins, 0, addresses[0], 128) else {
            return self.first_outside(warp, ins, addresses);
        };
        let values: &Words = warp.read(ins.regs[1]);
        region.words(at / 4, 32).iter().zip(values).for_each(|(word, value)| word.store(*value, Relaxed));
        region.masks(at / 4, 32).iter().for_each(|mask| mask.store(0xF, Relaxed));
        Ok(())
    }
}

/// Whether all lanes access neighbouring words.
#[inline(always)]
fn in_a_row(addresses: &Wides, active: u32) -> bool {
    active == u32::MAX && (0..32).fold(true, |row, l| row & (addresses[l] == addresses[0].wrapping_add(4 * l as u64)))
}

/// 1, 2, 4 or 8 bytes; a NaN where nobody has written them, which need not be looked up if it is `checked`.
#[inline(always)]
pub fn global_value(region: &Region, at: usize, size: usize, checked: bool) -> u64 {
    if size == 8 {
        return global_value(region, at, 4, checked) | global_value(region, at + 4, 4, checked) << 32;
    }
    let value = if checked || region.is_written(at, size) { region.load(at, size) } else { POISON };
    u64::from(if size < 4 { value & ((1 << (8 * size)) - 1) } else { value })
}

#[inline(always)]
fn set_global(region: &Region, at: usize, size: usize, value: u64) {
    if size == 8 {
        region.store(at, 4, value as u32);
        region.store(at + 4, 4, (value >> 32) as u32);
    } else {
        region.store(at, size, value as u32);
    }
}
