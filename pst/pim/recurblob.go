package pim

import (
	"encoding/binary"
	"errors"
	"fmt"

	"keepwatch/pst"

	"golang.org/x/text/encoding/charmap"
)

// Bounds of a blob: what one names as a count is not believed beyond these.
const (
	maxInstances  = 20000
	maxExceptions = 5000
)

// Values of RecurrencePattern, [MS-OXOCAL] 2.2.1.44.1.
const (
	recurDaily   = 0x200A
	recurWeekly  = 0x200B
	recurMonthly = 0x200C
	recurYearly  = 0x200D

	patternDay      = 0x0000
	patternWeek     = 0x0001
	patternMonth    = 0x0002
	patternNth      = 0x0003
	patternMonthEnd = 0x0004

	endByDate  = 0x2021
	endByCount = 0x2022
	endNever   = 0x2023

	// EndDate of a series without an end: 4500-12-31 23:59.
	neverEnds = 0x5AE980DF
)

// A pattern is a RecurrencePattern, [MS-OXOCAL] 2.2.1.44.1. Dates are minutes since
// 1601-01-01 of local midnight.
type pattern struct {
	Frequency uint16
	Type      uint16
	Calendar  uint16 // 0 and 1: Gregorian
	First     uint32 // FirstDateTime: where the counting of periods begins
	Period    uint32 // minutes of a day pattern, weeks, months
	Sliding   uint32
	Days      uint32 // of week and nth: Sunday is bit 0
	Day       uint32 // of month: 1 to 31; in a shorter month its last day
	Nth       uint32 // 1 to 4, 5 the last
	EndType   uint32
	Count     uint32
	FirstDOW  uint32 // 0 is Sunday
	Deleted   []uint32
	Modified  []uint32
	Start     uint32
	End       uint32
}

// An appointmentPattern is PidLidAppointmentRecur, [MS-OXOCAL] 2.2.1.44.5.
type appointmentPattern struct {
	pattern
	Writer2     uint32 // 0x3008 or 0x3009
	StartOffset uint32 // minutes since midnight
	EndOffset   uint32
	Exceptions  []exceptionInfo
	Reserved1   []byte
	Reserved2   []byte
}

// Bits of exceptionInfo.Flags, [MS-OXOCAL] 2.2.1.44.2.
const (
	overrideSubject       = 0x0001
	overrideMeetingType   = 0x0002
	overrideReminderDelta = 0x0004
	overrideReminder      = 0x0008
	overrideLocation      = 0x0010
	overrideBusy          = 0x0020
	overrideAttachment    = 0x0040
	overrideAllDay        = 0x0080
	overrideColour        = 0x0100
	overrideBody          = 0x0200
)

// An exceptionInfo is ExceptionInfo and ExtendedException, [MS-OXOCAL] 2.2.1.44.2
// and 2.2.1.44.4. Times are minutes since 1601 in local time.
type exceptionInfo struct {
	Start, End, Original uint32
	Flags                uint16
	Subject, Location    string
	MeetingType          uint32
	ReminderDelta        uint32
	ReminderSet          uint32
	Busy                 uint32
	Attachment           uint32
	AllDay               uint32
	Colour               uint32
	Highlight            []byte // PidLidChangeHighlight
	Reserved1, Reserved2 []byte
}

var errShortBlob = errors.New("the blob ends too early")

// A blob is read from its beginning; the first read behind its end makes err.
type blob struct {
	b   []byte
	err error
}

func (b *blob) take(n uint32) []byte {
	if b.err != nil || uint64(n) > uint64(len(b.b)) {
		b.err = errShortBlob
		return nil
	}
	part := b.b[:n:n]
	b.b = b.b[n:]
	return part
}

func (b *blob) u16() uint16 {
	if p := b.take(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

func (b *blob) u32() uint32 {
	if p := b.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

// sized reads bytes behind their 4-byte length, nil where there are none.
func (b *blob) sized() []byte {
	if n := b.u32(); n > 0 {
		return b.take(n)
	}
	return nil
}

// dates reads a list behind its count.
func (b *blob) dates() []uint32 {
	n := b.u32()
	if n > maxInstances || uint64(n)*4 > uint64(len(b.b)) {
		b.err = errShortBlob
		return nil
	}
	var all []uint32
	for range n {
		all = append(all, b.u32())
	}
	return all
}

// parsePattern reads a RecurrencePattern off the beginning of b, as appointments and
// tasks have it. Writers and readers of every version are taken.
func parsePattern(b *blob) (pattern, error) {
	b.take(4) // ReaderVersion, WriterVersion
	p := pattern{Frequency: b.u16(), Type: b.u16(), Calendar: b.u16(), First: b.u32(), Period: b.u32(), Sliding: b.u32()}
	switch p.Type {
	case patternDay:
	case patternWeek:
		p.Days = b.u32()
	case patternMonth, patternMonthEnd, 0xA, 0xC:
		p.Day = b.u32()
	case patternNth, 0xB:
		p.Days, p.Nth = b.u32(), b.u32()
	default:
		if b.err == nil {
			return p, fmt.Errorf("the recurrence has the pattern 0x%04X, which does not exist", p.Type)
		}
	}
	p.EndType, p.Count, p.FirstDOW = b.u32(), b.u32(), b.u32()
	p.Deleted, p.Modified = b.dates(), b.dates()
	p.Start, p.End = b.u32(), b.u32()
	return p, b.err
}

// parseAppointmentPattern reads PidLidAppointmentRecur. What is wrong behind the
// pattern itself costs only the exceptions: old writers leave parts of it out.
func parseAppointmentPattern(data []byte) (appointmentPattern, error) {
	b := &blob{b: data}
	var a appointmentPattern
	var err error
	if a.pattern, err = parsePattern(b); err != nil {
		return a, fmt.Errorf("read the recurrence: %w", err)
	}
	if len(b.b) == 0 {
		return a, nil
	}
	b.u32() // ReaderVersion2
	a.Writer2, a.StartOffset, a.EndOffset = b.u32(), b.u32(), b.u32()
	n := b.u16()
	if b.err != nil {
		return a, fmt.Errorf("read the recurrence: %w", b.err)
	}
	if n > maxExceptions {
		return a, fmt.Errorf("read the recurrence: it claims to have %d exceptions", n)
	}
	for range n {
		e := parseException(b)
		if b.err != nil {
			return a, fmt.Errorf("read the exceptions of the recurrence: %w", b.err)
		}
		a.Exceptions = append(a.Exceptions, e)
	}
	a.Reserved1 = b.sized()
	for i := range a.Exceptions {
		a.Exceptions[i].parseExtended(b, a.Writer2)
	}
	a.Reserved2 = b.sized()
	return a, nil
}

func parseException(b *blob) exceptionInfo {
	e := exceptionInfo{Start: b.u32(), End: b.u32(), Original: b.u32(), Flags: b.u16()}
	number := func(flag uint16, to *uint32) {
		if e.Flags&flag != 0 {
			*to = b.u32()
		}
	}
	text := func(flag uint16, to *string) {
		if e.Flags&flag != 0 {
			b.u16() // the length and 1
			*to, _ = charmap.Windows1252.NewDecoder().String(string(b.take(uint32(b.u16()))))
		}
	}
	text(overrideSubject, &e.Subject)
	number(overrideMeetingType, &e.MeetingType)
	number(overrideReminderDelta, &e.ReminderDelta)
	number(overrideReminder, &e.ReminderSet)
	text(overrideLocation, &e.Location)
	number(overrideBusy, &e.Busy)
	number(overrideAttachment, &e.Attachment)
	number(overrideAllDay, &e.AllDay)
	number(overrideColour, &e.Colour)
	return e
}

// parseExtended reads the part that has texts in Unicode.
func (e *exceptionInfo) parseExtended(b *blob, writer2 uint32) {
	if writer2 >= 0x3009 {
		e.Highlight = b.sized()
	}
	e.Reserved1 = b.sized()
	if e.Flags&(overrideSubject|overrideLocation) == 0 {
		return
	}
	b.take(12) // the three times again
	e.wide(b, overrideSubject, &e.Subject)
	e.wide(b, overrideLocation, &e.Location)
	e.Reserved2 = b.sized()
}

func (e *exceptionInfo) wide(b *blob, flag uint16, to *string) {
	if e.Flags&flag == 0 {
		return
	}
	if s := b.take(2 * uint32(b.u16())); b.err == nil {
		*to = pst.FromUTF16(s)
	}
}

// append encodes a RecurrencePattern.
func (p *pattern) append(b []byte) []byte {
	le := binary.LittleEndian
	b = append(b, 0x04, 0x30, 0x04, 0x30)
	b = le.AppendUint16(b, p.Frequency)
	b = le.AppendUint16(b, p.Type)
	b = le.AppendUint16(b, p.Calendar)
	b = appendU32(b, p.First, p.Period, p.Sliding)
	switch p.Type {
	case patternWeek:
		b = appendU32(b, p.Days)
	case patternMonth, patternMonthEnd, 0xA, 0xC:
		b = appendU32(b, p.Day)
	case patternNth, 0xB:
		b = appendU32(b, p.Days, p.Nth)
	}
	b = appendU32(b, p.EndType, p.Count, p.FirstDOW, uint32(len(p.Deleted)))
	b = appendU32(b, p.Deleted...)
	b = appendU32(b, uint32(len(p.Modified)))
	b = appendU32(b, p.Modified...)
	return appendU32(b, p.Start, p.End)
}

func appendU32(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// bytes encodes PidLidAppointmentRecur.
func (a *appointmentPattern) bytes() []byte {
	b := a.pattern.append(nil)
	b = appendU32(b, 0x3006, a.Writer2, a.StartOffset, a.EndOffset)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(a.Exceptions)))
	for i := range a.Exceptions {
		b = a.Exceptions[i].append(b)
	}
	b = appendSized(b, a.Reserved1)
	for i := range a.Exceptions {
		b = a.Exceptions[i].appendExtended(b, a.Writer2)
	}
	return appendSized(b, a.Reserved2)
}

func appendSized(b, data []byte) []byte {
	return append(appendU32(b, uint32(len(data))), data...)
}

func (e *exceptionInfo) append(b []byte) []byte {
	b = appendU32(b, e.Start, e.End, e.Original)
	b = binary.LittleEndian.AppendUint16(b, e.Flags)
	number := func(flag uint16, v uint32) {
		if e.Flags&flag != 0 {
			b = appendU32(b, v)
		}
	}
	text := func(flag uint16, s string) {
		if e.Flags&flag != 0 {
			n := narrow(s)
			b = binary.LittleEndian.AppendUint16(b, uint16(len(n)+1))
			b = binary.LittleEndian.AppendUint16(b, uint16(len(n)))
			b = append(b, n...)
		}
	}
	text(overrideSubject, e.Subject)
	number(overrideMeetingType, e.MeetingType)
	number(overrideReminderDelta, e.ReminderDelta)
	number(overrideReminder, e.ReminderSet)
	text(overrideLocation, e.Location)
	number(overrideBusy, e.Busy)
	number(overrideAttachment, e.Attachment)
	number(overrideAllDay, e.AllDay)
	number(overrideColour, e.Colour)
	return b
}

func (e *exceptionInfo) appendExtended(b []byte, writer2 uint32) []byte {
	if writer2 >= 0x3009 {
		b = appendSized(b, e.Highlight)
	}
	b = appendSized(b, e.Reserved1)
	if e.Flags&(overrideSubject|overrideLocation) == 0 {
		return b
	}
	b = appendU32(b, e.Start, e.End, e.Original)
	for _, t := range []struct {
		flag uint16
		s    string
	}{{overrideSubject, e.Subject}, {overrideLocation, e.Location}} {
		if e.Flags&t.flag != 0 {
			w := pst.AppendUTF16(nil, t.s)
			b = append(binary.LittleEndian.AppendUint16(b, uint16(len(w)/2)), w...)
		}
	}
	return appendSized(b, e.Reserved2)
}

// narrow is a text in 8 bits, with a question mark for what does not fit. Both
// forms of a text are at most 255 characters, as Outlook has it.
func narrow(s string) []byte {
	var b []byte
	for _, r := range s {
		c, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			c = '?'
		}
		b = append(b, c)
	}
	return b
}
