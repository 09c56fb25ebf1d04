package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"keepwatch"
	"keepwatch/engine/when"
	"keepwatch/providers/authenticator"
	"keepwatch/vault"
)

// config is keepwatch.yaml: what to keep and whom to ask.
type config struct {
	Location *time.Location
	Zoned    bool // somebody has named Location; otherwise it is the system's
	People   []keepwatch.Person
	Groups   []keepwatch.Group
	Channels map[string]string
	Sources  []keepwatch.Source
	Vault    vaultConfig
	Parallel int
	Scope    string // which mailboxes the application of Microsoft 365 is meant to reach: scopeTenant; else those of the sources

	Hours       map[string]keepwatch.Hours // by channel: "slack:C0OPS"
	Custody     []keepwatch.Custody
	Credentials []keepwatch.Credential
	Emergency   []authenticator.EmergencyAccount
	Second      map[string]string         // how a person signs in beside Authenticator, by name
	Dossier     map[string]string         // what Microsoft asks for, by the field's name
	When        map[string]keepwatch.When // of the schedules, by source
	Checklists  string                    // the folder of the team's own; "": there is none
	Plain       []string                  // secrets that stand in the file itself, by where: "sources[0].token"
	Referred    []string                  // variables that stand where a secret belongs: "CPANEL_TOKEN"
}

// scopeTenant says that the application may read every mailbox of the tenant, and that
// this is known.
const scopeTenant = "tenant"

// vaultConfig is where archives lie and how long.
type vaultConfig struct {
	Dir        string
	Recipients []string
	Keep       keepwatch.Keep
	Copies     []string
}

// readConfig reads the file. A missing one is an empty configuration, unless it
// was named. Paths in it are relative to its folder.
func readConfig(file string, named bool, zone string, env func(string) (string, bool)) (config, error) {
	d := &doc{file: file, env: env}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		data, err = nil, nil
	}
	if err != nil {
		return config{}, keepwatch.Errorf(keepwatch.KindInvalid, "The configuration %s cannot be read: %v.", file, errors.Unwrap(err)).Because(err)
	}
	base, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return config{}, fmt.Errorf("find the folder of the configuration: %w", err)
	}
	c := d.config(d.parse(data), base, zone)
	c.Plain, c.Referred = d.plain, d.referred
	return c, d.err()
}

func (d *doc) config(root field, base, zone string) config {
	top := root.section("timezone", "people", "groups", "channels", "sources", "vault", "parallel",
		"hours", "custody", "credentials", "checklists", "emergency_accounts", "dossier", "microsoft")
	c := config{Channels: map[string]string{}, Hours: map[string]keepwatch.Hours{}, Second: map[string]string{}, Dossier: map[string]string{}, When: map[string]keepwatch.When{}, Parallel: top["parallel"].number(1), Location: d.zone(top["timezone"], zone), Zoned: top["timezone"].is() || zone != ""}
	for i, f := range top["people"].list() {
		p, second := d.person(f)
		if slices.ContainsFunc(c.People, func(q keepwatch.Person) bool { return q.Name == p.Name }) {
			f.bad("is the second person named %q.", p.Name)
		}
		for _, q := range c.People[:min(i, len(c.People))] {
			if p.Microsoft != "" && strings.EqualFold(p.Microsoft, q.Microsoft) {
				f.bad("has the same sign-in name of Microsoft 365 as %s.", q.Name)
			}
			for platform, id := range p.Accounts {
				if q.Accounts[platform] == id {
					f.bad("has the same %s account as %s.", platform, q.Name)
				}
			}
		}
		if second != "" {
			c.Second[p.Name] = second
		}
		c.People = append(c.People, p)
	}
	for _, f := range top["groups"].list() {
		c.Groups = append(c.Groups, d.group(f))
	}
	for name, f := range top["channels"].section("default", "escalation", "reports") {
		c.Channels[name] = f.text()
		platform, id, ok := strings.Cut(c.Channels[name], ":")
		if !ok || !validChannel(id) || (platform != "slack" && platform != "discord") {
			f.bad("is %q; expected a channel such as slack:C0123 or discord:998877.", c.Channels[name])
		}
	}
	for _, f := range top["sources"].list() {
		s := d.source(f, base, &c)
		if slices.ContainsFunc(c.Sources, func(t keepwatch.Source) bool { return t.Name == s.Name && s.Name != "" }) {
			f.bad("is the second source named %q.", s.Name)
		}
		c.Sources = append(c.Sources, s)
	}
	c.Scope = top["microsoft"].section("scope")["scope"].oneOf("mailboxes", scopeTenant)
	c.Vault = d.vault(top["vault"], base)
	d.duties(&c, top, base)
	return c
}

// zone reads a time zone: the file's, else the environment's, else the system's.
func (d *doc) zone(f field, fallback string) *time.Location {
	name := f.text()
	if name == "" {
		if fallback == "" {
			return systemZone()
		}
		loc, err := time.LoadLocation(fallback)
		if err != nil { // readEnv has said so
			return time.UTC
		}
		return loc
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		f.bad("is %q; expected a time zone such as Europe/London.", name)
		return time.UTC
	}
	return loc
}

// systemZone gives the system's zone under its own name, because a rule is kept under
// one; time.Local, which has none, where the system does not say.
func systemZone() *time.Location {
	name := os.Getenv("TZ")
	if target, err := os.Readlink("/etc/localtime"); name == "" && err == nil {
		_, name, _ = strings.Cut(target, "zoneinfo/")
	}
	if text, err := os.ReadFile("/etc/timezone"); name == "" && err == nil { // Debian's, where the other is a copy
		name = strings.TrimSpace(string(text))
	}
	if _, err := os.Stat("/etc/localtime"); name == "" && errors.Is(err, fs.ErrNotExist) && runtime.GOOS != "windows" {
		return time.UTC // as Go has it then
	}
	if loc, err := time.LoadLocation(strings.TrimPrefix(name, ":")); err == nil && name != "" {
		return loc
	}
	return time.Local
}

// need reads a key that must be there.
func need(at field, keys map[string]field, name, example string) field {
	f, ok := keys[name]
	if !ok || !f.is() {
		at.bad("has no %s; expected one, such as %s.", name, example)
	}
	return f
}

// person reads a person, and how they can sign in beside Authenticator.
func (d *doc) person(f field) (p keepwatch.Person, second string) {
	keys := f.section("name", "role", "slack", "discord", "terminal", "microsoft", "devices",
		"timezone", "quiet", "working_days", "holidays", "second_method")
	p = keepwatch.Person{Name: need(f, keys, "name", "name: Alis").text(), Accounts: map[string]string{}}
	for _, platform := range []string{"slack", "discord", "terminal"} {
		if id := keys[platform].text(); id != "" {
			p.Accounts[platform] = id
		}
	}
	p.Microsoft = signInName(keys["microsoft"])
	role := need(f, keys, "role", "role: operator")
	p.Role, _ = keepwatch.ParseRole(role.oneOf("viewer", "operator", "admin"))
	p.Hours = d.hours(keys)
	for _, df := range keys["devices"].list() {
		dk := df.section("name", "platform", "account", "recheck", "global_admin")
		// What can be set up since Microsoft moved the backup on iPhones (Microsoft 365
		// message centre, September 2025).
		switch account := dk["account"]; {
		case dk["platform"].text() == "ios" && account.text() == "microsoft":
			account.bad("is \"microsoft\", and since September 2025 Authenticator on an iPhone is backed up to iCloud alone; expected icloud or none.")
		case dk["platform"].text() == "android" && account.text() == "icloud":
			account.bad("is \"icloud\", and Authenticator on an Android phone is backed up to a personal Microsoft account alone; expected microsoft or none.")
		}
		p.Devices = append(p.Devices, keepwatch.Device{
			Name: need(df, dk, "name", `name: "Alis iPhone"`).text(), Platform: need(df, dk, "platform", "platform: ios").oneOf("ios", "android"),
			Account: dk["account"].oneOf("icloud", "microsoft", "none"), Recheck: dk["recheck"].duration(), GlobalAdmin: dk["global_admin"].yes(),
		})
	}
	return p, keys["second_method"].text()
}

// signInName reads the name with which somebody signs in to Microsoft 365.
func signInName(f field) string {
	name := f.text()
	user, domain, found := strings.Cut(name, "@")
	if name != "" && (!found || user == "" || !strings.Contains(domain, ".") || strings.ContainsAny(name, " \t/?#%")) {
		f.bad("is %q; expected the name with which somebody signs in to Microsoft 365, such as alis@contoso.example.", name)
	}
	return name
}

// group reads a group of a platform whose members have a role.
func (d *doc) group(f field) keepwatch.Group {
	keys := f.section("slack", "discord", "role")
	var g keepwatch.Group
	for _, platform := range []string{"slack", "discord"} {
		id := keys[platform].text()
		switch {
		case id == "":
		case g.ID != "":
			f.bad("names a group of two platforms; write two groups.")
		case !validChannel(id):
			keys[platform].bad("is %q; expected the id of a user group (slack: S0123) or of a role (discord: \"777\").", id)
		default:
			g.ID = platform + ":" + id
		}
	}
	if g.ID == "" {
		f.bad("names no group; expected slack: S0123, a user group, or discord: \"777\", a role.")
	}
	g.Role, _ = keepwatch.ParseRole(need(f, keys, "role", "role: operator").oneOf("viewer", "operator", "admin"))
	return g
}

// validChannel reports whether text may be a platform's id of a channel, an
// account or a group. "@" before it is a direct message.
func validChannel(id string) bool {
	id = strings.TrimPrefix(id, "@")
	return id != "" && len(id) <= 64 && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// sourceKeys are the keys of each kind of source, besides name, kind and
// schedule.
var sourceKeys = map[keepwatch.SourceKind][]string{
	keepwatch.KindFiles:   {"path", "drop", "settle", "exclude"},
	keepwatch.KindCPanel:  hostingKeys(),
	keepwatch.KindOutlook: {"mailbox", "parts", "formats", "engine"},
}

func (d *doc) source(f field, base string, c *config) keepwatch.Source {
	every := []string{"name", "kind", "schedule"}
	all := slices.Concat(every, sourceKeys[keepwatch.KindFiles], sourceKeys[keepwatch.KindCPanel], sourceKeys[keepwatch.KindOutlook])
	keys := f.section(slices.Compact(slices.Sorted(slices.Values(all)))...)
	name := need(f, keys, "name", "name: ruthin-web")
	s := keepwatch.Source{Name: name.text(), Schedule: keys["schedule"].text()}
	if at := keys["schedule"]; at.is() {
		c.When[s.Name] = d.schedule(at, c.Location)
	}
	if name.is() && !keepwatch.ValidName(s.Name) {
		name.bad("is %q; expected at most %d of a-z, 0-9, \".\", \"_\" and \"-\", beginning with a letter or a digit.", s.Name, keepwatch.MaxName)
	}
	s.Kind = keepwatch.SourceKind(need(f, keys, "kind", "kind: files").oneOf("files", "cpanel", "outlook"))
	for key, at := range keys {
		if s.Kind != "" && !slices.Contains(every, key) && !slices.Contains(sourceKeys[s.Kind], key) {
			at.bad("does not belong to a source of kind %s.", s.Kind)
		}
	}
	switch s.Kind {
	case keepwatch.KindFiles:
		d.files(&s, f, keys, base)
	case keepwatch.KindCPanel:
		d.cpanel(&s, f, keys, base)
	case keepwatch.KindOutlook:
		s.Mailbox = need(f, keys, "mailbox", "mailbox: alis@contoso.example").text()
		if keys["mailbox"].is() && !strings.Contains(s.Mailbox, "@") {
			keys["mailbox"].bad("is %q; expected an address such as alis@contoso.example.", s.Mailbox)
		}
		s.Parts = keys["parts"].texts()
		for _, at := range keys["formats"].list() {
			s.Formats = append(s.Formats, at.oneOf("eml", "pst"))
		}
		s.Engine = keys["engine"].oneOf("graph", keepwatch.EnginePurview)
		if s.Engine == keepwatch.EnginePurview && (len(s.Parts) > 0 || len(s.Formats) > 0) {
			keys["engine"].bad("is purview, whose export is a PST of the whole mailbox: leave out parts and formats.")
		}
	}
	return s
}

func (d *doc) files(s *keepwatch.Source, f field, keys map[string]field, base string) {
	path := need(f, keys, "path", "path: /srv/files").text()
	s.Path = absolute(path, base)
	s.Drop, s.Settle, s.Exclude = keys["drop"].yes(), keys["settle"].duration(), keys["exclude"].texts()
	for _, at := range keys["exclude"].list() {
		if _, err := filepath.Match(at.text(), "x"); err != nil {
			at.bad("is %q; expected a pattern such as *.tmp.", at.text())
		}
	}
	if s.Settle > 0 && !s.Drop {
		keys["settle"].bad("is about drop folders: add drop: true, or leave it out.")
	}
}

func absolute(path, base string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// schedule reads when a source is backed up: a cron expression, or plain words.
func (d *doc) schedule(f field, zone *time.Location) keepwatch.When {
	w, err := when.New().Parse(f.text(), zone, time.Now())
	if err == nil && !w.At.IsZero() {
		err = keepwatch.Errorf(keepwatch.KindInvalid, "That comes once; a schedule comes again and again.")
	}
	if err != nil {
		why := " " + keepwatch.Sentence(err)
		if n := f.resolve().n; n != nil && strings.Contains(n.Value, "${") {
			why = "" // it may quote a part of what only the environment holds
		}
		f.bad("is %q; expected a cron expression such as \"0 3 * * *\", or words such as \"every day at 3:00\".%s", f.text(), why)
	}
	return w
}

func (d *doc) vault(f field, base string) vaultConfig {
	keys := f.section("dir", "recipients", "keep", "copies")
	v := vaultConfig{Dir: absolute(keys["dir"].text(), base), Recipients: keys["recipients"].texts(), Copies: d.copies(keys["copies"], base)}
	d.recipients(keys["recipients"], v.Recipients)
	k := keys["keep"].section("last", "hourly", "daily", "weekly", "monthly", "yearly",
		"within", "within_hourly", "within_daily", "within_weekly", "within_monthly", "within_yearly")
	v.Keep = keepwatch.Keep{
		Last: k["last"].number(-1), Hourly: k["hourly"].number(-1), Daily: k["daily"].number(-1), Weekly: k["weekly"].number(-1), Monthly: k["monthly"].number(-1), Yearly: k["yearly"].number(-1),
		Within: k["within"].span(), WithinHourly: k["within_hourly"].span(), WithinDaily: k["within_daily"].span(),
		WithinWeekly: k["within_weekly"].span(), WithinMonthly: k["within_monthly"].span(), WithinYearly: k["within_yearly"].span(),
	}
	return v
}

// copies reads the places that archives are copied to: folders.
func (d *doc) copies(f field, base string) (places []string) {
	for _, at := range f.list() {
		text := at.text()
		if name, _, remote := strings.Cut(text, ":"); remote && !strings.ContainsAny(name, `/\.`) && len(name) > 1 {
			at.bad("is %q, a remote of rclone, and this version copies into folders only. Mount it (rclone mount) and name the folder, or copy the vault by other means.", text)
			continue
		}
		if text == "" || slices.Contains(places, absolute(text, base)) {
			at.bad("is %q; expected a folder, each once, such as /mnt/nas/keepwatch.", text)
			continue
		}
		places = append(places, absolute(text, base))
	}
	return places
}

// recipients checks the public keys, each and then together. What it says never
// shows one that is secret.
func (d *doc) recipients(f field, texts []string) {
	whole := true
	for i, at := range f.list() {
		if err := vault.CheckRecipients(texts[i : i+1]); err != nil {
			whole = false
			at.bad("is wrong. %s", keepwatch.Sentence(err))
		}
	}
	if err := vault.CheckRecipients(texts); err != nil && whole {
		f.bad("is wrong. %s", keepwatch.Sentence(err))
	}
}

// span reads a span by the calendar: 1y5m7d2h.
func (f field) span() keepwatch.Span {
	if !f.is() {
		return keepwatch.Span{}
	}
	s, err := keepwatch.ParseSpan(f.text())
	if err != nil {
		f.bad("is %q; expected years, months, days and hours, such as 1y5m7d2h or 14d.", f.text())
	}
	return s
}
