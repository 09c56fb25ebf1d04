package download

import (
	"context"
	"fmt"
	"slices"

	"keepwatch"
	"keepwatch/providers"
	"keepwatch/providers/outlook"
)

// Plan lists the folders of a mailbox, as far as the parts name them, and counts what the
// server says is in them.
func (p *Downloader) Plan(ctx context.Context, job providers.Job) (keepwatch.Plan, error) {
	if p.cfg.Server == nil || job.Source.Engine == keepwatch.EnginePurview && p.cfg.Exporter == nil {
		return keepwatch.Plan{}, notConfigured(job.Source.Mailbox)
	}
	if job.Source.Engine == keepwatch.EnginePurview { // it needs no permission to read the mailbox
		return keepwatch.Plan{Text: job.Source.Mailbox + ": a PST that Microsoft Purview makes"}, nil
	}
	for _, part := range job.Parts {
		if !keepwatch.ValidMailboxPart(part) {
			return keepwatch.Plan{}, keepwatch.Errorf(keepwatch.KindInvalid, "%q is no part of a mailbox. Parts are mail, contacts, calendar, hidden, recoverable, or a folder such as Inbox/Projects or calendar/Team.", part)
		}
	}
	all, err := p.cfg.Server.Folders(ctx, job.Source.Mailbox, WishOf(job.Parts))
	if err != nil {
		return keepwatch.Plan{}, err
	}
	folders, missing := Select(job.Parts, all)
	if err := refuse(job.Source.Mailbox, folders, missing, all); err != nil {
		return keepwatch.Plan{}, err
	}
	plan := keepwatch.Plan{Text: fmt.Sprintf("%s: %s", job.Source.Mailbox, keepwatch.FormatCount(int64(len(folders)), "folder"))}
	plan.Items, plan.Bytes = sizeOf(folders)
	if job.Changes != nil && job.Last != nil { // nobody knows how much has changed
		return plan, nil
	}
	return plan, p.room(job.Source, plan.Bytes, 0)
}

// notConfigured says what to do where there is no Server.
func notConfigured(mailbox string) error {
	return keepwatch.Errorf(keepwatch.KindAttention, "The mailbox %s cannot be read: the connection to Microsoft 365 is not configured. Set MICROSOFT_TENANT_ID, MICROSOFT_CLIENT_ID and MICROSOFT_CLIENT_SECRET or MICROSOFT_CLIENT_CERTIFICATE; docs/outlook.md says how, step by step.", mailbox)
}

// refuse says that parts name nothing, or nil.
func refuse(mailbox string, chosen []outlook.Folder, missing []string, all []outlook.Folder) error {
	switch {
	case len(missing) > 0:
		return noSuch(mailbox, missing, all)
	case len(chosen) == 0:
		return keepwatch.Errorf(keepwatch.KindInvalid, "There is nothing to back up: the mailbox %s has no folder of that kind.", mailbox)
	}
	return nil
}

// sizeOf sums up what the server says is in folders.
func sizeOf(folders []outlook.Folder) (items, bytes int64) {
	for _, f := range folders {
		items += max(f.Items, 0)
		bytes += max(f.Bytes, 0)
	}
	return items, bytes
}

// hopefulArchive is how far an archive may shrink at best: what does not fit even then is
// not tried.
const hopefulArchive = 4

// room sees that so many bytes of mail fit where the spools lie: as they are downloaded,
// as the PST, which lies there while it is made, and as the archive. here are those that
// are downloaded already.
func (p *Downloader) room(source keepwatch.Source, bytes, here int64) error {
	free, err := p.cfg.Spools.Free()
	if err != nil {
		return fmt.Errorf("look at the room for a download: %w", err)
	}
	need, what := bytes+bytes/hopefulArchive, "what is downloaded and the archive"
	if hasPST(source) {
		need, what = 2*bytes+2*(bytes/hopefulArchive), "what is downloaded, the PST and the archive"
	}
	if need -= min(here, bytes); free >= need {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "There is not enough room on this machine: %s holds %s, for which %s need at least %s more, and %s are free. Free some room, then retry.",
		source.Mailbox, keepwatch.FormatBytes(bytes), what, keepwatch.FormatBytes(need), keepwatch.FormatBytes(free))
}

// hasPST reports whether a PST is asked for.
func hasPST(source keepwatch.Source) bool { return slices.Contains(source.Formats, "pst") }
