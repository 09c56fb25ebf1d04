package handlers

import (
	"context"
	"slices"
	"strings"

	"keepwatch"
)

// custody shows where things are recorded that are lost with their password, or takes
// in what somebody says of one.
func (r *Router) custody(_ context.Context, c *call) (keepwatch.Message, error) {
	where := strings.Join(c.args["where"], " ")
	auth, err := r.authenticator()
	if err != nil {
		return keepwatch.Message{}, err
	}
	all, err := auth.Custodies()
	if err != nil {
		return keepwatch.Message{}, err
	}
	mine := slices.DeleteFunc(slices.Clone(all), func(s keepwatch.CustodyState) bool { return !c.seesAll() && s.Custody.Owner != c.person.Name })
	thing := c.args.one("thing")
	if thing == "" {
		return r.custodyList(mine), nil
	}
	s, err := c.thing(thing, all, mine)
	if err != nil {
		return keepwatch.Message{}, err
	}
	a := keepwatch.Attestation{ID: c.req.ID, Subject: keepwatch.CustodySubject(s.Custody.Name), By: c.person.Name, Said: c.req.At, State: keepwatch.AttestedRecorded, Where: where}
	switch {
	case c.args.has("lost") && where != "":
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "Say where it is, or --lost: not both.")
	case c.args.has("lost"):
		a.State = keepwatch.AttestedLost
	case where == "":
		return r.custodyOne(s), nil
	}
	now, err := auth.Record(a)
	if keepwatch.KindOf(err) == keepwatch.KindInvalid {
		err = hinted{err, []keepwatch.Button{sayWhere(s.Custody.Name)}}
	}
	if err != nil {
		return keepwatch.Message{}, err
	}
	return recorded(now), nil
}

// thing finds what a word names among what whoever asks may see.
func (c *call) thing(word string, all, mine []keepwatch.CustodyState) (keepwatch.CustodyState, error) {
	is := func(s keepwatch.CustodyState) bool { return strings.EqualFold(s.Custody.Name, word) }
	if i := slices.IndexFunc(mine, is); i >= 0 {
		return mine[i], nil
	}
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], keepwatch.Errorf(keepwatch.KindDenied, "%s is not yours to say. Ask its owner, an operator or an admin.", all[i].Custody.Name)
	}
	var names []string
	for _, s := range mine {
		names = append(names, s.Custody.Name)
	}
	if near := nearest(word, names); near != "" {
		return keepwatch.CustodyState{}, hinted{keepwatch.Errorf(keepwatch.KindNotFound, "Nothing named %q is asked about. Did you mean %s?", word, near),
			[]keepwatch.Button{{Label: "Yes, " + near, Command: "authenticator custody " + near}}}
	}
	return keepwatch.CustodyState{}, keepwatch.Errorf(keepwatch.KindNotFound, "Nothing named %q is asked about. `/authenticator custody` lists what is.", word)
}

// placeWord writes what is known of where something is.
func (r *Router) placeWord(s keepwatch.CustodyState) (where, said string) {
	if s.Last == nil {
		return "nobody has said", ""
	}
	said = s.Last.By + ", " + s.Last.Said.In(r.cfg.Location).Format("2 Jan 2006")
	if s.Last.State == keepwatch.AttestedLost {
		return "lost", said
	}
	return s.Last.Where, said
}

// custodyList lists them, those of which nobody has said anything first.
func (r *Router) custodyList(list []keepwatch.CustodyState) keepwatch.Message {
	msg := keepwatch.Message{Title: "Where passwords and keys are recorded", Tone: keepwatch.ToneGood}
	if len(list) == 0 {
		msg.Tone = keepwatch.ToneInfo
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Nothing of yours is asked about."))
		return msg
	}
	open := func(s keepwatch.CustodyState) bool {
		return s.Last == nil || s.Last.State != keepwatch.AttestedRecorded || s.Next.IsZero()
	}
	slices.SortStableFunc(list, func(a, b keepwatch.CustodyState) int {
		switch {
		case open(a) == open(b):
			return 0
		case open(a):
			return -1
		}
		return 1
	})
	table := keepwatch.Table{Head: []string{"Name", "What", "Whose", "Recorded", "Said"}}
	for _, s := range list {
		whose := s.Custody.Owner
		if whose == "" {
			whose = "the admins"
		}
		where, said := r.placeWord(s)
		if s.Last != nil && s.Next.IsZero() && s.Last.State == keepwatch.AttestedRecorded {
			where += " (to be looked at again)"
		}
		table.Rows = append(table.Rows, []string{s.Custody.Name, s.Custody.What, whose, where, said})
		if open(s) {
			msg.Tone = keepwatch.ToneWarn
			if len(msg.Buttons) < fewChoices/2 {
				b := sayWhere(s.Custody.Name)
				b.Label = s.Custody.Name + "…"
				msg.Buttons = append(msg.Buttons, b)
			}
		}
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("I keep where they are, who said so and when; never what they are."), keepwatch.Block{Table: &table})
	return msg
}

// custodyOne shows one, and asks.
func (r *Router) custodyOne(s keepwatch.CustodyState) keepwatch.Message {
	where, said := r.placeWord(s)
	fields := []keepwatch.Field{{Name: "What", Value: s.Custody.What}, {Name: "Recorded", Value: where}}
	if said != "" {
		fields = append(fields, keepwatch.Field{Name: "Said", Value: said})
	}
	msg := keepwatch.Message{Title: s.Custody.Name + ": where is it recorded?", Tone: keepwatch.ToneInfo, Blocks: []keepwatch.Block{{Fields: fields}, keepwatch.Text(custodyText),
		keepwatch.Code("/authenticator custody " + s.Custody.Name + " in the safe, blue folder")}}
	if s.Last == nil || s.Last.State != keepwatch.AttestedRecorded {
		msg.Tone = keepwatch.ToneWarn
	}
	msg.Buttons = []keepwatch.Button{sayWhere(s.Custody.Name), lostButton(s.Custody.Name)}
	if s.Last != nil && s.Last.State == keepwatch.AttestedRecorded {
		if still := "authenticator custody " + s.Custody.Name + " " + Quote(strings.Fields(s.Last.Where)...); len(still) < keepwatch.MaxToken {
			msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Still there", Command: still})
		}
	}
	return msg
}

// recorded answers what was said.
func recorded(s keepwatch.CustodyState) keepwatch.Message {
	if s.Last != nil && s.Last.State == keepwatch.AttestedLost {
		return keepwatch.Message{Title: s.Custody.Name + ": nobody knows where it is", Tone: keepwatch.ToneBad,
			Blocks:  []keepwatch.Block{keepwatch.Text("While it still works somewhere, set a new password or key, record it, and say where. I ask again tomorrow, and the admins hear of it.")},
			Buttons: []keepwatch.Button{sayWhere(s.Custody.Name)}}
	}
	msg := keepwatch.Message{Title: "Noted: " + s.Custody.Name + " is recorded", Tone: keepwatch.ToneGood}
	fields := []keepwatch.Field{{Name: "What", Value: s.Custody.What}}
	if s.Last != nil {
		fields = append(fields, keepwatch.Field{Name: "Where", Value: s.Last.Where})
	}
	if !s.Next.IsZero() {
		fields = append(fields, keepwatch.Field{Name: "I ask again", Time: s.Next})
	}
	msg.Blocks = []keepwatch.Block{{Fields: fields}}
	return msg
}

// sayWhere asks where something is in a form.
func sayWhere(name string) keepwatch.Button {
	return keepwatch.Button{Label: "Say where…", Command: "authenticator custody " + name, Style: keepwatch.StylePrimary, Form: &keepwatch.Form{
		Title: "Where is it recorded?", Submit: "Save", Text: "Never the password or key itself.",
		Fields: []keepwatch.FormField{{Name: "where", Words: true, Label: "Where " + clipLabel(name) + " is recorded", Hint: "in the safe, blue folder", Type: keepwatch.FieldText, Required: true}}}}
}

// clipLabel keeps the label of a field within Discord's 45 characters.
func clipLabel(name string) string {
	if len(name) > 24 {
		return "it"
	}
	return name
}

// lostButton says that nobody knows.
func lostButton(name string) keepwatch.Button {
	return keepwatch.Button{Label: "Nobody knows", Command: "authenticator custody " + name + " --lost"}
}
