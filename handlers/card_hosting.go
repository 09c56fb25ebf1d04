package handlers

import (
	"fmt"
	"strings"

	"keepwatch"
)

// hostLeft says what a run that did not finish leaves at the host that was asked to
// make something; "" is nothing.
func (r *Router) hostLeft(run keepwatch.Run) string {
	request, wait, release := run.Step("request"), run.Step("wait"), run.Step("release")
	switch {
	case request == nil || request.State == keepwatch.StepPending || release != nil && release.State == keepwatch.StepDone:
		return ""
	case r.byPurview(run):
		return " The export that Purview was asked for stays there, and goes on if it has begun, until somebody removes it in the Purview portal. Nothing in the mailbox was changed."
	case wait != nil && wait.State == keepwatch.StepDone:
		return " What the host has made for it stays where the host has put it, and takes up room until somebody removes it."
	case request.State == keepwatch.StepDone:
		return " The host goes on making what it was asked for, since nobody can stop that from here. It then takes up room until somebody removes it; a new backup that begins meanwhile may take it over."
	}
	return " If the host has begun on what it was asked for, it goes on, since nobody can stop that from here."
}

// returned gives the items of a restore to an account that were put back, and the one
// that was begun and is not, if any.
func returned(run keepwatch.Run) (done []string, begun string) {
	for i, item := range run.Ask.Return {
		if i+1 >= len(run.Steps) { // step 0 is the plan
			break
		}
		name := keepwatch.Printable(item.Name) + " (from " + item.Archive + ")"
		switch run.Steps[i+1].State {
		case keepwatch.StepDone:
			done = append(done, name)
		case keepwatch.StepRunning, keepwatch.StepFailed:
			begun = keepwatch.Printable(item.Name)
		}
	}
	return done, begun
}

// shownReturned is how many of the things that were put back a card names.
const shownReturned = 20

// firstOf gives the first lines of a list that may be long: an account may have
// hundreds of databases.
func firstOf(lines []string) string {
	text := strings.Join(lines[:min(len(lines), shownReturned)], "\n")
	if more := len(lines) - shownReturned; more > 0 {
		text += fmt.Sprintf("\n… and %s more", keepwatch.FormatCount(int64(more), ""))
	}
	return text
}

// returnedText says what of a restore to an account was done by the time it stopped.
func returnedText(run keepwatch.Run) string {
	done, begun := returned(run)
	text := "Nothing was put back."
	if len(done) > 0 {
		text = fmt.Sprintf("Put back by then, %d of %d:\n%s", len(done), len(run.Ask.Return), firstOf(done))
	}
	if begun != "" && toSomeMailbox(run.Ask.Return) {
		return text + partlyThere(run, begun)
	}
	if begun != "" {
		if len(done) == 0 {
			text = "Nothing is known to be put back."
		}
		if run.State == keepwatch.RunCancelled && run.Failure != nil { // it had needed attention
			return text + "\nIt had stopped at " + begun + ": " + run.Failure.Message
		}
		text += "\nWith " + begun + " the host may have begun, and then goes on by itself. Look at the account before you begin anew."
	}
	return text
}

// shownSteps gives the steps of a run that its details name. Of a long list, those that
// are done or wait are counted in fields.
func shownSteps(fields *[]keepwatch.Field, steps []keepwatch.Step) []keepwatch.Step {
	const most = 24
	if len(steps) <= most {
		return steps
	}
	var list []keepwatch.Step
	done, waiting := int64(0), int64(0)
	for _, s := range steps {
		switch s.State {
		case keepwatch.StepDone:
			done++
		case keepwatch.StepPending:
			waiting++
		default:
			list = append(list, s)
		}
	}
	*fields = append(*fields, keepwatch.Field{Name: "Steps", Value: fmt.Sprintf("%d of %d done, %d waiting", done, len(steps), waiting)})
	return list
}

// putBackDone fills in the card of a restore to an account that went through.
func putBackDone(msg *keepwatch.Message, run keepwatch.Run) {
	if toSomeMailbox(run.Ask.Return) {
		putInMailboxDone(msg, run)
		return
	}
	done, _ := returned(run)
	var names []string
	for _, s := range run.Steps {
		names = append(names, s.Name)
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("%s put back into the account of %s in %s, in this order:\n%s",
		keepwatch.FormatCount(int64(len(done)), "item"), run.Source, keepwatch.FormatDuration(stepTime(run, names...)), firstOf(done))))
	heedBlocks(msg, run)
	if len(run.Result.Logs) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Look whether the site works before you tell anybody. What the host wrote is kept with the run, under Details."))
	}
	msg.Blocks = append(msg.Blocks, notes(run.Result)...)
}

// heedBlocks shows what whoever asked must know, although it went well.
func heedBlocks(msg *keepwatch.Message, run keepwatch.Run) {
	var heed []string
	for _, l := range run.Result.Logs {
		if l.Heed != "" {
			heed = append(heed, "! "+keepwatch.Printable(l.Step)+": "+keepwatch.Printable(l.Heed))
		}
	}
	if len(heed) > 0 {
		msg.Tone = keepwatch.ToneWarn
		msg.Title += ", with something to look at"
		msg.Blocks = append(msg.Blocks, keepwatch.Text(firstOf(heed)))
	}
}

// Limits of what is shown of the server's logs.
const (
	shownLogs = 5
	shownLog  = 1200 // bytes of each
)

// logBlocks shows the ends of what the server wrote, the newest last.
func logBlocks(run keepwatch.Run) []keepwatch.Block {
	logs, wrote := run.Result.Logs, "What the host wrote in the step "
	var blocks []keepwatch.Block
	if toSomeMailbox(run.Ask.Return) { // no server wrote that
		wrote = "What became of the items in the step "
		if more := len(logs) - shownLogs; more > 0 {
			logs = logs[more:]
			blocks = append(blocks, keepwatch.Text(fmt.Sprintf("There is a list of each of %d folders; these are the last %d.", more+shownLogs, shownLogs)))
		}
	}
	if more := len(logs) - shownLogs; more > 0 {
		logs = logs[more:]
		blocks = append(blocks, keepwatch.Text(fmt.Sprintf("The host wrote %d logs; these are the last %d.", more+shownLogs, shownLogs)))
	}
	for _, l := range logs {
		text := strings.TrimSpace(l.Text)
		if cut := len(text) - shownLog; cut > 0 {
			text = text[cut:]
			_, rest, whole := strings.Cut(text, "\n")
			if whole && rest != "" {
				text = rest
			}
			text = "…\n" + strings.ToValidUTF8(text, "")
		}
		head := wrote + keepwatch.Printable(l.Step)
		if l.Name != "" && !toSomeMailbox(run.Ask.Return) {
			head += " (" + keepwatch.Printable(l.Name) + ")"
		}
		if text == "" {
			blocks = append(blocks, keepwatch.Text(head+": nothing."))
			continue
		}
		blocks = append(blocks, keepwatch.Text(head+":"), keepwatch.Code(keepwatch.Clean(text)))
	}
	return blocks
}

// causeText gives the cause of a failure without what its message says already. It may
// be the words of somebody else's server, so that it is one line.
func causeText(f keepwatch.Failure) string {
	cause := f.Cause
	if f.Message != "" {
		cause = strings.ReplaceAll(cause, f.Message+": ", "")
		cause = strings.TrimSuffix(cause, f.Message)
	}
	cause = strings.TrimSuffix(strings.TrimPrefix(cause, f.Step+": "), ": ")
	if cause == f.Step {
		return ""
	}
	return keepwatch.Printable(cause)
}
