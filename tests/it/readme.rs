//! The session README shows: every command of it is run, in order, and must end as README says.

use std::{fs, path::Path, process::Command};

use super::support::Bench;

/// Returns the commands of README's session: lines that begin with `$ ` in blocks of `console`.
fn session() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(readme).unwrap();
    let blocks = text.split("```console\n").skip(1).map(|it| it.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines);
    lines.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

#[test]
fn every_command_of_the_readme_session_does_what_the_readme_says() {
    let dir = tempfile::tempdir().unwrap();
    let pipelines = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    fs::create_dir(dir.path().join("pipelines")).unwrap();
    fs::copy(pipelines.join("demo.toml"), dir.path().join("pipelines/demo.toml")).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_snapset")).parent().unwrap();
    let commands = session();
    assert!(6 <= commands.len(), "README shows a session: {commands:?}");

    for line in commands {
        let ended = Command::new("sh")
            .args(["-c", &line])
            .current_dir(dir.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", binary.display()))
            .output()
            .unwrap();

        // README writes the exit code of a command that does not end with 0 behind it.
        let wanted = line.rsplit_once("# exit ").map_or(0, |(_, code)| code.parse().unwrap());
        let out = String::from_utf8_lossy(&ended.stdout);
        let err = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(wanted), "{line}\n{out}\n{err}");
        if line == "snapset run pipelines/demo.toml" && out.contains("planted") {
            assert!(!out.contains("not all"), "{out}");
        }
        if line.contains("evaluate") {
            let percent = out.split("test accuracy ").nth(1).unwrap().split(' ').next().unwrap();
            assert!(95.0 <= percent.parse::<f64>().unwrap(), "{out}");
        }
    }
}

#[test]
fn every_pipeline_the_readme_shows_can_be_planned() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(readme).unwrap();
    let blocks: Vec<&str> =
        text.split("```toml\n").skip(1).map(|it| it.split("```").next().unwrap()).collect();
    assert!(6 <= blocks.len(), "one for each kind of place, and the rules");

    for block in blocks {
        let bench = Bench::with(block);
        let ended = bench.snapset(&["plan", "pipelines/small.toml"]);
        assert_eq!(ended.0.status.code(), Some(0), "{block}\n{}", ended.err());
    }
}
