package handlers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"keepwatch"
)

// RunMessage is the card of a run as it is now: what it does or did, in plain
// words, with the buttons that make sense in this state.
func (r *Router) RunMessage(run keepwatch.Run) keepwatch.Message {
	msg := keepwatch.Message{Run: run.ID}
	number := strconv.FormatInt(run.ID, 10)
	cancel := keepwatch.Button{Label: "Cancel", Command: "backup cancel " + number, Style: keepwatch.StyleDanger}
	details := keepwatch.Button{Label: "Details", Command: "backup status " + number}
	if !run.CancelAsked.IsZero() && !run.State.Settled() {
		msg.Title, msg.Tone = fmt.Sprintf("Run %d: %s is being cancelled", run.ID, work(run)), keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text(byWhom(run)+"\nIt stops as soon as it can."))
		msg.Buttons = append(msg.Buttons, details)
		return msg
	}
	switch run.State {
	case keepwatch.RunQueued:
		msg.Title = fmt.Sprintf("Run %d: %s begins", run.ID, work(run))
		msg.Blocks = append(msg.Blocks, keepwatch.Text("It is recorded, so that no restart loses it, and begins at once, or when a run under way has ended."))
		msg.Buttons = append(msg.Buttons, cancel, details)
	case keepwatch.RunRunning, keepwatch.RunWaiting:
		msg.Title = fmt.Sprintf("Run %d: %s is under way", run.ID, work(run))
		p := run.Progress
		msg.Blocks = append(append(msg.Blocks, keepwatch.Text(r.stepWord(run)), keepwatch.Block{Progress: &p}), pauseBlocks(p.Pause)...)
		msg.Buttons = append(msg.Buttons, cancel, details)
	case keepwatch.RunDone:
		r.done(&msg, run)
		msg.Buttons = append(msg.Buttons, details)
	case keepwatch.RunCancelled:
		msg.Title, msg.Tone = fmt.Sprintf("Run %d: %s was cancelled", run.ID, work(run)), keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text(byWhom(run)+"\n"+r.leftOf(run)))
	case keepwatch.RunAttention:
		msg.Title, msg.Tone = fmt.Sprintf("Run %d: %s needs attention", run.ID, work(run)), keepwatch.ToneBad
		msg.Blocks = append(msg.Blocks, failureText(run))
		if done, _ := returned(run); len(done) > 0 {
			msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("Put back so far, %d of %d:\n%s", len(done), len(run.Ask.Return), firstOf(done))))
		}
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Retry", Command: "backup retry " + number, Style: keepwatch.StylePrimary}, cancel, details)
		msg.Buttons = append(msg.Buttons, others(run)...)
	default:
		msg.Title, msg.Tone, msg.Failed = fmt.Sprintf("Run %d: %s failed", run.ID, work(run)), keepwatch.ToneBad, true
		msg.Blocks = append(msg.Blocks, failureText(run))
		if run.Kind == keepwatch.RunBackup || len(run.Ask.Return) > 0 {
			msg.Blocks = append(msg.Blocks, keepwatch.Text(r.leftOf(run)))
		}
		msg.Buttons = append(append(msg.Buttons, details), others(run)...)
	}
	return msg
}

// others leads whoever has found an archive damaged to those that may be whole.
func others(run keepwatch.Run) []keepwatch.Button {
	if run.Kind != keepwatch.RunVerify && run.Kind != keepwatch.RunRestore {
		return nil
	}
	return []keepwatch.Button{{Label: "Other archives", Command: "backup list " + Quote(run.Source)}}
}

// byWhom says who has cancelled a run, and why.
func byWhom(run keepwatch.Run) string {
	if run.CancelReason != "" {
		return "By " + run.CancelledBy + ": " + run.CancelReason
	}
	return "By " + run.CancelledBy + "."
}

// leftOf says what is left of a run that was cancelled, or of a backup that failed.
func (r *Router) leftOf(run keepwatch.Run) string {
	removed := ""
	if n := int64(len(run.Result.Removed)); n > 0 {
		removed = " Before that " + removedText(run.Result.Removed)
	}
	switch {
	case len(run.Ask.Return) > 0:
		return returnedText(run)
	case run.Ask.Inside:
		return "No folder was made, and nothing that was there was touched."
	case run.Kind == keepwatch.RunRestore:
		return "No new folder was made. What it had restored into one that was there already stays in it."
	case run.Kind == keepwatch.RunVerify:
		return "Nothing was proved, and nothing was changed."
	case run.Kind == keepwatch.RunPrune && removed == "":
		return "Nothing was removed."
	case run.Kind == keepwatch.RunPrune:
		return strings.TrimSpace(removed)
	case run.Result.Archive != "":
		return "Its archive " + run.Result.Archive + " was complete and verified by then, and is kept." + removed + r.hostLeft(run) + downloadLeft(run)
	}
	return "No archive was made of it. Those from before are as they were." + r.hostLeft(run) + downloadLeft(run)
}

func failureText(run keepwatch.Run) keepwatch.Block {
	if run.Failure == nil {
		return keepwatch.Text("Why is not known. An admin finds more in the log.")
	}
	return keepwatch.Text(run.Failure.Message)
}

// work names what a run does.
func work(run keepwatch.Run) string {
	switch run.Kind {
	case keepwatch.RunBackup:
		if run.Ask.Held != "" {
			return "bringing home " + keepwatch.Printable(run.Ask.Held) + " of " + run.Source
		}
		what := "backup of " + run.Source
		if run.Ask.Changes {
			what = "backup of what changed in " + run.Source
		}
		if len(run.Ask.Parts) > 0 {
			what += " (" + partsText(run.Ask.Parts) + ")"
		}
		return what
	case keepwatch.RunVerify:
		return "proof of " + run.Ask.Archive
	case keepwatch.RunRestore:
		if n := int64(len(run.Ask.Return)); n > 0 && toSomeMailbox(run.Ask.Return) {
			return "putting " + keepwatch.FormatCount(n, "folder") + " of " + run.Source + " into " + keepwatch.Printable(run.Ask.Return[0].Mailbox)
		} else if n > 0 {
			return "putting " + keepwatch.FormatCount(n, "item") + " back into " + run.Source
		}
		return "restore of " + run.Ask.Archive
	case keepwatch.RunPrune:
		return "pruning of " + run.Source
	}
	return string(run.Kind) + " of " + run.Source
}

// partsText names the parts of a source in a few words.
func partsText(parts []string) string {
	if len(parts) == 0 {
		return "all of it"
	}
	const shown = 3
	text := printable(parts[:min(len(parts), shown)], ", ")
	if more := len(parts) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// printable joins names from a source or an archive, none of which can forge a
// line of its own.
func printable(names []string, between string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = keepwatch.Printable(name)
	}
	return strings.Join(list, between)
}

// stateWord is a run's state for a table.
func (r *Router) stateWord(run keepwatch.Run) string {
	if f, ok := run.Progress.Fraction(); ok && run.State == keepwatch.RunRunning {
		return fmt.Sprintf("%s, %s %d %%", run.State, r.stepName(run, run.Progress.Step), int(f*100))
	}
	if step := run.Current(); step != nil && run.State == keepwatch.RunRunning && r.atHost(run, step.Name) != "" {
		return fmt.Sprintf("%s, %s", run.State, r.stepName(run, step.Name))
	}
	if run.State == keepwatch.RunDone && leftOut(run.Result.Counts) > 0 {
		return "done, with gaps"
	}
	return string(run.State)
}

// done fills in the card of a run that went through.
func (r *Router) done(msg *keepwatch.Message, run keepwatch.Run) {
	msg.Title, msg.Tone = fmt.Sprintf("Run %d: %s is done", run.ID, work(run)), keepwatch.ToneGood
	res := run.Result
	took := stepTime(run, "fetch", "extract", "verify")
	switch run.Kind {
	case keepwatch.RunBackup:
		r.backupDone(msg, run)
	case keepwatch.RunVerify:
		msg.Blocks = append(msg.Blocks, keepwatch.Text(proofText(res.Verification)))
		if len(res.Notes) > 0 { // it is whole itself, and lacks what it goes on from
			msg.Tone = keepwatch.ToneWarn
			msg.Title += ", with something to look at"
		}
		msg.Blocks = append(msg.Blocks, notes(res)...)
	case keepwatch.RunRestore:
		if len(run.Ask.Return) > 0 {
			putBackDone(msg, run)
			return
		}
		if run.Ask.Inside {
			broughtOut(msg, run)
			return
		}
		msg.Blocks = append(msg.Blocks,
			keepwatch.Text(fmt.Sprintf("%s (%s) restored in %s, each compared with its SHA-256 from the day of the backup.", keepwatch.FormatCount(res.Items, "item"), keepwatch.FormatBytes(res.Bytes), keepwatch.FormatDuration(took))),
			keepwatch.Block{Fields: []keepwatch.Field{{Name: "From", Value: res.Archive}, {Name: "To", Value: run.Ask.To}}})
		msg.Blocks = append(msg.Blocks, notes(res)...)
	case keepwatch.RunPrune:
		msg.Blocks = append(msg.Blocks, keepwatch.Text(removedText(res.Removed)))
		msg.Blocks = append(msg.Blocks, notes(res)...)
	}
}

func removedText(removed []string) string {
	if len(removed) == 0 {
		return "Nothing was removed."
	}
	return keepwatch.FormatCount(int64(len(removed)), "archive") + " removed:\n" + strings.Join(removed, "\n")
}

// stepTime adds up how long some steps took.
func stepTime(run keepwatch.Run, names ...string) time.Duration {
	var sum time.Duration
	for _, name := range names {
		if s := run.Step(name); s != nil && !s.Ended.IsZero() {
			sum += s.Ended.Sub(s.Started)
		}
	}
	return sum
}

func (r *Router) backupDone(msg *keepwatch.Message, run keepwatch.Run) {
	res := run.Result
	var sealed int64
	for _, s := range res.Sealed {
		sealed += s.Size
	}
	took := stepTime(run, "download", "fetch")
	much := fmt.Sprintf("%s (%s)", keepwatch.FormatCount(res.Items, "item"), keepwatch.FormatBytes(res.Bytes))
	if holdsMail(res.Inside) {
		much = mailText(*res.Inside)
	}
	text := fmt.Sprintf("%s read in %s, %s; sealed to %s.", much,
		keepwatch.FormatDuration(took), keepwatch.FormatRate(res.Bytes, took), keepwatch.FormatBytes(sealed))
	msg.Blocks = append(msg.Blocks, keepwatch.Text(text), keepwatch.Text(proofText(res.Verification)))
	if whole := readWhole(run); whole != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(whole))
	}
	msg.Blocks = append(append(msg.Blocks, r.mailboxBlocks(res.Mailboxes, res.Counts[keepwatch.NoteMailbox])...), passwordBlocks(res.Inside, res.Mailboxes)...)
	msg.Blocks = append(msg.Blocks, notes(res)...)
	if bad := worse(res.Mailboxes); bad != "" {
		msg.Tone = keepwatch.ToneWarn
		msg.Title += bad // it is kept as it came: no failure of the backup
	}
	if leftOut(res.Counts) > 0 {
		msg.Tone = keepwatch.ToneWarn
		msg.Title += ", with gaps"
		msg.Failed = true // what is missing must not pass for a backup in somebody's cron
	}
	if len(res.Findings) > 0 {
		msg.Tone, msg.Failed = keepwatch.ToneWarn, true // an empty folder must not pass for a backup either
		msg.Title += ", and is unlike those before it"  // all that a phone shows is the title
		msg.Blocks = append(msg.Blocks, keepwatch.Text(pausedText(run.Source, res.Findings)))
		msg.Buttons = append(msg.Buttons, acceptButton(run.Source, res.Archive))
	}
	if n := int64(len(res.Waiting)); n > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("By the retention rules "+keepwatch.FormatCount(n, "archive")+" would go:\n"+strings.Join(res.Waiting, "\n")+
			"\nNobody has confirmed these rules for "+run.Source+" as they are now, so nothing was removed."))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Show what would go", Command: "backup prune " + Quote(run.Source)})
	}
	if len(res.Removed) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("By the retention rules "+removedText(res.Removed)))
	}
	fields := []keepwatch.Field{{Name: "Archive", Value: res.Archive}, {Name: "Where", Value: r.cfg.Vault.Path(res.Archive)}}
	if res.Base != "" {
		fields = append(fields, keepwatch.Field{Name: "Holds only", Value: r.changesOf(res.Base)})
	}
	if res.Inside != nil && !res.Inside.IsZero() && !holdsMail(res.Inside) {
		fields = append(fields, keepwatch.Field{Name: "Inside", Value: insideText(*res.Inside)})
	}
	if len(res.Copied) > 0 {
		fields = append(fields, keepwatch.Field{Name: "Copy", Value: strings.Join(res.Copied, ", ") + " (read back and compared)"})
	}
	if r.cfg.KeyFile != "" {
		fields = append(fields, keepwatch.Field{Name: "Key", Value: r.cfg.KeyFile + " (keep a copy elsewhere: without it no archive opens)"})
	}
	msg.Blocks = append(append(msg.Blocks, keepwatch.Block{Fields: fields}), r.openBlocks(res.Archive, res.Sealed)...)
	msg.Buttons = append(append(msg.Buttons, keepwatch.Button{Label: "Restore", Command: "backup restore " + Quote(res.Archive)}), foldersButtons(res.Archive, res.Mailboxes)...)
}

// proofText says what a verification proved, and how.
func proofText(v *keepwatch.Verification) string {
	if v == nil {
		return "Nothing was verified."
	}
	if !v.OK() {
		var b strings.Builder
		fmt.Fprintf(&b, "%s found:", keepwatch.FormatCount(int64(len(v.Problems)), "problem"))
		for _, p := range v.Problems {
			b.WriteString("\n✗ " + p.Text)
		}
		return b.String()
	}
	rate := keepwatch.FormatRate(v.Sealed, v.Took)
	if v.Level == keepwatch.LevelSealed {
		return fmt.Sprintf("Verified as far as it can be without the key: all %s were read back from disk and their SHA-256 is right (%s). What is inside was not opened.", keepwatch.FormatBytes(v.Sealed), rate)
	}
	return fmt.Sprintf("Verified: read back from disk (%s), decrypted and unpacked, and the SHA-256 of %s compared with the sealed list of contents.", rate, every(v.Files))
}

func every(files int64) string {
	if files == 1 {
		return "the one file"
	}
	return "all " + keepwatch.FormatCount(files, "file")
}

// proofWord is a verification for a table.
func proofWord(a keepwatch.Archive) string {
	v, ok := a.LastVerification()
	switch {
	case !ok:
		return "not verified"
	case !v.OK():
		return "damaged: " + v.Problems[0].Text
	case v.Level == keepwatch.LevelSealed:
		return "hashes verified"
	}
	return "verified"
}

// gapKinds are the notes that mean that something is missing in the archive.
var gapKinds = []keepwatch.NoteKind{keepwatch.NoteUnreadable, keepwatch.NoteHalf, keepwatch.NoteVanished, keepwatch.NoteSpecial, keepwatch.NoteChanged}

// leftOut counts what could not be read, at all or to its end, or changed while
// it was read.
func leftOut(counts map[keepwatch.NoteKind]int64) int64 {
	return counts[keepwatch.NoteUnreadable] + counts[keepwatch.NoteHalf] + counts[keepwatch.NoteChanged]
}

var noteTitles = map[keepwatch.NoteKind]string{
	keepwatch.NoteUnreadable: "Could not be read", keepwatch.NoteHalf: "Could be read only in part", keepwatch.NoteVanished: "Gone before it was read", keepwatch.NoteSpecial: "Left out, because it is no ordinary file",
	keepwatch.NoteChanged: "Changed while it was read", keepwatch.NoteSparse: "Has holes", keepwatch.NoteHardLink: "Hard links", keepwatch.NoteExcluded: "Left out", keepwatch.NoteMount: "Other file systems", keepwatch.NoteInfo: "Good to know",
}

// shownNotes is how many notes of a kind a card names.
const shownNotes = 3

// notes lists what is worth knowing, by kind: counted, the first ones named.
func notes(res keepwatch.Result) []keepwatch.Block {
	var blocks []keepwatch.Block
	kinds := append(append([]keepwatch.NoteKind{}, gapKinds...), keepwatch.NoteExcluded, keepwatch.NoteInfo, keepwatch.NoteMount, keepwatch.NoteHardLink, keepwatch.NoteSparse)
	for _, kind := range kinds {
		var lines []string
		for _, n := range res.Notes {
			if n.Kind == kind && len(lines) < shownNotes {
				lines = append(lines, strings.TrimPrefix(keepwatch.Printable(n.Path)+": "+n.Text, ": "))
			}
		}
		total := max(res.Counts[kind], int64(len(lines)))
		if total == 0 {
			continue
		}
		head := noteTitles[kind]
		if total > 1 {
			head += fmt.Sprintf(" (%s)", keepwatch.FormatCount(total, ""))
		}
		if more := total - int64(len(lines)); more > 0 {
			lines = append(lines, fmt.Sprintf("… and %s more", keepwatch.FormatCount(more, "")))
		}
		blocks = append(blocks, keepwatch.Text(head+":\n"+strings.Join(lines, "\n")))
	}
	return blocks
}

func pausedText(source string, findings []keepwatch.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This archive is unlike those before it:")
	for _, f := range findings {
		b.WriteString("\n! " + f.Text)
	}
	fmt.Fprintf(&b, "\nSo retention is paused: no archive of %s is removed until somebody says that this is right.", source)
	return b.String()
}

func acceptButton(source, ref string) keepwatch.Button {
	return keepwatch.Button{Label: "It is right", Command: "backup prune " + Quote(source) + " --accept " + Quote(ref)}
}

// details is all that is known of a run. Causes are for admins.
func (r *Router) details(run keepwatch.Run, role keepwatch.Role) keepwatch.Message {
	msg := r.RunMessage(run)
	fields := []keepwatch.Field{{Name: "Asked by", Value: run.By + " in " + run.Where}, {Name: "Asked at", Time: run.Created}}
	if !run.Ended.IsZero() {
		fields = append(fields, keepwatch.Field{Name: "Ended", Time: run.Ended})
	}
	for _, s := range shownSteps(&fields, run.Steps) {
		value := string(s.State)
		if s.State == keepwatch.StepDone {
			value += " in " + keepwatch.FormatDuration(s.Ended.Sub(s.Started))
		}
		if s.Attempts > 1 {
			value += fmt.Sprintf(", begun %d times", s.Attempts)
		}
		fields = append(fields, keepwatch.Field{Name: "Step " + r.stepName(run, s.Name), Value: value})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields})
	for _, f := range run.Failures {
		text := r.time(f.At) + ", step " + keepwatch.Printable(f.Step) + ": " + f.Message
		if cause := causeText(f); role >= keepwatch.RoleAdmin && cause != "" {
			text += "\nCause: " + cause
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text(text))
	}
	msg.Blocks = append(msg.Blocks, logBlocks(run)...)
	var buttons []keepwatch.Button
	for _, b := range msg.Buttons {
		if b.Label != "Details" {
			buttons = append(buttons, b)
		}
	}
	msg.Buttons, msg.Run, msg.Failed = buttons, 0, false
	return msg
}

// time writes an instant in the bot's zone.
func (r *Router) time(t time.Time) string { return t.In(r.cfg.Location).Format("2 Jan 2006 15:04") }

// when writes an instant into a table: in the terminal with how long ago it is; on
// a platform, where it is read days later too, with the zone of the bot.
func (r *Router) when(c *call, t time.Time) string {
	if c.req.Local {
		return r.ago(t)
	}
	return t.In(r.cfg.Location).Format("2 Jan 2006 15:04 MST")
}

// ago writes an instant and how long ago it is.
func (r *Router) ago(t time.Time) string {
	d := r.cfg.Now().Sub(t)
	if d < time.Minute {
		return r.time(t) + ", just now"
	}
	return r.time(t) + ", " + keepwatch.FormatDuration(d.Truncate(time.Minute)) + " ago"
}
