package restore

import (
	"path"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/outlook"
	"keepwatch/pst"
)

// search says which items are looked for. It is kept in the Inner of an item of a plan.
type search struct {
	Texts []string  `json:"texts,omitempty"` // as pst.Fold gives them
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// when reports whether an item is of the days that are looked for.
func (s search) when(h head) bool {
	return (s.Since.IsZero() || !h.At.Before(s.Since)) && (s.Until.IsZero() || !h.At.IsZero() && h.At.Before(s.Until))
}

// fits reports whether an item is looked for, as far as the line of its index tells. Texts
// are in a step alone that an older version has planned, which looked at no more than this,
// and only put them into lower case.
func (s search) fits(h head) bool {
	m := newMatch(nil)
	for _, text := range s.Texts {
		m.left = append(m.left, pst.Fold(text))
	}
	return s.when(h) && (m.done() || m.see("", h.Subject+"\n"+h.From+"\n"+path.Base(h.Path)))
}

// chosen is what of a mailbox is asked for.
type chosen struct {
	search  search
	folders map[*folderView]bool           // all of it
	single  map[*folderView]map[int64]bool // these items, by their numbers
}

// choose reads parts: "Inbox/Projects" with all below it, a kind ("mail"), one item
// ("Inbox/#12"), and what is looked for in these ("find:minutes"). A name that begins with
// "/" is one of a folder, whatever it is.
func (v *view) choose(parts []string) (chosen, error) {
	c := chosen{folders: map[*folderView]bool{}, single: map[*folderView]map[int64]bool{}}
	all := true
	for _, part := range parts {
		looked, err := c.look(part)
		if err != nil {
			return c, err
		}
		if looked {
			continue
		}
		all = false
		found := v.withKind(outlook.Kind(part))
		name, number := part, int64(0)
		if len(found) == 0 {
			name, number = keepwatch.CutMailItem(part)
			found = v.named(name)
		}
		switch {
		case len(found) == 0:
			return c, v.unknown(part)
		case number > 0 && c.single[found[0]] == nil:
			c.single[found[0]] = map[int64]bool{number: true}
		case number > 0:
			c.single[found[0]][number] = true
		default:
			for _, f := range found {
				c.folders[f] = true
			}
		}
	}
	if all {
		for _, f := range v.folders {
			c.folders[f] = true
		}
	}
	return c, nil
}

// look reads a part that says what is looked for; false where it is none.
func (c *chosen) look(part string) (bool, error) {
	moment := func(text string, to *time.Time) error {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return keepwatch.Errorf(keepwatch.KindInvalid, "%s is no moment as in 2024-03-01T00:00:00Z.", keepwatch.Printable(text))
		}
		*to = at
		return nil
	}
	if text, ok := strings.CutPrefix(part, keepwatch.PartFind); ok {
		if text = strings.TrimSpace(pst.Fold(text)); text == "" {
			return true, keepwatch.Errorf(keepwatch.KindInvalid, "Say which text is looked for.")
		}
		c.search.Texts = append(c.search.Texts, text)
		return true, nil
	}
	if text, ok := strings.CutPrefix(part, keepwatch.PartSince); ok {
		return true, moment(text, &c.search.Since)
	}
	if text, ok := strings.CutPrefix(part, keepwatch.PartUntil); ok {
		return true, moment(text, &c.search.Until)
	}
	return false, nil
}

// withKind gives the folders of a kind.
func (v *view) withKind(kind outlook.Kind) (list []*folderView) {
	for _, f := range v.folders {
		if f.Kind == kind {
			list = append(list, f)
		}
	}
	return list
}

// named gives the folder that a name means, before those below it: spelt like that, or
// but for upper and lower case, or known under it in every language.
func (v *view) named(name string) []*folderView {
	name = strings.Trim(name, "/")
	for _, is := range []func(*folderView) bool{
		func(f *folderView) bool { return f.title == name },
		func(f *folderView) bool { return strings.EqualFold(f.title, name) },
		func(f *folderView) bool { return f.WellKnown != "" && strings.EqualFold(f.WellKnown, name) },
	} {
		for _, top := range v.folders {
			if !is(top) {
				continue
			}
			list := []*folderView{top}
			for _, f := range v.folders {
				if f != top && len(f.Path) > len(top.Path) && f.Within(top.Folder) {
					list = append(list, f)
				}
			}
			return list
		}
	}
	return nil
}

func (v *view) unknown(part string) error {
	const shown = 20
	names := v.known()
	text := strings.Join(names[:min(len(names), shown)], ", ")
	if len(names) > shown {
		text += " and more"
	}
	if text == "" {
		text = "no folder"
	}
	return keepwatch.Errorf(keepwatch.KindNotFound, "There is no folder %s in the archive. It holds: %s. One item is named by its number in the folder: Inbox/#12.", keepwatch.Printable(part), text)
}

// known are the parts that may be asked for.
func (v *view) known() (list []string) {
	for _, k := range []outlook.Kind{outlook.Mail, outlook.Contacts, outlook.Calendar} {
		if len(v.withKind(k)) > 0 {
			list = append(list, string(k))
		}
	}
	for _, f := range v.folders {
		list = append(list, keepwatch.Printable(f.title))
	}
	return list
}
