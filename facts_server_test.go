package keepwatch

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const gib = int64(1) << 30

// growth gives a trend of so many days up to a moment, the last of which has used
// bytes; each day before had step less.
func growth(last string, days int, used, step, limit int64) []Quota {
	var trend []Quota
	for i := days - 1; i >= 0; i-- {
		trend = append(trend, Quota{At: at(last).AddDate(0, 0, -i), Used: used - int64(i)*step, Limit: limit})
	}
	return trend
}

func TestAddTrend(t *testing.T) {
	q := func(when string, used int64) Quota { return Quota{At: at(when), Used: used, Limit: 9} }
	old := []Quota{q("2026-11-24T09:00", 1), q("2026-11-25T03:00", 2)}
	for name, c := range map[string]struct {
		add  Quota
		want []Quota
	}{
		"another day":        {q("2026-11-26T00:00", 3), []Quota{old[0], old[1], q("2026-11-26T00:00", 3)}},
		"the same day":       {q("2026-11-25T23:59", 3), []Quota{old[0], q("2026-11-25T23:59", 3)}},
		"a clock set back":   {q("2026-11-25T01:00", 3), old},
		"by days set back":   {q("2026-11-20T01:00", 3), []Quota{q("2026-11-20T01:00", 3), old[0], old[1]}},
		"a day of its own":   {Quota{At: at("2026-11-26T00:30").In(time.FixedZone("", -3600)), Used: 3}, []Quota{old[0], old[1], {At: at("2026-11-26T00:30"), Used: 3}}},
		"its own, once more": {old[1], old},
	} {
		before := append([]Quota(nil), old...)
		if d := cmp.Diff(c.want, AddTrend(old, c.add)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(before, old); d != "" {
			t.Errorf("%s: the trend that was given is changed: %s", name, d)
		}
	}
	var trend []Quota
	for i := range 200 {
		trend = AddTrend(trend, Quota{At: at("2026-01-01T00:00").AddDate(0, 0, i), Used: int64(i)})
	}
	if len(trend) != MaxTrend || trend[MaxTrend-1].Used != 199 {
		t.Errorf("%d samples, the last %+v", len(trend), trend[len(trend)-1])
	}
	if got := AddTrend(nil, old[0]); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestFullAt(t *testing.T) {
	const last = "2026-11-25T06:00"
	noisy := growth(last, 30, 90*gib, gib/2, 100*gib)
	for i := range noisy[:29] {
		noisy[i].Used += int64(i%2) * gib / 4
	}
	short := growth(last, 8, 90*gib, gib, 100*gib)
	step := growth(last, 60, 90*gib, 0, 100*gib)
	for i := range 20 { // a jump long ago is no growth
		step[i].Used = gib
	}
	for name, c := range map[string]struct {
		trend []Quota
		want  string
	}{
		"a GiB a day":              {growth(last, 30, 90*gib, gib, 100*gib), "2026-12-05"},
		"7 days of it":             {growth(last, 7, 90*gib, gib, 100*gib), "2026-12-05"},
		"6 days are too few":       {growth(last, 6, 90*gib, gib, 100*gib), ""},
		"days between are missing": {append(short[:2:2], short[6:]...), ""},
		"in 30 days":               {growth(last, 30, 85*gib, gib/2, 100*gib), "2026-12-25"},
		"in 31 days":               {growth(last, 30, 69*gib, gib, 100*gib), ""},
		"it does not grow":         {growth(last, 30, 90*gib, 0, 100*gib), ""},
		"it shrinks":               {growth(last, 30, 90*gib, -gib, 100*gib), ""},
		"without a limit":          {growth(last, 30, 90*gib, gib, 0), ""},
		"full already":             {growth(last, 30, 100*gib, gib, 100*gib), ""},
		"over it":                  {growth(last, 30, 101*gib, gib, 100*gib), ""},
		"up and down":              {noisy, "2026-12-15"},
		"a jump long ago":          {step, ""},
		"nothing":                  {nil, ""},
		"several of one moment":    {[]Quota{{At: at(last), Used: 1, Limit: 9}, {At: at(last), Used: 2, Limit: 9}}, ""},
	} {
		got, ok := FullAt(c.trend)
		if text := got.Format(time.DateOnly); ok != (c.want != "") || ok && text != c.want {
			t.Errorf("%s: %v %v, want %q", name, got, ok, c.want)
		}
	}
}

func TestServerFacts(t *testing.T) {
	const now = "2026-11-25T12:00"
	source := Source{Name: "ruthin-web", Kind: KindCPanel, Hosting: &Hosting{}}
	parts := source
	parts.Parts = []string{PartHome}
	quota := func(used, limit int64) ServerState { return ServerState{Quota: &Quota{Used: used, Limit: limit}} }
	archive := verified("ruthin-web", "2026-11-24T03:00")
	archive.Bytes = 5 * gib
	other, part, broken := archive, archive, archive
	other.Source, part.Parts, broken.Verified = "bala", []string{PartHome}, nil
	piled := quota(95*gib, 100*gib)
	piled.Backups = []ServerBackup{{ID: "a", Path: "/home/ruthin/a", Size: 3 * gib}, {ID: "b", Path: "/home/ruthin/b", Size: gib}, {ID: "2026-11-01"}}
	growing := quota(70*gib, 100*gib)
	growing.Trend = growth(now, 20, 90*gib, gib, 100*gib)
	for _, c := range []struct {
		name     string
		source   Source
		state    ServerState
		archives []Archive
		want     string
		words    []string
	}{
		{"nothing was seen", source, ServerState{}, nil, "", nil},
		{"unlimited", source, quota(95*gib, 0), nil, "", nil},
		{"half of it is free", source, quota(50*gib, 100*gib), nil, "", nil},
		{"less than half of what is used is free", source, quota(70*gib, 100*gib), nil, "room/ruthin-web | bad | - | ruthin-web: there is no room for the next full backup\n",
			[]string{"Of 100.0 GiB that the account may have, 30.0 GiB are free.", "takes about 35.0 GiB of it, half of what is in the account"}},
		{"an archive says that it fits", source, quota(95*gib, 100*gib), []Archive{archive}, "", nil},
		{"an archive says that it does not", source, quota(96*gib, 100*gib), []Archive{archive}, "room/ruthin-web | bad | - | ruthin-web: there is no room for the next full backup\n", []string{"5.0 GiB of it, as much as the newest archive has"}},
		{"archives that say nothing of it", source, quota(60*gib, 100*gib), []Archive{other, part, broken}, "", nil},
		{"full", source, quota(101*gib, 100*gib), []Archive{archive}, "room/ruthin-web | bad | - | ruthin-web: there is no room for the next full backup\n", []string{"0 B are free"}},
		{"parts need none", parts, quota(99*gib, 100*gib), nil, "", nil},
		{"backups pile up", source, piled, nil, "room/ruthin-web | bad | - | ruthin-web: there is no room for the next full backup\n", []string{"4.0 GiB of the room is taken by 2 backups", "remove: true"}},
		{"it grows", parts, growing, nil, "room/ruthin-web | warn | 2026-12-05T00:00 | ruthin-web: the account is full in the week of 30 November if it grows on so\n", []string{"30.0 GiB are free"}},
		{"it grows, and there is no room", source, growing, nil, "room/ruthin-web | bad | - | ruthin-web: there is no room for the next full backup\n", nil},
		{"something lacks", source, ServerState{Lacks: []string{"The feature Backup is off", "The token is read-only."}}, nil,
			"lacks/ruthin-web | bad | - | ruthin-web: the account may not do all that its backups need\n", []string{"The feature Backup is off. The token is read-only."}},
		{"things run out", source, ServerState{Expiring: []Expiring{
			{Name: "certificate of ruthin.example", At: at("2027-01-20T00:00"), How: "The host renews it"},
			{Name: "API token keepwatch", At: at("2026-12-07T23:59"), How: "Make a new one under Manage API Tokens."},
			{Name: "API token  Keepwatch", At: at("2026-12-20T00:00")},
			{Name: "certificate of old.example", At: at("2026-11-25T12:00")},
			{Name: "later", At: at("2027-01-24T12:01")}, {Name: "never"},
		}}, nil, "host-expiry/ruthin-web/certificate-of-old.example | bad | 2026-11-25T12:00 | ruthin-web: certificate of old.example ran out on 25 November\n" +
			"host-expiry/ruthin-web/api-token-keepwatch | warn | 2026-12-07T23:59 | ruthin-web: API token keepwatch runs out on 7 December\n" +
			"host-expiry/ruthin-web/certificate-of-ruthin.example | warn | 2027-01-20T00:00 | ruthin-web: certificate of ruthin.example runs out on 20 January 2027\n",
			[]string{"It stops working on 7 December, 23:59 UTC. Make a new one under Manage API Tokens."}},
		{"a long name", source, ServerState{Expiring: []Expiring{{Name: "certificate of " + strings.Repeat("ü", 300), At: at("2026-11-30T00:00")}}}, nil,
			"host-expiry/ruthin-web/certificate-of-" + strings.Repeat("ü", 300) + " | bad | 2026-11-30T00:00 | ruthin-web: certificate of " + strings.Repeat("ü", 14) + "… runs out on 30 November\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := ServerFacts(c.source, c.state, c.archives, at(now), time.UTC)
			wellFormed(t, facts)
			if d := cmp.Diff(c.want, brief(facts)); d != "" {
				t.Error(d)
			}
			text := ""
			for _, f := range facts {
				text += f.Text + "\n"
			}
			for _, w := range c.words {
				if !strings.Contains(text, w) {
					t.Errorf("%q does not say %q", text, w)
				}
			}
		})
	}
}

// TestServerFactsRest: what is said changes with what was seen, and not with the day.
func TestServerFactsRest(t *testing.T) {
	state := ServerState{Quota: &Quota{Used: 10 * gib, Limit: 100 * gib}, Trend: growth("2026-11-25T12:00", 20, 90*gib, gib, 100*gib), Lacks: []string{"x."}, Expiring: []Expiring{{Name: "a", At: at("2026-12-07T00:00")}}}
	source := Source{Name: "web"}
	if d := cmp.Diff(ServerFacts(source, state, nil, at("2026-11-26T00:00"), time.UTC), ServerFacts(source, state, nil, at("2026-11-29T00:00"), time.UTC)); d != "" {
		t.Error(d)
	}
	more := state
	more.Lacks = []string{"x.", "y."}
	a, b := ServerFacts(source, state, nil, at("2026-11-26T00:00"), time.UTC), ServerFacts(source, more, nil, at("2026-11-26T00:00"), time.UTC)
	if len(a) != 3 || len(b) != 3 || a[1].Urge == b[1].Urge {
		t.Errorf("something more that lacks is no other urge: %+v", b)
	}
}
