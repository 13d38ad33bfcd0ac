//! Data sets: what they hold, where they come from, and how they are cut into batches.

mod circle;
mod columns;
mod compressed;
mod cube;
mod dataset;
pub mod digits;
mod examples;
mod folds;
mod gather;
mod infer;
pub mod known;
mod loader;
mod matching;
mod normalize;
mod one_hot;
mod points;
pub mod read;
mod schema;
mod shuffle;
mod split;
mod table;

pub use circle::circle;
pub use columns::Columns;
pub use cube::cube;
pub use dataset::{Dataset, Inputs, Targets};
pub use examples::Examples;
pub use folds::k_folds;
pub use gather::TargetsView;
pub(crate) use gather::{ShardTargets, gather_inputs, gather_values};
pub use loader::{Batch, DataLoader, Shuffle};
pub use normalize::{Normalization, denormalize_features, normalize_features};
pub use one_hot::{one_hot_decode, one_hot_encode};
pub use schema::{Layout, Scaling, Schema, Task};
pub use split::train_test_split;
pub use table::Table;
