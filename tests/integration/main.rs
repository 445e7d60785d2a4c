//! Handlers driven by the payloads that AWS delivers, over the embedded engine.

mod api;
mod api_payloads;
mod cost;
mod crash;
mod imports;
mod pages;
mod privacy;
mod records;
mod stack;
mod verify;
