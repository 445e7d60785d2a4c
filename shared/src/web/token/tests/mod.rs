mod claims;
mod header;
mod issuer;
mod rotation;
mod server;
