"""Counts what recorded answers of Reddit show, independently of snapset.

Reads every *.ndjson (a post a line) and listings/*.json below the folder given, and prints one line
of JSON: for each file how many posts it has, what they show, why the others show nothing, and a
digest over all addresses of pictures in order. Needs nothing but Python.
"""

import collections
import hashlib
import html
import json
import pathlib
import sys


def posts(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    children = json.loads(text)["data"]["children"]
    return [child["data"] for child in children if child["kind"] == "t3"]


def gallery(post, counts, addresses):
    metadata = post.get("media_metadata") or {}
    order = post.get("gallery_data")
    ids = [item["media_id"] for item in order["items"]] if order else list(metadata)
    captions = {item["media_id"]: item.get("caption") for item in order["items"]} if order else {}
    for media_id in ids:
        item = metadata.get(media_id)
        status = item["status"] if item else "missing"
        source = (item or {}).get("s") or {}
        address = source.get("u") or source.get("gif")
        if status == "valid" and address:
            counts["gallery picture"] += 1
            addresses.append(html.unescape(address))
        else:
            counts["gallery item " + status] += 1
        if (captions.get(media_id) or "").strip():
            counts["caption"] += 1


def show(post, counts, addresses, is_parent=False):
    by = post.get("removed_by_category")
    if by or post.get("title") == "[deleted by user]":
        counts["removed by " + ("deleted" if by in (None, "author") else by)] += 1
    elif post.get("crosspost_parent_list") and not is_parent:
        counts["crosspost"] += 1
        show(post["crosspost_parent_list"][0], counts, addresses, is_parent=True)
    elif post.get("is_gallery") or post.get("gallery_data"):
        counts["gallery"] += 1
        gallery(post, counts, addresses)
    elif post.get("is_video") or post.get("domain") == "v.redd.it":
        counts["video"] += 1
    elif post.get("is_self"):
        counts["text"] += 1
    else:
        counts["link"] += 1
        addresses.append(html.unescape(post.get("url_overridden_by_dest") or post["url"]))


def judge(path):
    counts, addresses = collections.Counter(), []
    for post in posts(path):
        counts["post"] += 1
        show(post, counts, addresses)
        counts["flair"] += bool((post.get("link_flair_text") or "").strip())
        counts["nsfw"] += bool(post.get("over_18"))
        counts["nobody"] += post.get("author") in (None, "[deleted]")
        counts["preview"] += bool((post.get("preview") or {}).get("images"))
        counts["score"] += post.get("score") or 0
    counts = {name: count for name, count in counts.items() if count}
    digest = hashlib.sha256("\n".join(addresses).encode()).hexdigest()
    return {"counts": counts, "addresses": len(addresses), "digest": digest}


def main():
    root = pathlib.Path(sys.argv[1])
    paths = sorted([*root.glob("*.ndjson"), *root.glob("listings/*.json")])
    json.dump({path.name: judge(path) for path in paths}, sys.stdout, sort_keys=True)


main()
