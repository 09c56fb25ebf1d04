package archive

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"

	"keepwatch/providers/outlook"
	"keepwatch/pst"
	"keepwatch/pst/writer"
)

// dataFile is the PST that is made on the way, and what is known of what went into it.
type dataFile struct {
	w       *writer.Writer
	folders map[*place]*writer.Folder
	tallies map[string]tally // by folder, as pathKey gives it
}

// tally is how many items a folder has, and a sum over their subjects in whatever order.
type tally struct {
	items int64
	sum   uint64
}

// add counts an item.
func (t *tally) add(subject string) {
	h := fnv.New64a()
	for i, r := range []rune(subject) {
		if i == 100 { // Outlook's longest is 255, and files differ in how they cut
			break
		}
		if unicode.IsControl(r) {
			r = ' '
		}
		h.Write([]byte(string(r)))
	}
	t.items++
	t.sum += h.Sum64()
}

// pathKey makes a text of a path of a PST, in which upper and lower case are the same.
func pathKey(path []string) string { return strings.ToLower(strings.Join(path, "\x00")) }

// dataName is what the PST is called: after the source, because the name of a file that is
// sealed by itself is seen. One of changes says that it is not all.
func (a *archiving) dataName() string {
	name := a.job.Source.Name
	if a.k.Base != "" {
		name += "-changes-" + a.taken().In(a.p.cfg.Zone).Format(time.DateOnly)
	}
	return name + ".pst"
}

// volumeItems is how many items a volume has, about: writing and checking one takes memory
// for each (some 300 bytes, measured), so that a mailbox of a million short mails has more
// volumes than their bytes alone would make.
const volumeItems = 100_000

// volumeSize is how many bytes a volume may have.
func volumeSize(totals outlook.Totals) int64 {
	if totals.Items <= volumeItems {
		return writer.DefaultVolumeSize
	}
	return min(writer.DefaultVolumeSize, inPST(totals)/totals.Items*volumeItems)
}

// newDataFile begins one. Made again of the same items, it is the same: its ids are made of
// its name and its time. It has no password: that of a PST keeps nobody out.
func newDataFile(dir, name string, taken time.Time, size int64) (*dataFile, error) {
	volume := 0
	w, err := writer.Create(filepath.Join(dir, name), writer.Options{
		Name: strings.TrimSuffix(name, ".pst"), VolumeSize: size,
		Now: func() time.Time { return taken },
		RecordKey: func() (g pst.GUID) {
			volume++
			sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d", name, taken.UnixNano(), volume))
			copy(g[:], sum[:])
			return g
		},
	})
	if err != nil {
		return nil, err
	}
	return &dataFile{w: w, folders: map[*place]*writer.Folder{}, tallies: map[string]tally{}}, nil
}

// abort removes what is not finished.
func (d *dataFile) abort() error {
	if d == nil {
		return nil
	}
	return d.w.Abort()
}

// classOf is the class of a folder of a PST (PidTagContainerClass).
func classOf(k outlook.Kind) string {
	switch k {
	case outlook.Contacts:
		return "IPF.Contact"
	case outlook.Calendar:
		return "IPF.Appointment"
	}
	return "IPF.Note"
}

// folder makes a folder, those above it first.
func (d *dataFile) folder(at *place) (err error) {
	if d == nil || len(at.inPST) == 0 {
		return nil
	}
	f := d.w.Root()
	for _, name := range at.inPST {
		if f, err = f.Folder(name, classOf(at.Kind)); err != nil {
			return err
		}
	}
	d.folders[at] = f
	d.tallies[pathKey(at.inPST)] = tally{}
	return nil
}

// add adds an item to a folder.
func (d *dataFile) add(at *place, fill func(pst.Sink) error) error {
	var subject string
	err := d.folders[at].Add(func(s pst.Sink) error { // it may be called twice
		seen := &seeing{Sink: s}
		err := fill(seen)
		subject = seen.subject
		return err
	})
	if err != nil {
		return err
	}
	key := pathKey(at.inPST)
	t := d.tallies[key]
	t.add(subject)
	d.tallies[key] = t
	return nil
}

// ofDisk reports whether an error is one of a disk.
func ofDisk(err error) bool {
	var number syscall.Errno
	_, path := errors.AsType[*fs.PathError](err)
	return path || errors.As(err, &number)
}
