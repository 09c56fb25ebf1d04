package handlers

import (
	"fmt"
	"slices"
	"time"

	"keepwatch"
)

// refuseChanges refuses --changes of a source whose backups are always whole, with a button
// that leaves it out; nil: it can be had.
func refuseChanges(s keepwatch.Source, parts []string) error {
	err := s.RefuseChanges()
	if err == nil {
		return nil
	}
	return hinted{err, []keepwatch.Button{{Label: "Back up all of it", Command: "backup start " + Quote(append([]string{s.Name}, parts...)...), Style: keepwatch.StylePrimary}}}
}

// changesOf says in a few words what an archive of changes holds.
func (r *Router) changesOf(base string) string {
	_, stamp, _ := keepwatch.SplitRef(base)
	day := stamp
	if at, err := time.Parse(keepwatch.StampLayout, stamp[:min(len(stamp), len(keepwatch.StampLayout))]); err == nil {
		day = at.In(r.cfg.Location).Format("2006-01-02")
	}
	return "changes since " + day + " (" + keepwatch.Printable(base) + ")"
}

// looseText says that an archive of changes is worth little without what it goes on from.
func looseText(why string) string {
	return "It cannot be restored whole: " + keepwatch.Printable(why) + "."
}

// readWhole says of a run that was to read what changed that it has read all; "" of any
// other.
func readWhole(run keepwatch.Run) string {
	if !run.Ask.Changes || run.Result.Base != "" {
		return ""
	}
	return "All of it was read, and not only what changed. So the archive is whole, and goes on from no other."
}

// heldText names the archives that stay for one reason alone: others go on from them. ""
// is none.
func heldText(decided []keepwatch.Decision) string {
	var lines []string
	for _, d := range decided {
		if d.Keep && d.BaseOf != "" && len(d.Reasons) == 1 {
			lines = append(lines, d.Archive.Ref()+": "+d.Reasons[0])
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return fmt.Sprintf("No rule keeps %s, but what holds changes alone is worth nothing without what it goes on from, so it stays as long as that does:\n%s",
		keepwatch.FormatCount(int64(len(lines)), "more archive"), firstOf(lines))
}

// chainText adds to what is shown of an archive of changes what else is to be restored
// with it, or that it cannot be restored whole.
func (r *Router) chainText(msg *keepwatch.Message, a keepwatch.Archive) error {
	if a.Base == "" {
		return nil
	}
	archives, err := r.archives(a.Source)
	if err != nil {
		return err
	}
	text := "It holds only " + r.changesOf(a.Base) + "."
	if why := keepwatch.BrokenChain(a, archives); why != "" {
		if msg.Tone != keepwatch.ToneBad {
			msg.Tone = keepwatch.ToneWarn
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text(text+" "+looseText(why)))
		return nil
	}
	var chain []string
	for a.Base != "" {
		chain = append(chain, a.Base)
		i := slices.IndexFunc(archives, func(b keepwatch.Archive) bool { return b.Ref() == a.Base })
		if i < 0 {
			break // it was removed between
		}
		a = archives[i]
	}
	slices.Reverse(chain)
	msg.Blocks = append(msg.Blocks, keepwatch.Text(text+" What did not change since then lies in those before it, the oldest first:\n"+firstOf(chain)))
	return nil
}

// alwaysWhole reports whether the first word of a command that is being typed names a
// source whose backups are always whole.
func (r *Router) alwaysWhole(given []string) bool {
	if len(given) == 0 {
		return false
	}
	s, err := r.cfg.Sources.Source(given[0])
	return err == nil && s.RefuseChanges() != nil
}
