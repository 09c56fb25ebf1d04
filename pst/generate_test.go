package pst_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"keepwatch/pst"
)

// generator makes items with something of everything.
type generator struct {
	*rand.Rand
}

func (g generator) bytes(most int) []byte {
	b := make([]byte, g.IntN(most+1))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g generator) text(most int) string {
	letters := []rune("abc ŵŷ Ωя中😀\r\n\t:;")
	b := make([]rune, g.IntN(most+1))
	for i := range b {
		b[i] = letters[g.IntN(len(letters))]
	}
	return string(b)
}

// value makes one of a type.
func (g generator) value(typ pst.Type) any {
	when := time.Date(1950+g.IntN(100), 1, 1+g.IntN(365), g.IntN(24), g.IntN(60), 0, 100*g.IntN(10_000_000), time.UTC)
	most := []int{3, 100, 1790, 1800, 5000, 30_000}[g.IntN(6)]
	switch typ {
	case pst.Integer16:
		return int16(g.Uint32())
	case pst.Integer32:
		return int32(g.Uint32())
	case pst.Integer64, pst.Currency:
		return int64(g.Uint64())
	case pst.Float32:
		return float32(g.NormFloat64())
	case pst.Float64, pst.FloatTime:
		return g.NormFloat64()
	case pst.Boolean:
		return g.IntN(2) == 1
	case pst.Time:
		return when
	case pst.Guid:
		return pst.GUID(append(g.bytes(0), "0123456789abcdef"...))
	case pst.String:
		return g.text(most)
	case pst.Binary:
		return g.bytes(2 * most)
	case pst.Integer32s:
		return []int32{int32(g.Uint32()), 5}
	case pst.Times:
		return []time.Time{when}
	case pst.Strings:
		return []string{g.text(most), g.text(20), "end"}
	case pst.Binaries:
		return [][]byte{g.bytes(most), {1}}
	}
	panic("a type that is not in the list")
}

var types = []pst.Type{
	pst.Integer16, pst.Integer32, pst.Integer64, pst.Currency, pst.Float32, pst.Float64, pst.FloatTime, pst.Boolean,
	pst.Time, pst.Guid, pst.String, pst.Binary, pst.Integer32s, pst.Times, pst.Strings, pst.Binaries,
}

func (g generator) properties(from uint16) (ps pst.Properties) {
	for range g.IntN(40) {
		typ := types[g.IntN(len(types))]
		ps.Set(pst.NewTag(from+uint16(g.IntN(100)), typ), g.value(typ))
		typ = types[g.IntN(len(types))]
		ps.Set(pst.Named{Set: pst.PSETIDCommon, LID: 0x9000 + uint32(g.IntN(200)), Type: typ}, g.value(typ))
		ps.Set(pst.Named{Set: pst.PSPublicStrings, Name: fmt.Sprint("Field ", g.IntN(50)), Type: pst.String}, g.text(20))
	}
	return ps
}

func (g generator) item(depth int) *item {
	m := &item{Properties: g.properties(0x6000)}
	m.Properties.Set(pst.PidTagSubject, strings.TrimSpace("Pwnc "+strings.Map(func(r rune) rune {
		if r < ' ' {
			return 'x'
		}
		return r
	}, g.text(150))))
	m.Properties.Set(pst.PidTagBody, g.text(20_000))
	for range g.IntN(5) {
		r := pst.Properties{pst.P(pst.PidTagDisplayName, "n"+g.text(30)), pst.P(pst.PidTagEmailAddress, "a@example.org")}
		if g.IntN(4) == 0 {
			r = append(r, pst.P(pst.PidTagRecipientTrackStatus, int32(3)))
		}
		m.Recipients = append(m.Recipients, r)
	}
	for range g.IntN(3) {
		a := attachment{Properties: pst.Properties{pst.P(pst.PidTagAttachLongFilename, "x"+g.text(10))}}
		if depth < 3 && g.IntN(2) == 0 {
			a.Message = g.item(depth + 1)
		} else {
			a.Content = g.bytes([]int{1, 3600, 9000, 200_000}[g.IntN(4)])
		}
		m.Attachments = append(m.Attachments, a)
	}
	return m
}
