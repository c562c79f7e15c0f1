//! Decodes the files named by standard input, one a line, into a folder, for other programs to
//! compare: `N.ppm` for the picture of line N, and `verdicts.tsv` with what became of each line.
//!
//! `find photos -type f | cargo run --release --example pixels -- decoded`

#![expect(clippy::disallowed_methods, reason = "what a judge reads need not survive a crash")]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, BufRead},
    path::PathBuf,
};

use snapset::pixels::decode::{self, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from).ok_or("name a folder to write into")?;
    fs::create_dir_all(&folder)?;
    let mut verdicts = String::new();
    for (n, path) in io::stdin().lock().lines().enumerate() {
        let path = path?;
        match decode::decode(&fs::read(&path)?, Limits::default()) {
            Ok(decoded) => {
                let (width, height) = decoded.picture.dimensions();
                let mut file = format!("P6\n{width} {height}\n255\n").into_bytes();
                file.extend(decoded.picture.as_raw());
                fs::write(folder.join(format!("{n}.ppm")), file)?;
                writeln!(verdicts, "{n}\t{path}\t{}\t", decoded.format)?;
            }
            Err(reject) => writeln!(verdicts, "{n}\t{path}\t\t{reject}")?,
        }
    }
    fs::write(folder.join("verdicts.tsv"), verdicts)?;
    Ok(())
}
