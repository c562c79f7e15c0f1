//! How much memory a number of posts takes: every post an address of its own, a thousand small
//! pictures behind them, so that the records grow and the disk does not.

use std::{fs, path::Path};

use crate::{corpus, gauge, options::Options, server::Server, table, tools};

pub(super) fn measure(options: &Options, scratch: &Path) {
    let Some(tools::Tool::Snapset(program)) = options.tools.first() else {
        println!("memory is measured of snapset: --snapset PATH");
        return;
    };
    let server = Server::start(scratch);
    let list = scratch.join("list.csv");
    for posts in &options.posts {
        let folder = scratch.join(format!("{posts}"));
        fs::create_dir(&folder).unwrap();
        corpus::write_list(&list, "url\n", &server.base("small"), 0..*posts);
        server.begin(0);
        let mut command = tools::snapset(program, &folder, &list, &server);
        tools::keep_words(&mut command, &folder);
        let cost = gauge::run(&mut command, |_| false);
        let requests = server.traffic().requests;
        println!("{}", table::memory(*posts, cost, requests));
        if requests < u64::from(*posts) {
            println!("{}", fs::read_to_string(folder.join("log")).unwrap());
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
