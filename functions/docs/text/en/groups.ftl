# Groups and their customers.
mistakes = Something is not right yet
keep = Cancel, and leave everything as it is
to-group = To the group

groups-none = There are no groups yet. The first import makes one for its source.
groups-caption = Every customer is in the group of their source, such as customers.generic, and in those that they were uploaded to.
groups-more = More groups
groups-first = First groups
groups-next = More groups
group = Group
group-name = Name
group-id = Id
group-customers = Customers
group-pages = Pages
group-unknown = There is no such group.
group-new = New group
group-name-hint = What people call it, at most 200 characters.
group-id-optional = Id (optional)
group-id-hint = What programs call it: 1 to 64 characters of a-z, 0-9, _, . and -. It cannot change later. One is made if you leave this empty.
group-dataset-hint = A group has customers of one dataset.
group-create = Create the group
group-created = The group was created. Import a file into it to fill it.
group-renamed = The group has its new name.
group-name-missing = A group needs a name.
group-change = Change the group
group-rename = Rename the group
group-of-source = This group cannot be deleted: it holds all customers of its source for as long as they are there.
group-delete = Delete this group…
group-delete-title = Delete the group { $name }?
group-delete-stay = { $count ->
    [0] It has no customers.
    [one] Its customer stays: only the group goes.
   *[other] Its { $number } customers stay: only the group goes.
}
group-delete-explained = The group is unknown at once. A job then removes its memberships; until that has ended, no other group can have its id. To delete people, choose them on the group's page instead.
group-delete-button = Delete the group
group-deleting = The group is deleted. Its customers stay.
group-deleting-job = See the job that removes the memberships
group-empty = Nobody is in this group yet.

find = Find a customer by id
find-button = Find
find-hint = The customer's id at the source, or the uid. Ids are compared as they are written: 007 and 7 are two.
find-title = Find a customer
find-no-id = Type the id to look for.
find-nobody = Nobody in this group has the id { $id }.
find-as-written = Ids are compared as they are written: 007 and 7 are two, and so are a and A. Somebody who was deleted is not found either.
find-several = { $count ->
    [one] One customer has this id.
   *[other] { $number } have this id. Choose one.
}

page-title = Customers, page { $number }
page-rest-title = Customers, the rest of page { $number }
page-empty = Nobody is on this page any more.
page-first = First page
page-previous = Previous page
page-next = Next page
page-last = Last page
page-go = { $count ->
    [one] Go to page (there is one)
   *[other] Go to page (1 to { $number })
}
page-go-button = Go
page-beyond = { $count ->
    [one] There is no such page: this group has one.
   *[other] There is no such page: this group has { $number }.
}
page-not-a-number = A page's number is a whole number from 1 on.
page-rest = Show the rest of this page
page-rest-hint = The records of this page are too large to be shown at once.
page-left-out = { $count ->
    [one] There was no room for one more customer of this page. Find them by their id.
   *[other] There was no room for { $number } more customers of this page. Find them by their ids.
}
customers-caption = The fields that tell most. Open a customer to see all.
customer = Customer
customer-id = Customer
customer-fields = Fields
field = Field
value = Value
choose = Choose
created-at = Created
changed-at = Changed
not-set = not set
as-stored = As it is stored
whole-value = The whole value
stored-encrypted = stored encrypted

reveal = Show encrypted values
reveal-page = Show encrypted values of this page
reveal-hint = This is recorded in the audit, with your name.
revealed = Encrypted values are shown in clear. That was recorded in the audit. Pseudonyms cannot be turned back.
hide = Hide them again
delete-chosen = Delete the chosen customers…
delete-chosen-hint = Nothing is deleted yet: the next page asks.
delete-customer = Delete this customer…

erase-title = Delete customers for good
erase-number = { $count ->
    [one] One customer will be deleted.
   *[other] { $number } customers will be deleted.
}
erase-irreversible = This cannot be undone.
erase-removed = The record goes, with all meters at the customer and the memberships in every group.
erase-fenced = Later imports refuse the customer's id, until somebody releases it on purpose.
erase-backups = Backups hold what was deleted until they expire, after 35 days at the latest. A restored backup is cleaned before it is used.
erase-caption = Customers to delete
erase-count = { $count ->
    [one] To confirm, type the number of customers: 1
   *[other] To confirm, type the number of customers: { $count }
}
erase-count-hint = Digits only.
erase-count-wrong = This is not the number of customers to delete. Nothing was deleted.
erase-nobody = No customer was chosen. Tick those to delete on the group's page.
erase-too-many = At most 1,000 customers can be deleted at once.
erase-button = Delete them for good
erased-title = Deletion
erased-number = { $count ->
    [0] Nobody was deleted.
    [one] One customer was deleted.
   *[other] { $number } customers were deleted.
}
erased-not-found = Not found
erased-not-found-explained = These were no members of the group, or were deleted before.
receipt = Receipt
receipt-explained = Keep it: with it, “clientele verify” proves that nothing of these customers is left. It names them by keyed digests alone; it also says who asked for it, when, and in which group.
receipt-save = Save the receipt
receipt-text = Receipt as JSON

problem-invalid_group_id = An id has 1 to 64 characters of a-z, 0-9, _, . and -; it cannot be . or .. alone.
problem-reserved_group_id = Ids such as customers.generic are kept for the groups of all of a source's customers.
problem-group_exists = There is another group with this id. Choose another id, or leave it empty.
problem-group_being_deleted = The group that had this id is still being deleted. Choose another id, or try again later.
problem-invalid_name = A name has at most 200 characters that can be printed.
