package pim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"keepwatch/pst"
)

// Flags of a rule of a TZDEFINITION, [MS-OXOCAL] 2.2.1.41.1.
const (
	ruleOfSeries  = 0x0001 // TZRULE_FLAG_RECUR_CURRENT_TZREG
	ruleEffective = 0x0002 // TZRULE_FLAG_EFFECTIVE_TZREG
)

// A zoneDefinition is PidLidAppointmentTimeZoneDefinitionRecur, StartDisplay or
// EndDisplay, [MS-OXOCAL] 2.2.1.41 to 2.2.1.43.
type zoneDefinition struct {
	Name  string // the key of the zone in Windows
	Rules []definedRule
}

// A definedRule is a TZRule. What the specification calls X and wants to be zero is
// the rest of a SYSTEMTIME; Outlook 2013 writes 1 January there.
type definedRule struct {
	zoneRule
	Flags uint16
	X     [14]byte
}

// firstOfJanuary is X as Outlook writes it.
var firstOfJanuary = [14]byte{0: 1, 4: 1}

var errZoneBlob = errors.New("the blob of the time zone is broken")

// parseZoneDefinition reads one, of any writer.
func parseZoneDefinition(data []byte) (zoneDefinition, error) {
	b := &blob{b: data}
	b.take(2)
	header := &blob{b: b.take(uint32(b.u16()))}
	header.take(2)
	var d zoneDefinition
	d.Name = clean(pst.FromUTF16(header.take(2 * uint32(header.u16()))))
	n := header.u16()
	if b.err != nil || header.err != nil || n == 0 || n > 1024 {
		return d, errZoneBlob
	}
	for range n {
		b.take(2)
		rule := &blob{b: b.take(uint32(b.u16()))}
		var r definedRule
		r.Flags, r.Year = rule.u16(), int(rule.u16())
		copy(r.X[:], rule.take(14))
		r.Bias, r.Standard, r.Daylight = int32(rule.u32()), int32(rule.u32()), int32(rule.u32())
		r.StandardDate, r.DaylightDate = parseZoneDate(rule), parseZoneDate(rule)
		if rule.err != nil || !r.sane() {
			return d, errZoneBlob
		}
		d.Rules = append(d.Rules, r)
	}
	return d, nil
}

func (r zoneRule) sane() bool {
	for _, v := range []int32{r.Bias, r.Standard, r.Daylight} {
		if v < -26*60 || v > 26*60 {
			return false
		}
	}
	return r.StandardDate.sane() && r.DaylightDate.sane()
}

func parseZoneDate(b *blob) zoneDate {
	return zoneDate{b.u16(), b.u16(), b.u16(), b.u16(), b.u16(), b.u16(), b.u16(), b.u16()}
}

func (d zoneDate) append(b []byte) []byte {
	for _, v := range []uint16{d.Year, d.Month, d.Weekday, d.Day, d.Hour, d.Minute, d.Second, d.Milli} {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

// bytes encodes a zoneDefinition.
func (d zoneDefinition) bytes() []byte {
	le := binary.LittleEndian
	name := pst.AppendUTF16(nil, d.Name)
	b := []byte{2, 1}
	b = le.AppendUint16(b, uint16(6+len(name)))
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, uint16(len(name)/2))
	b = append(b, name...)
	b = le.AppendUint16(b, uint16(len(d.Rules)))
	for _, r := range d.Rules {
		b = append(b, 2, 1, 0x3E, 0)
		b = le.AppendUint16(b, r.Flags)
		b = le.AppendUint16(b, uint16(r.Year))
		b = append(b, r.X[:]...)
		b = appendU32(b, uint32(r.Bias), uint32(r.Standard), uint32(r.Daylight))
		b = r.DaylightDate.append(r.StandardDate.append(b))
	}
	return b
}

// parseZoneStruct reads PidLidTimeZoneStruct, [MS-OXOCAL] 2.2.1.39.
func parseZoneStruct(data []byte) (zoneRule, error) {
	b := &blob{b: data}
	r := zoneRule{Bias: int32(b.u32()), Standard: int32(b.u32()), Daylight: int32(b.u32())}
	b.u16()
	r.StandardDate = parseZoneDate(b)
	b.u16()
	r.DaylightDate = parseZoneDate(b)
	if b.err != nil || !r.sane() {
		return r, errZoneBlob
	}
	return r, nil
}

// zoneStruct encodes PidLidTimeZoneStruct: 48 bytes.
func (r zoneRule) zoneStruct() []byte {
	b := appendU32(nil, uint32(r.Bias), uint32(r.Standard), uint32(r.Daylight))
	b = append(b, 0, 0)
	b = append(r.StandardDate.append(b), 0, 0)
	return r.DaylightDate.append(b)
}

// define says a zone as a definition for the years from a moment to another. The
// rule that counts is that of the most years, and of a series without end the last,
// since Outlook goes by one rule for a whole series ([MS-OXOCAL] 2.2.1.41).
func define(loc *time.Location, start, end time.Time, endless, series bool) zoneDefinition {
	from, to := start.In(loc).Year(), end.In(loc).Year()
	rules := zoneRules(loc, from, to, start)
	best, most := len(rules)-1, 0
	for i := range rules {
		next := to + 1
		if i+1 < len(rules) {
			next = rules[i+1].Year
		}
		if n := next - rules[i].Year; !endless && n > most {
			best, most = i, n
		}
	}
	d := zoneDefinition{Name: windowsZone(loc.String())}
	for i, r := range rules {
		flags := uint16(0)
		if i == best {
			flags = ruleEffective
			if series {
				flags |= ruleOfSeries
			}
		}
		d.Rules = append(d.Rules, definedRule{zoneRule: r, Flags: flags, X: firstOfJanuary})
	}
	return d
}

// asDefined is a moment in UTC by the rule of its zone that an item holds: that of 1900
// for the years before, in whole minutes. Zones had their own noon then, with seconds
// (Berlin 53:28 until 1893), and a day would begin seconds off midnight.
func asDefined(t time.Time) time.Time {
	if t.Year() >= firstZoneYear && offsetAt(t, t.Location())%60 == 0 {
		return t.UTC()
	}
	return local(t).Add(time.Duration(define(t.Location(), t, t, false, false).effective().Bias) * time.Minute)
}

// effective gives the rule that counts.
func (d zoneDefinition) effective() zoneRule {
	for _, r := range d.Rules {
		if r.Flags&ruleEffective != 0 {
			return r.zoneRule
		}
	}
	return d.Rules[len(d.Rules)-1].zoneRule
}

// location makes a zone of a definition. The zone that the program has under the
// name is taken where both agree in some years around the moment.
func (d zoneDefinition) location(name string, near time.Time) (*time.Location, error) {
	rules := make([]zoneRule, len(d.Rules))
	for i, r := range d.Rules {
		rules[i] = r.zoneRule
		if i > 0 && r.Year <= rules[i-1].Year {
			rules = []zoneRule{d.effective()} // out of order: only the one that counts
			break
		}
	}
	for _, known := range []string{name, ianaZone(d.Name)} {
		loc := load(known)
		if loc == nil {
			continue
		}
		own, err := locationOf(known, rules)
		if err != nil {
			return nil, fmt.Errorf("the zone %q of the item: %w", shorten(d.Name), err)
		}
		if sameOffsets(own, loc, near.Year(), near.Year()+1) {
			return loc, nil
		}
	}
	if d.Name == "" {
		d.Name = name
	}
	return locationOf(d.Name, rules)
}
