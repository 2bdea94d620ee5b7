//! Statements to instructions over numbered registers. Device functions are put in place of their calls.

mod arithmetic;
mod call;
mod control;
mod convert;
mod finish;
mod float;
mod liveness;
mod memory;
mod operand;
mod scope;
mod warp;
mod wgmma;

use std::collections::HashMap;
use std::sync::Arc;

use crate::ins::{Op, Reg};
use crate::kernel::{Kernel, Param, Prefill};
use crate::parse::{Function, Instruction, Statement, StatementKind, Storage, Variable};
use crate::types::{Class, Type};
use crate::{PtxError, types};
use scope::Frame;

/// What a name outside registers stands for.
#[derive(Clone, Copy, Debug)]
pub enum Symbol {
    /// An address in global memory.
    Global(u64),
    /// An offset in shared memory.
    Shared(u64),
    /// Shared memory whose size the launch tells.
    DynamicShared,
    /// An offset in local memory.
    Local(u64),
    /// An offset among the kernel's parameters.
    Param(u64),
    /// A parameter of a device function: an offset in local memory.
    LocalParam(u64),
}

/// What a module has in common for all of its kernels.
pub struct Shared<'m, 'a> {
    pub functions: HashMap<&'a str, &'m Function<'a>>,
    /// Variables of the module that have an address already.
    pub globals: HashMap<&'a str, u64>,
    /// Shared variables of the module.
    pub shared: HashMap<&'a str, &'m Variable<'a>>,
    pub source: Arc<str>,
}

/// An instruction before registers have slots.
#[derive(Debug)]
struct Draft {
    op: Op,
    guard: Option<(Reg, bool)>,
    writes: Vec<Reg>,
    reads: Vec<Reg>,
    imm: i64,
    line: u32,
}

/// The state of compiling one kernel.
struct Compiler<'m, 'a> {
    shared: &'m Shared<'m, 'a>,
    code: Vec<Draft>,
    /// Virtual registers given out so far: predicates, words, wides.
    registers: HashMap<Class, u32>,
    /// Names of registers, for messages.
    names: HashMap<Reg, String>,
    prefilled: HashMap<(Class, Prefill), Reg>,
    /// The innermost function's names.
    frame: Frame<'a>,
    /// The functions that are being put in place, outermost first.
    calls: Vec<&'a str>,
    tables: Vec<Vec<usize>>,
    /// The lists of registers that products of four warps add to.
    sums: Vec<Vec<Reg>>,
    static_shared: usize,
    shared_places: HashMap<&'a str, u64>,
    dynamic_align: usize,
    local_bytes: usize,
    granule: usize,
    guard: Option<(Reg, bool)>,
    line: u32,
}

/// Compiles the kernel `function`.
pub fn kernel<'a>(function: &Function<'a>, shared: &Shared<'_, 'a>) -> Result<Kernel, PtxError> {
    let mut compiler = Compiler {
        shared,
        code: Vec::new(),
        // The predicates true and false stand for constants.
        registers: HashMap::from([(Class::Predicate, 2), (Class::Word, 0), (Class::Wide, 0)]),
        names: HashMap::new(),
        prefilled: HashMap::new(),
        frame: Frame::default(),
        calls: vec![function.name],
        tables: Vec::new(),
        sums: Vec::new(),
        static_shared: 0,
        shared_places: HashMap::new(),
        dynamic_align: 1,
        local_bytes: 0,
        granule: 4,
        guard: None,
        line: function.line,
    };
    let (mut params, mut param_bytes) = (Vec::new(), 0usize);
    for param in &function.params {
        let offset = param_bytes.next_multiple_of(param.align);
        param_bytes = offset + param.bytes();
        compiler.frame.symbols().insert(param.name, Symbol::Param(offset as u64));
        params.push(Param { name: param.name.to_owned(), offset, bytes: param.bytes() });
    }
    compiler.body(function.body.as_deref().unwrap_or(&[]))?;
    compiler.emit(Op::Exit, &[], &[], 0);
    compiler.link()?;
    compiler.finish(function, params, param_bytes)
}

impl<'a> Compiler<'_, 'a> {
    /// The statements of the innermost function.
    fn body(&mut self, statements: &[Statement<'a>]) -> Result<(), PtxError> {
        for statement in statements {
            self.line = statement.line;
            match &statement.kind {
                StatementKind::Open => self.frame.open(),
                StatementKind::Close => self.frame.close(),
                StatementKind::Registers(ty, names) => self.declare(*ty, names),
                StatementKind::Variable(variable) => self.place(variable)?,
                StatementKind::Label(name) => {
                    if self.frame.labels.insert(name, self.code.len()).is_some() {
                        return Err(self.error(format!("the label {name} stands twice")));
                    }
                }
                StatementKind::Targets(name, labels) => {
                    self.frame.target_lists.insert(name, labels.clone());
                }
                StatementKind::Instruction(instruction) => self.instruction(instruction)?,
            }
        }
        Ok(())
    }

    fn declare(&mut self, ty: Type, names: &[(&'a str, Option<u32>)]) {
        for &(name, count) in names {
            let next = self.registers.get_mut(&ty.class()).expect("every class is there");
            self.frame.declare(name, ty.class(), *next, count);
            *next += count.unwrap_or(1);
        }
    }

    /// Gives a variable of the body its place.
    fn place(&mut self, variable: &Variable<'a>) -> Result<(), PtxError> {
        let symbol = match variable.storage {
            Storage::Shared => self.place_shared(variable),
            Storage::Local => Symbol::Local(self.place_local(variable.bytes(), variable.align)),
            Storage::Param => Symbol::LocalParam(self.place_local(variable.bytes(), variable.align)),
            _ => return Err(self.error("a variable of this kind is not played inside a function")),
        };
        self.frame.symbols().insert(variable.name, symbol);
        Ok(())
    }

    fn place_shared(&mut self, variable: &Variable<'a>) -> Symbol {
        if variable.count.is_none() {
            self.dynamic_align = self.dynamic_align.max(variable.align);
            return Symbol::DynamicShared;
        }
        let start = self.static_shared.next_multiple_of(variable.align);
        self.static_shared = start + variable.bytes();
        Symbol::Shared(start as u64)
    }

    fn place_local(&mut self, bytes: usize, align: usize) -> u64 {
        let start = self.local_bytes.next_multiple_of(align);
        self.local_bytes = start + bytes;
        start as u64
    }

    fn instruction(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        self.guard = match ins.guard {
            Some((name, negated)) => Some((self.register(name, Class::Predicate)?, negated)),
            None => None,
        };
        match ins.parts[0] {
            "add" | "addc" | "sub" | "subc" | "mul" | "mul24" | "mad" | "mad24" | "madc" | "div" | "rem" | "min"
            | "max" | "abs" | "neg" | "sad" | "dp4a" | "and" | "or" | "xor" | "not" | "cnot" | "shl" | "shr"
            | "shf" | "popc" | "clz" | "brev" | "bfind" | "bfe" | "bfi" | "prmt" | "lop3" | "fma" | "sqrt"
            | "rsqrt" | "rcp" | "ex2" | "lg2" | "sin" | "cos" | "tanh" | "copysign" => self.arithmetic(ins),
            "setp" | "set" | "selp" | "testp" => self.compare(ins),
            "mov" => self.mov(ins),
            "cvt" => self.convert(ins),
            "cvta" | "isspacep" | "ld" | "ldu" | "st" | "atom" | "red" | "cp" | "ldmatrix" | "prefetch"
            | "prefetchu" => self.memory(ins),
            "bra" | "brx" | "ret" | "exit" | "trap" | "bar" | "barrier" | "membar" | "fence" | "nanosleep"
            | "griddepcontrol" => self.control(ins),
            "call" => self.call(ins),
            "shfl" | "vote" | "match" | "redux" | "activemask" | "mma" => self.warp(ins),
            "wgmma" => self.wgmma(ins),
            _ => Err(self.unsupported(ins)),
        }
    }

    /// Adds an instruction with the guard of the statement.
    fn emit(&mut self, op: Op, writes: &[Reg], reads: &[Reg], imm: i64) {
        let (writes, reads) = (writes.to_vec(), reads.to_vec());
        self.code.push(Draft { op, guard: self.guard, writes, reads, imm, line: self.line });
    }

    fn error(&self, message: impl Into<String>) -> PtxError {
        PtxError::syntax(self.line, message)
    }

    fn unsupported(&self, ins: &Instruction<'_>) -> PtxError {
        self.error(format!("the instruction `{}` is not played", ins.parts.join(".")))
    }

    /// Refuses an instruction with a modifier that is neither a type nor among `known`: it might change the result.
    fn only(&self, ins: &Instruction<'_>, known: &[&str]) -> Result<(), PtxError> {
        let strange = ins.parts[1..].iter().find(|part| !known.contains(part) && types::Type::named(part).is_none());
        match strange {
            None => Ok(()),
            Some(part) => Err(self.error(format!("`.{part}` of `{}` is not played", ins.parts.join(".")))),
        }
    }
}
