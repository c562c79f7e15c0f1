//! Finding twins, side by side with the tools people use: how well, and how fast.
//!
//!     cargo bench --profile release --bench dedupe -- quality …
//!     cargo bench --profile release --bench dedupe -- search [--hashes 10000,100000,1000000]
//!         [--rounds 3] [--peers faiss,imagededup] [--python python3] [--faiss-max 1000000]
//!         [--far 10000000]
//!
//! What each mode takes and shows is said at the top of its file.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench talks and may give up"
)]

mod quality;
mod search;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    match words.split_first() {
        Some((mode, rest)) if mode == "search" => search::run(rest),
        Some((mode, rest)) if mode == "quality" => quality::run(rest),
        Some(_) | None => println!("usage: dedupe search|quality … (see benches/dedupe/main.rs)"),
    }
}
