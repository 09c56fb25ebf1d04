package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// devices shows how the backups of Authenticator stand, and what to do.
func (r *Router) devices(_ context.Context, c *call) (keepwatch.Message, error) {
	auth, err := r.authenticator()
	if err != nil {
		return keepwatch.Message{}, err
	}
	all, err := auth.Devices()
	if err != nil {
		return keepwatch.Message{}, err
	}
	list := own(c, all)
	if who := c.args.one("person"); who != "" {
		name, err := r.named(who)
		if err != nil {
			return keepwatch.Message{}, err
		}
		if name != c.person.Name && !c.seesAll() {
			return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindDenied, "You may see your own phones; %s's only operators and admins may. Leave the name out.", name)
		}
		list = slices.DeleteFunc(list, func(d keepwatch.DeviceState) bool { return d.Person != name })
	}
	return r.statusOf(c, list), nil
}

// named gives the name of a person as the configuration has it.
func (r *Router) named(who string) (string, error) {
	var names []string
	for _, p := range r.cfg.People {
		if strings.EqualFold(p.Name, who) {
			return p.Name, nil
		}
		names = append(names, p.Name)
	}
	if near := nearest(who, names); near != "" {
		return "", hinted{keepwatch.Errorf(keepwatch.KindNotFound, "There is nobody named %q. Did you mean %s?", who, near),
			[]keepwatch.Button{{Label: "Yes, " + near, Command: "authenticator status " + Quote(near)}}}
	}
	return "", keepwatch.Errorf(keepwatch.KindNotFound, "There is nobody named %q. People are those of keepwatch.yaml: %s.", who, strings.Join(names, ", "))
}

func (r *Router) statusOf(c *call, list []keepwatch.DeviceState) keepwatch.Message {
	msg := keepwatch.Message{Title: "Microsoft Authenticator: " + keepwatch.FormatCount(int64(len(list)), "phone"), Tone: keepwatch.ToneGood}
	if len(list) == 0 {
		msg.Tone = keepwatch.ToneInfo
		msg.Blocks = append(msg.Blocks, keepwatch.Text("No phone is known. An admin names them in keepwatch.yaml, under the person:"),
			keepwatch.Code("devices:\n  - {name: \"Alis iPhone\", platform: ios, account: icloud, recheck: 30d, global_admin: true}"))
		return msg
	}
	table := keepwatch.Table{Head: []string{"Phone", "Whose", "Backup", "Backup seen", "Said", "State"}}
	var todo []string
	for _, d := range list {
		seen, said := "never", "nobody yet"
		if !d.SeenSaid.IsZero() {
			seen = day(d.Seen)
		}
		if d.Last != nil {
			said = d.Last.By + ", " + d.Last.Said.In(r.cfg.Location).Format("2 Jan 2006")
		}
		whose := d.Person
		if d.Device.GlobalAdmin {
			whose += " (global administrator)"
		}
		table.Rows = append(table.Rows, []string{d.Device.Name, whose, setting(d.Device), seen, said, r.standing(d)})
		if line, tone := todoOf(d); line != "" {
			msg.Tone = max(msg.Tone, tone)
			todo = append(todo, d.Device.Name+": "+line)
			if len(msg.Buttons) < fewChoices/2 {
				msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: d.Device.Name + "…", Command: "authenticator checked " + slug(d.Device)})
			}
		}
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	switch {
	case len(todo) == 0:
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Nothing to do: every backup was seen in time."))
	case len(todo) > pageRows:
		msg.Title += fmt.Sprintf(", %d need somebody", len(todo))
		msg.Blocks = append(msg.Blocks, keepwatch.Text("What to do:\n"+strings.Join(todo[:pageRows], "\n")+fmt.Sprintf("\n… and %d more", len(todo)-pageRows)))
	default:
		if len(list) == 1 {
			msg.Title += " to look at"
		} else {
			msg.Title += fmt.Sprintf(", %d of them to look at", len(todo))
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text("What to do:\n"+strings.Join(todo, "\n")))
	}
	return msg
}

// day writes a date that a device shows, which is kept at midnight UTC.
func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// setting names the screen of Authenticator that shows the backup.
func setting(d keepwatch.Device) string {
	if d.Platform == "android" {
		return "Cloud backup"
	}
	return "iCloud Backup"
}

// standing writes how a device stands for a table.
func (r *Router) standing(d keepwatch.DeviceState) string {
	switch d.Standing {
	case keepwatch.StandingFresh:
		return "fresh, next look " + d.Next.In(r.cfg.Location).Format("2 Jan 2006")
	case keepwatch.StandingDue:
		return "to be looked at"
	case keepwatch.StandingOld:
		return "the backup is old"
	case keepwatch.StandingStale:
		return "not looked at for too long"
	case keepwatch.StandingNever:
		return "never looked at"
	case keepwatch.StandingReplaced:
		return "new phone, not set up"
	}
	if d.Last != nil && d.Last.State == keepwatch.AttestedNever {
		return "never backed up"
	}
	if d.Last != nil && d.Last.State == keepwatch.AttestedNotFound {
		return "backup not found"
	}
	return "backup is off"
}

// todoOf says what to do about a device, and how much it matters; "" is nothing.
func todoOf(d keepwatch.DeviceState) (string, keepwatch.Tone) {
	tone := keepwatch.ToneWarn
	if d.Device.GlobalAdmin {
		tone = keepwatch.ToneBad
	}
	look := "open Authenticator → Settings → " + setting(d.Device) + ", and say which date it shows."
	switch d.Standing {
	case keepwatch.StandingNever, keepwatch.StandingStale:
		return look, tone
	case keepwatch.StandingDue:
		return look, keepwatch.ToneWarn
	case keepwatch.StandingOld:
		return "the last backup is of " + day(d.Seen) + "; see that it is on, then open Authenticator once.", keepwatch.ToneWarn
	case keepwatch.StandingOff:
		return "turn the backup on: /authenticator guide " + d.Device.Platform, tone
	case keepwatch.StandingReplaced:
		return "set the new phone up, and keep the old one until it works: /authenticator recover", tone
	}
	return "", keepwatch.ToneGood
}

// ready shows how ready the team is for a lock-out: what helps the most stands first.
func (r *Router) ready(context.Context, *call) (keepwatch.Message, error) {
	auth, err := r.authenticator()
	if err != nil {
		return keepwatch.Message{}, err
	}
	probes, score, err := auth.Readiness()
	if err != nil {
		return keepwatch.Message{}, err
	}
	msg := keepwatch.Message{Title: fmt.Sprintf("Ready for a lock-out: %d of 100", score), Tone: keepwatch.ToneGood}
	table := keepwatch.Table{Head: []string{"What", "State", "Found"}}
	var next *keepwatch.Probe
	for i, p := range probes {
		switch {
		case p.Status == keepwatch.ProbeBad:
			msg.Tone = keepwatch.ToneBad
		case p.Status == keepwatch.ProbeWarn && msg.Tone == keepwatch.ToneGood:
			msg.Tone = keepwatch.ToneWarn
		}
		if next == nil && p.Next != "" && p.Status != keepwatch.ProbeGood {
			next = &probes[i]
		}
		table.Rows = append(table.Rows, []string{p.Name, string(p.Status), strings.TrimSpace(p.Text + " " + p.Next)})
	}
	if next != nil {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Do this next: "+next.Text+" "+next.Next))
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table})
	msg.Buttons = []keepwatch.Button{{Label: "Phones", Command: "authenticator status"}, {Label: "Passwords and keys", Command: "authenticator custody"}, {Label: "Dossier", Command: "authenticator dossier"}}
	return msg, nil
}
