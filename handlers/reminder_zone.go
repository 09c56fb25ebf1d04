package handlers

import (
	_ "embed"
	"slices"
	"strings"
	"time"

	"keepwatch"
)

// zoneNames are the time zones that are suggested, one a line: those of zone.tab in
// the IANA time zone database of 2026 (data.iana.org/time-zones/tz-link.html), and
// UTC. Others that the database knows are accepted too.
//
//go:embed zones.txt
var zoneNames string

// zone finds a time zone by its IANA name, in any case, or by its city alone.
func zone(name string) (*time.Location, error) {
	name = strings.ReplaceAll(strings.TrimSpace(name), " ", "_")
	names := strings.Fields(zoneNames)
	i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) || strings.EqualFold(city(n), name) })
	if i >= 0 {
		name = names[i]
	}
	// What has no slash is Local, an abbreviation that means several zones (EST,
	// CST), or a file beside the database.
	if name == "UTC" || strings.Contains(name, "/") {
		if loc, err := time.LoadLocation(name); err == nil {
			return loc, nil
		}
	}
	return nil, keepwatch.Errorf(keepwatch.KindInvalid, "There is no time zone %q. %s", keepwatch.Printable(name), nearZone(name, names))
}

// zoneNamed is zone, and knows the bot's own zone by its name, which may be that
// of the machine ("Local").
func (r *Router) zoneNamed(name string) (*time.Location, error) {
	if name == r.cfg.Location.String() {
		return r.cfg.Location, nil
	}
	return zone(name)
}

// zoneWord names a zone to people.
func zoneWord(loc *time.Location) string {
	if loc == time.Local {
		return "the machine that runs Keepwatch"
	}
	return loc.String()
}

func city(zone string) string { return zone[strings.LastIndexByte(zone, '/')+1:] }

// nearZone says which zone was probably meant.
func nearZone(name string, names []string) string {
	near := nearest(name, names)
	if c := nearestZoneCity(name, names); c != "" && (near == "" || distance(strings.ToLower(city(name)), strings.ToLower(city(c))) < distance(strings.ToLower(name), strings.ToLower(near))) {
		near = c
	}
	if near == "" {
		return "Zones are named after a city: --zone Europe/London, --zone America/New_York, or --zone UTC."
	}
	return "Did you mean --zone " + near + "?"
}

// nearestZoneCity looks at the city alone: people know it, and guess the
// continent.
func nearestZoneCity(name string, names []string) string {
	cities := make([]string, len(names))
	for i, n := range names {
		cities[i] = city(n)
	}
	near := nearest(city(name), cities)
	// Every abbreviation is near to some short name.
	if near == "" || distance(strings.ToLower(city(name)), strings.ToLower(near)) > max(1, len(near)/4) {
		return ""
	}
	return names[slices.Index(cities, near)]
}

// hours gives when a channel may be disturbed.
func (r *Router) hours(channel string) keepwatch.Hours {
	if r.cfg.Duties.Hours == nil {
		return keepwatch.Hours{}
	}
	return r.cfg.Duties.Hours(channel)
}

// channelZone is the time zone of a channel: its own, or the bot's.
func (r *Router) channelZone(channel string) *time.Location {
	if name := r.hours(channel).Zone; name != "" {
		if loc, err := zone(name); err == nil {
			return loc
		}
	}
	return r.cfg.Location
}

// ruleZone is the time zone that a rule goes by.
func (r *Router) ruleZone(rule keepwatch.Rule) *time.Location {
	if rule.When.Zone != "" {
		if loc, err := time.LoadLocation(rule.When.Zone); err == nil {
			return loc
		}
	}
	return r.channelZone(rule.Channel)
}

// inZone writes a moment with the day of the week and the zone: what is read in a
// table, or in a sentence, days later and somewhere else.
func inZone(t time.Time, loc *time.Location) string {
	return t.In(loc).Format("Mon 2 Jan 2006 15:04 MST")
}
