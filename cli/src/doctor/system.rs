//! The machine as its operating system describes it; what it does not tell stays unknown.

use std::fs;
use std::path::Path;

use super::limit;

/// A machine, and this process's share of it.
#[derive(Debug)]
pub(super) struct System {
    /// The CPU's name; empty if unknown.
    pub(super) cpu: String,
    /// The instruction sets that matter here and that the CPU has.
    pub(super) instructions: Vec<&'static str>,
    /// The instruction set that the library's loops use.
    pub(super) instructions_used: &'static str,
    /// Level with type, such as `"L1d"`, and bytes of each cache that a core sees; instructions' caches left out.
    pub(super) caches: Vec<(String, usize)>,
    /// CPUs that are running, if known.
    pub(super) online: Option<usize>,
    /// CPUs that this process may use, as far as the system tells: those it is bound to, within its limit.
    pub(super) available: usize,
    /// The CPUs' worth of time that a container's limit leaves, if there is one.
    pub(super) limit: Option<f64>,
    /// Whether two or more of the CPUs share a core, if known.
    pub(super) shares_cores: Option<bool>,
    /// Whether the CPUs are held at a low frequency.
    pub(super) saves_power: bool,
}

impl System {
    /// This machine.
    pub(super) fn this() -> Self {
        System {
            cpu: cpu(),
            instructions: instructions(),
            instructions_used: mfnet::internal::machine::instruction_set(),
            caches: caches(Path::new("/sys/devices/system/cpu/cpu0/cache")),
            online: line("/sys/devices/system/cpu/online").and_then(|list| length_of_list(&list)),
            available: std::thread::available_parallelism().map_or(1, Into::into),
            limit: limit::of_this_process(),
            shares_cores: line("/sys/devices/system/cpu/smt/active").map(|active| active == "1"),
            saves_power: saves_power(),
        }
    }

    /// The bytes of a core's L2 cache.
    pub(super) fn l2(&self) -> Option<usize> {
        self.caches
            .iter()
            .find_map(|(name, bytes)| (name == "L2").then_some(*bytes))
    }
}

/// A file of one line, if it can be read.
fn line(path: impl AsRef<Path>) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// The CPU's name; empty if unknown.
pub(crate) fn cpu() -> String {
    let model = if cfg!(target_os = "macos") {
        let sysctl = std::process::Command::new("sysctl")
            .args(["-n", "machdep.cpu.brand_string"])
            .output();
        sysctl
            .ok()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let info = fs::read_to_string("/proc/cpuinfo").ok();
        info.and_then(|info| model_name(&info))
    };
    model
        .or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok())
        .unwrap_or_default()
}

/// The first CPU's name, with family and model: virtual machines hide behind a name, and kernels are chosen by these.
fn model_name(info: &str) -> Option<String> {
    let value = |name: &str| {
        let pairs = info.lines().filter_map(|line| line.split_once(':'));
        let mut values = pairs
            .filter(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim());
        values.next()
    };
    let name = value("model name").or(value("CPU part"))?;
    Some(match value("cpu family").zip(value("model")) {
        Some((family, model)) => format!("{name} (family {family}, model {model})"),
        None => name.to_owned(),
    })
}

/// Each name, if the CPU has what it names.
#[cfg(target_arch = "x86_64")]
fn instructions() -> Vec<&'static str> {
    let with = |name: &'static str, has: bool| has.then_some(name);
    let sets = [
        with("AVX2", is_x86_feature_detected!("avx2")),
        with("FMA", is_x86_feature_detected!("fma")),
        with("AVX-512F", is_x86_feature_detected!("avx512f")),
        with("AVX-512BW", is_x86_feature_detected!("avx512bw")),
        with("AVX-512DQ", is_x86_feature_detected!("avx512dq")),
        with("AVX-512VL", is_x86_feature_detected!("avx512vl")),
    ];
    sets.into_iter().flatten().collect()
}

#[cfg(target_arch = "aarch64")]
fn instructions() -> Vec<&'static str> {
    let has = std::arch::is_aarch64_feature_detected!("neon");
    has.then_some("NEON").into_iter().collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn instructions() -> Vec<&'static str> {
    Vec::new()
}

fn caches(folder: &Path) -> Vec<(String, usize)> {
    let mut caches: Vec<(String, usize)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let cache = entry.ok()?.path();
            let kind = match line(cache.join("type"))?.as_str() {
                "Data" => "d",
                "Unified" => "",
                _ => return None,
            };
            let name = format!("L{}{kind}", line(cache.join("level"))?);
            Some((name, bytes(&line(cache.join("size"))?)?))
        })
        .collect();
    caches.sort_unstable();
    caches
}

/// `48K`, `32M`.
fn bytes(size: &str) -> Option<usize> {
    let (number, shift) = match size.strip_suffix('K') {
        Some(number) => (number, 10),
        None => (size.strip_suffix('M')?, 20),
    };
    number.parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// How many CPUs a list such as `0-3,8` names.
fn length_of_list(list: &str) -> Option<usize> {
    let ranges = list.split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        Some(last.checked_sub(first)? + 1)
    });
    ranges.sum()
}

fn saves_power() -> bool {
    let of_cpu = |name: &str| line(format!("/sys/devices/system/cpu/cpu0/cpufreq/{name}"));
    // These drivers call by that name a governor that rises to the highest frequency all the same.
    let rises = of_cpu("scaling_driver")
        .is_some_and(|driver| driver == "intel_pstate" || driver.starts_with("amd-pstate"));
    !rises && of_cpu("scaling_governor").is_some_and(|governor| governor == "powersave")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_read() {
        let info = "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Xeon: the CPU\n\n\
                    processor\t: 1\nmodel name\t: another\n";
        assert_eq!(model_name(info).unwrap(), "Xeon: the CPU (family 6, model 85)");
        assert_eq!(model_name("CPU part\t: 0xd40\n").unwrap(), "0xd40");
        assert_eq!(model_name("processor: 0\n"), None);
        assert_eq!(
            ["48K", "32M", "x", "4"].map(bytes),
            [Some(49_152), Some(32 << 20), None, None]
        );
        assert_eq!(
            ["0-3,8", "0", "2-5", "", "3-1"].map(length_of_list),
            [Some(5), Some(1), Some(4), None, None]
        );
    }

    #[test]
    fn caches_are_listed_without_those_of_instructions() {
        let folder = tempfile::tempdir().unwrap();
        for (index, level, kind, size) in [
            (3, "3", "Unified", "32M"),
            (0, "1", "Data", "48K"),
            (1, "1", "Instruction", "32K"),
        ] {
            let cache = folder.path().join(format!("index{index}"));
            fs::create_dir(&cache).unwrap();
            for (name, content) in [("level", level), ("type", kind), ("size", size)] {
                fs::write(cache.join(name), format!("{content}\n")).unwrap();
            }
        }
        let expected = vec![("L1d".to_owned(), 48 << 10), ("L3".to_owned(), 32 << 20)];
        assert_eq!(caches(folder.path()), expected);
        assert_eq!(caches(Path::new("no/such/folder")), vec![]);
    }
}
