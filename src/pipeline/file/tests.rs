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
    insta::assert_snapshot!(refusal(text), @"DIR/cats.toml:4: `redit:cats` is no place to collect from: write r/NAME for a subreddit, folder:PATH, archive:PATH or urls:PATH for pictures on this machine, in an archive or in a list of addresses, dump:PATH#r/NAME or arctic:r/NAME for a subreddit out of a dump or the Arctic Shift archive, or demo:NAME for the built-in demo site");
}

#[test]
fn a_place_under_two_classes_is_refused() {
    let text = "[classes]\ncats = [\"r/pets\"]\ndogs = [\"r/pets\"]\n";
    insta::assert_snapshot!(
        refusal(text),
        @"DIR/cats.toml: `r/pets` is listed under `cats` and under `dogs`: give each its own rules that part them (flair, title, …), or list it once"
    );
}

#[test]
fn values_out_of_range_say_what_is_in_range() {
    let refused = |table: &str| refusal(&format!("[classes]\ncats = [\"r/cats\"]\n{table}"));
    insta::assert_snapshot!(refused("[prepare]\nsize = 4\n"), @"DIR/cats.toml: prepare.size = 4: use 16 to 4096 pixels");
    insta::assert_snapshot!(refused("[clean]\ndistance = 200\n"), @"DIR/cats.toml: clean.distance = 200: use 0 to 128 of the 256 bits; strangers lie around 128");
    insta::assert_snapshot!(refused("[split]\nratio = { train = 80, val = 30, test = 10 }\n"), @"DIR/cats.toml:4: train (80) + val (30) + test (10) must be 100, and train at least 1");
}

#[test]
fn a_place_may_have_rules_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pets.toml");
    let text = "[classes]\n\
                cats = [\"r/cats\", { place = \"r/pets\", flair = [\"Cat\"], min_score = 3 }]\n\
                [[classes.dogs]]\nplace = \"r/pets\"\ntitle = \"(?i)dog\"\n\
                [collect.filter]\nmin_score = 9\nmin_ratio = 0.8\n";
    files::write_atomic(&path, text.as_bytes()).unwrap();

    let pipeline = Pipeline::read(&path).unwrap();

    let pets = Place("r/pets".to_owned());
    let labels: Vec<&str> = pipeline.classes.labels_of(&pets).map(Label::as_str).collect();
    assert_eq!(labels, ["cats", "dogs"]);
    let places: Vec<&str> = pipeline.places.iter().map(|(place, _)| place.0.as_str()).collect();
    assert_eq!(places, ["r/cats", "r/pets"], "one place is collected once");
    assert_eq!(pipeline.collect.filter.min_score, Some(9));
}

#[test]
fn a_rule_that_cannot_be_understood_is_named_with_its_line() {
    let refused = |entry: &str| refusal(&format!("[classes]\ncats = [\n  {entry},\n]\n"));
    insta::assert_snapshot!(refused("{ place = \"r/cats\", flare = [\"Cat\"] }"), @"DIR/cats.toml:3: unknown key `flare`; did you mean `flair`?");
    insta::assert_snapshot!(refused("{ flair = [\"Cat\"] }"), @"DIR/cats.toml:3: missing field `place`");
    insta::assert_snapshot!(refused("{ place = \"r/cats\", title = \"(\" }"), @"DIR/cats.toml:3: `(` is no regular expression: error: unclosed group");
    insta::assert_snapshot!(refused("17"), @r#"DIR/cats.toml:3: invalid type: integer `17`, expected a place, such as "r/tanks", or { place = "r/tanks", flair = ["OC"] }"#);
}
