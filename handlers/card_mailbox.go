package handlers

import (
	"fmt"
	"strings"

	"keepwatch"
)

// partlyThere says what is there of a folder at which a restore into a mailbox stopped.
func partlyThere(run keepwatch.Run, begun string) string {
	if run.State == keepwatch.RunCancelled && run.Failure != nil { // it had needed attention
		return "\nIt had stopped at " + begun + ": " + run.Failure.Message
	}
	again := "what the folder has by then is left out."
	if run.Ask.Return[0].Present == "copy" {
		again = "with --present copy what was put there by then comes once more, without it what the folder has is left out."
	}
	return "\nOf " + begun + " a part may be there. Nothing in the mailbox was changed by it. To go on, restore the same again: " + again
}

// putInMailboxDone fills in the card of a restore into a mailbox that went through: what
// became of each folder is the last line of its log.
func putInMailboxDone(msg *keepwatch.Message, run keepwatch.Run) {
	var names, sums []string
	for _, s := range run.Steps {
		names = append(names, s.Name)
	}
	for _, l := range run.Result.Logs {
		text := strings.TrimSpace(l.Text)
		sums = append(sums, keepwatch.Printable(text[strings.LastIndexByte(text, '\n')+1:]))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("It took %s. Nothing was sent to anybody.\n%s", keepwatch.FormatDuration(stepTime(run, names...)), firstOf(sums))))
	heedBlocks(msg, run)
	msg.Blocks = append(msg.Blocks, notes(run.Result)...)
}
