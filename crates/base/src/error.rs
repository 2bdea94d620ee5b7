//! What can go wrong: [`Error`] for the outside world, [`ShapeError`] for a misused op.

use std::fmt;

/// `Result` with Cotangent's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the outside world: a file, a download, a device, the arguments of `fit`.
///
/// Opaque on purpose: it is made to be read. `Display` prints `[where] what` and, on a line of its own,
/// a hint of what to do. Its [`source`](std::error::Error::source) is the error beneath, if there is one.
///
/// ```
/// use cotangent_base::Error;
/// let e = Error::new("fit", "batch_size is 0").hint("use at least 1; Keras's default is 32");
/// assert_eq!(e.to_string(), "[fit] batch_size is 0\n  hint: use at least 1; Keras's default is 32");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    place: String,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error at `place` (an op, a layer path, a function, a file) saying `message`.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { place: place.into(), message: message.into(), hint: None, source: None }))
    }

    /// Adds what the reader can do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the error beneath this one.
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Where it happened: the text in brackets.
    pub fn place(&self) -> &str {
        &self.0.place
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "[{}] {}", self.0.place, self.0.message)?;
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        match &self.0.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// The same text as `Display`, so that `fn main() -> Result<()>` prints a message and not a structure.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|s| s.as_ref() as _)
    }
}

/// Why an op refuses its operands: shapes, dtypes or axes that do not fit.
///
/// Every op's public `infer` returns it; the tensor methods panic with the same text at the caller's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The op that refuses.
    pub op: &'static str,
    /// Both shapes, the axis, and what was wanted.
    pub message: String,
}

impl ShapeError {
    /// `[op] message`.
    pub fn new(op: &'static str, message: impl Into<String>) -> Self {
        Self { op, message: message.into() }
    }

    /// Panics with this message at the caller's line: misuse of an op is a bug in the calling program.
    #[cold]
    #[track_caller]
    pub fn panic(&self) -> ! {
        panic!("{self}")
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "[{}] {}", self.op, self.message)
    }
}

impl std::error::Error for ShapeError {}

impl From<ShapeError> for Error {
    fn from(e: ShapeError) -> Self {
        Error::new(e.op, e.message)
    }
}
