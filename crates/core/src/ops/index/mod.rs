//! Picking elements by index (i64), and adding into places by index.

mod checked;
mod gather;
mod index_select;
mod one_hot;
mod scatter_add;

pub use checked::Index;
pub use gather::Gather;
pub use index_select::IndexSelect;
pub use scatter_add::ScatterAdd;
