package cpanel

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"path"
	"strings"

	"keepwatch"
)

// A host says in three ways how far a full backup is, and the best that it has is
// taken, anew at every wait, since a host may be upgraded meanwhile: UAPI BackupInfo
// (from 136), cPanel API 2 Backups::listfullbackups (deprecated, and the fields of its
// answer are nowhere written), and the growing file itself, which every host has.

// backupState is what a host says of a backup.
type backupState int

const (
	stateUnknown backupState = iota
	stateWriting             // it is being written
	stateReady               // it is complete
	stateStale               // its writer has not been heard of for too long
)

// stateOf reads the word of a host: inprogress, ready, complete, timeout
// (BackupInfo), and what others have been seen to say.
func stateOf(word string) backupState {
	word = strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(word))
	switch {
	case strings.Contains(word, "progress"), word == "pending", word == "running":
		return stateWriting
	case strings.Contains(word, "timeout"), strings.Contains(word, "timedout"):
		return stateStale
	case strings.HasPrefix(word, "complete"), word == "ready", word == "done", word == "finished":
		return stateReady
	}
	return stateUnknown
}

// status is what the host says of the account's backups.
type status struct {
	known bool                   // whether it says anything
	of    map[string]backupState // by the file's name
	state backupState            // of the newest run, of which there may be no file yet
	run   int64                  // when that began, in seconds since 1970; 0: the host does not say
	total int64                  // bytes that the host expects of it; 0: unknown
}

// watcher looks at the backups of one account.
type watcher struct {
	host host
	user user
	no   struct{ info, api2 bool } // the host has turned out not to have them
}

// status asks by the best way that the host has.
func (w *watcher) status(ctx context.Context) (status, error) {
	if !w.no.info {
		s, err := w.info(ctx)
		if err == nil || !refusedCall(err) {
			return s, err
		}
		w.no.info = true
	}
	if !w.no.api2 {
		s, err := w.pending(ctx)
		if err == nil || !refusedCall(err) {
			return s, err
		}
		w.no.api2 = true
	}
	return status{}, nil
}

// info asks BackupInfo::list and ::progress.
func (w *watcher) info(ctx context.Context) (status, error) {
	var all list[struct {
		Name   text `json:"name"`
		Status text `json:"status"`
	}]
	if err := w.host.uapi(ctx, "BackupInfo", "list", nil, &all); err != nil {
		return status{}, err
	}
	s := status{known: true, of: map[string]backupState{}}
	for _, b := range all {
		s.of[path.Base(string(b.Name))] = stateOf(string(b.Status))
	}
	var run struct {
		State   text    `json:"state"`
		Started number  `json:"startedAtEpoch"`
		Current number  `json:"currentBytes"`
		Total   number  `json:"estimatedTotalBytes"`
		Percent decimal `json:"estimatedPercent"`
	}
	if err := w.host.uapi(ctx, "BackupInfo", "progress", nil, &run); err != nil {
		if refusedCall(err) { // the list will do
			return s, nil
		}
		return status{}, err
	}
	s.state, s.run, s.total = stateOf(string(run.State)), int64(run.Started), int64(run.Total)
	if s.total == 0 && run.Percent >= 1 && run.Percent < 100 {
		s.total = int64(float64(run.Current) / float64(run.Percent) * 100)
	}
	return s, nil
}

// pending asks cPanel API 2. Where nothing in the answer looks like a backup and its
// state, the host says nothing.
func (w *watcher) pending(ctx context.Context) (status, error) {
	var all list[map[string]json.RawMessage]
	if err := w.host.api2(ctx, "Backups", "listfullbackups", nil, &all); err != nil {
		return status{}, err
	}
	s := status{of: map[string]backupState{}}
	for _, b := range all {
		name := path.Base(orElse(field(b, "file"), field(b, "name")))
		state := stateOf(orElse(field(b, "status"), field(b, "state")))
		if !isBackup(name, string(w.user.User)) || state == stateUnknown {
			continue
		}
		s.known, s.of[name] = true, state
	}
	return s, nil
}

// field gives a scalar of an object as text.
func field(of map[string]json.RawMessage, key string) string {
	var t text
	if len(of[key]) == 0 || json.Unmarshal(of[key], &t) != nil {
		return ""
	}
	return string(t)
}

// file looks at one file. The list of the home is asked only where the file itself is
// not known: what get_file_information says of one that is not there is not written.
func (w *watcher) file(ctx context.Context, name string) (heldFile, error) {
	var i item
	at := string(w.user.Home) + "/" + name
	err := w.host.uapi(ctx, "Fileman", "get_file_information", url.Values{"path": {at}}, &i)
	if err != nil && !refusedCall(err) {
		return heldFile{}, err
	}
	if err == nil && i.Size > 0 && (i.File == "" || string(i.File) == name) {
		return heldFile{name: name, path: at, size: int64(i.Size), mtime: i.MTime.Time}, nil
	}
	return lookAt(ctx, w.host, w.user, name)
}

// isTrouble reports whether an error may go away by itself.
func isTrouble(err error) bool {
	return err != nil && !errors.Is(err, errGone) && keepwatch.KindOf(err) == keepwatch.KindTransient
}
