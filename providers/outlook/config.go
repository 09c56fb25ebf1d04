package outlook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// Lister looks into Outlook data files.
type Lister interface {
	// List says what is inside one. An error means that it was stopped; what is wrong with
	// the file is in the Mailbox.
	List(ctx context.Context, r io.ReaderAt, size int64) (keepwatch.Mailbox, error)
}

// Config is what mailboxes are backed up and put back with. Spools and Now are required.
type Config struct {
	Server   Server   // nil: Microsoft 365 is not configured
	Restorer Restorer // nil: nothing is put back
	Exporter Exporter // nil: Purview is not used
	Spools   Spools
	Older    providers.Opener // reads the state of older archives; nil: every backup is whole
	Lister   Lister           // nil: nobody looks into the PST that was made
	Zone     *time.Location   // of the times in names of files; nil: UTC
	Now      func() time.Time
	Log      *slog.Logger // nil: silent
	Crash    func(point string)
}

// Filled checks a Config and fills in what may be left out.
func (c Config) Filled() (Config, error) {
	if c.Spools == nil || c.Now == nil {
		return c, errors.New("outlook: a Config without Spools or Now")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	return c, nil
}

// Kept is what a run keeps (providers.Job.Remote).
type Kept struct {
	Key    []byte          `json:"key,omitempty"`    // of the spool, 32 bytes
	Base   string          `json:"base,omitempty"`   // Ref of the archive that this run goes on from
	Taken  time.Time       `json:"taken,omitzero"`   // when the reading of the folders ended
	Export json.RawMessage `json:"export,omitempty"` // of an Exporter

	// Notes are for the archive: why all was read where only changes were asked for, and
	// which folders were deleted meanwhile.
	Notes []keepwatch.Note `json:"notes,omitempty"`
	// Gone are folders of Base that were deleted since, as that has them: what was in them is
	// listed in the archive. Folders that are only no longer in the parts are not among them.
	Gone  []Folder `json:"gone,omitempty"`
	Again bool     `json:"again,omitempty"` // what was missed is to be tried again
	Late  int      `json:"late,omitempty"`  // how often all was here but items that could not be had at the time
}

// ReadKept reads what the run of a job keeps.
func ReadKept(job providers.Job) (Kept, error) {
	var k Kept
	if len(job.Remote) == 0 {
		return k, nil
	}
	if err := json.Unmarshal(job.Remote, &k); err != nil {
		return k, fmt.Errorf("outlook: read what run %d keeps: %w", job.Run, err)
	}
	return k, nil
}

// Save saves it. It returns after it is on disk.
func (k Kept) Save(job providers.Job) error {
	data, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("outlook: keep what belongs to run %d: %w", job.Run, err)
	}
	return job.Keep(data)
}
