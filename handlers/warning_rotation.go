package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// rotationCommands show what is going to be removed, here and at the host.
func (r *Router) rotationCommands() []Command {
	return []Command{r.fetchCommand(), {
		Group: "backup", Name: "rotation", Role: keepwatch.RoleViewer, run: r.rotation,
		Summary: "Show what the host will rotate away and when, and what our own retention would remove",
		Options: []Option{
			{Name: "source", Type: TypeSource, Summary: "of this source, each with its reason"},
			{Name: "look", Type: TypeSwitch, Flag: true, Summary: "look at the host's server again first"},
		},
		Examples: []string{"backup rotation", "backup rotation ruthin-web --look"},
	}}
}

func (r *Router) rotation(ctx context.Context, c *call) (keepwatch.Message, error) {
	states, err := r.serverStates()
	if err != nil {
		return keepwatch.Message{}, err
	}
	name := c.args.one("source")
	if name == "" {
		if c.args.has("look") {
			return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "Say whose server is to be looked at: /backup rotation ruthin-web --look")
		}
		return r.rotations(c, states)
	}
	c.audit.Source = name
	source, err := r.cfg.Sources.Source(name)
	if keepwatch.KindOf(err) == keepwatch.KindNotFound {
		return keepwatch.Message{}, r.noSource(name, "backup rotation %s")
	}
	if err != nil {
		return keepwatch.Message{}, err
	}
	state, seen := states[name]
	if c.args.has("look") {
		if state, err = r.lookNow(ctx, source); err != nil {
			return keepwatch.Message{}, err
		}
		seen = true
	}
	archives, err := r.archives(name)
	if err != nil {
		return keepwatch.Message{}, err
	}
	msg := keepwatch.Message{Title: name + ": what goes, and when"}
	r.hostRotation(c, &msg, source, state, seen, archives)
	return msg, r.ownRotation(&msg, name, archives)
}

// serverStates gives what the hosts' servers hold, by source; nothing where none is
// looked at.
func (r *Router) serverStates() (map[string]keepwatch.ServerState, error) {
	states := map[string]keepwatch.ServerState{}
	if r.cfg.Duties.Servers == nil {
		return states, nil
	}
	list, err := r.cfg.Duties.Servers.ServerStates()
	for _, s := range list {
		states[s.Source] = s
	}
	return states, err
}

func (r *Router) lookNow(ctx context.Context, source keepwatch.Source) (keepwatch.ServerState, error) {
	if r.cfg.Duties.Servers == nil {
		return keepwatch.ServerState{}, keepwatch.Errorf(keepwatch.KindInvalid, "No server is looked at for %s: it is a source of the kind %s.", source.Name, source.Kind)
	}
	return r.cfg.Duties.Servers.LookNow(ctx, source.Name)
}

// hostRotation says what the host holds of a source, and when it goes.
func (r *Router) hostRotation(c *call, msg *keepwatch.Message, source keepwatch.Source, state keepwatch.ServerState, seen bool, archives []keepwatch.Archive) {
	look := keepwatch.Button{Label: "Look now", Command: "backup rotation " + Quote(source.Name) + " --look"}
	if !seen {
		if source.Kind == keepwatch.KindCPanel {
			msg.Blocks = append(msg.Blocks, keepwatch.Text("What backups the host holds is not known: nobody has looked yet."))
			if r.cfg.Duties.Servers != nil {
				msg.Buttons = append(msg.Buttons, look)
			}
		}
		return
	}
	now := r.cfg.Now()
	all := keepwatch.Departures(source, state, archives)
	if len(all) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The host holds no backup. It was last looked at on "+r.when(c, state.Seen)+"."))
	} else {
		table := keepwatch.Table{Head: []string{"The host's backup of", "Size", "Goes", "Brought home"}}
		for _, d := range all {
			size, home := "unknown", "no"
			if d.Backup.Size > 0 {
				size = keepwatch.FormatBytes(d.Backup.Size)
			}
			switch {
			case d.Home:
				home = "as " + d.Backup.Home
			case d.Near != "":
				home = "no; " + d.Near + " is of about that day"
			}
			of := d.Backup.Day(now, r.cfg.Location)
			if d.Backup.Path != "" { // two may be of one day, and "backup fetch" wants the name
				of += ", " + keepwatch.Printable(d.Backup.ID)
			}
			table.Rows = append(table.Rows, []string{of, size, d.Says(now, r.cfg.Location), home})
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
		if slices.ContainsFunc(all, func(d keepwatch.Departure) bool { return d.Guess }) { // the oldest may be one that stays
			msg.Blocks = append(msg.Blocks, keepwatch.Text("How many the host keeps is not written in keepwatch.yaml, so it is taken to keep as many as it holds. Write it there: rotation: {keeps: 2, max_age: 28d}"))
		}
		text := "That was seen on " + r.when(c, state.Seen) + "."
		if next := keepwatch.HostNext(state, now); !next.IsZero() {
			text += " By the distance between them the host's next run is about " + r.instantWord(next) + "."
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text(text))
	}
	if state.Trouble != "" {
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The last look did not work: "+state.Trouble))
	}
	if i := slices.IndexFunc(all, leaves); i >= 0 {
		msg.Tone = keepwatch.ToneWarn
		msg.Title = fmt.Sprintf("%s: the host's backup of %s was not brought home", source.Name, all[i].Backup.Day(now, r.cfg.Location))
	}
	if d, found := keepwatch.Away(all); found {
		msg.Buttons = append(msg.Buttons, keepwatch.FetchButton(source.Name, d.Backup))
	}
	if r.cfg.Duties.Servers != nil {
		msg.Buttons = append(msg.Buttons, look)
	}
}

// leaves reports whether a backup goes from the host without being home. One that
// stays there until somebody removes it is no reason to worry.
func leaves(d keepwatch.Departure) bool { return !d.Kept() && !d.Backup.Stays }

// ownRotation says what our own retention would remove of a source, and why.
func (r *Router) ownRotation(msg *keepwatch.Message, source string, archives []keepwatch.Archive) error {
	if len(archives) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("There is no archive of our own yet."))
		return nil
	}
	confirmed, err := r.cfg.History.Confirmed(source)
	if err != nil {
		return err
	}
	now := r.cfg.Now()
	pruning := r.cfg.Keep.Pruning(archives, confirmed, now, r.cfg.Location)
	table := keepwatch.Table{Head: []string{"Our archive", "Of", "Why it goes"}}
	decided := r.cfg.Keep.Decide(archives, now, r.cfg.Location)
	for _, d := range decided {
		if !d.Keep {
			table.Rows = append(table.Rows, []string{d.Archive.Ref(), ofText(d.Archive, archives), strings.Join(d.Reasons, "; ")})
		}
	}
	held := heldText(decided)
	if len(table.Rows) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("Our own retention would remove nothing now; it keeps %s.", keepwatch.FormatCount(int64(len(archives)), "archive"))))
	} else {
		onlyParts(&table, archives)
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	}
	if held != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(held))
	}
	if len(table.Rows) == 0 {
		return nil
	}
	switch {
	case pruning.IsPaused():
		msg.Blocks = append(msg.Blocks, keepwatch.Text(pruning.Paused.Ref()+": "+pausedText(source, pruning.Paused.Findings)))
	case !pruning.Confirmed:
		msg.Blocks = append(msg.Blocks, keepwatch.Text(unconfirmedText(source, confirmed)))
	default:
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The next backup that goes well removes them."))
	}
	msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Retention", Command: "backup prune " + Quote(source)})
	return nil
}

// rotations gives all sources in a line each.
func (r *Router) rotations(c *call, states map[string]keepwatch.ServerState) (keepwatch.Message, error) {
	sources, err := r.cfg.Sources.Sources()
	if err != nil {
		return keepwatch.Message{}, err
	}
	all, err := r.archives("")
	if err != nil {
		return keepwatch.Message{}, err
	}
	now := r.cfg.Now()
	msg := keepwatch.Message{Title: "What goes, and when"}
	table := keepwatch.Table{Head: []string{"Source", "The host holds", "Next to go there", "Our own retention"}}
	menu := keepwatch.Menu{Label: "Which source?"}
	for _, s := range sources {
		archives := slices.DeleteFunc(slices.Clone(all), func(a keepwatch.Archive) bool { return a.Source != s.Name })
		holds, next := "–", "–"
		if state, seen := states[s.Name]; seen {
			departures := keepwatch.Departures(s, state, archives)
			holds = keepwatch.FormatCount(int64(len(departures)), "backup")
			if i := slices.IndexFunc(departures, leaves); i >= 0 {
				d := departures[i]
				next = fmt.Sprintf("that of %s, %s; not brought home", d.Backup.Day(now, r.cfg.Location), d.Says(now, r.cfg.Location))
				msg.Tone = keepwatch.ToneWarn
			} else if len(departures) > 0 && !slices.ContainsFunc(departures, func(d keepwatch.Departure) bool { return !d.Backup.Stays }) {
				next = "none goes by itself"
			} else if len(departures) > 0 {
				next = "all that go are home"
			}
		} else if s.Kind == keepwatch.KindCPanel {
			holds = "not known"
		}
		own, err := r.ownWord(s.Name, archives)
		if err != nil {
			return keepwatch.Message{}, err
		}
		table.Rows = append(table.Rows, []string{s.Name, holds, next, own})
		menu.Options = append(menu.Options, keepwatch.Button{Label: s.Name, Command: "backup rotation " + Quote(s.Name)})
	}
	if len(table.Rows) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("There is no source yet. Name what to keep in keepwatch.yaml."))
		return msg, nil
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	switch {
	case len(menu.Options) <= fewChoices:
		msg.Buttons = menu.Options
	case !c.req.Local: // in the terminal Tab completes
		menu.Options = menu.Options[:min(len(menu.Options), mostChoices)]
		msg.Menus = []keepwatch.Menu{menu}
	}
	return msg, nil
}

// ownWord says in a few words what our own retention would remove.
func (r *Router) ownWord(source string, archives []keepwatch.Archive) (string, error) {
	if len(archives) == 0 {
		return "no archive yet", nil
	}
	confirmed, err := r.cfg.History.Confirmed(source)
	if err != nil {
		return "", err
	}
	p := r.cfg.Keep.Pruning(archives, confirmed, r.cfg.Now(), r.cfg.Location)
	word := fmt.Sprintf("removes %d of %d", len(p.Remove), len(archives))
	switch {
	case len(p.Remove) == 0:
		return fmt.Sprintf("keeps all %d", len(archives)), nil
	case p.IsPaused():
		return word + ", but is paused", nil
	case !p.Confirmed:
		return word + ", once somebody confirms it", nil
	}
	return word, nil
}
