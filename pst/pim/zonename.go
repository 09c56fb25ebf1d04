package pim

import (
	"strings"
	"time"
)

// ianaZone gives the usual name in the IANA database of a zone of Windows, or "".
func ianaZone(windows string) string {
	for _, row := range zoneTable {
		if name, zones, _ := strings.Cut(row, "|"); strings.EqualFold(name, windows) {
			first, _, _ := strings.Cut(zones, " ")
			return first
		}
	}
	return ""
}

// windowsZone gives the name in Windows of a zone of the IANA database, and the name
// itself where there is none: Outlook goes by the rules that come with it.
func windowsZone(iana string) string {
	for _, row := range zoneTable {
		name, zones, _ := strings.Cut(row, "|")
		for zone := range strings.SplitSeq(zones, " ") {
			if zone == iana {
				return name
			}
		}
	}
	for _, row := range zoneTable {
		if name, _, _ := strings.Cut(row, "|"); strings.EqualFold(name, iana) {
			return name
		}
	}
	return shortZone(iana)
}

// shortZone keeps a name of a zone within what a key of Windows may be.
func shortZone(name string) string {
	if r := []rune(name); len(r) > 120 {
		return string(r[:120])
	}
	return name
}

// offsetZone gives the zone of a name that is no more than its distance from UTC:
// GMT+0200, UTC-5, UTC+05:30. (In those of the IANA database, Etc/GMT+2, the sign is
// the other way round.) It is nil for any other.
func offsetZone(name string) *time.Location {
	s, ok := strings.CutPrefix(strings.ToUpper(name), "UTC")
	if !ok {
		s, ok = strings.CutPrefix(s, "GMT")
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, " ", ""), ":", "")
	if !ok || len(s) < 2 || len(s) > 5 || s[0] != '+' && s[0] != '-' {
		return nil
	}
	if digits := s[1:]; len(digits) < 3 {
		s = s[:1] + strings.Repeat("0", 2-len(digits)) + digits + "00"
	} else if len(digits) == 3 {
		s = s[:1] + "0" + digits
	}
	offset, err := parseOffset(s)
	if err != nil || offset > 14*3600 || offset < -12*3600 {
		return nil
	}
	return time.FixedZone(name, offset)
}

// Zone gives the zone of a name: one of the IANA database, of Windows ("W. Europe
// Standard Time"), or a distance from UTC (UTC+05:30). It is nil for any other.
func Zone(name string) *time.Location { return load(name) }

// load gives a zone that the program has, or nil: by its name in the IANA database,
// in Windows, or behind a prefix that says where it came from, as in
// /freeassociation.sourceforge.net/Europe/Berlin.
func load(name string) *time.Location {
	name = strings.TrimSpace(name)
	if name == "" || strings.EqualFold(name, "local") || len(name) > 200 {
		return nil
	}
	if iana := ianaZone(name); iana != "" {
		name = iana
	}
	switch strings.ToUpper(name) {
	case "UTC", "Z", "GMT", "ETC/UTC", "ETC/GMT", "TZONE://MICROSOFT/UTC":
		return time.UTC
	}
	if loc := offsetZone(name); loc != nil {
		return loc
	}
	parts := strings.Split(strings.Trim(name, "/"), "/")
	for n := min(3, len(parts)); n > 0; n-- {
		tail := strings.Join(parts[len(parts)-n:], "/")
		if n == 1 && len(parts) > 1 || tail == "" || !strings.Contains(tail, "/") && len(tail) < 3 {
			break
		}
		if loc, err := time.LoadLocation(tail); err == nil && tail != "UTC" && tail != "Local" {
			return loc
		}
	}
	return nil
}
