//! Has projections made anew, and waits until what was made is read.

use super::progress::Progress;
use crate::{
    admin::{
        Admin, Failure, read,
        wire::{Building, Made, Standing},
    },
    say::say,
    serve::stopped,
};
use serde_json::json;
use std::{collections::BTreeMap, pin::Pin, time::Duration};

/// How a rebuild goes is asked for so often.
const ASKED_EVERY: Duration = Duration::from_millis(200);

/// Ready once somebody asked the process to end.
type Interrupted = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes what stands under one key anew.
pub(super) fn key(admin: &Admin, one: &Standing, key: &str) -> Result<(), Failure> {
    let answer = admin.post(&format!("{}/rebuild", one.path()), Some(&json!({ "key": key })))?;
    let events = answer["events"].as_u64().unwrap_or_default();
    say(&format!("{}: made anew under the key; events applied: {events}\n", one.full_name()));
    Ok(())
}

/// Makes these anew, those of each service in one pass.
pub(super) fn all(admin: &Admin, chosen: &[&Standing], waits: bool) -> Result<(), Failure> {
    let mut services: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let (mut begun, mut refused) = (Vec::new(), Vec::new());
    for (at, &one) in chosen.iter().enumerate() {
        if chosen[..at].iter().any(|before| before.full_name() == one.full_name()) {
            continue;
        }
        // To open the data is to go on with what was begun before.
        if one.building.is_some() && admin.data().is_some() {
            begun.push(one.clone());
        } else {
            services.entry(&one.service).or_default().push(&one.name);
        }
    }
    let interrupted = interrupted(admin)?;
    for (service, names) in services {
        let path = format!("/admin/projections/{service}/rebuild");
        match admin.post(&path, Some(&json!({ "names": names }))) {
            Ok(answer) => begun.extend(read::<Vec<Standing>>(answer)?),
            // The others are waited for all the same.
            Err(failure) => refused.push(format!("{service}: {failure}")),
        }
    }
    wait(admin, &begun, waits, interrupted, refused)
}

/// Goes back to the build before.
pub(super) fn back(admin: &Admin, one: &Standing, waits: bool) -> Result<(), Failure> {
    let interrupted = interrupted(admin)?;
    let begun = read(admin.post(&format!("{}/rollback", one.path()), None)?)?;
    wait(admin, &[begun], waits, interrupted, Vec::new())
}

/// Listens from now on, so that nothing that was begun is left without a word.
fn interrupted(admin: &Admin) -> Result<Interrupted, Failure> {
    let _entered = admin.runtime.enter();
    Ok(Box::pin(stopped().map_err(Failure::System)?))
}

/// A build that is waited for.
#[derive(Debug)]
struct Awaited {
    name: String,
    build: Option<Made>,
}

impl Awaited {
    /// What was begun, or is read already.
    fn new(begun: &Standing) -> Self {
        let building = begun.building.as_ref().map(|building| building.build);
        Self { name: begun.full_name(), build: building.or(begun.build) }
    }
}

/// Waits for what was begun, if it is to be waited for; an error tells of all that `failed`, then or before.
fn wait(
    admin: &Admin,
    begun: &[Standing],
    waits: bool,
    mut interrupted: Interrupted,
    mut failed: Vec<String>,
) -> Result<(), Failure> {
    let mut awaited: Vec<_> = begun.iter().map(Awaited::new).collect();
    if !waits {
        let how = if admin.data().is_some() { "begins once it is served" } else { "has begun" };
        awaited.drain(..).for_each(|one| say(&format!("{}: it {how}; see its `status`\n", one.name)));
    }
    let mut progress = Progress::new();
    while !awaited.is_empty() {
        let all = admin.standings()?;
        awaited.retain(|awaited| match look(&all, awaited) {
            Came::Further(building) => {
                progress.moved(&awaited.name, building);
                true
            }
            Came::Home(build) => {
                progress.ended(&awaited.name, &format!("{}: build {build} is read now\n", awaited.name));
                false
            }
            Came::Not(why) => {
                progress.ended(&awaited.name, "");
                failed.push(format!("{} {why}", awaited.name));
                false
            }
        });
        if awaited.is_empty() {
            break;
        }
        let ended = admin.runtime.block_on(async {
            tokio::select! {
                () = &mut interrupted => true,
                () = tokio::time::sleep(ASKED_EVERY) => false,
            }
        });
        if ended {
            let names = awaited.iter().map(|awaited| &*awaited.name).collect::<Vec<_>>().join(", ");
            let how = if admin.data().is_some() { "goes on once it is served" } else { "goes on" };
            let left = format!("not waited for any more: {names}; it {how}, and `cancel` gives it up");
            failed.push(left);
            break;
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Unfinished(failed.join("\n"))) }
}

/// How far a build that is waited for has come.
#[derive(Debug)]
enum Came<'a> {
    Further(&'a Building),
    Home(Made),
    Not(String),
}

fn look<'a>(all: &'a [Standing], awaited: &Awaited) -> Came<'a> {
    let gone = || Came::Not("is not rebuilt any more: somebody cancelled it, or began another".to_owned());
    let one = all.iter().find(|one| one.full_name() == awaited.name);
    let Some((one, build)) = one.zip(awaited.build) else { return gone() };
    match &one.building {
        Some(building) if building.build == build => match &*building.status {
            _ if one.status == "disabled" => Came::Not("is disabled: enable it, and it goes on".to_owned()),
            "stopped" => {
                let cause = building.cause.as_deref().unwrap_or("no cause is told");
                Came::Not(format!("could not be made anew: {cause}; `cancel` gives it up"))
            }
            _ => Came::Further(building),
        },
        // Another may have taken its place since.
        _ if one.build == Some(build) || one.previous == Some(build) => Came::Home(build),
        _ => gone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(build: u32, previous: Option<u32>, building: Option<(u32, &str)>, status: &str) -> Standing {
        let made = |number: u32| json!({ "version": 1, "number": number });
        let building = building.map(|(number, status)| {
            json!({
                "build": made(number), "status": status, "cause": "the disk is full", "position": 3, "head": 10,
                "events_per_second": 1.5, "seconds_left": 4.5,
            })
        });
        read(json!({
            "service": "bank", "name": "sums", "version": 1, "position": 10, "head": 10, "lag_events": 0,
            "lag_seconds": 0.0, "status": status, "caught_up": true, "stalled": false, "mode": "async",
            "build": made(build), "parked": 0, "waiting": 0, "building": building,
            "previous": previous.map(made), "discarded": [],
        }))
        .unwrap()
    }

    #[test]
    fn a_build_is_waited_for_until_it_is_read_or_never_will_be() {
        let begun = standing(1, None, Some((2, "catching-up")), "caught-up");
        let awaited = Awaited::new(&begun);
        let came = |now: Standing| match look(&[now], &awaited) {
            Came::Further(building) => format!("further, {}", building.position),
            Came::Home(build) => format!("home, {build}"),
            Came::Not(why) => why,
        };
        assert_eq!(came(begun.clone()), "further, 3");
        assert_eq!(came(standing(1, None, Some((2, "retrying")), "paused")), "further, 3");
        assert_eq!(came(standing(2, Some(1), None, "caught-up")), "home, 1.2");
        assert_eq!(came(standing(3, Some(2), None, "caught-up")), "home, 1.2");
        for (now, why) in [
            (standing(1, None, None, "caught-up"), "cancelled"),
            (standing(1, None, Some((3, "catching-up")), "caught-up"), "began another"),
            (standing(1, None, Some((2, "stopped")), "caught-up"), "the disk is full"),
            (standing(1, None, Some((2, "paused")), "disabled"), "enable it"),
        ] {
            let told = came(now);
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn what_is_read_when_it_is_answered_is_home() {
        let begun = standing(2, Some(1), None, "caught-up");
        let awaited = Awaited::new(&begun);
        assert!(matches!(look(&[begun], &awaited), Came::Home(_)));
    }
}
