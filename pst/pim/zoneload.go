package pim

import "time"

// LoadZone gives a zone of time by its name in the IANA database or in Windows, or by its
// distance from UTC ("UTC+01:00"). It is nil for a name that nobody knows. It reads the
// zone database of the system or of time/tzdata.
func LoadZone(name string) *time.Location { return load(name) }

// WindowsZone gives the name in Windows of a zone of the IANA database, and the name
// itself where there is none.
func WindowsZone(iana string) string { return windowsZone(iana) }
