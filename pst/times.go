package pst

import "time"

// FILETIME counts from 1601 in steps of 100 ns; this many seconds lie before 1970.
const before1970 = 11644473600

// The last second that fits into 63 bits.
const lastSecond = (1<<63-1)/10_000_000 - before1970 - 1

// Filetime is a time as a file has it: steps of 100 ns since 1601-01-01 UTC, at
// least 0 ([MS-DTYP] 2.3.3).
func Filetime(t time.Time) uint64 {
	s := min(t.Unix(), lastSecond)
	if s < -before1970 {
		return 0
	}
	return uint64(s+before1970)*10_000_000 + uint64(t.Nanosecond()/100)
}

// FromFiletime is the reverse of Filetime.
func FromFiletime(v uint64) time.Time {
	return time.Unix(int64(v/10_000_000)-before1970, int64(v%10_000_000)*100).UTC()
}
