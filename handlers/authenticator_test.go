package handlers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keepwatch"
	"keepwatch/handlers/checklists"
)

// duty is what the authenticator commands stand on, in memory. It says no where it is
// told to, and otherwise takes everything.
type duty struct {
	devices   []keepwatch.DeviceState
	custodies []keepwatch.CustodyState
	probes    []keepwatch.Probe
	score     int
	notes     keepwatch.Dossier
	said      []keepwatch.Attestation
	sure      bool
	err       error
}

func (d *duty) Devices() ([]keepwatch.DeviceState, error) { return d.devices, d.err }

func (d *duty) Attest(a keepwatch.Attestation, sure bool) (keepwatch.DeviceState, error) {
	if d.err != nil && !(sure && keepwatch.KindOf(d.err) == keepwatch.KindConflict) {
		return keepwatch.DeviceState{}, d.err
	}
	d.said, d.sure = append(d.said, a), sure
	i := slices.IndexFunc(d.devices, func(s keepwatch.DeviceState) bool { return keepwatch.DeviceSubject(s.Device) == a.Subject })
	s := d.devices[i]
	s.Last, s.Next, s.Standing = &a, a.Said.AddDate(0, 0, 30), keepwatch.StandingFresh
	switch {
	case a.State == keepwatch.AttestedNew:
		s.Standing = keepwatch.StandingReplaced
	case a.State != keepwatch.AttestedOn:
		s.Standing, s.Next = keepwatch.StandingOff, a.Said.AddDate(0, 0, 1)
	case a.Said.Sub(a.Seen) > 31*24*time.Hour:
		s.Standing, s.Next = keepwatch.StandingOld, a.Said.AddDate(0, 0, 3)
	}
	return s, nil
}

func (d *duty) Custodies() ([]keepwatch.CustodyState, error) { return d.custodies, nil }

func (d *duty) Record(a keepwatch.Attestation) (keepwatch.CustodyState, error) {
	if keepwatch.LooksSecret(a.Where) {
		return keepwatch.CustodyState{}, keepwatch.Errorf(keepwatch.KindInvalid, "That looks like a password or key itself. Nothing was saved.")
	}
	d.said = append(d.said, a)
	i := slices.IndexFunc(d.custodies, func(s keepwatch.CustodyState) bool { return keepwatch.CustodySubject(s.Custody.Name) == a.Subject })
	s := d.custodies[i]
	s.Last, s.Next = &a, a.Said.AddDate(0, 0, 180)
	return s, nil
}

func (d *duty) Readiness() ([]keepwatch.Probe, int, error) { return d.probes, d.score, nil }

func (d *duty) Dossier() (keepwatch.Dossier, error) { return d.notes, nil }

func (d *duty) SetDossier(field, value, by string) (keepwatch.Dossier, error) {
	if keepwatch.HoldsSecret(value) {
		return d.notes, keepwatch.Errorf(keepwatch.KindInvalid, "There seems to be a password or key in it.")
	}
	if d.err != nil {
		return d.notes, d.err
	}
	if value == "" {
		delete(d.notes.Fields, field)
	} else {
		d.notes.Fields[field] = keepwatch.Entered{Value: value, By: by, At: noon}
	}
	d.notes.Changed = noon
	return d.notes, nil
}

func word(state keepwatch.Attested, by string, seen time.Time) *keepwatch.Attestation {
	return &keepwatch.Attestation{State: state, By: by, Seen: seen, Said: noon.AddDate(0, 0, -4)}
}

func dayOf(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }

func newDuty() *duty {
	iphone := keepwatch.Device{Name: "Alis iPhone", Platform: "ios", Account: "icloud", Recheck: 30 * 24 * time.Hour, GlobalAdmin: true}
	pixel := keepwatch.Device{Name: "Vaughan's Pixel", Platform: "android", Account: "microsoft", Recheck: 90 * 24 * time.Hour}
	return &duty{
		devices: []keepwatch.DeviceState{
			{Person: "Alis", Device: iphone, Standing: keepwatch.StandingFresh, Last: word(keepwatch.AttestedOn, "Alis", dayOf(11, 19)), Seen: dayOf(11, 19), SeenSaid: noon.AddDate(0, 0, -4), Next: noon.AddDate(0, 0, 26)},
			{Person: "Alis", Device: keepwatch.Device{Name: "Alis spare", Platform: "android", GlobalAdmin: true}, Standing: keepwatch.StandingOff, Last: word(keepwatch.AttestedOff, "Olwen", time.Time{})},
			{Person: "Vaughan", Device: pixel, Standing: keepwatch.StandingNever},
		},
		custodies: []keepwatch.CustodyState{
			{Custody: keepwatch.Custody{Name: "alis-icloud", What: "the password of the Apple Account (iCloud) that backs up Alis iPhone", Owner: "Alis"}, Last: &keepwatch.Attestation{State: keepwatch.AttestedRecorded, By: "Alis", Said: noon.AddDate(0, 0, -9), Where: "1Password, vault Private"}, Next: noon.AddDate(0, 5, 0)},
			{Custody: keepwatch.Custody{Name: "vault-key", What: "a copy of the key to all archives (data/age-identity.txt)"}},
			{Custody: keepwatch.Custody{Name: "vaughan-microsoft", What: "the password of the personal Microsoft account that backs up Vaughan's Pixel", Owner: "Vaughan"}},
		},
		probes: []keepwatch.Probe{
			{Name: "emergency accounts", Status: keepwatch.ProbeBad, Text: "There is no emergency account.", Next: "Make two."},
			{Name: "drill", Status: keepwatch.ProbeWarn, Text: "Nobody has ever tried.", Next: "Drill."},
			{Name: "second method", Status: keepwatch.ProbeGood, Text: "Everybody has one."},
		},
		score: 45,
		notes: keepwatch.Dossier{Fields: map[string]keepwatch.Entered{
			"tenant-domain": {Value: "contoso.onmicrosoft.com", By: "keepwatch.yaml"}, "phone": {Value: "+44 1824 700000", By: "Alis", At: noon.AddDate(0, -1, 0)},
		}},
	}
}

func (d *duty) router(t *testing.T, w *world) *Router {
	t.Helper()
	r := w.router(t)
	r.cfg.Duties.Authenticator, r.cfg.Duties.Dossier = d, d
	return r
}

// withForms renders a message with the fields of its forms, and its menus.
func withForms(m keepwatch.Message) string {
	var b strings.Builder
	b.WriteString(plain(m))
	for _, bt := range m.Buttons {
		if bt.Form != nil {
			fmt.Fprintf(&b, "form of %s: %s | %s\n", bt.Label, bt.Form.Title, bt.Form.Text)
			for _, f := range bt.Form.Fields {
				fmt.Fprintf(&b, "  %s (%s, flag %v, words %v): %s | %s | %s\n", f.Name, f.Type, f.Flag, f.Words, f.Label, f.Hint, f.Value)
			}
		}
	}
	for _, menu := range m.Menus {
		fmt.Fprintf(&b, "menu %s\n", menu.Label)
		for _, o := range menu.Options {
			fmt.Fprintf(&b, "  (%s → %s)\n", o.Label, o.Command)
		}
	}
	return b.String()
}

func full(d *duty) {
	for _, f := range keepwatch.DossierFields() {
		d.notes.Fields[f.Name] = keepwatch.Entered{Value: f.Example, By: "Alis", At: noon.AddDate(0, 0, -9)}
	}
	d.notes.Changed = noon.AddDate(0, 0, -9)
}

// TestAuthenticatorAnswers holds every answer to the text that was read and found good.
func TestAuthenticatorAnswers(t *testing.T) {
	for _, c := range []struct {
		name, text, who string
		set             func(d *duty)
	}{
		{name: "auth-status", text: "/authenticator status", who: "slack:U2"},
		{name: "auth-status-own", text: "/authenticator status", who: "slack:U3"},
		{name: "auth-status-person", text: "/authenticator status alis", who: "slack:U2"},
		{name: "auth-status-typo", text: "/authenticator status Ails", who: "slack:U2"},
		{name: "auth-status-denied", text: "/authenticator status Alis", who: "slack:U3"},
		{name: "auth-status-none", text: "/authenticator status", who: "slack:U2", set: func(d *duty) { d.devices = nil }},
		{name: "auth-status-well", text: "/authenticator status", who: "slack:U1", set: func(d *duty) { d.devices = d.devices[:1] }},
		{name: "auth-checked-which", text: "/authenticator checked", who: "slack:U2"},
		{name: "auth-checked-ask", text: "/authenticator checked alis-iphone", who: "slack:U1"},
		{name: "auth-checked-ask-own", text: `/authenticator checked "Vaughan's Pixel"`, who: "slack:U3"},
		{name: "auth-checked-denied", text: "/authenticator checked alis-iphone today", who: "slack:U3"},
		{name: "auth-checked-typo", text: "/authenticator checked alis-ifone off", who: "slack:U1"},
		{name: "auth-checked-today", text: "/authenticator checked alis-iphone today", who: "slack:U1"},
		{name: "auth-checked-behalf", text: "/authenticator checked vaughans-pixel 20 Nov --remarks \"by telephone\"", who: "slack:U2", set: func(d *duty) { d.devices[2].Device.Name = "Vaughans Pixel" }},
		{name: "auth-checked-week", text: "/authenticator checked alis-iphone this week", who: "slack:U1"},
		{name: "auth-checked-only-phone", text: "/authenticator checked alis-iphone today", who: "slack:U1", set: func(d *duty) { d.devices = d.devices[:1] }},
		{name: "auth-checked-old", text: "/authenticator checked alis-iphone 2026-05-02", who: "slack:U1"},
		{name: "auth-checked-off", text: "/authenticator checked alis-iphone off", who: "slack:U1"},
		{name: "auth-checked-off-android", text: "/authenticator checked vaughan-s-pixel off", who: "slack:U3"},
		{name: "auth-checked-never", text: "/authenticator checked vaughan-s-pixel never", who: "slack:U3"},
		{name: "auth-checked-not-found", text: "/authenticator checked alis-iphone not found", who: "slack:U1"},
		{name: "auth-checked-new", text: "/authenticator checked alis-iphone new phone", who: "slack:U1"},
		{name: "auth-checked-new-android", text: "/authenticator checked vaughan-s-pixel new phone", who: "slack:U3"},
		{name: "auth-checked-unreadable", text: "/authenticator checked alis-iphone soonish", who: "slack:U1"},
		{name: "auth-checked-two-ways", text: "/authenticator checked alis-iphone 03/04/2026", who: "slack:U1"},
		{name: "auth-custody", text: "/authenticator custody", who: "slack:U2"},
		{name: "auth-custody-own", text: "/authenticator custody", who: "slack:U3"},
		{name: "auth-custody-one", text: "/authenticator custody vault-key", who: "slack:U1"},
		{name: "auth-custody-known", text: "/authenticator custody alis-icloud", who: "slack:U1"},
		{name: "auth-custody-typo", text: "/authenticator custody valut-key", who: "slack:U1"},
		{name: "auth-custody-denied", text: "/authenticator custody vault-key in the safe", who: "slack:U3"},
		{name: "auth-custody-said", text: "/authenticator custody vault-key in the safe, blue folder", who: "slack:U1"},
		{name: "auth-custody-lost", text: "/authenticator custody vaughan-microsoft --lost", who: "slack:U3"},
		{name: "auth-custody-both", text: "/authenticator custody vault-key in the safe --lost", who: "slack:U1"},
		{name: "auth-custody-secret", text: "/authenticator custody vault-key hunter2!", who: "slack:U1"},
		{name: "auth-dossier", text: "/authenticator dossier", who: "slack:U1"},
		{name: "auth-dossier-full", text: "/authenticator dossier", who: "slack:U1", set: full},
		{name: "auth-dossier-changed", text: "/authenticator dossier", who: "slack:U1", set: func(d *duty) {
			full(d)
			d.notes.Sealed, d.notes.Archive = noon.AddDate(0, 0, -20), "dossier/2026-11-04T120000Z"
		}},
		{name: "auth-dossier-field", text: "/authenticator dossier phone", who: "slack:U1"},
		{name: "auth-dossier-field-yaml", text: "/authenticator dossier tenant-domain", who: "slack:U1"},
		{name: "auth-dossier-typo", text: "/authenticator dossier tenantid 72f988bf-86f1-41af-91ab-2d7cd011db47", who: "slack:U1"},
		{name: "auth-dossier-set", text: "/authenticator dossier email contoso.rescue@mail.example", who: "slack:U1"},
		{name: "auth-dossier-own-domain", text: "/authenticator dossier email alis@mail.contoso.example", who: "slack:U1", set: full},
		{name: "auth-dossier-optional", text: "/authenticator dossier partner", who: "slack:U1", set: func(d *duty) { delete(d.notes.Fields, "partner") }},
		{name: "auth-dossier-last", text: "/authenticator dossier email contoso.rescue@mail.example", who: "slack:U1", set: func(d *duty) { full(d); delete(d.notes.Fields, "email") }},
		{name: "auth-dossier-clear", text: "/authenticator dossier phone --clear", who: "slack:U1"},
		{name: "auth-dossier-refused", text: "/authenticator dossier phone none", who: "slack:U1", set: func(d *duty) {
			d.err = keepwatch.Errorf(keepwatch.KindInvalid, "Phone that support can ring: a number has digits. For example: +44 1824 700000, Alis")
		}},
		{name: "auth-dossier-seal", text: "/authenticator dossier --seal", who: "slack:U1"},
		{name: "auth-dossier-seal-field", text: "/authenticator dossier phone --seal", who: "slack:U1"},
		{name: "auth-dossier-denied", text: "/authenticator dossier", who: "slack:U2"},
		{name: "auth-ready", text: "/authenticator ready", who: "slack:U1"},
		{name: "auth-ready-denied", text: "/authenticator ready", who: "slack:U2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDuty()
			if c.set != nil {
				c.set(d)
			}
			msg := d.router(t, newWorld()).Handle(t.Context(), ask(c.text, c.who))
			golden(t, c.name, withForms(msg))
			pressable(t, msg)
		})
	}
}

// pressable holds every button to the table of commands and to the length of a token.
func pressable(t *testing.T, msg keepwatch.Message) {
	t.Helper()
	r := &Router{}
	r.commands = r.table()
	lists, err := checklists.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range msg.AllButtons() {
		if len(b.Command) >= keepwatch.MaxToken {
			t.Errorf("%q is longer than a token", b.Command)
		}
		if len(b.Label) > 75 { // Slack's limit
			t.Errorf("%q is too long for a button", b.Label)
		}
		if b.Form != nil {
			for _, f := range b.Form.Fields {
				if len(b.Form.Title) > 24 || len(f.Label) > 45 || len(f.Hint) > 100 {
					t.Errorf("the form of %q is too long for a platform: %+v", b.Label, b.Form)
				}
			}
		}
		words, err := Split(b.Command)
		if err != nil {
			t.Errorf("%q: %v", b.Command, err)
			continue
		}
		cmd, rest, ok := r.find(words)
		if !ok {
			t.Errorf("%q is no command", b.Command)
			continue
		}
		if _, missing, err := cmd.bind(rest); err != nil || missing != nil {
			t.Errorf("%q: %v, lacks %v", b.Command, err, missing)
		}
		topic := func(l keepwatch.Checklist) bool { return l.Group == cmd.Title() && l.Topic == rest[0] }
		if (cmd.Name == "guide" || cmd.Name == "recover") && len(rest) > 0 && !slices.ContainsFunc(lists, topic) {
			t.Errorf("%q leads to no checklist", b.Command)
		}
	}
}

// TestAuthenticatorNotHere: without phones in the configuration each command says so.
func TestAuthenticatorNotHere(t *testing.T) {
	for _, text := range []string{"status", "checked", "checked x today", "custody", "dossier", "ready"} {
		m := newWorld().router(t).Handle(t.Context(), ask("/authenticator "+text, "slack:U1"))
		if m.Refused != keepwatch.KindNotFound || !strings.Contains(plain(m), "keepwatch.yaml") {
			t.Errorf("%s: %s", text, plain(m))
		}
	}
}

// TestCheckedIsRecorded: who said it, of what, and when, by the request.
func TestCheckedIsRecorded(t *testing.T) {
	d := newDuty()
	req := ask("/authenticator checked vaughan-s-pixel yesterday --remarks 'by telephone'", "slack:U2")
	req.At = noon.Add(time.Minute)
	d.router(t, newWorld()).Handle(t.Context(), req)
	want := keepwatch.Attestation{ID: "req1", Subject: "device/vaughan-s-pixel", By: "Olwen", Said: noon.Add(time.Minute), State: keepwatch.AttestedOn, Seen: dayOf(11, 23), Remarks: "by telephone"}
	if len(d.said) != 1 || d.said[0] != want {
		t.Errorf("%+v", d.said)
	}
}

// TestCheckedAsks: a date that clashes is asked about, and the answer says that it is
// sure; one that cannot be is not saved however sure somebody is.
func TestCheckedAsks(t *testing.T) {
	d := newDuty()
	d.err = keepwatch.Errorf(keepwatch.KindConflict, "You say that Alis iPhone shows 2 November 2026. Is it really so?")
	fake := &saysNo{duty: d}
	r := newWorld().router(t)
	r.cfg.Duties.Authenticator = fake
	m := r.Handle(t.Context(), ask("/authenticator checked alis-iphone 2 Nov", "slack:U1"))
	golden(t, "auth-checked-sure", withForms(m))
	pressable(t, m)
	if len(m.Buttons) == 0 || len(d.said) != 0 {
		t.Fatalf("%+v, %+v", m, d.said)
	}
	m = r.Handle(t.Context(), ask(m.Buttons[0].Command, "slack:U1"))
	if m.Failed || len(d.said) != 1 || !d.sure || !d.said[0].Seen.Equal(dayOf(11, 2)) {
		t.Errorf("%+v, %+v", m, d.said)
	}
	d.err = keepwatch.Errorf(keepwatch.KindInvalid, "20 November 2027 is in the future.")
	m = r.Handle(t.Context(), ask("/authenticator checked alis-iphone 2027-11-20 --sure", "slack:U1"))
	golden(t, "auth-checked-future", withForms(m))
	pressable(t, m)
	d.err = errors.New("disk full")
	if m = r.Handle(t.Context(), ask("/authenticator checked alis-iphone today", "slack:U1")); m.Refused != keepwatch.KindInternal || strings.Contains(plain(m), "disk full") {
		t.Errorf("%s", plain(m))
	}
}

// saysNo reads devices although attesting fails.
type saysNo struct{ *duty }

func (s *saysNo) Devices() ([]keepwatch.DeviceState, error) { return s.duty.devices, nil }

// TestSecretIsNotKept: what somebody wrote in place of where it is recorded is not in
// the audit either.
func TestSecretIsNotKept(t *testing.T) {
	for _, text := range []string{
		"/authenticator custody vault-key hunter2!", "/authenticator custody vault-key the password is hunter2!", "/authenticator dossier registrar login is x, password: hunter2!", "/authenticator checked alis-iphone off --remarks 'pw: hunter2!'",
	} {
		w, d := newWorld(), newDuty()
		m := d.router(t, w).Handle(t.Context(), ask(text, "slack:U1"))
		if strings.Contains(w.audit[0].Text, "hunter2") || w.audit[0].Text == "" || strings.Contains(plain(m), "hunter2") {
			t.Errorf("%s: %q, %s", text, w.audit[0].Text, plain(m))
		}
	}
	w := newWorld()
	newDuty().router(t, w).Handle(t.Context(), ask("/authenticator custody vault-key in the safe", "slack:U1"))
	if w.audit[0].Text != "/authenticator custody vault-key in the safe" {
		t.Errorf("%q", w.audit[0].Text)
	}
}

// TestWhereIsPrivate: where keys are recorded is for the asker's eyes alone.
func TestWhereIsPrivate(t *testing.T) {
	r := newDuty().router(t, newWorld())
	for text, want := range map[string]bool{"/authenticator custody": true, "/authenticator dossier": true, "/authenticator ready": true, "/authenticator status": false} {
		if r.private(ask(text, "slack:U3")) != want {
			t.Errorf("%s: private is %v", text, !want)
		}
	}
}

// TestQuestions: what is asked at an occurrence, with buttons that can be pressed.
func TestQuestions(t *testing.T) {
	d := newDuty()
	long := keepwatch.Device{Name: strings.Repeat("Very long name ", 9), Platform: "ios"}
	d.devices = append(d.devices, keepwatch.DeviceState{Person: "Alis", Device: long, Standing: keepwatch.StandingNever})
	r := d.router(t, newWorld())
	for name, o := range map[string]keepwatch.Occurrence{
		"auth-ask-iphone":  {Ask: "device/alis-iphone", To: "Alis", Text: "x"},
		"auth-ask-android": {Ask: "device/vaughan-s-pixel", To: "Vaughan", Text: "x"},
		"auth-ask-off":     {Ask: "device/alis-spare", To: "Alis", Text: "x"},
		"auth-ask-long":    {Ask: keepwatch.DeviceSubject(long), To: "Alis", Text: "x"},
		"auth-ask-gone":    {Ask: "device/nokia", To: "Alis", Text: "Which date does Authenticator show for the last backup of Nokia?"},
		"auth-ask-custody": {Ask: "custody/vault-key", To: "Alis", Text: "Where is this recorded: a copy of the key to all archives (data/age-identity.txt)?"},
	} {
		msg := r.question(o)
		golden(t, name, withForms(msg))
		pressable(t, msg)
	}
	bare := newWorld().router(t)
	if msg := bare.question(keepwatch.Occurrence{Ask: "device/x", Text: "Look."}); msg.Title != "Look." {
		t.Errorf("%+v", msg)
	}
}

// TestAuthenticatorCompletion gives the words of these commands.
func TestAuthenticatorCompletion(t *testing.T) {
	r := newDuty().router(t, newWorld())
	for text, want := range map[string]string{
		"/authenticator checked al": "alis-iphone alis-spare", "/authenticator custody v": "vault-key vaughan-microsoft", "/authenticator dossier ten": "tenant-id tenant-domain",
	} {
		var got []string
		for _, c := range r.Complete(t.Context(), ask(text, "slack:U1"), len(text)) {
			got = append(got, c.Text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	bare := newWorld().router(t)
	if got := bare.Complete(t.Context(), ask("/authenticator checked ", "slack:U1"), len("/authenticator checked ")); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
