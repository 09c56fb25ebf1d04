package pst_test

import (
	"slices"
	"testing"

	"keepwatch/pst/check"
	"keepwatch/pst/psttest"
	"keepwatch/pst/writer"
)

// broken is a file with one defect.
type broken struct {
	name string
	rule check.Rule   // that must be found
	also []check.Rule // what may be found with it; nil for nothing
	many bool         // much else is broken with it: whatever hangs on what is gone
	file string       // which file is damaged: a real one, or one of the writer
	do   func(p *patch)
}

// bases gives the files that are damaged, each made once.
func bases(t *testing.T) func(name string) []byte {
	made := map[string][]byte{}
	return func(name string) []byte {
		if made[name] == nil {
			switch name {
			case "few":
				made[name] = written(t, writer.Options{}, few)
			case "large":
				made[name] = written(t, writer.Options{}, large)
			default:
				made[name] = psttest.Outlook(t, name)
			}
		}
		return made[name]
	}
}

// TestBrokenFiles damages good files in one place each, and wants that very rule. All rules are
// shown to fire.
func TestBrokenFiles(t *testing.T) {
	base := bases(t)
	fired := map[check.Rule]bool{check.RuleFPMap: true, check.RuleFPMapBit: true} // see TestFPMaps
	for _, c := range slices.Concat(brokenHeaders, brokenMaps, brokenPages, brokenBlocks, brokenTrees, brokenHeaps, brokenProperties, brokenTables, brokenNames, brokenStores, brokenFolders, brokenMessages, brokenAttachments) {
		p := newPatch(t, base(c.file))
		c.do(p)
		report := findings(t, p.b)
		seen := map[check.Rule]int{}
		for _, f := range report.Findings {
			seen[f.Rule]++
			if f.Section == "" || f.Text == "" || f.Offset < 0 || f.Severity != f.Rule.Severity() {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if seen[c.rule] == 0 {
			t.Errorf("%s: no %q among %v", c.name, c.rule, seen)
		}
		fired[c.rule] = fired[c.rule] || seen[c.rule] > 0
		for _, f := range report.Findings {
			// What a value that is gone leaves behind in the heap is told too.
			if f.Rule != c.rule && !c.many && f.Rule != check.RuleHeapUnused && !slices.Contains(c.also, f.Rule) {
				t.Errorf("%s: besides %q: %v", c.name, c.rule, f)
			}
		}
	}
	for _, r := range check.Rules() {
		if !fired[r] {
			t.Errorf("nothing here breaks the rule %q", r)
		}
	}
}
