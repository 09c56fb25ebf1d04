package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// fetchCommand brings home what a host holds.
func (r *Router) fetchCommand() Command {
	return Command{
		Group: "backup", Name: "fetch", Role: keepwatch.RoleOperator, run: r.fetch, Card: true,
		Summary: "Bring home a backup that the host holds, before it rotates away",
		Options: []Option{
			{Name: "source", Type: TypeSource, Required: true, Summary: "whose backup"},
			{Name: "backup", Type: TypeHeld, Summary: "its name at the host, or its date; left out: the one that goes next of those that are not home"},
		},
		Examples: []string{"backup fetch ruthin-web", "backup fetch ruthin-web 2026-11-09"},
	}
}

func (r *Router) fetch(ctx context.Context, c *call) (keepwatch.Message, error) {
	source, err := r.cfg.Sources.Source(c.args.one("source"))
	if keepwatch.KindOf(err) == keepwatch.KindNotFound {
		return keepwatch.Message{}, r.noSource(c.args.one("source"), "backup fetch %s")
	}
	if err != nil {
		return keepwatch.Message{}, err
	}
	c.audit.Source = source.Name
	all, err := r.held(ctx, source, c.args.one("backup"))
	if err != nil {
		return keepwatch.Message{}, err
	}
	if len(all) == 0 {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindNotFound, "The host holds no backup of %s now.", source.Name)
	}
	if word := c.args.one("backup"); word != "" {
		d, err := r.heldNamed(source, all, word)
		if err != nil {
			return keepwatch.Message{}, err
		}
		return r.bringHome(ctx, c, source, d)
	}
	if d, found := keepwatch.Away(all); found {
		return r.bringHome(ctx, c, source, d)
	}
	if i := slices.IndexFunc(all, func(d keepwatch.Departure) bool { return !d.Home }); i >= 0 {
		return keepwatch.Message{}, r.outOfReach(source, all[i])
	}
	return keepwatch.Message{Title: "All that the host holds of " + source.Name + " is home", Tone: keepwatch.ToneGood,
		Blocks:  []keepwatch.Block{keepwatch.Text(fmt.Sprintf("It holds %s, and each is in an archive that is verified, or that our own retention has removed since.", keepwatch.FormatCount(int64(len(all)), "backup")))},
		Buttons: []keepwatch.Button{{Label: "Show them", Command: "backup rotation " + Quote(source.Name)}}}, nil
}

// held gives what the host of a source holds, in the order in which it goes. It is
// looked at now where nobody has looked yet, or where what is asked for was not seen:
// it may be newer than the last look.
func (r *Router) held(ctx context.Context, source keepwatch.Source, word string) ([]keepwatch.Departure, error) {
	states, err := r.serverStates()
	if err != nil {
		return nil, err
	}
	archives, err := r.archives(source.Name)
	if err != nil {
		return nil, err
	}
	state, seen := states[source.Name]
	all := keepwatch.Departures(source, state, archives)
	if seen && (word == "" && len(all) > 0 || len(r.heldFitting(all, word)) > 0) {
		return all, nil
	}
	if state, err = r.lookNow(ctx, source); err != nil {
		return nil, err
	}
	return keepwatch.Departures(source, state, archives), nil
}

// heldFitting gives the backups that a word names: by their name at the host, or by their
// date.
func (r *Router) heldFitting(all []keepwatch.Departure, word string) []keepwatch.Departure {
	var list []keepwatch.Departure
	for _, d := range all {
		if d.Backup.ID == word {
			return []keepwatch.Departure{d}
		}
		if r.heldDate(d.Backup) == word {
			list = append(list, d)
		}
	}
	return list
}

// heldDate writes the date of a backup as it is typed. Midnight UTC is a date alone,
// in whatever zone; see keepwatch.ServerBackup.Day.
func (r *Router) heldDate(b keepwatch.ServerBackup) string {
	loc := r.cfg.Location
	if b.At.Equal(b.At.UTC().Truncate(24 * time.Hour)) {
		loc = time.UTC
	}
	return b.At.In(loc).Format(time.DateOnly)
}

// heldNamed gives the one backup that a word names.
func (r *Router) heldNamed(source keepwatch.Source, all []keepwatch.Departure, word string) (keepwatch.Departure, error) {
	list := r.heldFitting(all, word)
	if len(list) == 1 {
		return list[0], nil
	}
	h := hinted{error: keepwatch.Errorf(keepwatch.KindInvalid, "The host holds %d backups of %s that are of %s. Say which one.", len(list), source.Name, word)}
	if len(list) == 0 {
		list = all
		h.error = keepwatch.Errorf(keepwatch.KindNotFound, "The host holds no backup %q of %s. It holds those of %s.", word, source.Name, r.heldDays(all))
	}
	list = slices.DeleteFunc(slices.Clone(list), func(d keepwatch.Departure) bool { return d.Backup.Path == "" }) // no button for what it would refuse
	for _, d := range list[:min(len(list), fewChoices)] {
		h.buttons = append(h.buttons, keepwatch.Button{Label: keepwatch.Printable(d.Backup.ID), Command: "backup fetch " + Quote(source.Name, d.Backup.ID)})
	}
	return keepwatch.Departure{}, h
}

// heldDays names the days of backups.
func (r *Router) heldDays(all []keepwatch.Departure) string {
	var days []string
	for _, d := range all {
		days = append(days, d.Backup.Day(r.cfg.Now(), r.cfg.Location))
	}
	return strings.Join(slices.Compact(days), ", ")
}

// outOfReach says that the account does not get at a backup.
func (r *Router) outOfReach(source keepwatch.Source, d keepwatch.Departure) error {
	return hinted{
		keepwatch.Errorf(keepwatch.KindConflict, "The host's backup of %s (%s) lies where the account does not get at it, so Keepwatch does not either. Ask the host's administrator to put it into the account's home folder, or download it by hand; it goes %s.",
			d.Backup.Day(r.cfg.Now(), r.cfg.Location), keepwatch.Printable(d.Backup.ID), d.Says(r.cfg.Now(), r.cfg.Location)),
		[]keepwatch.Button{{Label: "How to download it", Command: "backup guide cpanel-download"}, {Label: "Show the rotation", Command: "backup rotation " + Quote(source.Name)}},
	}
}

// bringHome starts the run that does.
func (r *Router) bringHome(ctx context.Context, c *call, source keepwatch.Source, d keepwatch.Departure) (keepwatch.Message, error) {
	switch {
	case d.Home:
		return keepwatch.Message{}, hinted{
			keepwatch.Errorf(keepwatch.KindConflict, "The host's backup of %s is home already, as %s.", d.Backup.Day(r.cfg.Now(), r.cfg.Location), d.Backup.Home),
			[]keepwatch.Button{{Label: "Show it", Command: "backup show " + Quote(d.Backup.Home), Style: keepwatch.StylePrimary}},
		}
	case d.Backup.Path == "":
		return keepwatch.Message{}, r.outOfReach(source, d)
	}
	return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunBackup, Source: source.Name, Ask: keepwatch.Ask{Held: d.Backup.ID}})
}

// heldOf gives what may be named as a backup that the host of a source holds; nothing
// where that is not known. Nobody's server is looked at while somebody types.
func (r *Router) heldOf(name string) []Candidate {
	source, err := r.cfg.Sources.Source(name)
	if err != nil {
		return nil
	}
	states, err := r.serverStates()
	archives, archivesErr := r.archives(name)
	if err != nil || archivesErr != nil {
		return nil
	}
	var list []Candidate
	for _, d := range keepwatch.Departures(source, states[name], archives) {
		if d.Backup.Path == "" {
			continue
		}
		text := "of " + d.Backup.Day(r.cfg.Now(), r.cfg.Location) + ", goes " + d.Says(r.cfg.Now(), r.cfg.Location)
		if d.Home {
			text = "of " + d.Backup.Day(r.cfg.Now(), r.cfg.Location) + ", home already"
		}
		list = append(list, Candidate{d.Backup.ID, text, true})
	}
	return list
}
