package main

import (
	"maps"
	"slices"
	"time"

	"keepwatch"
)

// home is where things are said that concern nobody alone: the default channel, and
// the terminal where no platform is configured. "": nowhere.
func (a *app) home() string {
	if c := a.settings.Channels["default"]; c != "" && a.speaks(c) {
		return c
	}
	if len(a.settings.platforms()) == 0 {
		return "terminal"
	}
	return ""
}

// channels are those of the configuration by their names, for commands.
func (a *app) channels() map[string]string {
	named := maps.Clone(a.settings.Channels)
	if named["default"] == "" && a.home() != "" {
		named["default"] = a.home()
	}
	return named
}

// direct gives where a person is reached alone, on the first platform that both are
// on; "": nowhere.
func (a *app) direct(p keepwatch.Person) string {
	for _, platform := range a.settings.platforms() {
		if id := p.Accounts[platform]; id != "" {
			return platform + ":@" + id
		}
	}
	if len(a.settings.platforms()) == 0 {
		return "terminal"
	}
	return ""
}

// chain is where a question goes that nobody answers: the escalation channel, then
// each admin.
func (a *app) chain() []string {
	var chain []string
	if c := a.settings.Channels["escalation"]; c != "" && a.speaks(c) {
		chain = append(chain, c)
	}
	for _, p := range a.settings.People {
		if to := a.direct(p); p.Role == keepwatch.RoleAdmin && to != "" && to != "terminal" && !slices.Contains(chain, to) {
			chain = append(chain, to)
		}
	}
	return chain
}

// whereFirst gives who hears of a fact first: the person that it is addressed to, and
// the default channel where it is nobody's or that person cannot be reached.
func (a *app) whereFirst(f keepwatch.Fact) []string {
	for _, p := range a.settings.People {
		if p.Name == f.To {
			if to := a.direct(p); to != "" {
				return []string{to}
			}
		}
	}
	if c := a.home(); c != "" {
		return []string{c}
	}
	return a.admins()
}

// whereWider gives who hears of it when nobody acknowledges it.
func (a *app) whereWider(f keepwatch.Fact) []string {
	return slices.DeleteFunc(a.chain(), func(c string) bool { return slices.Contains(a.whereFirst(f), c) })
}

// admins are the direct messages of all admins who can be reached.
func (a *app) admins() []string {
	return slices.DeleteFunc(a.chain(), func(c string) bool { return c == a.settings.Channels["escalation"] })
}

// hours gives when a channel may be disturbed: as configured, and in a direct message
// as the person says. A channel that says nothing of its zone has the bot's.
func (a *app) hours(channel string) keepwatch.Hours {
	if h, ok := a.settings.Hours[channel]; ok {
		return h
	}
	for _, p := range a.settings.People {
		for platform, id := range p.Accounts {
			if channel == platform+":@"+id {
				return p.Hours
			}
		}
	}
	return keepwatch.Hours{}
}

// openFrom gives the first moment from t on at which a channel may be disturbed.
func (a *app) openFrom(channel string, t time.Time) time.Time {
	return a.hours(channel).Next(t, a.settings.Location)
}
