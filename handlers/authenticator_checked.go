package handlers

import (
	"context"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// checked takes in what somebody says that a device shows.
func (r *Router) checked(_ context.Context, c *call) (keepwatch.Message, error) {
	if c.args.one("device") == "" {
		return r.whichDevice(c)
	}
	words := strings.Join(c.args["date"], " ")
	d, err := r.device(c, c.args.one("device"), words)
	if err != nil {
		return keepwatch.Message{}, err
	}
	if words == "" {
		return r.askDevice(d), nil
	}
	says, err := r.shownBy(words, c.req.At.In(r.zoneOf(c.person)))
	if err != nil {
		return keepwatch.Message{}, hinted{err, []keepwatch.Button{pickDate(d.Device)}}
	}
	if says.week && d.Seen.After(says.seen) && !d.Seen.After(says.seen.AddDate(0, 0, 6)) {
		says.seen, says.note = d.Seen, "“This week” is kept as "+day(d.Seen)+", which was seen before."
	}
	auth, err := r.authenticator()
	if err != nil {
		return keepwatch.Message{}, err
	}
	sure := c.args.has("sure")
	state, err := auth.Attest(keepwatch.Attestation{
		ID: c.req.ID, Subject: keepwatch.DeviceSubject(d.Device), By: c.person.Name, Said: c.req.At, State: says.state, Seen: says.seen, Remarks: c.args.one("remarks"),
	}, sure)
	switch kind := keepwatch.KindOf(err); {
	case err == nil:
	case kind == keepwatch.KindConflict && !sure:
		return reallySo(d.Device, says, keepwatch.Sentence(err)), nil
	case kind == keepwatch.KindInvalid:
		return keepwatch.Message{}, hinted{err, []keepwatch.Button{{Label: "Today", Command: "authenticator checked " + slug(d.Device) + " today"}, pickDate(d.Device)}}
	default:
		return keepwatch.Message{}, err
	}
	msg, err := r.attested(auth, state, says)
	if err != nil {
		return msg, err
	}
	if state.Person != c.person.Name {
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Noted for "+state.Person+", as said by you."))
	}
	return msg, nil
}

// reallySo asks about a date that is older than the one that is known.
func reallySo(d keepwatch.Device, says shown, why string) keepwatch.Message {
	return keepwatch.Message{
		Title: d.Name + ": really " + day(says.seen) + "?", Tone: keepwatch.ToneWarn, Refused: keepwatch.KindConflict, Failed: true,
		Blocks:  []keepwatch.Block{keepwatch.Text(why), keepwatch.Text("Nothing is saved yet.")},
		Buttons: []keepwatch.Button{{Label: "Yes, it shows that", Command: "authenticator checked " + slug(d) + " " + says.seen.Format("2006-01-02") + " --sure"}, pickDate(d)},
	}
}

// zoneOf gives the zone that a person's calendar goes by.
func (r *Router) zoneOf(p keepwatch.Person) *time.Location {
	if p.Hours.Zone != "" {
		if zone, err := time.LoadLocation(p.Hours.Zone); err == nil {
			return zone
		}
	}
	return r.cfg.Location
}

// whichDevice asks which phone is meant.
func (r *Router) whichDevice(c *call) (keepwatch.Message, error) {
	auth, err := r.authenticator()
	if err != nil {
		return keepwatch.Message{}, err
	}
	all, err := auth.Devices()
	if err != nil {
		return keepwatch.Message{}, err
	}
	list := own(c, all)
	if len(list) == 0 {
		return r.statusOf(c, list), nil
	}
	msg := keepwatch.Message{Title: "Which phone?", Tone: keepwatch.ToneWarn, Refused: keepwatch.KindInvalid, Failed: true}
	var buttons []keepwatch.Button
	for _, d := range list[:min(len(list), mostChoices)] {
		buttons = append(buttons, keepwatch.Button{Label: d.Device.Name, Command: "authenticator checked " + slug(d.Device)})
	}
	if len(buttons) <= fewChoices {
		msg.Buttons = buttons
	} else {
		msg.Menus = []keepwatch.Menu{{Label: msg.Title, Options: buttons}}
	}
	msg.Blocks = []keepwatch.Block{keepwatch.Text("It is written:"), keepwatch.Code("/" + c.cmd.Usage()), keepwatch.Text("For example:"), keepwatch.Code("/" + c.cmd.Examples[0])}
	return msg, nil
}

// attested answers what was said, with what comes of it.
func (r *Router) attested(auth Authenticator, d keepwatch.DeviceState, says shown) (keepwatch.Message, error) {
	switch says.state {
	case keepwatch.AttestedOff, keepwatch.AttestedNever, keepwatch.AttestedNotFound:
		return attestedOff(d, says.state), nil
	case keepwatch.AttestedNew:
		return newPhone(d), nil
	}
	msg := keepwatch.Message{Title: d.Device.Name + ": last backup " + day(says.seen), Tone: keepwatch.ToneGood}
	if says.note != "" {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(says.note))
	}
	if d.Standing == keepwatch.StandingOld {
		msg.Tone, msg.Title = keepwatch.ToneWarn, msg.Title+", which is long ago"
		msg.Blocks = append(msg.Blocks, keepwatch.Text("Accounts that were added since then are not in it. "+renew(d.Device)))
		msg.Buttons = append(msg.Buttons, guideFor(d.Device, "Show me how"))
	}
	if !d.Next.IsZero() {
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: []keepwatch.Field{{Name: "I ask again", Time: d.Next}}})
	}
	all, err := auth.Devices()
	phones := len(slices.DeleteFunc(slices.Clone(all), func(o keepwatch.DeviceState) bool { return o.Person != d.Person }))
	if d.Device.GlobalAdmin && phones < 2 {
		msg.Blocks = append(msg.Blocks, keepwatch.Text(adminText))
		msg.Buttons = append(msg.Buttons, keepwatch.Button{Label: "Add a second phone", Command: "authenticator guide second-device"})
	}
	return msg, err
}

// adminText is what a global administrator must know of such a backup
// (learn.microsoft.com/answers, question 5808998).
const adminText = "A global administrator needs more than this backup: of a work account it brings back the name only, which has to be signed in to again, and passkeys are never in it. A second phone, a security key or an emergency account is what lets you back in."

// renew says how a new backup comes about. On an iPhone the app itself makes none:
// iCloud does, after the app was opened.
func renew(d keepwatch.Device) string {
	if d.Platform == "android" {
		return "Update Authenticator and open it, then see under Settings → Cloud backup that it is on and signed in with a personal Microsoft account. Then say which date it shows."
	}
	return "On the iPhone see that iCloud Drive, iCloud Keychain and iCloud Backup are on and that Authenticator is on under Saved to iCloud, then open Authenticator once. Then say which date it shows."
}

// attestedOff answers that there is no backup, and leads to how there is one.
func attestedOff(d keepwatch.DeviceState, state keepwatch.Attested) keepwatch.Message {
	msg := keepwatch.Message{Tone: keepwatch.ToneWarn}
	switch state {
	case keepwatch.AttestedNever:
		msg.Title = d.Device.Name + ": the backup is on, and has never been made"
		msg.Blocks = append(msg.Blocks, keepwatch.Text(renew(d.Device)))
	case keepwatch.AttestedNotFound:
		msg.Title = d.Device.Name + ": let us find it together"
		where := "The setting is in Authenticator under ☰ → Settings → Cloud backup."
		if d.Device.Platform == "ios" {
			where = "Since September 2025 the backup of an iPhone is in iCloud and the iCloud Keychain, without a Microsoft account. It needs iOS 16 and Authenticator 6.8.33 or later; before an update the screen looks different."
		}
		msg.Blocks = append(msg.Blocks, keepwatch.Text(where))
	default:
		msg.Title = d.Device.Name + ": the backup is off"
		msg.Blocks = append(msg.Blocks, keepwatch.Text("If this phone is lost, the one-time codes in it are lost with it. Turning the backup on takes a few minutes."))
	}
	if d.Device.GlobalAdmin {
		msg.Tone = keepwatch.ToneBad
		msg.Blocks = append(msg.Blocks, keepwatch.Text(adminText))
	}
	guide := guideFor(d.Device, "Turn it on, step by step")
	guide.Style = keepwatch.StylePrimary
	msg.Buttons = []keepwatch.Button{guide, {Label: "It is on now", Command: "authenticator checked " + slug(d.Device)}}
	if !d.Next.IsZero() {
		msg.Blocks = append(msg.Blocks, keepwatch.Block{Fields: []keepwatch.Field{{Name: "I ask again", Time: d.Next}}})
	}
	return msg
}

// newPhone asks what sort of phone the new one is, and leads to how it is set up.
// Backups are not for the other platform (support.microsoft.com, "Back up and recover
// account credentials in the Authenticator app").
func newPhone(d keepwatch.DeviceState) keepwatch.Message {
	to := func(label, topic string) keepwatch.Button {
		return keepwatch.Button{Label: label, Command: "authenticator recover " + topic}
	}
	same, other := to("Another iPhone", "ios"), to("An Android phone", "ios-to-android")
	elsewhere := []keepwatch.Button{to("From Android to Android", "android"), to("From Android to an iPhone", "android-to-ios")}
	was := "an iPhone"
	if d.Device.Platform == "android" {
		same, other, was = to("Another Android phone", "android"), to("An iPhone", "android-to-ios"), "an Android phone"
		elsewhere = []keepwatch.Button{to("From an iPhone to an iPhone", "ios"), to("From an iPhone to Android", "ios-to-android")}
	}
	same.Style = keepwatch.StylePrimary
	buttons := []keepwatch.Button{same, other}
	if d.Device.GlobalAdmin {
		buttons = append(buttons, to("Locked out, and the old phone is gone", "lost-admin"))
	}
	return keepwatch.Message{
		Title: d.Device.Name + ": what is the new phone?", Tone: keepwatch.ToneWarn,
		Blocks: []keepwatch.Block{
			keepwatch.Text("Keep the old phone, and do not remove Authenticator from it, until the new one can sign in."),
			keepwatch.Text(d.Device.Name + " was " + was + ". A backup comes back on the same sort of phone only: between iPhone and Android it cannot be carried over. From one sort to the other, add the new phone at mysignins.microsoft.com/security-info while the old one still works."),
			keepwatch.Text("When the new one is set up, say which date its backup shows. If it has another platform or name, an admin changes it in keepwatch.yaml."),
		},
		Buttons: buttons,
		Menus:   []keepwatch.Menu{{Label: "It was another sort of phone", Options: elsewhere}},
	}
}
