//! `cp.async`: copies that may land at any time between their issue and the wait for them. Here they land at the wait,
//! and until then nobody may touch the target.

use std::collections::VecDeque;

use super::Checked;
use super::access::global_value;
use super::block::Block;
use super::lane::{File, Words, lanes_of};
use super::warp::Warp;
use crate::ins::Ins;
use crate::types::Class;

/// A copy of one lane.
#[derive(Clone, Copy, Debug)]
struct Copy {
    to: usize,
    bytes: usize,
    /// The data as it was at the issue; bytes beyond the source's count are zero.
    data: [u32; 4],
}

/// The copies of a warp that are on their way.
#[derive(Debug, Default)]
pub struct Copies {
    open: Vec<Copy>,
    groups: VecDeque<Vec<Copy>>,
}

impl Copies {
    /// Makes a group of the copies since the last one.
    pub fn commit(&mut self) {
        self.groups.push_back(std::mem::take(&mut self.open));
    }
}

impl Block<'_> {
    #[inline(never)]
    pub fn copy_async(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        active: u32,
        bytes: usize,
        to: Class,
        source_offset: i32,
    ) -> Checked {
        let targets = self.addresses(warp, ins.regs[0], to, ins.imm);
        let sources = self.addresses(warp, ins.regs[1], Class::Wide, source_offset.into());
        let counts: Words = *warp.read(ins.regs[2]);
        let reading = lanes_of(active).filter(|&lane| counts[lane] > 0).fold(0, |mask, lane| mask | 1 << lane);
        self.count_global(&sources, reading, bytes);
        self.count_shared(&targets, active, bytes);
        for lane in lanes_of(active) {
            let at = self.in_shared(warp.id, ins, lane, targets[lane], bytes)?;
            if let Some(wrong) = self.races.begin_copy(at as u64, bytes, warp.id) {
                self.judge(warp.id, ins, lane, (at, bytes), wrong)?;
            }
            let count = (counts[lane] as usize).min(bytes);
            let data = self.fetch(warp.id, ins, lane, sources[lane], count, bytes)?;
            warp.copies.open.push(Copy { to: at, bytes, data });
        }
        Ok(())
    }

    /// `count` bytes of global memory, filled up with zeros.
    fn fetch(
        &mut self,
        warp: u32,
        ins: &Ins,
        lane: usize,
        address: u64,
        count: usize,
        bytes: usize,
    ) -> Checked<[u32; 4]> {
        let mut data = [0; 4];
        if count == 0 {
            return Ok(data);
        }
        self.aligned(warp, ins, lane, address, bytes)?;
        let (region, at) = self.region(warp, ins, lane, address, count)?;
        let check = self.options.check_unwritten;
        if check && let Some(byte) = (0..count).find(|byte| !region.is_written(at + byte, 1)) {
            return Err(self.unwritten(warp, ins, lane, "global", address + byte as u64, 1));
        }
        for (i, word) in data.iter_mut().enumerate().take(count.div_ceil(4)) {
            *word = match count - 4 * i {
                rest @ 1..4 => (0..rest).fold(0, |word, byte| {
                    word | (global_value(region, at + 4 * i + byte, 1, check) as u32) << (8 * byte)
                }),
                _ => global_value(region, at + 4 * i, 4, check) as u32,
            };
        }
        Ok(data)
    }

    /// Waits until at most `imm` groups are on their way.
    pub fn copy_wait(&mut self, warp: &mut Warp, ins: &Ins, all: bool) -> Checked {
        if all {
            warp.copies.commit();
        }
        let keep = if all { 0 } else { ins.imm as usize };
        while warp.copies.groups.len() > keep {
            let group = warp.copies.groups.pop_front().unwrap_or_default();
            for copy in group {
                for (word, value) in copy.data.iter().enumerate().take(copy.bytes / 4) {
                    self.shared.store(copy.to + 4 * word, 4, (*value).into());
                }
                self.races.end_copy(copy.to as u64, copy.bytes, warp.id);
            }
        }
        Ok(())
    }

    /// The warp ends: what is still on its way lands for nobody.
    pub fn abandon_copies(&mut self, warp: &mut Warp) {
        warp.copies.commit();
        for copy in std::mem::take(&mut warp.copies.groups).into_iter().flatten() {
            self.races.end_copy(copy.to as u64, copy.bytes, warp.id);
        }
    }
}
