// Package download brings a mailbox onto this machine: it says what the parts of a source
// mean, lists the folders, reads what is in them by delta queries and fetches every item,
// as fast as the vendor allows and through any number of restarts.
package download

import "keepwatch/providers/outlook"

// Downloader plans and downloads. It has the Plan of a providers.Provider, and is a
// providers.Downloader.
type Downloader struct{ cfg outlook.Config }

// New makes one. It makes no network call.
func New(cfg outlook.Config) (*Downloader, error) {
	cfg, err := cfg.Filled()
	return &Downloader{cfg}, err
}
