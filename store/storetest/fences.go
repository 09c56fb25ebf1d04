package storetest

import (
	"testing"
	"time"
)

// fences: what a server asked for is there in the next process, under its name alone, until it
// is over.
func fences(t *testing.T, o *office) {
	is := func(name string, since, until time.Time) {
		t.Helper()
		a, b, err := o.Fence(name)
		if err != nil || !a.Equal(since) || !b.Equal(until) {
			t.Errorf("%s: from %v to %v, %v; want %v to %v", name, a, b, err, since, until)
		}
	}
	keep := func(name string, since, until time.Time) {
		t.Helper()
		if err := o.KeepFence(name, since, until); err != nil {
			t.Fatal(err)
		}
	}
	now, none := o.now(), time.Time{}
	is("graph/a", none, none)
	keep("graph/a", now, now.Add(time.Hour))
	keep("graph/a/ü@x.example", now, now.Add(3*time.Hour))
	keep("graph/a", now, now.Add(2*time.Hour))
	o.reopen()
	is("graph/a", now, now.Add(2*time.Hour))
	is("graph/a/ü@x.example", now, now.Add(3*time.Hour))
	is("graph/a/", none, none)
	for name, until := range map[string]time.Time{"": now.Add(time.Hour), "graph/b": now} {
		if err := o.KeepFence(name, now, until); err == nil {
			t.Errorf("%q until %v is kept", name, until)
		}
	}
	for _, step := range []struct {
		later time.Duration
		left  int
	}{{time.Hour, 2}, {time.Hour, 1}, {time.Hour, 0}} {
		*o.wall += step.later
		if err := o.Tidy(); err != nil {
			t.Fatal(err)
		}
		left := 0
		for key := range o.everything(t) {
			if len(key) > 6 && key[:6] == "fence/" {
				left++
			}
		}
		if left != step.left {
			t.Errorf("%d are left, want %d", left, step.left)
		}
	}
}
