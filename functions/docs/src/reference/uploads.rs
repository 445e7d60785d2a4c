//! `/v1/uploads`.

use clientele::dataset::schema::{Additional, Schema};
use serde_json::json;

use super::{
    Description,
    document::{Parameter, RequestBody, Response},
    replies::{location, unauthorized},
    shapes::{dataset, group_id, job_id, job_path, source, time},
};

pub(super) fn announce() -> Description {
    // An empty one is none.
    let mode = || Schema::choice(["write", "all_or_nothing", "dry_run", ""]);
    let body = Schema::object([
        ("dataset", dataset().described("What the rows are.")),
        (
            "filename",
            Schema::text_like(r"^[^/\u0000-\u001f\u007f-\u009f]*[^/\s\u0000-\u001f\u007f-\u009f][^/\u0000-\u001f\u007f-\u009f]*$")
                .of_length(1, 255)
                .described("The file's name, without folders, of at most 255 bytes."),
        ),
    ])
    .with_optional([
        ("customer_group_id", group_id().or_null().described("A group that the records join.")),
        ("source", source().or_null().described("The source; api if a user names none.")),
        ("mode", mode().or_null().described("What becomes of the rows if some are refused: the others land, or none; or nothing is written at all.")),
    ]);
    let other_headers = Schema {
        additional_properties: Some(Additional::Of(Box::new(Schema::of("string")))),
        ..Schema::of("object")
    };
    let announced = Schema::object([
        (
            "url",
            Schema::text_of("uri").described("Where to put the file."),
        ),
        ("method", Schema::choice(["PUT"])),
        (
            "headers",
            other_headers.described("The headers to put it with."),
        ),
        ("job_id", job_id()),
        ("job", job_path()),
        ("expires_at", time("Until when the upload may begin.")),
    ]);
    let announced = Response::json("Where the file is to be put.", announced.closed());
    let example = json!({"dataset": "customers", "filename": "customers.csv"});
    Description::new("Uploads", "Announce a file", "Registers an import of a file of up to 5 GiB, and says where to put it: one PUT straight to the bucket, without the token. The import begins when it is there.")
        .takes(Parameter::query("source", "The source, if the body names none.", source()))
        .takes(Parameter::query("mode", "The mode, if the body names none.", mode()))
        .with_body(RequestBody::json(body, example))
        .answers(201, announced.with_header("Location", location("The job.")))
        .refuses(400, "A field is missing or not valid, the workspace has no fields, or the group is for another dataset.")
        .answers(401, unauthorized("There is no such group; or nobody known calls."))
        .refuses(404, "There is no such dataset, or the token is not for this source and dataset.")
}
