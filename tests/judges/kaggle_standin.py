"""Judges an export with Kaggle's own tool against a stand-in of Kaggle's service.

    python kaggle_standin.py EXPORT_DIR create|version OUT_DIR [zip]

The stand-in listens on loopback; the tool is the unmodified `kaggle.cli.main()`, led there by
KAGGLE_API_ENVIRONMENT=LOCALHOST with nothing patched but the table of addresses. What it uploads lands in
OUT_DIR/uploads, what it asks for in OUT_DIR/calls.json. The last line says the verdict; exit
code 0 means that Kaggle's tool took everything and sent every byte and every description. With
`zip` the tool is told to pack the folders it finds, as `--dir-mode zip`.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import sys
import threading
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

METADATA = "dataset-metadata.json"
COVER = re.compile(r"dataset-cover-image\.(png|jpe?g|webp)$")
CREATE = "datasets.DatasetApiService/CreateDataset"
VERSION = "datasets.DatasetApiService/CreateDatasetVersion"
STATUS = "datasets.DatasetApiService/GetDatasetStatus"
UPLOAD = "blobs.BlobApiService/StartBlobUpload"


class Rejected(Exception):
    """The export does not pass; the text says why."""


class Service(ThreadingHTTPServer):
    """Kaggle, as far as `datasets create` and `datasets version` can tell."""

    daemon_threads = True

    def __init__(self, uploads):
        super().__init__(("127.0.0.1", 0), Handler)
        self.uploads = uploads
        self.lock = threading.Lock()
        self.calls = []  # (path, request), in order
        self.names = {}  # token -> file name
        self.lengths = {}  # token -> announced length

    @property
    def url(self):
        return f"http://localhost:{self.server_address[1]}"

    def asked(self, path):
        return [request for called, request in self.calls if called == path]


class Handler(BaseHTTPRequestHandler):
    """Answers the few calls the tool makes; anything else is 501 and fails the judgement."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        service = self.server
        path = urlsplit(self.path).path.rpartition("/v1/")[2]
        request = json.loads(self.body() or b"{}")
        with service.lock:
            service.calls.append((path, request))
        if path == STATUS:
            self.answer(404, {"code": 404, "message": "no such dataset"})
        elif path == UPLOAD:
            with service.lock:
                token = f"token-{len(service.names)}"
                service.names[token] = request["name"]
                service.lengths[token] = int(request.get("contentLength", 0))
            self.answer(200, {"token": token, "createUrl": f"{service.url}/upload/{token}"})
        elif path in (CREATE, VERSION):
            self.answer(200, {"status": "ok", "ref": "/x/y", "url": f"{service.url}/x/y"})
        else:
            self.answer(501, {"code": 501, "message": f"the stand-in knows no {path}"})

    def do_PUT(self):
        token = self.path.rpartition("/")[2]
        if token not in self.server.names:
            self.answer(404, {"code": 404, "message": "no such upload"})
            return
        with open(self.server.uploads / token, "wb") as out:
            for chunk in self.chunks():
                out.write(chunk)
        self.answer(200, {})

    def body(self):
        return b"".join(self.chunks())

    def chunks(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            chunk = self.rfile.read(min(left, 1 << 16))
            if not chunk:
                raise ConnectionError("the upload ended early")
            left -= len(chunk)
            yield chunk

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def run_tool(service, arguments, home):
    """Runs Kaggle's tool in this process; returns what it printed and how it ended."""
    for name in [name for name in os.environ if name.startswith("KAGGLE_")]:
        del os.environ[name]
    os.environ.update(
        HOME=str(home),
        TMPDIR=str(home),  # It remembers uploads there; another run's would confuse this one.
        KAGGLE_CONFIG_DIR=str(home),
        KAGGLE_API_ENVIRONMENT="LOCALHOST",
        KAGGLE_USERNAME="someone",
        KAGGLE_KEY="not-a-key",
        NO_PROXY="localhost,127.0.0.1",
        no_proxy="localhost,127.0.0.1",
    )
    # The address of every environment, so that whatever happens nothing reaches the real Kaggle.
    from kagglesdk import kaggle_env

    for environment in kaggle_env.KaggleEnv:
        kaggle_env._env_to_endpoint[environment] = service.url

    from kaggle import cli

    sys.argv = ["kaggle", "-W", *arguments]
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            cli.main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except Exception as error:  # The tool lets its own complaints out as tracebacks.
        printed.write(f"{type(error).__name__}: {error}\n")
        code = 1
    return printed.getvalue(), code


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def judge_packed(export, name, arrived):
    """Compares an archive that the tool made of a folder with the folder."""
    folder = export / name.removesuffix(".zip")
    with zipfile.ZipFile(arrived) as packed:
        # The tool may or may not keep the name of the folder in front.
        inside = {
            entry.removeprefix(folder.name + "/"): hashlib.sha256(packed.read(entry)).hexdigest()
            for entry in packed.namelist()
            if not entry.endswith("/")
        }
    there = {
        path.relative_to(folder).as_posix(): digest(path)
        for path in folder.rglob("*")
        if path.is_file()
    }
    if inside != there:
        raise Rejected(f"{name} does not hold what lies in {folder.name}/")


def judge(export, service, request, packs):
    """Compares what arrived with what lies in the folder."""
    metadata = json.loads((export / METADATA).read_text(encoding="utf-8"))
    data = {
        path.name
        for path in export.iterdir()
        if path.name != METADATA and not COVER.match(path.name)
    }
    folders = sorted(name for name in data if not (export / name).is_file())
    if packs:
        data = {name if name not in folders else f"{name}.zip" for name in data}
    elif folders:
        raise Rejected(f"folders are not uploaded: {', '.join(folders)}")

    sent = {}
    for file in request.get("files", []):
        name = service.names.get(file.get("token"))
        if name is None:
            raise Rejected(f"the request names an unknown upload {file.get('token')!r}")
        sent[name] = file
        arrived = service.uploads / file["token"]
        if name.removesuffix(".zip") in folders:
            judge_packed(export, name, arrived)
            continue
        if not arrived.exists() or digest(arrived) != digest(export / name):
            raise Rejected(f"{name} did not arrive as it is")
        if arrived.stat().st_size != service.lengths[file["token"]]:
            raise Rejected(f"{name} is not as long as announced")
    if set(sent) != data:
        raise Rejected(f"uploaded {sorted(sent)}, but the folder holds {sorted(data)}")

    for resource in metadata["resources"]:
        path = resource["path"]
        if path not in sent:
            raise Rejected(f"resource {path} was never uploaded")
        if sent[path].get("description") != resource["description"]:
            raise Rejected(f"the description of {path} did not arrive")
        fields = resource.get("schema", {}).get("fields", [])
        columns = sent[path].get("columns", [])
        if [c.get("name") for c in columns] != [f["name"] for f in fields]:
            raise Rejected(f"the columns of {path} did not arrive")
        if fields:
            with open(export / path, encoding="utf-8", newline="") as table:
                header = next(csv.reader(table))
            if header != [f["name"] for f in fields]:
                raise Rejected(f"{path} has other columns than its description")
    packed = {f"{name}.zip" for name in folders}
    undescribed = sorted(data - packed - {resource["path"] for resource in metadata["resources"]})
    if undescribed:
        raise Rejected(f"not described: {', '.join(undescribed)}")
    return metadata


def judge_request(metadata, request):
    """Compares what the request says of the dataset with what the folder says."""
    owner, slug = metadata["id"].split("/")
    expected = {
        "ownerSlug": owner,
        "slug": slug,
        "title": metadata["title"],
        "licenseName": metadata["licenses"][0]["name"],
    }
    judge_texts(metadata, request, expected)
    if not request.get("isPrivate"):
        raise Rejected("the dataset would be public at once")


def judge_texts(metadata, request, expected):
    expected["description"] = metadata["description"]
    if metadata.get("subtitle"):
        expected["subtitle"] = metadata["subtitle"]
    if metadata.get("keywords"):
        expected["categoryIds"] = metadata["keywords"]
    for key, value in expected.items():
        if request.get(key) != value:
            raise Rejected(f"{key} arrived as {request.get(key)!r}, not {value!r}")


def main():
    packs = sys.argv[4:] == ["zip"]
    if len(sys.argv) != 4 + packs or sys.argv[2] not in ("create", "version"):
        sys.exit(__doc__)
    export, action, out = Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3]).resolve()
    uploads = out / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    for old in uploads.iterdir():
        old.unlink()
    home = out / "home"
    shutil.rmtree(home, ignore_errors=True)  # What the tool remembers of an earlier run.
    home.mkdir()

    service = Service(uploads)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    arguments = ["datasets", action, "-p", str(export)]
    if action == "version":
        arguments += ["-m", "a new version"]
    if packs:
        arguments += ["--dir-mode", "zip"]
    try:
        printed, code = run_tool(service, arguments, home)
        sys.stderr.write(printed)
        (out / "calls.json").write_text(json.dumps(service.calls, indent=1))
        if code:
            last = (printed.strip().splitlines() or ["no message"])[-1]
            raise Rejected(f"kaggle ended with {code}: {last}")
        requests = service.asked(CREATE if action == "create" else VERSION)
        if len(requests) != 1:
            last = (printed.strip().splitlines() or ["no message"])[-1]
            raise Rejected(f"kaggle made {len(requests)} requests, not 1: {last}")
        request = requests[0] if action == "create" else requests[0]["body"]
        metadata = judge(export, service, request, packs)
        if action == "create":
            judge_request(metadata, request)
        else:
            judge_texts(metadata, request, {"versionNotes": "a new version"})
    except Rejected as reason:
        print(f"REJECTED {action}: {reason}")
        sys.exit(1)
    n_files = len(request["files"])
    n_bytes = sum(service.lengths.values())
    print(f"OK {action}: {n_files} files, {n_bytes} bytes, {len(metadata['resources'])} resources")


if __name__ == "__main__":
    main()
