package authenticator

import (
	"fmt"
	"slices"
	"time"

	"keepwatch"
)

// How a question is repeated before it is passed on.
const (
	askRepeat = 24 * time.Hour
	askTimes  = 2
	settleIn  = 15 * time.Minute // before the first question of all
)

// Rules gives the rules that ask about each device and each thing under custody. The
// first time is now where nobody has ever said anything, so that a team hears of it
// on the first day; of custodies one a day, because nobody looks up seven at once, the
// first one a quarter of an hour after the start, when whoever sets Keepwatch up has
// seen it work.
func (k *Keeper) Rules() ([]keepwatch.Rule, error) {
	said, err := k.load()
	if err != nil {
		return nil, err
	}
	now := k.now().Truncate(time.Second)
	var list []keepwatch.Rule
	for _, o := range k.devices {
		first := now
		if words := said[keepwatch.DeviceSubject(o.device)]; len(words) > 0 {
			first = next(o.device, words[0])
		}
		list = append(list, k.rule("check:"+keepwatch.NameFrom(o.device.Name), keepwatch.DeviceSubject(o.device), o.device.Recheck, later(now, first), o.person,
			fmt.Sprintf("Which date does Authenticator show for the last backup of %s?", o.device.Name)))
	}
	custodies, err := k.known()
	if err != nil {
		return nil, err
	}
	never := 0
	for _, c := range custodies {
		s, err := k.custody(c)
		if err != nil {
			return nil, err
		}
		first := now.Add(settleIn + time.Duration(never)*24*time.Hour)
		if s.Last != nil {
			first = nextCustody(c, *s.Last)
		} else {
			never++
		}
		text := "Where is this recorded: " + c.What + "?"
		if c.Recheck == askTest && k.emergencyOf(c.Name) != nil {
			text = "Sign in once with the emergency account, then say where this is kept: " + c.What + "."
		}
		list = append(list, k.rule("custody:"+c.Name, keepwatch.CustodySubject(c.Name), c.Recheck, later(now, first), k.asked(c), text))
	}
	return slices.DeleteFunc(list, func(r keepwatch.Rule) bool { return r.Channel == "" }), nil
}

// rule makes one. Without a channel in which it can be asked it has none.
func (k *Keeper) rule(id, subject string, every time.Duration, next time.Time, p keepwatch.Person, text string) keepwatch.Rule {
	channel := k.cfg.Direct(p)
	if channel == "" {
		channel = k.cfg.Channel
	}
	zone := k.cfg.Location.String()
	return keepwatch.Rule{
		Version: 1, ID: id, Kind: keepwatch.RuleAsk, When: keepwatch.When{Every: every, Zone: zone}, Channel: channel, Text: text,
		Ask: subject, To: p.Name, By: "keepwatch.yaml", Made: k.now().UTC(), Fixed: true,
		Repeat: askRepeat, Times: askTimes, Chain: slices.DeleteFunc(slices.Clone(k.cfg.Chain), func(c string) bool { return c == channel }),
		Next: next.UTC(), NextWall: next.In(k.cfg.Location).Format(keepwatch.WallLayout),
	}
}

// asked gives who is asked about something under custody: its owner, otherwise the
// first admin who can be reached alone, otherwise any.
func (k *Keeper) asked(c keepwatch.Custody) keepwatch.Person {
	var admin keepwatch.Person
	for _, p := range k.cfg.People {
		switch {
		case p.Name == c.Owner && c.Owner != "":
			return p
		case p.Role == keepwatch.RoleAdmin && (admin.Name == "" || k.cfg.Direct(admin) == "" && k.cfg.Direct(p) != ""):
			admin = p
		}
	}
	return admin
}

// emergencyOf gives the emergency account whose key a custody is, or nil.
func (k *Keeper) emergencyOf(custody string) *EmergencyAccount {
	for i, e := range k.cfg.Emergency {
		if keepwatch.NameFrom("emergency-"+e.Name) == custody {
			return &k.cfg.Emergency[i]
		}
	}
	return nil
}

// later gives the later of two instants.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
