//! The program as people run it: the built binary against the demo site, whole stages and whole
//! runs, each in a folder of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]
#![expect(clippy::print_stderr, reason = "what is skipped is said")]

mod asking;
mod bad_input;
mod browser;
mod deletions;
mod demo;
mod folder;
mod growth;
mod identical;
mod kill;
mod local_faults;
mod memory;
mod one_decode;
mod proxy;
mod publishing;
mod readme;
mod recipes;
mod review;
mod reviewing;
mod sources;
mod stand_in;
mod support;
