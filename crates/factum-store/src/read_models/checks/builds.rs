//! Builds are told apart, found again, and taken away; notes are kept of projections.

use super::{Check, all, begun, build, document, documents, kept, opened, refused};
use crate::read_models::{Build, ReadModels, Tables};
use bytes::Bytes;
use factum_event::Value;
use std::sync::Arc;

pub(super) const CHECKS: [Check; 5] = [
    |models| Box::pin(a_build_is_made_by_who_opens_it_and_by_nobody_else(models)),
    |models| Box::pin(builds_are_told_apart_in_every_part(models)),
    |models| Box::pin(a_build_is_refused_for_other_tables_than_it_was_made_for(models)),
    |models| Box::pin(what_is_taken_away_can_be_read_by_who_has_it_open(models)),
    |models| Box::pin(the_last_note_of_a_projection_is_given_back_whole(models)),
];

async fn a_build_is_made_by_who_opens_it_and_by_nobody_else(models: Arc<dyn ReadModels>) {
    let found = models.find(&build()).await.expect("a build is looked for");
    assert!(found.is_none(), "no build is found where none was made");
    assert_eq!(models.builds("roster").await, Ok(Vec::new()), "looking for a build makes none");
    let made = opened(&*models).await;
    assert_eq!(*made.build(), build(), "a build says which it is");
    assert_eq!(made.checkpoint().await, Ok(None), "a new build has come nowhere");
    kept(&*made, vec![document("ann", 3, [Value::Null, Value::Null])], 3).await;
    let of_everyone = (vec!["ann at 3".to_owned()], Some(super::checkpoint(3)));
    let again = opened(&*models).await;
    assert_eq!(all(&*again).await, of_everyone, "who opens a build again finds what it holds");
    drop((made, again));
    let found = models.find(&build()).await.expect("a build is looked for").expect("it is there");
    assert_eq!(*found.build(), build(), "a build that is found says which it is");
    assert_eq!(all(&*found).await, of_everyone, "who looks for a build finds what it holds");
}

async fn builds_are_told_apart_in_every_part(models: Arc<dyn ReadModels>) {
    let of = |projection: &str, version, number| Build { projection: projection.into(), version, number };
    // By number, not by version or by the digits.
    let rosters = [of("roster", 2, 2), of("roster", 1, 9), of("roster", 11, 10), of("roster", 1, 11)];
    let others = [of("roster-2", 1, 1), of("roste", 1, 1), of("r", 2, 2)];
    let made: Vec<_> = rosters.iter().rev().chain(&others).collect();
    for (position, build) in (1..).zip(&made) {
        let model = models.open(build, &documents()).await.expect("a build is made");
        kept(&*model, vec![document(&build.to_string(), position, [Value::Null, Value::Null])], position)
            .await;
    }
    for (position, build) in (1..).zip(&made) {
        let model = models.find(build).await.expect("a build is looked for").expect("it is there");
        let expected = (vec![format!("{build} at {position}")], Some(super::checkpoint(position)));
        assert_eq!(all(&*model).await, expected, "builds are told apart in every part");
    }
    let listed = models.builds("roster").await;
    assert_eq!(listed, Ok(rosters.into()), "the builds of a projection are listed in order of their numbers");
    assert_eq!(models.builds("rost").await, Ok(Vec::new()), "no other projection's builds are listed");
}

async fn a_build_is_refused_for_other_tables_than_it_was_made_for(models: Arc<dyn ReadModels>) {
    let form = || "form 1".to_owned();
    let others = [
        Tables::Documents { indexes: &["course", "taken"], form: "form 2".to_owned() },
        Tables::Documents { indexes: &["course"], form: form() },
        Tables::Documents { indexes: &["taken", "course"], form: form() },
        Tables::Documents { indexes: &["course", "taken", "more"], form: form() },
    ];
    let made = opened(&*models).await;
    kept(&*made, vec![document("ann", 3, [Value::Null, Value::Null])], 3).await;
    for still_open in [true, false] {
        for other in &others {
            let claim = "a build is refused for other tables than it was made for";
            let told = refused(models.open(&build(), other).await, claim);
            assert!(told.contains("roster.1.1") && told.contains("raise the version"), "{told}");
        }
        if still_open {
            assert_eq!(all(&*made).await.0, ["ann at 3"], "what was refused changes nothing");
        }
    }
    drop(made);
    assert_eq!(all(&*opened(&*models).await).await.0, ["ann at 3"], "what was refused changes nothing");
}

async fn what_is_taken_away_can_be_read_by_who_has_it_open(models: Arc<dyn ReadModels>) {
    let other = Build { number: 2, ..build() };
    let [one, two] = [&build(), &other].map(|build| {
        let models = Arc::clone(&models);
        let build = build.clone();
        async move { models.open(&build, &documents()).await.expect("a build is made") }
    });
    let (one, two) = (one.await, two.await);
    for model in [&one, &two] {
        kept(&**model, vec![document("ann", 3, [Value::Null, Value::Null])], 3).await;
    }
    assert_eq!(models.remove(&build()).await, Ok(()), "a build can be taken away");
    assert_eq!(models.builds("roster").await, Ok(vec![other]), "what is taken away is not listed");
    let found = models.find(&build()).await.expect("a build is looked for");
    assert!(found.is_none(), "what is taken away is not found");
    assert_eq!(all(&*one).await.0, ["ann at 3"], "who has a build open can read on in it");
    assert_eq!(all(&*two).await.0, ["ann at 3"], "nothing else is taken away");
    assert_eq!(models.remove(&build()).await, Ok(()), "what is not there can be taken away");
    let again = opened(&*models).await;
    assert_eq!(all(&*again).await, (Vec::new(), None), "where a build was taken away a new one is empty");
    drop(begun(&*again).await);
}

async fn the_last_note_of_a_projection_is_given_back_whole(models: Arc<dyn ReadModels>) {
    assert_eq!(models.notes("roster").await, Ok(None), "nothing is noted of a new projection");
    let large = Bytes::from(vec![7; 100_000]);
    for notes in [Bytes::from_static(&[0, 255, 39]), Bytes::new(), large.clone()] {
        assert_eq!(models.note("roster", notes.clone()).await, Ok(()), "something can be noted");
        let noted = models.notes("roster").await;
        assert!(noted == Ok(Some(notes)), "the last note of a projection is given back whole");
    }
    assert_eq!(models.notes("roste").await, Ok(None), "nothing is noted of another projection");
    assert_eq!(models.note("roste", Bytes::from_static(b"x")).await, Ok(()), "something can be noted");
    assert!(models.notes("roster").await == Ok(Some(large)), "notes of projections are told apart");
    assert_eq!(models.builds("roster").await, Ok(Vec::new()), "a note makes no build");
}
