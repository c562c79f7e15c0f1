//! The same sets given to imagededup and czkawka, at the thresholds they recommend.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Pairs, corpus::Half, edits::EDITS, names, table::Score};

/// How the peers are called, and where they may write.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    pub(super) python: &'a str,
    pub(super) czkawka: &'a str,
    pub(super) scratch: &'a Path,
    /// The file of weights for imagededup's network.
    pub(super) weights: &'a Path,
}

/// Every file is encoded once; duplicates are looked for in each set by itself.
const IMAGEDEDUP: &str = r"
import json, sys
from imagededup.methods import PHash, AHash, DHash, WHash, CNN
method, listing, weights = sys.argv[1:]

def mobilenet():
    # The network whose weights are at hand; those CNN has by default are fetched from the net.
    import numpy, torch
    from imagededup.utils.models import CustomModel
    from torch.nn.functional import conv2d, pad, relu6
    from torchvision.transforms import transforms
    raw = open(weights, 'rb').read()
    length = int.from_bytes(raw[:8], 'little')
    head = json.loads(raw[8:8 + length])
    kinds = {'F16': numpy.float16, 'F32': numpy.float32}
    def tensor(name):
        entry = head[name]
        begin, end = entry['data_offsets']
        array = numpy.frombuffer(raw[8 + length + begin:8 + length + end], kinds[entry['dtype']])
        return torch.from_numpy(array.reshape(entry['shape']).astype(numpy.float32))
    held = {name: tensor(name) for name in head if name != '__metadata__'}
    layer = {int(name.split('.')[0].lstrip('convdw')): name.split('.')[0] for name in held}
    def conv(x, n, stride=1):
        weight, bias = held[layer[n] + '.weight'], held[layer[n] + '.bias']
        side = weight.shape[-1]
        if side > 1:
            extra = max((-(-x.shape[-1] // stride) - 1) * stride + side - x.shape[-1], 0)
            x = pad(x, (extra // 2, extra - extra // 2) * 2)
        return conv2d(x, weight, bias, stride, groups=x.shape[1] if weight.shape[1] == 1 else 1)
    class Body(torch.nn.Module):
        def forward(self, x):
            with torch.inference_mode():
                x = relu6(conv(x, 0, 2))
                x = conv(relu6(conv(x, 1)), 2)
                for block in range(2, 18):
                    n = 3 * (block - 1)
                    stride = 2 if block in (2, 4, 7, 14) else 1
                    y = conv(relu6(conv(relu6(conv(x, n)), n + 1, stride)), n + 2)
                    x = x + y if y.shape == x.shape else y
                return relu6(conv(x, 51)).mean((2, 3)).clone()
    transform = transforms.Compose([
        transforms.Resize((256, 256)), transforms.CenterCrop(224), transforms.ToTensor(),
        transforms.Normalize([0.5] * 3, [0.5] * 3)])
    return CustomModel(name='mobilenet_v2', model=Body(), transform=transform)

kinds = {'phash': PHash, 'ahash': AHash, 'dhash': DHash, 'whash': WHash, 'cnn': CNN}
peer = CNN(False, mobilenet()) if method == 'cnn' else kinds[method](verbose=False)
sets = [line.rstrip('\n').split('\t') for line in open(listing)]
encoded = {}
for path in sorted({path for paths in sets for path in paths}):
    code = peer.encode_image(image_file=path)
    if code is not None:
        encoded[path] = code[0] if method == 'cnn' else code
for at, paths in enumerate(sets):
    codes = {path: encoded[path] for path in paths if path in encoded}
    found = peer.find_duplicates(encoding_map=codes)
    for a in found:
        for b in found[a]:
            if a < b:
                print(at, a, b, sep='\t')
";

/// Judges one peer on both halves; says why it cannot be.
pub(super) fn scores(
    peer: &str,
    tools: &Tools<'_>,
    halves: &[Half; 2],
) -> Result<[Vec<Score>; 2], String> {
    let judge = |half: &Half| -> Result<Vec<Score>, String> {
        let sets = match peer {
            "czkawka" => czkawka(tools, half)?,
            method => imagededup(method, tools, half)?,
        };
        Ok(sets.iter().enumerate().map(|(edit, pairs)| Score::of(half, edit, pairs)).collect())
    };
    Ok([judge(&halves[0])?, judge(&halves[1])?])
}

fn imagededup(method: &str, tools: &Tools<'_>, half: &Half) -> Result<Vec<Pairs>, String> {
    let listing = tools.scratch.join("sets.tsv");
    let line = |edit: usize| {
        let paths: Vec<String> =
            names(half, edit).into_iter().map(|path| path.display().to_string()).collect();
        paths.join("\t") + "\n"
    };
    fs::write(&listing, (0..EDITS.len()).map(line).collect::<String>()).unwrap();
    let output = Command::new(tools.python)
        .args(["-c", IMAGEDEDUP, method])
        .arg(&listing)
        .arg(tools.weights)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(text.lines().last().unwrap_or("no message").to_owned());
    }
    let mut sets = vec![Pairs::new(); EDITS.len()];
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let [at, a, b] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
        sets[at.parse::<usize>().unwrap()].push([a, b].map(PathBuf::from));
    }
    Ok(sets)
}

/// Czkawka looks through folders and prints groups; every two of a group count as a pair. It
/// passes over links, so the base pictures are copied once, and remembers what it has hashed.
fn czkawka(tools: &Tools<'_>, half: &Half) -> Result<Vec<Pairs>, String> {
    let base = tools.scratch.join("czkawka-base");
    let found = tools.scratch.join("czkawka.json");
    fs::remove_dir_all(&base).ok(); // It may not be there yet.
    fs::create_dir_all(&base).unwrap();
    for (at, path) in half.base.iter().enumerate() {
        fs::copy(path, base.join(format!("{at}.jpg"))).unwrap();
    }
    let of_edit = |edit: usize| {
        let copies = half.copies[edit][0].1.parent().expect("copies lie in a folder");
        fs::remove_file(&found).ok(); // Nothing is written where nothing is found.
        let output = Command::new(tools.czkawka)
            .args(["image", "--directories"])
            .arg(&base)
            .arg("--directories")
            .arg(copies)
            .args(["--minimal-file-size", "1", "--do-not-print-results"])
            .args(["--ignore-error-code-on-found", "--compact-file-to-save"])
            .arg(&found)
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let place = |path: &Path| -> PathBuf {
            if path.starts_with(&base) {
                let at: usize = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
                return half.base[at].clone();
            }
            copies.join(path.file_name().unwrap())
        };
        Ok(pairs(&fs::read_to_string(&found).unwrap_or_default(), place))
    };
    (0..EDITS.len()).map(of_edit).collect()
}

fn pairs(json: &str, place: impl Fn(&Path) -> PathBuf) -> Pairs {
    let groups: Vec<Vec<serde_json::Value>> = serde_json::from_str(json).unwrap_or_default();
    let mut pairs = Pairs::new();
    for group in groups {
        let paths = group.iter().map(|entry| Path::new(entry["path"].as_str().unwrap()));
        let members: Vec<PathBuf> = paths.map(&place).collect();
        for (at, a) in members.iter().enumerate() {
            pairs.extend(members[at + 1..].iter().map(|b| [a.clone(), b.clone()]));
        }
    }
    pairs
}
