package cpanel

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"keepwatch"
	"keepwatch/providers"
)

// Plan asks the host who the account is, what it may and what it holds, and sees that
// a full backup has room there. Its Bytes are what is to be packed, as the host counts
// it: no archive is larger than that by much, and most are far smaller.
func (p *Provider) Plan(ctx context.Context, job providers.Job) (keepwatch.Plan, error) {
	a, h, err := p.account(job.Source)
	if err != nil {
		return keepwatch.Plan{}, err
	}
	u, err := whoIs(ctx, h, a)
	if err != nil {
		return keepwatch.Plan{}, err
	}
	switch {
	case job.Held != "":
		return p.planHeld(ctx, job, h, u)
	case !p.Prepares(job):
		return p.planParts(ctx, job, h, u)
	}
	return p.planFull(ctx, a, h, u)
}

// fullSince is the version from which a full backup can be asked for.
const fullSince = 78

func (p *Provider) planFull(ctx context.Context, a keepwatch.Hosting, h host, u user) (keepwatch.Plan, error) {
	if err := allowed(u); err != nil {
		return keepwatch.Plan{}, err
	}
	if err := notSuspended(ctx, h, a); err != nil {
		return keepwatch.Plan{}, err
	}
	v, err := h.version(ctx)
	if err != nil {
		return keepwatch.Plan{}, err
	}
	if !v.atLeast(fullSince) {
		return keepwatch.Plan{}, keepwatch.Errorf(keepwatch.KindAttention, "The host of %s runs cPanel %v, which cannot be asked for a full backup; from cPanel %d on it can. Back up its parts (home, databases, forwarders, filters), or ask the host for an update.", u.User, v, fullSince)
	}
	q, known, err := quota(ctx, h, p.now())
	if err != nil {
		return keepwatch.Plan{}, err
	}
	dbs, _, err := databases(ctx, h, "Mysql")
	if err != nil {
		return keepwatch.Plan{}, err
	}
	old, err := homeBackups(ctx, h, u)
	if err != nil {
		return keepwatch.Plan{}, err
	}
	r := room{quota: q, known: known, push: a.Push != nil}
	for _, d := range dbs {
		r.databases += int64(d.Size)
	}
	for _, f := range old {
		r.old += f.size
	}
	text, err := r.judge(string(u.User))
	return keepwatch.Plan{Items: 1, Bytes: r.need(), Text: text}, err
}

// notSuspended asks WHM whether the account is suspended; without a token of WHM the
// host refuses the sign-in of such an account anyhow.
func notSuspended(ctx context.Context, h host, a keepwatch.Hosting) error {
	if a.WHM == "" {
		return nil
	}
	var got struct {
		Accounts list[struct {
			Suspended flag `json:"suspended"`
			Reason    text `json:"suspendreason"`
		}] `json:"acct"`
	}
	err := h.whm(ctx, "accountsummary", url.Values{"user": {a.User}}, &got)
	if err != nil && !refusedCall(err) {
		return err
	}
	for _, acct := range got.Accounts {
		if acct.Suspended {
			return keepwatch.Errorf(keepwatch.KindAttention, "The account %s is suspended at its host (%s). End that in WHM, or ask the host; then retry.", a.User, orElse(string(acct.Reason), "no reason is given"))
		}
	}
	return nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// room is what a full backup needs in the account's home, and what there is.
type room struct {
	quota     keepwatch.Quota
	known     bool  // whether the host says anything of it
	databases int64 // bytes; they may lie outside the quota
	old       int64 // bytes of full backups that lie in the home already
	push      bool  // the archive does not stay there
}

// hopefulRatio is how far an account may shrink at best: what does not fit even then
// is not tried.
const hopefulRatio = 3

// need is the most that the archive can take, about: nothing is promised to shrink, and
// whether a host packs older backups too is nowhere written.
func (r room) need() int64 { return max(r.quota.Used+r.databases, 1) }

// judge says that the backup cannot fit, as an error, or in a sentence how near it is.
func (r room) judge(user string) (string, error) {
	free, limited := r.quota.Free()
	if !r.known || !limited { // unlimited, or quotas are off: 0 left is not full
		return "", nil
	}
	most, least := r.need(), (max(r.quota.Used-r.old, 0)+r.databases)/hopefulRatio
	figures := fmt.Sprintf("the account %s uses %s of its %s, so %s are free, and a full backup takes up to %s",
		user, keepwatch.FormatBytes(r.quota.Used), keepwatch.FormatBytes(r.quota.Limit), keepwatch.FormatBytes(free), keepwatch.FormatBytes(most))
	switch {
	case free >= most:
		return "", nil
	case r.push:
		return "It may not fit: " + figures + " while the host packs it.", nil
	case least > free:
		older := ""
		if r.old > 0 {
			older = fmt.Sprintf(" (full backups that lie there already take %s)", keepwatch.FormatBytes(r.old))
		}
		return "", keepwatch.Errorf(keepwatch.KindAttention, "A full backup cannot fit: %s, and %s even if it shrinks to a third. It is written into the account's own home. Free some room there%s or have the quota raised, then retry; or back up its parts, which need no room at the host.",
			figures, keepwatch.FormatBytes(least), older)
	}
	return "It may not fit: " + figures + " where nothing in it shrinks.", nil
}

// planHeld sees that a backup that is to be brought home is there.
func (p *Provider) planHeld(ctx context.Context, job providers.Job, h host, u user) (keepwatch.Plan, error) {
	f, err := heldNamed(ctx, h, u, job.Held)
	if err != nil {
		return keepwatch.Plan{}, err
	}
	return keepwatch.Plan{Items: 1, Bytes: f.size}, nil
}

// heldNamed finds a backup in the account's home by its ServerBackup.ID, and says what
// there is where it is not.
func heldNamed(ctx context.Context, h host, u user, id string) (heldFile, error) {
	files, err := homeBackups(ctx, h, u)
	if err != nil {
		return heldFile{}, err
	}
	if f, ok := find(files, id); ok {
		return f, nil
	}
	if _, ok := dayOf(id); ok {
		return heldFile{}, keepwatch.Errorf(keepwatch.KindAttention, "The backup of %s is one of the host's own, which only its administrator gets at. Ask the host to put it into the account's home, or restore files of it in cPanel (Files, File and Directory Restoration).", id)
	}
	if len(files) == 0 {
		return heldFile{}, keepwatch.Errorf(keepwatch.KindNotFound, "%s is not in the home of the account %s any more, and no other full backup either.", id, u.User)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	return heldFile{}, keepwatch.Errorf(keepwatch.KindNotFound, "%s is not in the home of the account %s. What is there: %s.", id, u.User, strings.Join(names, ", "))
}
