//! The document of the service, `openapi.json`.

use factum::App;
use factum_testkit::committed;
use std::path::Path;

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let service = bank::service(bank::setup(App::in_memory()).start());
    committed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json"), &service.openapi());
}
