package vault

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"keepwatch"
)

// selection decides what a restore is about: everything where no parts are
// given; otherwise a part is a path, a folder with all that is below it, or a
// pattern as in path.Match for the whole path or, without a slash, for its last
// part, a folder again with all that is below it.
type selection struct {
	parts []string // as they were given
	clean []string // as paths
	used  []bool   // which of them something was found for
}

func newSelection(parts []string) *selection {
	s := &selection{parts: parts, used: make([]bool, len(parts))}
	for _, p := range parts {
		s.clean = append(s.clean, strings.Trim(path.Clean("/"+filepath.ToSlash(p)), "/"))
	}
	return s
}

// has reports whether a path is asked for.
func (s *selection) has(p string) bool {
	if len(s.parts) == 0 {
		return true
	}
	hit := false
	for i, part := range s.clean {
		if matchesPart(p, part) {
			s.used[i], hit = true, true
		}
	}
	return hit
}

func matchesPart(p, part string) bool {
	if part == "" || p == part || strings.HasPrefix(p, part) && p[len(part)] == '/' {
		return true
	}
	if !strings.ContainsAny(part, "*?[\\") {
		return false
	}
	if strings.Contains(part, "/") {
		for at := 0; ; at++ { // the path itself, or a folder above it
			end := strings.IndexByte(p[at:], '/')
			if end < 0 {
				ok, _ := path.Match(part, p)
				return ok
			}
			at += end
			if ok, _ := path.Match(part, p[:at]); ok {
				return true
			}
		}
	}
	for name := range strings.SplitSeq(p, "/") {
		if ok, _ := path.Match(part, name); ok {
			return true
		}
	}
	return false
}

// missing gives the parts for which nothing was found.
func (s *selection) missing() []string {
	var list []string
	for i, part := range s.parts {
		if !s.used[i] {
			list = append(list, part)
		}
	}
	return list
}

// PlanExtract says what Extract would do, without writing anything.
func (v *Vault) PlanExtract(ctx context.Context, ref string, ask keepwatch.Ask) (keepwatch.RestorePlan, error) {
	f, err := v.open(ref)
	if err != nil {
		return keepwatch.RestorePlan{Ref: ref, To: ask.To, Free: -1}, err
	}
	return f.Plan(ctx, ask)
}

// maxClashes is how many files that stand in the way are named.
const maxClashes = 20

// Plan says what Extract would do, without writing anything.
func (f *Folder) Plan(ctx context.Context, ask keepwatch.Ask) (keepwatch.RestorePlan, error) {
	plan := keepwatch.RestorePlan{Ref: f.ref, To: ask.To, Free: roomAt(ask.To)}
	if !filepath.IsAbs(ask.To) {
		return plan, keepwatch.Errorf(keepwatch.KindInvalid, "Say where to restore to with a whole path: %q is not one.", ask.To)
	}
	g := f.own.guard(ask.To)
	if err := g.destination(ask.To); err != nil {
		return plan, err
	}
	if err := writable(roomDir(ask.To)); err != nil {
		return plan, trouble("Nothing can be restored to "+ask.To, err)
	}
	root, err := os.OpenRoot(ask.To)
	switch {
	case err == nil:
		defer root.Close()
	case !errors.Is(err, fs.ErrNotExist):
		return plan, trouble("Nothing can be restored to "+ask.To, err)
	}
	chosen := newSelection(ask.Parts)
	err = f.Contents(ctx, func(e keepwatch.Entry) error {
		if !chosen.has(e.Path) {
			return nil
		}
		if err := g.entry(e); err != nil {
			return err
		}
		plan.Items++
		plan.Bytes += e.Size
		stands := standing(root, e)
		if stands != standsSame {
			plan.Need += e.Size
		}
		switch stands {
		case standsNot:
			plan.New++
		case standsSame:
			plan.Same++
		case standsOther:
			if plan.Replaced++; len(plan.Clashes) < maxClashes {
				plan.Clashes = append(plan.Clashes, e.Path)
			}
		case standsFast:
			if len(plan.Blocked) < maxClashes {
				plan.Blocked = append(plan.Blocked, e.Path)
			}
		}
		return nil
	}, nil)
	plan.Missing = chosen.missing()
	return plan, err
}

// What stands at the place of an entry.
type stands int

const (
	standsNot   stands = iota // nothing
	standsSame                // the same, as far as size, time and target show
	standsOther               // something else, which can be replaced
	standsFast                // what no restore replaces: a folder in a file's place or the other way round, or on the way there; a link that leads outside
)

// standing says what stands in a folder at the place of an entry. A nil folder
// does not exist.
func standing(root *os.Root, e keepwatch.Entry) stands {
	if root == nil {
		return standsNot
	}
	name := filepath.FromSlash(e.Path)
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return standsNot
	}
	if err != nil { // a link or a file is on the way there
		return standsFast
	}
	if e.Type == keepwatch.EntryFolder && !info.IsDir() {
		if to, err := root.Stat(name); err != nil || !to.IsDir() {
			return standsFast
		}
	}
	if e.Type != keepwatch.EntryFolder && info.IsDir() {
		return standsFast
	}
	same := false
	switch e.Type {
	case keepwatch.EntryFolder:
		same = info.IsDir()
	case keepwatch.EntryFile:
		same = info.Mode().IsRegular() && info.Size() == e.Size && info.ModTime().Equal(e.ModTime)
	case keepwatch.EntryLink:
		target, err := root.Readlink(name)
		same = err == nil && target == e.Link
	}
	if same {
		return standsSame
	}
	return standsOther
}

// roomAt gives the bytes left on the disk that a path is on, or will be; -1
// where that is unknown.
func roomAt(dir string) int64 {
	for dir != "" {
		n, err := free(dir)
		if err == nil {
			return n
		}
		if errors.Is(err, errors.ErrUnsupported) {
			return -1
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return -1
}

// refuse says why a restore must not begin.
func refuse(plan keepwatch.RestorePlan, overwrite bool) error {
	switch {
	case len(plan.Missing) > 0:
		return keepwatch.Errorf(keepwatch.KindNotFound, "The archive holds no %s. `/backup show` lists what is in it.", quoteAll(plan.Missing))
	case len(plan.Blocked) > 0:
		return keepwatch.Errorf(keepwatch.KindConflict, "In %s something stands in the way that no restore replaces, such as a folder in the place of a file: %s. Move it away, or restore to another place.", plan.To, quoteAll(plan.Blocked))
	case plan.Replaced > 0 && !overwrite:
		text := quoteAll(plan.Clashes)
		if more := plan.Replaced - int64(len(plan.Clashes)); more > 0 {
			text += " and " + keepwatch.FormatCount(more, "other")
		}
		return keepwatch.Errorf(keepwatch.KindConflict, "In %s there is already something else in the place of %s: %s. Nothing was touched. Restore to another place, or move those away first.",
			plan.To, keepwatch.FormatCount(plan.Replaced, "item"), text)
	case plan.Free >= 0 && plan.Need > plan.Free:
		return keepwatch.Errorf(keepwatch.KindAttention, "There is not enough room for the restore to %s: %s are needed and %s are free. Free some room, or restore to another place.",
			plan.To, keepwatch.FormatBytes(plan.Need), keepwatch.FormatBytes(plan.Free))
	}
	return nil
}

// quoteAll lists names for a sentence; those that are not plain are quoted.
func quoteAll(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = keepwatch.Printable(n)
	}
	return strings.Join(list, ", ")
}
