package checklists

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"keepwatch"
)

// Limits of what a file may hold, in characters. They are such that every platform
// shows it whole: a label of a form has at most 45 characters on Discord (Text Input),
// a header at most 150 on Slack (Block Kit), and a command at most 95 bytes fits into
// a button (keepwatch.MaxToken).
const (
	maxLabel   = 45
	maxTitle   = 100
	maxText    = 600
	maxHint    = 100
	maxCommand = 95
	maxSteps   = 40
	maxChoices = 20
	maxSources = 10
	maxFile    = 256 << 10 // bytes
	maxFaults  = 20        // of a file that are named
)

// file is one that is being read strictly: every problem is collected.
type file struct {
	name      string
	problems  []string
	topicLine int
}

// say notes a problem at a line.
func (f *file) say(line int, format string, args ...any) {
	f.problems = append(f.problems, fmt.Sprintf("%s:%d: %s", f.name, line, fmt.Sprintf(format, args...)))
}

// spot is a place in a file.
type spot struct {
	f    *file
	n    *yaml.Node
	path string // "steps[2].title"
	line int
}

func (s spot) bad(format string, args ...any) {
	s.f.say(s.line, "%s %s", s.path, fmt.Sprintf(format, args...))
}

// read gives the checklist of a file, as far as it could be read.
func (f *file) read(fsys fs.FS) keepwatch.Checklist {
	data, problem := f.bytes(fsys)
	if problem != "" {
		f.say(1, "%s", problem)
		return keepwatch.Checklist{}
	}
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); errors.Is(err, io.EOF) {
		f.say(1, "the file is empty; expected group, topic, title and steps.")
		return keepwatch.Checklist{}
	} else if err != nil {
		f.broken(data, err)
		return keepwatch.Checklist{}
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.say(1, "there is more than one document in it (a line \"---\"); expected one checklist a file.")
	}
	at := spot{f: f, path: "the file", line: 1}
	if root.Kind == yaml.DocumentNode && len(root.Content) > 0 {
		at.n, at.line = root.Content[0], root.Content[0].Line
	}
	return at.checklist()
}

// bytes gives a file's text, or says why there is none.
func (f *file) bytes(fsys fs.FS) (data []byte, problem string) {
	// To open a named pipe is to wait for whoever writes into it.
	if info, err := fs.Stat(fsys, f.name); err == nil && !info.Mode().IsRegular() {
		return nil, "it is no file, and leads to none; expected one checklist."
	}
	r, err := fsys.Open(f.name)
	if err != nil {
		return nil, "it cannot be opened; may Keepwatch read it?"
	}
	defer r.Close()
	data, err = io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, "it cannot be read to its end."
	case len(data) > maxFile:
		return nil, fmt.Sprintf("it is larger than %d KiB; expected one checklist.", maxFile>>10)
	case !utf8.Valid(data):
		return nil, "it is not valid UTF-8; save it as UTF-8."
	}
	return data, ""
}

var yamlLine = regexp.MustCompile(`(?s)\bline (\d+)(?:, column \d+)?: (.*)`)

// broken says why a text is no YAML. The parser's words do not help where it is a tab
// at the beginning of a line.
func (f *file) broken(data []byte, cause error) {
	for i, line := range strings.Split(string(data), "\n") {
		if indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]; strings.Contains(indent, "\t") {
			f.say(i+1, "the line begins with a tab; YAML wants blanks there.")
			return
		}
	}
	if m := yamlLine.FindStringSubmatch(cause.Error()); m != nil {
		f.problems = append(f.problems, fmt.Sprintf("%s:%s: it is not readable as YAML: %s.", f.name, m[1], m[2]))
		return
	}
	f.say(1, "it is not readable as YAML: %s.", strings.TrimPrefix(cause.Error(), "yaml: "))
}

func (s spot) checklist() keepwatch.Checklist {
	m := s.section([]string{"group", "topic", "title", "steps"}, "intro", "checked", "sources", "done")
	s.f.topicLine = m["topic"].line
	c := keepwatch.Checklist{
		Group: m["group"].oneOf(keepwatch.ChecklistGroups()...), Topic: m["topic"].name(), Title: m["title"].line1(maxTitle),
		Intro: m["intro"].text(maxText), Checked: m["checked"].date(), Done: m["done"].text(maxText),
	}
	for _, source := range m["sources"].list(1, maxSources) {
		c.Sources = append(c.Sources, source.line1(2*maxTitle))
	}
	asked := map[string]bool{}
	for _, at := range m["steps"].list(1, maxSteps) {
		step := at.step()
		if step.Ask != nil && step.Ask.Name != "" {
			if asked[step.Ask.Name] {
				at.bad("asks for %q, which another step asks for already.", step.Ask.Name)
			}
			asked[step.Ask.Name] = true
		}
		c.Steps = append(c.Steps, step)
	}
	return c
}

func (s spot) step() keepwatch.ChecklistStep {
	m := s.section([]string{"title", "text"}, "trouble", "ask", "command", "label", "out")
	step := keepwatch.ChecklistStep{
		Title: m["title"].line1(maxTitle), Text: m["text"].text(maxText), Trouble: m["trouble"].text(maxText),
		Command: m["command"].command(), Label: m["label"].line1(maxLabel), Out: m["out"].line1(maxLabel),
	}
	if _, ok := m["command"]; ok != (m["label"].n != nil) {
		s.bad("has a command or a label without the other; expected both or neither.")
	}
	if ask, ok := m["ask"]; ok {
		step.Ask = ask.ask()
	}
	return step
}

func (s spot) ask() *keepwatch.ChecklistAsk {
	m := s.section([]string{"name", "label"}, "hint", "type", "choices", "none", "custody")
	a := &keepwatch.ChecklistAsk{
		Name: m["name"].line1(maxLabel), Label: m["label"].line1(maxLabel), Hint: m["hint"].line1(maxHint), None: m["none"].line1(maxLabel), Type: keepwatch.FieldText,
		Custody: m["custody"].match(custodyName, `a name of a-z, 0-9 and "-", in which {person} may stand`),
	}
	if strings.ContainsAny(a.Name, "{}") || reserved(a.Name) {
		m["name"].bad("is %q; expected a name without braces that is not person, device or source.", a.Name)
	}
	if at, ok := m["type"]; ok {
		a.Type = keepwatch.FieldType(at.oneOf(string(keepwatch.FieldText), string(keepwatch.FieldDate), string(keepwatch.FieldChoice)))
	}
	choices, given := m["choices"]
	switch {
	case given != (a.Type == keepwatch.FieldChoice):
		s.bad("has choices or the type choice without the other; expected both or neither.")
	case given:
		for _, at := range choices.list(2, maxChoices) {
			choice := at.line1(maxLabel)
			if slices.Contains(a.Choices, choice) {
				at.bad("is %q, which is there already.", choice)
			}
			a.Choices = append(a.Choices, choice)
		}
	}
	return a
}

// reserved are the placeholders of commands that are no answers.
func reserved(name string) bool { return slices.Contains([]string{"person", "device", "source"}, name) }

// section reads a mapping with some keys that must be there and some that may be.
func (s spot) section(must []string, may ...string) map[string]spot {
	out := map[string]spot{}
	known := slices.Concat(must, may)
	if s.n == nil || s.n.Kind != yaml.MappingNode {
		s.bad("must hold keys and values: %s.", strings.Join(known, ", "))
		return out
	}
	for i := 0; i+1 < len(s.n.Content); i += 2 {
		key, value := s.n.Content[i], s.n.Content[i+1]
		at := spot{s.f, value, key.Value, key.Line}
		if s.path != "the file" {
			at.path = s.path + "." + key.Value
		}
		switch _, twice := out[key.Value]; {
		case twice:
			at.bad("is there twice.")
		case !slices.Contains(known, key.Value):
			at.bad("is not known here. Known are: %s.", strings.Join(known, ", "))
		default:
			out[key.Value] = at
		}
	}
	for _, key := range must {
		if _, ok := out[key]; !ok {
			s.bad("has no %s; expected one.", key)
		}
	}
	return out
}
