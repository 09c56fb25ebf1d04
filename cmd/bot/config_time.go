package main

import (
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/providers/authenticator"
)

// duties reads what has to do with times and with people's duties.
func (d *doc) duties(c *config, top map[string]field, base string) {
	for _, f := range top["hours"].list() {
		keys := f.section("channels", "timezone", "quiet", "working_days", "holidays")
		h := d.hours(keys)
		if len(keys["channels"].list()) == 0 {
			f.bad("has no channels; expected some, such as channels: [default, slack:C0123].")
		}
		for _, at := range keys["channels"].list() {
			channel := d.channel(at, c.Channels)
			if _, twice := c.Hours[channel]; twice && channel != "" {
				at.bad("has hours twice.")
			}
			c.Hours[channel] = h
		}
	}
	for _, f := range top["custody"].list() {
		keys := f.section("name", "what", "owner", "recheck")
		name := need(f, keys, "name", "name: office-safe")
		k := keepwatch.Custody{Name: name.text(), What: need(f, keys, "what", `what: "the password of the registrar"`).text(), Owner: d.owner(keys["owner"], c.People), Recheck: keys["recheck"].duration()}
		if name.is() && !keepwatch.ValidName(k.Name) {
			name.bad("is %q; expected at most %d of a-z, 0-9, \".\", \"_\" and \"-\", beginning with a letter or a digit.", k.Name, keepwatch.MaxName)
		}
		if slices.ContainsFunc(c.Custody, func(o keepwatch.Custody) bool { return o.Name == k.Name }) {
			name.bad("is the second one named %q.", k.Name)
		}
		c.Custody = append(c.Custody, k)
	}
	for _, f := range top["credentials"].list() {
		keys := f.section("name", "expires", "owner", "how")
		c.Credentials = append(c.Credentials, keepwatch.Credential{
			Name: need(f, keys, "name", `name: "Graph client secret"`).text(), Owner: d.owner(keys["owner"], c.People), How: keys["how"].text(),
			Expires: need(f, keys, "expires", "expires: 2027-03-01").day(c.Location),
		})
	}
	for _, f := range top["emergency_accounts"].list() {
		keys := f.section("name", "upn", "method", "where", "tested")
		e := authenticator.EmergencyAccount{Name: need(f, keys, "name", "name: bg1").text(), UPN: need(f, keys, "upn", "upn: bg1@contoso.onmicrosoft.com").text(),
			Method: keys["method"].oneOf("fido2", "certificate", "other"), Where: keys["where"].text(), Tested: keys["tested"].day(c.Location)}
		if keepwatch.LooksSecret(e.Where) {
			keys["where"].bad("looks like a secret itself. Say where it is kept, such as \"the office safe, blue folder\".")
		}
		c.Emergency = append(c.Emergency, e)
	}
	known := []string{}
	for _, f := range keepwatch.DossierFields() {
		known = append(known, f.Name)
	}
	for name, f := range top["dossier"].section(known...) {
		c.Dossier[name] = f.text()
	}
	c.Checklists = absolute(top["checklists"].text(), base)
}

// hours reads when somebody, or a channel, may be disturbed.
func (d *doc) hours(keys map[string]field) keepwatch.Hours {
	var h keepwatch.Hours
	if f := keys["timezone"]; f.is() {
		h.Zone = f.text()
		if _, err := time.LoadLocation(h.Zone); err != nil {
			f.bad("is %q; expected a time zone such as Europe/London.", h.Zone)
		}
	}
	if f := keys["quiet"]; f.is() {
		from, to, ok := strings.Cut(f.text(), "-")
		var err1, err2 error
		h.QuietFrom, err1 = clockTime(strings.TrimSpace(from))
		h.QuietTo, err2 = clockTime(strings.TrimSpace(to))
		if !ok || err1 != nil || err2 != nil || h.QuietFrom == h.QuietTo {
			f.bad("is %q; expected two times of day such as 19:00-08:00.", f.text())
		}
	}
	for _, f := range keys["working_days"].list() {
		day, ok := weekday(f.text())
		if !ok {
			f.bad("is %q; expected a day such as mon or Monday.", f.text())
			continue
		}
		h.Days = append(h.Days, day)
	}
	for _, f := range keys["holidays"].list() {
		f.day(time.UTC)
		h.Holidays = append(h.Holidays, f.text())
	}
	return h
}

// clockTime reads a time of day as the time since midnight.
func clockTime(text string) (time.Duration, error) {
	t, err := time.Parse("15:04", text)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err
}

// weekday reads a day of the week by its name, or by the first three letters or
// more of it.
func weekday(text string) (time.Weekday, bool) {
	text = strings.ToLower(text)
	for day := time.Sunday; day <= time.Saturday; day++ {
		if len(text) >= 3 && strings.HasPrefix(strings.ToLower(day.String()), text) {
			return day, true
		}
	}
	return 0, false
}

// day reads a date, as its first moment in a zone.
func (f field) day(zone *time.Location) time.Time {
	if !f.is() {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, f.text(), zone)
	if err != nil {
		f.bad("is %q; expected a date such as 2027-03-01.", f.text())
	}
	return t
}

// owner reads the name of a person who stands in the file.
func (d *doc) owner(f field, people []keepwatch.Person) string {
	name := f.text()
	if f.is() && !slices.ContainsFunc(people, func(p keepwatch.Person) bool { return p.Name == name }) {
		f.bad("is %q, and nobody under people has that name.", name)
	}
	return name
}

// channel reads a channel, by its name in the file or by its platform's id.
func (d *doc) channel(f field, named map[string]string) string {
	text := f.text()
	if c := named[text]; c != "" {
		return c
	}
	platform, id, ok := strings.Cut(text, ":")
	if f.is() && (!ok || !validChannel(id) || platform != "slack" && platform != "discord") && text != "terminal" {
		f.bad("is %q; expected a name from channels, or a channel such as slack:C0123.", text)
	}
	return text
}
