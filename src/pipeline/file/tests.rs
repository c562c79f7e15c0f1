use super::*;

fn refusal(text: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cats.toml");
    files::write_atomic(&path, text.as_bytes()).unwrap();
    let error = Pipeline::read(&path).unwrap_err().to_string();
    error.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    let text = "[classes]\ncats = [\"r/cats\"]\n\n[prepare]\nsise = 128\n";
    insta::assert_snapshot!(
        refusal(text),
        @"DIR/cats.toml:5: unknown key `sise`; did you mean `size`?"
    );
}

#[test]
fn an_unknown_table_is_named_too() {
    let text = "[classes]\ncats = [\"r/cats\"]\n[trian]\n";
    insta::assert_snapshot!(
        refusal(text),
        @"DIR/cats.toml:3: unknown key `trian`; did you mean `train`?"
    );
}

#[test]
fn a_secret_is_refused_with_the_variable_it_belongs_in() {
    let text = "[classes]\ncats = [\"r/cats\"]\n[collect]\nclient_secret = \"hunter2\"\n";
    let refused = refusal(text);
    insta::assert_snapshot!(refused, @"DIR/cats.toml:4: `client_secret` is a secret and does not belong in a file that is shared; set the environment variable REDDIT_CLIENT_SECRET (or a line in .env)");
    assert!(!refused.contains("hunter2"));
}

#[test]
fn a_place_nobody_knows_is_named_with_its_line() {
    let text = "[classes]\ncats = [\n  \"r/cats\",\n  \"redit:cats\",\n]\n";
    insta::assert_snapshot!(refusal(text), @"DIR/cats.toml:4: `redit:cats` is no place to collect from: write r/NAME for a subreddit, folder:PATH for pictures on this machine, or demo:NAME for the built-in demo site");
}

#[test]
fn a_place_under_two_classes_is_refused() {
    let text = "[classes]\ncats = [\"r/pets\"]\ndogs = [\"r/pets\"]\n";
    insta::assert_snapshot!(
        refusal(text),
        @"DIR/cats.toml: `r/pets` is listed under `cats` and under `dogs`: a place can fill one class"
    );
}

#[test]
fn values_out_of_range_say_what_is_in_range() {
    let refused = |table: &str| refusal(&format!("[classes]\ncats = [\"r/cats\"]\n{table}"));
    insta::assert_snapshot!(refused("[prepare]\nsize = 4\n"), @"DIR/cats.toml: prepare.size = 4: use 16 to 4096 pixels");
    insta::assert_snapshot!(refused("[clean]\ndistance = 200\n"), @"DIR/cats.toml: clean.distance = 200: use 0 to 128 of the 256 bits; strangers lie around 128");
    insta::assert_snapshot!(refused("[split]\nratio = { train = 80, val = 30, test = 10 }\n"), @"DIR/cats.toml:4: train (80) + val (30) + test (10) must be 100, and train at least 1");
}
