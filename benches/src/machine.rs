//! What the machine tells: time that two processes share, processor time, how busy it is.

use rustix::{
    system::uname,
    time::{ClockId, Timespec, clock_gettime},
};
use std::{fs, thread};

/// Nanoseconds since a moment that all processes of the machine share. Never runs backwards.
pub(crate) fn now() -> u64 {
    nanos(clock_gettime(ClockId::Monotonic))
}

/// Nanoseconds of processor time that this process has taken, in all its threads.
pub(crate) fn processor_time() -> u64 {
    nanos(clock_gettime(ClockId::ProcessCPUTime))
}

fn nanos(time: Timespec) -> u64 {
    let part = |value: i64| u64::try_from(value).unwrap_or(0);
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}

/// Nanoseconds as seconds.
pub(crate) fn seconds(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64()
}

/// The machine in one line.
pub(crate) fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": ")).map_or("unknown processor", |(_, name)| name);
    format!("{cores} cores, {model}")
}

/// The machine, its memory and its kernel in one line.
pub(crate) fn platform() -> String {
    let kernel = uname();
    let (system, release) = (kernel.sysname().to_string_lossy(), kernel.release().to_string_lossy());
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let gibibytes = kibibytes.and_then(|number| number.parse::<u64>().ok()).map(|kibibytes| kibibytes >> 20);
    let memory = gibibytes.map_or_else(|| "unknown".to_owned(), |number| number.to_string());
    format!("{}, {memory} GiB of memory, {system} {release}", describe())
}

/// Bytes of files that this process has mapped and in memory. The kernel does not drop these from its page cache.
pub(crate) fn mapped() -> u64 {
    resident("RssFile:")
}

/// Bytes in memory that belong to this process alone.
pub(crate) fn anonymous() -> u64 {
    resident("RssAnon:")
}

fn resident(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    kibibytes.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or_default() << 10
}

/// How many wanted a core in the last minute: above the number of cores, others disturb.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}
