//! Handlers driven by the payloads that AWS delivers, over the embedded engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a test fails by panicking, and a table says more than a type"
)]

mod access;
mod api;
mod api_payloads;
mod browser;
mod chance;
mod console;
mod console_fields;
mod console_groups;
mod console_import;
mod console_provider;
mod console_sources;
mod contacts;
mod contacts_bulk;
mod contacts_faults;
mod contacts_refused;
mod cost;
mod crash;
mod customer_changes;
mod customer_events;
mod customer_requests;
mod customers;
mod dataset_clients;
mod decrypting;
mod docs;
mod docs_pages;
mod erasure;
mod erasure_faults;
mod error_codes;
mod event_bridge;
mod event_bridge_faults;
mod event_order;
mod events;
mod events_refused;
mod example_files;
mod faults;
mod fields;
mod five_systems;
mod formats;
mod group_deletion;
mod groups;
mod idempotency;
mod imports;
mod keys;
mod kills;
mod logs;
mod network;
mod other_processes;
mod pages;
mod parts;
mod permissions;
mod preview;
mod privacy;
mod provider;
mod rate;
mod records;
mod reference;
mod rejected;
mod rewrap;
mod s3_payloads;
mod settings;
mod snapshot;
mod sources;
mod stack;
mod template;
mod template_roles;
mod template_watch;
mod tokens;
mod uploads;
mod vectors_xlsx;
mod verify;
mod visitor;
mod warm_up;
mod workspace;
