package cpanel

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"keepwatch"
)

// able says in a sentence why the host cannot put the item back, as far as its version
// tells.
func (e *errand) able(ctx context.Context) error {
	v, err := e.host.version(ctx)
	switch {
	case isRefused(err), keepwatch.KindOf(err) == keepwatch.KindTransient, ctx.Err() != nil:
		return err
	case err != nil || v.atLeast(e.kind.since): // the call itself will say
		return nil
	}
	return e.absent(fmt.Sprintf("The host runs cPanel %s", v), nil)
}

// absent says what to do without the function.
func (e *errand) absent(host string, cause error) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "%s, and putting back the %s needs Backup::%s, which there is since cPanel %d. Ask the host to update it. Until then `backup restore %s --to FOLDER` gives the files, which can be put back by hand in cPanel under Backup.",
		host, e.item.Name, e.kind.function, e.kind.since, e.item.Archive).Because(cause)
}

// explain makes a sentence of a refusal in an answer. Other errors say already what
// there is to say.
func (e *errand) explain(ctx context.Context, err error) error {
	var refusal *callError
	if ctx.Err() != nil || !errors.As(err, &refusal) || isRefused(err) || keepwatch.KindOf(err) == keepwatch.KindTransient {
		return err
	}
	if isAbsent(err) {
		return e.absent("The host has not the function for it", err)
	}
	said := full(strings.Join(refusal.Said, " "))
	return keepwatch.Errorf(keepwatch.KindAttention, "The host refused to put back the %s: %s If it says that the function is off, ask the host to turn on the feature Backup for the account and the server role %s. Retry begins it anew.", e.item.Name, said, e.kind.role).Because(err)
}

// full ends what a host said as a sentence.
func full(said string) string {
	said = briefly(said)
	if said == "" {
		return "It does not say why."
	}
	if !strings.ContainsAny(said[len(said)-1:], ".!?") {
		said += "."
	}
	return said
}

// notInside is the end of what the archive does not hold. An account that has no
// forwarders or filters has none in its backup.
func (e *errand) notInside() (keepwatch.ServerLog, error) {
	if e.item.Part == keepwatch.PartForwarders || e.item.Part == keepwatch.PartFilters {
		return keepwatch.ServerLog{Text: fmt.Sprintf("The archive %s holds none, so there was nothing to put back.", e.item.Archive)}, nil
	}
	return keepwatch.ServerLog{}, keepwatch.Errorf(keepwatch.KindNotFound, "The archive %s does not hold the %s. Nothing was changed on the host by this step.", e.item.Archive, e.item.Name)
}

// bring gives the host's log. What cannot be read of it is no trouble: it is over.
func (e *errand) bring(ctx context.Context) keepwatch.ServerLog { return e.serverLog(e.content(ctx)) }

// content gives what the host wrote: its log, or else what it answered.
func (e *errand) content(ctx context.Context) (string, error) {
	said := strings.Join(e.st.Said, "\n")
	if e.st.Log == "" {
		return said, nil
	}
	content, err := e.readLog(ctx, e.st.Log)
	if err != nil {
		e.log.WarnContext(ctx, "the host's log of a restore cannot be read", "log", e.st.Log, "error", err)
		return said, err
	}
	return content, nil
}

// serverLog gives the end of what the host wrote, and behind it what we have left out:
// where less of it is kept, it is the end that stays.
func (e *errand) serverLog(content string, err error) keepwatch.ServerLog {
	l := keepwatch.ServerLog{Heed: e.st.Note}
	if e.st.Log != "" {
		l.Name = path.Base(e.st.Log)
	}
	if err != nil {
		content += "\n(The log " + e.st.Log + " could not be read.)"
	}
	l.Text = logEnd(strings.TrimSpace(content+"\n"+e.st.Note), keepwatch.MaxServerLog)
	return l
}

func (e *errand) readLog(ctx context.Context, full string) (string, error) {
	logs, err := e.shelf().list(ctx)
	if err != nil {
		return "", err
	}
	for _, l := range logs {
		if l.path == full {
			return e.shelf().read(ctx, l)
		}
	}
	return e.shelf().read(ctx, restoreLog{path: full}) // where the host says that it is
}

func (e *errand) shelf() shelf {
	return hostShelf{e.host, string(e.user.Home), e.kind.logs}
}
