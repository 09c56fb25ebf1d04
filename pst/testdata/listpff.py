"""Lists a PST file with libpff's Python binding, one line of JSON for each item.

    listpff.py FILE OUTPUT

The binding of 2018 knows nothing of recipients and of embedded messages; pffexport,
which is slow where there are many items, tells those.
"""
import base64
import hashlib
import json
import sys

import pypff


def values(entries):
    found = {}
    for e in entries:
        if e.entry_type is None or e.value_type is None or e.entry_type == 0x3701:
            continue
        data = e.data
        found["%04x%04x" % (e.entry_type, e.value_type)] = base64.b64encode(data or b"").decode()
    return found


def attachment(a):
    found = {"Values": values(a.get_record_set(0).entries), "Size": a.size}
    total = hashlib.sha256()
    while True:
        part = a.read_buffer(1 << 20)
        if not part:
            break
        total.update(part)
    found["SHA256"] = total.hexdigest()
    return found


def name(d):
    """The name of a folder, from its bytes: the binding of 2018 gives letters
    outside the first 65,536 as others (U+10332 as U+FF33), pffexport does not."""
    return base64.b64decode(values(d.get_record_set(0).entries).get("3001001f", "")).decode("utf-16-le", "replace")


def folder(d, path, out):
    out.write(json.dumps({"Folder": path}) + "\n")
    for i in range(d.number_of_sub_messages):
        m = d.get_sub_message(i)
        it = {"Folder": path, "Values": values(m.get_record_set(0).entries)}
        it["Attachments"] = [attachment(m.get_attachment(n)) for n in range(m.number_of_attachments)]
        out.write(json.dumps(it) + "\n")
    for i in range(d.number_of_sub_folders):
        sub = d.get_sub_folder(i)
        folder(sub, path + [name(sub)], out)


def main():
    sys.setrecursionlimit(100000)
    f = pypff.file()
    f.open(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8", errors="surrogatepass") as out:
        folder(f.get_root_folder(), [], out)
    f.close()


main()
