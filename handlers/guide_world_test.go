package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/checklists"
)

// school is a world with checklists, whose walks, words and rules are kept in memory,
// and whose clock is set by hand.
type school struct {
	*world
	*Router
	now    time.Time
	lists  []keepwatch.Checklist
	people []keepwatch.Person

	lock    sync.Mutex
	walks   []keepwatch.Walk
	words   []keepwatch.Attestation
	said    []keepwatch.Attestation
	posted  []keepwatch.Outgoing
	rules   []keepwatch.Rule
	mute    bool   // nothing can be posted
	postErr error  // nothing that is posted can be saved
	between func() // happens once, between the reading of a walk and its change
}

func newSchool(t *testing.T) *school {
	t.Helper()
	lists, err := checklists.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	s := &school{world: newWorld(), now: noon, lists: lists}
	s.known = append(s.known, keepwatch.Source{Name: "pst-drop", Kind: keepwatch.KindFiles, Path: "/srv/pst-drop", Drop: true})
	iphone := keepwatch.Device{Name: "Alis iPhone", Platform: "ios", Account: "icloud", GlobalAdmin: true}
	android := keepwatch.Device{Name: "Bethan Pixel", Platform: "android", Account: "microsoft", GlobalAdmin: true}
	s.people = []keepwatch.Person{
		{Name: "Alis", Role: keepwatch.RoleAdmin, Accounts: map[string]string{"terminal": "alis", "slack": "U1"}, Devices: []keepwatch.Device{iphone}},
		{Name: "Bethan", Role: keepwatch.RoleAdmin, Accounts: map[string]string{"slack": "U4"}, Devices: []keepwatch.Device{android}},
		{Name: "Olwen", Role: keepwatch.RoleOperator, Accounts: map[string]string{"slack": "U2"}},
		{Name: "Vaughan", Role: keepwatch.RoleViewer, Accounts: map[string]string{"slack": "U3"}},
	}
	s.open(t)
	return s
}

// open makes the Router anew, as a restart does.
func (s *school) open(t *testing.T) {
	t.Helper()
	r, err := New(Config{
		People: s.people, Runs: s.world, Sources: s.world, History: s.world, Audit: s.world, Vault: s.world,
		Check: func(context.Context) []keepwatch.Probe { return nil }, Now: func() time.Time { return s.now },
		Duties: Duties{
			Walks: s, Checklists: s.lists, Attestations: s, Times: clock{}, Rules: rulebook{s}, Post: s.Post,
			Speaks: func(channel string) bool { return !s.mute && strings.HasPrefix(channel, "slack:") },
			Said:   func(a keepwatch.Attestation) { s.said = append(s.said, a) },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Router = r
}

func (s *school) Post(out ...keepwatch.Outgoing) error {
	if s.postErr != nil {
		return s.postErr
	}
	s.posted = append(s.posted, out...)
	return nil
}

func (s *school) StartWalk(w keepwatch.Walk) (keepwatch.Walk, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, x := range s.walks {
		if x.Person == w.Person && x.Checklist == w.Checklist && x.Ended.IsZero() {
			return x, nil
		}
	}
	w.ID = fmt.Sprintf("l%d", len(s.walks)+1)
	s.walks = append(s.walks, w)
	return w, nil
}

func (s *school) Walk(id string) (keepwatch.Walk, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, w := range s.walks {
		if w.ID == id {
			return w, nil
		}
	}
	return keepwatch.Walk{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no walk %s.", id)
}

// ChangeWalk runs both functions twice, as a transaction may.
func (s *school) ChangeWalk(id string, change func(*keepwatch.Walk) error, att func(keepwatch.Walk) []keepwatch.Attestation) (keepwatch.Walk, error) {
	if f := s.between; f != nil {
		s.between = nil
		f()
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	i := slices.IndexFunc(s.walks, func(w keepwatch.Walk) bool { return w.ID == id })
	if i < 0 {
		return keepwatch.Walk{}, errors.New("no such walk")
	}
	trial := s.walks[i]
	if err := change(&trial); err != nil {
		return keepwatch.Walk{}, err
	}
	att(trial)
	w := s.walks[i]
	if err := change(&w); err != nil {
		return keepwatch.Walk{}, err
	}
	for _, a := range att(w) {
		if slices.ContainsFunc(s.words, func(x keepwatch.Attestation) bool { return x.ID == a.ID }) {
			return w, errors.New("an attestation's ID was there already: " + a.ID)
		}
		s.words = append(s.words, a)
	}
	s.walks[i] = w
	return w, nil
}

func (s *school) Walks(person string, limit int) (list []keepwatch.Walk, err error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, w := range slices.Backward(s.walks) {
		if (person == "" || w.Person == person) && len(list) < limit {
			list = append(list, w)
		}
	}
	return list, nil
}

func (s *school) Attestations(subject string, limit int) (list []keepwatch.Attestation, err error) {
	for _, a := range slices.Backward(s.words) {
		if (subject == "" || a.Subject == subject) && len(list) < limit {
			list = append(list, a)
		}
	}
	return list, nil
}

// rulebook keeps the rules of a school.
type rulebook struct{ s *school }

func (b rulebook) RulesAfter(string, int) ([]keepwatch.Rule, error) { return b.s.rules, nil }
func (b rulebook) FixedRules() ([]keepwatch.Rule, error)            { return nil, nil }
func (b rulebook) RequestRules(string) ([]keepwatch.Rule, error)    { return nil, nil }
func (b rulebook) RulesLike(rule keepwatch.Rule) ([]keepwatch.Rule, error) {
	return slices.DeleteFunc(slices.Clone(b.s.rules), func(r keepwatch.Rule) bool {
		return r.Command != rule.Command || !r.When.At.Equal(rule.When.At)
	}), nil
}
func (b rulebook) Rule(id string) (keepwatch.Rule, error) {
	return keepwatch.Rule{}, keepwatch.Errorf(keepwatch.KindNotFound, "There is no rule %s.", id)
}
func (b rulebook) AddRule(rule keepwatch.Rule) (keepwatch.Rule, error) {
	rule.ID = fmt.Sprint(len(b.s.rules) + 1)
	b.s.rules = append(b.s.rules, rule)
	return rule, nil
}
func (b rulebook) ChangeRule(id string, _ func(*keepwatch.Rule) error) (keepwatch.Rule, error) {
	return b.Rule(id)
}
func (b rulebook) RemoveRule(string) error { return nil }

// clock reads two ways of saying a moment.
type clock struct{}

func (clock) Parse(string, *time.Location, time.Time) (keepwatch.When, error) {
	return keepwatch.When{}, errors.New("not asked for here")
}

func (clock) Moment(text string, zone *time.Location, now time.Time) (time.Time, error) {
	switch text {
	case "tomorrow 9:00":
		y, m, d := now.In(zone).Date()
		return time.Date(y, m, d+1, 9, 0, 0, 0, zone), nil
	case "20 Nov":
		return time.Date(now.Year(), 11, 20, 0, 0, 0, 0, zone), nil
	}
	return time.Time{}, keepwatch.Errorf(keepwatch.KindInvalid, "%q is no moment.", text)
}

func (clock) Next(keepwatch.When, time.Time, string) (keepwatch.Due, bool) {
	return keepwatch.Due{}, false
}

func (clock) Describe(w keepwatch.When) string { return w.Said }

// says has somebody say something, a minute after the last thing.
func (s *school) says(who, text string) keepwatch.Message {
	s.now = s.now.Add(time.Minute)
	req := ask(text, who)
	req.ID = NewID()
	return s.Handle(context.Background(), req)
}

// press presses a button of a message, and fills its form in.
func (s *school) press(t *testing.T, who string, msg keepwatch.Message, label string, value ...string) keepwatch.Message {
	t.Helper()
	i := slices.IndexFunc(msg.Buttons, func(b keepwatch.Button) bool { return b.Label == label })
	if i < 0 {
		t.Fatalf("there is no button %q:\n%s", label, plain(msg))
	}
	values := map[string]string{}
	if f := msg.Buttons[i].Form; f != nil && len(f.Fields) > 0 && len(value) > 0 {
		values[f.Fields[0].Name] = value[0]
	}
	return s.says(who, Fill(msg.Buttons[i], values))
}

// forward gives the button that goes on, and what is filled in there.
func forward(msg keepwatch.Message) (label, value string) {
	for _, b := range msg.Buttons {
		switch {
		case b.Form == nil && strings.HasSuffix(b.Command, " done"):
			return b.Label, ""
		case b.Form != nil && b.Label == "Answer…" && b.Form.Fields[0].Type == keepwatch.FieldDate:
			return b.Label, "2026-11-20"
		case b.Label == "Answer…":
			return b.Label, "in the safe, blue folder"
		case strings.Contains(b.Command, " done "):
			return b.Label, ""
		}
	}
	return "", ""
}
