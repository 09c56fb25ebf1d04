package handlers

import (
	"strings"

	"keepwatch"
)

// question gives what is asked at an occurrence of a RuleAsk. It is called within a
// transaction, so it asks nothing but what answers from memory.
func (r *Router) question(o keepwatch.Occurrence) keepwatch.Message {
	subject := strings.TrimPrefix(o.Ask, keepwatch.SubjectKind(o.Ask)+"/")
	switch keepwatch.SubjectKind(o.Ask) {
	case "device":
		if auth := r.cfg.Duties.Authenticator; auth != nil {
			devices, err := auth.Devices()
			for _, d := range devices {
				if err == nil && keepwatch.DeviceSubject(d.Device) == o.Ask {
					return r.askDevice(d)
				}
			}
		}
	case "custody":
		msg := keepwatch.Message{Title: o.Text, Tone: keepwatch.ToneWarn, Buttons: []keepwatch.Button{sayWhere(subject), lostButton(subject)}}
		if o.To != "" {
			msg.Blocks = append(msg.Blocks, keepwatch.Text(o.To+", "+lowerFirst(custodyText)))
		} else {
			msg.Blocks = append(msg.Blocks, keepwatch.Text(custodyText))
		}
		return msg
	}
	return keepwatch.Message{Title: o.Text} // of a device that is configured no longer
}

// custodyText says what is asked for, and what is not.
const custodyText = "Say where it is recorded, and look whether it is still there. A few words are enough: “in the safe, blue folder”. Never write the password or key itself: I keep only where it is, who said so, and when."

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// askDevice asks which date a device shows.
func (r *Router) askDevice(d keepwatch.DeviceState) keepwatch.Message {
	name, word := d.Device.Name, slug(d.Device)
	msg := keepwatch.Message{Title: name + ": which date does the backup of Authenticator show?"}
	if d.Standing != keepwatch.StandingFresh && d.Standing != keepwatch.StandingDue {
		msg.Tone = keepwatch.ToneWarn
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Text(d.Person+", open Authenticator on "+name+" → Settings → "+setting(d.Device)+": which date does it show?"))
	if d.Device.Platform == "ios" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("If it only says that the backup is on: Settings of the iPhone → your name → iCloud → iCloud Backup shows the last one."))
	}
	fields := []keepwatch.Field{{Name: "Last known date", Value: "none yet"}}
	if !d.SeenSaid.IsZero() {
		fields[0].Value = day(d.Seen)
	}
	if d.Last != nil {
		said := d.Last.By + ", " + d.Last.Said.In(r.cfg.Location).Format("2 January 2006")
		if d.Last.State != keepwatch.AttestedOn {
			said = saidWord(d.Last.State) + " (" + said + ")"
		}
		fields = append(fields, keepwatch.Field{Name: "Last said", Value: said})
	}
	msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: fields})
	say := func(label, words string) keepwatch.Button {
		return keepwatch.Button{Label: label, Command: "authenticator checked " + word + " " + words}
	}
	today := say("Today", "today")
	today.Style = keepwatch.StylePrimary
	msg.Buttons = []keepwatch.Button{today, say("This week", "this week"), pickDate(d.Device), say("Backup is off", "off"), say("I cannot find it", "not found"), say("I have a new phone", "new phone")}
	return msg
}

// saidWord writes what somebody said of a device that has no date.
func saidWord(state keepwatch.Attested) string {
	switch state {
	case keepwatch.AttestedOff:
		return "backup is off"
	case keepwatch.AttestedNever:
		return "never backed up"
	case keepwatch.AttestedNotFound:
		return "the setting was not found"
	}
	return string(state)
}

// pickDate asks for the date in a form.
func pickDate(d keepwatch.Device) keepwatch.Button {
	return keepwatch.Button{Label: "Pick a date…", Command: "authenticator checked " + slug(d), Form: &keepwatch.Form{
		Title: "Last backup", Submit: "Save", Text: "The date that Authenticator on " + d.Name + " shows for its last backup.",
		Fields: []keepwatch.FormField{
			{Name: "date", Label: "Date of the last backup", Type: keepwatch.FieldDate, Required: true},
			{Name: "remarks", Flag: true, Label: "Anything worth knowing", Hint: "never a password", Type: keepwatch.FieldText},
		}}}
}
