# Bringing a file in.
import-title = Import a file
import-lead = Choose a file: you see what its columns become. A dry run says what an import would do, and writes nothing.
import-where = Where it goes
import-source-hint = Where the data comes from: lower-case letters, digits and underscores, for example billing. Empty means api.
import-group = Group, besides its source's own
import-group-none = none
import-file = The file
import-drop = Drop a file here, or choose one
import-formats = csv, xlsx, json or ndjson; texts may be compressed with gzip. Up to 5 GiB.
import-how = How
import-all-or-nothing = Bring all rows in or, if one is rejected, none
import-dry-run = Dry run
import-start = Import
import-noscript = Without scripts, files of up to { $number } MB can be sent.
import-result = Result
import-sending = Sending the file
import-looking = Looking at the file
import-not-sent = The file could not be sent. Check the connection and try again.
import-no-file = Choose a file of at most 4 MB; larger ones need a browser with scripts.
import-no-group = There is no such group for this dataset.
dataset-workspace = Workspace (your own fields)

preview-title = What its columns become
preview-caption = From the beginning of the file. Nothing has been sent to the store.
preview-sample = First value
preview-missing = No column was found for required fields:
preview-ignored = left out: only the registry fills { $field }
preview-near-miss = refused: did you mean { $field }? Rename the column
preview-events = The file holds events, whose members have fixed names; a dry run checks them.

badge-pseudonym = pseudonymised
badge-blur = blurred
badge-encrypt = encrypted
