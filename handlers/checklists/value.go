package checklists

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// list reads a sequence.
func (s spot) list(least, most int) []spot {
	if s.n == nil {
		return nil // said already, where it must be there
	}
	if s.n.Kind != yaml.SequenceNode {
		s.bad("must be a list: lines that begin with \"- \", or [a, b].")
		return nil
	}
	if n := len(s.n.Content); n < least || n > most {
		s.bad("has %d; expected from %d to %d.", n, least, most)
	}
	var out []spot
	for i, n := range s.n.Content[:min(len(s.n.Content), most)] {
		out = append(out, spot{s.f, n, fmt.Sprintf("%s[%d]", s.path, i), n.Line})
	}
	return out
}

// value reads one text of at most so many characters.
func (s spot) value(most int) string {
	if s.n == nil {
		return ""
	}
	if s.n.Kind != yaml.ScalarNode {
		s.bad("must be one text.")
		return ""
	}
	if s.n.Tag == "!!null" {
		s.bad("is empty; expected a text.")
		return ""
	}
	if s.n.Tag != "!!str" && s.n.Tag != "!!timestamp" {
		s.bad("is %s, which YAML takes for something else than text; put it into quotes.", s.n.Value)
		return ""
	}
	if n := utf8.RuneCountInString(s.n.Value); n > most {
		s.bad("is %d characters long; at most %d are shown everywhere.", n, most)
	}
	if strings.TrimSpace(s.n.Value) == "" {
		s.bad("is empty; expected a text.")
	}
	return strings.TrimSpace(s.n.Value)
}

// text reads one of several lines.
func (s spot) text(most int) string {
	v := s.value(most)
	if s.n != nil && strings.ContainsFunc(s.n.Value, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
		s.bad("has a control character in it.")
	}
	return v
}

// line1 reads one of one line.
func (s spot) line1(most int) string {
	v := s.value(most)
	if s.n != nil && strings.ContainsFunc(s.n.Value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		s.bad("has a line break or another control character in it; expected one line.")
	}
	return v
}

func (s spot) oneOf(words ...string) string {
	v := s.value(maxTitle)
	if s.n != nil && v != "" && !slices.Contains(words, s.n.Value) {
		s.bad("is %q; expected %s.", s.n.Value, strings.Join(words[:len(words)-1], ", ")+" or "+words[len(words)-1])
		return ""
	}
	return v
}

var (
	nameText    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	custodyName = regexp.MustCompile(`^([a-z0-9-]|\{person\}){1,63}$`)
	commandText = regexp.MustCompile(`^[a-z]+ [a-z]+( [ -~]*)?$`)
	dateText    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

func isName(s string) bool { return nameText.MatchString(s) }

// match reads a text of a form.
func (s spot) match(form *regexp.Regexp, expected string) string {
	v := s.value(maxCommand)
	if s.n != nil && v != "" && !form.MatchString(s.n.Value) {
		s.bad("is %q; expected %s.", s.n.Value, expected)
		return ""
	}
	return v
}

func (s spot) name() string {
	return s.match(nameText, `at most 63 of a-z, 0-9 and "-", beginning with a letter or a digit`)
}

func (s spot) command() string {
	return s.match(commandText, `a command in plain characters, such as "backup start notes"`)
}

func (s spot) date() string {
	v := s.match(dateText, "a date such as 2026-11-26")
	if v == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, v); err != nil {
		s.bad("is %q; there is no such day.", v)
	}
	return v
}
