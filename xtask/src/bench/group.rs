//! What is measured: groups of rows (works) and columns (who does them).

/// A program that measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    Ours,
    /// Ours, told to use one thread.
    OursOnOneThread,
    /// The Rust crates of `benches/peers`, for products.
    Rust,
    /// Those of `benches/peers/steps`, for training steps.
    RustSteps,
    Torch,
    Keras,
    Jax,
    Onnx,
}

/// What a column is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Compared with the fastest peer.
    Ours,
    /// Told how many times as long it takes.
    OneThread,
    Peer,
    /// What the machine can do at best: told which part of it ours reaches.
    Limit,
}

/// Who does the works of a group, and how.
#[derive(Clone)]
pub struct Column {
    pub label: String,
    pub program: Program,
    pub role: Role,
    /// Makes this program's request of a row's work.
    pub request: Request,
    /// How much the request does, where that is not the row's amount.
    pub amount: Option<f64>,
}

/// How a row's work is asked for.
#[derive(Clone)]
pub enum Request {
    /// As it is.
    Same,
    /// With these words behind it.
    With(&'static str),
    /// With this word behind the first: `gemm 1 2 3` becomes `gemm faer 1 2 3`.
    By(&'static str),
    /// Instead of it, for any row.
    Always(&'static str),
    /// Right after it: `peak 1` becomes `peak 1 after gemm 1 2 3`.
    After(&'static str),
}

impl Request {
    pub fn of(&self, work: &str) -> String {
        let (first, rest) = work.split_once(' ').unwrap_or((work, ""));
        match self {
            Request::Same => work.to_owned(),
            Request::With(words) => format!("{work} {words}"),
            Request::By(word) => format!("{first} {word} {rest}"),
            Request::Always(words) => (*words).to_owned(),
            Request::After(words) => format!("{words} after {work}"),
        }
    }
}

impl Column {
    pub fn ours() -> Self {
        let (label, program) = ("Cotangent".to_owned(), Program::Ours);
        Self { label, program, role: Role::Ours, request: Request::Same, amount: None }
    }

    pub fn one_thread() -> Self {
        Self { program: Program::OursOnOneThread, role: Role::OneThread, ..Self::peer("on one thread", Program::Ours) }
    }

    pub fn peer(label: &str, program: Program) -> Self {
        Self { label: label.to_owned(), program, role: Role::Peer, request: Request::Same, amount: None }
    }

    pub fn limit(label: &str, request: Request, amount: Option<f64>) -> Self {
        Self { role: Role::Limit, request, amount, ..Self::peer(label, Program::Ours) }
    }

    pub fn asked(self, request: Request) -> Self {
        Self { request, ..self }
    }
}

/// What the numbers of a group are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Nanoseconds,
    /// 10⁹ of the row's amount in a second; the name says of what.
    Giga(&'static str),
    /// The most memory that a program of its own held.
    Mebibytes,
}

/// One work.
#[derive(Clone)]
pub struct Row {
    pub name: String,
    /// The words that programs know the work by.
    pub work: String,
    /// How many operations or bytes it is.
    pub amount: f64,
    /// The most that our time may be of the fastest peer's.
    pub goal: Option<f64>,
    /// The part of a limit that is as good as the goal.
    pub enough: Option<f64>,
    /// The program whose columns alone are peers in this row, if its goal names one.
    pub rival: Option<Program>,
}

impl Row {
    pub fn new(name: impl Into<String>, work: impl Into<String>, amount: f64) -> Self {
        Self { name: name.into(), work: work.into(), amount, goal: None, enough: None, rival: None }
    }

    pub fn goal(self, goal: f64) -> Self {
        Self { goal: Some(goal), ..self }
    }

    /// Or so much of a limit.
    pub fn or_of_limit(self, enough: f64) -> Self {
        Self { enough: Some(enough), ..self }
    }

    /// Compared with this program alone.
    pub fn beside(self, rival: Program) -> Self {
        Self { rival: Some(rival), ..self }
    }
}

/// Rows that the same programs do.
pub struct Group {
    pub name: &'static str,
    pub title: &'static str,
    pub unit: Unit,
    /// How long each program is measured in each round.
    pub seconds: f64,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

#[cfg(test)]
mod tests {
    use super::Request::{After, Always, By, Same, With};

    #[test]
    fn requests_are_made_of_the_work_and_words() {
        let asked =
            [Same, With("first"), By("faer"), Always("copy 8"), After("peak 8")].map(|how| how.of("gemm 1 2 3"));
        assert_eq!(asked, ["gemm 1 2 3", "gemm 1 2 3 first", "gemm faer 1 2 3", "copy 8", "peak 8 after gemm 1 2 3"]);
    }
}
