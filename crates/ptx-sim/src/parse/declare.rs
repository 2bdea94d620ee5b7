//! Declarations of variables, parameters and registers.

use super::{Initial, Literal, StatementKind, Storage, Tokens, Variable};
use crate::PtxError;
use crate::types::Type;

impl<'a> Tokens<'a> {
    /// `.shared .align 16 .v4 .f32 name[2][3] = {…}`, up to what follows; `storage` where no directive names one.
    pub fn variable(&mut self, mut storage: Storage) -> Result<Variable<'a>, PtxError> {
        let line = self.line();
        let (mut ty, mut align, mut lanes) = (None, 1, 1);
        while self.peek().starts_with('.') {
            match self.next()? {
                ".global" => storage = Storage::Global,
                ".const" => storage = Storage::Constant,
                ".shared" => storage = Storage::Shared,
                ".local" => storage = Storage::Local,
                ".param" => storage = Storage::Param,
                ".reg" => storage = Storage::Register,
                ".align" => align = self.size()?,
                ".v2" => lanes = 2,
                ".v4" => lanes = 4,
                // The attributes of a pointer parameter tell an optimizer, not us.
                ".ptr" | ".global_space" | ".noalias" => {}
                word => match Type::named(&word[1..]) {
                    Some(found) => ty = Some(found),
                    None => return Err(self.error(format!("`{word}` is not played in a declaration"))),
                },
            }
        }
        let ty = ty.ok_or_else(|| self.error("a declaration without a type"))?;
        let name = self.word()?;
        let mut count = Some(lanes);
        while self.eat("[") {
            count = if self.peek() == "]" { None } else { Some(count.unwrap_or(1) * self.size()?) };
            self.expect("]")?;
        }
        let mut initial = Vec::new();
        if self.eat("=") {
            self.initial(&mut initial)?;
        }
        Ok(Variable { storage, name, ty, align: align.max(ty.size() * lanes), count, initial, line })
    }

    /// `(.param .u64 a, .reg .b32 b)`
    pub fn parameters(&mut self) -> Result<Vec<Variable<'a>>, PtxError> {
        self.expect("(")?;
        let mut list = Vec::new();
        while !self.eat(")") {
            list.push(self.variable(Storage::Param)?);
            self.eat(",");
        }
        Ok(list)
    }

    /// `.reg .b32 %r<5>, %x`, after `.reg`.
    pub fn registers(&mut self) -> Result<StatementKind<'a>, PtxError> {
        let word = self.next()?;
        let ty = word.strip_prefix('.').and_then(Type::named);
        let ty = ty.ok_or_else(|| self.error(format!("no registers of type `{word}` are played")))?;
        let mut names = Vec::new();
        loop {
            let name = self.word()?;
            let mut count = None;
            if self.eat("<") {
                count = Some(self.size()? as u32);
                self.expect(">")?;
            }
            names.push((name, count));
            if !self.eat(",") {
                return Ok(StatementKind::Registers(ty, names));
            }
        }
    }

    fn size(&mut self) -> Result<usize, PtxError> {
        let text = self.word()?;
        match Literal::parse(text) {
            Some(Literal::Integer(n)) if n <= u64::from(u32::MAX) => Ok(n as usize),
            _ => Err(self.error(format!("`{text}` is no size"))),
        }
    }

    /// An initializer; nested braces are flattened.
    fn initial(&mut self, list: &mut Vec<Initial<'a>>) -> Result<(), PtxError> {
        if self.eat("{") {
            while !self.eat("}") {
                self.initial(list)?;
                self.eat(",");
            }
            return Ok(());
        }
        if let Some(number) = self.try_number()? {
            list.push(Initial::Number(number));
            return Ok(());
        }
        let wrapped = self.eat("generic");
        if wrapped {
            self.expect("(")?;
        }
        let name = self.word()?;
        if wrapped {
            self.expect(")")?;
        }
        let offset = self.offset()?;
        list.push(Initial::Address(name, offset));
        Ok(())
    }

    /// A number with an optional sign, if the next token is one.
    pub fn try_number(&mut self) -> Result<Option<Literal>, PtxError> {
        let negative = self.eat("-");
        match Literal::parse(self.peek()) {
            Some(number) => {
                self.next()?;
                Ok(Some(if negative { number.negated() } else { number }))
            }
            None if negative => Err(self.error("a number expected after `-`")),
            None => Ok(None),
        }
    }

    /// `+4`, `-4`, `+-4` or nothing.
    pub fn offset(&mut self) -> Result<i64, PtxError> {
        let plus = self.eat("+");
        if !plus && self.peek() != "-" {
            return Ok(0);
        }
        match self.try_number()? {
            Some(Literal::Integer(offset)) => Ok(offset as i64),
            _ => Err(self.error("an offset expected")),
        }
    }
}
