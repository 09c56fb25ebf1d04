package cpaneltest

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"strings"
)

// files unpacks the partial backup of a home directory into the home directory, or the
// folder of it that the call names.
func (j *job) files(s source) error {
	into, ok := j.q.a.clean(j.q.params.Get("directory"))
	if j.q.params.Get("directory") == "" {
		into = "."
	}
	if !ok {
		return refuse("The directory “%s” is outside the home directory.", j.q.params.Get("directory"))
	}
	r, err := s.node.open()
	if err != nil {
		return err
	}
	defer r.Close()
	zip, err := gzip.NewReader(r)
	if err != nil {
		return refuse("tar: %s: This does not look like a tar archive", s.name)
	}
	var batch []func()
	flush := func() error {
		return j.step(func() error {
			for _, put := range batch {
				put()
			}
			batch = nil
			return nil
		})
	}
	all := 0
	for in := tar.NewReader(zip); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(flush(), refuse("tar: %s: Unexpected EOF in archive", s.name))
		}
		put, err := j.member(head, in, into)
		if err != nil {
			return errors.Join(flush(), refuse("tar: %s: Unexpected EOF in archive", s.name))
		}
		batch = append(batch, put)
		if all++; all%4000 == 0 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return j.step(func() error {
		j.done("The system successfully restored %d files from the backup file '%s'", all, s.name)
		return nil
	})
}

// member reads one member, and gives what puts it in its place. Those that would lie
// outside are left out, with a line in the log.
func (j *job) member(head *tar.Header, in io.Reader, into string) (func(), error) {
	name := path.Clean(head.Name)
	if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
		return func() { j.say("tar: %s: the name is not safe and was left out", head.Name) }, nil
	}
	name = path.Join(into, name)
	n := &node{mode: head.FileInfo().Mode().Perm(), mtime: head.ModTime, dir: head.Typeflag == tar.TypeDir}
	switch head.Typeflag {
	case tar.TypeSymlink:
		n.link = head.Linkname
	case tar.TypeReg:
		if head.Size > 1<<20 {
			j.q.h.mu.Lock()
			n.disk = j.q.h.onDisk()
			j.q.h.mu.Unlock()
			if err := save(n.disk, in); err != nil {
				return nil, err
			}
			break
		}
		var err error
		if n.data, err = io.ReadAll(in); err != nil {
			return nil, err
		}
	}
	return func() {
		if name != "." {
			j.q.a.put(name, n)
		}
	}, nil
}
