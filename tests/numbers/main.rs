//! What is computed: in one program, as each network that a test trains is compiled for every program that trains one.

#[path = "../common/noise.rs"]
mod noise;

mod architecture;
mod goldens;
mod learned;
mod once;
mod real_data;
mod rounding;
mod steps;
mod twins;

mod appendix_a;
mod bad_input;
mod determinism;
mod divergence;
mod extremes;
mod family_outcomes;
mod fast_follows_plain;
mod fast_matches_pytorch;
mod gradient_check;
mod laws_of_inputs;
mod laws_of_layers;
mod layers_match_pytorch;
mod many_at_once;
mod plain_matches_pytorch;
mod properties;
mod streams;
mod trainer;
#[cfg(feature = "save")]
mod trainer_checkpoints;
mod trainer_state;
mod training_outcomes;
