use burn::tensor::Device;

use super::{Drawing, grouped};
use crate::model::{
    graph::build::Fill,
    nets::{self, Plan},
    recipe::Architecture,
};

fn drawn(architecture: Architecture, side_px: usize, n_classes: usize) -> Drawing {
    let plan = Plan::new(architecture, side_px, n_classes);
    Drawing::of(&nets::build(&plan, Fill::Zeros, &Device::flex()).unwrap())
}

/// The sums other counters report, in millions of multiplications.
#[test]
fn a_network_costs_what_is_published() {
    let cases = [
        (Architecture::MobilenetV2, 224, 300_774_272, 3_504_872),
        (Architecture::Resnet18, 224, 1_814_073_344, 11_689_512),
        (Architecture::Resnet50, 224, 4_089_184_256, 25_557_032),
    ];
    for (architecture, side_px, n_multiply_adds, n_parameters) in cases {
        let drawing = drawn(architecture, side_px, 1000);
        assert_eq!(drawing.n_multiply_adds(), n_multiply_adds, "{architecture}");
        assert_eq!(drawing.n_parameters(), n_parameters, "{architecture}");
    }
}

#[test]
fn layers_of_a_block_are_told_in_one_line() {
    let table = drawn(Architecture::Resnet18, 64, 3).table();
    let lines: Vec<&str> = table.lines().collect();

    let expected = "\
block           layers                                        gives  parameters  multiply-adds
pictures                                                3 × 64 × 64           0              0
conv1           conv 7×7/2, max pool 3×3/2             64 × 16 × 16       9,536      9,633,792
layer1.0        conv 3×3, conv 3×3, sum                64 × 16 × 16      73,984     18,874,368";
    assert_eq!(lines[..4].join("\n"), expected);
    assert_eq!(lines.len(), 14);
    assert_eq!(
        lines[12].split_whitespace().collect::<Vec<&str>>().join(" "),
        "fc dense 512 to 3 3 1,539 1,536"
    );
    assert!(lines[13].starts_with("all "), "{}", lines[13]);
}

#[test]
fn branches_are_joined_to_what_they_take() {
    let drawing = drawn(Architecture::Peetznet, 16, 2);
    let name = |at: &usize| drawing.blocks[*at].name.as_str();
    let inputs = |wanted: &str| -> Vec<&str> {
        let block = drawing.blocks.iter().find(|block| block.name == wanted).unwrap();
        block.inputs.iter().map(name).collect()
    };

    assert_eq!(inputs("branch_a.1"), ["pictures"]);
    assert_eq!(inputs("branch_b.1"), ["pictures"]);
    assert_eq!(inputs("joined"), ["branch_a.3", "branch_b.3"]);
    assert_eq!(inputs("output"), ["dense2"]);
}

#[test]
fn a_picture_has_a_box_for_every_block_and_is_well_formed() {
    for architecture in Architecture::ALL {
        let side_px = if architecture == Architecture::InceptionV3 { 80 } else { 32 };
        let drawing = drawn(architecture, side_px, 2);
        let svg = drawing.svg();

        assert_eq!(svg.matches("<rect ").count(), drawing.blocks.len(), "{architecture}");
        assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
        assert_eq!(svg.matches("<text ").count(), svg.matches("</text>").count());
        assert!(svg.ends_with("</svg>"));
        assert!(!svg.contains(" NaN") && !svg.contains("\"-"));
        if let Some(folder) = std::env::var_os("SNAPSET_DRAWINGS") {
            use std::io::Write as _;
            let path = std::path::PathBuf::from(folder).join(format!("{architecture}.svg"));
            std::fs::File::create(path).unwrap().write_all(svg.as_bytes()).unwrap();
        }
    }
}

#[test]
fn thousands_are_set_apart() {
    let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
    for (number, expected) in cases {
        assert_eq!(grouped(number), expected);
    }
}
