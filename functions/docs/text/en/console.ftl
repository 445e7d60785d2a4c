# The console.
console = Console
console-navigation = Console
console-home = Overview
console-import = Import
console-jobs = Jobs
console-groups = Groups
console-sources = Sources
console-fields = Fields
console-workspace = Your fields, documented
console-organization = You work for organization { $organization }.
console-may = What you may do
console-import-lead = Check a file, then bring its rows in.
console-jobs-lead = What has run, what is running, what was refused.
console-groups-lead = Look at customers, search, reveal, delete.
console-sources-lead = Where data comes from, and the tokens of programs.
console-fields-lead = What your workspace keeps about a customer.
console-workspace-lead = The page to give to whoever sends you files.
to-console = To the console
what-it-means = What this error means, and what to do

sign-in = Sign in
sign-out = Sign out
sign-in-provider = Sign in with your organization's account
sign-in-or-token = Or with a token
sign-in-wrong = This token is not accepted. Check that it was copied whole, and that it has not expired.
sign-in-too-long = This token is too long for a browser to keep: 3,900 characters at most.
sign-in-ended = Your session has ended. Sign in again.
sign-in-unreachable = The registry does not answer at the moment. Try again.
token = Token
token-hint = A JSON Web Token of your identity provider, or a source's token. It stays in a cookie that scripts cannot read, until you sign out or close the browser.

refused-forbidden = You may not do this
refused-missing = This does not exist
refused-busy = Too many requests
refused-other = This was refused
refused-unreachable = The registry does not answer
refused-unreachable-detail = Nothing is known of what was asked. Try again in a moment.
