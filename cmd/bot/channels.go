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

// nobodys is where things are said that have no channel at all: the log of the bot,
// or the chat that somebody sits at.
const nobodys = "terminal"

// atHome is home where there is one, and otherwise the first that is there: the
// escalation channel, an admin, nobody's. What is scheduled is carried out in any case,
// and its card is to stand somewhere.
func (a *app) atHome() string {
	for _, c := range append([]string{a.home()}, a.chain()...) {
		if c != "" {
			return c
		}
	}
	return nobodys
}

// channels are those of the configuration by their names, for commands.
func (a *app) channels() map[string]string {
	named := maps.Clone(a.settings.Channels)
	if home := a.home(); home != "" { // the terminal stands for one of a platform that is not configured
		named["default"] = home
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
// the default channel where it is nobody's or that person cannot be reached; without
// one the admins, and whoever else there is.
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
	if to := a.admins(); len(to) > 0 {
		return to
	}
	return []string{a.atHome()}
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
// as the person says. A channel that says nothing of its zone has the bot's. Where no
// platform is configured the terminal has the hours of the default channel that it
// stands for, or else those of whoever sits there.
func (a *app) hours(channel string) keepwatch.Hours {
	if h, ok := a.settings.Hours[channel]; ok {
		return h
	}
	if channel == "terminal" && len(a.settings.platforms()) == 0 {
		if h, ok := a.settings.Hours[a.settings.Channels["default"]]; ok {
			return h
		}
		return a.sitting().Hours
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

// sitting is the person of the configuration who sits at the terminal: whose account it
// is, or the only one that there is. The zero person: that is not known.
func (a *app) sitting() keepwatch.Person {
	for _, p := range a.settings.People {
		if a.account.ID != "" && p.Accounts["terminal"] == a.account.ID {
			return p
		}
	}
	if len(a.settings.People) == 1 && a.settings.People[0].Accounts["terminal"] == "" {
		return a.settings.People[0]
	}
	return keepwatch.Person{}
}

// openFrom gives the first moment from t on at which a channel may be disturbed.
func (a *app) openFrom(channel string, t time.Time) time.Time {
	return a.hours(channel).Next(t, a.settings.Location)
}
