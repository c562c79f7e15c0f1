use super::*;
use crate::pixels::encode::{Scans, Stored};

fn subject(class: Class, n: usize, edit: Edit) -> Subject {
    Subject { motif: Motif::Figure(class), key: format!("test/{}/{n}", class.name()), edit }
}

/// Decodes as a viewer does: turned upright and laid on white.
fn seen(bytes: &[u8]) -> image::RgbImage {
    use image::ImageDecoder;
    let reader = image::ImageReader::new(std::io::Cursor::new(bytes));
    let mut decoder = reader.with_guessed_format().unwrap().into_decoder().unwrap();
    let orientation = decoder.orientation().unwrap();
    let mut picture = image::DynamicImage::from_decoder(decoder).unwrap();
    picture.apply_orientation(orientation);
    let rgba = picture.to_rgba8();
    image::RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [red, green, blue, opacity] = rgba.get_pixel(x, y).0.map(u32::from);
        let laid = [red, green, blue].map(|level| (level * opacity + 255 * (255 - opacity)) / 255);
        image::Rgb(laid.map(|level| u8::try_from(level).unwrap()))
    })
}

/// Returns the mean difference of two pictures' levels after shrinking both to 32×32.
fn difference(a: &image::RgbImage, b: &image::RgbImage) -> u64 {
    let small = |picture| image::imageops::thumbnail(picture, 32, 32).into_raw();
    let (a, b) = (small(a), small(b));
    let sum: u64 = a.iter().zip(&b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum / u64::try_from(a.len()).unwrap()
}

#[test]
fn a_subject_is_drawn_the_same_each_time() {
    for class in Class::ALL {
        let subject = subject(class, 1, Edit::Watermarked);
        assert_eq!(subject.draw(), subject.draw());
    }
}

#[test]
fn a_file_has_the_announced_size_and_kind() {
    for n in 0..40 {
        let subject = subject(Class::Fish, n, Edit::None);
        let form = subject.form();

        let bytes = subject.draw();

        let format = image::guess_format(&bytes).unwrap();
        assert_eq!(format.to_mime_type(), form.file.content_type(), "{form:?}");
        assert_eq!(seen(&bytes).dimensions(), (form.width_px, form.height_px), "{form:?}");
    }
}

#[test]
fn every_kind_of_file_is_posted() {
    let forms: Vec<Form> = (0..300).map(|n| subject(Class::Fish, n, Edit::None).form()).collect();
    let count = |wanted: fn(&File) -> bool| forms.iter().filter(|form| wanted(&form.file)).count();

    let jpegs = count(|file| file.extension() == "jpg");
    let rare = [
        count(|file| *file == File::PngWithAlpha),
        count(|file| *file == File::Webp),
        count(|file| file.is_grey()),
        count(|file| matches!(file, File::Jpeg { layout, .. } if layout.stored != Stored::Upright)),
        count(|file| matches!(file, File::Jpeg { layout, .. } if layout.scans != Scans::Baseline)),
    ];

    assert!((215..265).contains(&jpegs), "{jpegs} of 300 are JPEG");
    assert!(rare.iter().all(|count| (3..45).contains(count)), "{rare:?}");
    assert!(forms.iter().all(|form| 300 <= form.width_px.min(form.height_px)));
    assert!(forms.iter().any(|form| 2_000 < form.width_px.max(form.height_px)));
}

#[test]
fn a_copy_looks_like_its_original_and_a_stranger_does_not() {
    let edits = [Edit::Reencoded, Edit::Resized, Edit::Cropped, Edit::Watermarked];
    for n in 0..12 {
        let original = seen(&subject(Class::Beetles, n, Edit::None).draw());
        let stranger = seen(&subject(Class::Beetles, n + 100, Edit::None).draw());
        assert!(15 < difference(&original, &stranger), "{n} looks like a stranger");
        for edit in edits {
            let bytes = subject(Class::Beetles, n, edit).draw();
            assert_ne!(bytes, subject(Class::Beetles, n, Edit::None).draw());
            let apart = difference(&original, &seen(&bytes));
            assert!(apart < 12, "{n} {edit:?} differs by {apart}");
        }
    }
}

#[test]
fn copies_are_as_large_as_their_edit_says() {
    for n in 0..60 {
        let of = |edit| subject(Class::Fish, n, edit).form();
        let (original, resized, cropped) = (of(Edit::None), of(Edit::Resized), of(Edit::Cropped));
        let permille = |new: u32, old: u32| new * 1_000 / old;

        assert!((398..=800).contains(&permille(resized.width_px, original.width_px)));
        assert!((948..=982).contains(&permille(cropped.width_px, original.width_px)));
        assert!((948..=982).contains(&permille(cropped.height_px, original.height_px)));
        assert_eq!(of(Edit::Watermarked).height_px, original.height_px);
    }
}

#[test]
fn a_watermark_covers_at_most_six_percent() {
    for n in 0..12 {
        let marked = subject(Class::Fish, n, Edit::Watermarked);
        let plain = subject(Class::Fish, n, Edit::None);
        let (marked, plain) = (marked.developed(marked.form()), plain.developed(plain.form()));

        let pairs = marked.bytes.chunks(4).zip(plain.bytes.chunks(4));
        let touched = pairs.filter(|(a, b)| a != b).count();

        let share = touched * 1_000 / (plain.bytes.len() / 4);
        assert!((3..=60).contains(&share), "{share} thousandths are written over");
    }
}
