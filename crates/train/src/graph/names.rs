//! Keras's names for layers.

use cotangent_core::{Error, Result};
use std::collections::{HashMap, HashSet};

/// Gives layers the names that Keras gives them: `conv2d`, `conv2d_1`, `max_pool2d`, …
#[derive(Default)]
pub(super) struct Names {
    counts: HashMap<String, usize>,
    given: HashSet<String>,
}

impl Names {
    /// Around these names, that the user gave; no two may be the same.
    pub fn around<'a>(given: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut names = Self::default();
        for name in given {
            if !names.given.insert(name.to_owned()) {
                return Err(Error::new("build", format!("two layers are named {name:?}"))
                    .hint("give each its own name; to apply one layer twice, make it `Shared`"));
            }
        }
        Ok(names)
    }

    /// The name of a layer of this kind: its own, if it was given one.
    pub fn name(&mut self, kind: &str, own: Option<&str>) -> String {
        if let Some(name) = own {
            return name.to_owned();
        }
        let stem = snake_case(kind);
        let count = self.counts.entry(stem.clone()).or_default();
        loop {
            let name = if *count == 0 { stem.clone() } else { format!("{stem}_{count}") };
            *count += 1;
            if !self.given.contains(&name) {
                return name;
            }
        }
    }
}

/// `MaxPool2d` → `max_pool2d`.
fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Names, snake_case};

    #[test]
    fn layers_are_named_as_keras_names_them() {
        let names = ["Dense", "Conv2d", "MaxPool2d", "BatchNorm"].map(snake_case);
        assert_eq!(names, ["dense", "conv2d", "max_pool2d", "batch_norm"]);
    }

    #[test]
    fn names_that_the_user_took_are_left_out() {
        let mut names = Names::around(["dense_1"].into_iter()).unwrap();
        let given = [None, Some("dense_1"), None].map(|own| names.name("Dense", own));
        assert_eq!(given, ["dense", "dense_1", "dense_2"]);
        assert!(Names::around(["a", "b", "a"].into_iter()).is_err());
    }
}
