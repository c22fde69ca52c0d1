//! A list of a service: a page of so many, with what was asked for, and where it goes on.

use crate::notes::{Answer, Client, served};
use axum::{extract::State, response::Response};
use factum::App;
use factum_http::{Listed, Metrics, Permissions, Problem, Routes, Service, get};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Blue,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "WantedMarbles")]
struct Wanted {
    /// Only those of this colour.
    colour: Option<Colour>,
    /// Only those that weigh so much at least, in grams.
    #[serde(default)]
    grams: u32,
    /// Only those called so.
    name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Marble {
    colour: Colour,
    grams: u32,
}

/// Ten marbles, from 1 to 10 grams, the odd ones red. A cursor is the weight of the last.
async fn list(State(_): State<App>, listed: Listed<Wanted>) -> Result<Response, Problem> {
    let after: u32 = match listed.cursor.as_deref().map(str::parse).transpose() {
        Ok(after) => after.unwrap_or(0),
        Err(_) => return Err(listed.not_its_cursor()),
    };
    let Wanted { colour, grams, name } = &listed.wanted;
    let all = (1..=10)
        .map(|grams| Marble { colour: if grams % 2 == 1 { Colour::Red } else { Colour::Blue }, grams });
    let fits = |marble: &Marble| {
        let named = name.as_deref().is_none_or(|name| name == "marble & co");
        named && marble.grams > after && marble.grams >= *grams && colour.is_none_or(|it| it == marble.colour)
    };
    let mut found: Vec<_> = all.filter(fits).collect();
    let more = found.len() > listed.limit;
    found.truncate(listed.limit);
    let next = found.last().filter(|_| more).map(|last| last.grams.to_string());
    Ok(listed.answer(&found, next.as_deref()))
}

async fn plain(State(_): State<App>, listed: Listed) -> Response {
    listed.answer(&[listed.limit], None)
}

fn service() -> Service {
    let app = App::in_memory().start();
    let routes = Routes::new()
        .query("marbles.list", "/marbles", get(list).about("Lists marbles").answers::<Vec<Marble>>())
        .query("marbles.plain", "/plain", get(plain).about("Shows its limit").answers::<Vec<usize>>())
        .with_state(app.clone());
    Service { name: "marbles", about: "marbles", app, routes, permissions: Permissions::new(), hints: &[] }
}

fn asked<T: Send + 'static>(ask: impl FnOnce(&Client) -> T + Send + 'static) -> T {
    served(vec![service()], Metrics::default(), ask)
}

fn grams(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json().as_array().unwrap().iter().map(|marble| marble["grams"].as_u64().unwrap()).collect()
}

/// Where a page goes on.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link");
    let rest = link.strip_prefix('<')?;
    Some(rest.strip_suffix(">; rel=\"next\"").unwrap().to_owned())
}

#[test]
fn a_list_goes_on_by_its_link_with_all_that_was_asked_for() {
    asked(|client| {
        let (mut seen, mut path) =
            (Vec::new(), Some("/marbles?colour=red&name=marble+%26%20co&limit=2".to_owned()));
        while let Some(at) = path {
            let page = client.get(&at);
            assert!(seen.is_empty() || at.contains("colour=red&name=marble+%26+co&limit=2&cursor="), "{at}");
            seen.push(grams(&page));
            path = next(&page);
        }
        assert_eq!(seen, [vec![1, 3], vec![5, 7], vec![9]]);
        assert_eq!(grams(&client.get("/marbles?grams=9")), [9, 10]);
        assert_eq!(client.get("/plain").json(), json!([100]));
    });
}

#[test]
fn what_is_not_declared_or_not_of_its_form_is_refused_by_name() {
    asked(|client| {
        for (query, field) in [
            ("weight=7", "weight"),
            ("colour=green", "colour"),
            ("colour=", "colour"),
            ("colour=red&colour=blue", "colour"),
            ("grams=heavy", "grams"),
            ("grams=-1", "grams"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("cursor=x", "cursor"),
        ] {
            let refused = client.get(&format!("/marbles?{query}"));
            assert_eq!(
                (refused.status, &refused.json()["fields"][0]["field"]),
                (400, &json!(field)),
                "{query}: {refused:?}"
            );
        }
        let refused = client.get("/plain?colour=red");
        assert_eq!((refused.status, &refused.json()["fields"][0]["field"]), (400, &json!("colour")));
    });
}

#[test]
fn a_page_that_the_client_has_is_not_sent_again_unless_it_goes_on_otherwise() {
    asked(|client| {
        let page = client.get("/marbles?limit=3");
        let tag = page.header("etag");
        assert!(tag.starts_with("W/\""), "{tag}");
        let again = |path: &str| client.send("GET", path, &[("If-None-Match", &tag)], "");
        let same = again("/marbles?limit=3");
        assert_eq!((same.status, &*same.text, same.header("link")), (304, "", page.header("link")));
        assert_eq!(again("/marbles?limit=4").status, 200);
        assert_eq!(again("/marbles?limit=3&grams=1").status, 200, "it goes on under another address");
        let ended = "/marbles?grams=8";
        let goes_on = "/marbles?limit=3&cursor=7";
        assert_eq!(client.get(ended).json(), client.get(goes_on).json());
        let tag = client.get(ended).header("etag");
        assert_eq!(
            client.send("GET", goes_on, &[("If-None-Match", &tag)], "").status,
            304,
            "neither goes on"
        );
        assert_eq!(client.send("GET", ended, &[("If-None-Match", "7")], "").status, 400);
    });
}

#[test]
fn its_parameters_are_described_with_their_forms() {
    let document: Value = serde_json::from_str(&service().openapi()).unwrap();
    let operation = &document["paths"]["/marbles"]["get"];
    let parameters = operation["parameters"].as_array().unwrap();
    let of = |name: &str| parameters.iter().find(|parameter| parameter["name"] == name).unwrap().clone();
    assert_eq!(of("limit")["schema"]["maximum"], 1000);
    assert_eq!(of("cursor")["in"], "query");
    let colour = of("colour");
    assert_eq!(
        (&colour["description"], &colour["required"]),
        (&json!("Only those of this colour."), &json!(false))
    );
    assert_eq!(colour["schema"], json!({"type": "string", "enum": ["red", "blue"]}));
    assert_eq!(of("name")["schema"], json!({"type": "string"}));
    assert_eq!(
        (of("grams")["schema"]["type"].clone(), of("grams")["schema"]["default"].clone()),
        (json!("integer"), json!(0))
    );
    let headers = operation["responses"]["200"]["headers"].as_object().unwrap();
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["ETag", "Link"]);
    assert_eq!(headers["Link"]["required"], false);
    assert!(operation["responses"]["304"].is_object());
}
