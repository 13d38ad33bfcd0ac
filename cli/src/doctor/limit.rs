//! The CPU time that a container's limit leaves, as Linux's control groups tell it.

use std::fs;
use std::path::Path;

/// The CPUs' worth of time that this process may use, if that is limited.
pub(super) fn of_this_process() -> Option<f64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit(&groups, Path::new("/sys/fs/cgroup"))
}

/// The lowest limit of the groups and of those they lie in.
///
/// Each line of `groups` is `NUMBER:CONTROLLERS:PATH`; version 2 has no controllers there.
fn limit(groups: &str, root: &Path) -> Option<f64> {
    let limits = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let (root, read): (_, fn(&Path) -> Option<f64>) = match controllers {
            "" => (root.to_owned(), limit_v2),
            _ if controllers.split(',').any(|controller| controller == "cpu") => {
                (root.join(controllers), limit_v1)
            }
            _ => return Vec::new(),
        };
        // Inside a container the path may be the host's, which does not exist here; the root then is the container's.
        let folders = Path::new(path.trim_start_matches('/')).ancestors();
        folders
            .filter_map(|folder| read(&root.join(folder)))
            .collect::<Vec<f64>>()
    });
    limits.min_by(f64::total_cmp)
}

/// `MICROSECONDS PERIOD`, or `max PERIOD` without a limit.
fn limit_v2(folder: &Path) -> Option<f64> {
    let text = fs::read_to_string(folder.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    ratio(quota, period)
}

/// The quota is -1 without a limit.
fn limit_v1(folder: &Path) -> Option<f64> {
    let [quota, period] = ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map(|name| folder.join(name));
    ratio(
        fs::read_to_string(quota).ok()?.trim(),
        fs::read_to_string(period).ok()?.trim(),
    )
}

fn ratio(quota: &str, period: &str) -> Option<f64> {
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then_some(quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, content: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn the_lowest_limit_of_all_groups_counts() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        write(root, "a/b/cpu.max", "max 100000\n");
        write(root, "a/cpu.max", "150000 100000\n");
        write(root, "c/cpu.max", "50000 100000\n");
        assert_eq!(limit("0::/a/b\n", root), Some(1.5));
        assert_eq!(limit("0::/\n", root), None);

        write(root, "cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
        write(root, "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
        let old = "7:cpu,cpuacct:/on/the/host\n3:cpuset:/c\n";
        assert_eq!(limit(old, root), None);
        write(root, "cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
        assert_eq!(limit(old, root), Some(2.0));
    }
}
