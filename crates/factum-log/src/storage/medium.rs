//! What a directory stands on, as far as the system tells: whether its syncs and its locks are worth what the
//! engine takes them for. Never says what follows from that: `recovery` refuses, `OpenReport` warns.

use std::{fmt, io, path::Path};

/// What a log stands on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Medium {
    /// A disk of this machine; or nothing else is known of it, as on systems that are not asked.
    #[default]
    Local,
    /// The memory of this machine: nothing survives that it is switched off.
    Memory {
        /// What the system calls it.
        file_system: String,
    },
    /// Another machine, over a network.
    Network {
        /// What the system calls it.
        file_system: String,
    },
    /// A program, or the host of this machine, that passes on what is written: what it does with a sync or a lock
    /// is known to it alone.
    PassedOn {
        /// What the system calls it.
        file_system: String,
    },
}

impl Medium {
    /// What whoever keeps a log there should hear of.
    pub(crate) fn warning(&self) -> Option<String> {
        Some(match self {
            Self::Local => return None,
            Self::Memory { .. } => {
                format!("it stands on {self}, in memory: nothing of it survives the loss of power")
            }
            Self::Network { .. } => format!(
                "it stands on {self}, over a network: what is acknowledged is as safe as the server and its mount \
                 options make it, another machine may get past the lock, and a server that goes away may end this \
                 process"
            ),
            Self::PassedOn { .. } => format!(
                "it stands on {self}, which passes on what is written: see to it that it passes on every sync, and \
                 that nobody else writes there"
            ),
        })
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("a disk of this machine"),
            Self::Memory { file_system } | Self::Network { file_system } | Self::PassedOn { file_system } => {
                f.write_str(file_system)
            }
        }
    }
}

/// What `dir` stands on, or, before it is made, what it will stand on: that of the nearest directory above.
#[cfg(target_os = "linux")]
pub(super) fn of(dir: &Path) -> io::Result<Medium> {
    for dir in std::path::absolute(dir)?.ancestors() {
        match rustix::fs::statfs(dir) {
            Ok(found) => return Ok(of_type(low_word(found.f_type))),
            Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Medium::Local)
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub(super) fn of(_: &Path) -> io::Result<Medium> {
    Ok(Medium::Local)
}

/// The number of a file system has 32 bits, in a word whose length and sign are those of the machine.
#[cfg(target_os = "linux")]
fn low_word(number: impl Into<i128>) -> u32 {
    let [a, b, c, d, ..] = number.into().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// What a file system is, by its number in `linux/magic.h` or, where that has none, in its own source.
#[cfg(target_os = "linux")]
fn of_type(number: u32) -> Medium {
    let memory = |name: &str| Medium::Memory { file_system: name.to_owned() };
    let network = |name: &str| Medium::Network { file_system: name.to_owned() };
    let passed_on = |name: &str| Medium::PassedOn { file_system: name.to_owned() };
    match number {
        0x0102_1994 => memory("tmpfs"),
        0x8584_58f6 => memory("ramfs"),
        0x6969 => network("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => network("SMB"),
        0x5346_414f | 0x6b41_4653 => network("AFS"),
        0x00c3_6400 => network("Ceph"),
        0x7375_7245 => network("Coda"),
        0x0bd0_0bd0 => network("Lustre"),
        0x6573_5546 => passed_on("FUSE"),
        0x0102_1997 => passed_on("9p"),
        0x786f_4256 => passed_on("a shared folder of VirtualBox"),
        _ => Medium::Local,
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::storage::{FileStorage, Storage};

    #[test]
    fn file_systems_are_told_by_their_numbers() {
        let told = |number: i64| of_type(low_word(number));
        assert_eq!(told(0xef53), Medium::Local, "ext4");
        assert_eq!(told(0x794c_7630), Medium::Local, "overlayfs stands on what is below it");
        assert_eq!(told(0x6969), Medium::Network { file_system: "NFS".to_owned() });
        assert_eq!(told(0xff53_4d42), Medium::Network { file_system: "SMB".to_owned() });
        assert_eq!(low_word(i32::from_le_bytes(0xff53_4d42_u32.to_le_bytes())), 0xff53_4d42, "32 bits");
        assert_eq!(told(0x6573_5546), Medium::PassedOn { file_system: "FUSE".to_owned() });
    }

    #[test]
    fn a_directory_that_is_not_there_yet_will_stand_on_what_is_above_it() {
        let memory = Medium::Memory { file_system: "tmpfs".to_owned() };
        for dir in ["/dev/shm", "/dev/shm/factum-none/calculator/events"] {
            assert_eq!(FileStorage::new(dir).medium().unwrap(), memory, "{dir}");
        }
        assert_eq!(FileStorage::new("/proc/self").medium().unwrap(), Medium::Local);
    }
}
