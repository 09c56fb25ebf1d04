package handlers

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"keepwatch"
)

// backupCommands are those about runs.
func (r *Router) backupCommands() []Command {
	return []Command{
		{
			Group: "backup", Name: "start", Role: keepwatch.RoleOperator, run: r.start, Card: true,
			Summary: "Start a backup, whole, in parts or of what changed",
			Options: []Option{
				{Name: "source", Type: TypeSource, Required: true, Summary: "what to back up; in the terminal also a path"},
				{Name: "part", Type: TypePart, Variadic: true, Summary: "only these parts: a folder in it; of a hosting account home, databases, database:NAME and so on"},
				{Name: "changes", Type: TypeSwitch, Flag: true, Summary: "only what changed since the newest archive; of a Microsoft 365 mailbox"},
			},
			Examples: []string{"backup start ruthin-web", "backup start ./docs", "backup start alis-mail --changes"},
		},
		{
			Group: "backup", Name: "sources", Role: keepwatch.RoleViewer, run: r.sources,
			Summary: "List what can be backed up, and how fresh its newest archive is",
		},
		{
			Group: "backup", Name: "forget", Role: keepwatch.RoleOperator, run: r.forget,
			Summary:  "Take a source that was made from a path off the list; its archives stay",
			Options:  []Option{{Name: "source", Type: TypeSource, Required: true, Summary: "a source that was made from a path"}},
			Examples: []string{"backup forget usb"},
		},
		{
			Group: "backup", Name: "status", Role: keepwatch.RoleViewer, run: r.status,
			Summary:  "Show what runs and what ran last, or one run",
			Options:  []Option{{Name: "run", Type: TypeRun, Summary: "the number of a run"}},
			Examples: []string{"backup status", "backup status 42"},
		},
		{
			Group: "backup", Name: "cancel", Role: keepwatch.RoleOperator, run: r.cancel,
			Summary: "Stop a run",
			Options: []Option{
				{Name: "run", Type: TypeRun, Required: true, Summary: "the number of a run"},
				{Name: "reason", Type: TypeText, Variadic: true, Summary: "why, for those who ask later"},
			},
			Examples: []string{"backup cancel 42 wrong folder"},
		},
		{
			Group: "backup", Name: "retry", Role: keepwatch.RoleOperator, run: r.retry, Card: true,
			Summary:  "Take up a run that needs attention",
			Options:  []Option{{Name: "run", Type: TypeRun, Required: true, Summary: "the number of a run"}},
			Examples: []string{"backup retry 42"},
		},
		r.watchCommand(),
	}
}

// isPath reports whether a word is a path and not the name of a source.
func isPath(word string) bool {
	return strings.ContainsAny(word, `/\`) || strings.HasPrefix(word, ".") || strings.HasPrefix(word, "~")
}

// source finds the source that a word names; in the terminal a path makes one.
func (r *Router) source(c *call, word string) (keepwatch.Source, error) {
	if !isPath(word) {
		s, err := r.cfg.Sources.Source(word)
		if keepwatch.KindOf(err) == keepwatch.KindNotFound {
			if c.req.Local && exists(below(c.req.Dir, word)) {
				return s, hinted{
					keepwatch.Errorf(keepwatch.KindNotFound, "There is no source named %q. For the folder or file of that name here, write ./%s.", word, word),
					[]keepwatch.Button{{Label: "./" + word, Command: c.cmd.Title() + " " + Quote("./"+word), Style: keepwatch.StylePrimary}},
				}
			}
			return s, r.noSource(word, c.cmd.Title()+" %s")
		}
		return s, err
	}
	if !c.req.Local {
		return keepwatch.Source{}, keepwatch.Errorf(keepwatch.KindDenied, "A path can be backed up only from the terminal of the machine that runs Keepwatch. Here, name a source of keepwatch.yaml.")
	}
	return r.cfg.Sources.AddPath(below(c.req.Dir, word))
}

// exists reports whether there is something of that name in the current folder,
// for a hint.
func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func (r *Router) start(ctx context.Context, c *call) (keepwatch.Message, error) {
	changes, word := c.args.has("changes"), c.args.one("source")
	if changes && isPath(word) && c.req.Local { // before it is made a source of
		return keepwatch.Message{}, refuseChanges(keepwatch.Source{Name: word, Kind: keepwatch.KindFiles}, c.args["part"])
	}
	s, err := r.source(c, word)
	if err != nil {
		return keepwatch.Message{}, err
	}
	c.audit.Source = s.Name
	if changes {
		if err := refuseChanges(s, c.args["part"]); err != nil {
			return keepwatch.Message{}, err
		}
	}
	if err := r.checkParts(s, c.args["part"]); err != nil {
		return keepwatch.Message{}, err
	}
	return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunBackup, Source: s.Name, Ask: keepwatch.Ask{Parts: c.args["part"], Changes: changes}})
}

// begin starts a run for whoever asked, and answers with its card.
func (r *Router) begin(ctx context.Context, c *call, run keepwatch.Run) (keepwatch.Message, error) {
	run.Due, run.By, run.Where, run.Request = c.req.Due, c.person.Name, c.req.Channel, c.req.ID
	run, err := r.cfg.Runs.Start(ctx, run)
	if err != nil {
		return keepwatch.Message{}, err
	}
	c.audit.Run, c.audit.Source = run.ID, run.Source
	return r.RunMessage(run), nil
}

func (r *Router) sources(_ context.Context, c *call) (keepwatch.Message, error) {
	sources, err := r.cfg.Sources.Sources()
	if err != nil {
		return keepwatch.Message{}, err
	}
	msg := keepwatch.Message{Title: keepwatch.FormatCount(int64(len(sources)), "source")}
	if len(sources) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Nothing is kept yet. Name what to keep in keepwatch.yaml, or in the terminal back up a path:"), keepwatch.Code("/backup start ./docs"))
		return msg, nil
	}
	table := keepwatch.Table{Head: []string{"Source", "What", "Archives", "Newest verified"}}
	if !r.cfg.Keep.IsZero() {
		table.Head = append(table.Head, "Pruning")
	}
	for _, s := range sources {
		archives, err := r.archives(s.Name)
		if err != nil {
			return keepwatch.Message{}, err
		}
		row := []string{s.Name, where(s), strconv.Itoa(len(archives)), r.newest(c, archives)}
		if !r.cfg.Keep.IsZero() {
			confirmed, err := r.cfg.History.Confirmed(s.Name)
			if err != nil {
				return keepwatch.Message{}, err
			}
			row = append(row, pruningWord(len(archives), r.cfg.Keep.Pruning(archives, confirmed, r.cfg.Now(), r.cfg.Location)))
		}
		table.Rows = append(table.Rows, row)
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	return msg, nil
}

// pruningWord says in a few words how the pruning of a source stands.
func pruningWord(archives int, p keepwatch.Pruning) string {
	switch {
	case archives == 0:
		return "nothing yet"
	case p.IsPaused():
		return "paused: " + p.Paused.Stamp + " looks wrong"
	case !p.Confirmed && len(p.Remove) > 0:
		return "waits to be confirmed: " + keepwatch.FormatCount(int64(len(p.Remove)), "archive") + " would go"
	case !p.Confirmed:
		return "not confirmed yet"
	}
	return "by the rules"
}

func (r *Router) forget(_ context.Context, c *call) (keepwatch.Message, error) {
	s, err := r.cfg.Sources.Source(c.args.one("source"))
	if keepwatch.KindOf(err) == keepwatch.KindNotFound {
		return keepwatch.Message{}, r.noSource(c.args.one("source"), c.cmd.Title()+" %s")
	}
	if err != nil {
		return keepwatch.Message{}, err
	}
	archives, err := r.cfg.History.Archives(s.Name)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if err := r.cfg.Sources.Forget(s.Name); err != nil {
		return keepwatch.Message{}, err
	}
	msg := keepwatch.Message{Title: s.Name + " is no source any more", Tone: keepwatch.ToneGood}
	if len(archives) > 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("Its archives stay (%d), and can be restored as before. A backup of %s takes the name up again.", len(archives), s.Path)))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "List them", Command: "backup list " + Quote(s.Name)})
	}
	return msg, nil
}

// newest says how fresh the newest verified archive is. One of a part says
// nothing about the whole, so it comes second.
func (r *Router) newest(c *call, archives []keepwatch.Archive) string {
	text := "none yet"
	archives = slices.Clone(archives)
	slices.SortStableFunc(archives, func(a, b keepwatch.Archive) int { return b.AsOf().Compare(a.AsOf()) })
	for _, a := range archives {
		switch {
		case !a.IsVerified():
		case len(a.Parts) == 0:
			return r.when(c, a.AsOf())
		case text == "none yet":
			text = partsText(a.Parts) + ": " + r.when(c, a.AsOf())
		}
	}
	return text
}

// run reads the number of a run.
func (r *Router) runNumber(c *call) (int64, error) {
	word := c.args.one("run")
	id, err := strconv.ParseInt(strings.TrimPrefix(word, "#"), 10, 64)
	if err != nil || id < 1 {
		return 0, keepwatch.Errorf(keepwatch.KindInvalid, "%q is no run. Runs have numbers; `/backup status` lists them.", word)
	}
	c.audit.Run = id
	return id, nil
}

func (r *Router) status(_ context.Context, c *call) (keepwatch.Message, error) {
	if c.args.has("run") {
		id, err := r.runNumber(c)
		if err != nil {
			return keepwatch.Message{}, err
		}
		run, err := r.cfg.Runs.Run(id)
		if err != nil {
			return keepwatch.Message{}, err
		}
		c.audit.Source = run.Source
		return r.details(run, c.person.Role), nil
	}
	recent, err := r.cfg.History.RecentRuns("", 10)
	if err != nil {
		return keepwatch.Message{}, err
	}
	open, err := r.cfg.History.OpenRuns()
	if err != nil {
		return keepwatch.Message{}, err
	}
	msg := keepwatch.Message{Title: "Nothing is running"}
	if len(recent) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Nothing has run yet."))
		return msg, nil
	}
	var going, waiting int64
	table := keepwatch.Table{Head: []string{"Run", "What", "State", "When"}}
	for _, run := range merge(recent, open) {
		if live, err := r.cfg.Runs.Run(run.ID); err == nil {
			run = live
		}
		switch {
		case run.State == keepwatch.RunAttention:
			waiting++
		case !run.State.Ended():
			going++
		}
		table.Rows = append(table.Rows, []string{strconv.FormatInt(run.ID, 10), work(run), r.stateWord(run), r.when(c, run.Created)})
		if run.State == keepwatch.RunAttention && len(msg.Buttons) < fewChoices {
			msg.Tone = keepwatch.ToneWarn
			msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: fmt.Sprintf("Look at run %d", run.ID), Command: fmt.Sprintf("backup status %d", run.ID)})
		}
	}
	attention, way := keepwatch.FormatCount(waiting, "run needs", "runs need")+" attention", keepwatch.FormatCount(going, "run is", "runs are")+" under way"
	switch {
	case waiting > 0 && going > 0:
		msg.Title = attention + ", " + way
	case waiting > 0:
		msg.Title = attention
	case going > 0:
		msg.Title = way
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	return msg, nil
}

// merge gives the runs of both lists once, newest first: one that waits for
// somebody is shown however long ago it began.
func merge(a, b []keepwatch.Run) []keepwatch.Run {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y keepwatch.Run) int { return cmp.Compare(y.ID, x.ID) })
	return slices.CompactFunc(all, func(x, y keepwatch.Run) bool { return x.ID == y.ID })
}

func (r *Router) cancel(ctx context.Context, c *call) (keepwatch.Message, error) {
	id, err := r.runNumber(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	run, err := r.cfg.Runs.Cancel(ctx, id, c.person.Name, strings.Join(c.args["reason"], " "))
	if err != nil && !(c.again(err) && run.State == keepwatch.RunCancelled) {
		return keepwatch.Message{}, err
	}
	c.audit.Source = run.Source
	msg := r.RunMessage(run)
	msg.Run = 0 // it is over: there is nothing to follow
	return msg, nil
}

func (r *Router) retry(ctx context.Context, c *call) (keepwatch.Message, error) {
	id, err := r.runNumber(c)
	if err != nil {
		return keepwatch.Message{}, err
	}
	run, err := r.cfg.Runs.Retry(ctx, id, c.person.Name)
	if err != nil && !(c.again(err) && run.ID == id && run.State != keepwatch.RunAttention) {
		return keepwatch.Message{}, err
	}
	c.audit.Source = run.Source
	return r.RunMessage(run), nil
}

// again reports whether an error may say only that what was asked for is done
// already, by the process before, which ended before it could say so.
func (c *call) again(err error) bool {
	return c.req.Again && keepwatch.KindOf(err) == keepwatch.KindConflict
}
