package cpanel

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"keepwatch"
)

// Paths below the top folder of a full backup
// (https://docs.cpanel.net/knowledge-base/backup/backup-tarball-contents).
const (
	innerHome = "homedir" // the home directory; "homedir.tar" is the same, packed once more
	// innerFilters is where the e-mail filters of the whole account are kept; the files
	// in vf/ are made from it, and those of single mailboxes lie in the home directory
	// too (https://kb.hrcws.nl/?p=3565).
	innerFilters = "homedir/.cpanel/filter.yaml"
)

// errNotInside says that a full backup does not hold what was to be taken out of it.
var errNotInside = errors.New("it is not in the backup")

// errEnough ends a walk.
var errEnough = errors.New("no more is needed")

// leftOut is what is in a backup and is not put back, because it could do harm: the
// first few, in words, and how many there are.
type leftOut struct {
	first []string
	count int
}

// How many of them are named, and how much of a name is shown.
const (
	maxLeftOut = 20
	maxNamed   = 120
)

func (l *leftOut) add(name, why string) {
	if l.count++; len(l.first) < maxLeftOut {
		if len(name) > maxNamed {
			name = strings.ToValidUTF8(name[:maxNamed], "") + "…"
		}
		l.first = append(l.first, fmt.Sprintf("%s (%s)", keepwatch.Printable(name), why))
	}
}

// sentence is empty where nothing was left out.
func (l *leftOut) sentence() string {
	if l.count == 0 {
		return ""
	}
	text := fmt.Sprintf("%s of the backup could do harm and was left out: %s", keepwatch.FormatCount(int64(l.count), "entry", "entries"), strings.Join(l.first, ", "))
	if more := l.count - len(l.first); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + "."
}

// walkBackup reads a full backup to its end and gives each entry with its path below
// the top folder. What is packed once more as homedir.tar comes as homedir/…. Paths
// that lead out of the top folder come to nobody and are noted in left.
func walkBackup(in io.Reader, left *leftOut, visit func(name string, h *tar.Header, content io.Reader) error) error {
	raw := bufio.NewReaderSize(in, 1<<18)
	packed, err := gzip.NewReader(raw)
	if err != nil {
		return notUnpacked(err)
	}
	defer packed.Close()
	top := ""
	err = eachEntry(packed, func(h *tar.Header, content io.Reader) error {
		clean, ok := cleanName(h.Name)
		if !ok {
			left.add(h.Name, "its path leads out of the backup")
			return nil
		}
		first, name, _ := strings.Cut(clean, "/")
		if top == "" {
			top = first
		}
		switch {
		case first != top:
			left.add(h.Name, "it lies outside of the backup's folder")
			return nil
		case name == "":
			return nil
		case name == innerHome+".tar" && isFile(h):
			return eachEntry(content, func(h *tar.Header, content io.Reader) error {
				clean, ok := cleanName(h.Name)
				if !ok {
					left.add(h.Name, "its path leads out of the home directory")
					return nil
				}
				inner := *h
				if h.Typeflag == tar.TypeLink { // as those outside of homedir.tar are: from the top
					inner.Linkname = path.Join(top, innerHome, h.Linkname)
				}
				return visit(path.Join(innerHome, clean), &inner, content)
			})
		}
		return visit(name, h, content)
	})
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, packed); err != nil { // to its checksum
		return notUnpacked(err)
	}
	if _, err = io.Copy(io.Discard, raw); err != nil { // to the end, where the SHA-256 is compared
		return notUnpacked(err)
	}
	return nil
}

// eachEntry walks a tar.
func eachEntry(in io.Reader, visit func(h *tar.Header, content io.Reader) error) error {
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return notUnpacked(err)
		}
		if err := visit(h, soundly{r}); err != nil {
			return err
		}
	}
}

// soundly tells what fails in a backup from what fails where it is written to.
type soundly struct{ in io.Reader }

func (s soundly) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if err != nil && err != io.EOF {
		err = notUnpacked(err)
	}
	return n, err
}

// notUnpacked says that a backup cannot be unpacked. What already says what is wrong
// with the archive stays as it is, and so does the end of what was asked.
func notUnpacked(err error) error {
	var said *keepwatch.Error
	if errors.As(err, &said) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The backup in the archive cannot be unpacked to its end, so nothing of it is put back. Take another archive.").Because(err)
}

// cleanName gives a path of a tar without "." parts, and false for one that leads out
// of it.
func cleanName(name string) (string, bool) {
	if name == "" || strings.HasPrefix(name, "/") || strings.ContainsRune(name, 0) || slices.Contains(strings.Split(name, "/"), "..") {
		return "", false
	}
	return path.Clean(name), true
}

func isFile(h *tar.Header) bool {
	return h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeGNUSparse || h.Typeflag == '\x00'
}

// hasHoles reports whether a file is stored without its holes. Its content then comes
// with zeros in their place, and a few bytes of a backup may so stand for exabytes.
func hasHoles(h *tar.Header) bool { return entryOf(h).sparse }

// takenOut is what was taken out of a backup.
type takenOut struct {
	entries int64 // files, folders and links
	files   int64
	bytes   int64 // of content, unpacked
	left    leftOut
}

// takeApart reads a full backup to its end, in one pass and in constant memory, and
// writes one piece of it in the form in which a host takes it back:
//
//   - innerHome as a tar.gz whose paths begin in the home directory, as in the
//     home-directory backups that hosts make themselves,
//   - any other path as that file, gzipped.
//
// home is the path of the account's home directory; links may lead there. The same
// backup gives the same bytes each time. Nothing that out is given is the end of a
// gzip before all of in has been read and is sound. Where the piece is missing, the
// error is errNotInside.
//
// With enough above 0, whoever calls knows what must come and compares it: no more is
// read of in than gives so many entries.
func takeApart(in io.Reader, inner, home string, out io.Writer, enough int64) (takenOut, error) {
	var t takenOut
	pack, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return t, err
	}
	found := false
	to := newHomeWriter(pack, home, &t)
	err = walkBackup(in, &t.left, func(name string, h *tar.Header, content io.Reader) error {
		var err error
		rel, below := strings.CutPrefix(name, innerHome+"/")
		switch {
		case inner == innerHome && (below || name == innerHome):
			found = true
			if below {
				err = to.add(rel, h, content)
			}
		case inner != innerHome && name == inner && isFile(h) && !hasHoles(h) && !found:
			found = true
			t.bytes, err = io.Copy(pack, content)
			t.entries, t.files = 1, 1
		}
		if err == nil && enough > 0 && t.entries >= enough {
			return errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err == nil && found && inner == innerHome {
		err = to.tar.Close()
	}
	switch {
	case err != nil:
		return t, err
	case !found:
		return t, errNotInside
	}
	return t, pack.Close()
}

// holding is what a full backup holds of the things that can be put back.
type holding struct {
	home      bool
	databases []string
	postgres  []string
	domains   []string // that have a file of forwarders with something in it
	filters   bool
}

// lookInside reads a full backup to its end and says what it holds.
func lookInside(in io.Reader) (holding, error) {
	var found holding
	var left leftOut
	err := walkBackup(in, &left, func(name string, h *tar.Header, _ io.Reader) error {
		folder, file := path.Split(name)
		switch {
		case strings.HasPrefix(name, innerHome+"/"):
			found.home = true
			found.filters = found.filters || name == innerFilters && h.Size > 0
		case folder == "mysql/" && isFile(h):
			if db, ok := strings.CutSuffix(file, ".sql"); ok {
				found.databases = append(found.databases, db)
			}
		case folder == "psql/" && isFile(h):
			if db, ok := strings.CutSuffix(file, ".tar"); ok {
				found.postgres = append(found.postgres, db)
			}
		case folder == "va/" && isFile(h) && h.Size > 0:
			found.domains = append(found.domains, file)
		}
		return nil
	})
	for _, names := range []*[]string{&found.databases, &found.postgres, &found.domains} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return found, err
}
