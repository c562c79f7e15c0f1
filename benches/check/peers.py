"""Searches a folder for duplicates with imagededup; tells as JSON how long it took and what it found."""
import contextlib, json, os, sys, time

folder = sys.argv[1]
with contextlib.redirect_stdout(sys.stderr):
    from imagededup.methods import PHash

    # Its bars are not part of the work.
    search = PHash(verbose=False)
    start = time.monotonic()
    found = search.find_duplicates(image_dir=folder, recursive=True, num_enc_workers=os.cpu_count())
    seconds = time.monotonic() - start
pairs = {tuple(sorted((one, other))) for one, others in found.items() for other in others}
json.dump({"seconds": seconds, "pairs": sorted(pairs)}, sys.stdout)
