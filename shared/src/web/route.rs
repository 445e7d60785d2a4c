//! Every route: its method and path, who may call it, and what the audit calls it.

use http::Method;

use super::{Problem, Scope};

/// Makes the table of routes and the names of what they do.
macro_rules! endpoints {
    ($(
        $(#[$doc:meta])* $operation:ident: $method:ident $path:literal $(| $also:literal)*,
        $scope:ident, $action:literal, $dialect:ident;
    )+) => {
        /// What a route does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($(#[$doc])* $operation,)+
        }

        /// Every route. Where two match a path, the first is meant.
        pub const ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            operation: Operation::$operation,
            method: Method::$method,
            path: $path,
            also: &[$($also),*],
            scope: Scope::$scope,
            action: $action,
            dialect: Dialect::$dialect,
        },)+];
    };
}

impl Operation {
    /// Whether a source may do it with a token of its own.
    pub fn is_open_to_sources(self) -> bool {
        matches!(
            self,
            Self::PushRows
                | Self::PushEvents
                | Self::CheckRows
                | Self::ReadRows
                | Self::AnnounceUpload
                | Self::ListJobs
                | Self::ReadJob
                | Self::CancelJob
                | Self::ReadReport
                | Self::ReadRejected
                | Self::CreateContact
                | Self::CreateContacts
                | Self::ListContacts
        )
    }
}

/// One method of one path.
#[derive(Debug)]
pub struct Endpoint {
    /// What it does.
    pub operation: Operation,
    /// The method.
    pub method: Method,
    /// The path, with `{name}` for a segment and `{name+}` for one or more, as API Gateway has it.
    pub path: &'static str,
    /// Other paths that lead to the same, under which clients know it too.
    pub also: &'static [&'static str],
    /// What the caller must be allowed.
    pub scope: Scope,
    /// What the audit calls it.
    pub action: &'static str,
    /// Whose statuses and messages it answers with.
    pub dialect: Dialect,
}

impl Endpoint {
    /// Every path that leads to it.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.path).chain(self.also.iter().copied())
    }
}

/// A family of clients with statuses of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// HTTP's own meaning of statuses.
    Registry,
    /// Customer management for workspaces: its clients know 403 as "not signed in".
    Workspace,
    /// Creation of contacts: what a body lacks is said under `detail`, item by item. Its other
    /// statuses are HTTP's own.
    Contacts,
}

endpoints! {
    /// Rows become an import.
    PushRows: POST "/api/v1/in/{dataset}", RecordsWrite, "records.push", Registry;
    /// Says what an import of rows would do.
    CheckRows: POST "/api/v1/in/{dataset}/check", RecordsWrite, "records.check", Registry;
    /// A page of a source's records.
    ReadRows: GET "/api/v1/out/{dataset}", RecordsRead, "records.read", Registry;
    /// Events about customers.
    PushEvents: POST "/v1/events", RecordsWrite, "events.push", Registry;
    /// How many pages a group has.
    CountPages: POST "/v1/customer/pages", RecordsRead, "records.count", Workspace;
    /// A page of a group.
    ReadCustomers: POST "/v1/customer", RecordsRead, "records.read", Workspace;
    /// Checks rows of a request and, if all are right, has them imported into a group.
    CheckCustomers: POST "/v1/customer/check", RecordsWrite, "records.upload", Workspace;
    /// The same of rows that change records which exist.
    UpdateCustomers: PATCH "/v1/customer", RecordsWrite, "records.update", Workspace;
    /// Customers are erased.
    DeleteCustomers: DELETE "/v1/customer", RecordsDelete, "records.delete", Workspace;
    /// Erased customers may come back.
    ReleaseFences: POST "/v1/fences/release", WorkspaceAdmin, "fences.release", Registry;
    /// A contact is made.
    CreateContact: POST "/external/v1/customers" | "/external/v1/external/v1/customers",
        RecordsWrite, "contacts.create", Contacts;
    /// Several contacts are made, all of them or none.
    CreateContacts: POST "/external/v1/customers/bulk" | "/external/v1/external/v1/customers/bulk",
        RecordsWrite, "contacts.create", Contacts;
    /// A page of the contacts.
    ListContacts: GET "/external/v1/customers" | "/external/v1/external/v1/customers",
        RecordsRead, "contacts.read", Contacts;
    /// The organisation's groups.
    ListGroups: GET "/v1/groups", RecordsRead, "groups.list", Registry;
    /// Makes a group.
    CreateGroup: POST "/v1/groups", RecordsWrite, "groups.create", Registry;
    /// Gives a group another name.
    RenameGroup: PATCH "/v1/groups/{id}", RecordsWrite, "groups.rename", Registry;
    /// Deletes a group, and not its members.
    DeleteGroup: DELETE "/v1/groups/{id}", RecordsDelete, "groups.delete", Registry;
    /// A file goes straight to the bucket.
    AnnounceUpload: POST "/v1/uploads", RecordsWrite, "uploads.announce", Registry;
    /// The fields of the workspace.
    ReadFields: GET "/v1/workspace/fields", RecordsRead, "fields.read", Registry;
    /// Other fields of the workspace.
    ReplaceFields: PUT "/v1/workspace/fields", WorkspaceAdmin, "fields.replace", Registry;
    /// The organisation's encryption keys, in clear.
    ListKeys: GET "/v1/organization/keys", PiiReveal, "keys.read", Registry;
    /// A new version of the encryption key.
    RotateKeys: POST "/v1/organization/keys/rotate", WorkspaceAdmin, "keys.rotate", Registry;
    /// Everything is encrypted again under the newest key.
    RewrapRecords: POST "/v1/organization/keys/rewrap", WorkspaceAdmin, "keys.rewrap", Registry;
    /// The organisation's settings.
    ReadSettings: GET "/v1/organization/settings", RecordsRead, "settings.read", Registry;
    /// Changes some of the organisation's settings.
    ChangeSettings: PATCH "/v1/organization/settings", WorkspaceAdmin, "settings.change", Registry;
    /// What protection makes of a value.
    ExplainProtection: POST "/v1/p14n/explain", PiiReveal, "p14n.explain", Registry;
    /// Makes a token for a source.
    GrantSourceToken: POST "/v1/sources", WorkspaceAdmin, "sources.grant", Registry;
    /// The sources and their tokens, without the tokens themselves.
    ListSources: GET "/v1/sources", WorkspaceAdmin, "sources.list", Registry;
    /// Takes a source's tokens back.
    RevokeSourceTokens: DELETE "/v1/sources/{data_origin}", WorkspaceAdmin, "sources.revoke", Registry;
    /// The organisation's jobs.
    ListJobs: GET "/v1/jobs", RecordsRead, "jobs.list", Registry;
    /// Stops a job.
    CancelJob: POST "/v1/jobs/{id+}/cancel", RecordsWrite, "jobs.cancel", Registry;
    /// What became of a job's rows, in full.
    ReadReport: GET "/v1/jobs/{id+}/report", RecordsRead, "jobs.report", Registry;
    /// A job's refused rows.
    ReadRejected: GET "/v1/jobs/{id+}/rejected.csv", RecordsRead, "jobs.rejected", Registry;
    /// One job.
    ReadJob: GET "/v1/jobs/{id+}", RecordsRead, "jobs.read", Registry;
}

/// A route that a request was matched to.
#[derive(Debug)]
pub struct Route<'p> {
    /// The route.
    pub endpoint: &'static Endpoint,
    /// What the path says at the route's one `{…}`, if it has one.
    pub parameter: &'p str,
}

impl<'p> Route<'p> {
    /// The route of a method and a path without slashes at its ends.
    pub fn of(method: &Method, path: &'p str) -> Result<Self, Problem> {
        let mut allowed: Vec<&str> = Vec::new();
        // What the path leads to, whatever the method: the end of `…/cancel` is no job's id.
        let mut meant = None;
        for endpoint in ENDPOINTS {
            let mut templates = endpoint.paths().map(|path| path.trim_start_matches('/'));
            let matched = templates.find_map(|of| Some((of, parameter(of, path)?)));
            let Some((template, parameter)) = matched else {
                continue;
            };
            if *meant.get_or_insert(template) != template {
                continue;
            }
            if endpoint.method == method {
                return Ok(Self {
                    endpoint,
                    parameter,
                });
            }
            allowed.push(endpoint.method.as_str());
        }
        allowed.sort_unstable();
        allowed.dedup();
        Err(match allowed.is_empty() {
            true => Problem::not_found("route"),
            false => Problem::method_not_allowed(&allowed.join(", ")),
        })
    }
}

/// What a path says at a template's `{…}`; empty for a template without one.
fn parameter<'p>(template: &str, path: &'p str) -> Option<&'p str> {
    let Some((before, rest)) = template.split_once('{') else {
        return (template == path).then_some("");
    };
    let (name, after) = rest.split_once('}')?;
    let value = path.strip_prefix(before)?.strip_suffix(after)?;
    let fits = !value.is_empty() && (name.ends_with('+') || !value.contains('/'));
    fits.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_first_route_that_fits() {
        let table = [
            (
                "POST",
                "api/v1/in/customers",
                Operation::PushRows,
                "customers",
            ),
            (
                "POST",
                "api/v1/in/customers/check",
                Operation::CheckRows,
                "customers",
            ),
            ("GET", "v1/jobs", Operation::ListJobs, ""),
            (
                "GET",
                "v1/jobs/h/1/upload_customers/u",
                Operation::ReadJob,
                "h/1/upload_customers/u",
            ),
            (
                "GET",
                "v1/jobs/h/1/u/report",
                Operation::ReadReport,
                "h/1/u",
            ),
            ("POST", "v1/jobs/u/cancel", Operation::CancelJob, "u"),
            (
                "POST",
                "external/v1/external/v1/customers/bulk",
                Operation::CreateContacts,
                "",
            ),
            ("GET", "external/v1/customers", Operation::ListContacts, ""),
        ];
        for (method, path, operation, parameter) in table {
            let route = Route::of(&method.parse().unwrap(), path).unwrap();
            assert_eq!(route.endpoint.operation, operation, "{path}");
            assert_eq!(route.parameter, parameter, "{path}");
        }
    }

    #[test]
    fn what_no_route_takes_is_404_or_405() {
        let table = [
            ("GET", "v1/nothing", 404),
            ("GET", "api/v1/in/customers", 405),
            ("POST", "api/v1/in", 404),
            ("GET", "api/v1/out/a/b", 404),
            ("DELETE", "v1/jobs/u", 405),
            ("GET", "v1/jobs/u/cancel", 405),
            ("POST", "v1/jobs/u/report", 405),
            ("GET", "", 404),
        ];
        for (method, path, status) in table {
            let problem = Route::of(&method.parse().unwrap(), path).unwrap_err();
            assert_eq!(problem.status(), status, "{method} {path}");
        }
    }
}
