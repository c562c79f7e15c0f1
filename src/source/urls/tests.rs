use std::{fs::File, io::Write, sync::Arc};

use ::parquet::{
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::writer::SerializedFileWriter,
};
use flate2::{Compression, write::GzEncoder};

use super::*;
use crate::{
    domain::post::Teller,
    source::{
        SourceSpec,
        batch::{BATCH_POSTS, Unreadable},
    },
};

mod digests;

fn written(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    File::create(&path).unwrap().write_all(bytes).unwrap();
    path
}

fn choice(label: Option<&str>, place: &str) -> Choice {
    Choice { label: label.map(str::to_owned), place: Place(place.to_owned()) }
}

fn listed(
    path: &Path,
    wanted: &[Choice],
) -> Result<(BTreeMap<PostId, Post>, Unreadable), UrlsError> {
    let (mut posts, mut unreadable) = (BTreeMap::new(), Unreadable::default());
    list(path, wanted, &mut |batch| {
        assert!(batch.posts.len() <= BATCH_POSTS);
        posts.extend(batch.posts);
        unreadable.absorb(batch.unreadable);
        ControlFlow::Continue(())
    })?;
    Ok((posts, unreadable))
}

fn everything(path: &Path) -> (BTreeMap<PostId, Post>, Unreadable) {
    listed(path, &[choice(None, "urls:all")]).unwrap()
}

/// Returns label after label which addresses are listed under it.
fn addresses(posts: &BTreeMap<PostId, Post>) -> BTreeSet<(String, String)> {
    let address = |post: &Post| {
        let Media::Link { url, .. } = &post.media else {
            panic!("a list leads to links: {post:?}")
        };
        url.clone()
    };
    posts.values().map(|post| (address(post), post.title.clone())).collect()
}

const CSV: &str = "\u{feff}id,URL,caption,class\r\n\
    1,https://a.org/1.jpg,\"one, \"\"so\"\" called\",cats\r\n\
    \r\n\
    2,https://a.org/2.jpg,\"two\nlines\",dogs\r\n\
    3,https://a.org/3.jpg,three,cats";

fn expected() -> BTreeSet<(String, String)> {
    [
        ("https://a.org/1.jpg", "one, \"so\" called"),
        ("https://a.org/2.jpg", "two\nlines"),
        ("https://a.org/3.jpg", "three"),
    ]
    .map(|(url, title)| (url.to_owned(), title.to_owned()))
    .into()
}

#[test]
fn a_table_tells_the_same_in_every_format_and_packing() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [("1", "one, \"so\" called"), ("2", "two\nlines"), ("3", "three")];
    let json = rows.map(|(n, title)| {
        serde_json::json!({"url": format!("https://a.org/{n}.jpg"), "text": title, "n": n})
            .to_string()
    });
    let tsv = CSV.replace(',', "\t").replace("one\t", "one,");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(CSV.as_bytes()).unwrap();
    let paths = [
        ("a.csv", CSV.as_bytes().to_vec()),
        ("a.tsv", tsv.into_bytes()),
        ("a.jsonl", json.join("\n").into_bytes()),
        ("a.csv.gz", gzip.finish().unwrap()),
        ("a.CSV.zst", zstd::encode_all(CSV.as_bytes(), 1).unwrap()),
        ("a.ndjson.zst", zstd::encode_all(json.join("\r\n").as_bytes(), 1).unwrap()),
    ];

    for (name, bytes) in paths {
        let (posts, unreadable) = everything(&written(dir.path(), name, &bytes));
        assert_eq!(addresses(&posts), expected(), "{name}");
        assert_eq!(unreadable, Unreadable::default(), "{name}");
    }
}

#[test]
fn parquet_tells_what_a_table_tells() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.parquet");
    let schema = "message list {
        OPTIONAL INT64 width; REQUIRED BYTE_ARRAY URL (UTF8); OPTIONAL BYTE_ARRAY TEXT (UTF8);
        OPTIONAL group image { OPTIONAL BYTE_ARRAY bytes; } OPTIONAL BYTE_ARRAY label (UTF8);
    }";
    let schema = Arc::new(::parquet::schema::parser::parse_message_type(schema).unwrap());
    let properties = ::parquet::file::properties::WriterProperties::builder()
        .set_compression(
            ::parquet::basic::Compression::ZSTD(::parquet::basic::ZstdLevel::default()),
        )
        .build();
    let file = File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    for n in 0..2 {
        let mut group = writer.next_row_group().unwrap();
        let texts = |words: [&str; 2]| words.map(|it| ByteArray::from(it.as_bytes().to_vec()));
        let addresses =
            texts([["https://a.org/0", "https://a.org/1"], ["no address", "https://a.org/3"]][n]);
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[7], Some(&[1, 0]), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&addresses, None, None).unwrap();
        column.close().unwrap();
        for (words, levels) in
            [(["x", "y"], [1_i16, 1]), (["", ""], [0, 0]), (["cats", "dogs"], [1, 1])]
        {
            let mut column = group.next_column().unwrap().unwrap();
            let n_defined = levels.iter().filter(|it| **it == 1).count();
            let words = &texts(words)[..n_defined];
            column.typed::<ByteArrayType>().write_batch(words, Some(&levels), None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();

    let (posts, unreadable) = listed(&path, &[choice(Some("cats"), "urls:a#cats")]).unwrap();

    let seen = addresses(&posts);
    assert_eq!(seen, BTreeSet::from([("https://a.org/0".to_owned(), "x".to_owned())]));
    assert_eq!(unreadable.samples, ["row 3: `no address` is no web address"]);
}

#[test]
fn a_row_is_a_post_of_every_place_that_asks_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), "a.csv", CSV.as_bytes());
    let wanted = [choice(Some("cats"), "urls:a.csv#cats"), choice(None, "urls:a.csv")];

    let (posts, _) = listed(&path, &wanted).unwrap();

    let mut places: Vec<Vec<&str>> =
        posts.values().map(|post| post.places.iter().map(|it| it.0.as_str()).collect()).collect();
    places.sort();
    let both = vec!["urls:a.csv", "urls:a.csv#cats"];
    assert_eq!(places, [vec!["urls:a.csv"], both.clone(), both]);
}

#[test]
fn rows_that_cannot_be_read_are_counted_and_cost_only_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("https://a.org/{}", "x".repeat(9000));
    let mut bytes = format!(
        "url,label\n\
         https://a.org/1,12\" guns\n\
         \"https://a.org/2,a quote that is never closed\n\
         file:///etc/passwd,cats\n\
         ,cats\n\
         {long},cats\n\
         https://a.org/3,cats\n"
    )
    .into_bytes();
    bytes.extend(b"https://a.org/\xff,cats\n");
    for n in 10..5000 {
        bytes.extend(format!("https://a.org/{n},dogs\n").bytes());
    }
    let path = written(dir.path(), "a.csv", &bytes);

    let (posts, unreadable) = everything(&path);

    assert_eq!(posts.len(), 3 + 4990, "line 8 is odd, and an address all the same");
    let heads: Vec<&str> = unreadable.samples.iter().map(|it| &it[..it.len().min(40)]).collect();
    assert_eq!(
        heads,
        [
            "line 3: no row, perhaps a stray quote",
            "line 4: `file:///etc/passwd` is no web a",
            "line 5: no address",
            "line 6: an address of 9014 bytes",
        ]
    );
}

#[test]
fn lines_of_json_that_cannot_be_read_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let good = r#"{"url":"https://a.org/1","nested":{"url":1},"score":3.0,"nsfw":true}"#;
    let text = format!("{good}\n{{\"url\":\n[1]\n\n{{\"url\":5}}\n{}\n", "x".repeat(2 << 20));
    let path = written(dir.path(), "a.jsonl", text.as_bytes());

    let (posts, unreadable) = everything(&path);

    let told: Vec<_> = posts.values().map(|post| (post.score, post.over_18)).collect();
    assert_eq!(told, [(Some(3), true)]);
    assert_eq!(unreadable.count, 4, "{:?}", unreadable.samples);
    assert_eq!(unreadable.samples[3], "line 6: 2097152 bytes long");
}

#[test]
fn plain_addresses_come_one_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let text = b"# from somewhere\nhttps://a.org/1\r\n\n  https://a.org/2\nhello\n\xff\n";

    let (posts, unreadable) = everything(&written(dir.path(), "a.txt", text));

    assert_eq!(posts.len(), 2);
    assert_eq!(unreadable.samples, ["line 5: `hello` is no web address", "line 6: not UTF-8"]);
}

#[test]
fn what_a_list_lacks_is_said_with_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let no_address = written(dir.path(), "a.csv", b"name,width\nx,1\n");
    let no_label = written(dir.path(), "b.jsonl", b"{\"url\":\"https://a.org/1\"}\n");
    let no_parquet = written(dir.path(), "c.parquet", b"hello");
    let cats = [choice(Some("cats"), "x")];
    let shown = |path: &Path| {
        let complaint = listed(path, &cats).unwrap_err().to_string();
        complaint.replace(&dir.path().display().to_string(), "")
    };

    assert_eq!(
        [
            shown(&no_address),
            shown(&no_label),
            shown(&no_parquet),
            shown(&dir.path().join("d.csv"))
        ],
        [
            "`/a.csv` has no column of picture addresses; it has `name`, `width`; name one of \
             them `url`",
            "`/b.jsonl` has no column of labels, which #LABEL asks for; it has `url`; name one of \
             them `label`",
            "`/c.parquet` is no Parquet file that can be read",
            "there is no file `/d.csv`; a relative path starts where the program is started",
        ]
    );
}

/// As `stage/export/tables.rs` writes it, with what it does to text and addresses.
const MANIFEST: &str = "\
file_name,label,split,sha256,phash,width,height,bytes,source_w,source_h,post_id,permalink,image_url,gallery_index,place,title,author,created_utc,score,group_id,license,transform
train/cats/a.jpg,cats,train,00,00,256,256,9,800,600,reddit:t3_abc,https://www.reddit.com/r/Cats/comments/abc/,https://i.redd.it/a.jpg,2,r/cats,'=a title,-somebody,1700000000,12,00,other,\"crop, q90\"
train/cats/b.jpg,cats,train,00,00,256,256,9,800,600,reddit:t3_def,https://www.reddit.com/r/Cats/comments/def/,https://i.redd.it/b.jpg,0,r/cats,b,,1700000001,3,00,other,\"crop, q90\"
train/cats/c.jpg,cats,train,00,00,256,256,9,800,600,folder:cats//c.jpg,file:c.jpg,file:c.jpg,0,folder:cats,c,,,0,00,other,\"crop, q90\"
val/cats/d.jpg,cats,val,00,00,256,256,9,800,600,reddit:t3_abc,https://www.reddit.com/r/Cats/comments/abc/,https://i.redd.it/d.jpg,0,r/cats,'=a title,'-somebody,1700000000,12,00,other,\"crop, q90\"
";

#[test]
fn our_own_manifest_gives_the_same_posts_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), "manifest.csv", MANIFEST.as_bytes());

    let (posts, unreadable) = listed(&path, &[choice(Some("cats"), "urls:m#cats")]).unwrap();

    let item = |url: Option<&str>, status: &str| GalleryItem {
        url: url.map(str::to_owned),
        status: status.to_owned(),
        caption: None,
        sha256: None,
    };
    let places = ["r/cats", "urls:m#cats"].map(|it| Place(it.to_owned())).into();
    let gallery = Post {
        places,
        title: "=a title".to_owned(),
        author: Some("-somebody".to_owned()),
        permalink: "https://www.reddit.com/r/Cats/comments/abc/".to_owned(),
        created_utc: Some(1_700_000_000),
        score: Some(12),
        upvote_percent: None,
        flair: None,
        over_18: false,
        media: Media::Gallery {
            items: vec![
                item(Some("https://i.redd.it/d.jpg"), "valid"),
                item(None, "not listed"),
                item(Some("https://i.redd.it/a.jpg"), "valid"),
            ],
        },
        preview: None,
        told_by: Teller::Archive,
    };
    let single = &posts[&PostId("reddit:t3_def".to_owned())];
    assert_eq!(posts[&PostId("reddit:t3_abc".to_owned())], gallery);
    assert_eq!(single.media, Media::link("https://i.redd.it/b.jpg".to_owned()));
    assert_eq!(posts.len(), 2);
    assert_eq!(unreadable.samples, ["line 4: `file:c.jpg` is no web address"]);
}

#[test]
fn a_row_without_an_index_hides_no_gallery() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "url,post_id,gallery_index\n\
        https://a.org/0.jpg,reddit:t3_one,\n\
        https://a.org/1.jpg,reddit:t3_abc,0\n\
        https://a.org/2.jpg,reddit:t3_abc,1\n\
        https://a.org/3.jpg,reddit:t3_far,65535\n";
    let csv = written(dir.path(), "a.csv", rows.as_bytes());
    let rows = "{\"url\":\"https://a.org/0.jpg\",\"post_id\":\"reddit:t3_one\"}\n\
        {\"url\":\"https://a.org/1.jpg\",\"post_id\":\"reddit:t3_abc\",\"gallery_index\":0}\n\
        {\"url\":\"https://a.org/2.jpg\",\"post_id\":\"reddit:t3_abc\",\"gallery_index\":1}\n\
        {\"url\":\"https://a.org/3.jpg\",\"post_id\":\"reddit:t3_far\",\"gallery_index\":65535}\n";
    let json = written(dir.path(), "a.jsonl", rows.as_bytes());

    for path in [csv, json] {
        let (posts, unreadable) = everything(&path);

        assert_eq!((posts.len(), unreadable.count), (3, 0), "{unreadable:?}");
        let n_items = |name: &str| posts[&PostId(name.to_owned())].media.gallery().map(<[_]>::len);
        assert_eq!(n_items("reddit:t3_abc"), Some(2), "{}", path.display());
        assert_eq!(n_items("reddit:t3_far"), Some(65_536));
    }
}

#[test]
fn a_listing_ends_when_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..3000).map(|n| format!("https://a.org/{n}\n")).collect();
    let rows = rows.concat();
    let path = written(dir.path(), "a.txt", rows.as_bytes());
    let mut n_batches = 0;

    list(&path, &[choice(None, "x")], &mut |_| {
        n_batches += 1;
        ControlFlow::Break(())
    })
    .unwrap();

    assert_eq!(n_batches, 1);
}

#[test]
fn a_place_names_a_file_and_perhaps_a_label() {
    let identity =
        |text: &str| SourceSpec::parse(&Place(text.to_owned())).map(|spec| spec.identity().0).ok();

    assert_eq!(identity("urls:./a//b.csv#big cats").as_deref(), Some("urls:a/b.csv#big cats"));
    assert_eq!(identity("urls:a#1.csv.gz#x#y").as_deref(), Some("urls:a#1.csv.gz#x#y"));
    assert_eq!(identity("urls:a.csv#").as_deref(), Some("urls:a.csv"));
    assert_eq!(identity("urls:a.xlsx"), None);
    assert_eq!(identity("urls:a.parquet.gz"), None);
}
