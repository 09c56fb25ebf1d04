package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/engine/remind"
)

// fill saves rules by Alis, with every tenth by Olwen, and something open of each.
func (w *engineWorld) fill(rules int) {
	w.t.Helper()
	_, err := w.kept.Change(func(c remind.Change) error {
		for i := range rules {
			id, err := c.NewRuleID()
			if err != nil {
				return err
			}
			rule := textRule()
			rule.ID, rule.Text, rule.By = id, "tape "+id, "Alis"
			if i%10 == 9 {
				rule.By = "Olwen"
			}
			rule.Next = w.now.AddDate(0, 0, 1)
			if err := c.PutRule(rule); err != nil {
				return err
			}
			o := occurrenceOf(rule, w.now.AddDate(0, 0, -1))
			if i%10 == 9 {
				o.To = "Olwen"
			}
			if err := c.PutOccurrence(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// parts goes on to the next part until there is no more, and gives the titles, and the
// first cell of each row. It asks in the terminal, where a part is one page.
func (w *engineWorld) parts(text string) (titles, rows []string) {
	w.t.Helper()
	say := func(text string) keepwatch.Message {
		req := from(text, "slack:U2")
		req.Local = true
		return w.r.Handle(w.t.Context(), req)
	}
	for m := say(text); ; {
		titles = append(titles, m.Title)
		for _, b := range m.Blocks {
			if b.Table == nil {
				continue
			}
			for _, row := range b.Table.Rows {
				rows = append(rows, row[0])
			}
		}
		i := slices.IndexFunc(m.AllButtons(), func(b keepwatch.Button) bool { return b.Label == "The next ones" })
		if i < 0 {
			return titles, rows
		}
		if len(rows) > 10_000 {
			w.t.Fatal("there is more without end")
		}
		m = say("/" + m.AllButtons()[i].Command)
	}
}

// TestListsInParts: of very many an answer gives some, and buttons each of the others
// once.
func TestListsInParts(t *testing.T) {
	w := newEngineWorld(t)
	const rules = 2345
	w.fill(rules)
	if err := w.s.Sync([]keepwatch.Rule{{ID: "schedule:a", Kind: keepwatch.RuleCommand, Command: "backup start notes", Channel: "slack:C0OPS", When: keepwatch.When{Cron: "0 3 * * *", Zone: "Europe/London"}}}); err != nil {
		t.Fatal(err)
	}
	numbers := func(every int) (list []string) {
		for i := every; i <= rules; i += every {
			list = append(list, fmt.Sprint(i))
		}
		return list
	}
	tapes := func(every int) (list []string) {
		for _, n := range numbers(every) {
			list = append(list, "tape "+n)
		}
		slices.Sort(list)
		return list
	}
	for _, c := range []struct {
		text  string
		parts int
		first string // the title of the first part, and of the last one
		last  string
		rows  []string
	}{
		{"/reminder list", 3, "The first 900 reminders", "The next 545 reminders", numbers(1)},
		{"/reminder list --all", 3, "The first 900 reminders", "The next 546 reminders", append([]string{"schedule:a"}, numbers(1)...)},
		{"/reminder list --mine", 2, "The first 200 reminders", "The next 34 reminders", numbers(10)},
		{"/reminder list --due", 3, "The first 900 reminders of 2,345 that are open", "The next 545 reminders of 2,345 that are open", tapes(1)},
	} {
		titles, rows := w.parts(c.text)
		if strings.Contains(c.text, "--due") { // all of the same minute: by their names
			slices.Sort(rows)
		}
		if len(titles) != c.parts || titles[0] != c.first || titles[len(titles)-1] != c.last {
			t.Errorf("%s: %d parts, %q to %q", c.text, len(titles), titles[0], titles[len(titles)-1])
		}
		if !slices.Equal(rows, c.rows) {
			t.Errorf("%s shows %d rows, and is to show %d: %q …", c.text, len(rows), len(c.rows), rows[:min(3, len(rows))])
		}
	}
	if m := w.say("/reminder list --all --page 3"); m.Title != "The first 900 reminders, page 3 of 60" { // on a platform
		t.Error(m.Title)
	}
	if m := w.say("/reminder list --due --after 9@2020-01-01T00:00"); m.Refused != keepwatch.KindNotFound {
		t.Errorf("behind what is not there: %s", all(m))
	}
	if m := w.say("/reminder list --after 2345"); m.Title != "The next 0 reminders" || !strings.Contains(all(m), "There is none of that kind") {
		t.Errorf("behind the last one: %s", all(m))
	}
}

// TestLooksThroughPart: where few of very many are meant, an answer looks through a
// part of them and says so.
func TestLooksThroughPart(t *testing.T) {
	w := newEngineWorld(t)
	w.fill(2100)
	_, err := w.kept.Change(func(c remind.Change) error {
		for i := range 2100 {
			rule, _, err := c.Rule(fmt.Sprint(i + 1))
			if err != nil {
				return err
			}
			rule.By, rule.To = "Alis", ""
			if i == 2049 {
				rule.By = "Olwen"
			}
			if err := c.PutRule(rule); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	titles, rows := w.parts("/reminder list --mine")
	if want := []string{"None among the next 2,000", "The next 1 reminder"}; !slices.Equal(titles, want) || !slices.Equal(rows, []string{"2050"}) {
		t.Errorf("%q, %q", titles, rows)
	}
}
