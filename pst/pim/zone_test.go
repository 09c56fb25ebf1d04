package pim

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// Zones of all kinds: north and south, without changes, with changes for good, with
// dates that no rule gives (Ramadan), at the turn of the year, by half hours.
var testZones = []string{"Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Santiago", "America/Sao_Paulo", "Australia/Sydney", "Australia/Lord_Howe",
	"Pacific/Auckland", "Pacific/Apia", "Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Africa/Casablanca", "Africa/Cairo", "Europe/Moscow", "Europe/Istanbul",
	"America/Caracas", "Asia/Pyongyang", "Africa/Nairobi", "America/St_Johns", "Asia/Gaza"}

// A zone is told in a VTIMEZONE, and each hour of its years is read from that as it
// was.
func TestZonesAsText(t *testing.T) {
	for _, name := range testZones {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range [][2]int{{1975, 1985}, {2006, 2016}, {2017, 2030}} {
			var b bytes.Buffer
			writeZone(&lineWriter{w: &b}, name, loc, span[0], span[1])
			c, err := newLineReader(strings.NewReader(b.String())).component(func(e *LineError) { t.Error(e) })
			if err != nil {
				t.Fatal(err)
			}
			got, err := zoneOf(name, c)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for at := time.Date(span[0], 1, 1, 0, 0, 0, 0, time.UTC); at.Year() <= span[1]; at = at.Add(5 * time.Hour) {
				if want, got := offsetAt(at, loc), offsetAt(at, got); want != got {
					t.Errorf("%s at %v: %d, want %d\n%s", name, at, got, want, b.String())
					break
				}
			}
		}
	}
}

// An appointment has its clock and its moment after it went through an item, in each
// month, whether Outlook or we look its zone up.
func TestZonesInItems(t *testing.T) {
	for _, name := range testZones {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, year := range []int{1985, 2005, 2010, 2014, 2026} {
			for month := time.January; month <= time.December; month++ {
				start := time.Date(year, month, 15, 9, 30, 0, 0, loc)
				d := define(loc, start, start, false, false)
				again, err := parseZoneDefinition(d.bytes())
				if err != nil {
					t.Fatal(name, err)
				}
				own, err := locationOf("own", []zoneRule{again.effective()})
				if err != nil {
					t.Fatal(name, err)
				}
				if want, got := offsetAt(start, loc)/60, offsetAt(start, own)/60; got != want {
					t.Errorf("%s at %v: %d minutes, want %d", name, start, got, want)
				}
			}
		}
	}
}

func TestRulesOfZones(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	rules := zoneRules(newYork, 2000, 2020, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	if len(rules) != 2 || rules[0].Year != 2000 || rules[1].Year != 2007 || rules[0].StandardDate.Day != 5 || rules[0].DaylightDate != (zoneDate{Month: 4, Day: 1, Hour: 2}) ||
		rules[1].DaylightDate != (zoneDate{Month: 3, Day: 2, Hour: 2}) || rules[1].Bias != 300 || rules[1].Daylight != -60 {
		t.Errorf("%+v", rules)
	}
	berlin, _ := time.LoadLocation("Europe/Berlin")
	rules = zoneRules(berlin, 2026, 2026, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	if len(rules) != 1 || rules[0].DaylightDate != (zoneDate{Month: 3, Day: 5, Hour: 2}) || rules[0].StandardDate != (zoneDate{Month: 10, Day: 5, Hour: 3}) {
		t.Errorf("%+v", rules)
	}
}

func TestNamesOfZones(t *testing.T) {
	for name, want := range map[string]string{"W. Europe Standard Time": "Europe/Berlin", "w. europe standard time": "Europe/Berlin", "Europe/Vienna": "Europe/Vienna", "UTC": "UTC", "GMT Standard Time": "Europe/London",
		"/freeassociation.sourceforge.net/Tzfile/America/New_York": "America/New_York", "/softwarestudio.org/Olson_20011030_5/America/Argentina/Buenos_Aires": "America/Argentina/Buenos_Aires",
		"Local": "", "": "", "../../etc/passwd": "", "/etc/passwd": "", "My own": "", "Customized Time Zone": ""} {
		got := ""
		if loc := load(name); loc != nil {
			got = loc.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for iana, want := range map[string]string{"Europe/Berlin": "W. Europe Standard Time", "Europe/Kyiv": "FLE Standard Time", "Asia/Kolkata": "India Standard Time", "UTC": "UTC", "My own": "My own"} {
		if got := windowsZone(iana); got != want {
			t.Errorf("%q: %q, want %q", iana, got, want)
		}
	}
	for _, row := range zoneTable {
		name, zones, ok := strings.Cut(row, "|")
		first, _, _ := strings.Cut(zones, " ")
		if _, err := time.LoadLocation(first); !ok || name == "" || err != nil {
			t.Errorf("%q: %v", row, err)
		}
	}
}

// Times that the clocks leave out or show twice, RFC 5545 3.3.5.
func TestTimesAtChanges(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for clock, want := range map[string]string{
		"2007-03-11T02:30:00Z": "2007-03-11T07:30:00Z", // left out
		"2007-11-04T01:30:00Z": "2007-11-04T05:30:00Z", // twice
		"2007-11-04T02:30:00Z": "2007-11-04T07:30:00Z",
		"2007-07-01T00:00:00Z": "2007-07-01T04:00:00Z",
	} {
		a, _ := time.Parse(time.RFC3339, clock)
		if got := in(a, newYork).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", clock, got, want)
		}
	}
}

func TestOffsets(t *testing.T) {
	for s, want := range map[string]int{"+0100": 3600, "-0330": -12600, "+053020": 19820, "+01:00": 3600} {
		if got, err := parseOffset(s); err != nil || got != want {
			t.Errorf("%s: %d %v", s, got, err)
		}
	}
	for _, s := range []string{"", "1", "+1", "abc", "+9900", "--0100"} {
		if _, err := parseOffset(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}
