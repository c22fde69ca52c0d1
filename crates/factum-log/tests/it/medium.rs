//! What a log stands on: where neither locks nor syncs can be relied on it is not written, or not without a word.

use crate::{
    sim::Sim,
    support::{numbers, options, store},
};
use factum_log::{Log, Medium, OpenError, Options};
use factum_store::ErrorKind;

fn nfs() -> Medium {
    Medium::Network { file_system: "NFS".to_owned() }
}

fn allowed(seed: u64) -> Options {
    Options { network_file_systems: true, ..options(seed) }
}

#[test]
fn on_a_network_file_system_a_log_is_not_written_and_nothing_is_made() {
    let sim = Sim::default();
    sim.stand_on(nfs());
    let refused = Log::open_on(sim.storage(), options(1)).unwrap_err();
    assert!(matches!(&refused, OpenError::Network { file_system, .. } if file_system == "NFS"));
    assert_eq!(refused.kind(), ErrorKind::FixInput);
    for said in ["sim", "NFS", "disk of this machine", "Options::network_file_systems"] {
        assert!(refused.to_string().contains(said), "{said}: {refused}");
    }
    assert!(sim.steps().is_empty(), "{:?}", sim.steps());
    assert!(sim.storage().lock().unwrap().is_some(), "nobody has the lock");
}

#[test]
fn whoever_allows_a_network_file_system_is_warned() {
    let sim = Sim::default();
    sim.stand_on(nfs());
    let (log, report) = Log::open_on(sim.storage(), allowed(1)).unwrap();
    assert_eq!(report.medium, nfs());
    assert!(report.warnings()[0].contains("NFS"), "{:?}", report.warnings());
    store(&log, 1).unwrap();
    assert_eq!(numbers(&log), [1]);
}

#[test]
fn a_log_on_a_network_file_system_is_read_with_a_warning() {
    let sim = Sim::default();
    store(&Log::open_on(sim.storage(), options(1)).unwrap().0, 1).unwrap();
    sim.stand_on(nfs());
    let (log, report) = Log::open_read_only_on(sim.storage(), options(2)).unwrap();
    assert_eq!(numbers(&log), [1]);
    assert!(report.warnings()[0].contains("NFS"), "{:?}", report.warnings());
}

#[test]
fn memory_and_what_passes_on_what_is_written_is_warned_of() {
    let media = [
        ("tmpfs", Medium::Memory { file_system: "tmpfs".to_owned() }, "loss of power"),
        ("FUSE", Medium::PassedOn { file_system: "FUSE".to_owned() }, "every sync"),
    ];
    for (name, medium, said) in media {
        let sim = Sim::default();
        sim.stand_on(medium);
        let warnings = Log::open_on(sim.storage(), options(1)).unwrap().1.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(name) && warnings[0].contains(said), "{warnings:?}");
    }
    assert!(Log::open_on(Sim::default().storage(), options(1)).unwrap().1.warnings().is_empty());
}
