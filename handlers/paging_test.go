package handlers

import (
	"strings"
	"testing"

	"keepwatch"
)

// TestTakePage: the page is an option of every command, and only before "--".
func TestTakePage(t *testing.T) {
	for in, want := range map[string]struct {
		rest string
		page int
	}{
		"backup list":                      {"backup list", 1},
		"backup list --page 2":             {"backup list", 2},
		"backup list --page 2 docs":        {"backup list docs", 2},
		"backup list --page 2 -- docs":     {"backup list -- docs", 2},
		"backup start docs -- --page 2":    {"backup start docs -- --page 2", 1},
		"backup start -- --page":           {"backup start -- --page", 1},
		"backup list --page 3 -- --page 4": {"backup list -- --page 4", 3},
		"backup list --page":               {"", 0},
		"backup list --page 0":             {"", 0},
		"backup list --page many":          {"", 0},
		"backup list --page -- ":           {"", 0},
	} {
		rest, page, err := takePage(strings.Fields(in))
		if got := strings.Join(rest, " "); got != want.rest || page != want.page || (err != nil) != (want.page == 0) {
			t.Errorf("%q: %q, page %d, %v", in, got, page, err)
		}
	}
}

// TestPagedNames: the buttons that turn a list over keep the names behind "--".
func TestPagedNames(t *testing.T) {
	list := keepwatch.Message{Title: "All", Blocks: []keepwatch.Block{{Table: &keepwatch.Table{Rows: make([][]string, 2*pageRows+1)}}}}
	for in, want := range map[string]string{"backup list docs": "backup list docs --page 3", "backup list -- docs": "backup list --page 3 -- docs"} {
		m := paged(list, strings.Fields(in), 2)
		if got := m.Buttons[1]; got.Label != "More" || got.Command != want {
			t.Errorf("%q: %+v", in, got)
		}
		if rest, page, err := takePage(strings.Fields(m.Buttons[1].Command)); strings.Join(rest, " ") != in || page != 3 || err != nil {
			t.Errorf("%q: it comes back as %q, page %d, %v", in, rest, page, err)
		}
	}
}
