package cpaneltest

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// node is one thing in a home directory, or in /home. What is large lies on the disk of
// the test.
type node struct {
	data   []byte
	disk   string // where the content lies; "": in data
	link   string // of a symbolic link
	dir    bool
	mode   fs.FileMode
	mtime  time.Time
	locked bool // unlink skips it, and says that it has not
}

func (n *node) size() int64 {
	if n.disk == "" {
		return int64(len(n.data))
	}
	info, err := os.Stat(n.disk)
	if err != nil {
		return 0
	}
	return info.Size()
}

// open gives the content as it is now.
func (n *node) open() (io.ReadSeekCloser, error) {
	if n.disk == "" {
		return nopSeeker{bytes.NewReader(n.data)}, nil
	}
	f, err := os.Open(n.disk)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // the error above is the one
		return nil, err
	}
	return section{io.NewSectionReader(f, 0, info.Size()), f}, nil // what is added later is not part of it
}

func (n *node) bytes() ([]byte, error) {
	r, err := n.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

type nopSeeker struct{ *bytes.Reader }

func (nopSeeker) Close() error { return nil }

type section struct {
	*io.SectionReader
	io.Closer
}

// clean makes a path of a client one below the home directory: "/home/USER/x",
// "home/USER/x" (so in the documents of restore_databases), "x" and "~/x" are the same.
// It says false for what is outside.
func (a *Account) clean(p string) (string, bool) {
	for _, prefix := range []string{"/home/" + a.user, "home/" + a.user, "~"} {
		if p == prefix {
			return ".", true
		}
		if rest, ok := strings.CutPrefix(p, prefix+"/"); ok {
			p = rest
			break
		}
	}
	if strings.HasPrefix(p, "/") {
		return "", false
	}
	p = path.Clean(p)
	return p, p != ".." && !strings.HasPrefix(p, "../")
}

// find follows links within the home directory; one that leads outside is not found.
// The lock is held.
func (a *Account) find(p string) (string, *node) {
	for range 8 {
		name, ok := a.clean(p)
		if !ok {
			return "", nil
		}
		n := a.home[name]
		if n == nil && a.isDir(name) {
			return name, &node{dir: true, mode: 0o755, mtime: a.made}
		}
		if n == nil || n.link == "" {
			return name, n
		}
		if p = n.link; !path.IsAbs(p) {
			p = path.Join(path.Dir(name), p)
		}
	}
	return "", nil
}

func (a *Account) isDir(name string) bool {
	if name == "." {
		return true
	}
	for other := range a.home {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

// under lists what is directly in a folder, in order. The lock is held.
func (a *Account) under(dir string) []string {
	names := map[string]bool{}
	for name := range a.home {
		rest := name
		if dir != "." {
			var ok bool
			if rest, ok = strings.CutPrefix(name, dir+"/"); !ok {
				continue
			}
		}
		first, _, _ := strings.Cut(rest, "/")
		names[path.Join(dir, first)] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// put stores a file. The lock is held.
func (a *Account) put(name string, n *node) {
	if n.mode == 0 {
		n.mode = 0o644
	}
	if n.mtime.IsZero() {
		n.mtime = a.h.Now()
	}
	a.home[name] = n
}

// item is a file as Fileman shows it.
func (a *Account) item(name string, n *node) map[string]any {
	kind := "file"
	if n.dir {
		kind = "dir"
	}
	full := path.Join("/home", a.user, name)
	return map[string]any{
		"file": path.Base(full), "fullpath": full, "path": path.Dir(full), "absdir": path.Dir(full), "size": n.size(), "mtime": n.mtime.Unix(), "ctime": n.mtime.Unix(),
		"type": kind, "rawtype": kind, "humansize": fmt.Sprintf("%d bytes", n.size()), "mode": int(n.mode), "nicemode": fmt.Sprintf("%04o", n.mode), "uid": 1001, "gid": 1001, "exists": 1,
	}
}
