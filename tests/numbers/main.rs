//! What is computed: in one program, as each network that a test trains is compiled for every program that trains one.

#[path = "../common/each.rs"]
mod each;
#[path = "../common/noise.rs"]
mod noise;
#[path = "../common/property.rs"]
mod property;

mod architecture;
mod drawn;
mod goldens;
mod learned;
mod measured;
mod once;
mod real_data;
mod rounding;
mod steps;
mod twins;

mod appendix_a;
mod bad_input;
mod combinations;
mod determinism;
mod divergence;
mod each_is_complete;
mod extremes;
mod family_outcomes;
mod fast_follows_plain;
mod fast_matches_pytorch;
mod fine_tuning;
mod follows_scikit_learn;
mod gradient_check;
mod laws_of_inputs;
mod laws_of_layers;
mod layers_match_pytorch;
mod lbfgs;
mod many_at_once;
mod plain_matches_pytorch;
mod properties;
mod sample_weights;
mod sparse_rows;
mod streams;
mod trainer;
#[cfg(feature = "save")]
mod trainer_checkpoints;
mod trainer_state;
mod training_outcomes;
