package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"keepwatch"
)

// dossier shows what is written down for a lock-out, fills it in, or seals it.
func (r *Router) dossier(ctx context.Context, c *call) (keepwatch.Message, error) {
	keeper := r.cfg.Duties.Dossier
	if keeper == nil {
		return keepwatch.Message{}, notHere("There is no dossier here", "It is kept once phones with Microsoft Authenticator are named in keepwatch.yaml.")
	}
	name, value := c.args.one("field"), strings.Join(c.args["value"], " ")
	if c.args.has("seal") {
		if name != "" {
			return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "--seal seals all of it. Fill %s in first, then: /authenticator dossier --seal", name)
		}
		c.audit.Source = keepwatch.DossierSource
		return r.begin(ctx, c, keepwatch.Run{Kind: keepwatch.RunBackup, Source: keepwatch.DossierSource})
	}
	if name == "" {
		d, err := keeper.Dossier()
		if err != nil {
			return keepwatch.Message{}, err
		}
		return r.dossierList(d), nil
	}
	f, err := fieldNamed(name, value)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if value == "" && !c.args.has("clear") {
		d, err := keeper.Dossier()
		if err != nil {
			return keepwatch.Message{}, err
		}
		return r.dossierField(f, d), nil
	}
	if value != "" && c.args.has("clear") {
		return keepwatch.Message{}, keepwatch.Errorf(keepwatch.KindInvalid, "Say what %s is, or --clear: not both.", f.Name)
	}
	d, err := keeper.SetDossier(f.Name, value, c.person.Name)
	if err != nil {
		if keepwatch.KindOf(err) == keepwatch.KindInvalid {
			return keepwatch.Message{}, hinted{err, []keepwatch.Button{fillIn(f, "")}}
		}
		return keepwatch.Message{}, err
	}
	return r.filledIn(f, d), nil
}

// fieldNamed finds a field, or says which one was probably meant.
func fieldNamed(name, rest string) (keepwatch.DossierField, error) {
	var names []string
	for _, f := range keepwatch.DossierFields() {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
		names = append(names, f.Name)
	}
	if near := nearest(name, names); near != "" {
		command := "authenticator dossier " + near
		if rest != "" && !secretIn(rest) { // a button is kept
			command += " " + Quote(strings.Fields(rest)...)
		}
		return keepwatch.DossierField{}, hinted{keepwatch.Errorf(keepwatch.KindNotFound, "The dossier has no field %q. Did you mean %s?", name, near), []keepwatch.Button{{Label: "Yes, " + near, Command: command}}}
	}
	return keepwatch.DossierField{}, keepwatch.Errorf(keepwatch.KindNotFound, "The dossier has no field %q. There are: %s.", name, strings.Join(names, ", "))
}

// fillIn asks for a field in a form.
func fillIn(f keepwatch.DossierField, value string) keepwatch.Button {
	return keepwatch.Button{Label: f.Label + "…", Command: "authenticator dossier " + f.Name, Form: &keepwatch.Form{
		Title: "Dossier", Submit: "Save", Text: f.Why + " Never a password.",
		Fields: []keepwatch.FormField{{Name: "value", Words: true, Label: f.Label, Hint: f.Example, Value: value, Type: keepwatch.FieldText, Required: true}}}}
}

// lacking gives the required fields that are empty.
func lacking(d keepwatch.Dossier) []keepwatch.DossierField {
	return slices.DeleteFunc(keepwatch.DossierFields(), func(f keepwatch.DossierField) bool { return !f.Required || d.Fields[f.Name].Value != "" })
}

// sealButton seals it.
func sealButton(style keepwatch.Style) keepwatch.Button {
	return keepwatch.Button{Label: "Seal it now", Command: "authenticator dossier --seal", Style: style}
}

// dossierList shows all of it: what is missing first, with a form for each.
func (r *Router) dossierList(d keepwatch.Dossier) keepwatch.Message {
	missing := lacking(d)
	msg := keepwatch.Message{Title: "Dossier for a lock-out: complete", Tone: keepwatch.ToneGood}
	switch n := int64(len(missing)); {
	case n > 0:
		msg.Title, msg.Tone = fmt.Sprintf("Dossier for a lock-out: %s missing", keepwatch.FormatCount(n, "thing is", "things are")), keepwatch.ToneWarn
	case !d.Sealed.After(d.Changed):
		msg.Title, msg.Tone = msg.Title+", and not sealed as it is now", keepwatch.ToneWarn
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text("Microsoft's support asks for these when nobody can sign in. Most stand in a dashboard that is out of reach then. No passwords: only where they are recorded."))
	table := keepwatch.Table{Head: []string{"Field", "What", "Value", "By"}}
	menu := keepwatch.Menu{Label: "Fill in or change"}
	for _, f := range keepwatch.DossierFields() {
		value, by := "missing", ""
		switch e := d.Fields[f.Name]; {
		case e.Value != "" && e.At.IsZero():
			value, by = e.Value, e.By
		case e.Value != "":
			value, by = e.Value, e.By+", "+e.At.In(r.cfg.Location).Format("2 Jan 2006")
		case !f.Required:
			value = keepwatch.NobodySaid
		}
		table.Rows = append(table.Rows, []string{f.Name, f.Label, value, by})
		menu.Options = append(menu.Options, keepwatch.Button{Label: f.Label, Command: "authenticator dossier " + f.Name})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Table: &table}, keepwatch.Text(r.sealedText(d)))
	for _, f := range missing[:min(len(missing), 3)] {
		msg.Buttons = append(msg.Buttons, fillIn(f, ""))
	}
	style := keepwatch.StylePlain
	if len(missing) == 0 && !d.Sealed.After(d.Changed) {
		style = keepwatch.StylePrimary
	}
	if len(d.Fields) > 0 {
		msg.Buttons = append(msg.Buttons, sealButton(style))
	}
	msg.Menus = []keepwatch.Menu{menu}
	return msg
}

// sealedText says when it was sealed, and what that is worth.
func (r *Router) sealedText(d keepwatch.Dossier) string {
	switch {
	case d.Sealed.IsZero():
		return "It is not in the vault yet. Once it is sealed, print it, or keep the opened copy where it can be read without this machine and without Microsoft 365."
	case d.Changed.After(d.Sealed):
		return "It, or where a key in it lies, was changed on " + r.time(d.Changed) + ", after it was sealed into " + d.Archive + " on " + r.time(d.Sealed) + ": seal it again."
	}
	return "Sealed into " + d.Archive + " on " + r.time(d.Sealed) + "."
}

// dossierField shows one field.
func (r *Router) dossierField(f keepwatch.DossierField, d keepwatch.Dossier) keepwatch.Message {
	e := d.Fields[f.Name]
	msg := keepwatch.Message{Title: "Dossier: " + f.Label}
	fields := []keepwatch.Field{{Name: "Value", Value: "missing"}, {Name: "For example", Value: f.Example}}
	if !f.Required {
		fields[0].Value = keepwatch.NobodySaid
	}
	if e.Value != "" {
		fields[0].Value = e.Value
		fields = append(fields, keepwatch.Field{Name: "By", Value: e.By})
		if !e.At.IsZero() {
			fields = append(fields, keepwatch.Field{Name: "At", Time: e.At})
		}
	}
	button := fillIn(f, e.Value)
	button.Style = keepwatch.StylePrimary
	msg.Buttons = []keepwatch.Button{button}
	if e.Value != "" && !e.At.IsZero() { // what keepwatch.yaml gives is taken out there
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Take it out", Command: "authenticator dossier " + f.Name + " --clear", Style: keepwatch.StyleDanger})
	}
	msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "All of it", Command: "authenticator dossier"})
	msg.Blocks = []keepwatch.Block{keepwatch.Text(f.Why), {Fields: fields}, keepwatch.Code("/authenticator dossier " + f.Name + " " + f.Example)}
	return msg
}

// filledIn answers a change, with what is next.
func (r *Router) filledIn(f keepwatch.DossierField, d keepwatch.Dossier) keepwatch.Message {
	msg := keepwatch.Message{Title: "Noted: " + f.Label, Tone: keepwatch.ToneGood}
	switch e := d.Fields[f.Name]; {
	case e.Value == "":
		msg.Title = "Taken out: " + f.Label
	case e.At.IsZero():
		msg.Title = "Taken out: " + f.Label
		msg.Blocks = append(msg.Blocks, keepwatch.Text("What "+e.By+" gives counts again: "+e.Value))
	default:
		msg.Blocks = append(msg.Blocks, keepwatch.Field{Name: f.Label, Value: e.Value}.Block())
	}
	if own := d.OwnDomain(); own != "" && slices.Contains([]string{"email", "domains", "tenant-domain", "administrators"}, f.Name) {
		msg.Tone = keepwatch.ToneWarn
		msg.Blocks = append(msg.Blocks, keepwatch.Text(d.Fields["email"].Value+", the address outside the tenant, is on the tenant's own domain "+own+": nobody can read it in a lock-out. Give one that is read without Microsoft 365."), keepwatch.Code("/authenticator dossier email contoso.rescue@mail.example"))
	}
	missing := lacking(d)
	if len(missing) == 0 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("The dossier is complete. "+r.sealedText(d)))
		msg.Buttons = []keepwatch.Button{sealButton(keepwatch.StylePrimary), {Label: "Show it", Command: "authenticator dossier"}}
		return msg
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(fmt.Sprintf("%s missing.", keepwatch.FormatCount(int64(len(missing)), "thing is", "things are"))))
	next := fillIn(missing[0], "")
	next.Label, next.Style = "Next: "+next.Label, keepwatch.StylePrimary
	msg.Buttons = []keepwatch.Button{next, {Label: "Show it", Command: "authenticator dossier"}}
	return msg
}
