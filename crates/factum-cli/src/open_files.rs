//! How many files the process may have open, connections among them: as many as the system grants without
//! being asked for more, and a part of those for connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::num::NonZeroUsize;

/// Raises the soft limit to the hard one, and gives what is in force then; `None` is no limit.
pub(crate) fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        // A system may grant less than it says: what there was is there still.
        Err(_) => current,
    }
}

/// Most connections where so many files may be open: half of them, the other half is for the logs.
pub(crate) fn connections_max(wanted: NonZeroUsize, files: Option<u64>) -> NonZeroUsize {
    let half = files.and_then(|files| usize::try_from(files / 2).ok()).unwrap_or(usize::MAX);
    wanted.min(NonZeroUsize::new(half).unwrap_or(NonZeroUsize::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_half_of_the_files_to_the_logs() {
        let most = |wanted, files| connections_max(NonZeroUsize::new(wanted).unwrap(), files).get();
        assert_eq!(most(4096, None), 4096);
        assert_eq!(most(4096, Some(1_048_576)), 4096);
        assert_eq!(most(4096, Some(1024)), 512);
        assert_eq!(most(4096, Some(1)), 1);
        assert_eq!(most(7, Some(1024)), 7);
    }
}
