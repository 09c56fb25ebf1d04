package mailbox

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"keepwatch"
)

// asked is one of the parts that are asked for: a file of the archive, and what of it.
type asked struct {
	part   string // as it was given
	file   string // path of the Outlook data file in the archive
	inside string // path of a folder in it, perhaps with the number of an item
}

// find takes parts apart: which file of the archive each leads into.
func (m *Mailboxes) find(ctx context.Context, ref string, parts []string) ([]asked, error) {
	list := make([]asked, len(parts))
	alike := make([][]asked, len(parts)) // by files that are called so but for upper and lower case
	for i, part := range parts {
		list[i] = asked{part: part}
	}
	err := m.cfg.Vault.Contents(ctx, ref, func(e keepwatch.Entry) error {
		if e.Type != keepwatch.EntryFile {
			return nil
		}
		for i, a := range list {
			if inside, ok := keepwatch.InsideOf(e.Path, a.part); ok {
				list[i].file, list[i].inside = e.Path, inside
			} else if e.Path == a.part {
				list[i].file = e.Path
			} else if inside, ok := keepwatch.InsideOfAnyCase(e.Path, a.part); ok && keepwatch.NamedMailbox(e.Path) {
				alike[i] = append(alike[i], asked{a.part, e.Path, inside})
			}
		}
		return nil
	}, nil)
	if err != nil {
		return nil, err
	}
	for i, a := range list {
		if a.file == "" && len(alike[i]) == 1 {
			list[i] = alike[i][0]
		} else if a.file == "" {
			return nil, keepwatch.Errorf(keepwatch.KindNotFound, "The archive holds no Outlook data file that %s could be in. `/backup show %s` lists what is in it.", keepwatch.Printable(a.part), quote(ref))
		}
	}
	return list, nil
}

// place is what a part means in an open file: a folder, or an item of one.
type place struct {
	folder int // index; -1 is the top
	number int64
}

// resolve finds it.
func (t *tree) resolve(ref string, a asked) (place, error) {
	if i, ok := t.find(a.inside); ok {
		return place{folder: i}, nil
	}
	folder, number := keepwatch.CutMailItem(a.inside)
	if i, ok := t.find(folder); ok {
		return place{i, number}, nil
	}
	return place{}, keepwatch.Errorf(keepwatch.KindNotFound, "In %s there is no folder %s. `/backup show %s` lists those that there are.", keepwatch.Printable(a.file), keepwatch.Printable(folder), quote(ref, a.file))
}

// quote makes words of a command of a reference and names, for a sentence.
func quote(words ...string) string {
	for i, w := range words {
		if strings.ContainsAny(w, " \"'\\") {
			words[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
		}
	}
	return strings.Join(words, " ")
}

// cause gives the reason in an error of the file system, without the path.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
