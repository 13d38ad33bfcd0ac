//! The `mfnet` command, as its users meet it.
#![cfg(feature = "cli")]

mod command;
#[cfg(unix)]
mod disk;
mod folder;
#[cfg(unix)]
mod launcher;
#[cfg(unix)]
#[expect(dead_code, reason = "no property tests here")]
#[path = "../common/property.rs"]
mod property;
#[cfg(unix)]
mod script;

#[cfg(unix)]
mod ab;
mod cli;
mod commands;
mod doctor;
#[cfg(unix)]
mod downloads;
#[cfg(unix)]
mod faults;
#[cfg(target_os = "linux")]
mod hostile_arguments;
#[cfg(unix)]
mod instructions;
mod kills;
mod preparation;
mod runs;
#[cfg(unix)]
mod signals;
mod tables;
mod tune;
