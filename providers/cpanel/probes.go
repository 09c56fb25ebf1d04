package cpanel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers"
)

// Probes looks at a hosting account for a check: whether its host is reached and
// trusted, the account signed in, allowed and able to make a backup, and whether one can
// be downloaded. It changes nothing. It stops where nothing more can be looked at.
func (p *Provider) Probes(ctx context.Context, source keepwatch.Source) []keepwatch.Probe {
	c := &checking{p: p, name: source.Name, prefix: "source " + source.Name, parts: source.Parts}
	a, h, err := p.account(source)
	if err != nil {
		return append(c.probes, c.bad("", err, "Correct keepwatch.yaml."))
	}
	u, err := whoIs(ctx, h, a)
	c.certificate(a, h)
	if err != nil {
		return append(c.probes, c.bad(" sign-in", err, ""))
	}
	who := string(u.User)
	if a.WHM != "" {
		who += ", by WHM as " + a.WHM
	}
	c.add(" sign-in", keepwatch.ProbeGood, fmt.Sprintf("%s answers and knows the account %s.", hostOf(a), who), "")
	c.server(ctx, a, h, u)
	if len(c.parts) > 0 {
		c.pieces(ctx, source, h, u)
		return c.probes
	}
	c.download(ctx, a, h, u)
	return c.probes
}

// checking is a check under way.
type checking struct {
	p      *Provider
	name   string   // of the source
	prefix string   // of the probes' names
	parts  []string // that are backed up; none: all of the account
	probes []keepwatch.Probe
}

func (c *checking) add(what string, status keepwatch.ProbeStatus, text, next string) {
	c.probes = append(c.probes, keepwatch.Probe{Name: c.prefix + what, Status: status, Text: text, Next: next})
}

func (c *checking) bad(what string, err error, next string) keepwatch.Probe {
	if keepwatch.Sentence(err) == "" && errors.Is(err, context.DeadlineExceeded) {
		err = keepwatch.Errorf(keepwatch.KindTransient, "The host did not answer in the time that a check takes, or another call of the account was under way for all of it. Try again later, and ask the host if it is so again.")
	}
	return keepwatch.Probe{Name: c.prefix + what, Status: keepwatch.ProbeBad, Text: said(err), Next: next}
}

// soonDays is how near an end is worth a warning.
const soonDays = 14 * 24 * time.Hour

// certificate says how the host proves who it is, and until when.
func (c *checking) certificate(a keepwatch.Hosting, h host) {
	at, print, ok := h.lastCertificate()
	if !ok {
		return
	}
	how := "vouched for by an authority that this machine trusts"
	switch {
	case a.Fingerprint != "":
		how = "the pinned one (" + short(print) + "…)"
	case a.CA != "":
		how = "vouched for by " + a.CA
	}
	text := fmt.Sprintf("The certificate of %s is %s, until %s.", hostOf(a), how, day(at))
	if at.Before(c.p.now().Add(soonDays)) {
		c.add(" certificate", keepwatch.ProbeWarn, text, "Ask the host to renew it; a pinned fingerprint has to be changed then.")
		return
	}
	c.add(" certificate", keepwatch.ProbeGood, text, "")
}

func short(print string) string { return print[:min(len(print), 16)] }

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// server looks at rights, version, room and the token's end.
func (c *checking) server(ctx context.Context, a keepwatch.Hosting, h host, u user) {
	if err := allowed(u); err != nil {
		c.probes = append(c.probes, c.bad(" rights", err, ""))
	}
	tokens, err := tokensOf(ctx, h, a)
	if err != nil {
		c.probes = append(c.probes, c.bad(" rights", err, ""))
		return
	}
	v, err := h.version(ctx)
	if err != nil {
		c.add(" version", keepwatch.ProbeWarn, "The host does not say which version it runs: "+said(err), "")
	} else {
		text := fmt.Sprintf("The host runs cPanel %v.", v)
		if len(c.parts) == 0 {
			text += " A full backup is watched by " + wayOf(v, a) + "."
		}
		c.add(" version", keepwatch.ProbeGood, text, "")
	}
	lacking := slices.DeleteFunc(lacks(a, u, v, tokens, len(c.parts) == 0), func(text string) bool { return text == keepwatch.Sentence(allowed(u)) }) // said above
	for _, text := range lacking {
		c.add(" rights", keepwatch.ProbeBad, text, "")
	}
	if len(lacking) == 0 && allowed(u) == nil {
		c.add(" rights", keepwatch.ProbeGood, "The account may make backups.", "")
	}
	if len(c.parts) == 0 { // parts need no room at the host
		c.room(ctx, a, h, u)
	}
	ends, err := c.p.expiring(ctx, h, a, tokens)
	if err != nil {
		c.probes = append(c.probes, c.bad(" token", err, ""))
		return
	}
	for _, e := range ends {
		name, isToken := strings.CutPrefix(e.Name, "API token ")
		if !isToken {
			continue
		}
		status, next := keepwatch.ProbeGood, ""
		if e.At.Before(c.p.now().Add(soonDays)) {
			status, next = keepwatch.ProbeWarn, e.How
		}
		c.add(" token", status, fmt.Sprintf("The API token %s works until %s.", name, day(e.At)), next)
	}
}

// watchSince is the version from which BackupInfo says how far a backup is.
const watchSince = 136

func wayOf(v version, a keepwatch.Hosting) string {
	switch {
	case a.Push != nil:
		return "what arrives in " + a.Push.Folder
	case v.atLeast(watchSince):
		return "what the host says of it (BackupInfo)"
	}
	return "the host's list of pending backups and the size of its file"
}

// room looks whether a full backup fits.
func (c *checking) room(ctx context.Context, a keepwatch.Hosting, h host, u user) {
	plan, err := c.p.planFull(ctx, a, h, u)
	if err != nil {
		if allowed(u) == nil {
			c.probes = append(c.probes, c.bad(" room", err, ""))
		}
		return
	}
	if plan.Text != "" {
		c.add(" room", keepwatch.ProbeWarn, plan.Text, "Free some room in the account, or have its quota raised.")
		return
	}
	c.add(" room", keepwatch.ProbeGood, fmt.Sprintf("A full backup of up to %s fits.", keepwatch.FormatBytes(plan.Bytes)), "")
}

// download tries the first bytes of a backup that is there: no document says by which
// way a host gives one out.
func (c *checking) download(ctx context.Context, a keepwatch.Hosting, h host, u user) {
	if a.Push != nil {
		if files, err := arrivals(*a.Push, string(u.User)); err != nil {
			c.probes = append(c.probes, c.bad(" receiver", err, ""))
		} else {
			c.add(" receiver", keepwatch.ProbeGood, fmt.Sprintf("%s can be read and holds %s of the account.", a.Push.Folder, keepwatch.FormatCount(int64(len(files)), "full backup")), "")
		}
		return
	}
	files, err := homeBackups(ctx, h, u)
	if err != nil {
		c.probes = append(c.probes, c.bad(" download", err, ""))
		return
	}
	if len(files) == 0 {
		c.add(" download", keepwatch.ProbeOff, "Not tried yet: there is no backup in the account's home that could be downloaded.", "The first full backup finds the way; or make one now: /backup start "+c.name)
		return
	}
	way, err := h.probe(ctx, downloadRoute(files[len(files)-1].path))
	if err != nil {
		c.probes = append(c.probes, c.bad(" download", err, "Give Keepwatch a password or SFTP access, or have full backups sent to a receiver (push:)."))
		return
	}
	c.add(" download", keepwatch.ProbeGood, "A backup can be downloaded ("+way+").", "")
}

// pieces looks whether the parts that are backed up are there. None is downloaded: the
// host would make it for that.
func (c *checking) pieces(ctx context.Context, source keepwatch.Source, h host, u user) {
	plan, err := c.p.planParts(ctx, providers.Job{Source: source}, h, u)
	switch {
	case err == nil:
		c.add(" parts", keepwatch.ProbeGood, fmt.Sprintf("The parts are there: %s to download.", keepwatch.FormatCount(plan.Items, "file")), "")
	case allowed(u) == nil: // else it was said
		c.probes = append(c.probes, c.bad(" parts", err, ""))
	}
}
