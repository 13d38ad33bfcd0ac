//! The command, started by another program.

use std::process::Command;

/// The command, started by these words in its own folder and environment.
pub fn behind(launcher: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(launcher[0]);
    outer.args(&launcher[1..]);
    outer.arg(command.get_program()).args(command.get_args());
    outer.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer
}
