package handlers

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"keepwatch"
)

func (r *Router) prune(ctx context.Context, c *call) (keepwatch.Message, error) {
	source := c.args.one("source")
	c.audit.Source = source
	archives, err := r.archives(source)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if len(archives) == 0 {
		return keepwatch.Message{}, r.noArchive(source)
	}
	if c.args.has("accept") {
		return r.accept(c, source)
	}
	msg := keepwatch.Message{Title: "Retention of " + source}
	table := keepwatch.Table{Head: []string{"Archive", "Of", "", "Why"}}
	var remove []string
	var bytes int64
	newest, pausing := keepwatch.Paused(archives, r.cfg.Now())
	for _, d := range r.cfg.Keep.Decide(archives, r.cfg.Now(), r.cfg.Location) {
		word := "keep"
		if !d.Keep {
			word = "remove"
			if pausing {
				word = "stays: paused"
			}
			remove, bytes = append(remove, d.Archive.Ref()), bytes+d.Archive.SealedBytes
		}
		table.Rows = append(table.Rows, []string{d.Archive.Ref(), partsText(d.Archive.Parts), word, strings.Join(d.Reasons, "; ")})
	}
	onlyParts(&table, archives)
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	if pausing {
		msg.Title, msg.Tone = "Retention of "+source+" is paused: nothing is removed", keepwatch.ToneWarn
		if c.args.has("confirm") {
			msg.Title, msg.Failed, msg.Refused = "Nothing was removed from "+source+": it is paused", true, keepwatch.KindConflict
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text(newest.Ref()+": "+pausedText(source, newest.Findings)))
		msg.Buttons = append(msg.Buttons, acceptButton(source, newest.Ref()))
		return msg, nil
	}
	confirmed, err := r.cfg.History.Confirmed(source)
	if err != nil {
		return keepwatch.Message{}, err
	}
	rules := r.cfg.Keep.String()
	news := !r.cfg.Keep.IsZero() && confirmed != rules
	if len(remove) == 0 && !news {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Nothing is to be removed."))
		return msg, nil
	}
	plan := prunePlan{remove, rules}
	unseen := news && c.args.one("confirm") == "yes" // which takes whatever the plan is, and these rules nobody has seen
	if c.confirmed(plan) && !unseen {
		return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunPrune, Source: source, Ask: keepwatch.Ask{Remove: remove, Rules: rules}})
	}
	return c.showPrune(source, msg.Blocks, plan, bytes, news, confirmed), nil
}

// showPrune asks for the confirmation of what would be removed, and of rules
// that nobody has confirmed yet.
func (c *call) showPrune(source string, table []keepwatch.Block, plan prunePlan, bytes int64, news bool, confirmed string) keepwatch.Message {
	msg := keepwatch.Message{Title: "Retention of " + source + ": nothing is removed yet", Tone: keepwatch.ToneWarn}
	c.wrongCode(&msg, "removed")
	msg.Blocks = append(msg.Blocks, table...)
	n := len(plan.Remove)
	button := keepwatch.Button{Label: "Remove " + strconv.Itoa(n), Style: keepwatch.StyleDanger, Command: "backup prune " + Quote(source, "--confirm", code(plan))}
	if n == 0 {
		button.Label, button.Style = "Confirm these rules", keepwatch.StylePrimary
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Nothing is to be removed now."))
	} else {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("%s would be removed, which frees %s. What is removed cannot be brought back.", keepwatch.FormatCount(int64(n), "archive"), keepwatch.FormatBytes(bytes))))
	}
	if news {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(unconfirmedText(source, confirmed)))
	}
	if n > 0 {
		button.Form = &keepwatch.Form{
			Title: "Remove for good?", Submit: "Remove", Text: fmt.Sprintf("%s of %s, %s. What is removed cannot be brought back.", keepwatch.FormatCount(int64(n), "archive"), source, keepwatch.FormatBytes(bytes)),
		}
	}
	msg.Buttons = []keepwatch.Button{button}
	return msg
}

// prunePlan is what somebody confirms.
type prunePlan struct {
	Remove []string
	Rules  string
}

// unconfirmedText says what the confirmation of a policy means.
func unconfirmedText(source, before string) string {
	text := "Nobody has confirmed these rules for " + source + " yet, so backups of it remove nothing. Once they are confirmed, each backup applies them, until they change."
	if before != "" {
		text = "The rules have changed since they were confirmed for " + source + ", so backups of it remove nothing. Once they are confirmed again, each backup applies them, until they change."
	}
	return text
}

// accept records that somebody looked at an archive that is unlike its history.
func (r *Router) accept(c *call, source string) (keepwatch.Message, error) {
	a, err := r.archive(c, c.args.one("accept"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	if a.Source != source || len(a.Findings) == 0 {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "There is nothing to accept about %s.", a.Ref())
	}
	_, err = r.cfg.History.UpdateArchive(a.Ref(), func(a *keepwatch.Archive) error {
		a.Accepted, a.AcceptedAt = c.person.Name, r.cfg.Now().UTC()
		return nil
	})
	if err != nil {
		return keepwatch.Message{}, err
	}
	return keepwatch.Message{Title: "Noted: " + a.Ref() + " is right as it is", Tone: keepwatch.ToneGood,
		Blocks:  []keepwatch.Block{keepwatch.Text("Retention of " + source + " is paused no longer.")},
		Buttons: []keepwatch.Button{{Label: "Show what would go", Command: "backup prune " + Quote(source)}}}, nil
}
