// Package archive makes the archive of a mailbox out of what was downloaded: files that
// every mail program opens, an index, and a PST, each checked before it counts. It also
// takes in the PST that Microsoft Purview makes, where a source asks for that.
package archive

import "keepwatch/providers/outlook"

// Maker makes archives of mailboxes. It has the Fetch of a providers.Provider, and is a
// providers.Preparer for exports of Purview.
type Maker struct{ cfg outlook.Config }

// New makes one. It makes no network call.
func New(cfg outlook.Config) (*Maker, error) {
	cfg, err := cfg.Filled()
	return &Maker{cfg}, err
}
