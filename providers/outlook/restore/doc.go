// Package restore puts items of archives of mailboxes into mailboxes: it plans what goes
// where out of the indexes of one archive or several, and carries that out folder by
// folder, so that what was cut off goes on without doubles.
package restore

import "keepwatch/providers/outlook"

// Returner is a providers.Restorer for mailboxes.
type Returner struct {
	cfg    outlook.Config
	finder *finder
}

// New makes one. It makes no network call.
func New(cfg outlook.Config) (*Returner, error) {
	cfg, err := cfg.Filled()
	return &Returner{cfg, newFinder(cfg.Now)}, err
}
