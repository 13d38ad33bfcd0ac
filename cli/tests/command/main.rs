//! The `mfnet` command, as its users meet it.

mod command;
#[cfg(unix)]
mod disk;
mod folder;
#[cfg(unix)]
mod launcher;
#[path = "../../../tests/common/mutation.rs"]
mod mutation;
#[expect(dead_code, reason = "no property tests here")]
#[path = "../../../tests/common/property.rs"]
mod property;
#[cfg(unix)]
mod script;

#[cfg(unix)]
mod ab;
mod answers;
mod cli;
mod commands;
mod customers;
mod doctor;
#[cfg(unix)]
mod downloads;
#[cfg(unix)]
mod faults;
#[cfg(target_os = "linux")]
mod hostile_arguments;
mod hostile_config;
#[cfg(unix)]
mod instructions;
mod kills;
mod losses;
mod newcomers;
mod preparation;
mod rows;
mod runs;
mod scores;
#[cfg(unix)]
mod signals;
mod solvers;
mod tables;
mod tune;
mod warm_start;
