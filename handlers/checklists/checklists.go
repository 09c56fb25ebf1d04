// Package checklists reads the procedures that only a person can go through, one YAML
// file each, and holds those that come with Keepwatch.
//
// What a file may hold is said twice: by the reader, which names the line and what is
// expected there, and by checklist.schema.json, a JSON schema (draft 2020-12) for the
// editors of teams that write their own. A test holds the two together. Only what no
// schema can say, names that are unique, is the reader's alone.
package checklists

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"keepwatch"
)

//go:embed *.yaml
var files embed.FS

// Builtin gives the checklists that come with Keepwatch, by file name.
func Builtin() ([]keepwatch.Checklist, error) { return Load(files) }

// Load reads the files at the top of a folder whose names end in .yaml or .yml, in the
// order of their names. A file's name without the ending is the checklist's ID. All
// that is wrong is collected into one KindInvalid error, a line for each: file, line,
// what is there and what is expected.
func Load(fsys fs.FS) ([]keepwatch.Checklist, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "The folder of the checklists cannot be read. Is it there, and may Keepwatch read it?").Because(err)
	}
	var all []keepwatch.Checklist
	var problems []string
	ids, topics := map[string]string{}, map[string]string{}
	for _, e := range entries {
		name := e.Name()
		ending := path.Ext(name)
		if e.IsDir() || strings.HasPrefix(name, ".") || ending != ".yaml" && ending != ".yml" {
			continue
		}
		f := &file{name: name}
		list := f.read(fsys)
		list.ID = strings.TrimSuffix(name, ending)
		if !isName(list.ID) {
			f.say(1, "the file's name is the checklist's ID; expected at most 63 of a-z, 0-9 and \"-\", beginning with a letter or a digit, and .yaml.")
		}
		if other := ids[list.ID]; other != "" {
			f.say(1, "it is the second checklist of this ID: the first is %s.", other)
		}
		place := list.Group + " " + list.Topic
		if other := topics[place]; other != "" && list.Topic != "" {
			f.say(f.topicLine, "topic is %q, which is also the topic of %s in that group.", list.Topic, other)
		}
		ids[list.ID], topics[place] = name, name
		if n := len(f.problems); n > maxFaults {
			f.problems = append(f.problems[:maxFaults], fmt.Sprintf("%s: and %d more.", name, n-maxFaults))
		}
		problems = append(problems, f.problems...)
		all = append(all, list)
	}
	if len(problems) > 0 {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s", strings.Join(problems, "\n"))
	}
	return all, nil
}

// Merge adds a team's own checklists to others. One of the same ID takes the place of
// what was there, and so does one of the same group and topic.
func Merge(base, own []keepwatch.Checklist) []keepwatch.Checklist {
	merged := slices.DeleteFunc(slices.Clone(base), func(b keepwatch.Checklist) bool {
		return slices.ContainsFunc(own, func(o keepwatch.Checklist) bool {
			return o.ID == b.ID || o.Group == b.Group && o.Topic == b.Topic
		})
	})
	return append(merged, own...)
}
