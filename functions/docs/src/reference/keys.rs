//! `/v1/organization/keys`.

use clientele::dataset::schema::Schema;

use super::{
    Description,
    document::Response,
    replies::{conflict, location, no_store},
    shapes::{count, job_path, text, time},
};

const TAG: &str = "Organization";

fn state() -> Schema {
    Schema::choice(["active", "decrypting", "retired"])
        .described("Values are encrypted with the active one; older ones still decrypt, until nothing is under them.")
}

pub(super) fn list() -> Description {
    let key = Schema::object([
        ("version", count("The version, from 1.")),
        (
            "key",
            text("The 256 bits in base64; null of a retired one.").or_null(),
        ),
        ("created_at", time("When it was made.")),
        ("state", state()),
    ]);
    let keys = Schema::object([("keys", Schema::list(key.closed()))]).closed();
    Description::new(TAG, "Read the encryption keys", "Every version, the newest first, in clear: to decrypt by yourself. docs/decrypting.md says how.")
        .answers(200, Response::json("The keys.", keys).with_header("Cache-Control", no_store()))
}

pub(super) fn rotate() -> Description {
    let made = Schema::object([
        ("version", count("The new version.")),
        ("created_at", time("When it was made.")),
        ("state", state()),
    ]);
    Description::new(TAG, "Rotate the encryption key", "Makes a new version for what is written from now on. Older versions still decrypt.")
        .answers(201, Response::json("The new version.", made.closed()))
        .answers(409, conflict("Another rotation came first, too many versions are in use, or the first request with this Idempotency-Key is still being answered."))
}

pub(super) fn rewrap() -> Description {
    let started = Schema::object([
        ("job", job_path()),
        ("id", Schema::text_of("uuid").described("The job's id.")),
        ("state", super::jobs::state()),
        ("operation", Schema::choice(["rewrap"])),
    ]);
    Description::new(TAG, "Encrypt everything again", "Starts a job that encrypts every record under the newest key. It also retires older versions if it began at least a day after the rotation; else its remark says from when on another will.")
        .answers(202, Response::json("The job.", started.closed()).with_header("Location", location("The job.")))
}
