package store_test

import (
	"testing"

	"keepwatch"
	"keepwatch/engine"
	"keepwatch/engine/remind"
	"keepwatch/handlers"
	"keepwatch/store"
)

// reminding is how the program joins records with what keeps rules.
type reminding struct{ *store.Records }

func (r reminding) Change(fn func(remind.Change) error) ([]string, error) {
	return r.Records.Change(func(c *store.Change) error { return fn(c) })
}

// TestJoins: the records are what others say that they need.
func TestJoins(t *testing.T) {
	r, _ := records()
	var (
		_ handlers.Walks        = r
		_ handlers.Attestations = r
		_ engine.Mail           = r
	)
	var rules remind.Records = reminding{r}
	lanes, err := rules.Change(func(c remind.Change) error {
		id, err := c.NewRuleID()
		if err != nil {
			return err
		}
		if err := c.PutRule(keepwatch.Rule{ID: id, Next: noon}); err != nil {
			return err
		}
		return c.Post(keepwatch.Outgoing{ID: "x", Lane: "slack:A", Channel: "slack:A", Topic: "reminder/" + id})
	})
	if err != nil || len(lanes) != 1 || lanes[0] != "slack:A" {
		t.Errorf("%q, %v", lanes, err)
	}
	if rule, err := rules.Rule("1"); err != nil || !rule.Next.Equal(noon) {
		t.Errorf("%+v, %v", rule, err)
	}
	if due, err := r.Due(noon, 0); err != nil || len(due) != 1 || due[0] != (keepwatch.Wake{At: noon, Kind: keepwatch.WakeRule, ID: "1"}) {
		t.Errorf("%+v, %v", due, err)
	}
}
