package handlers

import (
	"fmt"

	"keepwatch"
)

// backsUpMailbox reports whether a run backs up a mailbox. Its source says so; one that is
// no longer configured has left its step.
func (r *Router) backsUpMailbox(run keepwatch.Run) bool {
	return run.Kind == keepwatch.RunBackup && (run.Step("download") != nil || r.ofMailbox(run.Source))
}

// byPurview reports whether a run has Purview make an export of a mailbox: only those of
// mailboxes that do have something made.
func (r *Router) byPurview(run keepwatch.Run) bool {
	return run.Step("request") != nil && r.backsUpMailbox(run)
}

// doingAtPurview is what the steps of such a run do, for people.
var doingAtPurview = map[string]string{
	"request": "Asking Purview to make the export", "wait": "Purview is making the export", "fetch": "Bringing the export here, checking and sealing it", "release": "Removing the export at Purview",
}

// doing is what a step does, for people.
var doing = map[string]string{
	"download": "Downloading the mailbox", "plan": "Looking at what there is", "request": "Asking the host to make it", "wait": "The host is making it", "release": "Clearing up at the host", "fetch": "Reading and sealing", "verify": "Reading back and proving",
	"seal": "Putting the archive in its place", "copy": "Copying it to another place", "prune": "Tidying up old archives", "extract": "Restoring",
}

func (r *Router) stepWord(run keepwatch.Run) string {
	step := run.Current()
	if step == nil {
		return "Finishing"
	}
	at := 1
	for i := range run.Steps {
		if run.Steps[i].Name == step.Name {
			at = i + 1
		}
	}
	word, ok := doing[step.Name]
	switch other := doingAtPurview[step.Name]; {
	case other != "" && r.byPurview(run):
		word = other
	case step.Name == "fetch" && r.backsUpMailbox(run):
		word = "Making the archive of what was downloaded"
	}
	if !ok {
		word = keepwatch.Printable(step.Name)
	}
	if n := len(run.Ask.Return); n > 0 && at >= 2 && at-2 < n {
		word = fmt.Sprintf("Putting back %s (item %d of %d)", keepwatch.Printable(run.Ask.Return[at-2].Name), at-1, n)
		if f, ok := run.Progress.Fraction(); ok && f == 1 && run.Progress.Step == step.Name && !toSomeMailbox(run.Ask.Return) {
			word += ". The host has all of it and puts it in place, which may take longer than sending it"
		}
		return word
	}
	return fmt.Sprintf("%s (step %d of %d)", word, at, len(run.Steps))
}

// atHost names the steps in which somebody else's server works, which their own names do
// not tell; "" for any other.
func (r *Router) atHost(run keepwatch.Run, step string) string {
	host := "the host"
	if r.byPurview(run) {
		host = "Purview"
	}
	switch step {
	case "request":
		return "asking " + host
	case "wait":
		return "waiting for " + host
	case "release":
		return "clearing up at " + host
	}
	return ""
}

// pauseBlocks say that a run stands still, or a call of it, why and until when; none where
// nothing does.
func pauseBlocks(p keepwatch.Pause) []keepwatch.Block {
	if p.Until.IsZero() {
		return nil
	}
	if p.Trouble {
		return []keepwatch.Block{keepwatch.Text(p.Why + " Nothing is lost, and nobody need do anything yet: if that does not help, the run says so."), keepwatch.Field{Name: "Tried again at", Time: p.Until}.Block()}
	}
	return []keepwatch.Block{keepwatch.Text(p.Why + " Nothing is lost, and nobody need do anything: the run goes on by itself."), keepwatch.Field{Name: "Waits until", Time: p.Until}.Block()}
}

// stepName names a step of a run for a table.
func (r *Router) stepName(run keepwatch.Run, name string) string {
	if at := r.atHost(run, name); at != "" {
		return at
	}
	return keepwatch.Printable(name)
}

// downloadLeft says what becomes of what a run that did not finish has downloaded; "" where
// it has not begun to.
func downloadLeft(run keepwatch.Run) string {
	if s := run.Step("download"); s == nil || s.State == keepwatch.StepPending {
		return ""
	}
	return " What was downloaded for it is removed from this machine, and nothing in the mailbox was changed."
}
