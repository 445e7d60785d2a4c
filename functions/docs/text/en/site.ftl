# The frame of every page.
skip = Skip to the content
navigation = Site
languages = Language
nav-docs = Documentation
nav-api = API reference
nav-console = Console
request-id = Request id:
to-docs = To the documentation

failure-not-found = This page does not exist
failure-not-found-explanation = The address may be mistyped, or what it named is gone.
failure-method = This is not possible here
failure-method-explanation = The page exists, but does not take what was sent to it.
failure-server = Something went wrong
failure-server-explanation = It is not your doing. Try again in a moment, and quote the request id if it stays so.
failure-request = This request cannot be answered
failure-request-explanation = Go back, reload the page and try once more.

# The page that shows the API's document.
reference-title = API reference
reference-operations = Operations
reference-introduction = Every route of the API, with what it takes and answers. “Authorize” takes a token, which is forgotten when you leave the page; “Try it out” then sends real requests. The reference itself is in English.
reference-document = The same as an OpenAPI document
reference-no-script = The reference needs JavaScript. The OpenAPI document says the same.
nothing-here = There is nothing on this page.
