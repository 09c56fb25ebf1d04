package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"keepwatch"
)

// Exports of Purview come as packages: zip files with the PSTs and reports in them
// (learn.microsoft.com/purview/edisc-search-export).

// packed reports whether a file of an export is a package.
func packed(name string) bool { return strings.EqualFold(path.Ext(name), ".zip") }

// unpack puts what is in a package into the archive, below a folder of its name. One that
// is packed in a way that is not known here is kept as it came, and said to be so; what is
// no package at all is nothing that Purview has made.
func (a *archiving) unpack(file, name string) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return keepwatch.Errorf(keepwatch.KindAttention, "What came as the package %s of the export is none (%v). Retry: it is downloaded again. If that does not help, cancel this run and start the backup again.", keepwatch.Printable(name), err).Because(err)
	}
	if why := strange(z.File); why != "" {
		a.holds++
		err := a.info(name, fmt.Sprintf("this package of the export cannot be unpacked here (%s), so nothing in it was checked; it is kept as it came", why))
		if err = errors.Join(err, z.Close()); err != nil {
			return err
		}
		return a.volume(file, name, a.file)
	}
	dir, taken := strings.TrimSuffix(name, path.Ext(name)), map[string]*names{}
	for _, f := range z.File {
		if err := a.unpackFile(f, dir, taken); err != nil {
			return errors.Join(err, z.Close())
		}
	}
	return errors.Join(z.Close(), os.Remove(file))
}

// strange says why a package cannot be unpacked, though nothing is wrong with it: other
// programs pack with methods that the standard library has not (APPNOTE.TXT 4.4.5), and
// encrypt (4.4.4, bit 0).
func strange(files []*zip.File) string {
	for _, f := range files {
		switch {
		case f.Flags&1 != 0:
			return keepwatch.Printable(f.Name) + " is encrypted"
		case f.Method != zip.Store && f.Method != zip.Deflate:
			return fmt.Sprintf("%s is packed by method %d", keepwatch.Printable(f.Name), f.Method)
		}
	}
	return ""
}

// unpackFile puts one file of a package into the archive. Its path is made safe, part by
// part: a package is what somebody else has made.
func (a *archiving) unpackFile(f *zip.File, dir string, taken map[string]*names) error {
	if f.FileInfo().IsDir() {
		return nil
	}
	to := dir
	parts := strings.FieldsFunc(f.Name, func(r rune) bool { return r == '/' || r == '\\' })
	if len(parts) == 0 {
		parts = []string{"file"}
	}
	for _, p := range parts[:len(parts)-1] {
		if p = safeName(p, maxName); p != "" && len(to)+len(p) < maxDir {
			to += "/" + p
		}
	}
	key := foldedName(to)
	if taken[key] == nil {
		taken[key] = newNames()
	}
	to += "/" + taken[key].file(parts[len(parts)-1])
	if f.UncompressedSize64 > 1<<62 {
		return keepwatch.Errorf(keepwatch.KindAttention, "The package of the export says that %s has more bytes than there can be. Cancel this run and start the backup again.", keepwatch.Printable(to))
	}
	if err := a.p.roomFor(int64(f.UncompressedSize64) + elbowRoom); err != nil {
		return err
	}
	out := filepath.Join(a.dir, "unpacked.part")
	if err := a.extract(f, out); err != nil {
		return err
	}
	return a.export(out, to, a.file)
}

// extract unpacks a file of a package onto the disk, and not a byte more than it is said to
// have. Its checksum is compared at its end.
func (a *archiving) extract(f *zip.File, to string) (err error) {
	r, err := f.Open()
	if err != nil {
		return broken(f, err)
	}
	defer r.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	disk := &toDisk{w: out}
	n, err := io.Copy(disk, &watched{ctx: a.ctx, r: io.LimitReader(r, int64(f.UncompressedSize64)+1), moved: func(int64) { a.job.Report(a.did) }})
	switch {
	case disk.err != nil:
		return disk.err
	case a.ctx.Err() != nil:
		return err
	case err == nil && uint64(n) != f.UncompressedSize64:
		err = fmt.Errorf("it has not the %d bytes that it says", f.UncompressedSize64)
	}
	if err != nil {
		return broken(f, err)
	}
	return nil
}

// broken says that a package was damaged, on the way or where it was made.
func broken(f *zip.File, err error) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "%s in the export that Purview made cannot be unpacked (%v). Retry: it is downloaded again. If that does not help, cancel this run and start the backup again.", keepwatch.Printable(f.Name), err).Because(err)
}
