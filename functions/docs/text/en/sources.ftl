# Sources, their tokens, and the organization's settings.
sources-lead = A source is where data comes from: an app, a system, a partner. A program that pushes records of a source has a token of its own, which does nothing else.
sources-none = There are no sources yet. The first token or import makes one.
sources-caption = Tokens are listed by their ids, without the tokens themselves: each was shown once.
sources-more = More sources
sources-first = First sources
source-hint = A name of a-z, 0-9 and _, at most 32 characters. A new name makes a new source.
source-unknown = There is no such source.
to-sources = To the sources
tokens = Tokens
tokens-none = no tokens
tokens-revoked = { $count ->
    [0] No token was revoked: there was none left.
    [one] One token was revoked. It opens nothing from now on.
   *[other] { $number } tokens were revoked. They open nothing from now on.
}
token-id = Token id
token-for = Datasets
token-by = Made by
token-new = New token
token-own-source = only with the source “{ $source }”, and no other dataset
token-datasets-hint = What the token may push and read back.
token-no-datasets = Choose at least one dataset.
token-grant = Make the token
token-made = The token is made
token-once = Copy the token now: it is shown this once. Keep it where passwords are kept.
token-of = Token of the source { $source }
token-use = How to use it
token-use-explained = Put the token into the variable TOKEN of the program's environment, then:
token-revoke = Revoke
token-revoke-all = Revoke all
token-revoke-title = Revoke a token of { $source }?
token-revoke-all-title = Revoke all tokens of { $source }?
token-revoke-explained = Programs that use it are refused at once. The source and its records stay.
token-revoke-button = Revoke this token
token-revoke-all-button = Revoke all tokens

console-settings = Settings
settings = Settings and keys
settings-lead = How pseudonyms are made, what becomes of unknown columns, encryption keys
settings-saved = The settings are saved.
settings-read-only = Only people with the scope workspace:admin may change this.
settings-save = Save the settings
settings-pseudonyms = Pseudonyms
settings-pseudonyms-hint = They can change only while there are no records: the same person would have two.
pseudonyms-sha256 = Plain SHA-256: other systems can make the same, but hashes of phone numbers can be found by trying.
pseudonyms-hmac-sha256 = Keyed (HMAC-SHA-256, recommended): nobody can make them without your organization's key.
settings-unknown = Columns that no field knows
settings-unknown-hint = A column that looks like a mistyped personal field stops a file in any case.
unknown-keep = Keep them, encrypted, under “custom”
unknown-drop = Leave them out
unknown-reject = Refuse the file
keys = Encryption keys
keys-lead = Personal fields are encrypted with your organization's key, of which there may be several versions.
keys-caption = Versions of the key, the newest first. The keys themselves are not shown here.
keys-list = Show the versions
keys-list-hint = This is recorded in the audit as reading the keys.
keys-rotate = Make a new version
keys-rotate-hint = It is used for what is written from now on. Older versions still decrypt.
keys-rotated = There is a new version of the key.
keys-rewrap = Encrypt everything again
keys-rewrap-hint = A job brings all records to the newest version. From a day after that version was made, it also retires the older ones.
key-version = Version
key-active = in use for writing
key-older = decrypts older values
key-retired = retired

problem-too_many_tokens = A source has at most 10 tokens. Revoke one that is no longer used.
problem-source_of_dataset = Records of contacts and profiles each have a source of their own: choose that dataset alone, with its source.
problem-invalid_source = A source's name has 1 to 32 characters of a-z, 0-9 and _.
problem-reserved_source = This source is kept for the records of another interface. Choose another name.
problem-pseudonyms_in_use = Your organization has records whose pseudonyms were made the other way. This can change only while there are none.
problem-import_under_way = An import has not ended, or waits for a file that was announced. Wait for its end, or stop it under Jobs.
