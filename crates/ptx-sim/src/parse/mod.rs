//! PTX text to a tree: a module of variables and functions, a function of statements. Names still point into the text.

mod body;
mod declare;
mod lex;
mod literal;
mod module;

pub use lex::Tokens;
pub use literal::Literal;

use crate::types::Type;

/// A whole text.
#[derive(Debug, Default)]
pub struct Module<'a> {
    /// `.version`, major and minor.
    pub version: (u32, u32),
    /// The first word of `.target`: `sm_80`.
    pub target: &'a str,
    pub variables: Vec<Variable<'a>>,
    pub functions: Vec<Function<'a>>,
}

/// Where a variable lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    Global,
    Constant,
    Shared,
    Local,
    Param,
    Register,
}

/// A variable or parameter: `.shared .align 16 .b8 tile[4096]`.
#[derive(Clone, Debug)]
pub struct Variable<'a> {
    pub storage: Storage,
    pub name: &'a str,
    pub ty: Type,
    pub align: usize,
    /// Elements; `None` for `name[]`, whose size the launch tells.
    pub count: Option<usize>,
    pub initial: Vec<Initial<'a>>,
    pub line: u32,
}

impl Variable<'_> {
    /// Bytes, of which there are none where the launch tells.
    pub fn bytes(&self) -> usize {
        self.ty.size() * self.count.unwrap_or(0)
    }
}

/// One element of an initializer.
#[derive(Clone, Copy, Debug)]
pub enum Initial<'a> {
    Number(Literal),
    /// A variable's address and an offset.
    Address(&'a str, i64),
}

/// A kernel (`.entry`) or a device function (`.func`).
#[derive(Debug)]
pub struct Function<'a> {
    pub name: &'a str,
    pub is_kernel: bool,
    pub returns: Vec<Variable<'a>>,
    pub params: Vec<Variable<'a>>,
    /// `.maxntid` or `.reqntid`: the most threads of a block.
    pub max_threads: Option<u32>,
    /// Whether it was `.reqntid`: a launch must have exactly these.
    pub exact_threads: bool,
    /// `.maxnreg`.
    pub max_registers: Option<u32>,
    /// `None` for a mere declaration.
    pub body: Option<Vec<Statement<'a>>>,
    pub line: u32,
}

/// What stands in a body, and where.
#[derive(Debug)]
pub struct Statement<'a> {
    pub line: u32,
    pub kind: StatementKind<'a>,
}

#[derive(Debug)]
pub enum StatementKind<'a> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `.reg .b32 %r<5>, %x;`: each name with the count in `<>`, if there is one.
    Registers(Type, Vec<(&'a str, Option<u32>)>),
    Variable(Variable<'a>),
    Label(&'a str),
    /// `name: .branchtargets A, B;`
    Targets(&'a str, Vec<&'a str>),
    Instruction(Instruction<'a>),
}

#[derive(Debug)]
pub struct Instruction<'a> {
    /// `@%p` or, with `true`, `@!%p`.
    pub guard: Option<(&'a str, bool)>,
    /// The opcode split at its dots: `ld`, `global`, `f32`.
    pub parts: Vec<&'a str>,
    pub operands: Vec<Operand<'a>>,
}

impl Instruction<'_> {
    /// Whether `part` is among the opcode's modifiers.
    pub fn has(&self, part: &str) -> bool {
        self.parts[1..].contains(&part)
    }
}

#[derive(Clone, Debug)]
pub enum Operand<'a> {
    /// A register, variable, label or special register.
    Name(&'a str),
    Number(Literal),
    /// `!%p`
    Not(&'a str),
    /// `%p|%q`
    Pair(&'a str, &'a str),
    /// `{a, b}`
    Vector(Vec<Operand<'a>>),
    /// `[base+offset]`
    Address(Box<Operand<'a>>, i64),
    /// `name+offset`, the address of a part of a variable.
    Offset(&'a str, i64),
    /// `(a, b)` of a call.
    List(Vec<Operand<'a>>),
}
