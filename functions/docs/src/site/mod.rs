//! What all pages share: the frame around them, their words, files and headers.

pub(crate) mod assets;
mod failure;
mod html;
mod page;
mod place;
mod typography;
pub(crate) mod words;

pub(crate) use assets::asset;
pub(crate) use failure::failure_page;
pub(crate) use html::{allow_uploads, html, no_store, redirect};
pub(crate) use page::Page;
pub(crate) use place::Place;
pub(crate) use typography::french;
