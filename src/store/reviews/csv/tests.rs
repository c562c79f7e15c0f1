use super::{moment::read_moment, *};

/// In January 2027.
const NOW_MS: u64 = 1_800_000_000_000;

/// What tables are read against: three pictures, two of which begin alike, and two classes.
struct Bench {
    known: BTreeSet<BlobId>,
    classes: BTreeSet<Label>,
    lines: Vec<Review>,
    now_ms: u64,
}

fn digest(first: &str) -> BlobId {
    format!("{first:0<64}").parse().unwrap()
}

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

impl Bench {
    fn new() -> Self {
        let known = ["0123456789abcdef", "aaaaaaaa0", "aaaaaaaa1"].map(digest);
        let classes = ["cats", "dogs"].map(label);
        Self { known: known.into(), classes: classes.into(), lines: Vec::new(), now_ms: NOW_MS }
    }

    fn read(&self, table: &str) -> Result<Added, TableError> {
        let Self { known, classes, lines, now_ms } = self;
        read(table.as_bytes(), Against { known, classes, lines, now_ms: *now_ms, by: Some("ann") })
    }

    /// Reads a table and keeps what it adds, later each time.
    fn import(&mut self, table: &str) -> usize {
        let added = self.read(table).unwrap().lines;
        let n = added.len();
        self.lines.extend(added);
        self.now_ms += 1_000;
        n
    }

    fn fault(&self, table: &str) -> String {
        self.read(table).unwrap_err().to_string()
    }
}

fn line(picture: &str, decision: Decision) -> Review {
    let (queue, by) = (Queue::Elsewhere, Some("ann".to_owned()));
    Review { at_ms: NOW_MS, picture: digest(picture), decision, queue, shown_as: None, by }
}

/// A line of every kind.
fn all_kinds() -> Vec<Review> {
    let other = digest("aaaaaaaa1");
    let decisions = [
        Decision::Keep,
        Decision::Reject { reason: "=1+1, \"so\" \u{1f408}".to_owned() },
        Decision::Reject { reason: "'-x".to_owned() },
        Decision::Reject { reason: " 'tis a toy ".to_owned() },
        Decision::Relabel { label: label("dogs") },
        Decision::Undecide,
        Decision::Keeper,
        Decision::NoKeeper,
        Decision::NotTwins { other },
        Decision::UndecideTwins { other },
    ];
    let queues = Queue::ALL.into_iter().cycle();
    let mut lines: Vec<Review> = decisions
        .into_iter()
        .zip(queues)
        .zip(1_790_000_000_001..)
        .map(|((decision, queue), at_ms)| Review {
            at_ms,
            queue,
            ..line("0123456789abcdef", decision)
        })
        .collect();
    lines[0].shown_as = Some(label("cats"));
    lines[1].by = Some("@bob".to_owned());
    lines
}

#[test]
fn what_is_written_reads_back_and_adds_nothing_where_it_is_already() {
    let mut bench = Bench::new();
    let table = String::from_utf8(write(&all_kinds())).unwrap();

    assert_eq!(bench.read(&table).unwrap(), Added { lines: all_kinds(), known: 0 });
    assert_eq!(table.lines().next().unwrap(), COLUMNS.join(","));
    assert!(table.contains("2026-09-21T14:13:20.001Z"), "{table}");
    assert!(table.contains("\"'=1+1, \"\"so\"\"") && table.contains("'@bob"), "{table}");

    bench.import(&table);
    assert_eq!(bench.read(&table).unwrap(), Added { lines: vec![], known: all_kinds().len() });
}

#[test]
fn columns_stand_in_any_order_and_most_may_be_missing() {
    let bench = Bench::new();

    let found = bench.read("Decision,PICTURE\nkeep,0123456789abcdef\n").unwrap();

    assert_eq!(found.lines, [line("0123456789abcdef", Decision::Keep)]);
    let spreadsheet = "\u{feff}label;decision;picture;by\r\ndogs;relabel;aaaaaaaa1;bob\r\n";
    let relabel = Decision::Relabel { label: label("dogs") };
    let by = Some("bob".to_owned());
    let found = bench.read(spreadsheet).unwrap();
    assert_eq!(found.lines, [Review { by, ..line("aaaaaaaa1", relabel) }]);
}

#[test]
fn a_picture_is_named_by_digits_or_by_its_file_in_an_export() {
    let bench = Bench::new();
    let full = digest("ffffffff").to_string();

    for name in [
        "01234567",
        "0123456789ABCDEF",
        "cats-0123456789abcdef.jpg",
        "train/cats/cats-0123456789abcdef.jpg",
        "C:\\set\\t-72_tanks-0123456789abcdef.png",
        "C:\\my.set\\0123456789abcdef.png",
    ] {
        let found = bench.read(&format!("picture,decision\n{name},keep\n")).unwrap();
        assert_eq!(found.lines, [line("0123456789abcdef", Decision::Keep)], "{name}");
    }
    // A whole digest names a picture that may come back.
    let found = bench.read(&format!("picture,decision\n{full},keep\n")).unwrap();
    assert_eq!(found.lines, [line("ffffffff", Decision::Keep)]);
}

#[test]
fn a_table_read_twice_adds_nothing_the_second_time() {
    let table = "picture,decision,reason,other,at\n\
                 01234567,reject,a toy,,\n\
                 aaaaaaaa0,keep,,,2026-01-31\n\
                 aaaaaaaa0,undecide,,,2026-02-01T10:00:00Z\n\
                 aaaaaaaa1,no-keeper,,,\n\
                 aaaaaaaa1,no-keeper,,,\n\
                 aaaaaaaa1,not-twins,,aaaaaaaa0,1700000000000\n";
    let mut bench = Bench::new();

    assert_eq!(bench.import(table), 5);
    assert_eq!(bench.import(table), 0);

    // What was said otherwise since is said again, and holds.
    let mut other = line("0123456789abcdef", Decision::Keep);
    other.at_ms = NOW_MS + 99_000;
    bench.lines.push(other);
    let again = bench.read(table).unwrap();
    let reject = Decision::Reject { reason: "a toy".to_owned() };
    assert_eq!(
        again.lines,
        [Review { at_ms: NOW_MS + 99_001, ..line("0123456789abcdef", reject) }]
    );
    assert_eq!(bench.import(table), 1);
    assert_eq!(bench.import(table), 0);
}

#[test]
fn every_line_that_is_wrong_is_named_and_nothing_is_read() {
    let bench = Bench::new();

    let told = bench.fault(
        "picture,decision,label,reason,other,queue,shown_as,at\n\
         01234567,keep,,,,,,\n\
         0123,keep,,,,,,\n\
         aaaaaaaa,keep,,,,,,\n\
         bbbbbbbb,keep,,,,,,\n\
         01234567,love,,,,,,\n\
         01234567,relabel,horses,,,,,\n\
         01234567,relabel,,,,,,\n\
         01234567,reject,,,,,,\n\
         01234567,keeper,,blurred,,,,\n\
         aaaaaaaa0,not-twins,,,x,,,\n\
         aaaaaaaa0,keep,,,,lost,,\n\
         aaaaaaaa0,keep,,,,,Cats,\n\
         aaaaaaaa0,keep,,,,,,soon\n\
         ,keep,,,,,,\n\
         aaaaaaaa0,keep,,,,,,,,\n",
    );

    let expected = "\
nothing was imported:
  line 3: `0123` names no picture: use the 64 digits of its digest, at least 8 of the first, or the name of its file in an export
  line 4: several digests begin with aaaaaaaa: write more digits
  line 5: no picture is known whose digest begins with bbbbbbbb
  line 6: `love` is no decision; use keep, reject, relabel, undecide, keeper, no-keeper, not-twins or undecide-twins
  line 7: no class `horses`; classes are cats, dogs
  line 8: `relabel` needs a label
  line 9: `reject` needs a reason
  line 10: `keeper` takes no reason, but there is one
  line 11: `x` names no picture: use the 64 digits of its digest, at least 8 of the first, or the name of its file in an export
  line 12: `lost` is no queue; they are conflicts, twins, suspects, leaks, quality, audit, elsewhere
  line 13: `Cats` cannot name a class: use 1 to 40 lower-case letters, digits, `_` and `-`, beginning with a letter or digit
  line 14: `soon` is no time: write it as 2026-01-31, 2026-01-31T12:00:00Z or in milliseconds since 1970
  line 15: no picture is named
  line 16: 10 cells for 8 columns";
    assert_eq!(told, expected);
}

#[test]
fn rows_that_contradict_each_other_must_tell_their_times() {
    let bench = Bench::new();

    let told = bench.fault("picture,decision\n01234567,keep\n0123456789,undecide\n");
    assert!(told.ends_with("line 3: decides otherwise than line 2; tell in `at` which is later"));
    let told = bench.fault(
        "picture,decision,other\naaaaaaaa0,not-twins,aaaaaaaa1\naaaaaaaa1,undecide-twins,aaaaaaaa0\n",
    );
    assert!(told.contains("line 3: decides otherwise"), "{told}");
    let times = "picture,decision,at\n01234567,keep,2026-01-01\n01234567,undecide,2026-01-02\n";
    assert_eq!(bench.read(times).unwrap().lines.len(), 2);
}

#[test]
fn a_header_that_cannot_be_followed_is_named() {
    let bench = Bench::new();

    assert_eq!(
        bench.fault("picture,label\n"),
        "there is no column `decision`; there must be `picture` and `decision`"
    );
    assert_eq!(
        bench.fault(""),
        "there is no column `picture`; there must be `picture` and `decision`"
    );
    assert!(
        bench.fault("picture,decision,lable\n").starts_with("`lable` is no column of decisions")
    );
    assert_eq!(bench.fault("picture,decision,picture\n"), "column `picture` is there twice");
    let blank = bench.fault("picture,decision,reason\n01234567,reject, \n");
    assert!(blank.ends_with("line 2: `reject` needs a reason"), "{blank}");
    let not_text = read(
        b"picture,decision,reason\n01234567,reject,\xff\n",
        Against { known: &bench.known, classes: &bench.classes, lines: &[], now_ms: 0, by: None },
    );
    assert!(not_text.unwrap_err().to_string().ends_with("line 2: `reason` is not UTF-8"));
}

#[test]
fn moments_are_read_as_they_are_written() {
    for at_ms in [0, 1, 951_782_400_000, 1_790_000_000_123, 253_402_300_799_999] {
        assert_eq!(read_moment(&moment(at_ms)), Some(at_ms));
    }
    assert_eq!(read_moment("2026-01-31"), Some(1_769_817_600_000));
    assert_eq!(read_moment("2026-01-31 12:30"), Some(1_769_862_600_000));
    assert_eq!(read_moment("2026-01-31T12:30:01.5Z"), Some(1_769_862_601_500));
    for bad in ["2026-02-30", "2026-01-31T25:00", "2026-01-31T12", "2026-01-31T12:00:00.1234Z", "x"]
    {
        assert_eq!(read_moment(bad), None, "{bad}");
    }
}

#[test]
fn a_time_that_is_still_to_come_is_refused() {
    let bench = Bench::new();
    let at = |at: u64| format!("picture,decision,at\n01234567,keep,{at}\n");

    assert!(bench.fault(&at(NOW_MS * 1000)).contains("is still to come"));
    assert!(bench.fault(&at(u64::MAX)).contains("is still to come"));
    assert_eq!(bench.read(&at(NOW_MS + 3_600_000)).unwrap().lines.len(), 1);
}
