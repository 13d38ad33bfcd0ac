//! How fast the machine and the products on it are, and what else ran meanwhile.

use std::fs;
use std::time::Instant;

use mfnet::internal::machine;

/// Figures of all threads together.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) f32: Flops,
    pub(super) f64: Flops,
    /// Bytes read per second.
    pub(super) memory: f64,
    /// Seconds.
    pub(super) fork_join: f64,
    /// Where the system tells it.
    pub(super) rivals: Option<Rivals>,
    /// How long it took to measure all this.
    pub(super) seconds: f64,
}

/// Floating-point operations per second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flops {
    pub(super) peak: f64,
    pub(super) products: f64,
}

/// What others took of the time of all CPUs, as parts of 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rivals {
    /// Other programs.
    pub(super) programs: f64,
    /// Other virtual machines on the same hardware.
    pub(super) machines: f64,
}

impl Measured {
    /// Takes two seconds or so.
    pub(super) fn now() -> Self {
        let (start, ticks) = (Instant::now(), Ticks::now());
        let f32 = Flops::of::<f32>();
        let f64 = Flops::of::<f64>();
        let memory = machine::memory_bandwidth();
        let fork_join = machine::fork_join_seconds();
        Measured {
            f32,
            f64,
            memory,
            fork_join,
            rivals: ticks
                .zip(Ticks::now())
                .and_then(|(before, after)| after.rivals_since(before)),
            seconds: start.elapsed().as_secs_f64(),
        }
    }
}

impl Flops {
    fn of<T: mfnet::Element>() -> Self {
        Flops {
            peak: machine::peak_flops::<T>(),
            products: machine::product_flops::<T>(),
        }
    }

    /// The part of the peak that the products reach; none where they exceed it, for then it was not the peak: a loop
    /// that is not optimised, or was disturbed, does not get there.
    pub(super) fn part(self) -> Option<f64> {
        Some(self.products / self.peak).filter(|&part| part <= 1.0)
    }
}

/// CPU time since the start, in the system's ticks.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    /// Of all CPUs, idle or not.
    all: u64,
    /// In which they ran programs of this system.
    busy: u64,
    /// In which they ran another.
    stolen: u64,
    /// In which they ran this process.
    own: u64,
}

impl Ticks {
    fn now() -> Option<Self> {
        let [all, own] = ["/proc/stat", "/proc/self/stat"].map(fs::read_to_string);
        Ticks::read(&all.ok()?, &own.ok()?)
    }

    fn read(all: &str, own: &str) -> Option<Self> {
        // Some of a process's numbers may be negative; none that count here.
        let numbers = |text: &str| -> Vec<u64> {
            let numbers = text.split_whitespace();
            numbers.map(|number| number.parse().unwrap_or(0)).collect()
        };
        // "cpu  user nice system idle iowait irq softirq steal ...", the rest being counted in user and nice.
        let all = numbers(all.lines().next()?.strip_prefix("cpu ")?);
        let [user, nice, system, idle, iowait, irq, softirq, stolen, ..] = all[..] else {
            return None;
        };
        // "pid (name) state ...": the name may hold anything. From the state on, the times of user and system are
        // the fields 11 and 12.
        let (_, own) = own.rsplit_once(')')?;
        let own = numbers(own);
        let busy = user + nice + system + irq + softirq;
        Some(Ticks {
            all: busy + idle + iowait + stolen,
            busy,
            stolen,
            own: own.get(11)? + own.get(12)?,
        })
    }

    fn rivals_since(self, before: Ticks) -> Option<Rivals> {
        let all = self.all.checked_sub(before.all).filter(|&all| all > 0)? as f64;
        let own = self.own.saturating_sub(before.own);
        Some(Rivals {
            programs: self.busy.saturating_sub(before.busy).saturating_sub(own) as f64 / all,
            machines: self.stolen.saturating_sub(before.stolen) as f64 / all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rivals_are_those_who_are_neither_idle_nor_we() {
        let own =
            |user| format!("17 (a) b (c) S 1 -2 3 0 -1 4194560 1 2 3 4 {user} 5 0 0 20 0 3 0 99 1000 20\n");
        let all = |user, idle, stolen| format!("cpu  {user} 10 20 {idle} 5 1 2 {stolen} 7 8\ncpu0 1 2 3\n");
        let before = Ticks::read(&all(100, 1000, 50), &own(30)).unwrap();
        assert_eq!(
            (before.all, before.busy, before.stolen, before.own),
            (1188, 133, 50, 35)
        );
        let after = Ticks::read(&all(180, 1100, 70), &own(80)).unwrap();
        let rivals = after.rivals_since(before).unwrap();
        assert_eq!((rivals.programs, rivals.machines), (0.15, 0.1));
        assert_eq!(before.rivals_since(before), None);
        assert!(Ticks::read("intr 1", &own(1)).is_none());
    }
}
