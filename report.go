package keepwatch

import "time"

// Report is a stretch of time in figures: what was backed up and what came of it,
// what people attested, and what is open.
type Report struct {
	From, To time.Time // whole days in Location; To is not part of it
	Location *time.Location
	Made     time.Time
}
