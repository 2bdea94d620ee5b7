//! Where lanes access memory, and whether they may.

use std::sync::Arc;

use super::Checked;
use super::block::Block;
use super::lane::{File, Wides, Words, lanes_of, mask_of};
use super::warp::Warp;
use crate::fault::FaultKind;
use crate::ins::Ins;
use crate::memory::{Region, lookup, nearest};
use crate::race::{Touch, Wrong};
use crate::types::{Class, LOCAL_WINDOW, SHARED_WINDOW, Space};

impl<'a> Block<'a> {
    /// The address of each lane: a register and an offset.
    #[inline(always)]
    pub fn addresses(&self, warp: &Warp, register: u16, base: Class, offset: i64) -> Wides {
        if base == Class::Wide {
            let base: &Wides = warp.read(register);
            base.map(|address| address.wrapping_add_signed(offset))
        } else {
            let base: &Words = warp.read(register);
            base.map(|address| u64::from(address).wrapping_add_signed(offset))
        }
    }

    /// Splits generic addresses by the space they are in: the lanes of each, and addresses within the space.
    pub fn spaces(addresses: &Wides, active: u32) -> [(Space, u32, Wides); 3] {
        let shared = active & mask_of(|l| addresses[l] & SHARED_WINDOW != 0);
        let local = active & !shared & mask_of(|l| addresses[l] & LOCAL_WINDOW != 0);
        let stripped = addresses.map(|address| address & !(SHARED_WINDOW | LOCAL_WINDOW));
        [
            (Space::Global, active & !shared & !local, *addresses),
            (Space::Shared, shared, stripped),
            (Space::Local, local, stripped),
        ]
    }

    pub fn cvta(&self, warp: &mut Warp, ins: &Ins, active: u32, space: Space, to: bool) {
        let window = match space {
            Space::Shared => SHARED_WINDOW,
            Space::Local => LOCAL_WINDOW,
            _ => 0,
        };
        warp.map1(ins, active, |address: u64| if to { address & !window } else { address | window });
    }

    pub fn is_space(&self, warp: &mut Warp, ins: &Ins, active: u32, space: Space) {
        let addresses: Wides = *warp.read(ins.regs[1]);
        let lanes = Self::spaces(&addresses, active).iter().find(|found| found.0 == space).map_or(0, |found| found.1);
        warp.put_predicate(ins.regs[0], lanes, active);
    }

    /// A fault if `address` is no multiple of `bytes`, a power of two.
    #[inline(always)]
    pub fn aligned(&self, warp: u32, ins: &Ins, lane: usize, address: u64, bytes: usize) -> Checked {
        if address & (bytes as u64 - 1) == 0 {
            return Ok(());
        }
        let message = format!("{bytes} bytes at {address:#x}, which is no multiple of {bytes}");
        Err(self.fault(FaultKind::Misaligned, ins, Some((warp, lane)), message))
    }

    /// The allocation that holds `bytes` bytes from `address` on, and the offset there.
    #[inline(always)]
    pub fn region(
        &mut self,
        warp: u32,
        ins: &Ins,
        lane: usize,
        address: u64,
        bytes: usize,
    ) -> Checked<(&'a Region, usize)> {
        match self.recent {
            Some(region) if region.holds(address, bytes) => Ok((region, (address - region.base()) as usize)),
            _ => self.look_up(warp, ins, lane, address, bytes),
        }
    }

    #[inline(never)]
    fn look_up(
        &mut self,
        warp: u32,
        ins: &Ins,
        lane: usize,
        address: u64,
        bytes: usize,
    ) -> Checked<(&'a Region, usize)> {
        let regions: &'a [Arc<Region>] = self.regions;
        if let Some(region) = lookup(regions, address, bytes) {
            self.recent = Some(region);
            return Ok((region, (address - region.base()) as usize));
        }
        let nearest = nearest(regions, address).map_or_else(|| "there is no allocation".to_owned(), |n| n.to_string());
        let message = format!("{bytes} bytes of global memory at {address:#x}: {nearest}");
        Err(self.fault(FaultKind::OutOfBounds, ins, Some((warp, lane)), message))
    }

    /// A fault if a lane's access to shared memory is misaligned or ends outside.
    #[inline(always)]
    pub fn in_shared(&self, warp: u32, ins: &Ins, lane: usize, address: u64, bytes: usize) -> Checked<usize> {
        self.aligned(warp, ins, lane, address, bytes)?;
        if self.shared.holds(address, bytes) {
            return Ok(address as usize);
        }
        let message =
            format!("{bytes} bytes of shared memory at {address:#x}; the block has {:#x}", self.shared.bytes());
        Err(self.fault(FaultKind::OutOfBounds, ins, Some((warp, lane)), message))
    }

    /// A fault if a lane's access to its local memory ends outside.
    pub fn in_local(&self, warp: &Warp, ins: &Ins, lane: usize, address: u64, bytes: usize) -> Checked<usize> {
        if warp.local.get(lane).is_some_and(|local| local.holds(address, bytes)) {
            return Ok(address as usize);
        }
        let has = self.kernel.local_bytes;
        let message = format!("{bytes} bytes of local memory at {address:#x}; a thread has {has:#x}");
        Err(self.fault(FaultKind::OutOfBounds, ins, Some((warp.id, lane)), message))
    }

    /// A fault if the access to shared memory races with another, or reads what nobody has written.
    #[inline(always)]
    pub fn touch(&mut self, warp: u32, ins: &Ins, lane: usize, at: usize, bytes: usize, touch: Touch) -> Checked {
        match self.races.touch(at as u64, bytes, warp, touch) {
            None => Ok(()),
            Some(wrong) => self.judge(warp, ins, lane, (at, bytes), wrong),
        }
    }

    /// The fault, unless its check is switched off.
    #[cold]
    pub fn judge(&self, warp: u32, ins: &Ins, lane: usize, (at, bytes): (usize, usize), wrong: Wrong) -> Checked {
        let other = match wrong {
            Wrong::Unwritten if self.options.check_unwritten => {
                // The warps run in turn, so a missing barrier shows in this way, too.
                return Err(self.unwritten(warp, ins, lane, "shared", at as u64, bytes));
            }
            Wrong::Unwritten => return Ok(()),
            _ if !self.options.check_races => return Ok(()),
            Wrong::Warp(Some(other)) => format!("warp {other} accessed it since the last barrier"),
            Wrong::Warp(None) => "several warps accessed it since the last barrier".to_owned(),
            Wrong::Product => "a wgmma that nobody has waited for may still read it".to_owned(),
            Wrong::Loose => "no fence.proxy.async came after what was written there".to_owned(),
            Wrong::Copy(other) => format!("a cp.async of warp {other} is on its way there"),
        };
        let message = format!("warp {warp} accesses shared memory at {at:#x}, but {other}");
        Err(self.fault(FaultKind::Race, ins, Some((warp, lane)), message))
    }

    #[cold]
    pub fn unwritten(
        &self,
        warp: u32,
        ins: &Ins,
        lane: usize,
        space: &str,
        address: u64,
        bytes: usize,
    ) -> Box<crate::Fault> {
        let message = format!("{bytes} bytes of {space} memory at {address:#x}, which nobody has written yet");
        self.fault(FaultKind::Unwritten, ins, Some((warp, lane)), message)
    }

    /// Counts a request to shared memory.
    #[inline(always)]
    pub fn count_shared(&mut self, addresses: &Wides, active: u32, bytes: usize) {
        let (mut list, mut count) = ([0; 32], 0);
        for lane in lanes_of(active) {
            list[count] = addresses[lane];
            count += 1;
        }
        self.count_passes(&list[..count], bytes);
    }

    /// Counts passes over shared memory.
    pub fn count_passes(&mut self, addresses: &[u64], bytes: usize) {
        let (passes, ideal) = crate::count::passes(addresses, bytes);
        self.counts.shared_requests += 1;
        self.counts.shared_passes += passes;
        self.counts.shared_ideal += ideal;
    }

    /// Counts a request to global memory.
    #[inline(always)]
    pub fn count_global(&mut self, addresses: &Wides, active: u32, bytes: usize) {
        self.counts.global_requests += 1;
        self.counts.global_sectors += crate::count::sectors(lanes_of(active).map(|lane| addresses[lane]), bytes);
    }
}
