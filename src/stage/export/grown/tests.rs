use std::{fs, panic, time::Duration};

use tempfile::tempdir;

use super::{super::files, *};

/// Makes pieces of so many bytes of that value, some later than others.
fn fill() -> impl Fn(&u64, &mut Vec<u8>) -> Result<u64, ExportError> {
    |size, bytes| {
        assert!(bytes.is_empty(), "a buffer is empty however often it was used");
        thread::sleep(Duration::from_micros(size % 7 * 300));
        bytes.resize(usize::try_from(*size).unwrap(), size.to_le_bytes()[0]);
        Ok(*size)
    }
}

#[test]
fn pieces_stand_in_their_order_and_the_digest_is_that_of_the_file() {
    let large = 20 * PIECE_BYTES;
    let various: Vec<u64> = (0..100).map(|n| n * 37 % 1200).collect();
    for sizes in [&[][..], &[0, 1], &[PIECE_BYTES], &[700; 60], &[large, 3, large], &various] {
        let dir = tempdir().unwrap();
        let close = |placed: Vec<(u64, u64)>, end: u64| {
            assert_eq!(placed.iter().map(|(_, size)| *size).collect::<Vec<_>>(), sizes);
            let mut begin = 0;
            for (place, size) in placed {
                assert_eq!(place, begin);
                begin += size;
            }
            assert_eq!(end, begin);
            Ok(b"end".to_vec())
        };

        let told = write((dir.path(), "a"), sizes, fill(), close).unwrap();

        let mut meant = Vec::new();
        for size in sizes {
            let length = meant.len() + usize::try_from(*size).unwrap();
            meant.resize(length, size.to_le_bytes()[0]);
        }
        meant.extend(b"end");
        let path = dir.path().join("a");
        assert!(fs::read(&path).unwrap() == meant, "{sizes:?}");
        assert_eq!(told, ("a".to_owned(), files::sha256(&path).unwrap()));
    }
}

#[test]
fn all_files_are_written_and_trouble_with_any_is_told() {
    let sum = |n: u64| (n.to_string(), n);
    let files: Vec<u64> = (0..20).collect();

    let all = write_all(&files, |&n| Ok((n.to_string(), sum(n)))).unwrap();
    let trouble = write_all(&files, |&n| {
        if n == 15 { Err(ExportError::Empty) } else { Ok((n.to_string(), sum(n))) }
    });

    assert_eq!(all, files.iter().map(|&n| (n.to_string(), sum(n))).collect());
    assert!(matches!(trouble, Err(ExportError::Empty)));
    assert!(write_all(&[0; 0], |&n| Ok((n.to_string(), sum(n)))).unwrap().is_empty());
}

#[test]
fn a_piece_that_cannot_be_made_ends_the_work_however_it_ends() {
    let failing = |panics: bool| {
        let make = move |size: &u64, bytes: &mut Vec<u8>| {
            if *size == 7 {
                thread::sleep(Duration::from_millis(20)); // All others wait for their turn by then.
                assert!(!panics, "a mistake of ours");
                return Err(ExportError::Empty);
            }
            fill()(size, bytes)
        };
        let mut pieces = vec![PIECE_BYTES; 100];
        pieces.insert(5, 7);
        let out = (io::Cursor::new(Vec::new()), Path::new("a"));
        put_together(out, &pieces, make, |_, _| Ok(Vec::new())).map(drop)
    };

    assert!(matches!(failing(false), Err(ExportError::Empty)));
    panic::catch_unwind(|| failing(true)).unwrap_err();
}
