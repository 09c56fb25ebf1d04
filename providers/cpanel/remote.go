package cpanel

import (
	"encoding/json"
	"fmt"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// remote is what is kept of a full backup that the host makes for a run: Job.Remote.
// It is saved before the host is told, so that after a kill at any point it can be
// found again by what is new on the host, and is not begun twice.
type remote struct {
	Version int    `json:"v"`
	Home    string `json:"home"`           // of the account
	Push    bool   `json:"push,omitempty"` // it is sent to a receiver
	Before  []mark `json:"before"`         // what was there before the host was told
	// Run is how BackupInfo called the run that it knew before; its "complete" stays
	// until the next one.
	Run   int64     `json:"run,omitempty"`
	Asked time.Time `json:"asked,omitzero"` // when the host was going to be told; zero: it was not yet
	Told  bool      `json:"told,omitempty"` // the host has answered that it began
	PID   string    `json:"pid,omitempty"`  // of its process, for whoever looks there
	Tries int       `json:"tries,omitempty"`

	Name string `json:"name,omitempty"` // the backup's file; "": not seen yet
	// Others is whose it is: "" ours, else a sentence about it.
	Others string `json:"others,omitempty"`
	Twin   string `json:"twin,omitempty"` // another one that was begun at the same time, and is left there
	Want   want   `json:"want"`

	// Early: it was taken and ended in the middle, where the host does not say that it
	// was complete. 1: it is waited for once more, and longer; 2: it was.
	Early int `json:"early,omitempty"`

	Fetched bool  `json:"fetched,omitempty"` // it is here, and proved
	Size    int64 `json:"size,omitempty"`    // of what was fetched
	// At is when that was last written, as the host said; zero: it did not say.
	At time.Time `json:"at,omitzero"`
}

// mark is a file that was there.
type mark struct {
	Name string    `json:"name"`
	Size int64     `json:"size"`
	At   time.Time `json:"at,omitzero"` // when it was last written
}

// want is what the account held when the backup was asked for; nil lists are unknown.
type want struct {
	User      string   `json:"user"`
	Databases []string `json:"databases"`
	Postgres  []string `json:"postgres"`
	Domains   []string `json:"domains"`
}

const remoteVersion = 1

// readRemote reads what was kept. Nothing kept is a fresh start.
func readRemote(job providers.Job) (remote, error) {
	r := remote{Version: remoteVersion}
	if len(job.Remote) == 0 || string(job.Remote) == "null" {
		return r, nil
	}
	if err := json.Unmarshal(job.Remote, &r); err != nil {
		return r, fmt.Errorf("read what was kept of the host's backup: %w", err)
	}
	if r.Version != remoteVersion {
		return r, keepwatch.Errorf(keepwatch.KindAttention, "This run was begun by another version of Keepwatch, which kept what the host does in another form (%d). Cancel it and start the backup again; what the host has made stays there.", r.Version)
	}
	return r, nil
}

// keep saves it. It returns after it is on disk.
func (r remote) keep(job providers.Job) error {
	if job.Keep == nil {
		return nil
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := job.Keep(b); err != nil {
		return fmt.Errorf("save what the host does: %w", err)
	}
	return nil
}

// marks remembers files.
func marks(files []heldFile) []mark {
	list := []mark{}
	for _, f := range files {
		list = append(list, mark{f.name, f.size, f.mtime})
	}
	return list
}
