# Jobs.
jobs-caption = The latest first. Jobs are kept for 90 days.
jobs-none = Nothing has been imported yet.
jobs-none-import = Import a file
jobs-pages = More jobs
jobs-latest = Latest jobs
jobs-earlier = Earlier jobs
jobs-all = All jobs

job-file = File
job-state = State
job-what = What it does
job-dataset = Dataset
job-source = Source
job-group = Group
job-format = Format
job-rows = Rows
job-rejected = Rejected
job-registered = Registered
job-started = Started
job-finished = Finished
job-id = Id
job-facts = About this job
job-columns = What its columns became
job-open = Open this job
job-cancel = Stop this job

state-queued = Waiting
state-running = Running
state-stopping = Stopping
state-completed = Completed
state-completed-with-rejections = Completed, some rows rejected
state-cancelled = Cancelled
state-failed = Failed

operation-import = Import
operation-all-or-nothing = Import, all rows or none
operation-update = Update of customers
operation-dry-run = Dry run
operation-rewrap = Encrypting again
operation-delete-group = Deleting a group

delimiter-comma = comma
delimiter-semicolon = semicolon
delimiter-tab = tab
delimiter-bar = vertical bar

progress = Progress
rows-per-second = { $number } rows a second
dry-run-explained = Nothing was written: this is what an import would do.
count-read = Rows read
count-created = Created
count-updated = Updated
count-unchanged = Unchanged
count-rejected = Rejected
count-duplicates = Repeated in the file
count-superseded = Already newer here

rejected-csv = Download the rejected rows
rejected-hint = Correct the rows in this file and import it again as it is. It holds personal data: delete it afterwards. It expires after 7 days.
rejected-hint-masked = Protected values are masked, since you do not have the scope pii:reveal.
rejected-parts = There are so many that they come in { $number } files. Each can be corrected and imported by itself.
rejected-part = Part { $number }
job-back = Back to the job
report-json = Download the report
row-errors = What is wrong with rows
row-errors-caption = The first 100 at most; the report has all that are kept.
row = Row
line = Line
column = Column
what-is-wrong = What is wrong
warning = Warning
becomes = Becomes
becomes-nothing = left out
