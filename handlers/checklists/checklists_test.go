package checklists

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"keepwatch"
)

func TestBuiltin(t *testing.T) {
	all, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, c := range all {
		have[c.Group+" "+c.Topic] = true
		if c.Checked == "" || len(c.Sources) == 0 || c.Intro == "" || c.Done == "" {
			t.Errorf("%s does not say what it was compared with and when, or has no beginning or end", c.ID)
		}
	}
	for _, want := range []string{
		"authenticator guide ios", "authenticator guide android", "authenticator guide sms", "authenticator guide second-device", "authenticator guide manual",
		"authenticator recover ios", "authenticator recover android", "authenticator recover ios-to-android", "authenticator recover android-to-ios", "authenticator recover lost-admin",
		"backup guide outlook-pst", "backup guide exchange-admin", "backup guide cpanel-download", "backup guide cpanel-wizard", "authenticator drill lockout",
	} {
		if !have[want] {
			t.Errorf("%s is not there", want)
		}
	}
}

// schema is the description for editors, with dates checked as a strict editor does.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile("checklist.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value gives a YAML text as a JSON value, as an editor sees it: by YAML 1.2's core
// schema, in which a date is a text.
func value(text string) (any, error) {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		return nil, err
	}
	if len(n.Content) == 0 {
		return nil, nil
	}
	return valueOf(n.Content[0])
}

func valueOf(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if _, twice := m[n.Content[i].Value]; twice {
				return nil, errors.New("a key is there twice")
			}
			v, err := valueOf(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[n.Content[i].Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			v, err := valueOf(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.AliasNode:
		return valueOf(n.Alias)
	}
	switch n.Tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		return n.Value == "true", nil
	case "!!int", "!!float":
		return 1.5, nil
	}
	return n.Value, nil
}

// accepts reports whether the schema takes a text.
func accepts(s *jsonschema.Schema, text string) bool {
	v, err := value(text)
	return err == nil && s.Validate(v) == nil
}

func one(text string) fstest.MapFS {
	return fstest.MapFS{"team.yaml": &fstest.MapFile{Data: []byte(text)}}
}

const small = `group: backup guide
topic: tape
title: Change the tape
steps:
  - {title: Take the tape out, text: Press the button.}
`

const full = `group: backup guide
topic: tape
title: "Change the tape ✓"
intro: What it is for.
checked: 2026-11-26
sources: [the manual]
steps:
  - title: Take the tape out
    text: |
      Press the button.
      Wait.
    trouble: Press it for longer.
    command: backup list {source}
    label: See the archives
    out: That was all
  - title: Write on it
    text: Write the date on it.
    ask: {name: tape is in, label: Where is it?, hint: in the safe, type: text, custody: "tape-{person}", none: No tape}
  - title: How is it?
    text: Look at it.
    ask: {name: tape, label: How is it?, type: choice, choices: [good, worn]}
done: That is all.
`

func TestAccepted(t *testing.T) {
	s := schema(t)
	texts := map[string]string{"small": small, "full": full}
	entries, _ := files.ReadDir(".")
	for _, e := range entries {
		data, _ := files.ReadFile(e.Name())
		texts[e.Name()] = string(data)
	}
	if len(texts) < 10 {
		t.Fatal("the files that are built in were not found")
	}
	for name, text := range texts {
		if _, err := Load(one(text)); err != nil {
			t.Errorf("%s: the reader refuses it: %v", name, err)
		}
		if !accepts(s, text) {
			t.Errorf("%s: the schema refuses it", name)
		}
	}
	got, err := Load(one(full))
	want := keepwatch.Checklist{
		ID: "team", Group: "backup guide", Topic: "tape", Title: "Change the tape ✓", Intro: "What it is for.", Checked: "2026-11-26", Sources: []string{"the manual"}, Done: "That is all.",
		Steps: []keepwatch.ChecklistStep{
			{Title: "Take the tape out", Text: "Press the button.\nWait.", Trouble: "Press it for longer.", Command: "backup list {source}", Label: "See the archives", Out: "That was all"},
			{Title: "Write on it", Text: "Write the date on it.", Ask: &keepwatch.ChecklistAsk{Name: "tape is in", Label: "Where is it?", Hint: "in the safe", Type: keepwatch.FieldText, Custody: "tape-{person}", None: "No tape"}},
			{Title: "How is it?", Text: "Look at it.", Ask: &keepwatch.ChecklistAsk{Name: "tape", Label: "How is it?", Type: keepwatch.FieldChoice, Choices: []string{"good", "worn"}}},
		},
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got[0]); d != "" {
		t.Error(d)
	}
}

// TestRefused: what is wrong in a file is named with its line, and the schema finds it
// too.
func TestRefused(t *testing.T) {
	s := schema(t)
	long := func(n int) string { return strings.Repeat("x", n) }
	steps := func(n int) string { return strings.Repeat("  - {title: t, text: t}\n", n) }
	for _, c := range []struct{ from, to, want string }{
		{small, "", "team.yaml:1: the file is empty; expected group, topic, title and steps."},
		{small, "[]", "team.yaml:1: the file must hold keys and values: group, topic, title, steps, intro, checked, sources, done."},
		{"topic: tape\n", "", "team.yaml:1: the file has no topic; expected one."},
		{"topic: tape", "topic: The Tape", `team.yaml:2: topic is "The Tape"; expected at most 63 of a-z, 0-9 and "-", beginning with a letter or a digit.`},
		{"topic: tape", "topic: 7", "team.yaml:2: topic is 7, which YAML takes for something else than text; put it into quotes."},
		{"topic: tape", "topic: [tape]", "team.yaml:2: topic must be one text."},
		{"topic: tape", "topics: tape", "team.yaml:2: topics is not known here. Known are: group, topic, title, steps, intro, checked, sources, done."},
		{"group: backup guide", "group: backup", `team.yaml:1: group is "backup"; expected authenticator guide, authenticator recover, authenticator drill or backup guide.`},
		{"Change the tape", long(101), "team.yaml:3: title is 101 characters long; at most 100 are shown everywhere."},
		{"title: Change the tape", "title:", "team.yaml:3: title is empty; expected a text."},
		{"title: Change the tape", `title: " "`, "team.yaml:3: title is empty; expected a text."},
		{"title: Change the tape", `title: "a\nb"`, "team.yaml:3: title has a line break or another control character in it; expected one line."},
		{"title: Change the tape", `title: "a\u001bb"`, "team.yaml:3: title has a line break or another control character in it; expected one line."},
		{"Press the button.", `"a\tb"`, "team.yaml:5: steps[0].text has a control character in it."},
		{"Press the button.", long(601), "team.yaml:5: steps[0].text is 601 characters long; at most 600 are shown everywhere."},
		{", text: Press the button.", "", "team.yaml:5: steps[0] has no text; expected one."},
		{"button.}", "button., tex: y}", "team.yaml:5: steps[0].tex is not known here. Known are: title, text, trouble, ask, command, label, out."},
		{"button.}", "button., label: y}", "team.yaml:5: steps[0] has a command or a label without the other; expected both or neither."},
		{"button.}", "button., command: backup list}", "team.yaml:5: steps[0] has a command or a label without the other; expected both or neither."},
		{"button.}", "button., label: y, command: rm}", `team.yaml:5: steps[0].command is "rm"; expected a command in plain characters, such as "backup start notes".`},
		{"button.}", "button., label: y, command: backup start " + long(90) + "}", "team.yaml:5: steps[0].command is 103 characters long; at most 95 are shown everywhere."},
		{"button.}", "button., label: " + long(46) + ", command: backup list}", "team.yaml:5: steps[0].label is 46 characters long; at most 45 are shown everywhere."},
		{"button.}", "button., ask: {name: n}}", "team.yaml:5: steps[0].ask has no label; expected one."},
		{"button.}", "button., ask: yes}", "team.yaml:5: steps[0].ask must hold keys and values: name, label, hint, type, choices, none, custody."},
		{"button.}", "button., ask: {name: n, label: " + long(46) + "}}", "team.yaml:5: steps[0].ask.label is 46 characters long; at most 45 are shown everywhere."},
		{"button.}", "button., ask: {name: device, label: l}}", `team.yaml:5: steps[0].ask.name is "device"; expected a name without braces that is not person, device or source.`},
		{"button.}", `button., ask: {name: "{x}", label: l}}`, `team.yaml:5: steps[0].ask.name is "{x}"; expected a name without braces that is not person, device or source.`},
		{"button.}", "button., ask: {name: n, label: l, type: number}}", `team.yaml:5: steps[0].ask.type is "number"; expected text, date or choice.`},
		{"button.}", "button., ask: {name: n, label: l, type: choice}}", "team.yaml:5: steps[0].ask has choices or the type choice without the other; expected both or neither."},
		{"button.}", "button., ask: {name: n, label: l, choices: [a, b]}}", "team.yaml:5: steps[0].ask has choices or the type choice without the other; expected both or neither."},
		{"button.}", "button., ask: {name: n, label: l, type: choice, choices: [a]}}", "team.yaml:5: steps[0].ask.choices has 1; expected from 2 to 20."},
		{"button.}", "button., ask: {name: n, label: l, type: choice, choices: [a, a]}}", `team.yaml:5: steps[0].ask.choices[1] is "a", which is there already.`},
		{"button.}", "button., ask: {name: n, label: l, custody: The Key}}", `team.yaml:5: steps[0].ask.custody is "The Key"; expected a name of a-z, 0-9 and "-", in which {person} may stand.`},
		{"steps:\n  - {title: Take the tape out, text: Press the button.}", "steps: []", "team.yaml:4: steps has 0; expected from 1 to 40."},
		{"steps:\n", "steps:\n" + steps(40), "team.yaml:4: steps has 41; expected from 1 to 40."},
		{"steps:\n  - ", "steps: ", `team.yaml:4: steps must be a list: lines that begin with "- ", or [a, b].`},
		{"steps:\n", "checked: soon\nsteps:\n", `team.yaml:4: checked is "soon"; expected a date such as 2026-11-26.`},
		{"steps:\n", "checked: 2026-02-30\nsteps:\n", `team.yaml:4: checked is "2026-02-30"; there is no such day.`},
		{"steps:\n", "sources: []\nsteps:\n", "team.yaml:4: sources has 0; expected from 1 to 10."},
		{"topic: tape", "topic: tape\ntopic: tape", "team.yaml:3: topic is there twice."},
		{"title: Change", "\ttitle: Change", "team.yaml:3: the line begins with a tab; YAML wants blanks there."},
		{"title: Change", "title: {Change", "team.yaml:"},
	} {
		text := strings.Replace(small, c.from, c.to, 1)
		if text == small {
			t.Fatalf("%q is not in the file", c.from)
		}
		_, err := Load(one(text))
		if err == nil || !strings.HasPrefix(keepwatch.Sentence(err), c.want) || keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("%q in place of %q:\n got %v\nwant %s", c.to, c.from, err, c.want)
		}
		if accepts(s, text) {
			t.Errorf("%q in place of %q: the schema accepts it", c.to, c.from)
		}
	}
}

// TestRefusedAcross: names that are not unique are what no schema finds.
func TestRefusedAcross(t *testing.T) {
	twice := strings.Replace(small, "button.}", "button., ask: {name: n, label: l}}\n  - {title: t, text: t, ask: {name: n, label: l}}", 1)
	for name, c := range map[string]struct {
		fs   fstest.MapFS
		want string
	}{
		"asked twice": {one(twice), `team.yaml:6: steps[1] asks for "n", which another step asks for already.`},
		"one topic":   {fstest.MapFS{"a.yaml": {Data: []byte(small)}, "b.yaml": {Data: []byte(small)}}, `b.yaml:2: topic is "tape", which is also the topic of a.yaml in that group.`},
		"one ID":      {fstest.MapFS{"a.yaml": {Data: []byte(small)}, "a.yml": {Data: []byte(full)}}, "a.yml:1: it is the second checklist of this ID: the first is a.yaml."},
		"a name":      {fstest.MapFS{"My List.yaml": {Data: []byte(small)}}, `My List.yaml:1: the file's name is the checklist's ID;`},
		"two of them": {one(small + "---\n" + small), `team.yaml:1: there is more than one document in it`},
		"not UTF-8":   {one("title: \xff\n"), "team.yaml:1: it is not valid UTF-8; save it as UTF-8."},
		"too large":   {one(strings.Repeat("# x\n", 70_000)), "team.yaml:1: it is larger than 256 KiB; expected one checklist."},
	} {
		if _, err := Load(c.fs); err == nil || !strings.Contains(keepwatch.Sentence(err), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
		}
	}
}

// TestSchemaHoldsWithReader: files that are changed at random are never taken by the
// reader and refused by the schema.
func TestSchemaHoldsWithReader(t *testing.T) {
	s := schema(t)
	rng := rand.New(rand.NewPCG(4, 11))
	pool := strings.Split(full+small, "\n")
	taken := 0
	for n := range 3000 {
		lines := strings.Split(full, "\n")
		for range 1 + rng.IntN(3) {
			at := rng.IntN(len(lines))
			switch rng.IntN(4) {
			case 0:
				lines = append(lines[:at], lines[at+1:]...)
			case 1:
				lines[at] = pool[rng.IntN(len(pool))]
			case 2:
				lines[at] = strings.Replace(lines[at], ": ", ": "+strings.Repeat("long ", rng.IntN(30)), 1)
			case 3:
				lines = append(lines[:at+1], append([]string{pool[rng.IntN(len(pool))]}, lines[at+1:]...)...)
			}
		}
		text := strings.Join(lines, "\n")
		if _, err := Load(one(text)); err == nil {
			taken++
			if !accepts(s, text) {
				t.Fatalf("change %d is taken by the reader and not by the schema:\n%s", n, text)
			}
		}
	}
	if taken < 100 {
		t.Errorf("only %d of the changed files were taken, which proves little", taken)
	}
}

func TestLoadTakesWhatIsAChecklist(t *testing.T) {
	got, err := Load(fstest.MapFS{
		"b.yml": {Data: []byte(strings.Replace(full, "tape", "disc", 1))}, "a.yaml": {Data: []byte(small)}, "README.md": {Data: []byte("x")}, ".hidden.yaml": {Data: []byte("x")}, "old/c.yaml": {Data: []byte("x")},
	})
	if err != nil || len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Load(fstest.MapFS{}); err != nil || len(got) != 0 {
		t.Errorf("an empty folder: %v, %v", got, err)
	}
}

func TestMerge(t *testing.T) {
	base := []keepwatch.Checklist{{ID: "a", Group: "g", Topic: "a"}, {ID: "b", Group: "g", Topic: "b"}, {ID: "c", Group: "g", Topic: "c"}}
	own := []keepwatch.Checklist{{ID: "b", Group: "h", Topic: "x"}, {ID: "mine", Group: "g", Topic: "c"}}
	var got []string
	for _, c := range Merge(base, own) {
		got = append(got, fmt.Sprint(c.ID, c.Group, c.Topic))
	}
	if d := cmp.Diff([]string{"aga", "bhx", "minegc"}, got); d != "" {
		t.Error(d)
	}
	if len(base) != 3 || base[1].Topic != "b" {
		t.Error("Merge changed what it was given")
	}
}

// TestDocumented: the example that teams copy is one that is accepted.
func TestDocumented(t *testing.T) {
	guide, err := os.ReadFile("../../docs/checklists.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	if got, err := Load(one(text)); err != nil || len(got[0].Steps) != 3 {
		t.Errorf("the example in docs/checklists.md: %v", err)
	}
	if !accepts(schema(t), text) {
		t.Error("the schema refuses the example in docs/checklists.md")
	}
}

// TestExampleOfTheGuide: what docs/checklists.md shows loads as it stands, and has the
// one source that it looks as if it had.
func TestExampleOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/checklists.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	lists, err := Load(fstest.MapFS{"tape.yaml": {Data: []byte(text)}})
	if err != nil || len(lists) != 1 || !slices.Equal(lists[0].Sources, []string{"The manual of the tape drive, page 12"}) {
		t.Errorf("%+v, %v", lists, err)
	}
}
