use super::*;

#[test]
fn what_begins_like_a_formula_is_made_text() {
    for (text, expected) in [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-user-", "'-user-"),
        ("@me", "'@me"),
        ("\t=1", "'\t=1"),
        ("\u{ff1d}1", "'\u{ff1d}1"),
        ("a = b", "a = b"),
        ("\u{0}=1", "'=1"),
        ("", ""),
    ] {
        assert_eq!(cell(text.into()), expected);
    }
}

#[test]
fn an_address_tells_nothing_of_the_machine() {
    for (address, expected) in [
        ("https://i.redd.it/a.jpg", "https://i.redd.it/a.jpg"),
        ("demo+https://i.redd.it/a.jpg", "https://i.redd.it/a.jpg"),
        ("reddit:t3_1abcde", "reddit:t3_1abcde"),
        ("r/tanks", "r/tanks"),
        ("file:///home/me/cats/a b.jpg", "file:a b.jpg"),
        ("/home/me/cats/a.jpg", "a.jpg"),
        ("C:\\Users\\me\\a.jpg", "a.jpg"),
        ("folder:/home/me/cats/", "folder:cats"),
        ("folder:~/cats", "folder:cats"),
        ("folder:C:\\cats", "folder:cats"),
        ("folder:photos/cats", "folder:photos/cats"),
        ("file:/home/me#2/a#1.jpg", "file:a#1.jpg"),
        ("dump:/mnt/RS_2024-01.zst#r/tanks", "dump:RS_2024-01.zst#r/tanks"),
        ("archive:/home/me/cats.zip#a/b.jpg", "archive:cats.zip#a/b.jpg"),
        ("urls:/home/me/list.csv#cats", "urls:list.csv#cats"),
        ("dump:RS_2024-01.zst#r/tanks", "dump:RS_2024-01.zst#r/tanks"),
    ] {
        assert_eq!(shareable(address), expected);
    }
}

#[test]
fn a_record_of_awkward_text_comes_back_whole() {
    let columns = ["title", "author"];
    let title = "a, \"b\"\nand \u{1f697}\r\nc".to_owned();
    let mut bytes = Vec::new();

    write_records(&mut bytes, columns, &[&title], |it| [(*it).clone(), String::new()]).unwrap();

    let mut read = csv::Reader::from_reader(bytes.as_slice());
    let records: Vec<csv::StringRecord> = read.records().map(Result::unwrap).collect();
    assert_eq!(read.headers().unwrap(), vec!["title", "author"]);
    assert_eq!(records, [csv::StringRecord::from(vec![title, String::new()])]);
}

#[test]
fn a_table_of_any_length_has_its_rows_in_order() {
    let rows: Vec<usize> = (0..BLOCK_ROWS + 2 * PART_ROWS + 3).collect();
    let mut bytes = Vec::new();

    write_records(&mut bytes, ["n", "twice"], &rows, |n| [n, &(2 * n)].map(usize::to_string))
        .unwrap();

    let lines = rows.iter().map(|n| format!("{n},{}\n", 2 * n));
    let expected: String = iter::once("n,twice\n".to_owned()).chain(lines).collect();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}
