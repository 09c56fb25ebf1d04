package checklists

import "testing"

func TestBuiltin(t *testing.T) {
	all, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 14 {
		t.Errorf("only %d checklists are built in", len(all))
	}
}
