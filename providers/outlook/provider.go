package outlook

import (
	"context"
	"encoding/json"
	"errors"
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

// Config is what a Provider works with. Spools and Now are required.
type Config struct {
	Server   Server           // nil: Microsoft 365 is not configured
	Restorer Restorer         // nil: nothing is put back
	Exporter Exporter         // nil: Purview is not used
	Spools   Spools           //
	Older    providers.Opener // reads the state of older archives; nil: every backup is whole
	Lister   Lister           // nil: nobody looks into the PST that was made
	Zone     *time.Location   // of the times in names of files; nil: UTC
	Now      func() time.Time
	Log      *slog.Logger // nil: silent
	Crash    func(point string)
}

// Provider is a providers.Provider, Downloader and Restorer for mailboxes.
type Provider struct{ cfg Config }

// New makes one. It makes no network call.
func New(cfg Config) (*Provider, error) {
	if cfg.Spools == nil || cfg.Now == nil {
		return nil, errors.New("outlook: a Config without Spools or Now")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Crash == nil {
		cfg.Crash = func(string) {}
	}
	return &Provider{cfg}, nil
}

// kept is what a run keeps (Job.Remote).
type kept struct {
	Key    []byte          `json:"key,omitempty"`    // of the spool, 32 bytes
	Base   string          `json:"base,omitempty"`   // Ref of the archive that this run goes on from
	Taken  time.Time       `json:"taken,omitzero"`   // when the reading of the folders ended
	Export json.RawMessage `json:"export,omitempty"` // of an Exporter

	// Notes are for the archive: why all was read where only changes were asked for, and
	// which folders were deleted meanwhile.
	Notes []keepwatch.Note `json:"notes,omitempty"`
	Again bool             `json:"again,omitempty"` // what was missed is to be tried again
	Late  int              `json:"late,omitempty"`  // how often all was here but items that could not be had at the time
}

// remembered reads what the run of a job keeps.
func remembered(job providers.Job) (kept, error) {
	var k kept
	if len(job.Remote) == 0 {
		return k, nil
	}
	err := json.Unmarshal(job.Remote, &k)
	return k, err
}

// keep saves it.
func keep(job providers.Job, k kept) error {
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return job.Keep(data)
}
