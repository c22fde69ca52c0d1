//! What the fuzz targets were fed stays harmless: the committed corpus, and seeded mutations of it, with checksums
//! made right for half of them.
//!
//! `FACTUM_LOG_CORPUS_TO=DIR cargo test -p factum-log corpus` writes the seeds of the corpus anew.

use crate::{
    script::{Player, script},
    sim::{Crash, Sim},
    support::Rng,
};
use factum_testkit::soak;
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};
use targets::{HEADLESS, MENDED};

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets are another package, which sees it")]
mod targets;

const INDEX_HEADER_BYTES: usize = 384;

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 4] = [
    ("frame", targets::frame),
    ("segment", targets::segment),
    ("index_file", targets::index_file),
    ("directory", targets::directory),
];

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The inputs of a target, in the order of their names.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<_> =
        fs::read_dir(folder(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.display().to_string(), fs::read(&path).unwrap());
    paths.into_iter().map(read).collect()
}

/// Feeds a target; a panic names the input.
fn feed((name, target): Target, input: &[u8], from: &str) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        let path = std::env::temp_dir().join(format!("factum-log-{name}"));
        fs::write(&path, input).unwrap();
        panic!("target {name} fails on {}, made of {from}", path.display());
    }
}

/// Another input of much the same form.
fn mutated(rng: &mut Rng, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..1 + rng.below(4) {
        if bytes.is_empty() {
            break;
        }
        let (at, length) = (rng.below(bytes.len()), 1 + rng.below(80));
        let to = bytes.len().min(at + length);
        match rng.below(8) {
            0 | 1 => bytes[at] ^= 1 << rng.below(8),
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][rng.below(5)],
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..to)),
            5 => {
                let from = rng.below(other.len());
                let part = other[from..other.len().min(from + length)].to_vec();
                drop(bytes.splice(at..to.min(at + part.len()), part));
            }
            6 => bytes[at..to].fill([0, 0xff][rng.below(2)]),
            _ => {
                let part = bytes[at..to].to_vec();
                drop(bytes.splice(at..at, part));
            }
        }
    }
    if let Some(flags) = bytes.first_mut() {
        *flags = [0, MENDED][rng.below(2)] | [HEADLESS, 0, 0, 0][rng.below(4)];
    }
    bytes
}

fn play(seed: u64) {
    let mut rng = Rng(seed);
    for target in TARGETS {
        let corpus = corpus(target.0);
        for _ in 0..40 {
            let (from, input) = &corpus[rng.below(corpus.len())];
            let (_, other) = &corpus[rng.below(corpus.len())];
            feed(target, &mutated(&mut rng, input, other), from);
        }
    }
}

#[test]
fn no_input_of_the_corpus_does_harm() {
    if let Some(to) = std::env::var_os("FACTUM_LOG_CORPUS_TO") {
        write_seeds(Path::new(&to));
    }
    for target in TARGETS {
        let corpus = corpus(target.0);
        assert!(corpus.len() >= 3, "{} has {} inputs", target.0, corpus.len());
        for (from, input) in corpus {
            feed(target, &input, &from);
            for flags in 0..4 {
                let mut input = input.clone();
                input[0] = flags;
                feed(target, &input, &from);
            }
        }
    }
}

#[test]
fn soak_no_mutation_of_the_corpus_does_harm() {
    soak(0, 20, play);
}

/// A time that runs back in a sealed segment, whose frames opening does not read: verification alone tells.
#[test]
fn seed_20261166_a_forged_time_in_what_is_sealed_is_found_by_verification() {
    play(20_261_166);
}

/// In the header, in every section and in the zeros after it, where a flipped bit is met in an index file.
fn places(file: &[u8]) -> Vec<usize> {
    let number =
        |at: usize| usize::try_from(u64::from_le_bytes(file[at..at + 8].try_into().unwrap())).unwrap();
    let sections = (0..12).map(|section| (number(80 + section * 24), number(88 + section * 24)));
    let starts: Vec<_> = sections.clone().map(|(start, _)| start).chain([file.len()]).collect();
    let header = (0..INDEX_HEADER_BYTES).step_by(4);
    header
        .chain(sections.zip(&starts[1..]).flat_map(|((start, _), next)| (start..*next).step_by(5)))
        .collect()
}

#[test]
fn no_flipped_bit_of_an_index_file_does_harm() {
    let mut seen = 0;
    for (from, input) in corpus("index_file").into_iter().filter(|(_, input)| input.len() > 1000) {
        for at in places(&input[1..]) {
            for flags in [0, MENDED] {
                let mut input = input.clone();
                input[0] = flags;
                input[1 + at] ^= 1 << (at % 8);
                feed(("index_file", targets::index_file), &input, &format!("{from}, byte {at}"));
                seen += 1;
            }
        }
    }
    assert!(seen > 1000, "{seen} inputs");
}

/// The same beside its segments: what opens is whole, and is gone on with.
#[test]
fn no_flipped_bit_of_an_index_file_among_its_segments_does_harm() {
    let sealed = fixture("v1-sealed");
    let index_files = sealed.iter().enumerate().filter(|(_, (name, _))| name.ends_with(".idx"));
    for (number, (name, bytes)) in index_files {
        for (turn, at) in places(bytes).into_iter().enumerate().step_by(3) {
            let mut files = sealed.clone();
            files[number].1[at] ^= 1 << (at % 8);
            let flags = if turn % 2 == 0 { 0 } else { MENDED };
            feed(
                ("directory", targets::directory),
                &targets::packed(flags, &files),
                &format!("{name}, byte {at}"),
            );
        }
    }
}

/// The files of a log that was closed, or that a crash left.
fn played(crash: Option<Crash>) -> Vec<(String, Vec<u8>)> {
    let sim = Sim::default();
    let mut player = Player::new(&sim, 1, true);
    player.play(&script());
    if let Some(crash) = crash {
        sim.crash(crash);
    }
    player.log = None;
    sim.names().into_iter().map(|name| (name.clone(), sim.bytes(&name))).collect()
}

fn fixture(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

/// Real frames and segments, whole and torn, and the directories that they come from.
fn write_seeds(to: &Path) {
    let put = |target: &str, name: &str, input: Vec<u8>| {
        fs::create_dir_all(to.join(target)).unwrap();
        fs::write(to.join(target).join(name), input).unwrap();
    };
    let fixture = fixture("v1");
    let segments: Vec<_> = fixture.iter().filter(|(name, _)| name.ends_with(".seg")).collect();
    for (name, bytes) in &segments {
        put("segment", &format!("fixture-{}", &name[18..20]), [&[MENDED][..], bytes].concat());
        let salt = &bytes[56..60];
        let (mut at, mut number) = (64, 0);
        while at < bytes.len() {
            let length = 72 + u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap()) as usize;
            // A footer, where one stands, is as long as the rest.
            let frame = bytes.get(at..at + length).unwrap_or(&bytes[at..]);
            put("frame", &format!("{}-{number}", &name[18..20]), [&[0][..], salt, frame].concat());
            (at, number) = (at + frame.len(), number + 1);
        }
        let torn = [&[MENDED][..], &bytes[..bytes.len() - 30]].concat();
        put("segment", &format!("torn-{}", &name[18..20]), torn.clone());
        put("segment", &format!("headless-{}", &name[18..20]), [&[MENDED | HEADLESS][..], bytes].concat());
    }
    let footer = [&b"FFTR\x01\0\0\0"[..], &[0; 4], &20_u32.to_le_bytes(), b"root"].concat();
    put("frame", "footer", [&[MENDED, 1, 2, 3, 4][..], &footer].concat());
    put("segment", "footer", [&[MENDED][..], &segments[0].1, &footer].concat());
    put("segment", "footer-torn", [&[MENDED][..], &segments[0].1, &footer[..19]].concat());
    put("segment", "room-ahead", [&[MENDED][..], &segments[0].1, &[0; 300]].concat());
    put("segment", "header-only", [&[MENDED][..], &segments[0].1[..64]].concat());
    put("directory", "fixture", targets::packed(0, &fixture));
    let without = |left_out: &str| {
        fixture.iter().filter(|(name, _)| !name.starts_with(left_out)).cloned().collect::<Vec<_>>()
    };
    put("directory", "without-head", targets::packed(0, &without("head")));
    put("directory", "without-meta", targets::packed(0, &without("meta")));
    put("directory", "without-first", targets::packed(0, &without("00000000000000000001.")));
    let sealed = self::fixture("v1-sealed");
    for (name, bytes) in sealed.iter().filter(|(name, _)| name.ends_with(".idx")) {
        put("index_file", &format!("{}-{}", &name[18..20], &name[39..41]), [&[MENDED][..], bytes].concat());
    }
    let index_files: Vec<_> = sealed.iter().filter(|(name, _)| name.ends_with(".idx")).collect();
    put("index_file", "header-only", [&[MENDED][..], &index_files[0].1[..INDEX_HEADER_BYTES]].concat());
    put("directory", "sealed", targets::packed(0, &sealed));
    put("directory", "closed", targets::packed(0, &played(None)));
    put("directory", "power-lost", targets::packed(0, &played(Some(Crash::Power))));
    put("directory", "in-any-order", targets::packed(0, &played(Some(Crash::PowerAnyOrder(Rng(3))))));
}
