package cpanel

import (
	"slices"
	"strings"

	"keepwatch"
)

// judge says what is missing from a full backup, and what is worth knowing about it.
func (c *contents) judge(want expected, v *verdict) {
	if c.tar.broken(v, "archive", "The archive") {
		return // what is missing then is missing because of that
	}
	c.settings()
	v.inside = keepwatch.Inside{Files: c.home.files, Bytes: c.tar.bytes, Databases: c.databases(), Domains: sorted(c.domains),
		Postgres: slices.Compact(slices.Sorted(slices.Values(c.postgres))), Mail: &keepwatch.InsideMail{Forwarders: sorted(c.mailers), Filters: c.home.filters}}
	if c.home.nested != nil { // what was packed twice is counted once, by its files
		v.inside.Bytes = c.tar.bytes - c.home.packed + c.home.bytes
	}
	c.tar.oddities(v, "archive", "The archive")
	if c.tops > 0 {
		v.problem("top", "archive", "The archive has %s beside the folder %s that all of a backup lies in (%s). Two backups may have been written into one. Start a new backup while no other one runs.",
			keepwatch.FormatCount(c.tops, "entry", "entries"), show(c.top), show(c.other))
	}
	if !c.version && len(c.accounts) == 0 {
		v.problem("missing", "archive", "The archive is no full backup of cPanel: neither the file version nor the settings of an account (cp/%s) are in it. Look at what lies under that name at the host, and start a new backup.", show(want.user))
		return
	}
	c.judgeAccount(want, v)
	c.judgeHome(want, v)
	c.judgeDatabases(want, v)
	c.judgeDomains(want, v)
	c.judgeDumps(want, v)
}

// judgeDumps judges the dumps of databases. One that the host did not name is no reason
// to refuse the archive: it may have been removed while the backup was made.
func (c *contents) judgeDumps(want expected, v *verdict) {
	for _, d := range c.dumps {
		list := want.databases
		if d.postgres {
			list = want.postgres
		}
		if !webmail(d.database) && (list == nil || slices.Contains(list, d.database)) {
			d.judge(v)
			v.dumps = append(v.dumps, d)
			continue
		}
		var aside verdict
		d.judge(&aside)
		for _, f := range aside.problems {
			v.note("%s The host did not name that database, so the archive is kept all the same.", f.Text)
		}
		v.notes = append(v.notes, aside.notes...)
	}
	problems, notes := settleDumps(v.dumps)
	v.problems, v.notes = append(v.problems, problems...), append(v.notes, notes...)
}

// webmail reports whether a dump is of the account's settings in a webmail program.
// Older hosts pack these under the name of the program, as rows of its own database,
// which is none of the account; no document says what they look like.
func webmail(database string) bool { return database == "horde" || database == "roundcube" }

// startAgain is what is to be done about an archive that was made wrongly.
const startAgain = " Start a new backup; if it is so again, show this to the host."

// judgeAccount looks for what every backup of an account has.
func (c *contents) judgeAccount(want expected, v *verdict) {
	switch {
	case !c.version:
		v.problem("missing", "version", "The file version is missing from the archive, or empty. Without it the host cannot restore the account from it."+startAgain)
	case len(c.accounts) == 0:
		v.problem("missing", "cp/"+show(want.user), "The settings of the account (cp/%s) are missing from the archive, or empty. Without them the host cannot restore the account from it."+startAgain, show(want.user))
	}
	if want.user != "" && len(c.accounts) > 0 && !slices.Contains(c.accounts, want.user) {
		v.problem("account", "archive", "The archive is of another account: it holds the settings of %s and not of %s. Look at which account the source names, and start a new backup.", showAll(c.accounts), show(want.user))
	}
	if c.setting("SUSPENDED") == "1" {
		v.note("The account is suspended. The archive is of that state, and the account stays suspended when it is restored from it.")
	}
	if !c.paths {
		v.note("The file homedir_paths is missing from the archive. Newer hosts write it; the host restores from an archive without it to the usual place.")
	}
}

// judgeHome looks at the home directory.
func (c *contents) judgeHome(want expected, v *verdict) {
	c.home.notes(v)
	switch {
	case want.skipHome:
	case !c.home.there:
		v.problem("home", "homedir", "The home directory is missing from the archive: no file of the websites and no mail is in it. Look at the account's quota and start a new backup with the home directory.")
	case c.home.nested != nil && c.home.nested.broken(v, "homedir.tar", "The home directory in the archive (homedir.tar)"):
	case c.home.nested != nil:
		c.home.nested.oddities(v, "homedir.tar", "The home directory in the archive (homedir.tar)")
	case c.home.opaque:
		v.note("The home directory in the archive (homedir.tar) could not be looked through, because it is stored with holes: whether it is complete cannot be told.")
	case c.home.files == 0:
		v.note("The home directory in the archive holds not a single file.")
	}
}

// judgeDatabases compares the dumps with what the server has.
func (c *contents) judgeDatabases(want expected, v *verdict) {
	var have []string
	for _, d := range c.dumps {
		if !d.postgres && !webmail(d.database) {
			have = append(have, d.database)
		}
	}
	compareNames(want.databases, have, "MySQL", v)
	compareNames(want.postgres, c.postgres, "PostgreSQL", v)
	if want.databases == nil {
		v.note("Whether the dumps of all databases are in the archive cannot be told, because nobody has said which there were when it was made. %s found.", keepwatch.FormatCount(int64(len(have)), "was", "were"))
	}
}

// compareNames says which databases are missing, and which nobody expected.
func compareNames(want, have []string, server string, v *verdict) {
	if want == nil {
		return
	}
	var missing, extra []string
	for _, db := range want {
		if !slices.Contains(have, db) {
			missing = append(missing, db)
		}
	}
	for _, db := range have {
		if !slices.Contains(want, db) {
			extra = append(extra, db)
		}
	}
	switch n := int64(len(missing)); {
	case n == 1:
		v.problem("database", "database "+show(missing[0]), "The dump of the database %s is missing from the archive, although the host has that %s database. Look at it in cPanel (it may be damaged, or the quota may be full), and start a new backup.", show(missing[0]), server)
	case n > 1:
		v.problem("database", "databases", "The dumps of %s are missing from the archive, although the host has them: %s. Look at them in cPanel (they may be damaged, or the quota may be full), and start a new backup.", keepwatch.FormatCount(n, server+" database"), showAll(missing))
	}
	if len(extra) > 0 {
		v.note("The archive holds dumps of %s that the host did not name when the backup was asked for: %s. They were made or removed in between.", keepwatch.FormatCount(int64(len(extra)), server+" database"), showAll(extra))
	}
}

// judgeDomains compares the domains with those that the host has named.
func (c *contents) judgeDomains(want expected, v *verdict) {
	var missing []string
	for _, d := range want.domains {
		if !c.domains[strings.ToLower(d)] {
			missing = append(missing, d)
		}
	}
	if len(missing) > 0 {
		v.note("The archive does not name %s that the host has: %s.", keepwatch.FormatCount(int64(len(missing)), "domain"), showAll(missing))
	}
}

// databases gives the names of those that have a dump, sorted.
func (c *contents) databases() []string {
	set := map[string]bool{}
	for _, d := range c.dumps {
		if !webmail(d.database) {
			set[d.database] = true
		}
	}
	for _, db := range c.postgres {
		set[db] = true
	}
	return sorted(set)
}

// setting gives a value of the account's settings, which are lines KEY=VALUE.
func (c *contents) setting(key string) string {
	for line := range strings.Lines(string(c.cp)) {
		if k, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && k == key {
			return value
		}
	}
	return ""
}

// settings takes the domains out of the account's settings (DNS, DNS1, DNS2 and so on)
// and out of userdata/main, which is YAML with one name a line: under main_domain, as
// keys under addon_domains, and as lists under parked_domains and sub_domains.
func (c *contents) settings() {
	for line := range strings.Lines(string(c.cp)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && strings.HasPrefix(key, "DNS") && strings.Trim(key[3:], "0123456789") == "" {
			c.domain(value)
		}
	}
	section := ""
	for line := range strings.Lines(string(c.userdata)) {
		line = strings.TrimRight(line, " \r\n")
		text := strings.TrimLeft(line, " -")
		key, value, _ := strings.Cut(text, ":")
		if line == text { // it is not indented, and no item of a list
			section = key
			if section == "main_domain" {
				c.domain(value)
			}
			continue
		}
		switch section {
		case "addon_domains", "parked_domains", "sub_domains":
			c.domain(key)
		}
	}
}
