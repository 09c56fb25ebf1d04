package authenticator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const dayLong = 24 * time.Hour

// desk is everything that a Keeper talks to, in memory.
type desk struct {
	mu      sync.Mutex
	words   []keepwatch.Attestation // oldest first
	dossier keepwatch.Dossier
	settled []string
	now     time.Time
	fail    error // of saving
	unsettl error // of settling
	reads   int
	looks   func() // what is asked for while a question is settled, as the message of it is made
}

func (d *desk) Attestations(subject string, limit int) ([]keepwatch.Attestation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	var list []keepwatch.Attestation
	for _, a := range slices.Backward(d.words) {
		if (subject == "" || a.Subject == subject) && len(list) < limit {
			list = append(list, a)
		}
	}
	return list, nil
}

func (d *desk) Attest(a keepwatch.Attestation) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.words = append(d.words, a)
	return nil
}

func (d *desk) Dossier() (keepwatch.Dossier, error) { return d.dossier, nil }

func (d *desk) SaveDossier(change func(*keepwatch.Dossier) error) (keepwatch.Dossier, error) {
	c := d.dossier
	if err := errors.Join(change(&keepwatch.Dossier{Fields: c.Fields}), change(&c)); err != nil { // more than once, as a store may
		return keepwatch.Dossier{}, err
	}
	d.dossier = c
	return c, nil
}

func (d *desk) Settle(ask, by, what string, next time.Time) error {
	if d.unsettl != nil {
		return d.unsettl
	}
	if d.looks != nil {
		d.looks()
	}
	d.settled = append(d.settled, fmt.Sprintf("%s by %s: %s, next %s", ask, by, what, next.UTC().Format("2006-01-02 15:04")))
	return nil
}

func people() []keepwatch.Person {
	return []keepwatch.Person{
		{Name: "Olwen", Role: keepwatch.RoleViewer, Accounts: map[string]string{"slack": "U2"}, Devices: []keepwatch.Device{
			{Name: "Olwen's Pixel", Platform: "android", Account: "microsoft", Recheck: 90 * dayLong}}},
		{Name: "Alis", Role: keepwatch.RoleAdmin, Accounts: map[string]string{"slack": "U1"}, Devices: []keepwatch.Device{
			{Name: "Alis iPhone", Platform: "ios", Account: "icloud", GlobalAdmin: true}}},
	}
}

func config(d *desk) Config {
	return Config{
		People: people(), KeyFile: "data/age-identity.txt", Records: d, Settle: d.Settle, Now: func() time.Time { return d.now },
		Direct:  func(p keepwatch.Person) string { return "slack:@" + p.Accounts["slack"] },
		Channel: "slack:C0OPS", Chain: []string{"slack:@U1", "discord:998877"},
	}
}

func keeper(t *testing.T, d *desk, change ...func(*Config)) *Keeper {
	t.Helper()
	if d.now.IsZero() {
		d.now = noon
	}
	cfg := config(d)
	for _, c := range change {
		c(&cfg)
	}
	k, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func said(state keepwatch.Attested, seen string) keepwatch.Attestation {
	a := keepwatch.Attestation{ID: string(state) + seen, Subject: "device/alis-iphone", By: "Alis", State: state}
	if seen != "" {
		t, err := time.Parse("2006-01-02", seen)
		if err != nil {
			panic(err)
		}
		a.Seen = t
	}
	return a
}

// TestStandings follows a device of 30 days from the day on which somebody said what
// it shows.
func TestStandings(t *testing.T) {
	for _, c := range []struct {
		name  string
		word  keepwatch.Attestation
		after time.Duration
		want  keepwatch.Standing
	}{
		{"fresh", said(keepwatch.AttestedOn, "2026-11-23"), 0, keepwatch.StandingFresh},
		{"just before it is due", said(keepwatch.AttestedOn, "2026-11-23"), 30*dayLong - time.Second, keepwatch.StandingFresh},
		{"due to the second", said(keepwatch.AttestedOn, "2026-11-23"), 30 * dayLong, keepwatch.StandingDue},
		{"due", said(keepwatch.AttestedOn, "2026-11-23"), 43 * dayLong, keepwatch.StandingDue},
		{"14 days over", said(keepwatch.AttestedOn, "2026-11-23"), 44 * dayLong, keepwatch.StandingStale},
		{"an old date", said(keepwatch.AttestedOn, "2026-10-01"), 0, keepwatch.StandingOld},
		{"a date of 30 days ago", said(keepwatch.AttestedOn, "2026-10-25"), 0, keepwatch.StandingFresh},
		{"off", said(keepwatch.AttestedOff, ""), 0, keepwatch.StandingOff},
		{"off, and long ago", said(keepwatch.AttestedOff, ""), 400 * dayLong, keepwatch.StandingOff},
		{"never made", said(keepwatch.AttestedNever, ""), 0, keepwatch.StandingOff},
		{"not found", said(keepwatch.AttestedNotFound, ""), 0, keepwatch.StandingOff},
		{"replaced", said(keepwatch.AttestedNew, ""), 0, keepwatch.StandingReplaced},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &desk{}
			k := keeper(t, d)
			if _, err := k.Attest(c.word, false); err != nil {
				t.Fatal(err)
			}
			d.now = noon.Add(c.after)
			list, err := k.Devices()
			if err != nil || list[0].Device.Name != "Alis iPhone" || list[0].Standing != c.want {
				t.Errorf("%+v, %v", list[0], err)
			}
			if list[1].Standing != keepwatch.StandingNever || list[1].Last != nil {
				t.Errorf("nobody has said anything of it: %+v", list[1])
			}
		})
	}
}

// TestShortRecheck: with a recheck of a week two weeks are too long.
func TestShortRecheck(t *testing.T) {
	d := keepwatch.Device{Recheck: 7 * dayLong}
	word := keepwatch.Attestation{State: keepwatch.AttestedOn, Seen: noon, Said: noon}
	for after, want := range map[time.Duration]keepwatch.Standing{13 * dayLong: keepwatch.StandingDue, 14 * dayLong: keepwatch.StandingStale} {
		if got := standing(d, word, noon.Add(after)); got != want {
			t.Errorf("after %s: %s", after, got)
		}
	}
}

// TestAttest: what is saved, what is asked about, and when the next question comes.
func TestAttest(t *testing.T) {
	for _, c := range []struct {
		name   string
		before []keepwatch.Attestation
		word   keepwatch.Attestation
		sure   bool
		kind   keepwatch.Kind
		says   []string
		settle string
	}{
		{name: "a date", word: said(keepwatch.AttestedOn, "2026-11-20"), settle: "device/alis-iphone by Alis: last backup 20 November 2026, next 2026-12-24 12:00"},
		{name: "off", word: said(keepwatch.AttestedOff, ""), settle: "device/alis-iphone by Alis: the backup is off, next 2026-11-25 12:00"},
		{name: "old", word: said(keepwatch.AttestedOn, "2026-05-01"), settle: "device/alis-iphone by Alis: last backup 1 May 2026, next 2026-11-27 12:00"},
		{name: "today in Kiribati", word: said(keepwatch.AttestedOn, "2026-11-25"), settle: "device/alis-iphone by Alis: last backup 25 November 2026, next 2026-12-24 12:00"},
		{name: "nowhere today yet", word: said(keepwatch.AttestedOn, "2026-11-26"), kind: keepwatch.KindInvalid, says: []string{"26 November 2026 is in the future"}},
		{name: "in the future, and sure", word: said(keepwatch.AttestedOn, "2027-11-20"), sure: true, kind: keepwatch.KindInvalid, says: []string{"in the future"}},
		{name: "before there was any", word: said(keepwatch.AttestedOn, "2006-11-20"), kind: keepwatch.KindInvalid, says: []string{"before there was any"}},
		{name: "no date", word: said(keepwatch.AttestedOn, ""), kind: keepwatch.KindInvalid, says: []string{"2026-11-20"}},
		{name: "older than known", before: []keepwatch.Attestation{said(keepwatch.AttestedOn, "2026-11-20")}, word: said(keepwatch.AttestedOn, "2026-11-02"), kind: keepwatch.KindConflict,
			says: []string{"You say that Alis iPhone shows 2 November 2026", "24 November 2026 Alis said that it showed 20 November 2026"}},
		{name: "older than known, with off between", before: []keepwatch.Attestation{said(keepwatch.AttestedOn, "2026-11-20"), said(keepwatch.AttestedOff, "")}, word: said(keepwatch.AttestedOn, "2026-11-02"), kind: keepwatch.KindConflict, says: []string{"20 November 2026"}},
		{name: "older, and sure", before: []keepwatch.Attestation{said(keepwatch.AttestedOn, "2026-11-20")}, word: said(keepwatch.AttestedOn, "2026-11-02"), sure: true, settle: "device/alis-iphone by Alis: last backup 2 November 2026, next 2026-12-24 12:00"},
		{name: "an unknown device", word: keepwatch.Attestation{ID: "x", Subject: "device/alis-iphnoe", State: keepwatch.AttestedOff}, kind: keepwatch.KindNotFound, says: []string{"Did you mean Alis iPhone?"}},
		{name: "a state that is none of a device's", word: said(keepwatch.AttestedDone, ""), kind: keepwatch.KindInvalid, says: []string{"not found, new phone"}},
		{name: "a secret in the remarks", word: keepwatch.Attestation{ID: "x", Subject: "device/alis-iphone", State: keepwatch.AttestedOff, Remarks: "password is hunter2"}, kind: keepwatch.KindInvalid, says: []string{"no secret"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &desk{}
			k := keeper(t, d)
			for _, a := range c.before {
				if _, err := k.Attest(a, false); err != nil {
					t.Fatal(err)
				}
			}
			d.settled = nil
			_, err := k.Attest(c.word, c.sure)
			if c.kind == 0 {
				if err != nil || len(d.words) != len(c.before)+1 || len(d.settled) != 1 || d.settled[0] != c.settle {
					t.Errorf("%v, %+v, %v", err, d.words, d.settled)
				}
				return
			}
			if keepwatch.KindOf(err) != c.kind || len(d.words) != len(c.before) || len(d.settled) != 0 {
				t.Errorf("%v, saved %d, settled %v", err, len(d.words), d.settled)
			}
			for _, s := range c.says {
				if !strings.Contains(keepwatch.Sentence(err), s) {
					t.Errorf("%q does not say %q", keepwatch.Sentence(err), s)
				}
			}
		})
	}
}

// TestAttestAgain: killed between saving and settling, the request is carried out a
// second time; it is saved once and settled.
func TestAttestAgain(t *testing.T) {
	d := &desk{unsettl: errors.New("killed")}
	k := keeper(t, d)
	if _, err := k.Attest(said(keepwatch.AttestedOn, "2026-11-20"), false); err == nil {
		t.Fatal("the failure to settle was hidden")
	}
	d.unsettl = nil
	k = keeper(t, d) // a new process
	state, err := k.Attest(said(keepwatch.AttestedOn, "2026-11-20"), false)
	if err != nil || len(d.words) != 1 || len(d.settled) != 1 || state.Standing != keepwatch.StandingFresh {
		t.Errorf("%v, %+v, %v", err, d.words, d.settled)
	}
	d.fail = errors.New("disk full")
	if _, err := k.Attest(said(keepwatch.AttestedOff, ""), false); err == nil || len(d.settled) != 1 {
		t.Errorf("a word that was not saved was settled: %v", err)
	}
	if list, _ := k.Devices(); list[0].Standing != keepwatch.StandingFresh {
		t.Errorf("a word that was not saved counts: %+v", list[0])
	}
}

// TestDevicesFromMemory: once they are read, nothing is read again, because they are
// asked for within a transaction.
func TestDevicesFromMemory(t *testing.T) {
	d := &desk{}
	k := keeper(t, d)
	if _, err := k.Devices(); err != nil {
		t.Fatal(err)
	}
	before := d.reads
	if _, err := k.Devices(); err != nil || d.reads != before || before == 0 {
		t.Errorf("%d reads, then %d: %v", before, d.reads, err)
	}
	var seen []keepwatch.DeviceState
	d.looks = func() { // the message that is edited shows the device
		d.mu.Lock() // as a transaction does
		defer d.mu.Unlock()
		seen, _ = k.Devices()
	}
	if _, err := k.Attest(said(keepwatch.AttestedOn, "2026-11-20"), false); err != nil || len(seen) != 2 || seen[0].Standing != keepwatch.StandingFresh {
		t.Errorf("%+v, %v", seen, err)
	}
}

// TestAttestTogether: of many who say different dates at once the newest one can only
// be taken back by somebody who is sure.
func TestAttestTogether(t *testing.T) {
	d := &desk{}
	k := keeper(t, d)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := k.Attest(said(keepwatch.AttestedOn, fmt.Sprintf("2026-11-%02d", i+1)), false)
			if kind := keepwatch.KindOf(err); err != nil && kind != keepwatch.KindConflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := 1; i < len(d.words); i++ {
		if d.words[i].Seen.Before(d.words[i-1].Seen) {
			t.Errorf("%s was saved after %s", d.words[i].Seen, d.words[i-1].Seen)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"devices of one name": {func(c *Config) {
			c.People[0].Devices[0].Name = "ALIS  iphone"
		}, "cannot be told apart"},
		"custodies of one name": {func(c *Config) { c.Custodies = []keepwatch.Custody{{Name: VaultKey}} }, "two things under custody"},
		"a custody's name":      {func(c *Config) { c.Custodies = []keepwatch.Custody{{Name: "The Key"}} }, "the-key"},
		"an unknown field":      {func(c *Config) { c.Dossier = map[string]string{"tenant": "x"} }, "Did you mean tenant-id?"},
	} {
		cfg := config(&desk{})
		c.change(&cfg)
		if _, err := New(cfg); !strings.Contains(keepwatch.Sentence(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a Config without anything is taken")
	}
}

func TestRules(t *testing.T) {
	d := &desk{words: []keepwatch.Attestation{
		{ID: "1", Subject: "device/alis-iphone", State: keepwatch.AttestedOn, Said: noon.Add(-10 * dayLong), Seen: noon.Add(-10 * dayLong)},
		{ID: "2", Subject: "custody/alis-icloud", State: keepwatch.AttestedRecorded, Where: "in the safe", Said: noon.Add(-400 * dayLong)},
	}}
	rules, err := keeper(t, d, func(c *Config) {
		c.Emergency = []EmergencyAccount{{Name: "bg1", UPN: "bg1@contoso.onmicrosoft.com"}}
		c.Location = time.FixedZone("X", 3600)
	}).Rules()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rules {
		if !r.Fixed || r.Kind != keepwatch.RuleAsk || r.Repeat != dayLong || r.Times != 2 || r.Text == "" || r.Next.Before(noon) {
			t.Errorf("%+v", r)
		}
		got = append(got, fmt.Sprintf("%s asks %s in %s for %s, every %s, next %s (%s), then %v", r.ID, r.Ask, r.Channel, r.To, span(r.When.Every), r.Next.Format("2006-01-02 15:04"), r.NextWall, r.Chain))
	}
	want := []string{
		"check:olwen-s-pixel asks device/olwen-s-pixel in slack:@U2 for Olwen, every 90 days, next 2026-11-24 12:00 (2026-11-24T13:00), then [slack:@U1 discord:998877]",
		"check:alis-iphone asks device/alis-iphone in slack:@U1 for Alis, every 30 days, next 2026-12-14 12:00 (2026-12-14T13:00), then [discord:998877]",
		"custody:vault-key asks custody/vault-key in slack:@U1 for Alis, every 180 days, next 2026-11-24 12:15 (2026-11-24T13:15), then [discord:998877]",
		"custody:emergency-bg1 asks custody/emergency-bg1 in slack:@U1 for Alis, every 90 days, next 2026-11-25 12:15 (2026-11-25T13:15), then [discord:998877]",
		"custody:olwen-microsoft asks custody/olwen-microsoft in slack:@U2 for Olwen, every 180 days, next 2026-11-26 12:15 (2026-11-26T13:15), then [slack:@U1 discord:998877]",
		"custody:alis-icloud asks custody/alis-icloud in slack:@U1 for Alis, every 180 days, next 2026-11-24 12:00 (2026-11-24T13:00), then [discord:998877]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	nobody, err := keeper(t, d, func(c *Config) { c.Direct, c.Channel = nil, "" }).Rules()
	if err != nil || len(nobody) != 0 {
		t.Errorf("nobody can be asked, and these are: %+v, %v", nobody, err)
	}
}

func TestRecord(t *testing.T) {
	word := func(name, where string) keepwatch.Attestation {
		return keepwatch.Attestation{ID: name + where, Subject: "custody/" + name, By: "Alis", State: keepwatch.AttestedRecorded, Where: where}
	}
	d := &desk{}
	k := keeper(t, d)
	for _, where := range []string{"", "  ", "hunter2!", "AGE-SECRET-KEY-1QQQQ", "password is sesame", "4711", strings.Repeat("a b ", 100)} {
		if _, err := k.Record(word(VaultKey, where)); keepwatch.KindOf(err) != keepwatch.KindInvalid || !strings.Contains(keepwatch.Sentence(err), "in the safe, blue folder") {
			t.Errorf("%q: %v", where, err)
		}
	}
	if _, err := k.Record(word("valut-key", "in the safe")); keepwatch.KindOf(err) != keepwatch.KindNotFound {
		t.Error(err)
	}
	if len(d.words)+len(d.settled) != 0 {
		t.Fatalf("what was refused was saved: %+v", d.words)
	}
	for range 2 { // the second time carried out again
		s, err := k.Record(word(VaultKey, "in the safe, blue folder"))
		if err != nil || s.Last.Where != "in the safe, blue folder" || !s.Next.Equal(noon.Add(180*dayLong)) {
			t.Errorf("%+v, %v", s, err)
		}
	}
	if len(d.words) != 1 || len(d.settled) != 2 || d.settled[0] != "custody/vault-key by Alis: where it is recorded is known, next 2027-05-23 12:00" {
		t.Errorf("%+v, %v", d.words, d.settled)
	}
	lost := keepwatch.Attestation{ID: "lost", Subject: "custody/olwen-microsoft", By: "Olwen", State: keepwatch.AttestedLost, Where: "hunter2!"}
	if s, err := k.Record(lost); err != nil || s.Last.Where != "" || s.Last.Person != "Olwen" || !s.Next.Equal(noon.Add(dayLong)) {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := k.Record(keepwatch.Attestation{ID: "y", Subject: "custody/vault-key", State: keepwatch.AttestedOn}); keepwatch.KindOf(err) != keepwatch.KindInvalid {
		t.Error(err)
	}
}

// TestPST: once the checklist of the export has said where the password of a data file
// is, it is asked about again, as everything else is.
func TestPST(t *testing.T) {
	d := &desk{}
	k := keeper(t, d)
	has := func() bool {
		list, err := k.Custodies()
		rules, err2 := k.Rules()
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		asked := slices.ContainsFunc(rules, func(r keepwatch.Rule) bool { return r.ID == "custody:olwen-pst" && r.To == "Olwen" })
		known := slices.ContainsFunc(list, func(s keepwatch.CustodyState) bool {
			return s.Custody.Name == "olwen-pst" && s.Last.Where == "in the safe"
		})
		if asked != known {
			t.Errorf("asked %v, known %v", asked, known)
		}
		return asked
	}
	if has() {
		t.Error("it is asked about before there is any")
	}
	d.words = append(d.words, keepwatch.Attestation{ID: "walk", Subject: "custody/olwen-pst", Person: "Olwen", By: "Olwen", State: keepwatch.AttestedRecorded, Where: "in the safe", Said: noon.Add(-200 * dayLong)})
	if !has() {
		t.Error("it is not asked about")
	}
	if s, err := k.Record(keepwatch.Attestation{ID: "again", Subject: "custody/olwen-pst", By: "Olwen", State: keepwatch.AttestedRecorded, Where: "in the new safe"}); err != nil || s.Last.Where != "in the new safe" {
		t.Errorf("%+v, %v", s, err)
	}
}
