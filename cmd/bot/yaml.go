package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"keepwatch"
)

// doc is a YAML file that is read strictly: every problem in it is collected,
// with its line and what is expected, and none stops the reading.
type doc struct {
	file     string
	env      func(string) (string, bool)
	problems []string
	plain    []string // where secrets stand in the file itself
	referred []string // variables that stand where a secret belongs
}

// field is a place in the file.
type field struct {
	d    *doc
	n    *yaml.Node
	path string // "people[0].role"
}

// parse reads a file's text. An empty file gives a field without a node.
func (d *doc) parse(data []byte) field {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		d.problems = append(d.problems, d.broken(data, err))
		return field{d: d}
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) == 0 {
		return field{d: d}
	}
	return field{d: d, n: root.Content[0]}
}

// broken says why a text is no YAML. The parser's own words name the line, and for
// the slip that is made most often, a tab at the beginning of a line, nothing
// that helps.
func (d *doc) broken(data []byte, cause error) string {
	for i, line := range strings.Split(string(data), "\n") {
		if indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]; strings.Contains(indent, "\t") {
			return fmt.Sprintf("%s:%d: the line begins with a tab; YAML wants blanks there.", d.file, i+1)
		}
	}
	text := strings.TrimPrefix(cause.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		hint := ""
		if n, err := strconv.Atoi(m[1]); err == nil && bareReference(data, n) {
			hint = ` Inside {…} a reference goes into quotes: "${NAME}".`
		}
		return fmt.Sprintf("%s:%s: it is not readable as YAML: %s.%s", d.file, m[1], secretKey.ReplaceAllString(m[2], "AGE-SECRET-KEY-…"), hint)
	}
	return fmt.Sprintf("%s: it is not readable as YAML: %s.", d.file, secretKey.ReplaceAllString(text, "AGE-SECRET-KEY-…"))
}

// bareReference reports whether a line has a ${NAME} without quotes inside {…}:
// its brackets are YAML's there.
func bareReference(data []byte, line int) bool {
	lines := strings.Split(string(data), "\n")
	if line < 1 || line > len(lines) {
		return false
	}
	before, _, found := strings.Cut(lines[line-1], "${")
	return found && strings.Contains(before, "{") && strings.HasSuffix(strings.TrimRight(before, " "), ":")
}

var yamlLine = regexp.MustCompile(`(?s)\bline (\d+)(?:, column \d+)?: (.*)`)

// err gives all problems as one error for a person, or nil.
func (d *doc) err() error {
	if len(d.problems) == 0 {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindInvalid, "%s", strings.Join(d.problems, "\n"))
}

// bad notes a problem at a field.
func (f field) bad(format string, args ...any) {
	line := 1
	if f.n != nil {
		line = f.n.Line
	}
	name := f.path
	if name == "" {
		name = "the file"
	}
	f.d.problems = append(f.d.problems, fmt.Sprintf("%s:%d: %s %s", f.d.file, line, secretKey.ReplaceAllString(name, "AGE-SECRET-KEY-…"), f.unsecret(fmt.Sprintf(format, args...))))
}

// secretKey is an age secret key, whichever case it is written in.
var secretKey = regexp.MustCompile(`(?i)AGE-SECRET-KEY-[0-9A-Z-]+`)

// unsecret takes out of a sentence what nobody may see: what a reference to the
// environment was replaced by, and secret keys.
func (f field) unsecret(text string) string {
	if n := f.resolve().n; n != nil && n.Kind == yaml.ScalarNode {
		for _, m := range reference.FindAllStringSubmatch(n.Value, -1) {
			value, ok := f.d.env(m[1])
			if m[1] == "" || !ok || value == "" {
				continue
			}
			quoted := strconv.Quote(value)
			text = strings.ReplaceAll(text, quoted[1:len(quoted)-1], m[0])
		}
	}
	return secretKey.ReplaceAllString(text, "AGE-SECRET-KEY-…")
}

func (f field) is() bool { return f.n != nil && f.n.Tag != "!!null" }

// resolve follows an alias.
func (f field) resolve() field {
	for depth := 0; f.n != nil && f.n.Kind == yaml.AliasNode && depth < 10; depth++ {
		f.n = f.n.Alias
	}
	return f
}

// section reads a mapping: its keys must be among known, each once.
func (f field) section(known ...string) map[string]field {
	f = f.resolve()
	out := map[string]field{}
	if !f.is() {
		return out
	}
	if f.n.Kind != yaml.MappingNode {
		f.bad("must hold keys and values: %s.", strings.Join(known, ", "))
		return out
	}
	for i := 0; i+1 < len(f.n.Content); i += 2 {
		key := f.n.Content[i].Value
		path := key
		if f.path != "" {
			path = f.path + "." + key
		}
		at := field{f.d, f.n.Content[i], path}
		switch _, twice := out[key]; {
		case twice:
			at.bad("is there twice.")
		case !slices.Contains(known, key):
			if near := closest(key, known); near != "" {
				at.bad("is not known. Did you mean %q?", near)
			} else {
				at.bad("is not known here. Known are: %s.", strings.Join(known, ", "))
			}
		default:
			out[key] = field{f.d, f.n.Content[i+1], path}
		}
	}
	return out
}

// closest gives the known word that shares the most with key, where that is
// nearly all of it.
func closest(key string, known []string) string {
	best, at := "", 3
	for _, k := range known {
		if d := editDistance(key, k); d < at {
			best, at = k, d
		}
	}
	return best
}

// editDistance counts the letters to insert, remove or change.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := last
			if a[i] != b[j] {
				d++
			}
			last = row[j+1]
			row[j+1] = min(d, row[j]+1, last+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], d)
			}
		}
	}
	return row[len(b)]
}

// list reads a sequence; a missing one is empty.
func (f field) list() []field {
	f = f.resolve()
	if !f.is() {
		return nil
	}
	if f.n.Kind != yaml.SequenceNode {
		f.bad("must be a list: lines that begin with \"- \", or [a, b].")
		return nil
	}
	out := make([]field, len(f.n.Content))
	for i, n := range f.n.Content {
		out[i] = field{f.d, n, fmt.Sprintf("%s[%d]", f.path, i)}
	}
	return out
}

var reference = regexp.MustCompile(`\$\$\{|\$\{([^}]*)\}`)

// text reads a single value, with ${NAME} replaced by what the environment
// holds ("$${" is a plain "${"). What comes from there is never read as YAML.
func (f field) text() string {
	f = f.resolve()
	if !f.is() {
		return ""
	}
	if f.n.Kind != yaml.ScalarNode {
		f.bad("must be a single value.")
		return ""
	}
	return reference.ReplaceAllStringFunc(f.n.Value, func(m string) string {
		if m == "$${" {
			return "${"
		}
		name := m[2 : len(m)-1]
		value, ok := f.d.env(name)
		if !ok {
			f.bad("refers to ${%s}, which is not set in the environment nor in the .env file.", name)
		}
		return value
	})
}

// texts reads a list of single values.
func (f field) texts() []string {
	var out []string
	for _, item := range f.list() {
		out = append(out, item.text())
	}
	return out
}

// number reads a whole number from min up.
func (f field) number(min int) int {
	if !f.is() {
		return 0
	}
	n, err := strconv.Atoi(f.text())
	if err != nil || n < min {
		f.bad("is %q; expected a whole number from %d up.", f.text(), min)
		return 0
	}
	return n
}

// yes reads true or false.
func (f field) yes() bool {
	switch text := f.text(); text {
	case "", "false":
		return false
	case "true":
		return true
	default:
		f.bad("is %q; expected true or false.", text)
		return false
	}
}

// duration reads 90s, 12h, 30d, 4w, or several of them.
func (f field) duration() time.Duration {
	if !f.is() {
		return 0
	}
	d, ok := parseDuration(f.text())
	if !ok {
		f.bad("is %q; expected a duration such as 60s, 12h, 30d or 4w.", f.text())
	}
	return d
}

var durationPart = regexp.MustCompile(`(\d{1,6})(s|m|h|d|w)`)

func parseDuration(text string) (time.Duration, bool) {
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	var sum time.Duration
	if text == "" || durationPart.ReplaceAllString(text, "") != "" {
		return 0, false
	}
	for _, m := range durationPart.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		sum += time.Duration(n) * units[m[2]]
	}
	return sum, sum > 0
}

// oneOf reads a word that must be among the given ones; empty if it is missing.
func (f field) oneOf(words ...string) string {
	text := f.text()
	if f.is() && !slices.Contains(words, text) {
		f.bad("is %q; expected %s.", text, strings.Join(words[:len(words)-1], ", ")+" or "+words[len(words)-1])
		return ""
	}
	return text
}
