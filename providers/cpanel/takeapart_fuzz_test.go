package cpanel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"strings"
	"testing"
)

// FuzzTakeApart: whatever a backup holds, what is put back stays in the home directory
// by its names, through no link, and is a whole tar.gz; or it is an error.
func FuzzTakeApart(f *testing.F) {
	plain := func(entries ...piled) []byte {
		var out bytes.Buffer
		writeTar(f, &out, topOfTest+"/", entries)
		return out.Bytes()
	}
	f.Add(plain(ordinary()...))
	f.Add(plain(piled{name: "homedir/dot", kind: tar.TypeSymlink, link: "."}, piled{name: "homedir/dot/x", content: "through"}, piled{name: "!/etc/passwd", content: "root"}))
	f.Add(plain(piled{name: "homedir.tar", content: string(plain(piled{name: "../x", content: "x"}))}))
	f.Fuzz(func(t *testing.T, in []byte) {
		var packed, out bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(in) // into memory
		_ = w.Close()
		if _, err := takeApart(&packed, innerHome, "/home/ruthin", &out, 0); err != nil {
			return
		}
		zip, err := gzip.NewReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		links := map[string]bool{}
		for r := tar.NewReader(zip); ; {
			h, err := r.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(h.Name, "/")
			for at := name; at != "."; at = path.Dir(at) {
				if links[at] || strings.HasPrefix(at, "/") || path.Base(at) == ".." {
					t.Fatalf("%q leads out", h.Name)
				}
			}
			switch h.Typeflag {
			case tar.TypeSymlink:
				full := h.Linkname
				if !strings.HasPrefix(full, "/") {
					full = path.Join("/home/ruthin", path.Dir(name), full)
				}
				if full = path.Clean(full); full != "/home/ruthin" && !strings.HasPrefix(full, "/home/ruthin/") {
					t.Fatalf("%q leads to %q", h.Name, h.Linkname)
				}
				links[name] = true
			case tar.TypeLink:
				if _, ok := cleanName(h.Linkname); !ok {
					t.Fatalf("%q is %q", h.Name, h.Linkname)
				}
			case tar.TypeReg, tar.TypeDir:
			default:
				t.Fatalf("%q is of type %c", h.Name, h.Typeflag)
			}
		}
	})
}
