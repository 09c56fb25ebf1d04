package cpanel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
	"time"

	"keepwatch"
)

// partAccount is the Part of an item that is a whole full backup, which WHM restores:
// settings, DNS zones, certificates, database users and all.
const partAccount = "account"

// stageUploaded is a stage of such an item: the archive lies on the host.
const stageUploaded = "uploaded"

// States of a transfer session in which nothing happens any more
// (get_transfer_session_state in cPanel's WHM document; the others are PENDING,
// RUNNING, PAUSED, TRANSFER_… and RESTORE_…).
const (
	sessionCompleted = "COMPLETED"
	sessionAborted   = "ABORTED"
	sessionFailed    = "FAILED"
	sessionPaused    = "PAUSED"
)

// masterLog is the log of a transfer session that all of them have.
const masterLog = "master.log"

// returnAccount has WHM restore a full backup: it lies in the account's home already,
// or is uploaded there; then a transfer session is started and watched.
func (e *errand) returnAccount(ctx context.Context) (keepwatch.ServerLog, error) {
	if e.account.WHM == "" {
		return keepwatch.ServerLog{}, keepwatch.Errorf(keepwatch.KindInvalid, "Only WHM restores a whole account, and %s is reached without it. Set whm: in keepwatch.yaml, or put the parts back.", e.account.User)
	}
	if e.st.Stage == stageFailed {
		if !e.job.Retried {
			return e.sessionLog(ctx), keepwatch.Errorf(keepwatch.KindAttention, "%s", e.st.Why)
		}
		e.st = returning{}
	}
	switch {
	case e.st.Stage == stageEnded:
		return e.sessionLog(ctx), nil
	case e.st.Session != "":
		return e.watchSession(ctx)
	case e.st.Stage == stageSent:
		return e.stopAccount(ctx, fmt.Sprintf("The connection broke while WHM was told to restore the account from %s, so nobody can tell whether it began. Look in WHM under Transfers, Review Transfers and Restores. Retry begins it anew.", e.item.Archive), nil)
	case e.st.Stage != stageUploaded:
		if err := e.bringUp(ctx); err != nil {
			return keepwatch.ServerLog{}, err
		}
	}
	return e.startSession(ctx)
}

// bringUp sees that the archive lies in the account's home: it may do so still, or it
// is uploaded.
func (e *errand) bringUp(ctx context.Context) error {
	entry, content, err := e.from.OpenEntry(ctx, e.item.Archive, e.item.Path)
	if err != nil {
		return err
	}
	content.Close()
	name, home, ours := path.Base(e.item.Path), string(e.user.Home), e.st.Upload
	if ours != "" {
		name = path.Base(ours)
	}
	size, made, there, err := e.onHost(ctx, home, name)
	if err != nil {
		return err
	}
	// A file that somebody has written since is another one, whatever its size.
	if there && size == entry.Size && (ours != "" || made.Equal(entry.ModTime.Truncate(time.Second))) {
		e.st = returning{Stage: stageUploaded, File: path.Join(home, name), Upload: ours}
		return e.keep()
	}
	if there && ours == "" { // another of that name: it is not ours to overwrite
		name = fmt.Sprintf("backup-keepwatch-%d_%s.tar.gz", e.job.Run, e.account.User)
	}
	at := path.Join(home, name)
	e.st = returning{Stage: stageSending, File: at, Upload: at}
	if err := e.keep(); err != nil {
		return err
	}
	p := piece{file: name, size: entry.Size, stored: entry.Size}
	var answer struct {
		Uploads list[struct {
			Status flag `json:"status"`
			Reason text `json:"reason"`
		}] `json:"uploads"`
	}
	fields := url.Values{"dir": {home}, "overwrite": {"1"}, "permissions": {"0600"}} // it holds password hashes and keys
	_, err = e.upload(ctx, p, func() error { return nil }, func(content io.Reader) error {
		return e.host.send(ctx, sendLimit, "Fileman", "upload_files", fields, "file-1", name, content, p.size, &answer)
	})
	if err != nil { // an upload can be made again, whatever became of this one
		return e.explainUpload(ctx, err)
	}
	for _, u := range answer.Uploads {
		if !u.Status {
			return keepwatch.Errorf(keepwatch.KindAttention, "The host did not take the archive %s: %s Look whether the account has room for it (%s).", e.item.Archive, full(string(u.Reason)), keepwatch.FormatBytes(p.size))
		}
	}
	if size, _, there, err = e.onHost(ctx, home, name); err != nil {
		return err
	}
	if !there || size != p.size {
		return keepwatch.Errorf(keepwatch.KindAttention, "The archive %s is not whole on the host after the upload: %s of %s are there. Look whether the account has room for it.", e.item.Archive, keepwatch.FormatBytes(size), keepwatch.FormatBytes(p.size))
	}
	e.st.Stage = stageUploaded
	return e.keep()
}

func (e *errand) explainUpload(ctx context.Context, err error) error {
	var refusal *callError
	if ctx.Err() != nil || !errors.As(err, &refusal) || isRefused(err) || keepwatch.KindOf(err) == keepwatch.KindTransient {
		return err
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The host did not take the archive %s: %s Look whether the account has room for it.", e.item.Archive, full(strings.Join(refusal.Said, " "))).Because(err)
}

// onHost looks for a file in the account's home and gives its size and its time.
func (e *errand) onHost(ctx context.Context, home, name string) (int64, time.Time, bool, error) {
	var found folder
	err := e.host.uapi(ctx, "Fileman", "list_files", url.Values{"dir": {home}, "types": {"file"}, "show_hidden": {"1"}}, &found)
	if err != nil {
		return 0, time.Time{}, false, err
	}
	for _, f := range found.Files {
		if string(f.File) == name {
			return int64(f.Size), f.MTime.Time, true, nil
		}
	}
	return 0, time.Time{}, false, nil
}

// startSession tells WHM to restore the account.
func (e *errand) startSession(ctx context.Context) (keepwatch.ServerLog, error) {
	e.st.Stage, e.st.Sent = stageSent, e.pace.now().UTC()
	if err := e.keep(); err != nil {
		return keepwatch.ServerLog{}, err
	}
	var answer struct {
		Session text `json:"transfer_session_id"`
	}
	remove := "0"
	if e.st.Upload != "" {
		remove = "1" // what we have uploaded counts against the account's quota
	}
	err := e.host.whm(ctx, "start_local_cpmove_restore", url.Values{
		"cpmovepath": {e.st.File}, "username": {e.account.User}, "overwrite": {"1"}, "delete_archive": {remove},
	}, &answer)
	switch {
	case err == nil && answer.Session != "":
		e.st.Session = string(answer.Session)
		if err := e.keep(); err != nil {
			return keepwatch.ServerLog{}, err
		}
		return e.watchSession(ctx)
	case err != nil && !mayHaveArrived(err) && !isRefusal(err) && ctx.Err() == nil, isRefused(err):
		e.st.Stage = stageUploaded // it was not told
		return keepwatch.ServerLog{}, errors.Join(err, e.keep())
	case err != nil && !mayHaveArrived(err) && isRefusal(err):
		var refusal *callError
		errors.As(err, &refusal)
		why := fmt.Sprintf("WHM refused to restore the account from %s: %s Retry asks it again.", e.item.Archive, full(strings.Join(refusal.Said, " ")))
		if isAbsent(err) {
			why = fmt.Sprintf("The host cannot restore a whole account by itself from here: that needs cPanel 88 or later. Ask the host to update it, restore %s in WHM under Transfers, or put the parts back one by one.", e.item.Archive)
		}
		return e.stopAccount(ctx, why, err)
	case ctx.Err() != nil:
		return keepwatch.ServerLog{}, err
	}
	return e.stopAccount(ctx, fmt.Sprintf("The connection broke while WHM was told to restore the account from %s, so nobody can tell whether it began. Look in WHM under Transfers, Review Transfers and Restores. Retry begins it anew.", e.item.Archive), err)
}

// watchSession waits until a transfer session is over.
func (e *errand) watchSession(ctx context.Context) (keepwatch.ServerLog, error) {
	reached := e.pace.now()
	for {
		var answer struct {
			State text `json:"state_name"`
		}
		err := e.host.whm(ctx, "get_transfer_session_state", url.Values{"transfer_session_id": {e.st.Session}}, &answer)
		now := e.pace.now()
		switch {
		case err == nil:
			reached = now
		case ctx.Err() != nil, keepwatch.KindOf(err) != keepwatch.KindTransient, now.Sub(reached) > e.pace.patience:
			return keepwatch.ServerLog{}, err
		}
		e.job.Report(keepwatch.Progress{Bytes: e.item.Bytes, TotalBytes: e.item.Bytes})
		switch string(answer.State) {
		case sessionCompleted:
			return e.completed(ctx)
		case sessionAborted, sessionFailed:
			return e.stopAccount(ctx, fmt.Sprintf("WHM did not restore the account: the session %s is %s. Its log is with this run, and in WHM under Transfers, Review Transfers and Restores. Retry begins it anew.", e.st.Session, strings.ToLower(string(answer.State))), nil)
		case sessionPaused:
			return e.sessionLog(ctx), keepwatch.Errorf(keepwatch.KindAttention, "Somebody has paused the restore of the account in WHM (session %s). Let it go on there, under Transfers, Review Transfers and Restores; Retry then waits for its end.", e.st.Session)
		}
		if err := pause(ctx, e.pace.every); err != nil {
			return keepwatch.ServerLog{}, err
		}
	}
}

// completed looks into the log of a session that is over: it is COMPLETED also when
// the account in it could not be restored.
func (e *errand) completed(ctx context.Context) (keepwatch.ServerLog, error) {
	raw, err := e.fetchLog(ctx, masterLog)
	if err != nil {
		return keepwatch.ServerLog{}, err
	}
	if s := readSession(raw); s.failure != "" {
		return e.stopAccount(ctx, fmt.Sprintf("WHM did not restore the account: %s Its log is with this run. Mend the cause; Retry begins it anew.", full(s.failure)), nil)
	}
	e.st.Stage = stageEnded
	if err := e.keep(); err != nil {
		return keepwatch.ServerLog{}, err
	}
	return e.sessionLog(ctx), nil
}

func (e *errand) stopAccount(ctx context.Context, why string, cause error) (keepwatch.ServerLog, error) {
	e.st.Stage, e.st.Why = stageFailed, why
	if err := e.keep(); err != nil {
		return keepwatch.ServerLog{}, err
	}
	return e.sessionLog(ctx), keepwatch.Errorf(keepwatch.KindAttention, "%s", why).Because(cause)
}
