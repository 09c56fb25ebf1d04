package pim

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"keepwatch/pst"
	"keepwatch/pst/psttest"

	"github.com/google/go-cmp/cmp"
)

// decodedSample gives a file of real Outlook, which lies beside the project,
// with all its bytes decoded: blobs of less than a heap page are found in it.
func decodedSample(t testing.TB, name string) []byte {
	t.Helper()
	data := psttest.Outlook(t, name)
	pst.CryptPermute.Decode(data, 0)
	return data
}

// blobsIn gives what begins with some bytes, of one length.
func blobsIn(data []byte, head string, length int) [][]byte {
	var all [][]byte
	begin, _ := hex.DecodeString(head)
	for i := range len(data) - length {
		if bytes.HasPrefix(data[i:], begin) {
			all = append(all, data[i:i+length])
		}
	}
	return all
}

func TestRealRecurrence(t *testing.T) {
	blobs := blobsIn(decodedSample(t, "java-libpst-dist-list.pst"), "043004300b200100", 152)
	if len(blobs) == 0 {
		t.Fatal("the sample has no recurrence")
	}
	for _, b := range blobs {
		a, err := parseAppointmentPattern(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.bytes(); !bytes.Equal(got, b) {
			t.Errorf("%x\nbecame\n%x", b, got)
		}
		if got := a.text(false); got != "every Tuesday from 8:00 AM to 8:30 AM" {
			t.Error(got)
		}
		p := a.pattern
		p.setFirst()
		if p.First != a.First {
			t.Errorf("FirstDateTime %d, want %d", p.First, a.First)
		}
	}
}

// The examples of [MS-OXOCAL] 4.1.1, the last a series of the Hebrew calendar, of
// which no dates are known here.
func TestRecurrencesOfTheSpecification(t *testing.T) {
	for _, c := range []struct{ name, blob, rule string }{
		{"4.1.1.1 weekly", "043004300B2001000000C0210000010000000000000032000000222000000C0000000000000000000000000000008020BC0C20ADBC0C0630000009300000580200007602000000000000000000000000",
			"FREQ=WEEKLY;COUNT=12;WKST=SU;BYDAY=MO,TH,FR"},
		{"4.1.1.2 weekly with exceptions", "043004300B2001000000C0210000010000000000000032000000222000000C0000000000000001000000A096BC0C01000000A096BC0C8020BC0C20ADBC0C0630000009300000580200007602000001003499BC0C5299BC0CF898BC0C11002200210053696D706C6520526563757272656E6365207769746820657863657074696F6E730800070033342F34313431000000000400000000000000000000003499BC0C5299BC0CF898BC0C2100530069006D0070006C006500200052006500630075007200720065006E006300650020007700690074006800200065007800630065007000740069006F006E0073000700330034002F0034003100340031000000000000000000",
			"FREQ=WEEKLY;COUNT=12;WKST=SU;BYDAY=MO,TH,FR"},
		{"4.1.1.3 daily", "043004300A2000000000A0050000E010000000000000212000000A0000000000000002000000A0C1DC0C80D2DC0C00000000207EDC0C0016DD0C0630000009300000E0010000FE01000000000000000000000000",
			"FREQ=DAILY;INTERVAL=3;UNTIL=20110504T080000Z;WKST=SU"},
		{"4.1.1.6 Hebrew", "043004300D200200080080750A000C0000000000000003000000232000000A0000000000000001000000207EDC0C01000000207EDC0C6074C40CDF80E95A0630000009300000E0010000FE01000001000080DC0C1E80DC0C0080DC0C24023C000000010000000000000004000000000000000000000000000000", ""},
	} {
		b, _ := hex.DecodeString(c.blob)
		a, err := parseAppointmentPattern(b)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := a.bytes(); !bytes.Equal(got, b) {
			t.Errorf("%s: %x\nbecame\n%x", c.name, b, got)
		}
		if !a.sane() {
			if c.rule != "" {
				t.Error(c.name, "cannot be told")
			}
			continue
		}
		if got := a.rule(8 * time.Hour).String(); got != c.rule {
			t.Errorf("%s: %s, want %s", c.name, got, c.rule)
		}
		p := a.pattern
		p.setFirst()
		if p.First != a.First {
			t.Errorf("%s: FirstDateTime %d, want %d", c.name, p.First, a.First)
		}
		if p.EndType == endByCount || p.EndType == endByDate {
			n, last := uint32(0), uint32(0)
			for d := range p.days() {
				n, last = n+1, minutesOf(d)
			}
			if n != p.Count || last != p.End {
				t.Errorf("%s: %d dates up to %v, want %d up to %v", c.name, n, fromMinutes(last), p.Count, fromMinutes(p.End))
			}
		}
	}
}

// "Day 30 of every 2 months from 2012-08-30, 10 times", of which a user of Outlook
// reported FirstDateTime 44640 and the last date 2014-02-28.
func TestLastDayOfAShorterMonth(t *testing.T) {
	p := pattern{Frequency: recurMonthly, Type: patternMonth, Period: 2, Day: 30, EndType: endByCount, Count: 10, End: neverEnds,
		Start: minutesOf(time.Date(2012, 8, 30, 0, 0, 0, 0, time.UTC))}
	p.setFirst()
	var last time.Time
	for d := range p.days() {
		last = d
	}
	if p.First != 44640 || !last.Equal(time.Date(2014, 2, 28, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%d %v", p.First, last)
	}
}

func TestTextsOfPatterns(t *testing.T) {
	for want, p := range map[string]pattern{
		"every day":               {Type: patternDay, Period: 1440},
		"every 3 days":            {Type: patternDay, Period: 3 * 1440},
		"every weekday":           {Type: patternWeek, Period: 1, Days: 0x3E},
		"every Monday and Friday": {Type: patternWeek, Period: 1, Days: 0x22},
		"every 2 weeks on Monday, Tuesday, and Friday": {Type: patternWeek, Period: 2, Days: 0x26},
		"day 15 of every month":                        {Type: patternMonth, Period: 1, Day: 15},
		"the last weekday of every 3 months":           {Type: patternNth, Period: 3, Days: 0x3E, Nth: 5},
		"every March 4":                                {Type: patternMonth, Period: 12, Day: 4, Start: minutesOf(time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC))},
		"the second Sunday of May":                     {Type: patternNth, Period: 12, Days: 1, Nth: 2, Start: minutesOf(time.Date(2024, 5, 12, 0, 0, 0, 0, time.UTC))},
		"every 2 years on March 4":                     {Type: patternMonth, Period: 24, Day: 4, Start: minutesOf(time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC))},
	} {
		if got := p.text(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestHostileBlobs(t *testing.T) {
	whole, _ := hex.DecodeString("043004300B2001000000C0210000010000000000000032000000222000000C0000000000000000000000000000008020BC0C20ADBC0C0630000009300000580200007602000000000000000000000000")
	for n := range whole {
		a, err := parseAppointmentPattern(whole[:n])
		if err == nil && n < len(whole)-8 && n != 54 { // a pattern alone is one of a task
			t.Errorf("%d bytes are enough: %+v", n, a)
		}
	}
	many := bytes.Clone(whole)
	copy(many[38:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
	if _, err := parseAppointmentPattern(many); !errors.Is(err, errShortBlob) {
		t.Error(err)
	}
}

func FuzzAppointmentPattern(f *testing.F) {
	whole, _ := hex.DecodeString("043004300D200200080080750A000C0000000000000003000000232000000A0000000000000001000000207EDC0C01000000207EDC0C6074C40CDF80E95A0630000009300000E0010000FE01000001000080DC0C1E80DC0C0080DC0C24023C000000010000000000000004000000000000000000000000000000")
	f.Add(whole)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := parseAppointmentPattern(data)
		if err == nil {
			b := a.bytes()
			again, err := parseAppointmentPattern(b)
			if err != nil || !bytes.Equal(b, again.bytes()) {
				t.Errorf("%x: %v", data, err)
			}
		}
		if !a.sane() {
			return
		}
		n := 0
		for range a.days() {
			if n++; n > 1000 {
				break
			}
		}
		_ = a.rule(0).String() + a.text(false)
	})
}

func TestRealZones(t *testing.T) {
	data := decodedSample(t, "java-libpst-dist-list.pst")
	head := "0201300002001500500061006300690066006900630020005300740061006e0064006100720064002000540069006d006500"
	blobs := append(blobsIn(data, head+"0100", 118), blobsIn(data, head+"0200", 184)...)
	if len(blobs) < 3 {
		t.Fatalf("%d blobs", len(blobs))
	}
	for _, b := range blobs {
		d, err := parseZoneDefinition(b)
		if err != nil || d.Name != "Pacific Standard Time" {
			t.Fatal(d, err)
		}
		if got := d.bytes(); !bytes.Equal(got, b) {
			t.Errorf("%x\nbecame\n%x", b, got)
		}
		loc, err := d.location("", time.Date(2016, 8, 2, 0, 0, 0, 0, time.UTC))
		if err != nil || loc.String() != "America/Los_Angeles" {
			t.Error(loc, err)
		}
		r := d.effective()
		structs := blobsIn(data, hex.EncodeToString(r.zoneStruct()), 48)
		if len(structs) == 0 {
			t.Errorf("no PidLidTimeZoneStruct is as %x", r.zoneStruct())
		}
		if again, err := parseZoneStruct(r.zoneStruct()); err != nil || again.StandardDate != r.StandardDate || again.DaylightDate != r.DaylightDate {
			t.Error(again, err)
		}
	}
	// The rules that we make of the zone itself are those that Outlook has.
	want, _ := parseZoneDefinition(blobsIn(data, head+"0100", 118)[0])
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2016, 8, 2, 15, 0, 0, 0, time.UTC)
	got := define(pacific, at, at, false, false)
	want.Rules[0].Year = 2016
	if d := cmp.Diff(want, got, cmp.AllowUnexported(definedRule{}, zoneRule{})); d != "" {
		t.Error(d)
	}
}

func FuzzZoneDefinition(f *testing.F) {
	f.Add(zoneDefinition{Name: "X", Rules: []definedRule{{zoneRule: zoneRule{Year: 2007, Bias: 480, Daylight: -60, StandardDate: zoneDate{Month: 11, Day: 1, Hour: 2}, DaylightDate: zoneDate{Month: 3, Day: 2, Hour: 2}}, Flags: 2}}}.bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseZoneDefinition(data)
		if err != nil {
			return
		}
		if again, err := parseZoneDefinition(d.bytes()); err != nil || !bytes.Equal(d.bytes(), again.bytes()) {
			t.Errorf("%x: %v", data, err)
		}
		if loc, err := d.location("", time.Unix(0, 0)); err == nil {
			in(time.Date(2026, 3, 29, 2, 30, 0, 0, time.UTC), loc)
		}
	})
}
