package cpanel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// returnHost is what putting parts back needs of a client.
type returnHost interface {
	uapi(ctx context.Context, module, function string, params url.Values, into any) error
	whm(ctx context.Context, function string, params url.Values, into any) error
	send(ctx context.Context, limit time.Duration, module, function string, fields url.Values, part, filename string, content io.Reader, size int64, into any) error
	download(ctx context.Context, path string, from int64) (*body, error)
	version(ctx context.Context) (version, error)
}

// returner puts parts of archives back into one account.
type returner struct {
	host    returnHost
	account keepwatch.Hosting
	log     *slog.Logger
	pace    pace
}

// sendLimit is how long an upload with the restore behind it may last. The host itself
// is told to set no limit; what it gives up first (172,800 s by default for files) is
// shorter.
const sendLimit = 72 * time.Hour

// Stages of putting one item back.
const (
	stageSending = "sending" // the upload is under way; the host does not have all of it
	stageSent    = "sent"    // the host has, or may have, all that it needs to begin
	stageEnded   = "ended"   // the host has put it back
	stageFailed  = "failed"  // it has not, or nobody can tell; a person has been told
)

// returning is what is kept of one item: Job.Remote.
type returning struct {
	Version int       `json:"v"`
	Stage   string    `json:"stage,omitempty"`
	Sent    time.Time `json:"sent,omitzero"` // when the host had all of it
	File    string    `json:"file,omitempty"`
	Home    string    `json:"home,omitempty"`
	Before  logMarks  `json:"before,omitzero"`
	Log     string    `json:"log,omitempty"`  // path of the host's log, once it is known
	Said    []string  `json:"said,omitempty"` // what the host answered
	Note    string    `json:"note,omitempty"` // what of the archive was left out
	Why     string    `json:"why,omitempty"`  // what a person was told when it failed
	Session string    `json:"session,omitempty"`
	Upload  string    `json:"upload,omitempty"` // path of an archive that was uploaded for WHM
}

// errand is one item on its way.
type errand struct {
	*returner
	job  providers.Job
	item keepwatch.ReturnItem
	from providers.Opener
	kind returnKind
	user user
	st   returning
	told time.Time // when progress was last reported
}

// keep saves what is known, before anybody acts on it.
func (e *errand) keep() error {
	e.st.Version = 1
	data, err := json.Marshal(e.st)
	if err != nil || e.job.Keep == nil {
		return err
	}
	if err := e.job.Keep(data); err != nil {
		return fmt.Errorf("save what the host was told: %w", err)
	}
	return nil
}

// returnKind is how a host puts one kind of part back.
type returnKind struct {
	function string // of Backup
	part     string // of the form
	since    int    // major version
	role     string // the server role without which the host has it not
	logs     []string
}

// kindOf gives the function for a part. Where their logs are is in cPanel's UAPI
// document (file restoration): three below ~/.cpanel/logs, and that of databases
// below ~/logs.
func kindOf(part string) (returnKind, bool) {
	at := func(name string) []string { return []string{".cpanel/logs/" + name, "logs/" + name} }
	switch {
	case part == keepwatch.PartHome:
		return returnKind{"restore_files", "backup", 86, "File Storage", at("restorefiles")}, true
	case strings.HasPrefix(part, keepwatch.PartDatabase):
		return returnKind{"restore_databases", "file", 84, "MySQL Client", at("restoredb")}, true
	case part == keepwatch.PartForwarders:
		return returnKind{"restore_email_forwarders", "backup", 86, "Receive Mail", at("restore-email-forwarders")}, true
	case part == keepwatch.PartFilters:
		return returnKind{"restore_email_filters", "backup", 86, "Receive Mail", at("restore-email-filters")}, true
	}
	return returnKind{}, false
}

// who asks for the account's home and main domain. A host that does not say (before
// 86) has the usual ones.
func (r *returner) who(ctx context.Context) (user, error) {
	var a user
	err := r.host.uapi(ctx, "Variables", "get_user_information", nil, &a)
	if err != nil && !notThere(err) {
		return a, err
	}
	if a.Home == "" {
		a.Home = text("/home/" + r.account.User)
	}
	if a.Domain == "" {
		a.Domain = text(r.account.User)
	}
	return a, nil
}

// Return puts one item back. See providers.Restorer.
func (r *returner) Return(ctx context.Context, job providers.Job, item keepwatch.ReturnItem, from providers.Opener) (keepwatch.ServerLog, error) {
	e := &errand{returner: r, job: job, item: item, from: from}
	if now := r.account.Account(); item.Into != "" && item.Into != now { // before anything is asked of that one
		return keepwatch.ServerLog{}, keepwatch.Errorf(keepwatch.KindAttention, "The account %s was confirmed for this restore, and keepwatch.yaml now says %s, so the %s was not put there. Set keepwatch.yaml back and press Retry, or cancel this run and look at a new plan.", item.Into, now, item.Name)
	}
	if len(job.Remote) > 0 {
		if err := json.Unmarshal(job.Remote, &e.st); err != nil {
			return keepwatch.ServerLog{}, keepwatch.Errorf(keepwatch.KindAttention, "What was saved about putting back the %s cannot be read, so nobody can tell whether the host was told. Look at %s on the host, and begin a new restore.", item.Name, item.Name).Because(err)
		}
	}
	var err error
	if e.user, err = r.who(ctx); err != nil {
		return keepwatch.ServerLog{}, err
	}
	if item.Part == partAccount {
		return e.returnAccount(ctx)
	}
	kind, ok := kindOf(item.Part)
	if !ok {
		return keepwatch.ServerLog{}, fmt.Errorf("put back %q: no such part", item.Part)
	}
	e.kind = kind
	switch {
	case e.st.Stage == stageEnded:
		return e.bring(ctx), nil
	case e.st.Stage == stageSent:
		return e.findOut(ctx)
	case e.st.Stage == stageFailed && !job.Retried:
		return e.bring(ctx), keepwatch.Errorf(keepwatch.KindAttention, "%s", e.st.Why)
	}
	return e.begin(ctx)
}

// begin sends the item to the host.
func (e *errand) begin(ctx context.Context) (keepwatch.ServerLog, error) {
	var none keepwatch.ServerLog
	if err := e.able(ctx); err != nil {
		return none, err
	}
	p, err := e.measure(ctx)
	if errors.Is(err, errNotInside) {
		return e.notInside()
	}
	if err != nil {
		return none, err
	}
	before, err := e.shelf().list(ctx)
	if err != nil {
		return none, err
	}
	e.st = returning{Stage: stageSending, File: p.file, Before: marksOf(before), Note: p.left.sentence()}
	if err := e.keep(); err != nil {
		return none, err
	}
	var answer struct {
		Log      text       `json:"log_path"`
		Messages list[text] `json:"messages"`
	}
	fields := url.Values{"timeout": {"0"}, "verbose": {"1"}}
	whole, err := e.upload(ctx, p, e.sent, func(content io.Reader) error {
		return e.host.send(ctx, sendLimit, "Backup", e.kind.function, fields, e.kind.part, p.file, content, p.size, &answer)
	})
	switch {
	case err == nil && !whole:
		return e.stop(ctx, fmt.Sprintf("The host answered before it had all of the %s, so it cannot have put it back. Retry sends it anew.", e.item.Name), nil)
	case err == nil:
		e.st.Log, e.st.Said = string(answer.Log), hostSaid(answer.Messages)
		return e.answered(ctx)
	case !whole, isRefused(err): // the host cannot have begun
		e.st = returning{}
		if kept := e.keep(); kept != nil {
			err = errors.Join(kept, err)
		}
		return none, e.explain(ctx, err)
	case ctx.Err() != nil:
		return none, err
	case !mayHaveArrived(err) && isRefusal(err):
		return e.refused(ctx, err)
	}
	e.log.WarnContext(ctx, "the answer to a restore was lost; its log is looked for", "item", e.item.Name, "error", err)
	return e.findOut(ctx)
}

// sent saves that the host is going to have all that it needs.
func (e *errand) sent() error {
	e.st.Stage, e.st.Sent = stageSent, e.pace.now().UTC()
	return e.keep()
}

// isRefusal reports whether the host has answered, and says no.
func isRefusal(err error) bool {
	var refusal *callError
	return errors.As(err, &refusal)
}

// refused is the end of what the host has answered with a refusal.
func (e *errand) refused(ctx context.Context, err error) (keepwatch.ServerLog, error) {
	err = e.explain(ctx, err)
	if w, looked := newest(ctx, e.shelf(), e.st.Before, e.st.File); looked == nil {
		e.st.Log = w.log.path
	}
	var refusal *callError
	if errors.As(err, &refusal) {
		e.st.Said = refusal.Said
	}
	return e.stop(ctx, keepwatch.Sentence(err), err)
}

// answered is the end of what the host has answered with success. Its log is looked
// into all the same: where it ends with a failure, a person decides.
func (e *errand) answered(ctx context.Context) (keepwatch.ServerLog, error) {
	content, err := e.content(ctx)
	if how, line := judgeLog(content, e.st.File); err == nil && how == outcomeFailed {
		return e.failed(ctx, line)
	}
	e.st.Stage = stageEnded
	return e.serverLog(content, err), e.keep()
}

// failed says that the host has not put it back.
func (e *errand) failed(ctx context.Context, line string) (keepwatch.ServerLog, error) {
	return e.stop(ctx, fmt.Sprintf("The host did not put back the %s: %s The host's log is with this run. Mend the cause; Retry then begins it anew.", e.item.Name, full(line)), nil)
}

// stop tells a person. A retry begins it anew, once: with the first thing that is saved
// then it is no longer a failed one.
func (e *errand) stop(ctx context.Context, why string, cause error) (keepwatch.ServerLog, error) {
	e.st.Stage, e.st.Why = stageFailed, why
	if err := e.keep(); err != nil {
		return keepwatch.ServerLog{}, err
	}
	if keepwatch.KindOf(cause) == keepwatch.KindAttention && keepwatch.Sentence(cause) == why {
		return e.bring(ctx), cause // it says it already
	}
	return e.bring(ctx), keepwatch.Errorf(keepwatch.KindAttention, "%s", why).Because(cause)
}

// findOut looks for what became of a restore whose answer was lost.
func (e *errand) findOut(ctx context.Context) (keepwatch.ServerLog, error) {
	w, err := watch(ctx, e.shelf(), e.pace, e.st.Before, e.st.File, func(int64) {
		e.job.Report(keepwatch.Progress{Bytes: e.item.Bytes, TotalBytes: e.item.Bytes})
	})
	e.st.Log = w.log.path
	switch {
	case errors.Is(err, errNoLog):
		return e.stop(ctx, fmt.Sprintf("The connection broke while the host was putting back the %s, and it has written no log of it, so nobody can tell whether it began. Look at it on the host. Retry begins it anew, and puts the same back over whatever is there.", e.item.Name), err)
	case err != nil:
		return keepwatch.ServerLog{}, err
	case w.outcome == outcomeFailed:
		return e.failed(ctx, w.line)
	case w.outcome == outcomeWell:
		e.st.Stage = stageEnded
		if err := e.keep(); err != nil {
			return keepwatch.ServerLog{}, err
		}
		return e.bring(ctx), nil
	}
	return e.stop(ctx, fmt.Sprintf("The connection broke while the host was putting back the %s, and its log %s ends without saying how it went. The end of it is with this run. Look at it on the host; if it is not right, Retry begins it anew.", e.item.Name, w.log.path), nil)
}
