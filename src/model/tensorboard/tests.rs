use super::*;
use crate::domain::{id::BlobId, learning::Answer};

const AT: At = At { wall_time_s: 1_795_000_000.5, step: 3 };

/// A field of a message: its number and its bytes or number.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    Number(u64),
    Double(f64),
    Float(f32),
    Bytes(Vec<u8>),
}

/// Reads the frames of a file and checks what they say of themselves.
fn frames(mut file: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while !file.is_empty() {
        let (length, rest) = file.split_at(8);
        let (length_crc, rest) = rest.split_at(4);
        assert_eq!(length_crc, record::masked(record::crc32c(length)).to_le_bytes());
        let n = usize::try_from(u64::from_le_bytes(length.try_into().unwrap())).unwrap();
        let (data, rest) = rest.split_at(n);
        let (data_crc, rest) = rest.split_at(4);
        assert_eq!(data_crc, record::masked(record::crc32c(data)).to_le_bytes());
        frames.push(data.to_vec());
        file = rest;
    }
    frames
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => {
                let (value, rest) = bytes.split_at(8);
                bytes = rest;
                Field::Double(f64::from_le_bytes(value.try_into().unwrap()))
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(value.to_vec())
            }
            5 => {
                let (value, rest) = bytes.split_at(4);
                bytes = rest;
                Field::Float(f32::from_le_bytes(value.try_into().unwrap()))
            }
            other => panic!("no such kind of field: {other}"),
        };
        found.push((key >> 3, field));
    }
    found
}

/// Follows fields that are messages, one number after the other, and returns what lies at the end.
fn dig(bytes: &[u8], path: &[u64]) -> Field {
    let mut at = Field::Bytes(bytes.to_vec());
    for number in path {
        let Field::Bytes(message) = at else { panic!("{at:?} is no message") };
        at = fields(&message).into_iter().find(|(it, _)| it == number).unwrap().1;
    }
    at
}

fn text(of: &str) -> Field {
    Field::Bytes(of.as_bytes().to_vec())
}

/// Returns the frames that `write` adds to a new file.
fn written(write: impl FnOnce(&mut EventLog)) -> Vec<Vec<u8>> {
    let mut log = EventLog::new(1.0);
    log.take();
    write(&mut log);
    frames(&log.take())
}

#[test]
fn checksums_are_those_of_rfc_3720() {
    let ascending: Vec<u8> = (0..32).collect();
    let vectors: [(&[u8], u32); 4] = [
        (b"123456789", 0xe306_9283),
        (&[0; 32], 0x8a91_36aa),
        (&[0xff; 32], 0x62a8_ab43),
        (&ascending, 0x46dd_794e),
    ];
    for (data, crc) in vectors {
        assert_eq!(record::crc32c(data), crc, "{data:?}");
    }
    // masked_crc32c(b"123456789") of tensorboard.compat.tensorflow_stub.pywrap_tensorflow
    assert_eq!(record::masked(0xe306_9283), 0xc78a_b0e5);
}

#[test]
fn a_file_begins_with_its_version() {
    let first = frames(&EventLog::new(12.5).take());

    assert_eq!(first.len(), 1);
    assert_eq!(fields(&first[0]), [(1, Field::Double(12.5)), (3, text("brain.Event:2"))]);
}

#[test]
fn what_was_taken_is_not_given_twice() {
    let mut log = EventLog::new(1.0);
    log.scalar(AT, "loss", 0.5);

    assert_eq!(frames(&log.take()).len(), 2);
    assert!(log.take().is_empty());
}

#[test]
fn a_scalar_is_a_simple_value_of_its_step() {
    let frames = written(|log| log.scalar(AT, "loss/val", 0.25));

    assert_eq!(dig(&frames[0], &[1]), Field::Double(1_795_000_000.5));
    assert_eq!(dig(&frames[0], &[2]), Field::Number(3));
    assert_eq!(dig(&frames[0], &[5, 1, 1]), text("loss/val"));
    assert_eq!(dig(&frames[0], &[5, 1, 2]), Field::Float(0.25));
    assert_eq!(dig(&frames[0], &[5, 1, 9, 1, 1]), text("scalars"));
}

#[test]
fn an_epoch_is_a_scalar_for_each_figure_that_is_known() {
    let epoch = Epoch {
        number: 300,
        train_loss: 0.5,
        train_accuracy: 0.75,
        val_loss: 0.625,
        val_accuracy: 0.875,
        val_f1: Some(0.25),
        learning_rate: Some(0.125),
        ..Epoch::default()
    };

    let frames = written(|log| log.epoch(9.0, &epoch));

    let told: Vec<(Field, Field)> =
        frames.iter().map(|it| (dig(it, &[5, 1, 1]), dig(it, &[5, 1, 2]))).collect();
    let expected = [
        ("loss/train", 0.5),
        ("loss/val", 0.625),
        ("accuracy/train", 0.75),
        ("accuracy/val", 0.875),
        ("f1/val", 0.25),
        ("learning_rate", 0.125),
    ];
    assert_eq!(told, expected.map(|(tag, value)| (text(tag), Field::Float(value))));
    assert!(frames.iter().all(|it| dig(it, &[2]) == Field::Number(300)));
}

#[test]
fn an_image_is_a_png_with_its_size() {
    let frames = written(|log| log.image(AT, "seen", &Picture::new(7, 5)));

    assert_eq!(dig(&frames[0], &[5, 1, 4, 1]), Field::Number(5));
    assert_eq!(dig(&frames[0], &[5, 1, 4, 2]), Field::Number(7));
    let Field::Bytes(png) = dig(&frames[0], &[5, 1, 4, 4]) else { panic!("no bytes") };
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "{png:?}");
}

#[test]
fn a_text_is_a_tensor_of_one_string() {
    let frames = written(|log| log.text(AT, "notes", "**größe**"));

    assert_eq!(dig(&frames[0], &[5, 1, 8, 1]), Field::Number(7));
    assert_eq!(dig(&frames[0], &[5, 1, 8, 8]), text("**größe**"));
    assert_eq!(dig(&frames[0], &[5, 1, 9, 1, 1]), text("text"));
}

#[test]
fn a_histogram_counts_every_finite_value_once() {
    let values = [0.0, 1.0, 1.0, f32::NAN, 3.0];
    let frames = written(|log| {
        log.histogram(AT, "weights", &values);
        log.histogram(AT, "nothing", &[f32::INFINITY]);
    });

    assert_eq!(frames.len(), 1);
    assert_eq!(dig(&frames[0], &[5, 1, 5, 3]), Field::Double(4.0));
    assert_eq!(dig(&frames[0], &[5, 1, 5, 4]), Field::Double(5.0));
    let Field::Bytes(counts) = dig(&frames[0], &[5, 1, 5, 7]) else { panic!("no bytes") };
    let (counts, _) = counts.as_chunks::<8>();
    let counts: Vec<f64> = counts.iter().map(|it| f64::from_le_bytes(*it)).collect();
    assert_eq!((counts.len(), counts.iter().sum()), (30, 4.0));
    assert_eq!((counts.first(), counts.last()), (Some(&1.0), Some(&1.0)));
}

#[test]
fn a_session_tells_its_settings_its_metrics_and_its_end() {
    let settings = [
        ("epochs".to_owned(), Setting::Number(20.0)),
        ("flip".to_owned(), Setting::Flag(true)),
        ("network".to_owned(), Setting::Text("small_cnn".to_owned())),
    ];
    let session = Session {
        name: "ab12".to_owned(),
        settings: settings.into(),
        metrics: vec!["accuracy/val".to_owned()],
    };

    let frames = written(|log| {
        log.begin_session(5.0, &session);
        log.end_session(9.0, End::Success);
    });

    let plugin = [5, 1, 9, 1];
    let content =
        |frame: usize, path: &[u64]| dig(&frames[frame], &[plugin.as_slice(), &[2], path].concat());
    assert!(frames.iter().all(|it| dig(it, &[5, 1, 9, 1, 1]) == text("hparams")));
    assert_eq!(content(0, &[2, 4, 1]), text("epochs"));
    assert_eq!(content(0, &[2, 5, 1, 2]), text("accuracy/val"));
    assert_eq!(content(1, &[3, 1, 1]), text("epochs"));
    assert_eq!(content(1, &[3, 1, 2, 2]), Field::Double(20.0));
    assert_eq!(content(1, &[3, 4]), text("ab12"));
    assert_eq!(content(2, &[4, 1]), Field::Number(1));
    assert_eq!(content(2, &[4, 2]), Field::Double(9.0));
}

#[test]
fn an_evaluation_brings_scalars_a_picture_and_a_table() {
    let answer = |truth, sure: f32| Answer {
        blob: BlobId::of(b"x"),
        truth,
        probabilities: vec![sure, 1.0 - sure, 0.0],
    };
    let evaluation = Evaluation::of(&[answer(0, 0.9), answer(1, 0.8), answer(1, 0.1)], 3);
    let classes = ["cars", "tanks|armour", "none"].map(str::to_owned);

    let frames = written(|log| log.evaluation(AT, &classes, &evaluation));

    assert_eq!(frames.len(), 5);
    let Field::Bytes(table) = dig(&frames[4], &[5, 1, 8, 8]) else { panic!("no bytes") };
    let table = String::from_utf8(table).unwrap();
    let row = "| 1 | tanks\\|armour | 100.0 % | 50.0 % | 66.7 % | 2 |";
    assert!(
        table.contains(row) && table.contains("| 2 | none | none | none | none | 0 |"),
        "{table}"
    );
}

#[test]
fn a_matrix_shows_rights_in_green_and_wrongs_in_red() {
    let picture = confusion_picture(&[vec![10, 0], vec![5, 5]]);

    let corner = |column: u32, row: u32| picture.get_pixel(42 + 64 * column, 42 + 64 * row).0;
    assert_eq!(picture.dimensions(), (172, 172));
    assert_eq!((corner(0, 0), corner(1, 0)), ([60, 165, 110], [238, 238, 238]));
    assert_eq!((corner(0, 1), corner(1, 1)), ([232, 172, 162], [149, 202, 174]));
    for n in [0, 1, 30] {
        confusion_picture(&vec![vec![4_000_000_000; n]; n]);
    }
}

#[test]
fn a_file_is_named_as_tensorboard_looks_for_it() {
    let names = [file_name(1_795_000_000, "my.host/x", 7), file_name(5, "", 1)];

    let expected = [
        "events.out.tfevents.1795000000.my-host-x.7.0",
        "events.out.tfevents.0000000005.localhost.1.0",
    ];
    assert_eq!(names, expected);
}
